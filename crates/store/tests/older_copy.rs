//! An older copy of the vault in the vault's place is not opened.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use secp256k1::PublicKey;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_service::identity::Identity;
use tacit_service::vault::{Change, VaultStore};
use tacit_store::sqlite::{OpenError, SqliteVault};

fn mint() -> PublicKey {
    Identity::derive(&Secret::new([4; 32])).public()
}

/// Opens the vault and commits `times`, a second apart from `from` on.
fn commit(path: &Path, from: u64, times: u64) -> SqliteVault {
    let mut vault = SqliteVault::open(path, &mint()).unwrap();
    for second in from..from + times {
        vault.commit(&[Change::Tick], Timestamp::from_seconds(1_800_000_000 + second)).unwrap();
    }
    vault
}

/// Argued in our own list of incidents: a restored copy forgets what was spent since, and un-spends it.
#[test]
fn restored_backup_cannot_unspend() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("vault.sqlite"), folder.path().join("backup"));
    drop(commit(&path, 0, 3));
    fs::copy(&path, &backup).unwrap();
    drop(commit(&path, 3, 2));
    fs::copy(&backup, &path).unwrap();
    match SqliteVault::open(&path, &mint()) {
        Err(OpenError::OlderCopy { found: 3, known: 5 }) => {}
        other => panic!("an older copy was opened: {:?}", other.err()),
    }
}

#[test]
fn a_copy_taken_while_the_mint_runs_is_found_out_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("vault.sqlite"), folder.path().join("backup"));
    let mut vault = commit(&path, 0, 2); // Each tick empties the log, so the file has them.
    fs::copy(&path, &backup).unwrap();
    vault.commit(&[Change::Tick], Timestamp::from_seconds(1_800_000_009)).unwrap();
    std::mem::forget(vault); // Killed: nothing is tidied up.
    let stolen = tempfile::tempdir().unwrap();
    let restored = stolen.path().join("vault.sqlite");
    fs::copy(&backup, &restored).unwrap();
    fs::copy(folder.path().join("vault.sqlite.mark"), stolen.path().join("vault.sqlite.mark"))
        .unwrap();
    assert!(matches!(SqliteVault::open(&restored, &mint()), Err(OpenError::OlderCopy { .. })));
}

#[test]
fn a_mark_left_behind_by_a_crash_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    drop(commit(&path, 0, 5));
    fs::write(folder.path().join("vault.sqlite.mark"), "2\n").unwrap();
    drop(commit(&path, 5, 1));
    fs::remove_file(folder.path().join("vault.sqlite.mark")).unwrap();
    drop(commit(&path, 6, 1));
}

#[test]
fn a_mark_that_cannot_be_read_is_an_error_and_not_a_zero() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    drop(commit(&path, 0, 1));
    fs::write(folder.path().join("vault.sqlite.mark"), "rubbish").unwrap();
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::File(_))));
}
