//! The configuration as an operator checks it before a mint starts with it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::process::{Done, run, tacitd};

const GOOD: &str = "listen = '127.0.0.1:1'\n[about]\nname = 'Harbour'\n[[unit]]\nunit = 'usd'\n";

/// `tacitd config check` on a file of this text.
fn check(directory: &TempDir, text: &str) -> Command {
    let file = directory.path().join("tacit.toml");
    fs::write(&file, text).unwrap();
    let mut command = tacitd();
    command.args(["config", "check", "--config"]).arg(file);
    command
}

/// The line of a setting, its words one space apart.
fn line(done: &Done, name: &str) -> String {
    let mut lines = done.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let found = lines.find(|words| words.first() == Some(&name));
    found.unwrap_or_else(|| panic!("{name}: {done:?}")).join(" ")
}

#[test]
fn what_is_in_force_is_printed_with_its_source() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("tacit.toml").display().to_string();
    let done = run(check(&directory, GOOD)
        .args(["--data", "/srv/tacit"])
        .env("TACITD_LISTEN", "127.0.0.1:2")
        .env("TACITD_DEMO", "true"));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    assert_eq!(line(&done, "listen"), "listen 127.0.0.1:2 environment TACITD_LISTEN");
    assert_eq!(line(&done, "data"), "data /srv/tacit flag --data");
    assert_eq!(line(&done, "demo"), "demo true environment TACITD_DEMO");
    assert_eq!(line(&done, "about.name"), format!("about.name Harbour file {file}"));
    assert_eq!(line(&done, "unit.usd.path"), "unit.usd.path usd default");
    assert_eq!(line(&done, "passphrase"), "passphrase (none) default");
    let flag_wins = run(check(&directory, GOOD)
        .args(["--listen", "127.0.0.1:3"])
        .env("TACITD_LISTEN", "127.0.0.1:2"));
    assert_eq!(line(&flag_wins, "listen"), "listen 127.0.0.1:3 flag --listen");
    assert!(!directory.path().join("tacit-data").exists(), "nothing is made");
}

#[test]
fn a_program_reads_the_same_as_json() {
    let directory = tempdir().unwrap();
    let done = run(check(&directory, GOOD).arg("--json"));
    assert_eq!(done.code, Some(0), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["valid"], true);
    let settings = report["settings"].as_array().unwrap();
    let of = |name: &str| settings.iter().find(|row| row["name"] == name).unwrap().clone();
    let file = directory.path().join("tacit.toml").display().to_string();
    let listen = json!({"name": "listen", "value": "127.0.0.1:1", "source": "file", "at": file});
    assert_eq!(of("listen"), listen);
    let least = json!({"name": "unit.usd.mint_min", "value": 1, "source": "default", "at": null});
    assert_eq!(of("unit.usd.mint_min"), least);
    let done = run(check(&directory, "[[unit]]").arg("--json"));
    assert_eq!(done.code, Some(1), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["valid"], false);
    let said = format!("tacitd: {}", report["error"].as_str().unwrap());
    assert_eq!(said.trim_end(), done.stderr.trim_end());
}

#[test]
fn a_passphrase_is_found_and_not_shown() {
    let directory = tempdir().unwrap();
    let secret = "correct horse battery staple";
    let held = directory.path().join("held");
    fs::write(&held, secret).unwrap();
    for json in [false, true] {
        for from_file in [false, true] {
            let mut command = check(&directory, GOOD);
            match from_file {
                false => command.env("TACITD_PASSPHRASE", secret),
                true => command.arg("--passphrase-file").arg(&held),
            };
            let done = run(if json { command.arg("--json") } else { &mut command });
            assert_eq!(done.code, Some(0), "{done:?}");
            assert!(done.stdout.contains("set, not shown"), "{done:?}");
            assert!(!format!("{done:?}").contains("horse"), "{done:?}");
        }
    }
    let missing = run(check(&directory, GOOD).args(["--passphrase-file", "/nowhere/at/all"]));
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("/nowhere/at/all"), "{missing:?}");
    let help = run(tacitd().args(["config", "check", "--help"]).env("TACITD_PASSPHRASE", secret));
    assert!(!help.stdout.contains("horse"), "nor in the help: {help:?}");
}

#[test]
fn mistakes_are_named_and_serve_makes_the_same_of_them() {
    let directory = tempdir().unwrap();
    for (text, part) in [
        ("[abuot]\nname = 'Harbour'\n", "line 1: there is no setting abuot"),
        (
            "[about]\nnmae = 'Harbour'\n",
            "line 2: there is no setting about.nmae, the nearest is about.name",
        ),
        ("[[unit]]\nunit = 'usd'\nmint_mx = 3\n", "the nearest is unit.mint_max"),
        ("listen = 3338\n", "invalid type"),
        ("listen = \n", "tacit.toml"),
        ("listen = 'nowhere'\n[[unit]]\nunit = 'usd'\n", "such as 127.0.0.1:3338"),
        ("", "no unit is configured"),
        ("[[unit]]\nunit = 'usd'\ndenominations = 54\n", "from 1 to 53"),
    ] {
        let done = run(&mut check(&directory, text));
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{text}: {done:?}");
        assert!(done.stderr.contains(part), "{text}: {done:?}");
        let mut serve = tacitd();
        let file = directory.path().join("tacit.toml");
        serve.arg("serve").arg("--data").arg(directory.path().join("data"));
        let served = run(serve.arg("--config").arg(file));
        assert_eq!((served.code, served.stderr), (Some(1), done.stderr), "{text}");
    }
    let done = run(check(&directory, GOOD).env("TACITD_LISTN", "127.0.0.1:2"));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("TACITD_LISTN, the nearest is TACITD_LISTEN"), "{done:?}");
    let done = run(check(&directory, GOOD).env("TACITD_PORT", "tcp://10.0.0.1:3338"));
    assert_eq!(done.code, Some(0), "what Kubernetes sets is no mistake: {done:?}");
    let done = run(check(&directory, GOOD).env("TACITD_DEMO", "perhaps"));
    assert_eq!(done.code, Some(2), "the command line is wrong: {done:?}");
    let nowhere = run(tacitd().args(["config", "check", "--config", "/nowhere/at/all"]));
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
}
