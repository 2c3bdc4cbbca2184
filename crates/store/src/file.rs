//! Files: small ones that a crash leaves as they were, or as they were to be; and those of databases.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;

use crate::file_lock::FileLock;

/// Puts a text in the place of what the file holds, whole.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?; // Before the name: else a loss of power could leave it empty.
    drop(file);
    fs::rename(&new, path)
}

/// Makes durable that a file is there.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Takes the lock of whoever writes to a database: a file beside it, because a lock inside SQLite would shut readers out.
pub(crate) fn lock(database: &Path) -> Result<FileLock, TryLockError> {
    let mut beside = PathBuf::from(database).into_os_string();
    beside.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(beside);
    FileLock::take(file.map_err(TryLockError::Error)?)
}

/// Makes a database's file if it is not there, readable by its owner alone. SQLite gives its log the same rights.
pub(crate) fn create(database: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(database).map(drop)
}

/// Has a statement prepared once, whatever numbers it is asked with.
///
/// SQLite plans a query with `LIMIT ?` anew each time it is asked, in case the number makes another plan better: for a page of a
/// statement that took nearly as long as the query.
pub(crate) fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Copies the moment that `from` looks at to `into`, so many pages at a time. `progress`: told those copied and those there
/// are.
pub(crate) fn copy_pages(
    from: &Connection,
    into: &mut Connection,
    pages_a_step: i32,
    mut progress: impl FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let backup = Backup::new(from, into)?;
    loop {
        let step = backup.step(pages_a_step)?;
        let pages = backup.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
        progress(count(pages.pagecount - pages.remaining), count(pages.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Only while the log is being recovered or made.
            StepResult::Busy | StepResult::Locked | _ => {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// The first page that is not as SQLite wrote it, if any is.
pub(crate) fn first_damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// How often a page of a table is planned beyond the first time, if it is asked for as often as there are pages.
    fn planned_again(connection: &Connection) -> i32 {
        connection
            .execute_batch("CREATE TABLE line (number INTEGER PRIMARY KEY, text TEXT)")
            .unwrap();
        let sql = "SELECT text FROM line WHERE number > ?1 ORDER BY text LIMIT ?2 OFFSET ?3";
        let mut statement = connection.prepare(sql).unwrap();
        for page in 0..5 {
            assert!(!statement.exists([page, 10 + page, 10 * page]).unwrap());
        }
        statement.get_status(StatementStatus::RePrepare)
    }

    #[test]
    fn a_statement_is_planned_once() {
        let connection = Connection::open_in_memory().unwrap();
        plan_once(&connection).unwrap();
        assert_eq!(planned_again(&connection), 0);
    }

    /// When this fails, SQLite plans once of itself, and the setting can go.
    #[test]
    fn sqlite_plans_anew_for_another_number() {
        assert!(planned_again(&Connection::open_in_memory().unwrap()) > 0);
    }
}
