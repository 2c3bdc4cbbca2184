//! The seed: 32 random bytes that all of the mint's keys are derived from, in a file only its owner can read.
//!
//! Encrypted under a passphrase, or in demo mode 64 hexadecimal digits.

mod sealed;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secp256k1::PublicKey;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_service::identity::Identity;
use zeroize::Zeroizing;

use self::sealed::{Cost, FormatError, Lock, SealedSeed, UnsealError};
use crate::file;
use crate::passphrase::{Passphrase, PassphraseError, Places};
use crate::random;

/// Bytes that are read: more than any seed has.
const BYTES_MAX: u64 = 4096;

/// A seed as it was read.
#[derive(Debug)]
pub struct SeedFile {
    path: PathBuf,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Plain(Secret<[u8; 32]>),
    Sealed(SealedSeed),
}

/// Why there is no seed. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file is not there.
    #[error("there is no seed at {path}: put back the one this vault was made with", path = path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// One is to be made, and the file is there.
    #[error("there is a seed at {path}, which is not overwritten", path = path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or write the file.
    #[error("others can read the seed at {path}: run chmod 600 on it", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A later program wrote the file.
    #[error("the seed at {path} is of a form that this version of tacitd does not know", path = path.display())]
    Version {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was once written, or was never a seed.
    #[error("the seed at {path} is damaged: put back a copy of it", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, and no passphrase was found.
    #[error("the seed at {path} is encrypted", path = path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
        /// Where it was looked for.
        source: PassphraseError,
    },
    /// The memory that its key costs is not there.
    #[error("the passphrase needs {mib} MiB of memory, which this machine does not give")]
    Memory {
        /// How much.
        mib: u32,
    },
    /// The passphrase is another one.
    #[error("the passphrase does not open the seed at {path}", path = path.display())]
    WrongPassphrase {
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

/// Reads the file of a seed. One that is encrypted stays so.
///
/// # Errors
/// [`SeedError`].
pub fn read(path: &Path) -> Result<SeedFile, SeedError> {
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
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let damaged = || SeedError::Damaged { path: path.into() };
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged())?;
    let form = if text.starts_with(sealed::MAGIC) {
        Form::Sealed(SealedSeed::parse(text).map_err(|error| match error {
            FormatError::Version => SeedError::Version { path: path.into() },
            FormatError::Damaged => damaged(),
        })?)
    } else {
        Form::Plain(Secret::new(hex::decode(text.trim()).map_err(|_| damaged())?))
    };
    Ok(SeedFile { path: path.into(), form })
}

impl SeedFile {
    /// Whether a passphrase is needed to open it.
    pub fn is_sealed(&self) -> bool {
        matches!(self.form, Form::Sealed(_))
    }

    /// The public key of the mint that it makes.
    pub fn mint(&self) -> PublicKey {
        match &self.form {
            Form::Plain(seed) => Identity::derive(seed).public(),
            Form::Sealed(sealed) => sealed.mint(),
        }
    }

    /// The seed. Places are looked into only if it is encrypted.
    ///
    /// # Errors
    /// [`SeedError`].
    pub fn open(self, places: &Places) -> Result<Secret<[u8; 32]>, SeedError> {
        let Self { path, form } = self;
        let sealed = match form {
            Form::Plain(seed) => return Ok(seed),
            Form::Sealed(sealed) => sealed,
        };
        let (passphrase, _) = match places.find() {
            Ok(found) => found,
            Err(source) => return Err(SeedError::Passphrase { path, source }),
        };
        sealed.open(&passphrase).map_err(|error| unsealed(error, &path))
    }
}

/// Makes a seed of the operating system's randomness, which stays unencrypted: for trials. Durable once this
/// returns `Ok`.
///
/// # Errors
/// [`SeedError`]; also if the file exists, which is never overwritten.
pub fn create_plain(path: &Path) -> Result<Secret<[u8; 32]>, SeedError> {
    let seed = Secret::new(random::bytes().map_err(SeedError::Random)?);
    let text = Zeroizing::new(hex::encode(seed.expose()) + "\n");
    file::create(path, text.as_bytes()).map_err(|error| not_written(error, path))?;
    Ok(seed)
}

/// Makes a seed of the operating system's randomness, encrypted under a passphrase. Durable once this returns `Ok`.
///
/// # Errors
/// [`SeedError`]; also if the file exists, which is never overwritten.
pub fn create_sealed(path: &Path, passphrase: &Passphrase) -> Result<SeedFile, SeedError> {
    let seed = Secret::new(random::bytes().map_err(SeedError::Random)?);
    let sealed = seal(&seed, passphrase, path)?;
    file::create(path, sealed.text().as_bytes()).map_err(|error| not_written(error, path))?;
    Ok(SeedFile { path: path.into(), form: Form::Sealed(sealed) })
}

/// Encrypts a seed under a passphrase, in the place of the file it was read from: after a crash there is the old file or
/// the new one. Durable once this returns `Ok`.
///
/// # Errors
/// [`SeedError`].
pub fn replace(
    path: &Path,
    seed: &Secret<[u8; 32]>,
    passphrase: &Passphrase,
) -> Result<(), SeedError> {
    let sealed = seal(seed, passphrase, path)?;
    file::replace(path, sealed.text().as_bytes()).map_err(|error| not_written(error, path))
}

fn seal(
    seed: &Secret<[u8; 32]>,
    passphrase: &Passphrase,
    path: &Path,
) -> Result<SealedSeed, SeedError> {
    let salt = random::bytes().map_err(SeedError::Random)?;
    let nonce = random::bytes().map_err(SeedError::Random)?;
    SealedSeed::seal(seed, passphrase, Cost::RECOMMENDED, Lock { salt, nonce })
        .map_err(|error| unsealed(error, path))
}

fn unsealed(error: UnsealError, path: &Path) -> SeedError {
    match error {
        UnsealError::Memory { memory_kib } => SeedError::Memory { mib: memory_kib.div_ceil(1024) },
        UnsealError::WrongPassphrase => SeedError::WrongPassphrase { path: path.into() },
    }
}

fn not_written(source: io::Error, path: &Path) -> SeedError {
    let path = path.into();
    if source.kind() == io::ErrorKind::AlreadyExists {
        return SeedError::Exists { path };
    }
    SeedError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NOWHERE: Places = Places::NOWHERE;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.into()).unwrap()
    }

    #[test]
    fn a_seed_is_made_once_and_kept_from_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seed");
        assert!(matches!(read(&path), Err(SeedError::Missing { .. })));
        let seed = create_plain(&path).unwrap();
        assert_eq!(read(&path).unwrap().open(&NOWHERE).unwrap(), seed);
        assert!(matches!(create_plain(&path), Err(SeedError::Exists { .. })));
        let sealed = create_sealed(&path, &passphrase("one"));
        assert!(matches!(sealed, Err(SeedError::Exists { .. })), "{sealed:?}");
        assert_eq!(read(&path).unwrap().open(&NOWHERE).unwrap(), seed, "never overwritten");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(SeedError::Exposed { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for damaged in ["no seed", "", "\u{fffd}", "tacit seed version 1\n"] {
            fs::write(&path, damaged).unwrap();
            assert!(matches!(read(&path), Err(SeedError::Damaged { .. })), "{damaged:?}");
        }
        fs::write(&path, "tacit seed version 2\n").unwrap();
        assert!(matches!(read(&path), Err(SeedError::Version { .. })));
    }

    #[test]
    fn an_encrypted_seed_opens_with_the_passphrase_of_the_day() {
        let directory = tempfile::tempdir().unwrap();
        let (path, held) = (directory.path().join("seed"), directory.path().join("passphrase"));
        let places = Places::file(held.clone());
        let file = create_sealed(&path, &passphrase("one")).unwrap();
        assert!(file.is_sealed());
        let mint = file.mint();
        let missing = read(&path).unwrap().open(&NOWHERE);
        assert!(matches!(missing, Err(SeedError::Passphrase { .. })), "{missing:?}");
        fs::write(&held, "one").unwrap();
        let seed = read(&path).unwrap().open(&places).unwrap();
        assert_eq!(Identity::derive(&seed).public(), mint);
        let before = fs::read_to_string(&path).unwrap();
        replace(&path, &seed, &passphrase("two")).unwrap();
        let wrong = read(&path).unwrap().open(&places);
        assert!(matches!(wrong, Err(SeedError::WrongPassphrase { .. })), "{wrong:?}");
        fs::write(&held, "two").unwrap();
        assert_eq!(read(&path).unwrap().open(&places).unwrap(), seed);
        assert_eq!(read(&path).unwrap().mint(), mint);
        let after = fs::read_to_string(&path).unwrap();
        let differ = before.lines().zip(after.lines()).filter(|(old, new)| old != new).count();
        assert_eq!(differ, 4, "salt, nonce, sealed and sum are new: {before}{after}");
    }
}
