//! Daily reconciliation: what the bank says, what the books have, and whether that covers what is owed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tacit_bank::statement::{Balance, Direction, Statement};
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::reconcile::{self, Facts, Position, Row, StatementBalance, Sums};

use super::{ImportError, settle};
use crate::config::UnitConfig;
use crate::state::Shared;

/// Days that are looked back.
pub(crate) const DAYS: u64 = 60;

/// How often the books and the desk are read until nothing happens in between.
const TRIES: u32 = 3;

/// Characters of what a bank calls a statement. ISO 20022 gives it 35.
const NAME_MAX: usize = 100;

/// How one currency stands.
pub(crate) struct Standing {
    pub(crate) unit: Unit,
    /// Now.
    pub(crate) position: Position,
    /// The latest day first.
    pub(crate) rows: Vec<Row>,
    pub(crate) facts: Facts,
}

/// What `tacitd reconcile` prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Whether no day is an exception and nothing is short. Missing money is an exception whatever is said of it.
    pub holds: bool,
    /// Whether somebody has to look: whether some exception is not explained, or more is owed now than there is.
    pub is_unexplained: bool,
    /// By currency.
    pub units: Vec<UnitReport>,
}

/// One currency of it. Amounts are in minor units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnitReport {
    /// Currency.
    pub unit: String,
    /// What the books have at the bank.
    pub settlement: i64,
    /// What is owed.
    pub owed: i64,
    /// What there is beyond that; below zero if it is short.
    pub cover: i64,
    /// The latest day first.
    pub days: Vec<DayReport>,
}

/// One day of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayReport {
    /// As `2026-11-22`.
    pub day: String,
    /// The bank's balance, if its statements agree on one.
    pub bank: Option<i64>,
    /// That of the books.
    pub books: i64,
    /// What the books do not have yet, since it is unclear.
    pub unclear: i64,
    /// What the bank has beyond both.
    pub difference: Option<i64>,
    /// What the books had beyond what was owed.
    pub cover: Option<i64>,
    /// `agrees`, `explained`, `differs`, `contradicts`, `missing` or `short`. What is missing or short is never `explained`.
    pub verdict: String,
    /// What two people said of it, if they did.
    pub explanation: Option<String>,
}

/// The balance at the end of a statement, if it has one in the currency of its account.
pub(super) fn balance_of(statement: &Statement, unit: Unit) -> Option<StatementBalance> {
    let signed = |balance: Balance| {
        let value = i64::try_from(balance.amount.value()).ok()?;
        (balance.amount.unit() == unit).then_some(match balance.direction {
            Direction::Credit => value,
            Direction::Debit => -value,
        })
    };
    let closing = statement.closing?;
    Some(StatementBalance {
        account: statement.account.as_str().to_owned(),
        day: closing.day,
        statement: statement.id.chars().take(NAME_MAX).collect(),
        unit,
        opening: statement.opening.and_then(signed),
        closing: signed(closing)?,
        adds_up: statement.adds_up(),
        is_contradicted: false,
    })
}

/// Currencies with an account at a bank.
pub(crate) fn units(shared: &Shared) -> impl Iterator<Item = &UnitConfig> {
    shared.config.units.iter().filter(|terms| terms.bank.is_some())
}

/// How a currency stands, and its days from [`DAYS`] ago on.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn standing(shared: &Arc<Shared>, unit: Unit) -> Result<Standing, ImportError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let from = Day::from_number(shared.now().day().number().saturating_sub(DAYS));
    let mut tries = 0;
    loop {
        let booked = desk.run(move |store| Ok(store.booked(unit, from)?));
        let before = booked.await.map_err(|_| ImportError::Desk)?;
        let sums = sums(shared, unit).await?;
        let read = desk.run(move |store| {
            let facts = Facts {
                balances: store.balances(unit, from)?,
                positions: store.positions(unit, from)?,
                explanations: store.explanations(unit)?,
                ..Facts::default()
            };
            Ok((store.booked(unit, from)?, facts))
        });
        let (after, facts) = read.await.map_err(|_| ImportError::Desk)?;
        tries += 1;
        // What was booked in between is in one of the two and not in the other.
        if tries < TRIES && (before != after || after.noted > 0) {
            settle(shared).await?;
            continue;
        }
        let position = Position::of(&sums);
        let facts = Facts {
            settlement: position.settlement,
            unclear: after.unclear,
            booked: after.days,
            ..facts
        };
        return Ok(Standing { unit, position, rows: reconcile::rows(&facts), facts });
    }
}

async fn sums(shared: &Arc<Shared>, unit: Unit) -> Result<Sums, ImportError> {
    let asked = shared.pool.run(move |reader| reader.sums(unit)).await?;
    Ok(asked?)
}

/// Writes down what is owed now, as the word of the day until a later one.
///
/// # Errors
/// Those of both databases.
pub(super) async fn note_positions(shared: &Arc<Shared>) -> Result<(), ImportError> {
    let Some(desk) = shared.desk.as_ref() else { return Ok(()) };
    let units: Vec<Unit> = units(shared).map(|terms| terms.unit).collect();
    for unit in units {
        let (position, today) = (Position::of(&sums(shared, unit).await?), shared.now().day());
        let noted = desk.run(move |store| Ok(store.note_position(unit, today, &position)?));
        noted.await.map_err(|_| ImportError::Desk)?;
    }
    Ok(())
}

/// All of it, for the command line.
///
/// # Errors
/// [`ImportError::NoAccount`] if there is nothing to reconcile, and those of both databases.
pub(crate) async fn report(shared: &Arc<Shared>) -> Result<Report, ImportError> {
    let known: Vec<Unit> = units(shared).map(|terms| terms.unit).collect();
    if known.is_empty() {
        return Err(ImportError::NoAccount);
    }
    let (mut holds, mut is_unexplained, mut units) = (true, false, Vec::new());
    for unit in known {
        let Standing { position, rows, .. } = standing(shared, unit).await?;
        let is_short = position.cover() < 0;
        holds &= !is_short && !rows.iter().any(|row| row.verdict.is_exception());
        is_unexplained |= is_short || rows.iter().any(Row::is_unexplained);
        units.push(UnitReport {
            unit: unit.to_string(),
            settlement: position.settlement,
            owed: position.owed(),
            cover: position.cover(),
            days: rows.iter().map(day_report).collect(),
        });
    }
    Ok(Report { holds, is_unexplained, units })
}

fn day_report(row: &Row) -> DayReport {
    DayReport {
        day: row.day.to_string(),
        bank: row.closing,
        books: row.settlement,
        unclear: row.unclear,
        difference: row.difference,
        cover: row.cover,
        verdict: row.verdict.name().to_owned(),
        explanation: row.explanation.as_ref().map(|said| said.note.clone()),
    }
}
