//! Backups that earlier versions made are brought up to date where they are restored to.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_server::data_dir::DataDir;
use tacit_server::restore::{Doubt, Restore, RestoreError};
use tacit_service::conformance::rig;
use tacit_service::keyset::KeysetState;
use tacit_service::vault::VaultReader;
use tacit_store::sqlite::{OpenError, SqliteReader, SqliteVault};
use tempfile::{TempDir, tempdir};

/// The vault that was kept of a schema.
fn kept(schema: u32) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/fixtures");
    fixtures.join(format!("vault-{schema}.sqlite"))
}

/// Schemas of versions that could make a backup.
fn schemas() -> Vec<u32> {
    let all: Vec<u32> = (2..).take_while(|schema| kept(*schema).exists()).collect();
    assert!(2 <= all.len(), "earlier ones, and that of today: {all:?}");
    all
}

struct Bed {
    folder: TempDir,
    /// What the mark beside the lost vault says if nothing came after the backup.
    mark: String,
}

impl Bed {
    /// A backup of the vault that was kept of this schema.
    fn of(schema: u32) -> Self {
        let folder = tempdir().unwrap();
        let backup = folder.path().join("backup");
        fs::create_dir(&backup).unwrap();
        let copy = backup.join("vault.sqlite");
        fs::copy(kept(schema), &copy).unwrap();
        let opened = Connection::open(&copy).unwrap();
        let (mint, commits, lineage): (Vec<u8>, u64, Vec<u8>) = opened
            .query_row("SELECT mint, commits, lineage FROM vault", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        drop(opened);
        let (mint, lineage) = (hex::encode(&mint), hex::encode(&lineage));
        let bytes = fs::read(&copy).unwrap();
        let note = json!({"format": "tacit-backup/1", "mint": mint, "taken": 1, "commits": commits,
            "lineage": lineage, "bytes": bytes.len(), "sha256": hex::encode(&Sha256::digest(&bytes))});
        fs::write(backup.join("backup.json"), note.to_string()).unwrap();
        Self { folder, mark: format!("{commits} {lineage} closed\n") }
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    fn data(&self) -> DataDir {
        DataDir::lock(&self.folder.path().join("data")).unwrap()
    }

    /// Restores it; the loss is accepted if it may be.
    fn restore(&self, data: &DataDir, accepts: bool) -> Result<bool, RestoreError> {
        let backup = self.backup();
        let restore = Restore { backup: &backup, data, mark: None, mint: rig::identity() };
        let accept = |doubt: Doubt| match accepts {
            true => Ok(rig::seed()),
            false => Err(RestoreError::NotCurrent(doubt)),
        };
        let now = Timestamp::from_seconds(4_000_000_000);
        restore.run(now, &mut |_, _, _| {}, accept).map(|(_, loss)| loss.is_some())
    }
}

#[test]
fn a_backup_of_an_earlier_version_is_brought_up_to_date_where_it_is_restored() {
    for schema in schemas() {
        let bed = Bed::of(schema);
        let before = fs::read(bed.backup().join("vault.sqlite")).unwrap();
        let data = bed.data();
        let mark = data.vault().with_extension("sqlite.mark");
        fs::write(&mark, &bed.mark).unwrap();
        assert!(!bed.restore(&data, false).unwrap(), "{schema}: nothing is lost with it");
        assert_eq!(fs::read(bed.backup().join("vault.sqlite")).unwrap(), before, "{schema}");
        assert_eq!(fs::read_to_string(&mark).unwrap(), bed.mark, "{schema}: it counts as before");
        let books = SqliteReader::open(&data.vault()).unwrap().books().unwrap();
        assert!(books.keysets.iter().any(|keyset| keyset.signed > 0), "{schema}");
        drop(SqliteVault::open(&data.vault(), &rig::identity()).unwrap());
    }
}

#[test]
fn a_backup_of_an_earlier_version_that_is_not_current_is_given_up_like_any_other() {
    for schema in schemas() {
        let bed = Bed::of(schema);
        let data = bed.data();
        let refused = bed.restore(&data, false);
        assert!(matches!(refused, Err(RestoreError::NotCurrent(Doubt::NoMark))), "{refused:?}");
        assert!(!data.has_vault().unwrap(), "{schema}");
        assert!(bed.restore(&data, true).unwrap(), "{schema}");
        let keysets = SqliteReader::open(&data.vault()).unwrap().keysets().unwrap();
        let redeem = keysets.iter().filter(|keyset| keyset.state < KeysetState::Closed);
        assert_eq!(redeem.count(), 1, "{schema}: the new one");
    }
}

#[test]
fn a_backup_of_a_later_version_is_refused() {
    let bed = Bed::of(2);
    let copy = bed.backup().join("vault.sqlite");
    let later = Connection::open(&copy).unwrap();
    later.pragma_update(None, "user_version", 99).unwrap();
    drop(later);
    let text = fs::read_to_string(bed.backup().join("backup.json")).unwrap();
    let mut note: serde_json::Value = serde_json::from_str(&text).unwrap();
    note["sha256"] = json!(hex::encode(&Sha256::digest(fs::read(&copy).unwrap())));
    fs::write(bed.backup().join("backup.json"), note.to_string()).unwrap();
    let data = bed.data();
    let refused = bed.restore(&data, true);
    assert!(
        matches!(refused, Err(RestoreError::Open(OpenError::TooNew { found: 99, .. }))),
        "{refused:?}"
    );
    assert!(!data.has_vault().unwrap());
}
