//! What can be wrong with the file, and with who opens it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::demo::{Demo, PASSPHRASE, Wallet, ended, program};

#[test]
fn the_file_is_its_owners_and_shows_nothing() {
    let demo = Demo::start();
    let alice = Wallet { file: demo.path("alice") };
    let words = alice.must(&["init"]).line();
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    let token = alice.must(&["send", "1", "--memo", "a secret memo"]).line();
    let mode = fs::metadata(&alice.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(&alice.file).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    // None so short that sealed bytes would spell it by chance.
    for secret in [&words, &words[..12], "a secret memo", "127.0.0.1", "Unspent", &token[40..80]] {
        assert!(!holds(secret), "{secret:?} stands in the clear");
    }
    assert!(holds("argon2id") || holds("CREATE TABLE lock"), "the search finds what is there");
    let journal = fs::exists(demo.path("alice-journal")).unwrap();
    assert!(!journal, "nothing is left beside the file but an empty lock");
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    let whole = fs::read(&alice.file).unwrap();
    let refused = |said: &str| {
        let done = alice.run(&["balance"]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(4), ""), "{said}: {done:?}");
        assert!(done.stderr.contains(said), "{said}: {done:?}");
    };
    for length in [whole.len() / 2, whole.len() - 4096, 4096] {
        fs::write(&alice.file, &whole[..length]).unwrap();
        refused("is damaged");
    }
    fs::write(&alice.file, b"").unwrap();
    refused("is no wallet");
    fs::write(&alice.file, vec![b'x'; 8192]).unwrap();
    refused("is no wallet");
    let mut later = whole.clone();
    later[63] = 2; // The last byte of `user_version` in SQLite's header.
    fs::write(&alice.file, &later).unwrap();
    refused("later version");
    fs::remove_file(&alice.file).unwrap();
    refused("tacit wallet init");
    fs::write(&alice.file, &whole).unwrap();
    assert_eq!(alice.balance("usd"), 1050);
    let again = alice.run(&["init"]);
    assert!(again.code == Some(4) && again.stderr.contains("not overwritten"), "{again:?}");
    let directory = demo.path("directory");
    fs::create_dir(&directory).unwrap();
    let odd = Wallet { file: directory }.run(&["balance"]);
    assert_eq!(odd.code, Some(4), "{odd:?}");
}

/// Any byte: the wallet opens as it was, or is refused. It never shows another balance.
#[test]
fn a_bent_file_is_refused_or_as_it_was() {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    let whole = fs::read(&alice.file).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut bent = whole.clone();
        bent[at] ^= 0x10;
        fs::write(&alice.file, &bent).unwrap();
        let done = alice.run(&["balance"]);
        match done.code {
            Some(0) => assert!(done.stdout.contains("10.50 usd"), "byte {at}: {done:?}"),
            Some(4) => refused += 1,
            code => panic!("byte {at}: {code:?} {done:?}"),
        }
    }
    assert!(10 < refused, "{refused} of 40");
}

#[test]
fn the_passphrase_opens_and_no_other() {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    let open = |passphrase: Option<&str>| {
        let mut command = program(&demo.path(""));
        command.env("TACIT_WALLET", &alice.file).arg("balance");
        passphrase.map(|passphrase| command.env("TACIT_WALLET_PASSPHRASE", passphrase));
        ended(command.spawn().unwrap())
    };
    assert_eq!(open(Some(PASSPHRASE)).code, Some(0));
    let wrong = open(Some("correct horse battery stable"));
    assert!(wrong.code == Some(4) && wrong.stderr.contains("does not open"), "{wrong:?}");
    let none = open(None);
    assert!(none.code == Some(4) && none.stderr.contains("--passphrase-file"), "{none:?}");
    let new = demo.path("new");
    fs::write(&new, "short").unwrap();
    let path = new.to_str().unwrap();
    let short = alice.run(&["passphrase", "--new-passphrase-file", path]);
    assert!(short.code == Some(4) && short.stderr.contains("at least 15"), "{short:?}");
    fs::write(&new, "another horse, another battery\n").unwrap();
    alice.must(&["passphrase", "--new-passphrase-file", path]);
    assert_eq!(open(Some(PASSPHRASE)).code, Some(4));
    assert_eq!(open(Some("another horse, another battery")).code, Some(0));
}

#[test]
fn a_keyring_keeps_the_passphrase() {
    let demo = Demo::start();
    let (bin, kept) = (demo.path("bin"), demo.path("kept"));
    fs::create_dir(&bin).unwrap();
    let tool = bin.join("secret-tool");
    // What libsecret's program does, with a file for a keyring.
    let script = format!(
        "#!/bin/sh\ncase $1 in\nstore) /bin/cat >{kept} ;;\nlookup) /bin/cat {kept} 2>/dev/null || exit 1 ;;\nesac\n",
        kept = kept.display()
    );
    fs::write(&tool, script).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let file = demo.path("alice");
    let run = |arguments: &[&str], path: &str| {
        let mut command = program(&demo.path(""));
        command.env("TACIT_WALLET", &file).env("PATH", path).args(arguments);
        ended(command.spawn().unwrap())
    };
    let path = bin.to_str().unwrap();
    assert_eq!(run(&["init", "--keyring"], path).code, Some(0));
    assert_eq!(fs::read(&kept).unwrap().len(), 64, "256 random bits");
    assert_eq!(run(&["balance"], path).code, Some(0), "nothing is typed");
    let absent = run(&["balance"], "/nonexistent");
    assert!(absent.code == Some(4) && absent.stderr.contains("libsecret-tools"), "{absent:?}");
    fs::remove_file(&kept).unwrap();
    let locked = run(&["balance"], path);
    assert!(locked.code == Some(4) && locked.stderr.contains("locked"), "{locked:?}");
}

/// Where nothing can be written, nothing is done: a test for those who are not root, whom no mode stops.
#[test]
fn a_wallet_that_cannot_be_written_says_so() {
    let demo = Demo::start();
    let wallet = Wallet { file: "/proc/tacit/wallet".into() };
    let done = wallet.run(&["init"]);
    assert!(done.code == Some(4) && done.stdout.is_empty(), "{done:?}");
    drop(demo);
}
