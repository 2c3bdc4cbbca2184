//! What opens a wallet file, and where it comes from: a file, the environment, the system's keyring, or the person.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use tacit_core::secret::Secret;
use tacit_wallet::storage::seal::Keeper;
use zeroize::Zeroizing;

use super::keyring::{self, KeyringError};

/// Variable of the environment that holds a passphrase.
pub(super) const VARIABLE: &str = "TACIT_WALLET_PASSPHRASE";

/// From 1 to [`Passphrase::BYTES_MAX`] bytes, as they were given. Wiped when dropped.
#[derive(Clone, Debug)]
pub(super) struct Passphrase(Secret<Zeroizing<Vec<u8>>>);

/// Why there is no passphrase. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum PassphraseError {
    /// Its file cannot be read.
    #[error("the passphrase in {path} cannot be read", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The keyring does not have it.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// None was given, and nobody can be asked.
    #[error("no passphrase was given: use --passphrase-file FILE or the environment's {VARIABLE}")]
    Missing,
    /// The terminal gave none.
    #[error("the terminal gives no passphrase")]
    Terminal(#[source] io::Error),
    /// Nothing, or more than a passphrase has.
    #[error("a passphrase has from 1 to {max} bytes", max = Passphrase::BYTES_MAX)]
    Length,
    /// A new one that is too easy to find by trying.
    #[error("a new passphrase has at least {min} bytes: four words chosen by dice are good", min = Passphrase::BYTES_NEW_MIN)]
    TooShort,
    /// Typed twice, and not the same.
    #[error("the two passphrases are not the same")]
    Differ,
}

impl Passphrase {
    /// Most bytes: more is the wrong file.
    pub(super) const BYTES_MAX: usize = 1024;
    /// Least bytes of a new one. Source: NIST SP 800-63B-4, section 3.1.1.2, for a password that stands alone.
    pub(super) const BYTES_NEW_MIN: usize = 15;

    /// Of bytes as a file or a variable holds them, less one line end.
    pub(super) fn new(bytes: Vec<u8>) -> Result<Self, PassphraseError> {
        let mut bytes = Zeroizing::new(bytes);
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        let is_good = !bytes.is_empty() && bytes.len() <= Self::BYTES_MAX;
        if is_good { Ok(Self(Secret::new(bytes))) } else { Err(PassphraseError::Length) }
    }

    /// The bytes. Only the derivation of a key, and the keyring, need them.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    fn long_enough(self) -> Result<Self, PassphraseError> {
        let is_long = Self::BYTES_NEW_MIN <= self.expose().len();
        if is_long { Ok(self) } else { Err(PassphraseError::TooShort) }
    }
}

/// The passphrase of a wallet that exists: the file that a flag names, the environment, then whoever keeps it.
///
/// # Errors
/// [`PassphraseError`].
pub(super) fn find(
    file: Option<&Path>,
    keeper: Keeper,
    wallet: &Path,
) -> Result<Passphrase, PassphraseError> {
    if let Some(given) = given(file)? {
        return Ok(given);
    }
    match keeper {
        Keeper::Keyring => Passphrase::new(keyring::look_up(wallet)?),
        // No file of this program has a passkey.
        Keeper::Person | Keeper::Passkey => ask(&format!("Passphrase of {}: ", wallet.display())),
    }
}

/// A passphrase for a wallet to come: typed twice if it is typed.
///
/// # Errors
/// [`PassphraseError`].
pub(super) fn find_new(file: Option<&Path>) -> Result<Passphrase, PassphraseError> {
    match given(file)? {
        Some(given) => given.long_enough(),
        None => ask_new(),
    }
}

/// A passphrase for a wallet, typed twice.
///
/// # Errors
/// [`PassphraseError`].
pub(super) fn ask_new() -> Result<Passphrase, PassphraseError> {
    let first = ask("New passphrase (it encrypts the wallet file): ")?.long_enough()?;
    let second = ask("The same again: ")?;
    if first.expose() == second.expose() { Ok(first) } else { Err(PassphraseError::Differ) }
}

/// What a flag or the environment gives.
fn given(file: Option<&Path>) -> Result<Option<Passphrase>, PassphraseError> {
    if let Some(path) = file {
        return read(path).and_then(Passphrase::new).map(Some);
    }
    // Empty is how compose files and unit files spell "not set".
    match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(value) => Passphrase::new(value.into_encoded_bytes()).map(Some),
        None => Ok(None),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PassphraseError> {
    // Room for a line end, and for one byte too many; never moved, so that no copy is left behind.
    let mut bytes = Vec::with_capacity(Passphrase::BYTES_MAX + 3);
    let most = u64::try_from(bytes.capacity()).unwrap_or(u64::MAX);
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(source) => Err(PassphraseError::Read { path: path.into(), source }),
    }
}

fn ask(prompt: &str) -> Result<Passphrase, PassphraseError> {
    // Without a terminal to look at, a question is nobody's: cron jobs must not hang.
    if !io::stderr().is_terminal() {
        return Err(PassphraseError::Missing);
    }
    let typed = rpassword::prompt_password(prompt).map_err(PassphraseError::Terminal)?;
    Passphrase::new(typed.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_no_part_of_a_passphrase() {
        for bytes in [&b"one two"[..], b"one two\n", b"one two\r\n"] {
            assert_eq!(Passphrase::new(bytes.to_vec()).unwrap().expose(), b"one two");
        }
        for bytes in [Vec::new(), b"\n".to_vec(), vec![b'a'; Passphrase::BYTES_MAX + 1]] {
            assert!(matches!(Passphrase::new(bytes), Err(PassphraseError::Length)));
        }
        assert!(!format!("{:?}", Passphrase::new(b"sesame".to_vec())).contains("sesame"));
    }

    #[test]
    fn a_file_is_read_and_a_new_passphrase_must_be_long() {
        let directory = tempfile::tempdir().unwrap();
        let (path, wallet) = (directory.path().join("file"), Path::new("wallet"));
        let found = |keeper| find(Some(&path), keeper, wallet);
        assert!(matches!(found(Keeper::Person), Err(PassphraseError::Read { .. })));
        std::fs::write(&path, "short\n").unwrap();
        assert_eq!(found(Keeper::Keyring).unwrap().expose(), b"short");
        assert!(matches!(find_new(Some(&path)), Err(PassphraseError::TooShort)));
        std::fs::write(&path, "correct horse battery\n").unwrap();
        assert_eq!(find_new(Some(&path)).unwrap().expose(), b"correct horse battery");
    }
}
