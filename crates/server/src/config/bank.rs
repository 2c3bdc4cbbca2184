//! The operator's accounts at banks, and what may pass them.

use tacit_bank::iban::BankAccount;
use tacit_bank::statement::References;
use tacit_service::account::Limits;

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
