//! A vault in a folder of its own.

use std::path::{Path, PathBuf};

use tacit_service::conformance::Bed;
use tacit_service::conformance::rig::{self, Rig};
use tacit_service::vault::{VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

use crate::kept;

/// A vault on disk, which goes when the test ends.
pub(crate) struct OnDisk {
    folder: tempfile::TempDir,
    /// `None` only between closing and opening.
    open: Option<(SqliteVault, SqliteReader)>,
    /// As [`SqliteVault::with_era_rows`]; `None`: as many as in earnest.
    era_rows: Option<u64>,
}

impl OnDisk {
    pub(crate) fn new() -> Self {
        Self::of_eras(None)
    }

    /// A vault that closes an era at the end of any day on which it holds so many signed outputs.
    pub(crate) fn with_era_rows(rows: u64) -> Self {
        Self::of_eras(Some(rows))
    }

    /// A copy of a vault of [`rig::identity`], perhaps of an older schema.
    pub(crate) fn copy_of(vault: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bed = Self { folder, open: None, era_rows: Some(1) };
        std::fs::copy(vault, bed.path()).unwrap();
        kept::vouch_for(&bed.path());
        bed.restart();
        bed
    }

    fn of_eras(era_rows: Option<u64>) -> Self {
        let mut bed = Self { folder: tempfile::tempdir().unwrap(), open: None, era_rows };
        bed.restart();
        bed
    }

    /// The database file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("vault.sqlite")
    }

    /// Closes both sides, and says where the file is.
    pub(crate) fn close(&mut self) -> PathBuf {
        self.open = None;
        self.path()
    }

    /// Both sides, for a test that shares them out.
    pub(crate) fn sides(&mut self) -> (&mut SqliteVault, &mut SqliteReader) {
        let (vault, reader) = self.open.as_mut().unwrap();
        (vault, reader)
    }
}

impl Bed for OnDisk {
    fn store(&mut self) -> &mut dyn VaultStore {
        self.sides().0
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        self.sides().1
    }

    fn restart(&mut self) {
        self.open = None;
        let mut vault = SqliteVault::open(&self.path(), &rig::identity()).unwrap();
        if let Some(rows) = self.era_rows {
            vault = vault.with_era_rows(rows);
        }
        let reader = SqliteReader::open(&self.path()).unwrap().with_eras(vault.eras());
        self.open = Some((vault, reader));
    }
}

/// A rig over a new vault on disk, with the path of its file.
pub(crate) fn rig_on_disk() -> (Rig, PathBuf) {
    let bed = OnDisk::new();
    let path = bed.path();
    (Rig::new(Box::new(bed)), path)
}
