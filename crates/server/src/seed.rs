//! The seed: 32 random bytes that all of the mint's keys are derived from, in a file only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tacit_core::hex;
use tacit_core::secret::Secret;

use crate::random;

/// Why there is no seed. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file is not there.
    #[error("there is no seed at {path}: put back the one this vault was made with", path = path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others than the owner may read or write the file.
    #[error("others can read the seed at {path}: run chmod 600 on it", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("the file {path} is no seed: 64 hexadecimal digits are wanted", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gives no randomness")]
    Random(#[source] getrandom::Error),
    /// The file cannot be read or written.
    #[error("the seed at {path} cannot be read or written", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Reads a seed.
///
/// # Errors
/// [`SeedError`].
pub fn read(path: &Path) -> Result<Secret<[u8; 32]>, SeedError> {
    let failed = |source| SeedError::Io { path: path.into(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SeedError::Missing { path: path.into() });
        }
        Err(error) => return Err(failed(error)),
    };
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(SeedError::Exposed { path: path.into() });
    }
    let mut bytes = Vec::new();
    file.take(100).read_to_end(&mut bytes).map_err(failed)?;
    let text = Secret::new(String::from_utf8_lossy(&bytes).into_owned());
    hex::decode(text.expose().trim())
        .map(Secret::new)
        .map_err(|_| SeedError::Malformed { path: path.into() })
}

/// Makes a seed from the operating system's randomness. Durable once this returns `Ok`.
///
/// # Errors
/// [`SeedError`]; also if the file exists, which is never overwritten.
pub fn create(path: &Path) -> Result<Secret<[u8; 32]>, SeedError> {
    let seed: [u8; 32] = random::bytes().map_err(SeedError::Random)?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", hex::encode(&seed))?;
        file.sync_all()?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    };
    if let Err(source) = write() {
        // What was begun is no seed; without this the next start would find half of one.
        if source.kind() != io::ErrorKind::AlreadyExists {
            _ = fs::remove_file(path);
        }
        return Err(SeedError::Io { path: path.into(), source });
    }
    Ok(Secret::new(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_made_once_and_kept_from_others() {
        let directory = std::env::temp_dir().join(format!("tacit-seed-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("seed");
        assert!(matches!(read(&path), Err(SeedError::Missing { .. })));
        let seed = create(&path).unwrap();
        assert_eq!(read(&path).unwrap(), seed);
        assert!(matches!(create(&path), Err(SeedError::Io { .. })), "never overwritten");
        assert_eq!(read(&path).unwrap(), seed);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(SeedError::Exposed { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no seed").unwrap();
        assert!(matches!(read(&path), Err(SeedError::Malformed { .. })));
        fs::remove_dir_all(directory).unwrap();
    }
}
