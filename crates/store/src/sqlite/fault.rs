//! What can go wrong below the traits, before it is known what it means to a caller.

use rusqlite::ErrorCode;
use tacit_service::vault::StoreError;

use crate::spelling::{Malformed, TooLarge};

/// SQLite's extended codes of a key that is there already.
const KEY_TAKEN: [i32; 3] = [
    rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
    rusqlite::ffi::SQLITE_CONSTRAINT_ROWID,
];

/// Why a statement or a row could not be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// A row says what no row can say.
    Malformed(&'static str),
    /// A number is larger than its column holds.
    OutOfRange,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Malformed> for Fault {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

impl Fault {
    /// Whether a row to be inserted was there already: the facts it was decided on were stale.
    pub(super) fn is_key_taken(&self) -> bool {
        let Self::Sqlite(rusqlite::Error::SqliteFailure(cause, _)) = self else { return false };
        KEY_TAKEN.contains(&cause.extended_code)
    }

    /// What it means to a caller before the commit was attempted: nothing has been written.
    pub(super) fn before_commit(self) -> StoreError {
        let error = match self {
            Self::Malformed(what) => return StoreError::Corrupt(what),
            Self::OutOfRange => return StoreError::Failed(Box::new(TooLarge)),
            Self::Sqlite(error) => error,
        };
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
                StoreError::Corrupt("the database file is damaged")
            }
            Some(ErrorCode::ConstraintViolation) => {
                StoreError::Corrupt("a row contradicts those that are there")
            }
            Some(_) => StoreError::Failed(Box::new(error)),
            // Not SQLite but the reading of a column: its type or length is not what was written.
            None => StoreError::Corrupt("a column holds what was never written to it"),
        }
    }

    /// What it means to a caller when the commit itself failed: after an error of the disk, the batch may be found
    /// written by whoever opens the vault next.
    pub(super) fn at_commit(self) -> StoreError {
        let is_disk =
            |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
        match self {
            Self::Sqlite(error) if is_disk(&error) => StoreError::Failed(Box::new(error)),
            Self::Sqlite(_) | Self::Malformed(_) | Self::OutOfRange => self.before_commit(),
        }
    }
}
