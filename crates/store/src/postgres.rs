//! The vault on PostgreSQL 15 and later: any number of writers on one database, each in a process of its own.
//!
//! Reading order: this file (opening, what a writer knows), [`target`] (the URL), [`tls`], [`link`] (a connection), [`write`]
//! (a commit: why two writers cannot both be right about one proof), [`apply`] (its steps), [`row`], [`read`] (the
//! readers), [`books`] (the audit's sums), [`mark`] (what an
//! older copy is known by), [`fault`]; [`desk`] (the desk's database, by the desk's own statements). ADR 0011 argues it, fact by fact.

mod apply;
mod bill;
mod books;
pub mod desk;
mod fault;
mod link;
pub(crate) mod load;
mod mark;
mod read;
mod row;
mod target;
mod tls;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secp256k1::PublicKey;
use tacit_core::time::Day;
use tacit_service::keyset::KeysetRecord;

use self::fault::Fault;
use self::link::{Link, Step, Wants};
use self::mark::Mark;
use self::row::{at, bytes, natural_at};
pub use self::target::{Target, TargetError};
use self::write::Doubt;

/// The schema's history; one that has shipped is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/postgres/0001_vault.sql"),
    include_str!("../migrations/postgres/0002_holders.sql"),
    include_str!("../migrations/postgres/0003_orders.sql"),
    include_str!("../migrations/postgres/0004_released.sql"),
    include_str!("../migrations/postgres/0005_quote_request.sql"),
    include_str!("../migrations/postgres/0006_passport.sql"),
    include_str!("../migrations/postgres/0007_bills.sql"),
];

/// Oldest version of PostgreSQL this was tested on, as the server numbers them.
const SERVER_MIN: i32 = 150_000;

/// How often a step that another server disturbed is taken anew.
const TRIES: u32 = 20;

/// What is wrong with a database that has fewer commits than were answered for.
const LOST: &str = "the database is an older copy: it has lost commits that were answered for";

/// Why a vault on PostgreSQL was not opened. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No thread, no socket, or the like.
    #[error("the system gives no connection")]
    System(#[source] std::io::Error),
    /// The database does not answer, or refuses.
    #[error("the database cannot be used")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A version never tested.
    #[error("PostgreSQL {found} is too old: 15 is the oldest that will do")]
    OldServer {
        /// What it calls itself.
        found: String,
    },
    /// The server may lose what it said it wrote.
    #[error(
        "the database runs with {setting}, and would lose commits when it is killed: turn it on"
    )]
    Careless {
        /// The setting, with its value.
        setting: &'static str,
    },
    /// The server keeps a time for each commit, and so for each row.
    #[error(
        "the database runs with track_commit_timestamp=on, which keeps the time of each swap: turn it off"
    )]
    Timestamps,
    /// No vault was made there.
    #[error("there is no vault in the database yet")]
    NoVault,
    /// Written by a later version of this program.
    #[error("the vault has schema {found}, this program knows up to {known}")]
    TooNew {
        /// Version of its schema.
        found: i64,
        /// Latest version this program knows.
        known: i64,
    },
    /// An older schema, which a writer brings up to date.
    #[error("the vault has schema {found}, this program reads {known}: open it for writing once")]
    TooOld {
        /// Version of its schema.
        found: i64,
        /// Version this program reads.
        known: i64,
    },
    /// It belongs to a mint of another identity, so of another seed.
    #[error("the vault belongs to another mint")]
    OtherMint,
    /// The mark of this server cannot be read or written.
    #[error("{path} cannot be used", path = path.display())]
    Mark {
        /// The mark's file.
        path: PathBuf,
        /// What the operating system said, or that it is no mark.
        source: io::Error,
    },
    /// It has no keyset, and this server has answered for some.
    #[error(
        "the database has no e-cash in it, and this mint has answered for some: it is not the one, or is emptied"
    )]
    Emptied,
    /// It would forget what was spent since, and let it be spent again.
    #[error(
        "the database is an older copy: this mint has answered for commits that it does not have. Find the copy that has \
         them; without it, tacitd accept-loss gives up what may have been spent since"
    )]
    OlderCopy,
    /// What is stored contradicts itself.
    #[error("the vault is corrupt: {0}")]
    Corrupt(&'static str),
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed(what) => Self::Corrupt(what),
            Fault::Database(_)
            | Fault::Tls(_)
            | Fault::Silent
            | Fault::OutOfRange
            | Fault::Overtaken
            | Fault::Moved => Self::Database(fault.cause()),
        }
    }
}

/// What a writer knows of the vault between its commits. Each commit proves that it still holds: see [`write`].
#[derive(Clone, Debug)]
struct Known {
    keysets: Vec<KeysetRecord>,
    open_day: Day,
    /// Counts what changes keysets or the open day.
    epoch: i64,
    /// Commits of this writer.
    commits: i64,
}

/// A writer of the vault. Others may write to it at the same time.
pub struct PostgresVault {
    link: Link,
    /// Its row in `writer`; `None` until it has one, and once that was taken from it.
    writer: Option<[u8; 16]>,
    /// `None` after a failure, until it is read again.
    known: Option<Known>,
    /// Commits in that row that are known to be durable: it never has fewer again.
    acknowledged: i64,
    /// The open day when it was last read.
    last_day: Day,
    /// A commit of which it is unknown whether it was done.
    doubt: Option<Doubt>,
    is_corrupt: bool,
    mark: Option<Mark>,
}

impl PostgresVault {
    /// Opens the vault of a database for writing; makes its tables or brings them up to date first, if need be.
    ///
    /// `mint`: the identity key of the mint it belongs to, remembered when the vault is made.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(target: &Target, mint: &PublicKey) -> Result<Self, OpenError> {
        Self::open_in(target, mint, None)
    }

    /// The same, unless the database is older than the mark in a file of this server's own says. The mark is made where there is
    /// none, and follows the database from then on.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_marked(target: &Target, mint: &PublicKey, mark: &Path) -> Result<Self, OpenError> {
        Self::open_in(target, mint, Some(mark))
    }

    fn open_in(target: &Target, mint: &PublicKey, mark: Option<&Path>) -> Result<Self, OpenError> {
        let mut link = Link::new(Arc::new(target.clone())).map_err(OpenError::System)?;
        examine(&mut link)?;
        migrate(&mut link, mint)?;
        if mint_identity(&mut link)? != *mint {
            return Err(OpenError::OtherMint);
        }
        if let Some(path) = mark {
            Mark::hold_against(path, &mut link)?;
        }
        let mut vault = Self {
            link,
            writer: None,
            known: None,
            acknowledged: 0,
            last_day: Day::default(),
            doubt: None,
            is_corrupt: false,
            mark: None,
        };
        vault.known()?;
        if let Some(path) = mark {
            vault.mark = Some(Mark::begin(path, &mut vault.link)?);
        }
        Ok(vault)
    }

    /// What is known of the vault; read, and a row of this writer's own made, where that is missing.
    fn known(&mut self) -> Result<Known, Fault> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        for _ in 0..TRIES {
            let id = match self.writer {
                Some(id) => id,
                None => {
                    self.acknowledged = 0;
                    *self.writer.insert(register(&mut self.link)?)
                }
            };
            let (open_day, known) = read_known(&mut self.link, id)?;
            let is_lost = match &known {
                Some(known) => known.commits < self.acknowledged,
                // Rows of writers that sleep over a whole day are dropped, and no others.
                None => self.acknowledged > 0 && open_day <= self.last_day,
            };
            if is_lost || open_day < self.last_day {
                return Err(Fault::Malformed(LOST));
            }
            self.last_day = open_day;
            match known {
                Some(known) => return Ok(self.known.insert(known).clone()),
                None => self.writer = None,
            }
        }
        Err(Fault::Malformed("a writer's row does not stay"))
    }
}

impl Drop for PostgresVault {
    fn drop(&mut self) {
        if let (Some(mark), Some(writer), false) = (&mut self.mark, self.writer, self.is_corrupt) {
            // A mark that cannot be written stays behind: it then finds fewer copies out, and refuses none wrongly.
            _ = mark.close(writer, self.acknowledged);
        }
    }
}

/// A reader of the vault: sees what is committed and nothing else.
pub struct PostgresReader {
    link: Link,
}

impl PostgresReader {
    /// Opens the vault of a database for reading.
    ///
    /// # Errors
    /// [`OpenError`]; a vault that is not there is not made.
    pub fn open(target: &Target) -> Result<Self, OpenError> {
        let mut link = Link::new(Arc::new(target.clone())).map_err(OpenError::System)?;
        let known = last_version();
        match schema_version(&mut link)? {
            None | Some(0) => Err(OpenError::NoVault),
            Some(found) if found < known => Err(OpenError::TooOld { found, known }),
            Some(found) if found > known => Err(OpenError::TooNew { found, known }),
            Some(_) => Ok(Self { link }),
        }
    }

    /// The identity key of the mint the vault belongs to.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn mint(&mut self) -> Result<PublicKey, OpenError> {
        Ok(mint_identity(&mut self.link)?)
    }
}

/// Whether a vault was made in the database.
///
/// # Errors
/// [`OpenError::System`], [`OpenError::Database`].
pub fn is_made(target: &Target) -> Result<bool, OpenError> {
    let mut link = Link::new(Arc::new(target.clone())).map_err(OpenError::System)?;
    Ok(schema_version(&mut link)?.is_some_and(|version| version > 0))
}

/// Looks at what the server does with commits. Settings that it does not know are none of ours.
fn examine(link: &mut Link) -> Result<(), OpenError> {
    let sql = "SELECT current_setting('server_version_num', true), current_setting('server_version', true),
               current_setting('fsync', true), current_setting('full_page_writes', true),
               current_setting('track_commit_timestamp', true)";
    let rows = link.ask((sql, vec![]))?;
    let said = rows.first().ok_or(OpenError::Corrupt("the server says nothing of itself"))?;
    let setting = |column| at::<Option<String>>(said, column).map(Option::unwrap_or_default);
    let number: i32 = setting(0)?.parse().unwrap_or(SERVER_MIN);
    if number < SERVER_MIN {
        return Err(OpenError::OldServer { found: setting(1)? });
    }
    for (column, careless) in [(2, "fsync=off"), (3, "full_page_writes=off")] {
        if setting(column)? == "off" {
            return Err(OpenError::Careless { setting: careless });
        }
    }
    if setting(4)? == "on" { Err(OpenError::Timestamps) } else { Ok(()) }
}

fn last_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("few")
}

/// Version of the schema; `None` where there is none.
fn schema_version(link: &mut Link) -> Result<Option<i64>, Fault> {
    match link.ask(("SELECT version FROM schema_version", vec![])) {
        Ok(rows) => rows.first().map(|row| at(row, 0)).transpose(),
        Err(fault) if fault.is_missing_table() => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Applies the migrations that are missing, in one transaction. Servers that start at once queue up at the one row
/// of `schema_version`; the second finds nothing to do.
fn migrate(link: &mut Link, mint: &PublicKey) -> Result<(), OpenError> {
    let known = last_version();
    match schema_version(link)? {
        Some(found) if found == known => return Ok(()),
        Some(found) if found > known => return Err(OpenError::TooNew { found, known }),
        Some(_) | None => {}
    }
    let make = "CREATE TABLE IF NOT EXISTS schema_version (one bigint NOT NULL PRIMARY KEY, version bigint NOT NULL);
                INSERT INTO schema_version (one, version) VALUES (1, 0) ON CONFLICT DO NOTHING";
    for _ in 0..TRIES {
        match link.run(make) {
            Ok(()) => break,
            // `IF NOT EXISTS` looks before it makes: two that look at once both make, and one is told.
            Err(fault) if fault.is_made_meanwhile() => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    let queue = Step::new(
        "UPDATE schema_version SET version = version WHERE one = 1",
        Wants::Certainly(1),
        vec![],
    );
    link.begin(&[queue], &[])?;
    let done = migrate_in_turn(link, mint);
    if done.is_err() {
        link.roll_back();
    }
    done
}

fn migrate_in_turn(link: &mut Link, mint: &PublicKey) -> Result<(), OpenError> {
    let known = last_version();
    let found = schema_version(link)?.ok_or(OpenError::Corrupt("the schema has no version"))?;
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    let applied =
        usize::try_from(found).map_err(|_| OpenError::Corrupt("the schema's version is none"))?;
    for migration in &MIGRATIONS[applied..] {
        link.run(migration)?;
    }
    let mut steps = vec![Step::new(
        "UPDATE schema_version SET version = $1 WHERE one = 1",
        Wants::Certainly(1),
        vec![Box::new(known)],
    )];
    if applied == 0 {
        steps.push(Step::new(
            "INSERT INTO vault (one, mint, open_day, epoch) VALUES (1, $1, 0, 0)",
            Wants::Certainly(1),
            vec![Box::new(mint.serialize().to_vec())],
        ));
    }
    link.go_on(&steps)?;
    Ok(link.commit()?)
}

fn mint_identity(link: &mut Link) -> Result<PublicKey, Fault> {
    let rows = link.ask(("SELECT mint FROM vault", vec![]))?;
    let row = rows.first().ok_or(Fault::Malformed("the vault's own row is missing"))?;
    let key: [u8; 33] = bytes(row, 0)?;
    PublicKey::from_slice(&key).map_err(|_| Fault::Malformed("the mint's identity is no key"))
}

/// Makes a row for a new writer, and returns its name. The row of `vault` is written, to the same value: so this waits
/// for, or makes wait, whoever changes the epoch and must reach every writer.
fn register(link: &mut Link) -> Result<[u8; 16], Fault> {
    let steps =
        [Step::new("UPDATE vault SET epoch = epoch WHERE one = 1", Wants::Certainly(1), vec![])];
    let insert = "INSERT INTO writer (id, epoch, commits, day)
                  SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), epoch, 0, open_day FROM vault
                  RETURNING id";
    let answers = link.begin(&steps, &[(insert, vec![])])?;
    let row = answers.first().and_then(|rows| rows.first());
    let id = row.map_or(Err(Fault::Malformed("a writer has no row")), |row| bytes(row, 0));
    if id.is_err() {
        link.roll_back();
    } else {
        link.commit()?;
    }
    id
}

/// The open day and, unless this writer's row is gone, all that it needs to know: of one moment.
fn read_known(link: &mut Link, writer: [u8; 16]) -> Result<(Day, Option<Known>), Fault> {
    let own = "SELECT commits FROM writer WHERE id = $1";
    let answers = link.ask_all(&[
        (row::KEYSETS, vec![]),
        ("SELECT open_day, epoch FROM vault", vec![]),
        (own, vec![Box::new(writer.to_vec())]),
    ])?;
    let [keysets, vault, own] = &answers[..] else {
        return Err(Fault::Malformed("three questions have three answers"));
    };
    let vault = vault.first().ok_or(Fault::Malformed("the vault's own row is missing"))?;
    let open_day = Day::from_number(natural_at(vault, 0)?);
    let Some(own) = own.first() else { return Ok((open_day, None)) };
    let keysets = keysets.iter().map(row::keyset).collect::<Result<_, _>>()?;
    let known = Known { keysets, open_day, epoch: at(vault, 1)?, commits: at(own, 0)? };
    Ok((open_day, Some(known)))
}
