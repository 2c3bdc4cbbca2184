//! The wallet file: one SQLite database whose every row is sealed (`docs/adr`), and the state in it.
//!
//! Reading order: `tacit_wallet::storage` (what is sealed, and how), [`database`] (the tables), then this file. What one change writes is one
//! transaction, durable when it returns, and compared with the version of the state that it was computed from.

mod database;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use tacit_wallet::batch::Batch;
use tacit_wallet::state::State;
use tacit_wallet::storage::seal::{Keeper, Keys, Lock, LockError};
use tacit_wallet::storage::{Contents, Held as Kept, Shelf};

use self::database::{Database, Form};
use super::book::Book;
use super::passphrase::Passphrase;

/// How often a lock that another process holds is tried, every [`LOCK_PAUSE`].
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Why the wallet file does not do what is asked. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("there is no wallet at {path}: make one with `tacit wallet init`", path = path.display())]
    Missing { path: PathBuf },
    #[error("there is a wallet at {path}, which is not overwritten", path = path.display())]
    Exists { path: PathBuf },
    #[error("{path} cannot be read or written", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("another process is using the wallet {path}: try again when it has ended", path = path.display())]
    Busy { path: PathBuf },
    #[error("{path} is no wallet", path = path.display())]
    NotAWallet { path: PathBuf },
    #[error("the wallet {path} was written by a later version of this program", path = path.display())]
    Version { path: PathBuf },
    /// Not what was once written: a part is missing, or was changed by others.
    #[error("the wallet {path} is damaged: put back a copy, or restore from its words", path = path.display())]
    Damaged { path: PathBuf },
    #[error("the passphrase needs {mib} MiB of memory, which this machine does not give")]
    Memory { mib: u32 },
    #[error("the passphrase does not open the wallet {path}", path = path.display())]
    WrongPassphrase { path: PathBuf },
    #[error("the operating system gives no randomness")]
    Random(#[from] getrandom::Error),
    #[error("there is no room left to write {path}; nothing has changed", path = path.display())]
    Full { path: PathBuf },
    /// Nothing has changed.
    #[error("another process has changed the wallet: run this again")]
    Conflict,
    #[error("the database {path} failed", path = path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
}

/// Held while a wallet is being changed. Given back when dropped, and by the system if the process dies.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "its drop is its use")] File);

/// A file whose passphrase nobody has given yet.
pub(super) struct ClosedFile {
    path: PathBuf,
    database: Database,
    lock: Lock,
}

/// An open wallet file.
pub(super) struct WalletFile {
    path: PathBuf,
    database: Database,
    shelf: Shelf,
    held: Kept<Book>,
}

/// What a new file begins with.
pub(super) struct Beginning<'a> {
    pub(super) words: &'a str,
    pub(super) passphrase: &'a Passphrase,
    pub(super) keeper: Keeper,
}

/// Waits some seconds for the lock of a wallet file.
///
/// # Errors
/// [`FileError::Busy`], [`FileError::Io`].
pub(super) fn hold(path: &Path) -> Result<Held, FileError> {
    let lock = beside(path, "lock");
    let failed = |source| FileError::Io { path: lock.clone(), source };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&lock)
        .map_err(failed)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Held(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Err(FileError::Busy { path: path.into() })
}

impl ClosedFile {
    /// Finds the file and reads what is not sealed.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn find(path: &Path) -> Result<Self, FileError> {
        if let Err(source) = File::open(path) {
            let path = path.into();
            let is_missing = source.kind() == io::ErrorKind::NotFound;
            return Err(if is_missing {
                FileError::Missing { path }
            } else {
                FileError::Io { path, source }
            });
        }
        let failed = |error| of_database(error, path);
        let database = Database::open(path).map_err(failed)?;
        let lock = match database.form().map_err(failed)? {
            Form::Ours => database.lock().map_err(failed)?,
            Form::Later => return Err(FileError::Version { path: path.into() }),
            Form::Other => return Err(FileError::NotAWallet { path: path.into() }),
            Form::Broken => None,
        };
        let lock = lock.ok_or_else(|| FileError::Damaged { path: path.into() })?;
        Ok(Self { path: path.into(), database, lock })
    }

    /// Who keeps its passphrase.
    pub(super) fn keeper(&self) -> Keeper {
        self.lock.keeper
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn open(self, passphrase: &Passphrase) -> Result<WalletFile, FileError> {
        let Self { path, mut database, lock } = self;
        let keys = lock.open(passphrase.expose()).map_err(|error| of_lock(&error, &path))?;
        let contents = contents_of(&mut database, &path)?;
        let opened = Shelf::open(keys, &contents);
        let (shelf, held) = opened.ok_or_else(|| FileError::Damaged { path: path.clone() })?;
        Ok(WalletFile { path, database, shelf, held })
    }
}

impl WalletFile {
    /// Makes a wallet without money where there is no file. Durable, whole, and for its owner only once this returns
    /// `Ok`; after a crash it is there whole or not at all.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn create(path: &Path, beginning: &Beginning<'_>) -> Result<(), FileError> {
        let failed = |source| FileError::Io { path: path.into(), source };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(failed)?;
        let _held = hold(path)?;
        if fs::exists(path).map_err(failed)? {
            return Err(FileError::Exists { path: path.into() });
        }
        let new = beside(path, "new");
        // What a crash left has the permissions of then: begin afresh.
        for left in [&new, &beside(&new, "journal")] {
            match fs::remove_file(left) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
        let made = fill(&new, beginning)
            .and_then(|()| fs::rename(&new, path).map_err(failed))
            .and_then(|()| File::open(directory).and_then(|it| it.sync_all()).map_err(failed));
        if made.is_err() {
            _ = fs::remove_file(&new); // It may not have been made.
        }
        made
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The wallet's state, as it is durable.
    pub(super) fn state(&self) -> &State {
        &self.held.state
    }

    /// What the person noted about it.
    pub(super) fn book(&self) -> &Book {
        &self.held.book
    }

    /// The twelve words.
    pub(super) fn words(&self) -> &str {
        &self.held.words
    }

    /// Reads again what another process has written since.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn refresh(&mut self) -> Result<(), FileError> {
        let version = self.database.version().map_err(|error| of_database(error, &self.path))?;
        if version == self.shelf.version() { Ok(()) } else { self.load() }
    }

    /// Makes a batch durable, then applies it.
    ///
    /// # Errors
    /// [`FileError::Conflict`] if another process came first; nothing has changed then, nor with any other.
    pub(super) fn persist(&mut self, batch: &Batch) -> Result<(), FileError> {
        let mut next = self.held.clone();
        next.state.apply(batch).map_err(|_| FileError::Conflict)?;
        self.write(next)
    }

    /// Makes a change of the book durable.
    ///
    /// # Errors
    /// As [`Self::persist`].
    pub(super) fn note(&mut self, change: impl FnOnce(&mut Book)) -> Result<(), FileError> {
        let mut next = self.held.clone();
        change(&mut next.book);
        self.write(next)
    }

    /// Locks it under another passphrase.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn relock(
        &mut self,
        passphrase: &Passphrase,
        keeper: Keeper,
    ) -> Result<(), FileError> {
        let lock = Lock::close(
            self.shelf.keys().bytes(),
            passphrase.expose(),
            keeper,
            random()?,
            random()?,
        );
        let lock = lock.map_err(|error| of_lock(&error, &self.path))?;
        self.database.replace_lock(&lock).map_err(|error| of_database(error, &self.path))
    }

    fn write(&mut self, next: Kept<Book>) -> Result<(), FileError> {
        let prepared = self.shelf.prepare(&next, random)?;
        let is_first = self.database.commit(&prepared.commit);
        if !is_first.map_err(|error| of_database(error, &self.path))? {
            return Err(FileError::Conflict);
        }
        self.shelf.accept(prepared);
        self.held = next;
        Ok(())
    }

    /// Reads everything.
    fn load(&mut self) -> Result<(), FileError> {
        let contents = contents_of(&mut self.database, &self.path)?;
        let held = self.shelf.reopen(&contents);
        self.held = held.ok_or_else(|| FileError::Damaged { path: self.path.clone() })?;
        Ok(())
    }
}

fn contents_of(database: &mut Database, path: &Path) -> Result<Contents, FileError> {
    let contents = database.contents().map_err(|error| of_database(error, path))?;
    contents.ok_or_else(|| FileError::Damaged { path: path.into() })
}

/// Fills an empty file.
fn fill(path: &Path, beginning: &Beginning<'_>) -> Result<(), FileError> {
    let Beginning { words, passphrase, keeper } = beginning;
    let bytes = zeroize::Zeroizing::new(random::<32>()?);
    let lock = Lock::close(&bytes, passphrase.expose(), *keeper, random()?, random()?);
    let lock = lock.map_err(|error| of_lock(&error, path))?;
    let words = zeroize::Zeroizing::new((*words).to_owned());
    let held = Kept { words, state: State::default(), book: Book::default() };
    let contents = Shelf::begin(&Keys::of(&bytes), &held, random)?;
    let made = Database::open(path).and_then(|mut database| database.begin(&lock, &contents));
    made.map_err(|error| of_database(error, path))
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// `wallet.lock` for `wallet`: the whole name stays, so that two wallets do not meet.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn of_lock(error: &LockError, path: &Path) -> FileError {
    match *error {
        LockError::Damaged => FileError::Damaged { path: path.into() },
        LockError::Memory { mib } => FileError::Memory { mib },
        LockError::WrongPassphrase => FileError::WrongPassphrase { path: path.into() },
    }
}

fn of_database(source: rusqlite::Error, path: &Path) -> FileError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => FileError::NotAWallet { path },
        Some(ErrorCode::DatabaseCorrupt) => FileError::Damaged { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FileError::Busy { path },
        Some(ErrorCode::DiskFull) => FileError::Full { path },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            let source = io::Error::other(source);
            FileError::Io { path, source }
        }
        // A table that is missing, or holds other kinds of values.
        None => FileError::Damaged { path },
        Some(_) => FileError::Database { path, source },
    }
}
