//! The desk in one SQLite file.
//!
//! Write-ahead log, every commit synced before it returns, what is deleted overwritten: as with the vault. One connection
//! does all of it, for whoever logs in and looks around is no load.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior};
use secp256k1::PublicKey;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::{Desk, MIGRATIONS, OpenError};
use crate::file;
use crate::file_lock::FileLock;

/// Marks the file as a desk of this system: "TCTD".
const APPLICATION_ID: i32 = 0x5443_5444;

/// How long another connection is waited for: a backup, or `tacitd` at the command line.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages copied between two reports of progress: some megabytes.
const PAGES_A_STEP: i32 = 1024;

/// Statements kept prepared: about all that the desk has.
const STATEMENTS: usize = 128;

/// A connection to the desk's file, and the lock that keeps a second instance out.
pub struct SqliteEngine {
    connection: Connection,
    /// Released by the system when the process dies; `None` for whoever only looks.
    lock: Option<FileLock>,
}

/// The desk in a file.
pub type SqliteDesk = Desk<SqliteEngine>;

impl SqliteDesk {
    /// Opens the desk at `path`, and makes or migrates it first, if need be.
    ///
    /// `mint`: identity key of the mint it belongs to, remembered when it is made.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, mint: &PublicKey) -> Result<Self, OpenError> {
        let lock = file::lock(path)?;
        file::create(path).map_err(OpenError::File)?;
        let mut connection = connect(path)?;
        migrate(&mut connection)?;
        Self::on(SqliteEngine { connection, lock: Some(lock) }, mint)
    }

    /// Opens the desk at `path` to look at it, whoever else has it open.
    ///
    /// # Errors
    /// [`OpenError`]; a desk that is not there is not made, and one of an older schema is not migrated.
    pub fn look(path: &Path, mint: &PublicKey) -> Result<Self, OpenError> {
        let connection = connect(path)?;
        if schema_version(&connection)? != MIGRATIONS.len() {
            return Err(OpenError::NotADesk);
        }
        connection.pragma_update(None, "query_only", true).map_err(failed)?;
        Self::on(SqliteEngine { connection, lock: None }, mint)
    }
}

impl Engine for SqliteEngine {
    fn transact<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Statements) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        // Immediate, so that nothing read in it can be out of date when it writes. Whoever only looks may not write.
        let behavior = if self.lock.is_none() {
            TransactionBehavior::Deferred
        } else {
            TransactionBehavior::Immediate
        };
        let transaction =
            self.connection.transaction_with_behavior(behavior).map_err(before_commit)?;
        let done = work(&mut Open { connection: &transaction })?;
        transaction.commit().map_err(at_commit)?;
        Ok(done)
    }
}

struct Open<'a> {
    connection: &'a Connection,
}

impl Statements for Open<'_> {
    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let changed = statement.execute(rusqlite::params_from_iter(parameters)).map_err(fault)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Fault> {
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(fault)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            let values: Result<_, Fault> =
                (0..columns).map(|column| value_of(row.get_ref(column).map_err(fault)?)).collect();
            all.push(Row(values?));
        }
        Ok(all)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value_of(value: ValueRef<'_>) -> Result<Value, Fault> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text);
            Value::Text(
                text.map_err(|_| Fault::Malformed("a text of the desk is none"))?.to_owned(),
            )
        }
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(Fault::Malformed("the desk holds no fractions")),
    })
}

fn fault(error: rusqlite::Error) -> Fault {
    Fault::Store(before_commit(error))
}

/// What it means to a caller: nothing has been written.
fn before_commit(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::PermissionDenied
            | ErrorCode::CannotOpen,
        ) => StoreError::Unwritable(Box::new(error)),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt("the desk's file is damaged")
        }
        Some(ErrorCode::ConstraintViolation) => {
            StoreError::Corrupt("a row of the desk contradicts those that are there")
        }
        Some(_) | None => StoreError::Failed(Box::new(error)),
    }
}

/// What it means to a caller when the commit itself failed: after an error of the disk, it may be found written.
fn at_commit(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::Failed(Box::new(error)),
        Some(_) | None => before_commit(error),
    }
}

fn failed(error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADesk,
        Some(_) | None => OpenError::Store(before_commit(error)),
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let configured = || {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        file::plan_once(&connection)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "journal_size_limit", 0)
    };
    configured().map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn schema_version(connection: &Connection) -> Result<usize, OpenError> {
    let read = || -> rusqlite::Result<(i32, i64, i64)> {
        Ok((
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
            connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
        ))
    };
    let (application, version, tables) = read().map_err(failed)?;
    match usize::try_from(version) {
        Ok(version) if application == APPLICATION_ID => Ok(version),
        Ok(0) if application == 0 && tables == 0 => Ok(0), // Newly made.
        Ok(_) | Err(_) => Err(OpenError::NotADesk),
    }
}

/// Applies the migrations that are missing, each in a commit of its own.
fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let (found, known) = (schema_version(connection)?, MIGRATIONS.len());
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for (version, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        let mut apply = || {
            let change = connection.transaction()?;
            change.execute_batch(migration)?;
            change.pragma_update(None, "application_id", APPLICATION_ID)?;
            change.pragma_update(None, "user_version", i64::try_from(version + 1).expect("few"))?;
            change.commit()
        };
        apply().map_err(failed)?;
    }
    Ok(())
}

/// Copies one moment of the desk at `source` to a new file at `target`, beside whoever has it open, and returns once the
/// copy is durable. `progress`: told the pages copied and those there are.
///
/// # Errors
/// [`OpenError`]; a file may be left at `target`.
pub fn copy(source: &Path, target: &Path, progress: impl FnMut(u64, u64)) -> Result<(), OpenError> {
    let mut from = connect(source)?;
    let moment = from.transaction().map_err(failed)?;
    file::create(target).map_err(OpenError::File)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut into = Connection::open_with_flags(target, flags).map_err(failed)?;
    file::copy_pages(&moment, &mut into, PAGES_A_STEP, progress).map_err(failed)?;
    into.close().map_err(|(_, error)| failed(error))?;
    File::open(target).and_then(|file| file.sync_all()).map_err(OpenError::File)
}

/// Whether every page of the desk at `path` is as SQLite wrote it: the first thing wrong, if anything is.
///
/// # Errors
/// [`OpenError`].
pub fn first_damage(path: &Path) -> Result<Option<String>, OpenError> {
    file::first_damage(&connect(path)?).map_err(failed)
}
