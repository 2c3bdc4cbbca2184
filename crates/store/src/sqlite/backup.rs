//! Copies of a vault: how one is taken while the mint runs, and what is known of one.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::Connection;
use secp256k1::PublicKey;

use super::fault::Fault;
use super::mark::Marked;
use super::{
    Lineage, Move, OpenError, SqliteReader, configure_writer, connect, lineage_of, migrate, read,
};
use crate::file;

/// Pages copied between two reports of progress: some megabytes.
const PAGES_A_STEP: i32 = 4096;

/// What a vault says of itself: the mint it belongs to, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Identity key of its mint.
    pub mint: PublicKey,
    /// Commits it has had.
    pub commits: u64,
    /// Which of several copies that went on.
    pub lineage: Lineage,
}

impl Standing {
    /// Of the vault at `path`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn read(path: &Path) -> Result<Self, OpenError> {
        Self::of(&SqliteReader::open(path)?.connection)
    }

    fn of(connection: &Connection) -> Result<Self, OpenError> {
        Ok(Self {
            mint: super::mint_identity(connection)?,
            commits: read::commits(connection)?,
            lineage: lineage_of(connection)?,
        })
    }

    /// Whether a vault that stands so knows everything that the mint has answered for, as a mark has it. Only the mark
    /// of a vault that was closed proves it.
    pub fn is_current(&self, mark: &Marked) -> bool {
        mark.is_closed && mark.lineage == Some(self.lineage) && mark.commits == self.commits
    }
}

/// Why no copy was made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The vault cannot be read.
    #[error("the vault cannot be read")]
    Source(#[source] OpenError),
    /// The copy cannot be written.
    #[error("the copy cannot be written")]
    Target(#[source] io::Error),
    /// SQLite gave up, at either end.
    #[error("the vault cannot be copied")]
    Sqlite(#[source] rusqlite::Error),
}

/// Copies one moment of the vault at `source` to a new file at `target`, beside a writer that goes on meanwhile, and
/// returns once the copy is durable. `progress`: told the pages copied and those there are.
///
/// # Errors
/// [`CopyError`]; a file may be left at `target`.
pub fn copy(
    source: &Path,
    target: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<Standing, CopyError> {
    let from = SqliteReader::open(source).map_err(CopyError::Source)?;
    if from.moves().map_err(CopyError::Source)? == Move::Done {
        return Err(CopyError::Source(OpenError::Moved));
    }
    // Held to the end, so that every step copies pages of the same moment. Log pages gather meanwhile.
    let moment = from.connection.unchecked_transaction().map_err(CopyError::Sqlite)?;
    let standing = Standing::of(&moment).map_err(CopyError::Source)?;
    if target.exists() {
        return Err(CopyError::Target(io::ErrorKind::AlreadyExists.into()));
    }
    file::create(target).map_err(CopyError::Target)?;
    let mut into = connect(target).map_err(|error| CopyError::Target(io::Error::other(error)))?;
    // It is made durable once, at the end.
    into.pragma_update(None, "synchronous", "off").map_err(CopyError::Sqlite)?;
    file::copy_pages(&moment, &mut into, PAGES_A_STEP, progress).map_err(CopyError::Sqlite)?;
    into.close().map_err(|(_, error)| CopyError::Sqlite(error))?;
    File::open(target).and_then(|file| file.sync_all()).map_err(CopyError::Target)?;
    Ok(standing)
}

/// Brings a copy that nobody else has open up to the schema of today, as its writer would: copies made by earlier versions
/// of this program have that of their day. What it says of itself stays as it is.
///
/// # Errors
/// [`OpenError`]; then it may be anywhere between the two schemas, and is not to be used.
pub fn bring_up_to_date(path: &Path) -> Result<(), OpenError> {
    let mut connection = connect(path)?;
    configure_writer(&connection)?;
    let mint = super::mint_identity(&connection)?;
    migrate(&mut connection, &mint)?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Whether every page of the vault at `path` is as SQLite wrote it: the first thing wrong, if anything is.
///
/// # Errors
/// [`OpenError`].
pub fn first_damage(path: &Path) -> Result<Option<String>, OpenError> {
    let connection = SqliteReader::open(path)?.connection;
    file::first_damage(&connection).map_err(|error| OpenError::from(Fault::from(error)))
}
