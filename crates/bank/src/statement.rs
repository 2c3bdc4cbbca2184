//! What the bank booked: camt.053 (statements) and camt.054 (notifications) of every version from 02 on.
//!
//! Both messages carry the same bookings, often both of them the same day. A booking therefore has an [`id::EntryId`] made of
//! what is the same in both, and one that cannot have one is handed out as refused, for a person to look at: guessing
//! would lose or double somebody's money. One booking may pay for many people (a batch); then it is divided into parts,
//! but only if these add up to it.

mod entry;
pub mod id;
pub mod paper;

use tacit_core::amount::Amount;
use tacit_core::time::Day;
use tacit_core::unit::Unit;

use self::id::EntryId;
use self::paper::Paper;
use crate::decimal::{self, DecimalError};
use crate::document::{self, Node};
use crate::iban::BankAccount;

/// Bytes of a file.
pub const BYTES_MAX: usize = 32 * 1024 * 1024;

/// A file of the bank's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankFile {
    /// Which of the two messages.
    pub message: Message,
    /// Its version, 2 for camt.053.001.02. `None` if the file names no namespace.
    pub version: Option<u32>,
    /// One for each account and period.
    pub statements: Vec<Statement>,
}

/// Messages that tell what was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// camt.053: all of a period, with balances.
    Statement,
    /// camt.054: single bookings, as they happen or as details of a statement.
    Notification,
}

/// Which of a bank's references may be relied upon to be the same in each file and never used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// Those that ISO 20022 has for that: `AcctSvcrRef`, and `UETR` and `TxId` of the payments.
    #[default]
    Standard,
    /// `NtryRef`, too, where there is none of the others: right for banks that say that they never use one again, such as
    /// the Czech ones. Swiss banks put a contract's number there, others a line number.
    EntryReference,
}

/// What was booked on one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What the bank calls it.
    pub id: String,
    /// Our account at the bank.
    pub account: BankAccount,
    /// Booked balance at the beginning. Statements have it, notifications do not.
    pub opening: Option<Balance>,
    /// Booked balance at the end.
    pub closing: Option<Balance>,
    /// In the order of the file; ids are not repeated within one statement.
    pub entries: Vec<Entry>,
    /// Booked, but without an id of their own: for a person to look at.
    pub refused: Vec<Refused>,
    /// How many more entries are pending or informational: not money yet.
    pub unbooked: usize,
}

/// A balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// How much, above or below zero.
    pub amount: Amount,
    /// Whose money it is: ours ([`Direction::Credit`]) or, overdrawn, the bank's.
    pub direction: Direction,
    /// Of which day.
    pub day: Day,
}

/// Which way money went, seen from the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Onto the account.
    Credit,
    /// From the account.
    Debit,
}

/// One booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The same in each file that carries the booking.
    pub id: EntryId,
    /// Where it stands in the file, counted from 1.
    pub line: usize,
    /// The day it was booked, if the bank says.
    pub booked: Option<Day>,
    /// What this booking itself did, also if it reverses another.
    pub direction: Direction,
    /// Whether it takes an earlier booking back.
    pub reversal: bool,
    /// All of it, above zero.
    pub amount: Amount,
    /// The order file of ours that it carries out, if the bank says.
    pub batch: Option<Batch>,
    /// Whom it came from or went to.
    pub parts: Parts,
}

/// The orders that a booking carries out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// `MsgId` of the order file.
    pub message_id: Option<String>,
    /// `PmtInfId` of the group in it.
    pub payment_information_id: Option<String>,
    /// How many payments the booking stands for.
    pub payments: Option<u64>,
}

/// The payments that a booking stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// One or more, which add up to the booking.
    Divided(Vec<Part>),
    /// Several, of which this file does not say what each brought.
    Undivided {
        /// Why.
        reason: Undivided,
        /// What the file does say of each payment.
        papers: Vec<Paper>,
    },
}

/// Why a booking cannot be divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undivided {
    /// A batch without details; a camt.054 of the bank's may have them.
    NoDetails,
    /// Fewer or more details than payments.
    Count,
    /// A detail without an amount in the unit of the booking, or going the other way.
    NoAmount,
    /// The details do not add up to the booking, perhaps for charges.
    Sum,
}

/// One payment of a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// That of the booking, if it is the only one.
    pub id: EntryId,
    /// In the unit of the booking, above zero.
    pub amount: Amount,
    /// Who paid or was paid, and what they wrote.
    pub paper: Paper,
}

/// A booking that cannot be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands in the file, counted from 1.
    pub line: usize,
    /// The day it was booked, if the bank says.
    pub booked: Option<Day>,
    /// What it did.
    pub direction: Direction,
    /// All of it.
    pub amount: Amount,
    /// Why.
    pub reason: Unidentified,
    /// What the file says of each payment in it.
    pub papers: Vec<Paper>,
}

/// Why a booking has no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unidentified {
    /// The bank gives no reference that the other message would have, too.
    NoReference,
    /// Another booking of this statement has the same reference, amount and direction.
    SameReference,
}

/// Why a file cannot be read. Variants stand in the order they are checked; lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Above [`BYTES_MAX`].
    #[error("the file has more than {BYTES_MAX} bytes")]
    TooLong,
    /// Neither UTF-8 nor, declared as such, ISO 8859-1.
    #[error("the file is neither UTF-8 nor what it says it is")]
    Encoding,
    /// The file ends before its outermost element does, or is empty.
    #[error("the file ends in the middle")]
    Truncated,
    /// A document type could define entities that unfold without end, or read other files.
    #[error("line {line}: a document type is not allowed")]
    DocumentType {
        /// Where.
        line: usize,
    },
    /// No XML.
    #[error("line {line}: not well-formed XML")]
    Malformed {
        /// Where.
        line: usize,
    },
    /// An entity that XML itself does not have.
    #[error("line {line}: an entity that is not defined")]
    Entity {
        /// Where.
        line: usize,
    },
    /// More elements than any statement has.
    #[error("line {line}: too many elements")]
    TooManyElements {
        /// Where.
        line: usize,
    },
    /// Elements nested deeper than in any statement.
    #[error("line {line}: elements are nested too deep")]
    TooDeep {
        /// Where.
        line: usize,
    },
    /// More text or attributes in one element than any statement has.
    #[error("line {line}: an element is too long")]
    FieldTooLong {
        /// Where.
        line: usize,
    },
    /// Another message, or no message of ISO 20022.
    #[error("the file is neither a camt.053 nor a camt.054 message")]
    Message,
    /// Of a version that is not read.
    #[error("version {version} of the message is not read, only 2 and later")]
    Version {
        /// The last part of its name.
        version: u32,
    },
    /// An element that each such message has is not there, or empty.
    #[error("line {line}: element {element} is missing or empty")]
    Missing {
        /// Of the element it should stand in.
        line: usize,
        /// Its name.
        element: &'static str,
    },
    /// Neither `CRDT` nor `DBIT`.
    #[error("line {line}: neither credit nor debit")]
    Direction {
        /// Where.
        line: usize,
    },
    /// No day from 1970 on.
    #[error("line {line}: not a date")]
    Date {
        /// Where.
        line: usize,
    },
    /// No amount, or none of the currency it names.
    #[error("line {line}: the amount cannot be read")]
    Amount {
        /// Where.
        line: usize,
        /// Why.
        #[source]
        source: DecimalError,
    },
}

/// Reads a file of the bank's.
///
/// A file is read whole or not at all: one wrong amount and nothing of it counts.
///
/// # Errors
/// [`StatementError`].
///
/// Source: ISO 20022, camt.053.001 and camt.054.001, versions 02 to 14.
pub fn read(bytes: &[u8], references: References) -> Result<BankFile, StatementError> {
    if bytes.len() > BYTES_MAX {
        return Err(StatementError::TooLong);
    }
    let text = document::decoded(bytes)?;
    let document = document::read(&text)?;
    let root = Some(&document.root).filter(|root| root.is("Document"));
    let root = root.ok_or(StatementError::Message)?;
    let named = document.namespace.as_deref().map(message_of_namespace).transpose()?;
    let (message, body) = [
        (Message::Statement, root.at(&["BkToCstmrStmt"])),
        (Message::Notification, root.at(&["BkToCstmrDbtCdtNtfctn"])),
    ]
    .into_iter()
    .find_map(|(message, body)| Some((message, body?)))
    .filter(|(message, _)| named.is_none_or(|(named, _)| named == *message))
    .ok_or(StatementError::Message)?;
    let version = named.map(|(_, version)| version);
    if let Some(version) = version.filter(|version| *version < 2) {
        return Err(StatementError::Version { version });
    }
    let name = match message {
        Message::Statement => "Stmt",
        Message::Notification => "Ntfctn",
    };
    let statements = body.all(name).map(|node| statement(node, references));
    let statements: Vec<Statement> = statements.collect::<Result<_, _>>()?;
    if statements.is_empty() {
        return Err(StatementError::Missing { line: body.line, element: name });
    }
    Ok(BankFile { message, version, statements })
}

/// Message and version of `urn:iso:std:iso:20022:tech:xsd:camt.053.001.08`.
fn message_of_namespace(namespace: &str) -> Result<(Message, u32), StatementError> {
    let name = namespace.rsplit(':').next().unwrap_or_default();
    let message = match name.get(..9) {
        Some("camt.053.") => Message::Statement,
        Some("camt.054.") => Message::Notification,
        _ => return Err(StatementError::Message),
    };
    // The third part is the variant: that of ISO, or of a country that followed it.
    let version = name[9..].split_once('.').and_then(|(_, version)| version.parse().ok());
    Ok((message, version.ok_or(StatementError::Message)?))
}

/// Reads one `Stmt` or `Ntfctn`.
fn statement(node: &Node<'_>, references: References) -> Result<Statement, StatementError> {
    let line = node.line;
    let id = node.text_at(&["Id"]).ok_or(StatementError::Missing { line, element: "Id" })?;
    let account = ["IBAN", "Othr"].iter().find_map(|kind| {
        let named = node.at(&["Acct", "Id", kind])?;
        BankAccount::named(named.text().or_else(|| named.text_at(&["Id"]))?)
    });
    let account = account.ok_or(StatementError::Missing { line, element: "Acct" })?;
    let (entries, refused, unbooked) = entry::all(node, &account, references)?;
    let opening = balance(node, "OPBD")?;
    Ok(Statement {
        id: id.to_owned(),
        // Some banks repeat the closing balance of the day before in place of the opening one.
        opening: if opening.is_some() { opening } else { balance(node, "PRCD")? },
        closing: balance(node, "CLBD")?,
        account,
        entries,
        refused,
        unbooked,
    })
}

/// The balance of a kind.
fn balance(statement: &Node<'_>, code: &str) -> Result<Option<Balance>, StatementError> {
    let is_kind = |balance: &&Node<'_>| {
        let kind = balance.text_at(&["Tp", "CdOrPrtry", "Cd"]);
        // Of a page within a statement: neither its beginning nor its end.
        let intermediate = balance.text_at(&["Tp", "SubTp", "Cd"]) == Some("INTM");
        kind == Some(code) && !intermediate
    };
    let Some(node) = statement.all("Bal").find(is_kind) else { return Ok(None) };
    let day = day(node, "Dt")?.ok_or(StatementError::Missing { line: node.line, element: "Dt" })?;
    Ok(Some(Balance { amount: amount(node)?, direction: direction(node)?, day }))
}

/// The child `Amt`.
fn amount(node: &Node<'_>) -> Result<Amount, StatementError> {
    let missing = StatementError::Missing { line: node.line, element: "Amt" };
    let amount = node.at(&["Amt"]).ok_or(missing)?;
    let text = amount.text().unwrap_or_default();
    decimal::amount(text, amount.currency().unwrap_or_default())
        .map_err(|source| StatementError::Amount { line: amount.line, source })
}

/// The child `CdtDbtInd`.
fn direction(node: &Node<'_>) -> Result<Direction, StatementError> {
    let indicator = node.at(&["CdtDbtInd"]);
    match indicator.and_then(Node::text) {
        Some("CRDT") => Ok(Direction::Credit),
        Some("DBIT") => Ok(Direction::Debit),
        _ => Err(StatementError::Direction { line: indicator.map_or(node.line, |node| node.line) }),
    }
}

/// The day in the child `name`, which holds a date, or a date and time whose time is dropped: the bank's own day counts.
fn day(node: &Node<'_>, name: &str) -> Result<Option<Day>, StatementError> {
    let Some(node) = node.at(&[name]) else { return Ok(None) };
    let error = StatementError::Date { line: node.line };
    let text = node.text_at(&["Dt"]).or_else(|| node.text_at(&["DtTm"])).ok_or(error)?;
    let date = text.get(..10).and_then(|date| sepa::IsoDate::parse(date).ok()).ok_or(error)?;
    let number = u64::try_from(date.epoch_days()).map_err(|_| error)?;
    Ok(Some(Day::from_number(number)))
}

impl Statement {
    /// Whether opening balance and bookings come to the closing balance. `None` if a balance is missing or in another
    /// unit than a booking.
    ///
    /// One that does not add up lacks bookings or has too many: nobody should rely on its closing balance.
    pub fn adds_up(&self) -> Option<bool> {
        let (opening, closing) = (self.opening?, self.closing?);
        let unit: Unit = opening.amount.unit();
        let signed = |amount: Amount, direction: Direction| {
            let value = i128::from(amount.value());
            (amount.unit() == unit).then_some(match direction {
                Direction::Credit => value,
                Direction::Debit => -value,
            })
        };
        let entries = self.entries.iter().map(|entry| (entry.amount, entry.direction));
        let refused = self.refused.iter().map(|refused| (refused.amount, refused.direction));
        let balance = signed(opening.amount, opening.direction)?;
        let end = entries.chain(refused).try_fold(balance, |balance, (amount, direction)| {
            Some(balance + signed(amount, direction)?)
        })?;
        Some(end == signed(closing.amount, closing.direction)?)
    }
}
