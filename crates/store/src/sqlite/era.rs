//! Eras: the spent proofs and signed outputs of past days lie apart from those that come today, and are not touched.
//!
//! Keys are hashes, so a new one belongs anywhere among those there are: in one large table each would change a page
//! of its own, read from the disk and written twice. Rows are therefore clustered by era first. The open era takes all
//! new rows and is small enough to be in memory; it is closed at the end of a day that finds it large, and a closed
//! era never gets another row. Whether a key is in a closed era a filter says, nearly always without the disk.
//!
//! An era without its filter (it is being made, or was found damaged) is looked into. Filters may only be missing,
//! never lack a key: they are made from the rows of an era once it is closed, and kept with a checksum.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, params};

use super::fault::Fault;
use super::filter::{Filter, Place, SALT};
use super::{OpenError, read, row};

/// Proofs spent or outputs signed in an era from which it is closed at the end of the day: some 90 MB of both.
pub(super) const ROWS: u64 = 1_000_000;

/// Rows read in one go to make a filter: short enough for the log to begin anew in between.
const ROWS_AT_ONCE: u32 = 50_000;

/// An era's number; the highest is the open one.
pub(super) type Era = u32;

/// Tables that are clustered by era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Spent proofs, those in the archive included.
    Spent,
    /// Signed outputs.
    Signed,
}

/// What is known of one closed era.
#[derive(Debug)]
struct Filters {
    spent: Filter,
    signed: Filter,
}

impl Table {
    /// What a filter at rest is bound to, so that it is believed for nothing else.
    fn label(self, era: Era) -> String {
        match self {
            Self::Spent => format!("spent of era {era}"),
            Self::Signed => format!("signed of era {era}"),
        }
    }
}

impl Filters {
    fn of(&self, table: Table) -> &Filter {
        match table {
            Table::Spent => &self.spent,
            Table::Signed => &self.signed,
        }
    }
}

/// The filters of closed eras; shared by the writer and the readers of a process.
#[derive(Clone, Debug, Default)]
pub struct Eras {
    /// The vault's. Without filters, which are made with it, it is not needed.
    salt: [u8; SALT],
    filters: Arc<RwLock<Arc<Known>>>,
}

/// Indexed by the era's number.
type Known = Vec<Option<Arc<Filters>>>;

impl Eras {
    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.filters.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn insert(&self, era: Era, filters: Arc<Filters>) {
        let mut shared = self.filters.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::clone(&shared);
        let place = usize::try_from(era).expect("as many eras as there are days");
        known.resize(known.len().max(place + 1), None);
        known[place] = Some(filters);
        *shared = Arc::new(known);
    }

    /// The closed eras, of those before `open`, that a key may be in.
    pub(super) fn closed_with(&self, open: Era, table: Table, x: &[u8; 32]) -> Vec<Era> {
        if open == 0 {
            return Vec::new();
        }
        let (known, place) = (self.known(), Place::of(&self.salt, x));
        let may_hold = |era: &Era| {
            filters_of(&known, *era).is_none_or(|filters| filters.of(table).may_hold(place))
        };
        (0..open).filter(may_hold).collect()
    }

    /// Whether an era's filter denies a key: of one that is there it must not.
    pub(super) fn denies(&self, era: Era, table: Table, x: &[u8; 32]) -> bool {
        let place = Place::of(&self.salt, x);
        filters_of(&self.known(), era).is_some_and(|filters| !filters.of(table).may_hold(place))
    }

    /// The closed eras before `open` that have no filter.
    fn without_filters(&self, open: Era) -> Vec<Era> {
        let known = self.known();
        (0..open).filter(|era| filters_of(&known, *era).is_none()).collect()
    }
}

fn filters_of(known: &Known, era: Era) -> Option<&Filters> {
    known.get(usize::try_from(era).ok()?)?.as_deref()
}

/// Eras as one statement sees them: what is closed, and where new rows go.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) eras: &'a Eras,
    pub(super) open: Era,
}

impl At<'_> {
    /// Every era a key may be in: the closed ones whose filter does not deny it, and the open one.
    pub(super) fn with(&self, table: Table, x: &[u8; 32]) -> impl Iterator<Item = Era> {
        self.eras.closed_with(self.open, table, x).into_iter().chain([self.open])
    }
}

/// The open era.
pub(super) fn open_era(connection: &Connection) -> Result<Era, Fault> {
    let number = read::one(connection, "SELECT max(number) FROM era", [], |row| Ok(row.get(0)?))?;
    number.flatten().ok_or(Fault::Malformed("the vault has no era"))
}

/// Proofs spent and outputs signed in the open era, each counted no further than [`ROWS`].
pub(super) fn rows(connection: &Connection, open: Era) -> Result<(u64, u64), Fault> {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} WHERE era = ?1 LIMIT ?2)");
        let params = params![open, row::integer(ROWS)];
        Ok::<_, Fault>(row::natural(connection.query_row(&sql, params, |row| row.get(0))?))
    };
    Ok((count("spent")?, count("signed")?))
}

/// Tables with a row of an era that is not open yet: nobody would ask about it.
pub(super) fn tables_with_strays(connection: &Connection, open: Era) -> Result<u64, Fault> {
    let mut count = 0;
    for table in ["spent", "spent_archive", "signed"] {
        for is_stray in ["era > ?1", "era < 0 AND ?1 >= 0"] {
            let sql = format!("SELECT 1 FROM {table} WHERE {is_stray}");
            count += u64::from(read::any(connection, &sql, [open])?);
        }
    }
    Ok(count)
}

/// Closes the open era and opens the next, whose number it returns.
pub(super) fn close(connection: &Connection, open: Era) -> Result<Era, Fault> {
    connection.prepare_cached("INSERT INTO era (number) VALUES (?1)")?.execute([open + 1])?;
    Ok(open + 1)
}

/// Takes the filters that are kept in the vault; damaged ones are left out, to be made anew.
pub(super) fn load(connection: &Connection, open: Era) -> Result<Eras, Fault> {
    let salt = read::one(connection, "SELECT filter_salt FROM vault", [], |row| Ok(row.get(0)?))?;
    let salt = salt.ok_or(Fault::Malformed("the vault's own row is missing"))?;
    let eras = Eras { salt, ..Eras::default() };
    let sql = "SELECT number, spent_filter, signed_filter FROM era
               WHERE number < ?1 AND spent_filter IS NOT NULL AND signed_filter IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([open])?;
    while let Some(row) = rows.next()? {
        let era = row.get(0)?;
        let read = |column, table: Table| {
            let bytes: Vec<u8> = row.get(column)?;
            Ok::<_, Fault>(Filter::from_bytes(&table.label(era), &bytes))
        };
        if let (Some(spent), Some(signed)) = (read(1, Table::Spent)?, read(2, Table::Signed)?) {
            eras.insert(era, Arc::new(Filters { spent, signed }));
        }
    }
    Ok(eras)
}

/// Filters with the eras they are of, not yet kept in the vault.
type Made = Mutex<Vec<(Era, Arc<Filters>)>>;

/// Makes filters beside the writer.
pub(super) struct Maker {
    vault: PathBuf,
    eras: Eras,
    made: Arc<Made>,
    is_stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Maker {
    pub(super) fn new(vault: &Path, eras: Eras) -> Self {
        let (made, is_stopped) = (Arc::default(), Arc::default());
        Self { vault: vault.to_owned(), eras, made, is_stopped, threads: Vec::new() }
    }

    /// Starts making the filters that closed eras before `open` lack.
    pub(super) fn start(&mut self, open: Era) -> Result<(), OpenError> {
        self.threads.retain(|thread| !thread.is_finished());
        let missing = self.eras.without_filters(open);
        if missing.is_empty() || !self.threads.is_empty() {
            return Ok(()); // The thread that runs looks for more before it ends.
        }
        let connection = super::connect(&self.vault)?;
        connection.pragma_update(None, "query_only", true)?;
        let (eras, made) = (self.eras.clone(), Arc::clone(&self.made));
        let is_stopped = Arc::clone(&self.is_stopped);
        let thread = thread::Builder::new().name("filters".to_owned()).spawn(move || {
            // Failing, for the disk fails, leaves the eras to be looked into; the next start tries again.
            _ = make_all(&connection, &eras, &made, &is_stopped);
        });
        self.threads.push(thread.map_err(OpenError::File)?);
        Ok(())
    }

    /// Keeps in the vault what was made since, of so many eras at most, and says of how many.
    pub(super) fn keep(&self, change: &Connection, most: usize) -> Result<usize, Fault> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keep = change.prepare_cached(
            "UPDATE era SET spent_filter = ?2, signed_filter = ?3 WHERE number = ?1",
        )?;
        let now = &made[..most.min(made.len())];
        for (era, filters) in now {
            let bytes = |table: Table| filters.of(table).to_bytes(&table.label(*era));
            keep.execute(params![era, bytes(Table::Spent), bytes(Table::Signed)])?;
        }
        Ok(now.len())
    }

    /// Forgets so many that [`Self::keep`] kept, once that is durable.
    pub(super) fn kept(&self, count: usize) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let count = count.min(made.len());
        made.drain(..count);
    }

    /// Ends the thread, whatever it is at.
    pub(super) fn stop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            _ = thread.join();
        }
    }
}

/// Waits for the thread to end, so that its connection is closed before the writer's lock is given up.
impl Drop for Maker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Makes the filters of one closed era after the other, until none lacks them. Of an era that cannot be read the
/// filters go on lacking: whoever looks into it meets the same fault, and says so.
fn make_all(
    connection: &Connection,
    eras: &Eras,
    made: &Made,
    is_stopped: &AtomicBool,
) -> Result<(), Fault> {
    let mut failed = Vec::new();
    loop {
        let mut missing = eras.without_filters(open_era(connection)?).into_iter();
        let Some(era) = missing.find(|era| !failed.contains(era)) else { return Ok(()) };
        let filters = make(connection, era, &eras.salt, is_stopped);
        if is_stopped.load(Ordering::Acquire) {
            return Ok(()); // What was made knows only some of the keys.
        }
        let Ok(filters) = filters.map(Arc::new) else {
            failed.push(era);
            continue;
        };
        made.lock().unwrap_or_else(PoisonError::into_inner).push((era, Arc::clone(&filters)));
        eras.insert(era, filters);
    }
}

/// The filters of an era, or of some of its rows if it is stopped.
fn make(
    connection: &Connection,
    era: Era,
    salt: &[u8; SALT],
    is_stopped: &AtomicBool,
) -> Result<Filters, Fault> {
    let of = |tables: &[&str], key: &str| {
        let mut rows = 0;
        for table in tables {
            walk(connection, era, table, key, is_stopped, |_| rows += 1)?;
        }
        let mut filter = Filter::for_keys(rows);
        for table in tables {
            walk(connection, era, table, key, is_stopped, |x| filter.add(Place::of(salt, x)))?;
        }
        Ok::<_, Fault>(filter)
    };
    // The archive after what it is filled from: a row that moves meanwhile is met in one of them.
    Ok(Filters { spent: of(&["spent", "spent_archive"], "y")?, signed: of(&["signed"], "b_")? })
}

const NO_POINT: Fault = Fault::Malformed("a key is no point");

/// Goes through the keys of an era, some at a time, so that the log can begin anew in between.
fn walk(
    connection: &Connection,
    era: Era,
    table: &str,
    key: &str,
    is_stopped: &AtomicBool,
    mut see: impl FnMut(&[u8; 32]),
) -> Result<(), Fault> {
    let sql = format!(
        "SELECT {key} FROM {table} WHERE era = ?1 AND {key} > ?2 ORDER BY {key} LIMIT {ROWS_AT_ONCE}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let (mut from, mut seen) = (Vec::new(), ROWS_AT_ONCE);
    while seen == ROWS_AT_ONCE && !is_stopped.load(Ordering::Acquire) {
        seen = 0;
        let mut rows = statement.query(params![era, from])?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(0)?.as_blob().map_err(|_| NO_POINT)?;
            // A point's x coordinate, without the byte of its parity where there is one.
            see(key.last_chunk().ok_or(NO_POINT)?);
            seen += 1;
            if seen == ROWS_AT_ONCE {
                from = key.to_vec();
            }
        }
    }
    Ok(())
}
