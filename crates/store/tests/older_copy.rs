//! An older copy of the vault in the vault's place is not opened.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use secp256k1::PublicKey;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_service::identity::Identity;
use tacit_service::vault::{Change, VaultStore};
use tacit_store::sqlite::backup::{self, CopyError, Standing};
use tacit_store::sqlite::mark::{self, Marked};
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
}

#[test]
fn a_copy_without_a_mark_is_not_taken_for_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    drop(commit(&path, 0, 5));
    fs::remove_file(folder.path().join("vault.sqlite.mark")).unwrap();
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::NoMark)));
    mark::vouch(&path, &Standing::read(&path).unwrap()).unwrap();
    drop(commit(&path, 5, 1));
}

#[test]
fn a_mark_that_cannot_be_read_is_an_error_and_not_a_zero() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    drop(commit(&path, 0, 1));
    fs::write(folder.path().join("vault.sqlite.mark"), "rubbish").unwrap();
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::File(_))));
}

/// Both count their commits alike, so that counting does not tell them apart.
#[test]
fn a_copy_that_went_on_by_itself_is_not_taken_for_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("vault.sqlite"), folder.path().join("other.sqlite"));
    drop(commit(&path, 0, 3));
    fs::copy(&path, &other).unwrap();
    mark::vouch(&other, &Standing::read(&other).unwrap()).unwrap();
    let mut restored = commit(&path, 3, 1);
    restored.begin_lineage().unwrap();
    drop(restored);
    drop(commit(&other, 3, 9));
    fs::copy(&other, &path).unwrap();
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::OtherLineage)));
}

#[test]
fn a_vault_that_moved_is_not_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    commit(&path, 0, 1).mark_moved().unwrap();
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::Moved)));
    let target = folder.path().join("copy");
    let copied = backup::copy(&path, &target, |_, _| {});
    assert!(matches!(copied, Err(CopyError::Source(OpenError::Moved))), "nor backed up");
}

#[test]
fn a_backup_of_before_a_move_is_not_current_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("vault.sqlite"), folder.path().join("copy"));
    drop(commit(&path, 0, 3));
    backup::copy(&path, &copy, |_, _| {}).unwrap();
    assert!(is_current(&copy, &path));
    SqliteVault::open_to_move(&path, &mint()).unwrap().mark_moved().unwrap();
    assert!(!is_current(&copy, &path));
    fs::copy(&copy, &path).unwrap();
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::OtherLineage)));
}

#[test]
fn a_vault_that_is_being_moved_waits_until_that_ends_or_is_called_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    drop(commit(&path, 0, 1));
    drop(SqliteVault::open_to_move(&path, &mint()).unwrap()); // Cut off.
    assert!(matches!(SqliteVault::open(&path, &mint()), Err(OpenError::Moving)));
    assert!(marked(&path).is_closed, "what is refused is not marked as open");
    SqliteVault::open_to_move(&path, &mint()).unwrap().call_move_off().unwrap();
    drop(commit(&path, 1, 1));
}

fn marked(vault: &Path) -> Marked {
    Marked::read(&mark::beside(vault)).unwrap().unwrap()
}

fn is_current(copy: &Path, vault: &Path) -> bool {
    Standing::read(copy).unwrap().is_current(&marked(vault))
}

#[test]
fn only_a_vault_that_was_closed_proves_its_copy_current() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    let copy = |name: &str| {
        let target = folder.path().join(name);
        backup::copy(&path, &target, |_, _| {}).unwrap();
        target
    };
    let vault = commit(&path, 0, 3);
    let running = copy("running");
    assert!(!is_current(&running, &path), "it may have answered since");
    drop(vault);
    assert!(is_current(&running, &path), "as it turns out, it had not");
    let closed = copy("closed");
    assert!(is_current(&closed, &path));
    std::mem::forget(commit(&path, 3, 1)); // Killed.
    assert!(!is_current(&closed, &path));
    mark::vouch(&closed, &Standing::read(&closed).unwrap()).unwrap();
    drop(commit(&closed, 9, 1));
    assert!(!is_current(&closed, &path), "it went on by itself");
}

/// Copied again and again beside a writer: each copy is whole, and of one moment.
#[test]
fn a_copy_taken_while_the_writer_writes_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    let mut vault = commit(&path, 0, 2);
    for copies in 0_u64..5 {
        let target = folder.path().join(format!("copy-{copies}"));
        let (mut reports, before) = (0, Standing::read(&path).unwrap());
        let copied = backup::copy(&path, &target, |done, all| {
            assert!(done <= all);
            reports += 1;
            let now = Timestamp::from_seconds(1_800_000_100 + copies);
            vault.commit(&[Change::Tick], now).unwrap();
        });
        assert_eq!(copied.unwrap(), before, "what is written meanwhile is not in it");
        assert_eq!(Standing::read(&target).unwrap(), before);
        assert_eq!(backup::first_damage(&target).unwrap(), None);
        assert!(reports > 0);
        assert_eq!(Standing::read(&path).unwrap().commits, before.commits + reports);
    }
    let there = folder.path().join("copy-0");
    assert!(matches!(backup::copy(&path, &there, |_, _| {}), Err(CopyError::Target(_))));
}

#[test]
fn a_damaged_page_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    drop(commit(&path, 0, 2));
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 2048 * 3;
    bytes[at..at + 64].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert!(!matches!(backup::first_damage(&path), Ok(None)));
}
