//! The suite of `tacit_service::conformance`, on SQLite.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use tacit_service::conformance::rig::{self, Rig};
use tacit_service::conformance::{Bed, CHECKS, run};
use tacit_service::vault::{VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

/// A vault in a folder of its own, which goes when the test ends.
struct OnDisk {
    folder: tempfile::TempDir,
    /// `None` only between closing and opening.
    open: Option<(SqliteVault, SqliteReader)>,
}

impl OnDisk {
    fn new() -> Self {
        let mut bed = Self { folder: tempfile::tempdir().unwrap(), open: None };
        bed.restart();
        bed
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("vault.sqlite")
    }
}

impl Bed for OnDisk {
    fn store(&mut self) -> &mut dyn VaultStore {
        &mut self.open.as_mut().unwrap().0
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.open.as_mut().unwrap().1
    }

    fn restart(&mut self) {
        self.open = None;
        let vault = SqliteVault::open(&self.path(), &rig::identity()).unwrap();
        self.open = Some((vault, SqliteReader::open(&self.path()).unwrap()));
    }
}

#[test]
fn the_vault_on_sqlite_conforms() {
    run(&mut || Box::new(OnDisk::new()));
}

#[test]
fn the_vault_on_sqlite_conforms_with_a_restart_before_each_commit() {
    for (name, check) in CHECKS {
        println!("conformance: {name}");
        check(&mut Rig::restarting(Box::new(OnDisk::new())));
    }
}
