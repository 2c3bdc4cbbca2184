//! What of the money that came to an account a passport counts.

use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::INCOME_MAX;
use tacit_ecash::code::Code;
use tacit_service::account::AccountId;
use tacit_service::income;
use tacit_service::ledger::{Account, Transfer};
use tacit_service::passport::Name;
use tacit_service::passport::desk::Claim;
use tacit_service::vault::{StoreError, VaultReader};

use crate::config::{Config, UnitConfig};
use crate::error::ApiError;

/// Transfers of an account that are read at once.
const PAGE: u64 = 200;

/// What the name of an account's income of a month is, in the vault.
pub(crate) fn name(account: AccountId, of: Epoch) -> Name {
    let account = account.to_string();
    Name::of("income", &[account.as_bytes(), &of.number().to_be_bytes()].concat())
}

/// What a request for an account's income of a month may say.
///
/// # Errors
/// If nothing came, and those of the store.
pub(super) fn claim(
    reader: &mut dyn VaultReader,
    config: &Config,
    account: AccountId,
    of: Epoch,
) -> Result<Claim<'static>, ApiError> {
    let units = units(reader, config, account, of)?;
    if units == 0 {
        let detail = "nothing came in that month that counts as income";
        return Err(ApiError::refused(Code::PassportRefused, detail));
    }
    Ok(Claim::Income { once: name(account, of), units })
}

/// A month's income of an account, all currencies together.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn units(
    reader: &mut dyn VaultReader,
    config: &Config,
    account: AccountId,
    of: Epoch,
) -> Result<u16, StoreError> {
    let (month, mut sum) = (of.calendar_month(), 0_u16);
    let own = |terms: &UnitConfig| Account::Holder(terms.unit, account);
    let accounts: Vec<Account> = config.units.iter().map(own).collect();
    // Most are read to their end, or have never been used.
    let pages = reader.statements(&accounts, 0, PAGE)?;
    for (terms, page) in config.units.iter().zip(pages) {
        let transfers = back_to(reader, own(terms), month, page)?;
        let amount = income::of_month(own(terms), month, &transfers);
        sum = sum.saturating_add(income::units(amount, terms.passport_unit, INCOME_MAX));
    }
    Ok(sum.min(INCOME_MAX))
}

/// A statement from its first page on, back to before a month or to its end.
fn back_to(
    reader: &mut dyn VaultReader,
    account: Account,
    month: u64,
    mut found: Vec<Transfer>,
) -> Result<Vec<Transfer>, StoreError> {
    let mut known = PAGE;
    while found.len() as u64 == known && !income::is_before(month, &found) {
        found.extend(reader.statement(account, known, PAGE)?);
        known += PAGE;
    }
    Ok(found)
}
