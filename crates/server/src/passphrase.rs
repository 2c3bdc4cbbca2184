//! The passphrase of a seed, and the places where an operator may put it.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use tacit_core::secret::Secret;
use zeroize::Zeroizing;

/// What opens a seed: from 1 to [`Passphrase::BYTES_MAX`] bytes, as they were given. Wiped when dropped.
///
/// No normalisation of Unicode and no trimming but of one line end: what is typed elsewhere must be the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passphrase(Secret<Zeroizing<Vec<u8>>>);

/// Names of the places where one passphrase is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// Flag that names a file.
    pub flag: &'static str,
    /// Variable of the environment.
    pub variable: &'static str,
    /// Credential of systemd: a file in `$CREDENTIALS_DIRECTORY`.
    pub credential: &'static str,
}

/// Where a passphrase is looked for, in this order: a file, the environment, the credentials of systemd.
#[derive(Clone, Debug)]
pub struct Places {
    names: Names,
    file: Option<PathBuf>,
    variable: Option<Passphrase>,
    credential: Option<PathBuf>,
}

/// Where a passphrase was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file that a flag or its variable names.
    File(PathBuf),
    /// A variable of the environment.
    Variable(&'static str),
    /// A credential of systemd.
    Credential(PathBuf),
}

/// Why there is no passphrase. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It stands in none of the places.
    #[error(
        "no passphrase was given: use {flag} FILE, the environment's {variable} or the systemd credential {credential}",
        flag = names.flag, variable = names.variable, credential = names.credential
    )]
    Missing {
        /// The places.
        names: Names,
    },
    /// Its file cannot be read.
    #[error("the passphrase in {place} cannot be read")]
    Read {
        /// The file.
        place: Place,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nothing stands there.
    #[error("the passphrase in {place} is empty")]
    Empty {
        /// The file.
        place: Place,
    },
    /// More than [`Passphrase::BYTES_MAX`].
    #[error("the passphrase in {place} has more than {max} bytes", max = Passphrase::BYTES_MAX)]
    TooLong {
        /// Where it was found.
        place: Place,
    },
    /// A new one of less than [`Passphrase::BYTES_NEW_MIN`].
    #[error("the passphrase in {place} is too short: at least {min} bytes are wanted", min = Passphrase::BYTES_NEW_MIN)]
    TooShort {
        /// Where it was found.
        place: Place,
    },
}

impl Passphrase {
    /// Most bytes: more is the wrong file.
    pub const BYTES_MAX: usize = 1024;
    /// Least bytes of a new one. Source: NIST SP 800-63B-4, section 3.1.1.2, for a password that stands alone.
    pub const BYTES_NEW_MIN: usize = 15;

    /// The bytes. Only the derivation of a key needs them.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The passphrase of a file's or variable's bytes, less one line end. `None` if nothing is left.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let mut bytes = Zeroizing::new(bytes);
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        (!bytes.is_empty()).then(|| Self(Secret::new(bytes)))
    }
}

impl Names {
    /// Of the passphrase that opens the seed.
    pub const CURRENT: Self = Self {
        flag: "--passphrase-file",
        variable: "TACITD_PASSPHRASE",
        credential: "tacitd-passphrase",
    };
    /// Of the passphrase that is to take its place.
    pub const NEW: Self = Self {
        flag: "--new-passphrase-file",
        variable: "TACITD_NEW_PASSPHRASE",
        credential: "tacitd-new-passphrase",
    };
}

impl Places {
    /// No place at all: for a seed that is not encrypted.
    pub const NOWHERE: Self =
        Self { names: Names::CURRENT, file: None, variable: None, credential: None };

    /// A file alone.
    pub fn file(path: PathBuf) -> Self {
        Self { file: Some(path), ..Self::NOWHERE }
    }

    /// The places of this process: `file` as the flag says, the environment, the credentials directory.
    pub fn of_process(names: Names, file: Option<PathBuf>) -> Self {
        let credentials = env::var_os("CREDENTIALS_DIRECTORY").filter(|path| !path.is_empty());
        Self {
            names,
            file,
            // Empty is how compose files and unit files spell "not set".
            variable: env::var_os(names.variable).map(OsString::into_vec).and_then(Passphrase::new),
            credential: credentials.map(|path| Path::new(&path).join(names.credential)),
        }
    }

    /// The passphrase, and where it stood. The first place that names one decides, be it good or not.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn find(&self) -> Result<(Passphrase, Place), PassphraseError> {
        if let Some(path) = &self.file {
            return read(Place::File(path.clone()), path);
        }
        if let Some(passphrase) = &self.variable {
            let place = Place::Variable(self.names.variable);
            return bounded(passphrase.clone(), place);
        }
        match &self.credential {
            None => Err(PassphraseError::Missing { names: self.names }),
            Some(path) => match read(Place::Credential(path.clone()), path) {
                // A unit may have other credentials and not this one.
                Err(PassphraseError::Read { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    Err(PassphraseError::Missing { names: self.names })
                }
                found => found,
            },
        }
    }

    /// The same for a passphrase that is to lock a seed from now on.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn find_new(&self) -> Result<Passphrase, PassphraseError> {
        let (passphrase, place) = self.find()?;
        if passphrase.expose().len() < Passphrase::BYTES_NEW_MIN {
            return Err(PassphraseError::TooShort { place });
        }
        Ok(passphrase)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the environment's {name}"),
            Self::Credential(path) => write!(f, "the systemd credential {}", path.display()),
        }
    }
}

fn read(place: Place, path: &Path) -> Result<(Passphrase, Place), PassphraseError> {
    // Room for a line end, and for one byte too many; never moved, so that no copy is left behind.
    let mut bytes = Vec::with_capacity(Passphrase::BYTES_MAX + 3);
    let most = u64::try_from(bytes.capacity()).unwrap_or(u64::MAX);
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    if let Err(source) = read {
        return Err(PassphraseError::Read { place, source });
    }
    match Passphrase::new(bytes) {
        None => Err(PassphraseError::Empty { place }),
        Some(passphrase) => bounded(passphrase, place),
    }
}

fn bounded(passphrase: Passphrase, place: Place) -> Result<(Passphrase, Place), PassphraseError> {
    if Passphrase::BYTES_MAX < passphrase.expose().len() {
        return Err(PassphraseError::TooLong { place });
    }
    Ok((passphrase, place))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(bytes: &[u8]) -> Option<Vec<u8>> {
        Passphrase::new(bytes.to_vec()).map(|passphrase| passphrase.expose().to_vec())
    }

    #[test]
    fn one_line_end_is_no_part_of_a_passphrase() {
        for bytes in [&b"one two"[..], b"one two\n", b"one two\r\n"] {
            assert_eq!(of(bytes).as_deref(), Some(&b"one two"[..]), "{bytes:?}");
        }
        assert_eq!(of(b" one \n\n").as_deref(), Some(&b" one \n"[..]));
        assert_eq!(of(b"\xff\x00").as_deref(), Some(&b"\xff\x00"[..]), "not only text");
        for empty in [&b""[..], b"\n", b"\r\n"] {
            assert_eq!(of(empty), None, "{empty:?}");
        }
    }

    #[test]
    fn a_passphrase_does_not_print() {
        let passphrase = Passphrase::new(b"sesame".to_vec()).unwrap();
        let places = Places { variable: Some(passphrase), ..Places::NOWHERE };
        let printed = format!("{places:?}");
        assert!(printed.contains("Secret(..)"), "{printed}");
        assert!(!printed.contains("sesame") && !printed.contains("115"), "{printed}");
    }

    #[test]
    fn the_first_place_decides() {
        let directory = tempfile::tempdir().unwrap();
        let (file, credential) =
            (directory.path().join("file"), directory.path().join("credential"));
        fs::write(&file, "of the file").unwrap();
        fs::write(&credential, "of systemd").unwrap();
        let mut places = Places {
            names: Names::CURRENT,
            file: Some(file.clone()),
            variable: Passphrase::new(b"of the environment".to_vec()),
            credential: Some(credential.clone()),
        };
        let found = |places: &Places| {
            let (passphrase, place) = places.find().unwrap();
            (String::from_utf8(passphrase.expose().to_vec()).unwrap(), place)
        };
        assert_eq!(found(&places), ("of the file".to_owned(), Place::File(file)));
        places.file = None;
        let variable = Place::Variable("TACITD_PASSPHRASE");
        assert_eq!(found(&places), ("of the environment".to_owned(), variable));
        places.variable = None;
        assert_eq!(found(&places), ("of systemd".to_owned(), Place::Credential(credential)));
        places.credential = Some(directory.path().join("another"));
        assert!(matches!(places.find(), Err(PassphraseError::Missing { .. })));
    }

    #[test]
    fn each_mistake_has_its_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let places = Places::file(path.clone());
        assert!(matches!(Places::NOWHERE.find(), Err(PassphraseError::Missing { .. })));
        assert!(matches!(places.find(), Err(PassphraseError::Read { .. })));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(places.find(), Err(PassphraseError::Empty { .. })));
        fs::write(&path, vec![b'a'; Passphrase::BYTES_MAX + 1]).unwrap();
        assert!(matches!(places.find(), Err(PassphraseError::TooLong { .. })));
        fs::write(&path, [vec![b'a'; Passphrase::BYTES_MAX], b"\r\n".to_vec()].concat()).unwrap();
        assert!(places.find().is_ok());
        fs::write(&path, vec![b'a'; Passphrase::BYTES_NEW_MIN - 1]).unwrap();
        assert!(places.find().is_ok(), "an old one opens what it has locked");
        assert!(matches!(places.find_new(), Err(PassphraseError::TooShort { .. })));
        fs::write(&path, vec![b'a'; Passphrase::BYTES_NEW_MIN]).unwrap();
        assert!(places.find_new().is_ok());
    }
}
