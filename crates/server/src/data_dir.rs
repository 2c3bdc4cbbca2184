//! The directory that holds all of a mint: its vault, its seed and, in demo mode, its clock.

use std::fs::{self, DirBuilder, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tacit_store::file_lock::FileLock;

/// A data directory that no other process writes to while this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock until it is dropped, also when the process is killed.
    _lock: FileLock,
}

/// Why a data directory cannot be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The directory, or the lock in it, cannot be made.
    #[error("the data directory {path} cannot be used", path = path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("another tacitd is using the data directory {path}", path = path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

impl DataDir {
    /// Takes a directory for this process alone; makes it, for its owner only, if it is not there.
    ///
    /// # Errors
    /// [`DataDirError`].
    pub fn lock(path: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io { path: path.into(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match FileLock::take(file) {
            Ok(lock) => Ok(Self { path: path.into(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.into() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The vault's database.
    pub fn vault(&self) -> PathBuf {
        vault_of(&self.path)
    }

    /// The desk's database.
    pub fn desk(&self) -> PathBuf {
        desk_of(&self.path)
    }

    /// The seed.
    pub fn seed(&self) -> PathBuf {
        seed_of(&self.path)
    }

    /// What this server last saw of the vault, if that is in a database.
    pub fn database_mark(&self) -> PathBuf {
        self.path.join("database.mark")
    }

    /// Days the demo clock is ahead.
    pub fn demo_clock(&self) -> PathBuf {
        demo_clock_of(&self.path)
    }

    /// What the demo rail was asked to pay.
    pub fn demo_rail(&self) -> PathBuf {
        self.path.join("demo-rail.sqlite")
    }

    /// Where a mint that runs takes what its operator asks of it.
    pub fn control(&self) -> PathBuf {
        control_of(&self.path)
    }

    /// Whether a vault was made here before.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub fn has_vault(&self) -> io::Result<bool> {
        fs::exists(self.vault())
    }
}

/// The vault's database of a data directory that need not be locked: for reading only.
pub fn vault_of(path: &Path) -> PathBuf {
    path.join("vault.sqlite")
}

/// The desk's database of a data directory that need not be locked: for reading only.
pub fn desk_of(path: &Path) -> PathBuf {
    path.join("desk.sqlite")
}

/// The seed of a data directory that need not be locked: for reading only.
pub fn seed_of(path: &Path) -> PathBuf {
    path.join("seed")
}

/// Days the demo clock is ahead, in a data directory that need not be locked.
pub fn demo_clock_of(path: &Path) -> PathBuf {
    path.join("demo-clock")
}

/// The control socket of a data directory that another process has locked.
pub fn control_of(path: &Path) -> PathBuf {
    path.join("control")
}

/// Whether a mint was begun in this directory: it has a seed or a vault.
///
/// # Errors
/// If that cannot be seen.
pub fn is_made(path: &Path) -> io::Result<bool> {
    Ok(fs::exists(seed_of(path))? || fs::exists(vault_of(path))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_serves_one_process_at_a_time() {
        let path = std::env::temp_dir().join(format!("tacit-data-{}", std::process::id()));
        let first = DataDir::lock(&path).unwrap();
        assert!(matches!(DataDir::lock(&path), Err(DataDirError::InUse { .. })));
        drop(first);
        drop(DataDir::lock(&path).unwrap());
        fs::remove_dir_all(path).unwrap();
    }
}
