//! The bank rail as the server runs it: files come by command, from a folder, or from a page; what is in them is settled
//! with the vault, and tried again as time passes.
//!
//! Reading order: [`import`] (one file), [`settle`] (what is not settled yet), [`run`] (the folder), [`booking`] (from the
//! bank's words to the desk's), [`order`] (what the bank is asked to pay), [`suspense`] (what a person says of a booking),
//! [`reconcile`] (whether bank and books agree).

mod booking;
pub mod order;
pub mod reconcile;
pub(crate) mod suspense;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tacit_bank::statement::{self, BankFile, Message, References, StatementError};
use tacit_core::hex;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Direction, Holder, Level, Limits};
use tacit_service::bank::{BankVault, Settled, settle_some};
use tacit_service::desk::booking::BookingState;
use tacit_service::desk::reconcile::{HandedIn, StatementFile};
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::ledger::{Transfer, TransferId};
use tacit_service::posting::{EntryId, PostError, Posted, Posting};
use tacit_service::quote::MintQuote;
use tacit_service::reconcile::StatementBalance;
use tacit_service::vault::{Change, Outcome, StoreError};
use tokio::runtime::Handle;
use tokio::time::MissedTickBehavior;

use crate::config::bank::BankTerms;
use crate::desk::DeskHandle;
use crate::log::{self, Level as LogLevel};
use crate::pool::PoolError;
use crate::state::{Shared, stopped};
use crate::writer::CommitError;

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// After how many looks what waits is tried again, whether or not a file came: limits are the next day's, accounts are
/// opened.
const LOOKS_A_RETRY: u32 = 720;

/// The same of what a crash left half done.
const LOOKS_A_REPAIR: u32 = 12;

/// The same of writing down what is owed: the last time of a day is what stays of it.
const LOOKS_A_POSITION: u32 = 60;

/// A file that is cut off is left alone for so long: it may still be on its way.
const ARRIVING: Duration = Duration::from_secs(60);

/// Bookings that the desk writes down in one go.
const NOTED_AT_ONCE: usize = 100;

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Bookings that were not known before.
    pub new: u64,
    /// Bookings that an earlier file told of.
    pub known: u64,
    /// Of the new ones, those that the file does not say enough of.
    pub unclear: u64,
    /// Entries that are not booked yet, and not read.
    pub unbooked: u64,
    /// Statements whose bookings do not lead from one balance to the other.
    pub inconsistent: u64,
    /// Payments of which it is known now what they were for, those of earlier files included.
    pub settled: u64,
    /// Payments that wait for a person.
    pub open: u64,
}

/// Why a file was not imported. Variants stand in the order they are checked. What was begun is finished by and by.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Nobody could see to what is left over.
    #[error("the desk is not served: set origin.desk")]
    NoDesk,
    /// No account to import for.
    #[error("no unit has a bank_account in the configuration")]
    NoAccount,
    /// Not a statement.
    #[error("the file cannot be read")]
    Statement(#[from] StatementError),
    /// Somebody else's, or an account that is not configured.
    #[error("statement {number} of the file is of an account that no unit has as bank_account")]
    OtherAccount {
        /// Counted from 1.
        number: usize,
    },
    /// The desk is busy or away.
    #[error("the desk does not answer")]
    Desk,
    /// The desk's database.
    #[error("the desk's database failed")]
    Store(#[from] StoreError),
    /// The vault does not answer.
    #[error("the vault does not answer")]
    Pool(#[from] PoolError),
    /// The vault does not commit.
    #[error("the vault does not commit")]
    Commit(#[from] CommitError),
}

/// What is written into the trail of a file, by its subject and what else is said.
pub(crate) type DeedOf<'a> = &'a (dyn Fn(String, String) -> Deed + Send + Sync);

/// Reads a file of the bank's, writes down what is in it, and settles what can be settled.
pub(crate) async fn import(shared: &Arc<Shared>, bytes: Vec<u8>) -> Result<Imported, ImportError> {
    let (_, _, imported) = import_as(shared, bytes, None).await?;
    Ok(imported)
}

/// The same, with a deed in the trail. Returns the hash of the file, and whether it is known for the first time.
pub(crate) async fn import_as(
    shared: &Arc<Shared>,
    bytes: Vec<u8>,
    deed: Option<DeedOf<'_>>,
) -> Result<([u8; 32], bool, Imported), ImportError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let accounts: Vec<(Unit, BankTerms)> = shared
        .config
        .units
        .iter()
        .filter_map(|unit| Some((unit.unit, unit.bank.clone()?)))
        .collect();
    if accounts.is_empty() {
        return Err(ImportError::NoAccount);
    }
    let today = shared.now().day();
    let read = tokio::task::spawn_blocking(move || {
        let mut read = read(&bytes, &accounts)?;
        read.file.hash = Sha256::digest(&bytes).into();
        Ok::<_, ImportError>(read)
    });
    let Contents { mut imported, bookings, mut file, balances } =
        read.await.map_err(|_| ImportError::Desk)??;
    if let Some(deed) = deed
        && !(bookings.is_empty() && balances.is_empty())
    {
        let deed = deed(format!("file {}", hex::encode(&file.hash)), String::new());
        hand_in(desk, file.hash, days_of(&bookings, &balances), deed).await?;
    }
    let mut bookings = bookings.into_iter();
    loop {
        let some: Vec<_> = bookings.by_ref().take(NOTED_AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let noted = desk.run(move |store| {
            let mut noted = Imported::default();
            for (entry, parts) in &some {
                let is_unclear =
                    parts.iter().any(|part| matches!(part.state, BookingState::Unclear(_)));
                if store.note_bookings(*entry, parts)? {
                    noted.new += 1;
                    noted.unclear += u64::from(is_unclear);
                } else {
                    noted.known += 1;
                }
            }
            Ok(noted)
        });
        let noted = noted.await.map_err(|_| ImportError::Desk)?;
        imported.new += noted.new;
        imported.known += noted.known;
        imported.unclear += noted.unclear;
    }
    file.day = today;
    (file.new, file.known) = (imported.new, imported.known);
    (file.unclear, file.unbooked) = (imported.unclear, imported.unbooked);
    let hash = file.hash;
    let deed = deed.map(|deed| {
        let Imported { new, known, unclear, .. } = imported;
        let said = format!("{new} new bookings, {known} known before, {unclear} unclear");
        deed(format!("file {}", hex::encode(&hash)), said)
    });
    // After its bookings: a file that is written down here is imported whole.
    let noted = desk.run(move |store| Ok(store.note_file(&file, &balances, deed.as_ref())?));
    let is_new = noted.await.map_err(|_| ImportError::Desk)?;
    let Settled { done, open } = settle(shared).await?;
    Ok((hash, is_new, Imported { settled: done, open, ..imported }))
}

/// Writes down who hands a file in, before anything of it is: whoever stops the import halfway is known all the same.
async fn hand_in(
    desk: &Arc<DeskHandle>,
    hash: [u8; 32],
    days: Option<(Day, Day)>,
    deed: Deed,
) -> Result<(), ImportError> {
    let Some(staff) = deed.staff else { return Ok(()) };
    let handed = HandedIn { hash, staff, days };
    let deed = Deed { action: Action::StatementHandedIn, ..deed };
    let noted = desk.run(move |store| Ok(store.hand_in(&handed, &deed)?));
    noted.await.map_err(|_| ImportError::Desk)
}

/// The first and the last day that a file tells of; `None` if it leaves one out.
fn days_of(bookings: &Bookings, balances: &[StatementBalance]) -> Option<(Day, Day)> {
    let booked = bookings.iter().flat_map(|(_, parts)| parts).map(|part| part.day);
    let days: Option<Vec<Day>> =
        booked.chain(balances.iter().map(|balance| Some(balance.day))).collect();
    let days = days?;
    Some((*days.iter().min()?, *days.iter().max()?))
}

/// What is in a file, by booking.
type Bookings = Vec<(EntryId, Vec<tacit_service::desk::booking::Booking>)>;

/// What a file says.
struct Contents {
    imported: Imported,
    bookings: Bookings,
    file: StatementFile,
    balances: Vec<StatementBalance>,
}

fn read(bytes: &[u8], accounts: &[(Unit, BankTerms)]) -> Result<Contents, ImportError> {
    let standard = statement::read(bytes, References::Standard)?;
    let wants_more =
        accounts.iter().any(|(_, terms)| terms.references == References::EntryReference);
    let with_entry = match wants_more {
        true => Some(statement::read(bytes, References::EntryReference)?),
        false => None,
    };
    let (mut imported, mut bookings) = (Imported::default(), Vec::new());
    let mut balances = Vec::new();
    for (place, statement) in standard.statements.iter().enumerate() {
        let terms = accounts.iter().find(|(_, terms)| terms.account == statement.account);
        let number = place + 1;
        let (unit, terms) = terms.ok_or(ImportError::OtherAccount { number })?;
        let other = with_entry.as_ref().filter(|_| terms.references == References::EntryReference);
        let other = other.and_then(|file: &BankFile| file.statements.get(place));
        let statement = other.unwrap_or(statement);
        imported.unbooked += statement.unbooked as u64;
        imported.inconsistent += u64::from(statement.adds_up() == Some(false));
        bookings.extend(booking::of_statement(statement, *unit, bytes));
        balances.extend(reconcile::balance_of(statement, *unit));
    }
    let is_statement = standard.message == Message::Statement;
    let file = StatementFile { is_statement, ..StatementFile::default() };
    Ok(Contents { imported, bookings, file, balances })
}

/// Settles all that is not settled yet. Others get their turn at the desk in between.
pub(crate) async fn settle(shared: &Arc<Shared>) -> Result<Settled, ImportError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let (mut all, mut after) = (Settled::default(), None);
    loop {
        let (settled, last) = settle_slice(shared, desk, after).await?;
        all = all.with(settled);
        after = last;
        if after.is_none() {
            return Ok(all);
        }
    }
}

async fn settle_slice(
    shared: &Arc<Shared>,
    desk: &Arc<DeskHandle>,
    after: Option<EntryId>,
) -> Result<(Settled, Option<EntryId>), ImportError> {
    let shared = Arc::clone(shared);
    let slice = desk.run(move |store| {
        let limits = limits_in(&shared);
        let mut vault = Vault { shared: &shared, runtime: Handle::current() };
        Ok(settle_some(store, &mut vault, &limits, after))
    });
    slice.await.map_err(|_| ImportError::Desk)?
}

/// How much may come in.
fn limits_in(shared: &Shared) -> impl Fn(Unit, Level) -> Option<Limits> {
    |unit, level| shared.config.limits(unit, Direction::In, level)
}

/// The vault, from a thread that may wait.
pub(crate) struct Vault<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) runtime: Handle,
}

impl BankVault for Vault<'_> {
    type Error = ImportError;

    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, ImportError> {
        Ok(self.runtime.block_on(self.shared.pool.run(move |reader| reader.holder(id)))??)
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, ImportError> {
        Ok(self.runtime.block_on(self.shared.pool.run(move |reader| reader.transfer(id)))??)
    }

    fn unpaid_mint_quotes(&mut self) -> Result<Vec<MintQuote>, ImportError> {
        let now = self.shared.now();
        let asked = self.shared.pool.run(move |reader| reader.unpaid_mint_quotes(now));
        Ok(self.runtime.block_on(asked)??)
    }

    fn mint_quotes_of(&mut self, reference: &str) -> Result<Vec<MintQuote>, ImportError> {
        let reference = reference.to_owned();
        let asked = self.shared.pool.run(move |reader| reader.mint_quotes_of(&reference));
        Ok(self.runtime.block_on(asked)??)
    }

    fn post(&mut self, posting: Posting) -> Result<Result<Posted, PostError>, ImportError> {
        let committed = self.shared.writer.commit_blocking(Change::Post(posting))?;
        let Outcome::Posted(posted) = committed.outcome else {
            return Err(StoreError::Corrupt("a posting was answered as something else").into());
        };
        Ok(posted)
    }
}

// ---------------------------------------------------------------------------------------- the folder

/// Settles what a crash left over, then imports what comes into the folder, until the server stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.clone();
    let mut looks = tokio::time::interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u32;
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stopped(&mut stopping) => return,
        }
        if number.is_multiple_of(LOOKS_A_RETRY)
            && let Err(error) = settle(&shared).await
        {
            log::error_chain(LogLevel::Warn, "bookings of the bank wait", &error);
        }
        if number.is_multiple_of(LOOKS_A_REPAIR)
            && let Err(error) = repair(&shared).await
        {
            log::error_chain(LogLevel::Warn, "payouts and resolved bookings wait", &error);
        }
        if number.is_multiple_of(LOOKS_A_POSITION)
            && let Err(error) = reconcile::note_positions(&shared).await
        {
            log::error_chain(LogLevel::Warn, "what is owed was not written down", &error);
        }
        number = number.wrapping_add(1);
        if let Some(folder) = &shared.config.bank_folder {
            look(&shared, folder).await;
        }
    }
}

/// What people said of bookings, and payouts, that a crash left half done.
async fn repair(shared: &Arc<Shared>) -> Result<(), ImportError> {
    suspense::settle(shared).await?;
    order::settle_payouts(shared).await?;
    order::give_back_held(shared).await
}

/// Imports all files of the folder; each then lies in `done` or, if it is none of ours, in `refused`.
async fn look(shared: &Arc<Shared>, folder: &Path) {
    let files = match waiting(folder) {
        Ok(files) => files,
        Err(error) => {
            return log::error_chain(LogLevel::Warn, "the bank's folder cannot be read", &error);
        }
    };
    for path in files {
        let moved = match import_file(shared, &path).await {
            Ok(_) => put_away(&path, "done"),
            Err(FileError::Import(error)) if error.is_final() => {
                if matches!(error, ImportError::Statement(StatementError::Truncated))
                    && is_arriving(&path)
                {
                    continue;
                }
                log::error_chain(LogLevel::Warn, "a file of the bank's was refused", &error);
                put_away(&path, "refused")
            }
            Err(error) => {
                log::error_chain(LogLevel::Warn, "a file of the bank's waits", &error);
                continue;
            }
        };
        if let Err(error) = moved {
            // It is imported again the next time, which changes nothing.
            log::error_chain(LogLevel::Warn, "a file of the bank's cannot be put away", &error);
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("the file cannot be read")]
    File(#[from] io::Error),
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl ImportError {
    /// Whether the same file would be refused again.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Statement(_) | Self::OtherAccount { .. } => true,
            Self::NoDesk
            | Self::NoAccount
            | Self::Desk
            | Self::Store(_)
            | Self::Pool(_)
            | Self::Commit(_) => false,
        }
    }
}

async fn import_file(shared: &Arc<Shared>, path: &Path) -> Result<Imported, FileError> {
    Ok(import(shared, read_bounded(path)?).await?)
}

/// A file's bytes, at most one more than a statement may have.
///
/// # Errors
/// If it cannot be read.
pub fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = statement::BYTES_MAX as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Files of the folder whose names end in `.xml`, by name.
fn waiting(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_xml = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("xml"));
        if is_xml && entry.file_type()?.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_arriving(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|since| since < ARRIVING))
}

/// Moves a file into a folder beside it, under a name that is free there.
fn put_away(path: &Path, to: &str) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = folder.join(to);
    fs::create_dir_all(&folder)?;
    let name = name.to_string_lossy();
    let mut free = (0_u32..).map(|number| match number {
        0 => folder.join(&*name),
        _ => folder.join(format!("{number}-{name}")),
    });
    let free = free.find(|free| !free.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
    fs::rename(path, free)
}
