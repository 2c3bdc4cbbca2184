//! Which files are opened, by whom, and what happens to a vault that cannot go on.

use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_service::conformance::rig;
use tacit_service::identity::Identity;
use tacit_service::vault::{Change, StoreError, VaultReader};
use tacit_store::sqlite::{OpenError, SqliteReader, SqliteVault};

use crate::bed::{OnDisk, rig_on_disk};

fn open(path: &Path) -> Result<(), OpenError> {
    SqliteVault::open(path, &rig::identity()).map(drop)
}

#[test]
fn two_writers_cannot_open_one_vault() {
    let mut bed = OnDisk::new();
    assert!(matches!(open(&bed.path()), Err(OpenError::InUse)));
    SqliteReader::open(&bed.path()).expect("readers may");
    let path = bed.close();
    open(&path).expect("the next one, when the first is gone");
}

#[test]
fn a_vault_belongs_to_one_mint() {
    let mut bed = OnDisk::new();
    let path = bed.close();
    assert_eq!(SqliteReader::open(&path).unwrap().mint().unwrap(), rig::identity());
    let other = Identity::derive(&Secret::new([9; 32])).public();
    assert!(matches!(SqliteVault::open(&path, &other), Err(OpenError::OtherMint)));
}

#[test]
fn other_files_are_no_vaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    assert!(matches!(SqliteReader::open(&path), Err(OpenError::Sqlite(_))), "a reader makes none");
    std::fs::write(&path, "a text of some length, and no database at all").unwrap();
    assert!(matches!(open(&path), Err(OpenError::NotAVault)), "a text");
    let path = folder.path().join("y");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (c)").unwrap();
    assert!(matches!(open(&path), Err(OpenError::NotAVault)), "another program's database");
    assert!(matches!(SqliteReader::open(&path), Err(OpenError::NotAVault)));
}

#[test]
fn a_vault_of_a_later_version_is_left_alone() {
    let mut bed = OnDisk::new();
    let path = bed.close();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(open(&path), Err(OpenError::TooNew { found: 99, .. })));
    assert!(matches!(SqliteReader::open(&path), Err(OpenError::TooNew { found: 99, .. })));
}

/// Changing one would leave two kinds of vault under one version: what changes is a new migration.
#[test]
fn migrations_that_have_shipped_are_not_edited() {
    let shipped = [
        (
            include_str!("../../migrations/0001_vault.sql"),
            "410f049db0308363401547df1b7f883b69dc508dc8d7e4650b44f065d10c068b",
        ),
        (
            include_str!("../../migrations/0002_lineage.sql"),
            "78bb481d33f3f7573c76e4f3d279fe2e18626254cfce7556424348d776c2640f",
        ),
    ];
    for (text, digest) in shipped {
        assert_eq!(hex::encode(&Sha256::digest(text)), digest);
    }
}

#[test]
fn a_locked_database_is_busy_and_nothing_is_written() {
    let (mut rig, path) = rig_on_disk();
    let quote = rig.new_mint_quote(4);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let now = rig.now;
    let open = || [Change::OpenMintQuote(quote.clone())];
    let refused = rig.bed().store().commit(&open(), now);
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(rig.mint_quote(quote.id), None);
    rig.commit(&open());
    assert_eq!(rig.mint_quote(quote.id), Some(quote));
}

#[test]
fn a_vault_that_contradicts_itself_writes_no_more() {
    let (mut rig, path) = rig_on_disk();
    let coins = rig.issue(&[4]);
    let quote = rig.melt_quote_for(4, 0);
    let started = rig.start_melt(&quote, &coins, &[]).unwrap();
    let damage = "INSERT INTO spent SELECT 0, y, keyset, exponent FROM held";
    Connection::open(&path).unwrap().execute_batch(damage).unwrap();
    let end = || {
        let end = tacit_service::melt::MeltEnd::Paid { fee: 0, evidence: None };
        [Change::FinishMelt { quote: quote.id, attempt: started.attempt, end }]
    };
    let now = rig.now;
    for _ in 0..2 {
        let refused = rig.bed().store().commit(&end(), now);
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    }
    let refused = rig.bed().store().commit(&[Change::Tick], now);
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "nothing at all is written");
    let books = rig.bed().reader().books().unwrap();
    let orphans: Vec<_> = books.orphans.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(orphans, [&("proof both held and spent", 1)], "and the audit finds it");
}

/// Each of these is a row no commit can have written: the audit says so, or that it cannot be read.
#[test]
fn the_audit_finds_what_was_tampered_with() {
    let tampered = [
        "DELETE FROM spent",
        "DELETE FROM signed WHERE exponent = 3",
        "UPDATE signed SET exponent = 4 WHERE exponent = 3",
        "UPDATE spent SET keyset = 7",
        "INSERT INTO spent_archive SELECT * FROM spent",
        "UPDATE account SET credits = credits + 1 WHERE name = 'unissued/usd'",
        "UPDATE transfer SET amount = amount + 1",
        "DELETE FROM transfer WHERE kind = 'received'",
        "UPDATE day_flow SET fee = 1",
        "DELETE FROM held",
        "UPDATE held SET exponent = 0",
        "DELETE FROM promised",
        "UPDATE mint_quote SET state = 1, outputs_digest = NULL WHERE state = 2",
        "INSERT INTO preimage SELECT y, keyset, y FROM held",
    ];
    for change in tampered {
        let (mut rig, path) = rig_on_disk();
        let coins = rig.issue(&[4, 8, 16]);
        let drafts = rig.drafts(&[4]);
        rig.swap(&coins[..1], &drafts).unwrap();
        let (quote, blanks) = (rig.melt_quote_for(8, 0), rig.drafts(&[1]));
        rig.start_melt(&quote, &coins[1..2], &blanks).unwrap();
        let raw = Connection::open(&path).unwrap();
        assert!(raw.execute(change, []).unwrap() > 0, "{change}: changes nothing");
        let mut reader = SqliteReader::open(&path).unwrap();
        let found = match reader.books() {
            Ok(books) => tacit_service::audit::check(&books, &rig::identity())
                .iter()
                .any(|check| !check.holds),
            Err(StoreError::Corrupt(_)) => true,
            Err(error) => panic!("{error}"),
        };
        assert!(found, "{change}");
    }
}
