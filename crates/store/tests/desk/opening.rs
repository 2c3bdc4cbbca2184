//! Opening a desk: whose it is, who else has it, and whether it is one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use secp256k1::PublicKey;
use tacit_core::secret::Secret;
use tacit_service::desk::trail::TrailStore;
use tacit_service::identity::Identity;
use tacit_store::desk::OpenError;
use tacit_store::desk::sqlite::SqliteDesk;

/// The mint that desks of these tests belong to.
pub(crate) fn mint() -> PublicKey {
    Identity::derive(&Secret::new([1; 32])).public()
}

pub(crate) fn desk(path: &Path) -> SqliteDesk {
    SqliteDesk::open(path, &mint()).unwrap()
}

#[test]
fn a_desk_is_its_owners_alone_and_one_process_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.sqlite");
    let mut first = desk(&path);
    assert!(matches!(SqliteDesk::open(&path, &mint()), Err(OpenError::InUse)));
    for name in ["desk.sqlite", "desk.sqlite-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mut looker = SqliteDesk::look(&path, &mint()).unwrap();
    assert_eq!(looker.trail_head().unwrap(), first.trail_head().unwrap());
    drop(first);
    drop(desk(&path));
}

#[test]
fn a_desk_of_another_mint_or_program_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.sqlite");
    drop(desk(&path));
    let other = Identity::derive(&Secret::new([2; 32])).public();
    assert!(matches!(SqliteDesk::open(&path, &other), Err(OpenError::OtherMint)));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = SqliteDesk::open(&path, &mint());
    assert!(matches!(refused, Err(OpenError::TooNew { found: 99, .. })));
    for (name, make) in [("vault", "PRAGMA application_id = 1"), ("own", "CREATE TABLE mine (x)")] {
        let path = folder.path().join(name);
        Connection::open(&path).unwrap().execute_batch(make).unwrap();
        assert!(matches!(SqliteDesk::open(&path, &mint()), Err(OpenError::NotADesk)), "{name}");
    }
    let path = folder.path().join("text");
    std::fs::write(&path, "no database at all, but long enough to be looked at as one".repeat(40))
        .unwrap();
    assert!(matches!(SqliteDesk::open(&path, &mint()), Err(OpenError::NotADesk)));
    assert!(SqliteDesk::look(&folder.path().join("nowhere"), &mint()).is_err());
    assert!(!folder.path().join("nowhere").exists());
}
