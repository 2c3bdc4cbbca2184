//! What the file shows to whoever takes it, and what it does not.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_ecash::keyset::KeysetSpec;
use tacit_service::conformance::rig::{Rig, y_of};
use tacit_service::identity::Identity;
use tacit_service::melt::MeltEnd;
use tacit_service::mint::InputError;
use tacit_service::vault::{Change, Outcome, ProofState};

use crate::bed::rig_on_disk;

fn log_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}

/// Whether the database or its log holds these bytes anywhere.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let found = |file: &Path| {
        fs::read(file).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes)
    };
    found(path) || found(&log_of(path))
}

fn count(path: &Path, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// DESIGN: with row ids, 1,000 of 1,000 swaps could be joined input to output.
#[test]
fn swap_tables_have_no_row_ids_times_or_requests() {
    let (_rig, path) = rig_on_disk();
    let raw = Connection::open(&path).unwrap();
    for table in ["spent", "spent_archive", "signed", "preimage", "held", "promised"] {
        let error = raw.prepare(&format!("SELECT rowid FROM {table}")).unwrap_err();
        assert!(error.to_string().contains("no such column: rowid"), "{table}: {error}");
    }
    let columns = |table| -> Vec<String> {
        let mut statement = raw.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
        statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(columns("spent"), ["era", "y", "keyset", "exponent"]);
    assert_eq!(columns("signed"), ["era", "b_", "keyset", "exponent"]);
}

#[test]
fn a_tick_empties_the_log() {
    let (mut rig, path) = rig_on_disk();
    let coins = rig.issue(&[4]);
    let drafts = rig.drafts(&[4]);
    rig.swap(&coins, &drafts).unwrap();
    assert!(fs::metadata(log_of(&path)).unwrap().len() > 0);
    rig.commit_one(Change::Tick);
    assert_eq!(fs::metadata(log_of(&path)).unwrap().len(), 0);
    assert!(holds(&path, y_of(&coins[0]).x()));
}

/// A proof that a failed payment held for a while, and a quote nobody paid, leave nothing behind.
#[test]
fn what_is_released_or_dropped_is_gone_from_the_file() {
    let (mut rig, path) = rig_on_disk();
    let coins = rig.issue(&[8]);
    let quote = rig.melt_quote_for(8, 0);
    let unpaid = rig.new_mint_quote(4);
    rig.commit_one(Change::OpenMintQuote(unpaid.clone()));
    let started = rig.start_melt(&quote, &coins, &[]).unwrap();
    rig.commit_one(Change::Tick);
    let y = y_of(&coins[0]);
    assert!(holds(&path, y.x()) && holds(&path, unpaid.id.as_bytes()));
    rig.finish_melt(&started, MeltEnd::Failed).unwrap();
    rig.now = Timestamp::from_seconds(rig.now.seconds() + 40 * Day::SECONDS);
    rig.commit_one(Change::Tick);
    assert!(!holds(&path, y.x()), "the proof's name");
    assert!(!holds(&path, unpaid.id.as_bytes()) && !holds(&path, unpaid.request.as_bytes()));
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_rig, path) = rig_on_disk();
    for file in [path.clone(), log_of(&path)] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{file:?}");
    }
}

/// Spent proofs of a sealed keyset move to the archive, a bounded number at a tick, and stay spent there.
#[test]
fn sealed_proofs_move_to_the_archive_and_stay_spent() {
    let (mut rig, path) = rig_on_disk();
    let end = Timestamp::from_seconds(rig.now.seconds() + 10 * Day::SECONDS);
    let last = rig.mint.keysets()[0].record().spec;
    let id = rig.add_keyset(KeysetSpec { index: 1, final_expiry: Some(end), ..last });
    let secret = "a secret used twice".to_owned();
    let drafts = [rig.draft_of(secret.clone(), 4, id), rig.drafts(&[8]).remove(0)];
    let coins = rig.issue_on(&drafts);
    let drafts = rig.drafts(&[4]);
    let signed = rig.swap(&coins[..1], &drafts);
    rig.now = end;
    rig.commit_one(Change::Tick);
    rig.commit_one(Change::Tick);
    assert_eq!((count(&path, "spent"), count(&path, "spent_archive")), (1, 0), "closed only");
    seal(&mut rig);
    rig.commit_one(Change::Tick);
    assert_eq!((count(&path, "spent"), count(&path, "spent_archive")), (0, 1));

    let spent = ProofState::Spent(None);
    assert_eq!(rig.states(&coins), [spent, ProofState::Unspent]);
    assert_eq!(rig.swap(&coins[..1], &drafts), signed, "a repetition is answered");
    let new = rig.add_keyset(KeysetSpec { index: 2, ..last });
    let again = [rig.draft_of(secret, 4, new)];
    let coins = rig.issue_on(&again);
    let drafts = rig.drafts(&[4]);
    let refused = rig.swap(&coins, &drafts);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()), "by a new keyset, too");
    let quote = rig.melt_quote_for(4, 0);
    let refused = rig.start_melt(&quote, &coins, &[]);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()), "or paid out");
}

fn seal(rig: &mut Rig) {
    let identity = Identity::derive(&Secret::new([7; 32]));
    let sealable = rig.bed().reader().sealable_keysets().unwrap();
    for (keyset, balance) in sealable {
        let totals = identity.seal(keyset.id, balance);
        assert_eq!(rig.commit_one(Change::Seal(totals)), Outcome::Applied(true));
    }
}

/// More proofs than one tick moves, of which some belong to a keyset that lives on.
#[test]
fn the_archive_is_filled_in_steps() {
    let (mut rig, path) = rig_on_disk();
    let end = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
    let last = rig.mint.keysets()[0].record().spec;
    rig.add_keyset(KeysetSpec { index: 1, final_expiry: Some(end), ..last });
    rig.now = end;
    rig.commit_one(Change::Tick);
    seal(&mut rig);
    // 25,000 proofs straight into the table: minting them would take a minute.
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
         INSERT INTO spent SELECT 0, randomblob(32), CASE WHEN i % 5 = 0 THEN 1 ELSE 2 END, 0 FROM n",
    )
    .unwrap();
    let (now, mut steps) = (rig.now, Vec::new());
    rig.restart(); // A restart begins the pass again.
    for _ in 0..4 {
        rig.bed().store().commit(&[Change::Tick], now).unwrap();
        steps.push((count(&path, "spent"), count(&path, "spent_archive")));
    }
    assert!(0 < steps[0].1 && steps[0].1 <= 10_000, "{steps:?}");
    assert_eq!(steps.last(), Some(&(5_000, 20_000)), "{steps:?}");
}
