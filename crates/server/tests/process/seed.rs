//! The seed as an operator meets it: made once, encrypted, opened from three places, locked anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tacit_server::passphrase::Places;
use tacit_server::seed::{SeedError, read};
use tacit_service::identity::Identity;
use tempfile::tempdir;

use crate::support::process::{
    Done, PASSPHRASE, Tacitd, free_address, init, run, serve, tacitd, verify,
};

const UNIT: &str = "[[unit]]\nunit = 'usd'\n";
const OTHER: &str = "another passphrase altogether";

/// A data directory that `tacitd init` made, and a configuration of one unit.
struct Made {
    directory: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        fs::write(directory.path().join("tacit.toml"), UNIT).unwrap();
        let made = Self { directory };
        init(&made.data());
        made
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn seed(&self) -> PathBuf {
        self.data().join("seed")
    }

    /// A file beside the data directory.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn serve(&self) -> Command {
        let config = self.directory.path().join("tacit.toml");
        let address = free_address().to_string();
        serve(&self.data(), &["--config", config.to_str().unwrap(), "--listen", &address])
    }

    /// Serves until it is up, then stops it. Returns what it logged.
    fn serves(&self, command: &mut Command) -> String {
        let said = self.directory.path().join("log");
        let log = fs::File::create(&said).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut ended = None;
        for _ in 0..3_000 {
            let log = fs::read_to_string(&said).unwrap();
            ended = child.try_wait().unwrap();
            if log.contains("the mint is up") || ended.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        _ = child.kill();
        child.wait().unwrap();
        let log = fs::read_to_string(&said).unwrap();
        assert!(ended.is_none() && log.contains("the mint is up"), "{log}");
        log
    }

    fn rotate(&self) -> Command {
        let mut command = tacitd();
        command.args(["keyset", "rotate"]).arg(self.data()).args(["--unit", "usd"]);
        command
    }

    /// Changes the passphrase, the new one in the environment.
    fn change(&self, new: &str) -> Command {
        let mut command = tacitd();
        command.args(["seed", "passphrase"]).arg(self.data()).env("TACITD_NEW_PASSPHRASE", new);
        command
    }
}

/// The command fails with exit code 1 and says all of these; stdout stays empty.
fn fails(command: &mut Command, parts: &[&str]) {
    let done = run(command);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
    for part in parts {
        assert!(done.stderr.contains(part), "{part:?} in {done:?}");
    }
    assert_tells_nothing(&done);
}

fn assert_tells_nothing(done: &Done) {
    for secret in [PASSPHRASE, OTHER] {
        assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{done:?}");
    }
}

fn path_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn init_makes_an_encrypted_seed_once_and_says_what_to_keep() {
    let directory = tempdir().unwrap();
    let data = directory.path().join("deep/data");
    let done = init(&data);
    assert_tells_nothing(&done);
    let seed = fs::read_to_string(data.join("seed")).unwrap();
    assert!(seed.starts_with("tacit seed version 1\n") && seed.contains("kdf: argon2id"), "{seed}");
    let mint = seed.lines().find_map(|line| line.strip_prefix("mint: ")).unwrap();
    for part in [path_of(&data.join("seed")), "the passphrase", mint] {
        assert!(done.stdout.contains(part), "{part}: {done:?}");
    }
    let sealed = seed.lines().find_map(|line| line.strip_prefix("sealed: ")).unwrap();
    assert!(!done.stdout.contains(&sealed[..16]), "{done:?}");
    let again = || {
        let mut command = tacitd();
        command.args(["init", "--data"]).arg(&data).env("TACITD_PASSPHRASE", PASSPHRASE);
        command
    };
    fails(&mut again(), &["not overwritten", path_of(&data)]);
    assert_eq!(fs::read_to_string(data.join("seed")).unwrap(), seed);
    fs::remove_file(data.join("seed")).unwrap();
    fs::write(data.join("vault.sqlite"), "").unwrap();
    fails(&mut again(), &["without its seed"]);
    assert!(!data.join("seed").exists(), "no other seed is made for a vault");
}

#[test]
fn init_without_a_good_passphrase_leaves_nothing_behind() {
    let directory = tempdir().unwrap();
    let data = directory.path().join("data");
    let init = || {
        let mut command = tacitd();
        command.args(["init", "--data"]).arg(&data);
        command
    };
    let places = ["no passphrase", "--passphrase-file", "TACITD_PASSPHRASE", "tacitd-passphrase"];
    fails(&mut init(), &places);
    fails(init().env("TACITD_PASSPHRASE", "short"), &["too short", "15"]);
    fails(init().args(["--passphrase-file", "/nowhere/at/all"]), &["/nowhere/at/all"]);
    let empty = directory.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    fails(init().arg("--passphrase-file").arg(&empty), &["is empty", path_of(&empty)]);
    assert!(!data.exists());
    assert_eq!(run(tacitd().arg("init")).code, Some(2), "the directory must be named");
}

#[test]
fn serve_without_init_is_refused_and_makes_nothing() {
    let directory = tempdir().unwrap();
    let (data, config) = (directory.path().join("data"), directory.path().join("tacit.toml"));
    fs::write(&config, UNIT).unwrap();
    let mut command = serve(&data, &["--config", path_of(&config), "--listen", "127.0.0.1:0"]);
    command.env("TACITD_PASSPHRASE", PASSPHRASE);
    fails(&mut command, &["tacitd init --data", path_of(&data), "--demo"]);
    assert!(!data.exists());
}

#[test]
fn a_passphrase_opens_from_a_file_the_environment_or_systemd() {
    let made = Made::new();
    let log = made.serves(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE));
    assert!(!log.contains(PASSPHRASE) && !log.contains("not encrypted"), "{log}");
    let file = made.file("tacitd-passphrase", &format!("{PASSPHRASE}\n"));
    made.serves(made.serve().args(["--passphrase-file", &file]));
    made.serves(made.serve().env("TACITD_PASSPHRASE_FILE", &file));
    made.serves(made.serve().env("CREDENTIALS_DIRECTORY", made.directory.path()));
    let wrong = made.file("wrong", OTHER);
    let mut flag_first = made.serve();
    flag_first.args(["--passphrase-file", &wrong]).env("TACITD_PASSPHRASE", PASSPHRASE);
    fails(&mut flag_first, &["does not open the seed"]);
}

#[test]
fn a_missing_or_wrong_passphrase_is_said_plainly() {
    let made = Made::new();
    let seed = made.seed();
    made.serves(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE));
    let rotate = || made.rotate();
    for mut command in [made.serve(), rotate()] {
        fails(
            &mut command,
            &["is encrypted", "no passphrase", "--passphrase-file", path_of(&seed)],
        );
    }
    for mut command in [made.serve(), rotate()] {
        command.env("TACITD_PASSPHRASE", OTHER);
        fails(&mut command, &["passphrase does not open", path_of(&seed)]);
    }
    let other = Made::new();
    fs::copy(other.seed(), &seed).unwrap();
    let mut command = made.serve();
    fails(command.env("TACITD_PASSPHRASE", PASSPHRASE), &["belongs to another vault"]);
}

#[test]
fn a_damaged_seed_is_named() {
    let made = Made::new();
    let seed = made.seed();
    let good = fs::read_to_string(&seed).unwrap();
    let bent = good.replace("salt: ", "salt: 0");
    for bad in [&good[..good.len() / 2], "", &bent] {
        fs::write(&seed, bad).unwrap();
        let mut command = made.serve();
        command.env("TACITD_PASSPHRASE", PASSPHRASE);
        fails(&mut command, &["is damaged", path_of(&seed)]);
    }
    fs::write(&seed, good.replace("version 1", "version 2")).unwrap();
    let mut command = made.serve();
    command.env("TACITD_PASSPHRASE", PASSPHRASE);
    fails(&mut command, &["this version of tacitd does not know", path_of(&seed)]);
    fs::write(&seed, good).unwrap();
    made.serves(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE));
}

#[test]
fn rotate_asks_for_the_passphrase_and_verify_does_not() {
    let made = Made::new();
    made.serves(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE));
    let done = run(made.rotate().env("TACITD_PASSPHRASE", PASSPHRASE));
    assert_eq!(done.code, Some(0), "{done:?}");
    let file = made.file("passphrase", PASSPHRASE);
    let again = run(made.rotate().args(["--passphrase-file", &file]));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_ne!(done.stdout, again.stdout);
    let verified = verify(&made.data());
    assert_eq!(verified.code, Some(0), "{verified:?}");
    fs::remove_file(made.seed()).unwrap();
    assert_eq!(verify(&made.data()).code, Some(0), "it reads the vault alone");
}

#[test]
fn a_passphrase_is_changed_while_the_mint_is_stopped() {
    let made = Made::new();
    made.serves(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE));
    let before = fs::read_to_string(made.seed()).unwrap();
    fails(&mut made.change(OTHER), &["no passphrase"]);
    fails(made.change(OTHER).env("TACITD_PASSPHRASE", "wrong"), &["does not open"]);
    fails(made.change("short").env("TACITD_PASSPHRASE", PASSPHRASE), &["too short"]);
    let mut without_new = tacitd();
    without_new.args(["seed", "passphrase"]).arg(made.data()).env("TACITD_PASSPHRASE", PASSPHRASE);
    fails(&mut without_new, &["--new-passphrase-file", "TACITD_NEW_PASSPHRASE"]);
    assert_eq!(fs::read_to_string(made.seed()).unwrap(), before, "nothing changed so far");
    let done = run(made.change(OTHER).env("TACITD_PASSPHRASE", PASSPHRASE));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_tells_nothing(&done);
    assert!(!made.data().join("seed.new").exists());
    made.serves(made.serve().env("TACITD_PASSPHRASE", OTHER));
    fails(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE), &["does not open"]);
}

#[test]
fn a_killed_change_leaves_the_old_seed_or_the_new() {
    let made = Made::new();
    let mint = read(&made.seed()).unwrap().mint();
    let places = |text: &str| Places::file(made.file("held", text).into());
    let (mut now, mut next) = (OTHER, PASSPHRASE);
    let begun = Instant::now();
    assert_eq!(run(made.change(OTHER).env("TACITD_PASSPHRASE", PASSPHRASE)).code, Some(0));
    let whole = begun.elapsed();
    // From before it has begun until well after it should have ended.
    for round in 0..18 {
        let mut command = made.change(next);
        command.env("TACITD_PASSPHRASE", now).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(whole * round / 12);
        _ = child.kill(); // It may have ended.
        child.wait().unwrap();
        let opened = read(&made.seed()).unwrap().open(&places(next));
        if opened.is_ok() {
            (now, next) = (next, now);
        } else {
            assert!(matches!(opened, Err(SeedError::WrongPassphrase { .. })), "{opened:?}");
        }
        let seed = read(&made.seed()).unwrap().open(&places(now)).unwrap();
        assert_eq!(Identity::derive(&seed).public(), mint, "round {round}");
    }
}

#[test]
fn a_seed_in_the_clear_serves_with_a_warning_until_it_is_encrypted() {
    let made = Made::new();
    let data = made.directory.path().join("old");
    Tacitd::start(&data).terminate();
    fs::remove_dir_all(made.data()).unwrap();
    fs::rename(&data, made.data()).unwrap();
    let log = made.serves(&mut made.serve());
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(first["level"], "warn", "{log}");
    assert!(first["event"].as_str().unwrap().contains("tacitd seed passphrase"), "{log}");
    let done = run(&mut made.change(PASSPHRASE));
    assert_eq!(done.code, Some(0), "no passphrase opens what is not encrypted: {done:?}");
    let log = made.serves(made.serve().env("TACITD_PASSPHRASE", PASSPHRASE));
    assert!(!log.contains("not encrypted"), "{log}");
}
