//! The vault in one SQLite file: one writer, any number of readers.
//!
//! Write-ahead log, every commit synced before it returns. Reading order: this file (opening), [`row`] (how
//! nouns are spelled), [`write`] and [`apply`] (a commit), [`read`] (the readers), [`books`] (the audit's sums),
//! [`archive`] (what is sealed), [`era`] and [`filter`] (what is of past days), [`checkpoint`] (the log), [`mark`] and
//! [`backup`] (older copies, and how to make and know one).

mod apply;
mod archive;
pub mod backup;
mod bill;
mod books;
mod checkpoint;
mod era;
mod fault;
mod filter;
pub mod mark;
mod read;
mod row;
mod write;

use std::fs::TryLockError;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use secp256k1::PublicKey;
use tacit_core::time::Day;

use tacit_service::keyset::KeysetRecord;

use self::checkpoint::Checkpointer;
pub use self::era::Eras;
use self::era::{Era, Maker};
use self::fault::Fault;
use self::mark::Marked;
use crate::file;
use crate::file_lock::FileLock;

/// The schema's history. `user_version` counts those applied; one that has shipped is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_vault.sql"),
    include_str!("../migrations/0002_lineage.sql"),
    include_str!("../migrations/0003_holders.sql"),
    include_str!("../migrations/0004_orders.sql"),
    include_str!("../migrations/0005_released.sql"),
    include_str!("../migrations/0006_quote_request.sql"),
    include_str!("../migrations/0007_passport.sql"),
    include_str!("../migrations/0008_bills.sql"),
];

/// The first schema whose vaults are marked as open before anything is written to them.
const MARKED_FROM: usize = 2;

/// Which of several copies that each went on by itself: 16 random bytes.
pub type Lineage = [u8; 16];

/// Marks the file as a vault of this system: "TCTV".
const APPLICATION_ID: i32 = 0x5443_5456;

/// Statements kept prepared by each connection: all that the vault has.
const STATEMENTS: usize = 64;

/// Why a vault was not opened. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, writes to it.
    #[error("another process has the vault open for writing")]
    InUse,
    /// The file or its folder cannot be used.
    #[error("the vault's file cannot be used")]
    File(#[source] std::io::Error),
    /// SQLite cannot open it.
    #[error("the vault cannot be opened")]
    Sqlite(#[source] rusqlite::Error),
    /// The file is another program's database.
    #[error("the file is no vault")]
    NotAVault,
    /// Written by a later version of this program.
    #[error("the vault has schema {found}, this program knows up to {known}")]
    TooNew {
        /// Version of its schema.
        found: usize,
        /// Latest version this program knows.
        known: usize,
    },
    /// An older schema, which only the writer brings up to date.
    #[error("the vault has schema {found}, this program reads {known}: open it for writing once")]
    TooOld {
        /// Version of its schema.
        found: usize,
        /// Version this program reads.
        known: usize,
    },
    /// It belongs to a mint of another identity, so of another seed.
    #[error("the vault belongs to another mint")]
    OtherMint,
    /// It was moved to another store, which may have answered since.
    #[error("this vault was moved to another store: it would forget what was spent there")]
    Moved,
    /// It is being moved to another store.
    #[error(
        "this vault is being moved to another store: finish that with tacitd migrate, or call it off"
    )]
    Moving,
    /// A copy from before: it would forget what was spent since, and let it be spent again.
    #[error(
        "this vault is an older copy: it has had {found} commits, the mint has answered for {known}"
    )]
    OlderCopy {
        /// Commits it has had.
        found: u64,
        /// Commits that the mark beside it knows of.
        known: u64,
    },
    /// It has been written to, and a vault that is written to has a mark: so this is a copy of one.
    #[error(
        "this vault is a copy without its mark (vault.sqlite.mark): tacitd restore puts a backup in place"
    )]
    NoMark,
    /// A copy that went on by itself, beside the vault that the mint has answered for.
    #[error("this vault is a copy that went on by itself: the mint has answered for another")]
    OtherLineage,
    /// What is stored contradicts itself.
    #[error("the vault is corrupt: {0}")]
    Corrupt(&'static str),
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sqlite(error) => match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => Self::NotAVault,
                Some(_) | None => Self::Sqlite(error),
            },
            Fault::Malformed(what) => Self::Corrupt(what),
            Fault::OutOfRange => Self::Corrupt("a number is out of range"),
        }
    }
}

impl From<TryLockError> for OpenError {
    fn from(error: TryLockError) -> Self {
        match error {
            TryLockError::WouldBlock => Self::InUse,
            TryLockError::Error(error) => Self::File(error),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sqlite(error).into()
    }
}

/// What the one writer remembers between commits, so as not to read it for each. Changed only after a commit,
/// read anew after a failed one.
#[derive(Clone, Debug)]
struct Known {
    keysets: Vec<KeysetRecord>,
    open_day: Day,
    commits: u64,
    era: Era,
    /// Proofs spent and outputs signed in the open era; above what closes it they are not told apart.
    era_rows: (u64, u64),
}

/// The vault's writer.
pub struct SqliteVault {
    connection: Connection,
    checkpointer: Checkpointer,
    /// `None` after a failure, until it is read again.
    known: Option<Known>,
    /// Where the archiving of sealed keysets goes on; `None` when there is nothing left to archive.
    archive_from: Option<archive::Place>,
    eras: Eras,
    filters: Maker,
    /// Rows from which an era is closed at the end of the day.
    era_rows: u64,
    is_corrupt: bool,
    mark: mark::Mark,
    /// Held locked for as long as the writer lives; the system releases it when the process dies.
    _lock: FileLock,
}

impl SqliteVault {
    /// Opens the vault at `path` for writing; makes or migrates it first, if need be.
    ///
    /// `mint`: the identity key of the mint it belongs to, remembered when the vault is made.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, mint: &PublicKey) -> Result<Self, OpenError> {
        Self::open_in(path, mint, Move::None)
    }

    fn open_in(path: &Path, mint: &PublicKey, allowed: Move) -> Result<Self, OpenError> {
        let lock = file::lock(path)?;
        file::create(path).map_err(OpenError::File)?;
        let mut connection = connect(path)?;
        configure_writer(&connection)?;
        let had_mark = schema_version(&connection)? >= MARKED_FROM;
        migrate(&mut connection, mint)?;
        if mint_identity(&connection)? != *mint {
            return Err(OpenError::OtherMint);
        }
        let known = write::known_of(&connection)?;
        match moves(&connection)? {
            Move::Done => return Err(OpenError::Moved),
            Move::UnderWay if allowed == Move::None => return Err(OpenError::Moving),
            Move::None | Move::UnderWay => {}
        }
        let mark = open_mark(&connection, path, known.commits, had_mark)?;
        connection.busy_timeout(WRITER_PATIENCE)?;
        let eras = era::load(&connection, known.era)?;
        let mut filters = Maker::new(path, eras.clone());
        if era::tables_with_strays(&connection, known.era)? > 0 {
            return Err(OpenError::Corrupt("a row is of an era to come"));
        }
        filters.start(known.era)?;
        Ok(Self {
            checkpointer: Checkpointer::start(path)?,
            eras,
            filters,
            era_rows: era::ROWS,
            connection,
            known: Some(known),
            archive_from: Some(archive::START), // Whatever a crash left in the middle.
            is_corrupt: false,
            mark,
            _lock: lock,
        })
    }
}

impl SqliteVault {
    /// Draws a new lineage: this copy goes on by itself, and the vault it was taken from is no longer it.
    ///
    /// # Errors
    /// [`OpenError`]; then the vault keeps its lineage.
    pub fn begin_lineage(&mut self) -> Result<(), OpenError> {
        self.connection.execute("UPDATE vault SET lineage = randomblob(16)", [])?;
        let lineage = lineage_of(&self.connection)?;
        self.mark.set_lineage(lineage).map_err(OpenError::File)
    }

    /// Says in the vault that another store has taken over. It is not opened again.
    ///
    /// # Errors
    /// [`OpenError`]; then it may be opened again.
    pub fn mark_moved(mut self) -> Result<(), OpenError> {
        // Of another lineage, so that no backup of before is taken for what has gone on elsewhere.
        let sql = "UPDATE vault SET moved = 2, commits = commits + 1, lineage = randomblob(16)";
        self.connection.execute(sql, [])?;
        let lineage = lineage_of(&self.connection)?;
        self.mark.set_lineage(lineage).map_err(OpenError::File)
    }

    /// Opens a vault that is to move, or whose move was cut off, and says in it that it is about to: until the move ends, or
    /// is called off, it is opened by nothing else.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_to_move(path: &Path, mint: &PublicKey) -> Result<Self, OpenError> {
        let vault = Self::open_in(path, mint, Move::UnderWay)?;
        vault.connection.execute("UPDATE vault SET moved = 1 WHERE moved = 0", [])?;
        Ok(vault)
    }

    /// Says that it stays after all.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn call_move_off(self) -> Result<(), OpenError> {
        self.connection.execute("UPDATE vault SET moved = 0 WHERE moved = 1", [])?;
        Ok(())
    }

    /// The same with eras that are closed from so many signed outputs on, at the end of a day: for tests, which do not
    /// come to the million that eras have otherwise.
    pub fn with_era_rows(mut self, rows: u64) -> Self {
        self.era_rows = rows;
        self
    }

    /// The same with a file that is full at so many pages: for tests, which have no disk to fill. SQLite then answers as it
    /// does when the disk is full.
    ///
    /// # Errors
    /// [`OpenError::Sqlite`].
    pub fn with_pages_max(self, pages: u32) -> Result<Self, OpenError> {
        self.connection.pragma_update(None, "max_page_count", pages)?;
        Ok(self)
    }

    /// What readers of the same process need not look into the file for.
    pub fn eras(&self) -> Eras {
        self.eras.clone()
    }
}

impl Drop for SqliteVault {
    fn drop(&mut self) {
        if let Some(known) = &self.known {
            // A mark that cannot be written stays behind: it then finds fewer copies out, and refuses none wrongly.
            _ = self.mark.close(known.commits);
            // Filters that cannot be kept are made again.
            self.filters.stop();
            _ = self.filters.keep(&self.connection, usize::MAX);
        }
    }
}

/// A reader of the vault: sees what is committed and nothing else. Any number may be open beside the writer,
/// also in other processes.
pub struct SqliteReader {
    connection: Connection,
    eras: Eras,
}

impl SqliteReader {
    /// Opens the vault at `path` for reading.
    ///
    /// # Errors
    /// [`OpenError`]; a vault that is not there is not made.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        // Opened for writing all the same: the first connection has to recover the log after a crash.
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let (found, known) = (schema_version(&connection)?, MIGRATIONS.len());
        if found != known {
            let too_old = OpenError::TooOld { found, known };
            return Err(if found < known { too_old } else { OpenError::TooNew { found, known } });
        }
        Ok(Self { connection, eras: Eras::default() })
    }

    /// The same with what the writer of the same vault knows of past eras, which saves looking into each.
    pub fn with_eras(mut self, eras: Eras) -> Self {
        self.eras = eras;
        self
    }

    /// Whether it moves to another store.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn moves(&self) -> Result<Move, OpenError> {
        Ok(moves(&self.connection)?)
    }

    /// The identity key of the mint the vault belongs to.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn mint(&self) -> Result<PublicKey, OpenError> {
        Ok(mint_identity(&self.connection)?)
    }
}

/// How long a connection waits for another one: only making and recovering the log ever needs it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the writer waits for readers, once it is open: they only stand in the way of emptying the log.
const WRITER_PATIENCE: Duration = Duration::from_millis(20);

/// Bytes of a page. Half of SQLite's usual size: a swap into a large vault changes four pages, and each is written
/// whole, to the log and then to the database; half again would make the tree one level deeper.
const PAGE_SIZE: i64 = 2048;

/// Page cache of the writer: all inner pages of a vault of some 40 million rows of each kind.
const WRITER_CACHE_KIB: i64 = 96 * 1024;

/// Page cache of each reader.
const READER_CACHE_KIB: i64 = 4 * 1024;

/// Holds a vault against its mark, and marks it as open.
fn open_mark(
    connection: &Connection,
    path: &Path,
    commits: u64,
    had_mark: bool,
) -> Result<mark::Mark, OpenError> {
    let lineage = lineage_of(connection)?;
    if let Some(marked) = Marked::read(&mark::beside(path)).map_err(OpenError::File)? {
        if marked.lineage.is_some_and(|known| known != lineage) {
            return Err(OpenError::OtherLineage);
        }
        if commits < marked.commits {
            return Err(OpenError::OlderCopy { found: commits, known: marked.commits });
        }
    } else if had_mark && commits > 0 {
        return Err(OpenError::NoMark);
    }
    mark::Mark::open(path, lineage, commits).map_err(OpenError::File)
}

fn lineage_of(connection: &Connection) -> Result<Lineage, Fault> {
    Ok(connection.query_row("SELECT lineage FROM vault", [], |row| row.get(0))?)
}

/// Whether a vault moves to another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It does not.
    None,
    /// It is being moved, or was when the power went.
    UnderWay,
    /// Another store has taken over.
    Done,
}

fn moves(connection: &Connection) -> Result<Move, Fault> {
    let state: i64 = connection.query_row("SELECT moved FROM vault", [], |row| row.get(0))?;
    match state {
        0 => Ok(Move::None),
        1 => Ok(Move::UnderWay),
        2 => Ok(Move::Done),
        _ => Err(Fault::Malformed("the vault has moved nowhere known")),
    }
}

/// A connection to a file that is there.
fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    file::plan_once(&connection)?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn configure_writer(connection: &Connection) -> Result<(), OpenError> {
    connection.pragma_update(None, "page_size", PAGE_SIZE)?; // Of effect in a new file only.
    connection.pragma_update(None, "journal_mode", "wal")?;
    // What is deleted is overwritten: a released hold or a dropped quote must not be found in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?; // The checkpointer's task.
    // When the log starts anew it shrinks: old pages in it would show what was written together.
    connection.pragma_update(None, "journal_size_limit", 0)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn schema_version(connection: &Connection) -> Result<usize, OpenError> {
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(version) if application == APPLICATION_ID => Ok(version),
        Ok(0) if application == 0 && tables == 0 => Ok(0), // Newly made.
        Ok(_) | Err(_) => Err(OpenError::NotAVault),
    }
}

/// Applies the migrations that are missing, each in a commit of its own.
fn migrate(connection: &mut Connection, mint: &PublicKey) -> Result<(), OpenError> {
    let (found, known) = (schema_version(connection)?, MIGRATIONS.len());
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for (version, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        let change = connection.transaction()?;
        change.execute_batch(migration)?;
        if version == 0 {
            change.execute(
                "INSERT INTO vault (one, mint, open_day, commits, filter_salt)
                 VALUES (1, ?1, 0, 0, randomblob(16))",
                [mint.serialize()],
            )?;
            change.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        change.pragma_update(None, "user_version", i64::try_from(version + 1).expect("few"))?;
        change.commit()?;
    }
    Ok(())
}

fn mint_identity(connection: &Connection) -> Result<PublicKey, Fault> {
    let bytes: [u8; 33] = connection.query_row("SELECT mint FROM vault", [], |row| row.get(0))?;
    PublicKey::from_slice(&bytes).map_err(|_| Fault::Malformed("the mint's identity is no key"))
}
