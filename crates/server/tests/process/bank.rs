//! The bank's files as an operator hands them over: by command and by folder, twice, in both messages, across a crash.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tacit_bank::reference::Reference;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_server::data_dir::{seed_of, vault_of};
use tacit_server::passphrase::Places;
use tacit_server::seed;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::identity::Identity;
use tacit_service::ledger::Account;
use tacit_service::vault::{Change, Outcome, VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};
use tempfile::tempdir;

use crate::support::process::{Done, Tacitd, free_address, run, tacitd, verify};

const STATEMENT: &str = include_str!("../../../bank/tests/fixtures/statement-08.xml");
const NOTIFICATION: &str = include_str!("../../../bank/tests/fixtures/notification-02.xml");

fn eur() -> Unit {
    Unit::new("eur").unwrap()
}

fn account() -> AccountId {
    AccountId::from_random([0x5a; 8])
}

/// A file with the account's reference in place of the fixture's.
fn for_account(text: &str) -> String {
    let own = Reference::of_body(&account().to_string()).unwrap().grouped();
    let (first, second) = own.split_at(9);
    let text = text
        .replace("rf59 0000</Ustrd><Ustrd>0000 0077", &format!("{first}</Ustrd><Ustrd>{second}"));
    let text = text.replace("rf59 0000 0000 0077", &own.to_lowercase());
    text.replace("RF59 0000 0000 0077", &own)
}

fn start(data: &Path, config: &Path) -> Tacitd {
    Tacitd::start_with(data, free_address(), &["--config", config.to_str().unwrap()])
}

fn import(data: &Path, file: &Path) -> Done {
    run(tacitd().args(["bank", "import", "--json"]).arg(data).arg(file))
}

fn imported(done: &Done) -> Value {
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    serde_json::from_str(&done.stdout).unwrap()
}

fn open_account(data: &Path) {
    let seed = seed::read(&seed_of(data)).unwrap().open(&Places::NOWHERE).unwrap();
    let mint = Identity::derive(&seed).public();
    let mut vault = SqliteVault::open(&vault_of(data), &mint).unwrap();
    let (kind, level, state) = (HolderKind::Customer, Level::default(), HolderState::Open);
    let holder = Holder { id: account(), kind, level, state, key: None };
    let opened = vault.commit(&[Change::OpenHolder(holder)], Timestamp::from_seconds(0)).unwrap();
    assert_eq!(opened, [Outcome::Applied(true)]);
}

/// What the account holds, and what is in suspense.
fn sums(data: &Path) -> (u64, i128) {
    let mut reader = SqliteReader::open(&vault_of(data)).unwrap();
    let owed = reader.purse(account(), eur()).unwrap().balance.owed().unwrap();
    let transfers = reader.statement(Account::Suspense(eur()), 0, 100).unwrap();
    let signed = transfers.iter().map(|transfer| {
        let amount = i128::from(transfer.amount);
        if transfer.credit == Account::Suspense(eur()) { amount } else { -amount }
    });
    (owed, signed.sum())
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_the_bank_books_is_credited_once() {
    let data = tempdir().unwrap();
    let folder = data.path().join("from-the-bank");
    fs::create_dir(&folder).unwrap();
    let config = data.path().join("tacit.toml");
    let text = format!(
        "[bank]\nfolder = {folder:?}\n\n[[unit]]\nunit = 'eur'\nbank_account = 'DE89 3704 0044 0532 0130 00'\n\
         limits_in = [[10000, 100000]]\n"
    );
    fs::write(&config, text).unwrap();
    start(data.path(), &config).terminate();
    open_account(data.path());
    let (statement, notification) = (data.path().join("053.xml"), data.path().join("054.xml"));
    fs::write(&statement, for_account(STATEMENT)).unwrap();
    fs::write(&notification, for_account(NOTIFICATION)).unwrap();

    let mint = start(data.path(), &config);
    let first = imported(&import(data.path(), &statement));
    // 60.50 euros are within the day's limit, 150 are not.
    assert_eq!(
        first,
        json!({"new": 4, "known": 0, "unclear": 0, "unbooked": 1, "inconsistent": 0, "settled": 1, "open": 4})
    );
    mint.kill();
    let books = verify(data.path());
    assert_eq!(books.code, Some(0), "{books:?}");
    // Opened behind the desk's back: as if an older desk had been put back.
    let ownerless = format!("0 of 1, nobody has {}", account());
    assert!(books.stdout.contains(&ownerless), "{books:?}");
    // 150 over the limit, 30 and 100 that nobody can place, less 100 that went for nothing known.
    assert_eq!(sums(data.path()), (6050, 15_000 + 3000 + 10_000 - 10_000));

    fs::write(&config, fs::read_to_string(&config).unwrap().replace("[[10000", "[[30000")).unwrap();
    let mint = start(data.path(), &config);
    let again = imported(&import(data.path(), &notification));
    assert_eq!((&again["new"], &again["known"]), (&json!(0), &json!(2)), "{again}");
    // The same by the folder, whole, and what is no statement at all.
    fs::copy(&statement, folder.join("a.xml")).unwrap();
    fs::write(folder.join("b.xml"), "<html/>").unwrap();
    fs::write(folder.join("c.part"), "<html/>").unwrap();
    wait_for(&folder.join("done/a.xml"));
    wait_for(&folder.join("refused/b.xml"));
    assert!(folder.join("c.part").exists());
    mint.terminate();
    assert_eq!(sums(data.path()), (21_050, 3000), "the limit was raised");
    assert_eq!(verify(data.path()).code, Some(0));
}

#[test]
fn files_that_are_none_of_ours_are_refused_in_words() {
    let data = tempdir().unwrap();
    let config = data.path().join("tacit.toml");
    fs::write(&config, "[[unit]]\nunit = 'eur'\nbank_account = 'DE89370400440532013000'\n")
        .unwrap();
    let mint = start(data.path(), &config);
    let refused = |text: &str, expected: &str| {
        let file = data.path().join("file.xml");
        fs::write(&file, text).unwrap();
        let done = import(data.path(), &file);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains(expected), "{expected}: {}", done.stderr);
    };
    let other = STATEMENT.replace("DE89370400440532013000", "DE02120300000000202051");
    refused(&other, "statement 1 of the file is of an account");
    refused("<html/>", "neither a camt.053 nor a camt.054");
    refused(&STATEMENT[..1000], "ends in the middle");
    refused(&STATEMENT.replace(">150.00<", ">150.001<"), "line 17: the amount cannot be read");
    refused("<?xml version='1.0'?><!DOCTYPE a><a/>", "a document type is not allowed");
    refused(&" ".repeat(33 * 1024 * 1024), "");
    // Nothing of all that was booked, and the mint still takes a right one.
    let foreign = STATEMENT.replace("\"EUR\"", "\"CHF\"");
    fs::write(data.path().join("chf.xml"), foreign).unwrap();
    let read = imported(&import(data.path(), &data.path().join("chf.xml")));
    assert_eq!((&read["new"], &read["unclear"], &read["open"]), (&json!(4), &json!(4), &json!(0)));
    mint.terminate();
    assert_eq!(sums(data.path()), (0, 0));
    assert_eq!(import(data.path(), &data.path().join("chf.xml")).code, Some(1), "nobody there");
}

fn order(data: &Path, arguments: &[&str]) -> Done {
    run(tacitd().args(["bank", "order"]).arg(data).args(arguments))
}

#[test]
fn a_payout_goes_out_once_and_comes_back_to_its_owner() {
    let data = tempdir().unwrap();
    let config = data.path().join("tacit.toml");
    let text = "[bank]\nname = 'Tacit'\n\n[[unit]]\nunit = 'eur'\nbank_account = 'DE89370400440532013000'\n\
                payout_alone_max = 10000\nlimits_out = [[20100, 100000]]\n";
    fs::write(&config, text).unwrap();
    start(data.path(), &config).terminate();
    open_account(data.path());
    let file = data.path().join("file.xml");
    fs::write(&file, for_account(NOTIFICATION)).unwrap();
    let mint = start(data.path(), &config);
    imported(&import(data.path(), &file));
    assert_eq!(sums(data.path()).0, 21_050);
    let pay_out = |amount: &str, iban: &str| {
        let account = account().to_string();
        let to = ["--account", &account, "--name", "Anna Äpfel", "--iban", iban, "--unit", "eur"];
        run(tacitd().args(["bank", "payout"]).arg(data.path()).args(to).args(["--amount", amount]))
    };
    let iban = "FR1420041010050500013M02606";
    let first = pay_out("10000", iban);
    assert_eq!(first.code, Some(0), "{first:?}");
    for (amount, iban, expected) in [
        ("1000", "FR1420041010050500013M02607", "no IBAN"),
        ("0", iban, "cannot be written"),
        ("10101", iban, "more than may go out"),
        ("99999", iban, "more than may go out"),
    ] {
        let refused = pay_out(amount, iban);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
        assert!(refused.stderr.contains(expected), "{expected}: {}", refused.stderr);
    }
    assert_eq!(pay_out("10001", iban).code, Some(0));
    assert_eq!(sums(data.path()).0, 21_050 - 20_001);

    let made = order(data.path(), &["--unit", "eur", "--in-days", "1"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let (message_id, said) = made.stderr.split_once(": ").unwrap();
    assert_eq!(said, "1 payouts, 1 wait\n", "the other needs two people");
    let end_to_end = format!("TP{}", first.stdout.trim().to_uppercase());
    for part in [message_id, &end_to_end, ">100.00<", "<Nm>Anna Apfel</Nm>", iban] {
        assert!(made.stdout.contains(part), "{part}: {}", made.stdout);
    }
    mint.kill();
    let mint = start(data.path(), &config);
    assert_eq!(order(data.path(), &["--again", message_id]).stdout, made.stdout);
    let nothing = order(data.path(), &["--unit", "eur"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(1), ""), "{nothing:?}");
    assert!(nothing.stderr.contains("1 wait"), "{nothing:?}");
    assert_eq!(order(data.path(), &["--again", "TO00"]).code, Some(1));

    // The bank carries it out, and it comes back.
    fs::write(&file, for_account(STATEMENT).replace("PO-1", &end_to_end)).unwrap();
    imported(&import(data.path(), &file));
    imported(&import(data.path(), &file));
    mint.terminate();
    assert_eq!(sums(data.path()), (21_050 - 10_001, 3000));
    assert_eq!(verify(data.path()).code, Some(0));
}

#[test]
fn reconcile_says_by_its_exit_code_whether_bank_and_books_agree() {
    let data = tempdir().unwrap();
    let config = data.path().join("tacit.toml");
    let reconcile =
        |arguments: &[&str]| run(tacitd().arg("reconcile").arg(data.path()).args(arguments));
    fs::write(&config, "[[unit]]\nunit = 'eur'\nbank_account = 'DE89370400440532013000'\n")
        .unwrap();
    let mint = start(data.path(), &config);
    let nothing = reconcile(&[]);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert!(nothing.stdout.contains("the bank has told no balance"), "{nothing:?}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let today = Timestamp::from_seconds(now.as_secs()).day().to_string();
    let file = data.path().join("053.xml");
    fs::write(&file, STATEMENT.replace("2026-11-22", &today)).unwrap();
    imported(&import(data.path(), &file));
    let differs = reconcile(&["--json"]);
    assert_eq!(differs.code, Some(1), "{differs:?}");
    let told: Value = serde_json::from_str(&differs.stdout).unwrap();
    let day = &told["units"][0]["days"][0];
    assert_eq!((&day["verdict"], &day["difference"]), (&json!("differs"), &json!(100_000)));
    let text = reconcile(&[]);
    assert!(text.stdout.contains("differs") && text.stdout.contains("to be looked at"), "{text:?}");
    mint.terminate();
    assert_eq!(reconcile(&[]).code, Some(2), "nobody there");
}
