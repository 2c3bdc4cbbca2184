//! Backups: a directory with a copy of the vault and a note of what it is a copy of.
//!
//! A backup is complete once it has its name: it is made under another and renamed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secp256k1::PublicKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::audit;
use tacit_service::vault::{StoreError, VaultReader};
use tacit_store::sqlite::backup::{self, CopyError, Standing};
use tacit_store::sqlite::{OpenError, SqliteReader};

/// What the note calls itself.
const FORMAT: &str = "tacit-backup/1";

/// Longest note that is read.
const NOTE_MAX: u64 = 4096;

/// Bytes hashed between two reports of progress.
const HASHED_A_STEP: usize = 1 << 20;

/// What a backup says it is, in `backup.json`. No secret, and nothing about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    format: String,
    /// Identity key of the mint, in hexadecimal.
    pub mint: String,
    /// When it was taken, in seconds since 1970.
    pub taken: u64,
    /// Commits the vault had had.
    pub commits: u64,
    /// Which of several copies that went on, in hexadecimal.
    pub lineage: String,
    /// Bytes of `vault.sqlite`.
    pub bytes: u64,
    /// SHA-256 of `vault.sqlite`, in hexadecimal.
    pub sha256: String,
}

impl Note {
    /// How the copy stands; `None` if the note cannot be right.
    fn standing(&self) -> Option<Standing> {
        let (mint, lineage) = (self.mint.parse().ok()?, hex::decode(&self.lineage).ok()?);
        Some(Standing { mint, commits: self.commits, lineage })
    }
}

/// A part of the work, as whoever waits is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Pages of the vault, copied.
    Copying,
    /// Sums, recomputed; not counted.
    Checking,
    /// Bytes, hashed.
    Hashing,
}

impl Phase {
    /// What is being done, for a person.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copying => "copying the vault",
            Self::Checking => "checking every page and sum",
            Self::Hashing => "hashing the copy",
        }
    }
}

/// Told how far a phase is: units done, units there are.
pub type Progress<'a> = &'a mut dyn FnMut(Phase, u64, u64);

/// Why there is no backup, or none that can be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// What is already there is not overwritten.
    #[error("{0} is there already: nothing is overwritten")]
    Exists(PathBuf),
    /// A file of the backup cannot be written or read.
    #[error("{path} cannot be used", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It has no note, or one that says something else.
    #[error("{0} is no backup: its backup.json does not say so")]
    NoBackup(PathBuf),
    /// It is not what the note says.
    #[error("the backup is damaged: its copy is not the one that was made")]
    Damaged,
    /// The vault could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The copy cannot be opened.
    #[error("the copy cannot be opened")]
    Open(#[from] OpenError),
    /// The copy cannot be read.
    #[error("the copy cannot be read")]
    Store(#[from] StoreError),
    /// A page of the copy is damaged, so one of the vault is.
    #[error("the vault is damaged, and so would the copy be: {0}")]
    BadPage(String),
    /// The sums do not agree.
    #[error("the vault contradicts itself, and so would the copy: {0}")]
    Contradiction(String),
}

pub(crate) fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::File { path: path.into(), source }
}

/// The copy of the vault in a backup.
pub fn vault_in(backup: &Path) -> PathBuf {
    backup.join("vault.sqlite")
}

/// Takes a backup of the vault at `vault` into the new directory `target`. The mint may run meanwhile.
///
/// # Errors
/// [`BackupError`]; then there is no directory `target`.
pub fn take(
    vault: &Path,
    target: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Note, BackupError> {
    in_new_directory(target, |partial| fill(vault, partial, now, progress))
}

/// Fills a new directory, which is there only once it is whole.
pub(crate) fn in_new_directory<T, E: From<BackupError>>(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    if fs::exists(target).map_err(failed(target))? {
        return Err(BackupError::Exists(target.into()).into());
    }
    // Of this process alone: what another one left, or is making, is its own.
    let partial = beside(target, &format!(".partial-{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&partial).map_err(failed(&partial))?;
    let named = fill(&partial).and_then(|filled| {
        fs::rename(&partial, target).map_err(failed(target))?;
        sync_directory(&parent(target)).map_err(failed(target))?;
        Ok(filled)
    });
    if named.is_err() {
        _ = remove_directory(&partial);
    }
    named
}

/// Writes what a backup says it is, and makes all of it durable.
pub(crate) fn write_note(directory: &Path, note: &impl Serialize) -> Result<(), BackupError> {
    let path = directory.join("backup.json");
    let text = serde_json::to_string_pretty(note).expect("a note is written") + "\n";
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path);
    file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
    .map_err(failed(&path))?;
    sync_directory(directory).map_err(failed(directory))
}

/// Reads what a backup says it is; `None` if it says nothing of the kind.
pub(crate) fn read_note<T: DeserializeOwned>(backup: &Path) -> Result<Option<T>, BackupError> {
    let path = backup.join("backup.json");
    let mut text = String::new();
    let file = File::open(&path).map_err(failed(&path))?;
    file.take(NOTE_MAX).read_to_string(&mut text).map_err(failed(&path))?;
    Ok(serde_json::from_str(&text).ok())
}

fn fill(
    vault: &Path,
    partial: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Note, BackupError> {
    let copy = vault_in(partial);
    let standing = backup::copy(vault, &copy, |done, all| progress(Phase::Copying, done, all))?;
    progress(Phase::Checking, 0, 0);
    check(&copy, &standing.mint)?;
    let (sha256, bytes) = hash(&copy, progress)?;
    let note = Note {
        format: FORMAT.to_owned(),
        mint: standing.mint.to_string(),
        taken: now.seconds(),
        commits: standing.commits,
        lineage: hex::encode(&standing.lineage),
        bytes,
        sha256,
    };
    write_note(partial, &note)?;
    Ok(note)
}

/// Reads a backup's note and holds the copy's bytes against it. Writes nothing, so that it may be on a disk that is
/// read-only: the copy is not opened.
///
/// # Errors
/// [`BackupError`].
pub fn read(backup: &Path, progress: Progress<'_>) -> Result<(Note, Standing), BackupError> {
    let note = read_note::<Note>(backup)?.filter(|note| note.format == FORMAT);
    let note = note.ok_or_else(|| BackupError::NoBackup(backup.into()))?;
    let (sha256, bytes) = hash(&vault_in(backup), progress)?;
    if (&sha256, bytes) != (&note.sha256, note.bytes) {
        return Err(BackupError::Damaged);
    }
    let standing = note.standing().ok_or_else(|| BackupError::NoBackup(backup.into()))?;
    Ok((note, standing))
}

/// Fails unless every page and every sum of a vault is sound.
///
/// # Errors
/// [`BackupError`].
pub fn check(vault: &Path, mint: &PublicKey) -> Result<(), BackupError> {
    if let Some(damage) = backup::first_damage(vault)? {
        return Err(BackupError::BadPage(damage));
    }
    let books = SqliteReader::open(vault)?.books()?;
    match audit::check(&books, mint).into_iter().find(|check| !check.holds) {
        Some(check) => Err(BackupError::Contradiction(check.claim)),
        None => Ok(()),
    }
}

/// SHA-256 in hexadecimal, and the number of bytes.
pub(crate) fn hash(path: &Path, progress: Progress<'_>) -> Result<(String, u64), BackupError> {
    let mut file = File::open(path).map_err(failed(path))?;
    let all = file.metadata().map_err(failed(path))?.len();
    let (mut hash, mut done, mut part) = (Sha256::new(), 0, vec![0; HASHED_A_STEP]);
    loop {
        let read = file.read(&mut part).map_err(failed(path))?;
        if read == 0 {
            return Ok((hex::encode(&hash.finalize()), done));
        }
        hash.update(&part[..read]);
        done += read as u64;
        progress(Phase::Hashing, done, all);
    }
}

pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

/// Removes a directory and what is in it, if it is there.
pub(crate) fn remove_directory(path: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

pub(crate) fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).into()
}

/// Makes names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
