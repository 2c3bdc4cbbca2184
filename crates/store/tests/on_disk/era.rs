//! Eras: what was spent and signed on past days lies apart, and is neither forgotten nor given twice.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tacit_core::time::{Day, Timestamp};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::proof::Proof;
use tacit_service::conformance::rig::{Rig, identity, messages};
use tacit_service::melt::MeltError;
use tacit_service::mint::{InputError, OutputError};
use tacit_service::vault::{Change, ProofState};
use tacit_store::sqlite::backup::Standing;
use tacit_store::sqlite::{OpenError, SqliteVault, mark};

use crate::bed::{OnDisk, rig_on_disk};

/// A rig whose days are eras, and the path of its file.
fn rig_of_eras() -> (Rig, std::path::PathBuf) {
    let bed = OnDisk::with_era_rows(1);
    let path = bed.path();
    (Rig::new(Box::new(bed)), path)
}

fn next_day(rig: &mut Rig) {
    rig.now = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
    rig.commit_one(Change::Tick);
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until the vault keeps the filters of all eras that are closed: they are made beside it.
fn await_filters(rig: &mut Rig, path: &Path) {
    let (sql, begun) = ("SELECT count(*) FROM era WHERE spent_filter IS NULL", Instant::now());
    while number(path, sql) > 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no filter was kept");
        std::thread::sleep(Duration::from_millis(5));
        rig.commit_one(Change::Tick);
    }
}

/// What a swap of an era that is past has left in a wallet.
struct Past {
    coins: Vec<Proof>,
    drafts: Vec<Blinding>,
}

/// Demands that what was spent stays spent, what was signed is not signed again, and the same request gets the same
/// answer.
fn assert_remembered(rig: &mut Rig, past: &Past) {
    let spent = ProofState::Spent(None);
    assert_eq!(rig.states(&past.coins), vec![spent; past.coins.len()]);
    let again = rig.swap(&past.coins, &past.drafts).expect("the same swap again");
    assert_eq!(rig.unblind(&past.drafts, &again).len(), past.drafts.len());
    let others = rig.drafts(&[4, 8]);
    let refused = rig.swap(&past.coins, &others);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()));
    let quote = rig.melt_quote_for(4, 0);
    let refused = rig.start_melt(&quote, &past.coins[..1], &[]);
    assert_eq!(refused, Err(MeltError::Input(InputError::AlreadySpent { index: 0 })));
    let fresh = rig.issue(&[4, 8]);
    let refused = rig.swap(&fresh, &past.drafts);
    assert_eq!(refused, Err(OutputError::AlreadySigned { index: 0 }.into()));
    let outputs: Vec<_> = messages(&past.drafts).iter().map(|message| message.blinded).collect();
    let restored = rig.bed().reader().signed(&outputs).unwrap();
    assert!(restored.iter().all(Option::is_some), "{restored:?}");
    rig.audit();
}

#[test]
fn what_closed_eras_hold_is_remembered() {
    let (mut rig, path) = rig_of_eras();
    let mut pasts = Vec::new();
    for day in 0..3 {
        let coins = rig.issue(&[4, 8]);
        let drafts = rig.drafts(&[4, 8]);
        rig.swap(&coins, &drafts).unwrap();
        pasts.push(Past { coins, drafts });
        next_day(&mut rig);
        assert_eq!(number(&path, "SELECT max(number) FROM era"), day + 1, "each day closed one");
    }
    // Whether or not the filters are made by now.
    pasts.iter().for_each(|past| assert_remembered(&mut rig, past));
    await_filters(&mut rig, &path);
    pasts.iter().for_each(|past| assert_remembered(&mut rig, past));
    rig.restart();
    pasts.iter().for_each(|past| assert_remembered(&mut rig, past));
}

/// Fails if a filter is believed that lacks a key.
#[test]
fn damaged_filters_are_made_anew() {
    let (mut rig, path) = rig_of_eras();
    let coins = rig.issue(&[4, 8]);
    let drafts = rig.drafts(&[4, 8]);
    rig.swap(&coins, &drafts).unwrap();
    let past = Past { coins, drafts };
    next_day(&mut rig);
    await_filters(&mut rig, &path);
    let kept =
        "SELECT count(*) FROM era WHERE length(spent_filter) > 8 AND length(signed_filter) > 8";
    for damage in ["zeroblob(length(spent_filter))", "x''", "substr(signed_filter, 1, 40)", "NULL"]
    {
        let sql = format!(
            "UPDATE era SET spent_filter = {damage}, signed_filter = {damage} WHERE number = 0"
        );
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        rig.restart();
        assert_remembered(&mut rig, &past);
        let begun = Instant::now();
        let damaged =
            format!("SELECT count(*) FROM era WHERE number = 0 AND spent_filter IS {damage}");
        while number(&path, &damaged) > 0 || number(&path, kept) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{damage}: not made anew");
            std::thread::sleep(Duration::from_millis(5));
            rig.commit_one(Change::Tick);
        }
        assert_remembered(&mut rig, &past);
    }
}

#[test]
fn an_era_ends_with_a_day_that_finds_it_large_and_never_before() {
    let bed = OnDisk::with_era_rows(5);
    let path = bed.path();
    let mut rig = Rig::new(Box::new(bed));
    let eras = |path: &Path| number(path, "SELECT count(*) FROM era");
    rig.issue(&[1, 1, 1, 1]);
    next_day(&mut rig);
    assert_eq!(eras(&path), 1, "four outputs are few");
    rig.issue(&[1, 1, 1, 1]);
    assert_eq!(eras(&path), 1, "eight are many, but the day goes on");
    next_day(&mut rig);
    assert_eq!(eras(&path), 2);
    rig.issue(&[1]);
    assert_eq!(number(&path, "SELECT count(*) FROM signed WHERE era = 1"), 1);
    assert_eq!(number(&path, "SELECT count(*) FROM signed WHERE era = 0"), 8);
}

/// A proof that is spent in two eras was spent twice, though no table's key is.
#[test]
fn the_audit_finds_what_stands_in_two_eras() {
    for (what, table, key) in
        [("proof spent twice over", "spent", "y"), ("output signed twice over", "signed", "b_")]
    {
        let (mut rig, path) = rig_of_eras();
        let coins = rig.issue(&[4]);
        let drafts = rig.drafts(&[4]);
        rig.swap(&coins, &drafts).unwrap();
        next_day(&mut rig);
        let sql = format!(
            "INSERT INTO {table} SELECT 1, {key}, keyset, exponent FROM {table} WHERE era = 0 LIMIT 1"
        );
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        assert_eq!(orphans(&mut rig), [(what, 1)]);
    }
}

fn orphans(rig: &mut Rig) -> Vec<(&'static str, u64)> {
    let books = rig.bed().reader().books().unwrap();
    books.orphans.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Such keys would be spent again, such rows never be asked about: neither can come about but by damage.
#[test]
fn the_audit_finds_what_would_not_be_found() {
    let (mut rig, path) = rig_of_eras();
    let coins = rig.issue(&[4]);
    let drafts = rig.drafts(&[4]);
    rig.swap(&coins, &drafts).unwrap();
    next_day(&mut rig);
    await_filters(&mut rig, &path);
    assert_eq!(orphans(&mut rig), []);
    let raw = Connection::open(&path).unwrap();
    let unseen = "INSERT INTO spent SELECT 0, randomblob(32), keyset, exponent FROM spent";
    raw.execute_batch(unseen).unwrap();
    assert_eq!(orphans(&mut rig), [("key that its era's filter denies", 1)]);
    raw.execute_batch("UPDATE spent SET era = 7").unwrap();
    assert_eq!(orphans(&mut rig), [("table with a row of no era", 1)]);
    let copy = tempfile::tempdir().unwrap();
    let copied = copy.path().join("vault.sqlite");
    raw.execute("VACUUM INTO ?1", [copied.to_str().unwrap()]).unwrap();
    mark::vouch(&copied, &Standing::read(&copied).unwrap()).unwrap();
    let refused = SqliteVault::open(&copied, &identity()).map(drop);
    assert!(matches!(refused, Err(OpenError::Corrupt(_))), "{refused:?}");
}

/// Filters made since the last tick are kept when the vault is closed.
#[test]
fn a_vault_that_is_closed_keeps_its_filters() {
    let (mut rig, path) = rig_of_eras();
    rig.issue(&[4, 8]);
    next_day(&mut rig);
    let begun = Instant::now();
    while number(&path, "SELECT count(*) FROM era WHERE spent_filter IS NULL") > 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no filter was kept");
        std::thread::sleep(Duration::from_millis(20)); // A restart ends the making.
        rig.restart();
    }
}

#[test]
fn an_ordinary_vault_has_one_era_for_a_long_time() {
    let (mut rig, path) = rig_on_disk();
    for _ in 0..3 {
        rig.issue(&[1, 2, 4]);
        next_day(&mut rig);
    }
    assert_eq!(number(&path, "SELECT count(*) FROM era"), 1);
}

/// Fails if the commit that closes an era asks only the one it opens.
#[test]
fn the_commit_that_closes_an_era_knows_what_it_holds() {
    for is_repeated in [true, false] {
        let (mut rig, path) = rig_of_eras();
        let coins = rig.issue(&[4, 8]);
        let drafts = rig.drafts(&[4, 8]);
        rig.swap(&coins, &drafts).unwrap();
        rig.now = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
        if is_repeated {
            rig.swap(&coins, &drafts).expect("the same swap again");
        } else {
            let others = rig.drafts(&[4, 8]);
            let refused = rig.swap(&coins, &others);
            assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()));
        }
        assert_eq!(number(&path, "SELECT max(number) FROM era"), 1, "it closed one");
    }
}
