//! What the vault says of the account of whoever is logged in, and what they may have done with it.

use std::sync::Arc;

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Direction, HolderState};
use tacit_service::ledger::{Account, Transfer, TransferKind};
use tacit_service::posting::{Assignee, EntryId, PostError, Posted, Posting, Source};
use tacit_service::quote::{MintQuote, QuoteId};
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader};

use super::refusal::Refusal;
use crate::state::Shared;
use crate::text::money::Money;

/// What an account holds of one currency, and how much more may come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) balance: Amount,
    /// Minor units that may come in yet, today and this month; `None` if there is no limit.
    pub(crate) left: Option<u64>,
}

/// An account as the vault knows it.
pub(crate) struct Standing {
    pub(crate) state: HolderState,
    /// By currency, in the configuration's order.
    pub(crate) held: Vec<Held>,
}

/// Asks the vault.
///
/// # Errors
/// [`Refusal::Busy`] if it has no time, else as [`Refusal::from`] a [`StoreError`].
pub(crate) async fn ask<T: Send + 'static>(
    shared: &Shared,
    question: impl FnOnce(&mut dyn VaultReader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Refusal> {
    Ok(shared.pool.run(question).await.map_err(|_| Refusal::Busy)??)
}

/// How an account stands; `None` if the vault does not know it yet.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn standing(
    shared: &Arc<Shared>,
    account: AccountId,
) -> Result<Option<Standing>, Refusal> {
    let (own, now) = (Arc::clone(shared), shared.now());
    ask(shared, move |reader| {
        let Some(holder) = reader.holder(account)? else { return Ok(None) };
        let mut held = Vec::new();
        for terms in &own.config.units {
            let purse = reader.purse(account, terms.unit)?;
            let usage = purse.usage.at(now);
            let limits = own.config.limits(terms.unit, Direction::In, holder.level);
            let left = limits.map(|limits| {
                let of_day = limits.day.saturating_sub(usage.in_day);
                of_day.min(limits.month.saturating_sub(usage.in_month))
            });
            held.push(Held { balance: amount(purse.balance.owed()?, terms.unit)?, left });
        }
        Ok(Some(Standing { state: holder.state, held }))
    })
    .await
}

/// Minor units of the vault's as an amount.
///
/// # Errors
/// [`StoreError::Corrupt`] if they are more than one can be.
pub(crate) fn amount(value: u64, unit: Unit) -> Result<Amount, StoreError> {
    Amount::new(value, unit).map_err(|_| StoreError::Corrupt("a balance is no amount"))
}

/// An amount as people read it: `10.50 USD`.
pub(crate) fn written(amount: Amount) -> String {
    amount.to_string().to_uppercase()
}

/// What a transfer was, as whoever has `account` reads it.
pub(crate) fn kind(text: &Money, transfer: &Transfer, account: Account) -> &'static str {
    match (transfer.kind, transfer.credit == account) {
        (TransferKind::Assigned | TransferKind::Earned, true) => text.kind_in,
        (TransferKind::Approved, _) => text.kind_approved,
        (TransferKind::Melted, _) => text.kind_melted,
        (TransferKind::Held, _) => text.kind_held,
        (TransferKind::Released, _) => text.kind_released,
        (TransferKind::Moved, true) => text.kind_cash_in,
        (TransferKind::Moved, false) => text.kind_cash_out,
        (TransferKind::Fee | TransferKind::Charged, _) => text.kind_fee,
        (TransferKind::Sold, _) => text.kind_sold,
        (TransferKind::Refunded | TransferKind::Fetched, _) => text.kind_refunded,
        (TransferKind::Reversed, _) => text.kind_reversed,
        (
            TransferKind::Assigned
            | TransferKind::Earned
            | TransferKind::Received
            | TransferKind::Issued
            | TransferKind::Swapped
            | TransferKind::Expired
            | TransferKind::SetAside
            | TransferKind::Booked,
            _,
        ) => text.kind_other,
    }
}

/// Posts, and says what became of it.
///
/// # Errors
/// [`Refusal::Busy`] if the vault does not commit: the same may be asked again.
pub(crate) async fn post(
    shared: &Shared,
    posting: Posting,
) -> Result<Result<Posted, PostError>, Refusal> {
    let committed = shared.writer.commit(Change::Post(posting)).await.map_err(|_| Refusal::Busy)?;
    let Outcome::Posted(posted) = committed.outcome else {
        return Err(StoreError::Corrupt("a posting was answered as something else").into());
    };
    Ok(posted)
}

/// Brings demo money into an account, as a bank transfer would, limits included.
///
/// # Errors
/// [`Refusal::NotFound`] outside of demo mode, else as [`post`].
pub(crate) async fn give_demo_money(
    shared: &Shared,
    holder: AccountId,
    amount: Amount,
) -> Result<Result<Posted, PostError>, Refusal> {
    if !shared.config.demo || shared.demo.is_none() {
        return Err(Refusal::NotFound);
    }
    let random = crate::random::bytes().map_err(|error| Refusal::internal(&error))?;
    let (entry, unit, value) = (EntryId::from_bytes(random), amount.unit(), amount.value());
    let now = shared.now();
    let asked =
        ask(shared, move |reader| Ok((reader.holder(holder)?, reader.purse(holder, unit)?)));
    let (known, purse) = asked.await?;
    let known = match known.map(|holder| (holder.state, holder.level)) {
        None => return Ok(Err(PostError::UnknownHolder)),
        Some((HolderState::Frozen, _)) => return Ok(Err(PostError::Frozen)),
        Some((HolderState::Closed, _)) => return Ok(Err(PostError::Closed)),
        Some((HolderState::Open, level)) => level,
    };
    let limits = shared.config.limits(unit, Direction::In, known);
    // Looked at before anything is booked, so that what may not come in does not lie in suspense.
    if let Some(limits) = limits
        && let Err(over) = purse.usage.at(now).with(Direction::In, value, limits)
    {
        return Ok(Err(over.into()));
    }
    let arrived = Posting::Arrived { entry, unit, amount: value };
    if let Err(error) = post(shared, arrived).await? {
        return Ok(Err(error));
    }
    // As wages would be, so that a demonstration has some income.
    let to = Assignee::Holder { holder, limits, source: Source::Others };
    post(shared, Posting::Assign { entry, unit, to }).await
}

/// The mint quote that somebody means: by its name, or, while it is open, by the text a payer gets for it.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn find_quote(shared: &Shared, said: &str) -> Result<Option<MintQuote>, Refusal> {
    let said: String = said.split_whitespace().collect();
    let said = said.strip_prefix("lightning:").unwrap_or(&said).to_owned();
    if let Ok(id) = said.to_ascii_lowercase().parse::<QuoteId>() {
        return ask(shared, move |reader| reader.mint_quote(id)).await;
    }
    // Requests are references and invoices: what is shorter or longer is neither.
    if !(8..=1024).contains(&said.len()) {
        return Ok(None);
    }
    let now = shared.now();
    ask(shared, move |reader| {
        let open = reader.unpaid_mint_quotes(now)?;
        Ok(open.into_iter().find(|quote| quote.request.eq_ignore_ascii_case(&said)))
    })
    .await
}
