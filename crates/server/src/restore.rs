//! Putting a backup in the place of a vault that is lost.
//!
//! An older copy forgot what was redeemed, issued and paid since: what it would serve again is money made. So a copy is
//! put in place only if the mark of the lost vault proves it current, or once all that it may have forgotten is given up:
//! its keysets are closed, its open quotes withdrawn ([`Change::AcceptLoss`]), and new keysets take over.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secp256k1::PublicKey;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_ecash::keyset::{KeysetId, KeysetSpec};
use tacit_service::audit::Books;
use tacit_service::identity::Identity;
use tacit_service::keyset::{KeysetRecord, KeysetState};
use tacit_service::passport::pause;
use tacit_service::vault::{Change, StoreError, VaultReader, VaultStore};
use tacit_store::sqlite::backup::{Standing, bring_up_to_date};
use tacit_store::sqlite::mark::{self, Marked};
use tacit_store::sqlite::{OpenError, SqliteReader, SqliteVault};

use crate::backup::{self, BackupError, Note, Progress};
use crate::data_dir::DataDir;
use crate::keyset::{Terms, add, index_at, next};

/// Why nothing was restored. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup cannot be used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A vault is there, which may know more than the copy.
    #[error(
        "{0} is there, of a vault that may know more than the copy: move it away first, with all of vault.sqlite* except \
         vault.sqlite.mark, and keep it"
    )]
    VaultThere(PathBuf),
    /// A file of the data directory cannot be used.
    #[error("{path} cannot be used", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The seed of the data directory makes another mint.
    #[error("the backup is of mint {backup}, the seed here of mint {seed}")]
    OtherMint {
        /// Identity key of the backup.
        backup: String,
        /// Identity key of the seed.
        seed: String,
    },
    /// Nothing proves the copy current.
    #[error("{0}")]
    NotCurrent(Doubt),
    /// The copy, put in place, cannot be opened.
    #[error("the copy cannot be opened")]
    Open(#[from] OpenError),
    /// The copy, put in place, cannot be written.
    #[error("the copy cannot be written")]
    Store(#[from] StoreError),
}

/// Why a copy is not known to be current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// No mark is left of the vault.
    #[error("nothing proves this copy current: there is no mark of the vault (vault.sqlite.mark)")]
    NoMark,
    /// The vault went on after the copy was taken.
    #[error("this copy is older: the mint has made {0} commits or more since")]
    Behind(u64),
    /// The vault was not closed: it may have gone on after its mark was written.
    #[error(
        "nothing proves this copy current: the mint did not stop in order, and may have gone on"
    )]
    NotClosed,
    /// A database has no mark.
    #[error("a database that was recovered does not say whether it is current")]
    Database,
    /// The mark is of a vault that went on by itself.
    #[error("this copy is of a vault that another has taken the place of")]
    OtherLineage,
}

impl Doubt {
    /// Why a copy that stands so is in doubt; `None` if the mark proves it current.
    pub fn of(standing: &Standing, mark: Option<&Marked>) -> Option<Self> {
        let Some(mark) = mark else { return Some(Self::NoMark) };
        if standing.is_current(mark) {
            return None;
        }
        Some(match mark.lineage {
            Some(lineage) if lineage != standing.lineage => Self::OtherLineage,
            Some(_) | None if mark.commits > standing.commits => {
                Self::Behind(mark.commits - standing.commits)
            }
            Some(_) | None => Self::NotClosed,
        })
    }
}

/// What an operator gives up with an older copy, as that copy knows it: what came after it is in no book.
#[derive(Debug, PartialEq, Eq)]
pub struct Loss {
    /// Why.
    pub doubt: Doubt,
    /// Keysets that redeem no more at the mint, with what was outstanding of each when the copy was taken, in minor units.
    pub retired: Vec<(KeysetRecord, i128)>,
    /// Money of quotes that were paid and not issued when the copy was taken, by unit: set aside for the desk.
    pub set_aside: Vec<(Unit, u64)>,
    /// Keysets that take over.
    pub added: Vec<(Unit, KeysetId)>,
}

/// What to restore, and where to.
pub struct Restore<'a> {
    /// The backup's directory.
    pub backup: &'a Path,
    /// Where it goes.
    pub data: &'a DataDir,
    /// The mark of the lost vault, if it is not the one in [`Self::data`].
    pub mark: Option<&'a Path>,
    /// Identity key of the seed in [`Self::data`].
    pub mint: PublicKey,
}

impl Restore<'_> {
    /// Restores the backup. `accept_loss`: gives the seed, if the operator accepts the loss; called only if there is one.
    /// Returns what the backup says of itself, and what was given up, if anything.
    ///
    /// # Errors
    /// [`RestoreError`], or that of `accept_loss`; then the data directory has no vault, as before.
    pub fn run<E: From<RestoreError>>(
        &self,
        now: Timestamp,
        progress: Progress<'_>,
        accept_loss: impl FnOnce(Doubt) -> Result<Secret<[u8; 32]>, E>,
    ) -> Result<(Note, Option<Loss>), E> {
        let (note, standing) = backup::read(self.backup, progress).map_err(RestoreError::from)?;
        let doubt = self.doubt(&standing)?;
        let seed = doubt.map(accept_loss).transpose()?;
        let place = self.data.vault();
        let folder = place.with_file_name("restoring");
        let loss = (|| {
            backup::remove_directory(&folder)?;
            fs::create_dir(&folder).map_err(failed(&folder))?;
            let copy = folder.join("vault.sqlite");
            fs::copy(backup::vault_in(self.backup), &copy).map_err(failed(&copy))?;
            // Whatever mode it has where it comes from.
            let owner_only = fs::Permissions::from_mode(0o600);
            fs::set_permissions(&copy, owner_only).map_err(failed(&copy))?;
            bring_up_to_date(&copy)?;
            if Standing::read(&copy)? != standing {
                return Err(BackupError::Damaged.into());
            }
            let loss = match doubt.zip(seed) {
                Some((doubt, seed)) => Some(give_up(&copy, &seed, doubt, now)?),
                None => None,
            };
            backup::check(&copy, &self.mint)?;
            // The copy's own, or that of the lost vault, which it is equal to.
            if loss.is_none() {
                mark::vouch(&copy, &standing).map_err(failed(&copy))?;
            }
            move_file(&mark::beside(&copy), &mark::beside(&place))?;
            put_in_place(&copy, &place)?;
            backup::remove_directory(&folder)?;
            Ok::<_, RestoreError>(loss)
        })();
        if loss.is_err() {
            _ = backup::remove_directory(&folder);
        }
        Ok((note, loss?))
    }

    fn doubt(&self, standing: &Standing) -> Result<Option<Doubt>, RestoreError> {
        let place = self.data.vault();
        // Its log, left beside the copy, would be taken for the copy's.
        for ending in ["", "-wal", "-shm", "-journal"] {
            let path = place.with_file_name(format!("vault.sqlite{ending}"));
            if fs::exists(&path).map_err(failed(&path))? {
                return Err(RestoreError::VaultThere(path));
            }
        }
        if standing.mint != self.mint {
            let (backup, seed) = (standing.mint.to_string(), self.mint.to_string());
            return Err(RestoreError::OtherMint { backup, seed });
        }
        let read = |path: &Path| Marked::read(path).map_err(failed(path));
        let own = read(&mark::beside(&place))?;
        // A mark that is here knows what happened here: one from elsewhere does not overrule it.
        let given = self.mark.map(read).transpose()?.flatten();
        let doubt = |mark: Option<&Marked>| Doubt::of(standing, mark);
        Ok(match (own, given) {
            (Some(own), Some(given)) => doubt(Some(&own)).or_else(|| doubt(Some(&given))),
            (own, given) => doubt(own.or(given).as_ref()),
        })
    }
}

/// Gives up all that the copy may have forgotten, adds keysets to go on with, and begins a new lineage.
fn give_up(
    copy: &Path,
    seed: &Secret<[u8; 32]>,
    doubt: Doubt,
    now: Timestamp,
) -> Result<Loss, RestoreError> {
    let books = SqliteReader::open(copy)?.books()?;
    let standing = Standing::read(copy)?;
    mark::vouch(copy, &standing).map_err(failed(copy))?;
    let mut store = SqliteVault::open(copy, &Identity::derive(seed).public())?;
    let loss = accept(&books, &mut store, seed, doubt, now)?;
    store.begin_lineage()?;
    Ok(loss)
}

/// Gives up all that a vault may have forgotten, and adds keysets to go on with. `books`: its own, of just before.
///
/// # Errors
/// [`StoreError`].
pub fn accept(
    books: &Books,
    store: &mut dyn VaultStore,
    seed: &Secret<[u8; 32]>,
    doubt: Doubt,
    now: Timestamp,
) -> Result<Loss, StoreError> {
    let records: Vec<KeysetRecord> =
        books.keysets.iter().map(|keyset| keyset.record.clone()).collect();
    let mut units: Vec<Unit> = records.iter().map(|record| record.spec.unit).collect();
    units.sort_unstable();
    units.dedup();
    let mut changes = vec![Change::AcceptLoss];
    // Passports of these months may have been shown since, which nobody here remembers.
    let month = Epoch::of(now);
    let before = month.number().checked_sub(1).and_then(|number| Epoch::new(number).ok());
    changes.extend(before.into_iter().chain([month]).map(|month| Change::Answer(pause(month))));
    let mut added = Vec::new();
    for unit in units {
        let last = next(&records, unit, Terms::default()).expect("the unit has a keyset");
        let spec = KeysetSpec { index: last.index.max(index_at(now)), ..last };
        let change = add(seed, spec);
        if let Change::AddKeyset { id, .. } = &change {
            added.push((unit, *id));
        }
        changes.push(change);
    }
    store.commit(&changes, now)?;
    let set_aside = books.paid_quotes.iter().map(|(unit, sum)| (*unit, *sum)).collect();
    Ok(Loss { doubt, retired: retired(books), set_aside, added })
}

/// Keysets that still redeemed, with what was outstanding of each.
fn retired(books: &Books) -> Vec<(KeysetRecord, i128)> {
    let open = books.keysets.iter().filter(|keyset| keyset.record.state < KeysetState::Closed);
    open.map(|keyset| (keyset.record.clone(), i128::from(keyset.signed) - i128::from(keyset.spent)))
        .collect()
}

/// Moves the copy to where the vault was, durably. Its mark is there already: had the vault not followed, the mark would
/// be another lineage's, and the backup not be taken for current the next time.
fn put_in_place(copy: &Path, place: &Path) -> Result<(), RestoreError> {
    let file = fs::File::open(copy).and_then(|file| file.sync_all());
    file.map_err(failed(copy))?;
    move_file(copy, place)?;
    let folder = place.parent().expect("the vault is in a directory");
    backup::sync_directory(folder).map_err(failed(folder))
}

fn move_file(from: &Path, to: &Path) -> Result<(), RestoreError> {
    fs::rename(from, to).map_err(failed(to))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> RestoreError {
    move |source| RestoreError::File { path: path.into(), source }
}
