//! What can go wrong below the traits, and what it says about what was written.

use tacit_service::vault::StoreError;
use tokio_postgres::error::{DbError, SqlState};

use super::tls::TlsError;
use crate::spelling::{Malformed, TooLarge};

/// Why a statement, a row or a decision could not be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database refused.
    Database(tokio_postgres::Error),
    /// What TLS to the database needs is not there.
    Tls(Box<TlsError>),
    /// The database did not answer in time: the connection is given up.
    Silent,
    /// A row says what no row can say.
    Malformed(&'static str),
    /// A number is larger than its column holds.
    OutOfRange,
    /// Another writer was quicker: what was looked up is no longer so. Nothing was written.
    Overtaken,
    /// What is known of keysets, the open day or this writer's own row is no longer so. Nothing was written.
    Moved,
}

/// What a fault calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Do the same again: a serialisation failure, a deadlock, a lock that was not had in time.
    Again,
    /// Connect again first.
    Reconnect,
    /// Look everything up, then decide again.
    LookUp,
    /// Read what is known of the vault, then decide again.
    Reload,
    /// Nothing here: tell the caller.
    Tell,
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<TlsError> for Fault {
    fn from(error: TlsError) -> Self {
        Self::Tls(Box::new(error))
    }
}

impl From<Malformed> for Fault {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

/// The database said nothing for longer than anybody waits.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer")]
struct NoAnswer;

/// Codes after which the same transaction may be tried again: it was rolled back.
const AGAIN: [SqlState; 3] = [
    SqlState::T_R_SERIALIZATION_FAILURE,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::LOCK_NOT_AVAILABLE,
];

/// Codes of a server that goes away, is not there yet, or has become another's standby.
const AWAY: [SqlState; 9] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::DATABASE_DROPPED,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    SqlState::QUERY_CANCELED,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::READ_ONLY_SQL_TRANSACTION,
    SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
];

impl Fault {
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Silent | Self::Tls(_) => Remedy::Reconnect,
            Self::Overtaken => Remedy::LookUp,
            Self::Moved => Remedy::Reload,
            Self::Malformed(_) | Self::OutOfRange => Remedy::Tell,
            Self::Database(error) => match error.as_db_error() {
                None => Remedy::Reconnect,
                Some(said) if AGAIN.contains(said.code()) => Remedy::Again,
                Some(said) if is_away(said) => Remedy::Reconnect,
                Some(_) => Remedy::Tell,
            },
        }
    }

    /// Whether a commit that ended with this was surely rolled back. Everything else leaves it in doubt.
    pub(super) fn is_rolled_back(&self) -> bool {
        self.remedy() == Remedy::Again
    }

    /// Whether a table that several servers make at once was made by another.
    pub(super) fn is_made_meanwhile(&self) -> bool {
        let made =
            [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
        matches!(self, Self::Database(error) if error.code().is_some_and(|code| made.contains(code)))
    }

    /// Whether a table that is asked for is not there.
    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Database(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE))
    }

    /// What it means to a caller: nothing has been written.
    pub(super) fn before_commit(self) -> StoreError {
        match (self.remedy(), self) {
            (Remedy::Again | Remedy::LookUp | Remedy::Reload, _) => StoreError::Busy,
            (Remedy::Reconnect, fault) => StoreError::Away(fault.cause()),
            (Remedy::Tell, fault) => fault.told(),
        }
    }

    fn told(self) -> StoreError {
        let error = match self {
            Self::Malformed(what) => return StoreError::Corrupt(what),
            Self::Database(error) => error,
            Self::Tls(_) | Self::OutOfRange | Self::Silent | Self::Overtaken | Self::Moved => {
                return StoreError::Failed(self.cause());
            }
        };
        let class = error.code().map_or("", |code| &code.code()[..2]).to_owned();
        match class.as_str() {
            // Not the server but the reading of a column: its type or length is not what was written.
            "" => StoreError::Corrupt("a column holds what was never written to it"),
            "23" => StoreError::Corrupt("a row contradicts those that are there"),
            "XX" => StoreError::Corrupt("the database says that it is damaged"),
            "28" | "42" | "53" | "58" => StoreError::Unwritable(Box::new(error)),
            _ => StoreError::Failed(Box::new(error)),
        }
    }

    /// The error behind it, for a log: it names codes and places, and no value of a row.
    pub(super) fn cause(self) -> Box<dyn std::error::Error + Send + Sync> {
        match self {
            Self::Database(error) => Box::new(error),
            Self::Tls(error) => error,
            Self::Silent => Box::new(NoAnswer),
            Self::OutOfRange => Box::new(TooLarge),
            Self::Malformed(what) => what.into(),
            Self::Overtaken | Self::Moved => "another server was quicker".into(),
        }
    }
}

fn is_away(said: &DbError) -> bool {
    AWAY.contains(said.code()) || said.code().code().starts_with("08")
}
