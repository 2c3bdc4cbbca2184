//! Backups of the desk: a directory of its own, so that whoever finds the vault's has no names, and whoever finds this one
//! has no money.
//!
//! A desk that is older than its vault forgets people, and lets nothing be spent twice: so an older copy is put in place
//! without a doubt being raised. What it forgot is said by `tacitd verify`, which knows the accounts of the vault.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secp256k1::PublicKey;
use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_service::desk::trail::{self, TrailStore};
use tacit_service::vault::StoreError;
use tacit_store::desk::OpenError;
use tacit_store::desk::sqlite::{SqliteDesk, copy, first_damage};

use crate::backup::{
    BackupError, Phase, Progress, beside, failed, hash, in_new_directory, parent, read_note,
    sync_directory, write_note,
};

/// What the note calls itself.
const FORMAT: &str = "tacit-desk-backup/1";

/// What a backup of the desk says it is, in `backup.json`. Nothing about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    format: String,
    /// Identity key of the mint, in hexadecimal.
    pub mint: String,
    /// When it was taken, in seconds since 1970.
    pub taken: u64,
    /// How many entries the trail had.
    pub trail_length: u64,
    /// Hash of its last entry, in hexadecimal.
    pub trail_hash: String,
    /// Bytes of `desk.sqlite`.
    pub bytes: u64,
    /// SHA-256 of `desk.sqlite`, in hexadecimal.
    pub sha256: String,
}

/// Why there is no backup of the desk, or none that can be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum DeskBackupError {
    /// A file or directory, as with the vault's.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A desk is there, which may know more than the copy.
    #[error("{0} is there: move it away first, with all of desk.sqlite*, and keep it")]
    DeskThere(PathBuf),
    /// The desk, or its copy, cannot be opened.
    #[error("the desk cannot be opened")]
    Open(#[from] OpenError),
    /// The desk, or its copy, cannot be read.
    #[error("the desk cannot be read")]
    Store(#[from] StoreError),
    /// A page is damaged.
    #[error("the desk is damaged, and so would the copy be: {0}")]
    BadPage(String),
    /// The trail is not whole.
    #[error("the desk's trail is not whole, and so would the copy's be")]
    Trail(#[from] trail::Break),
    /// It is of another mint.
    #[error("the backup is of mint {backup}, the seed here of mint {seed}")]
    OtherMint {
        /// Identity key of the backup.
        backup: String,
        /// Identity key of the seed.
        seed: String,
    },
}

/// The copy of the desk in a backup.
fn desk_in(backup: &Path) -> PathBuf {
    backup.join("desk.sqlite")
}

/// Takes a backup of the desk at `desk` into the new directory `target`. The mint may run meanwhile.
///
/// # Errors
/// [`DeskBackupError`]; then there is no directory `target`.
pub fn take(
    desk: &Path,
    mint: &PublicKey,
    target: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Note, DeskBackupError> {
    in_new_directory(target, |partial| fill(desk, mint, partial, now, progress))
}

fn fill(
    desk: &Path,
    mint: &PublicKey,
    partial: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Note, DeskBackupError> {
    let own = desk_in(partial);
    copy(desk, &own, |done, all| progress(Phase::Copying, done, all))?;
    progress(Phase::Checking, 0, 0);
    let head = check(&own, mint)?;
    let (sha256, bytes) = hash(&own, progress)?;
    let note = Note {
        format: FORMAT.to_owned(),
        mint: mint.to_string(),
        taken: now.seconds(),
        trail_length: head.length,
        trail_hash: head.hash.to_string(),
        bytes,
        sha256,
    };
    write_note(partial, &note)?;
    Ok(note)
}

/// Fails unless every page is sound, the trail whole and the desk this mint's.
fn check(desk: &Path, mint: &PublicKey) -> Result<trail::Head, DeskBackupError> {
    if let Some(damage) = first_damage(desk)? {
        return Err(DeskBackupError::BadPage(damage));
    }
    let mut opened = SqliteDesk::look(desk, mint)?;
    let store: &mut dyn TrailStore = &mut opened;
    Ok(trail::check(store)??)
}

/// Puts a backup in the place of a desk that is lost.
///
/// # Errors
/// [`DeskBackupError`]; then there is no desk at `place`, as before.
pub fn restore(
    backup: &Path,
    mint: &PublicKey,
    place: &Path,
    progress: Progress<'_>,
) -> Result<Note, DeskBackupError> {
    let note = read(backup, progress)?;
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = place.with_file_name(format!("desk.sqlite{ending}"));
        if fs::exists(&path).map_err(failed(&path))? {
            return Err(DeskBackupError::DeskThere(path));
        }
    }
    if note.mint != mint.to_string() {
        return Err(DeskBackupError::OtherMint { backup: note.mint, seed: mint.to_string() });
    }
    let partial = beside(place, ".restoring");
    let done = (|| {
        fs::copy(desk_in(backup), &partial).map_err(failed(&partial))?;
        // Whatever mode it has where it comes from.
        let owner_only = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&partial, owner_only).map_err(failed(&partial))?;
        check(&partial, mint)?;
        File::open(&partial).and_then(|file| file.sync_all()).map_err(failed(&partial))?;
        fs::rename(&partial, place).map_err(failed(place))?;
        sync_directory(&parent(place)).map_err(failed(place))?;
        Ok::<_, DeskBackupError>(())
    })();
    for ending in ["", "-wal", "-shm"] {
        _ = fs::remove_file(beside(&partial, ending)); // None is left where all went well.
    }
    done.map(|()| note)
}

/// Reads a backup's note and holds the copy's bytes against it.
fn read(backup: &Path, progress: Progress<'_>) -> Result<Note, DeskBackupError> {
    let note = read_note::<Note>(backup)?.filter(|note| note.format == FORMAT);
    let note = note.ok_or_else(|| BackupError::NoBackup(backup.into()))?;
    let (sha256, bytes) = hash(&desk_in(backup), progress)?;
    if (&sha256, bytes) != (&note.sha256, note.bytes) {
        return Err(BackupError::Damaged.into());
    }
    Ok(note)
}

#[cfg(test)]
mod tests {
    use tacit_core::secret::Secret;
    use tacit_service::desk::trail::{Action, Deed};
    use tacit_service::identity::Identity;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn mint(number: u8) -> PublicKey {
        Identity::derive(&Secret::new([number; 32])).public()
    }

    fn note(desk: &mut SqliteDesk) {
        let deed = Deed {
            moment: NOW,
            staff: None,
            action: Action::PersonSeen,
            subject: "person".to_owned(),
            detail: String::new(),
        };
        desk.note(&deed).unwrap();
    }

    #[test]
    fn a_desk_is_copied_while_it_is_open_and_put_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (place, target) = (folder.path().join("desk.sqlite"), folder.path().join("backup"));
        let mut desk = SqliteDesk::open(&place, &mint(1)).unwrap();
        note(&mut desk);
        let taken = take(&place, &mint(1), &target, NOW, &mut |_, _, _| {}).unwrap();
        assert_eq!(taken.trail_length, 1);
        let again = take(&place, &mint(1), &target, NOW, &mut |_, _, _| {});
        assert!(matches!(again, Err(DeskBackupError::Backup(BackupError::Exists(_)))));
        note(&mut desk);
        let put = |mint: &PublicKey| restore(&target, mint, &place, &mut |_, _, _| {});
        assert!(matches!(put(&mint(1)), Err(DeskBackupError::DeskThere(_))));
        drop(desk);
        fs::remove_file(&place).unwrap();
        assert!(matches!(put(&mint(2)), Err(DeskBackupError::OtherMint { .. })));
        assert_eq!(put(&mint(1)).unwrap(), taken);
        let mode = fs::metadata(&place).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut desk = SqliteDesk::open(&place, &mint(1)).unwrap();
        assert_eq!(desk.trail_head().unwrap().hash.to_string(), taken.trail_hash);
        drop(desk);
        fs::remove_file(&place).unwrap();
        let mut bytes = fs::read(desk_in(&target)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(desk_in(&target), bytes).unwrap();
        assert!(matches!(put(&mint(1)), Err(DeskBackupError::Backup(BackupError::Damaged))));
        assert!(!place.exists());
    }
}
