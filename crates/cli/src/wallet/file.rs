//! The wallet file: one SQLite database whose every row is sealed (`docs/adr`), and the state in it.
//!
//! Reading order: [`seal`] (the cryptography), [`row`] (a state as rows), [`database`] (the tables), then this file. What one change writes is one
//! transaction, durable when it returns, and compared with the version of the state that it was computed from.

mod database;
mod row;
pub(super) mod seal;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_wallet::batch::Batch;
use tacit_wallet::state::State;

use self::database::{Commit, Contents, Database, Form, Sealed};
use self::row::Rows;
use self::seal::{Keeper, Keys, Lock, LockError};
use super::book::Book;
use super::passphrase::Passphrase;

/// How often a lock that another process holds is tried, every [`LOCK_PAUSE`].
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Paths of the rows that are no part of the state.
const WORDS: &str = "own words";
const BOOK: &str = "own book";
/// What the head is sealed as: no row is called so, for names have 16 bytes.
const HEAD: &[u8] = b"tacit wallet head 1";

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
    keys: Keys,
    version: i64,
    rows: Rows,
    /// A piece of what each row is sealed as, by its name: the head holds a digest of them all.
    seals: BTreeMap<[u8; 16], [u8; 16]>,
    /// The twelve words.
    words: String,
    state: State,
    book: Book,
}

/// What makes of many rows one file: none can be taken out, or be an older one, without notice.
#[derive(Serialize, Deserialize)]
struct Head {
    version: i64,
    rows: usize,
    digest: String,
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
        let Self { path, database, lock } = self;
        let keys = lock.open(passphrase).map_err(|error| of_lock(&error, &path))?;
        let mut file = WalletFile {
            path,
            database,
            keys,
            version: 0,
            rows: Rows::new(),
            seals: BTreeMap::new(),
            words: String::new(),
            state: State::default(),
            book: Book::default(),
        };
        file.load()?;
        Ok(file)
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
        &self.state
    }

    /// What the person noted about it.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// The twelve words.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Reads again what another process has written since.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn refresh(&mut self) -> Result<(), FileError> {
        let version = self.database.version().map_err(|error| of_database(error, &self.path))?;
        if version == self.version { Ok(()) } else { self.load() }
    }

    /// Makes a batch durable, then applies it.
    ///
    /// # Errors
    /// [`FileError::Conflict`] if another process came first; nothing has changed then, nor with any other.
    pub(super) fn persist(&mut self, batch: &Batch) -> Result<(), FileError> {
        let mut next = self.state.clone();
        next.apply(batch).map_err(|_| FileError::Conflict)?;
        self.write(next, self.book.clone())
    }

    /// Makes a change of the book durable.
    ///
    /// # Errors
    /// As [`Self::persist`].
    pub(super) fn note(&mut self, change: impl FnOnce(&mut Book)) -> Result<(), FileError> {
        let mut book = self.book.clone();
        change(&mut book);
        self.write(self.state.clone(), book)
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
        let lock = Lock::close(self.keys.bytes(), passphrase, keeper, random()?, random()?);
        let lock = lock.map_err(|error| of_lock(&error, &self.path))?;
        self.database.replace_lock(&lock).map_err(|error| of_database(error, &self.path))
    }

    fn write(&mut self, state: State, book: Book) -> Result<(), FileError> {
        let next = rows_of(&self.words, &state, &book);
        let is_new = |(path, value): &(&String, &Value)| self.rows.get(*path) != Some(value);
        let changed = seal_rows(&self.keys, next.iter().filter(is_new))?;
        let gone = self.rows.keys().filter(|path| !next.contains_key(*path));
        let gone: Vec<[u8; 16]> = gone.map(|path| self.keys.name(path)).collect();
        let mut seals = self.seals.clone();
        seals.retain(|name, _| !gone.contains(name));
        seals.extend(changed.iter().map(|(name, sealed)| (*name, tail(sealed))));
        let (before, version) = (self.version, self.version + 1);
        let head = seal_head(&self.keys, version, &seals)?;
        let commit = Commit { before, head: &head, changed: &changed, gone: &gone };
        let is_first = self.database.commit(&commit);
        if !is_first.map_err(|error| of_database(error, &self.path))? {
            return Err(FileError::Conflict);
        }
        (self.version, self.rows, self.seals) = (version, next, seals);
        (self.state, self.book) = (state, book);
        Ok(())
    }

    /// Reads everything.
    fn load(&mut self) -> Result<(), FileError> {
        let contents = self.database.contents().map_err(|error| of_database(error, &self.path))?;
        let read = contents.and_then(|contents| self.read(&contents));
        read.ok_or_else(|| FileError::Damaged { path: self.path.clone() })
    }

    /// Takes what was read, if it is whole; `None` if it is not.
    fn read(&mut self, contents: &Contents) -> Option<()> {
        let Contents { version, head, rows: sealed } = contents;
        let head: Head = serde_json::from_slice(&self.keys.open(HEAD, head)?).ok()?;
        let seals: BTreeMap<_, _> =
            sealed.iter().map(|(name, sealed)| (*name, tail(sealed))).collect();
        if (head.version, head.rows, head.digest) != (*version, seals.len(), digest(&seals)) {
            return None;
        }
        let mut rows = Rows::new();
        for (name, sealed) in sealed {
            // A row says itself where it belongs: its name is a hash of that.
            let content = self.keys.open(name, sealed)?;
            let (path, value): (String, Value) = serde_json::from_slice(&content).ok()?;
            rows.insert(path, value);
        }
        let mut of_state = rows.clone();
        let words = of_state.remove(WORDS)?.as_str()?.to_owned();
        let book = serde_json::from_value(of_state.remove(BOOK)?).ok()?;
        let state = row::join(&of_state)?;
        (self.version, self.rows, self.seals) = (*version, rows, seals);
        (self.words, self.state, self.book) = (words, state, book);
        Some(())
    }
}

/// Fills an empty file.
fn fill(path: &Path, beginning: &Beginning<'_>) -> Result<(), FileError> {
    let Beginning { words, passphrase, keeper } = beginning;
    let bytes = zeroize::Zeroizing::new(random::<32>()?);
    let lock = Lock::close(&bytes, passphrase, *keeper, random()?, random()?);
    let lock = lock.map_err(|error| of_lock(&error, path))?;
    let keys = Keys::of(&bytes);
    let rows = rows_of(words, &State::default(), &Book::default());
    let rows = seal_rows(&keys, rows.iter())?;
    let seals = rows.iter().map(|(name, sealed)| (*name, tail(sealed))).collect();
    let head = seal_head(&keys, 0, &seals)?;
    let made = Database::open(path).and_then(|mut database| database.begin(&lock, &head, &rows));
    made.map_err(|error| of_database(error, path))
}

fn rows_of(words: &str, state: &State, book: &Book) -> Rows {
    let mut rows = row::split(state);
    rows.insert(WORDS.to_owned(), Value::String(words.to_owned()));
    let book = serde_json::to_value(book).expect("a book has text keys and no failing field");
    rows.insert(BOOK.to_owned(), book);
    rows
}

fn seal_rows<'a>(
    keys: &Keys,
    rows: impl Iterator<Item = (&'a String, &'a Value)>,
) -> Result<Vec<Sealed>, FileError> {
    rows.map(|row| {
        let name = keys.name(row.0);
        let content = serde_json::to_vec(&row).expect("JSON of JSON does not fail");
        let content = zeroize::Zeroizing::new(content);
        Ok((name, keys.seal(&name, &content, random()?)))
    })
    .collect()
}

fn seal_head(
    keys: &Keys,
    version: i64,
    seals: &BTreeMap<[u8; 16], [u8; 16]>,
) -> Result<Vec<u8>, FileError> {
    let head = Head { version, rows: seals.len(), digest: digest(seals) };
    let head = serde_json::to_vec(&head).expect("two numbers and a text have a JSON");
    Ok(keys.seal(HEAD, &head, random()?))
}

/// Over names and tags, in the order of the names: another row, or an older one, makes another digest.
fn digest(seals: &BTreeMap<[u8; 16], [u8; 16]>) -> String {
    let mut digest = Sha256::new();
    for (name, tag) in seals {
        digest.update(name);
        digest.update(tag);
    }
    hex::encode(&digest.finalize())
}

/// The cipher's tag, which ends what it made.
fn tail(sealed: &[u8]) -> [u8; 16] {
    sealed.last_chunk().copied().unwrap_or_default()
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
