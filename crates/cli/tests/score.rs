//! `tacit score` as its users run it: one process a command.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How a command ended.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn refused(&self, code: i32, said: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        assert!(self.stderr.contains(said), "{said}: {self:?}");
    }
}

fn run_with(arguments: &[&str], input: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tacit"))
        .arg("score")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read may be gone before this is written.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(arguments: &[&str]) -> Done {
    run_with(arguments, "")
}

fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../credit/data").join(name);
    path.to_str().unwrap().to_owned()
}

/// German credit: small, and read by a counters file.
fn german() -> [String; 4] {
    let [table, counters] = [data("statlog_german_credit.data"), data("german_credit.toml")];
    ["--data".to_owned(), table, "--counters".to_owned(), counters]
}

/// A key, and a signed card under it.
struct Signed {
    folder: TempDir,
    public_key: String,
}

impl Signed {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = folder.path().join("key");
        let made = run(&["new-key", key.to_str().unwrap()]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let signed = Self { folder, public_key: made.stdout.trim().to_owned() };
        let [a, b, c, d] = &german();
        let (out, key) = (signed.path("out"), signed.path("key"));
        let fitted = run(&[
            "fit",
            a,
            b,
            c,
            d,
            "--out",
            &out,
            "--key",
            &key,
            "--audit-columns",
            "9",
            "--json",
        ]);
        assert_eq!((fitted.code, fitted.stderr.as_str()), (Some(0), ""), "{fitted:?}");
        assert_eq!(fitted.json()["written"]["public_key"], json!(signed.public_key));
        signed
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn card(&self) -> String {
        self.path("out/scorecard.json")
    }
}

#[test]
fn the_reference_is_fitted_by_command() {
    let table = data("taiwan_default_credit_card_clients.csv");
    let done = run(&["fit", "--data", &table, "--counters", "taiwan-t10", "--json"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let found = done.json();
    let reference: Value =
        serde_json::from_slice(&fs::read(data("taiwan_t10_scorecard.json")).unwrap()).unwrap();
    assert_eq!(found["table"], reference["counters"], "cuts, points and counts, all of them");
    assert_eq!((&found["n_train"], &found["n_test"]), (&json!(20_999), &json!(9_001)));
    let auc = |name: &str| (found[name].as_f64().unwrap() * 1000.0).round();
    assert_eq!((auc("test_auc"), auc("cv_auc")), (781.0, 780.0));
    let other = ["fit", "--data", &table, "--counters", "taiwan-t10", "--json", "--seed", "seed1"];
    assert_ne!(run(&other).json()["test_auc"], found["test_auc"]);
}

#[test]
fn a_report_fits_a_terminal_and_says_what_people_must_know() {
    let table = data("taiwan_default_credit_card_clients.csv");
    let options = ["fit", "--data", &table, "--counters", "passport", "--audit-columns", "SEX,AGE"];
    let report = run(&options).stdout;
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
    for said in [
        "A proxy: the people are card holders of a bank in Taiwan",
        "0.7707, 95 % of such samples: 0.7581 to 0.7832",
        "0.7699 in the mean of five folds",
        "0.7357 if everybody does",
        "SEX: lowest approval by highest 0.949",
        "No counter alone reaches 0.9",
    ] {
        assert!(report.contains(said), "{said}\n{report}");
    }
    let without = run(&[&options[..], &["--without", "income"]].concat());
    assert!(!without.stdout.contains("income "), "{}", without.stdout);
}

#[test]
fn a_card_is_signed_checked_and_explained() {
    use std::os::unix::fs::PermissionsExt;

    let signed = Signed::new();
    let mode = fs::metadata(signed.path("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = run(&["new-key", &signed.path("key")]);
    again.refused(4, "cannot be written");

    let card = signed.card();
    let verified = run(&["verify", "--card", &card, "--public-key", &signed.public_key]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    fs::write(signed.path("public"), format!("{}\n", signed.public_key)).unwrap();
    let by_file = run(&["verify", "--card", &card, "--public-key", &signed.path("public")]);
    assert_eq!(verified.stdout, by_file.stdout);
    let other = run(&["new-key", &signed.path("other")]).stdout;
    run(&["verify", "--card", &card, "--public-key", other.trim()]).refused(1, "signed, but by");
    run(&["verify", "--card", &card, "--public-key", "00"]).refused(2, "64 hexadecimal digits");

    let values = "account=3,duration=12,history=2,amount=20,savings=0,employed=3";
    let explained = run(&["explain", "--card", &card, "--counters-values", values, "--json"]);
    let explained = explained.json();
    let sum = |list: &str, field: &str| -> u64 {
        explained[list].as_array().unwrap().iter().map(|part| part[field].as_u64().unwrap()).sum()
    };
    assert_eq!(explained["score"], json!(350 + sum("parts", "points")));
    assert_eq!(sum("parts", "of"), sum("parts", "points") + sum("lost", "lost"));
    assert!(explained["reasons"][0]["reason"].is_string(), "{explained}");
    let object = r#"{"account":3,"duration":12,"history":2,"amount":20,"savings":0,"employed":3}"#;
    let by_stdin = run_with(&["explain", "--card", &card, "--values", "-", "--json"], object);
    assert_eq!(by_stdin.json(), explained);
    let told = run(&["explain", "--card", &card, "--counters-values", values]).stdout;
    assert!(told.contains("What would raise the score most"), "{told}");
    assert!(told.contains("Principal reasons"), "{told}");
    // An account and earlier loans are what shows a history here.
    let nobody =
        object.replace("\"account\":3", "\"account\":0").replace("\"history\":2", "\"history\":0");
    let nobody = run_with(&["explain", "--card", &card, "--values", "-"], &nobody).stdout;
    assert!(nobody.contains("No score: there is no history yet. That is not a low score."));
    assert!(!nobody.contains("reasons") && !nobody.contains("raise the score"), "{nobody}");
}

#[test]
fn values_and_cards_that_do_not_fit_are_refused() {
    let signed = Signed::new();
    let card = signed.card();
    let explain = |values: &str| run(&["explain", "--card", &card, "--counters-values", values]);
    explain("account=3").refused(2, "counter duration is not given");
    explain("account=9").refused(2, "counter account is at most 3, not 9");
    explain("account=-1").refused(2, "is not NAME=NUMBER");
    explain("age=40").refused(2, "the card has no counter \"age\"");
    run(&["explain", "--card", &card]).refused(2, "--counters-values");
    for (values, said) in [
        ("[]", "no JSON object"),
        (r#"{"account":3.5}"#, "no JSON object"),
        (r#"{"account":3,"account":3}"#, "counter account is given twice"),
    ] {
        run_with(&["explain", "--card", &card, "--values", "-"], values).refused(2, said);
    }
    let text = fs::read_to_string(&card).unwrap();
    let forged = signed.path("forged");
    fs::write(&forged, text.replacen("\"test_rows\":300", "\"test_rows\":301", 1)).unwrap();
    run(&["verify", "--card", &forged]).refused(1, "its signature is not right");
    fs::write(&forged, &text[..text.len() - 1]).unwrap();
    run(&["verify", "--card", &forged]).refused(2, "cannot be read as a scorecard");
    run(&["verify", "--card", &signed.path("none")]).refused(4, "cannot be read");
    let as_json = run(&["verify", "--card", &forged, "--json"]);
    let said: Value = serde_json::from_str(&as_json.stderr).unwrap();
    assert_eq!(said["exit"], 2);
}

/// The page stands alone: no script, nothing loaded from elsewhere, every plot with a text, every table with a caption.
#[test]
fn the_model_card_can_be_read_by_everybody() {
    let signed = Signed::new();
    let page = fs::read_to_string(signed.path("out/model-card.html")).unwrap();
    let count = |what: &str| page.matches(what).count();
    for absent in ["<script", "<link", "<img", "url(", "@import", "javascript:"] {
        assert_eq!(count(absent), 0, "{absent}");
    }
    assert_eq!((count("<svg"), count("<title id="), count("<desc id=")), (3, 3, 3));
    assert_eq!(count("<table"), count("<caption"));
    assert_eq!(count("<h1"), 1);
    assert!(page.contains("<html lang=\"en\">") && page.contains("prefers-color-scheme: dark"));
    for said in ["CC BY 4.0", "Not for:", "H. Hofmann", &signed.public_key, "Refusing a tenth"] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("NaN") && !page.contains("inf,"), "a plot has a hole");
}

#[test]
fn requests_that_make_no_sense_are_refused_before_the_fit() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let write = |name: &str, text: &str| {
        fs::write(path(name), text).unwrap();
        path(name).to_str().unwrap().to_owned()
    };
    let [a, table, c, counters] = &german();
    let fit = |more: &[&str]| run(&[&["fit", a, table, c, counters], more].concat());
    fit(&["--audit-columns", "1"]).refused(2, "column \"1\" is read by the counters");
    fit(&["--audit-columns", "99"]).refused(2, "has no column \"99\"");
    fit(&["--without", "age"]).refused(2, "there is no counter age");
    fit(&["--approval", "100"]).refused(2, "100");
    let out = path("out").to_str().unwrap().to_owned();
    fit(&["--out", &out]).refused(2, "--key");
    let key = write("key", "not a key");
    fit(&["--out", &out, "--key", &key]).refused(2, "does not hold a signing key");
    assert!(!path("out").exists(), "nothing is written before all is known to be well");

    run(&["fit", a, table, c, "taiwan"]).refused(2, "taiwan is no preset (taiwan-t10, passport)");
    run(&["fit", a, table, c, "taiwan-t10"])
        .refused(2, "line 1 has no column \"default payment next month\"");
    let none = path("none").to_str().unwrap().to_owned();
    run(&["fit", a, &none, c, counters]).refused(4, "cannot be read");
    let broken = write("broken.toml", "format = 1\nname = ");
    run(&["fit", a, table, c, &broken]).refused(2, "line 2");
    let empty = write("empty", "\n");
    run(&["fit", a, &empty, c, counters]).refused(2, "there is nothing in it");
    // Nothing in it tells who pays.
    let flat = "A11 6 A34 A43 1000 A65 A75 4 A93 A101 4 A121 67 A143 A152 2 A173 1 A192 A201 ";
    let rows: String = (0..300).map(|row| format!("{flat}{}\n", 1 + row % 2)).collect();
    let flat = write("flat", &rows);
    run(&["fit", a, &flat, c, counters]).refused(1, "no counter tells who pays");
}
