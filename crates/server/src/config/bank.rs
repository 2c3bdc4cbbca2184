//! The operator's accounts at banks, and what may pass them.

use tacit_bank::iban::BankAccount;
use tacit_bank::statement::References;
use tacit_core::unit::Unit;
use tacit_service::account::{Direction, Level, Limits};

use super::Config;

/// The operator's account at a bank.
#[derive(Clone, Debug)]
pub struct BankTerms {
    /// Its number.
    pub account: BankAccount,
    /// What of the bank's names its bookings.
    pub references: References,
}

impl BankTerms {
    /// Of an account's number; `None` if there is nothing in it.
    pub(super) fn of(account: &str, by_entry: bool) -> Option<Self> {
        let references = if by_entry { References::EntryReference } else { References::Standard };
        Some(Self { account: BankAccount::named(account)?, references })
    }
}

/// Limits of a day and of a month.
pub(super) fn limits(pairs: &[[u64; 2]]) -> Vec<Limits> {
    pairs.iter().map(|[day, month]| Limits { day: *day, month: *month }).collect()
}

/// What may pass the edge in a demo, one way of a day and of a month, by level, in minor units.
pub(super) const DEMO_LIMITS: [[u64; 2]; 3] =
    [[50_000, 150_000], [200_000, 1_000_000], [1_000_000, 10_000_000]];

impl Config {
    /// How much may pass the edge one way, of a currency, for somebody of this level; `None` for no limit.
    pub fn limits(&self, unit: Unit, direction: Direction, level: Level) -> Option<Limits> {
        let terms = self.units.iter().find(|terms| terms.unit == unit)?;
        match direction {
            Direction::In => terms.limits_in(level),
            Direction::Out => terms.limits_out(level),
        }
    }
}
