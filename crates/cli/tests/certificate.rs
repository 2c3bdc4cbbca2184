//! `tacit verify-certificate` as its users run it: one process a check.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::hold::Certificate;
use tacit_credit::certificate::issue::Issuer;
use tacit_credit::certificate::key::SecretKey;
use tacit_credit::certificate::statement::{Claim, Statement};
use tacit_credit::certificate::verify::Expected;
use tacit_credit::scorecard::signed::CardId;
use tempfile::TempDir;

const NOW: u64 = 1_795_651_200;

struct Desk {
    directory: TempDir,
    presentation: String,
}

impl Desk {
    fn new() -> Self {
        let key = |byte| SecretKey::from_entropy(&Secret::new([byte; 32]));
        let (issuer, now) =
            (Issuer::new("https://mint.example.org", key(1)), Timestamp::from_seconds(NOW));
        let card = CardId::from_bytes([1; 32]);
        let statement = Statement { card, threshold: 600, tenure: 6, nothing_overdue: true };
        let text = issuer
            .issue(&statement, &[key(3).public()], now.day(), &Secret::new([4; 32]))
            .remove(0);
        let metadata = issuer.metadata(&key(2).public());
        let held = Certificate::receive(&text, key(3), &statement, &metadata.certificates(), now);
        let claims = [Claim::Threshold, Claim::NothingOverdue];
        let expected = Expected { audience: "me", nonce: "n" };
        let presentation = held.unwrap().present(&claims, expected, now);
        let directory = TempDir::new().unwrap();
        let bytes = serde_json::to_vec(&metadata).unwrap();
        std::fs::write(directory.path().join("issuer.json"), bytes).unwrap();
        std::fs::write(directory.path().join("presentation"), &presentation).unwrap();
        Self { directory, presentation }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, presentation: &str, nonce: &str, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tacit"))
            .args(["verify-certificate", presentation, "--audience", "me", "--nonce", nonce])
            .arg("--issuer")
            .arg(self.path("issuer.json"))
            .args(["--at", &NOW.to_string()])
            .args(more)
            .output()
            .unwrap()
    }
}

fn ended(output: &Output, code: i32, said: &str) {
    let text = if code == 0 { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(text);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(text.contains(said), "{said}: {text}");
}

#[test]
fn what_was_shown_is_said_and_nothing_else() {
    let desk = Desk::new();
    let file = desk.path("presentation");
    let output = desk.run(file.to_str().unwrap(), "n", &[]);
    ended(&output, 0, "score           at least 600");
    ended(&output, 0, "history         not shown");
    let output =
        desk.run(&desk.presentation, "n", &["--json", "--threshold", "600", "--nothing-overdue"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["believed"], &said["threshold"]), (&Value::Bool(true), &Value::from(600)));
    assert_eq!((&said["tenure_months"], &said["scorecard"]), (&Value::Null, &Value::Null));
}

#[test]
fn each_refusal_says_why_and_has_its_code() {
    let desk = Desk::new();
    let shown = desk.presentation.as_str();
    ended(&desk.run(shown, "m", &[]), 1, "not believed: made for another request");
    ended(&desk.run(shown, "n", &["--threshold", "601"]), 1, "a score of at least 600 only");
    ended(&desk.run(shown, "n", &["--tenure", "1"]), 1, "shows no history");
    ended(
        &desk.run(shown, "n", &["--scorecard", &"01".repeat(32)]),
        1,
        "no score by that scorecard",
    );
    ended(&desk.run(shown, "n", &["--scorecard", "x"]), 2, "64 hexadecimal digits");
    ended(&desk.run(shown, "n", &["--issuer-name", "https://other.example"]), 2, "is that of");
    ended(&desk.run("/nowhere", "n", &[]), 4, "/nowhere cannot be read");
    ended(&desk.run("a~b", "n", &["--json"]), 1, r#""believed":false"#);
    std::fs::write(desk.path("issuer.json"), "{}").unwrap();
    ended(&desk.run(shown, "n", &[]), 2, "issuer.json cannot be used");
}
