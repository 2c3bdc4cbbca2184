//! Files that `tacit score` reads and writes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use tacit_core::hex;
use tacit_credit::scorecard::signed::{self, CardKey, CardPublicKey, SignedCard};
use zeroize::Zeroizing;

use super::error::ScoreError;

/// The bytes of a file, `-` for standard input, at most `most`.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, ScoreError> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.map_err(|source| ScoreError::Read { path: path.to_owned(), source })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(ScoreError::TooLarge { path: path.to_owned(), most });
    }
    Ok(bytes)
}

/// A signed card, its signature checked.
pub(super) fn read_card(path: &Path) -> Result<SignedCard, ScoreError> {
    // One byte more, so that the card's own bound speaks.
    let most = u64::try_from(signed::FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let bytes = read(path, most)?;
    SignedCard::read(&bytes).map_err(|source| ScoreError::Card { path: path.to_owned(), source })
}

/// A signing key: the first line, in hexadecimal.
pub(super) fn read_key(path: &Path) -> Result<CardKey, ScoreError> {
    let text = Zeroizing::new(read(path, 4096)?);
    let seed = std::str::from_utf8(&text).ok().and_then(|text| hex::decode::<32>(text.trim()).ok());
    let seed = Zeroizing::new(seed.ok_or_else(|| ScoreError::NoKey { path: path.to_owned() })?);
    Ok(CardKey::new(&seed))
}

/// A public key: its digits, or a file that holds them.
pub(super) fn read_public_key(argument: &str) -> Result<CardPublicKey, ScoreError> {
    if let Ok(key) = CardPublicKey::new(argument) {
        return Ok(key);
    }
    let is_digits = argument.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digits && !Path::new(argument).exists() {
        return Ok(CardPublicKey::new(argument)?);
    }
    let bytes = read(Path::new(argument), 4096)?;
    Ok(CardPublicKey::new(String::from_utf8_lossy(&bytes).trim())?)
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ScoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| ScoreError::Write { path: path.to_owned(), source })
}

/// Writes a file that was not there, for its owner alone.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), ScoreError> {
    use std::os::unix::fs::OpenOptionsExt;

    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| ScoreError::Write { path: path.to_owned(), source })
}
