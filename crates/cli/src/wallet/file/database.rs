//! The tables of a wallet file, and what is read and written in one transaction.
//!
//! No write-ahead log: beside the file there is a journal during a commit, and nothing else. `EXTRA` makes a commit
//! durable also in the directory, which with such a journal `FULL` does not.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use tacit_wallet::storage::seal::{Cost, Keeper, Lock};
use tacit_wallet::storage::{Commit, Contents, Sealed};

/// "TacW": says whose file it is, to `file(1)` too.
const APPLICATION: i32 = 0x5461_6357;
/// Form of the file. A later one is refused.
const VERSION: i32 = 1;

const TABLES: &str = "
    CREATE TABLE lock (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        keeper TEXT NOT NULL,
        memory_kib INTEGER NOT NULL,
        passes INTEGER NOT NULL,
        lanes INTEGER NOT NULL,
        salt BLOB NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        version INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE row (
        name BLOB PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
";

pub(super) struct Database(Connection);

/// What kind of file it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    Ours,
    Later,
    Other,
    Broken,
}

impl Database {
    /// Opens a file that is there.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        connection.pragma_update(None, "secure_delete", true)?;
        // What others wrote into the file is data: no trigger or view of theirs runs.
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(Self(connection))
    }

    /// Makes the tables in an empty file.
    pub(super) fn begin(&mut self, lock: &Lock, contents: &Contents) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        insert_lock(&transaction, lock)?;
        transaction.execute("INSERT INTO head VALUES (0, 0, ?1)", [&contents.head])?;
        insert(&transaction, &contents.rows)?;
        transaction.commit()
    }

    pub(super) fn form(&self) -> rusqlite::Result<Form> {
        let pragma = |name| self.0.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        Ok(match (pragma("application_id")?, pragma("user_version")?) {
            (APPLICATION, VERSION) => Form::Ours,
            (APPLICATION, later) if VERSION < later => Form::Later,
            (APPLICATION, _) => Form::Broken,
            _ => Form::Other,
        })
    }

    /// The lock; `None` if there is none, or none that could have been written here.
    pub(super) fn lock(&self) -> rusqlite::Result<Option<Lock>> {
        let query = "SELECT keeper, memory_kib, passes, lanes, salt, sealed FROM lock";
        let lock = self.0.query_row(query, [], |row| {
            let keeper: String = row.get(0)?;
            let cost = Cost { memory_kib: row.get(1)?, passes: row.get(2)?, lanes: row.get(3)? };
            let (salt, sealed) = (row.get(4)?, row.get(5)?);
            Ok(Keeper::from_name(&keeper).map(|keeper| Lock { keeper, cost, salt, sealed }))
        });
        lock.optional().map(Option::flatten)
    }

    /// Puts another lock in the place of the one there.
    pub(super) fn replace_lock(&mut self, lock: &Lock) -> rusqlite::Result<()> {
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM lock", [])?;
        insert_lock(&transaction, lock)?;
        transaction.commit()
    }

    /// The version now.
    pub(super) fn version(&self) -> rusqlite::Result<i64> {
        self.0.query_row("SELECT version FROM head", [], |row| row.get(0))
    }

    /// Everything, as one transaction sees it; `None` if there is no head.
    pub(super) fn contents(&mut self) -> rusqlite::Result<Option<Contents>> {
        let transaction = self.0.transaction()?;
        let head = transaction
            .query_row("SELECT version, sealed FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let rows = transaction
            .prepare("SELECT name, sealed FROM row")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        transaction.finish()?;
        Ok(head.map(|(version, head)| Contents { version, head, rows }))
    }

    /// Writes a commit, durable when this returns; `false`, and nothing is written, if another came first.
    pub(super) fn commit(&mut self, commit: &Commit) -> rusqlite::Result<bool> {
        let Commit { before, head, changed, gone } = commit;
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let update = "UPDATE head SET version = ?1 + 1, sealed = ?2 WHERE version = ?1";
        if transaction.execute(update, params![before, head])? != 1 {
            return Ok(false);
        }
        for name in gone {
            transaction.execute("DELETE FROM row WHERE name = ?1", [name.as_slice()])?;
        }
        insert(&transaction, changed)?;
        transaction.commit()?;
        Ok(true)
    }
}

fn insert(connection: &Connection, rows: &[Sealed]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT OR REPLACE INTO row VALUES (?1, ?2)")?;
    for (name, sealed) in rows {
        insert.execute(params![name.as_slice(), sealed])?;
    }
    Ok(())
}

fn insert_lock(connection: &Connection, lock: &Lock) -> rusqlite::Result<()> {
    let Lock { keeper, cost: Cost { memory_kib, passes, lanes }, salt, sealed } = lock;
    let values = params![keeper.name(), memory_kib, passes, lanes, salt.as_slice(), sealed];
    connection.execute("INSERT INTO lock VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6)", values)?;
    Ok(())
}
