//! Carrying what staff decided of an account to the vault: freezing, thawing, closing, levels.
//!
//! The desk has written the decision down before; the vault takes the same twice; then the desk forgets it. A crash anywhere
//! leaves the decision where the next round finds it. A person's shop and float are frozen, thawed and closed with their
//! owner: the law that stops somebody's money stops all of it.

use std::sync::Arc;

use tacit_core::amount::Amount;
use tacit_service::account::{AccountId, HolderState};
use tacit_service::desk::agent::Agent;
use tacit_service::desk::cash::{Cash, CashKind, CashState};
use tacit_service::desk::judgement::{CarriedOut, Decision};
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::payout::{Payout, PayoutState};
use tacit_service::desk::person::PersonId;
use tacit_service::posting;
use tacit_service::vault::{Change, StoreError};

use super::money::{amount, ask};
use super::refusal::Refusal;
use super::{Desk, account};
use crate::cash::agent::open_float;
use crate::shop::merchant::open_account;

/// Decisions carried out in one go, of those that were left over.
const A_ROUND: u32 = 200;

/// How often a decision is tried that others overtake.
const TRIES: usize = 4;

/// What keeps an account from being closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leftovers {
    /// What the account holds.
    pub(crate) balances: Vec<Amount>,
    /// What the shop's and the float hold.
    pub(crate) further_balances: Vec<Amount>,
    /// Payouts of all of them that the bank has not paid yet.
    pub(crate) payouts: usize,
    /// Sums that are set apart for cash.
    pub(crate) cash: usize,
}

impl Leftovers {
    pub(crate) fn is_empty(&self) -> bool {
        let is_anything_held = !self.balances.is_empty() || !self.further_balances.is_empty();
        !is_anything_held && self.payouts == 0 && self.cash == 0
    }
}

/// Carries out what was decided of somebody, if anything is on its way.
///
/// # Errors
/// [`Refusal::Busy`] if the vault cannot do it now: the next round does.
pub(crate) async fn carry_out(desk: &Desk, of: PersonId) -> Result<CarriedOut, Refusal> {
    // One at a time: what was decided first must not arrive last. Where several servers share a desk, whoever arrives with
    // what was overtaken is told so, and brings the later one.
    let _one = desk.handle.judging.lock().await;
    for _ in 0..TRIES {
        let found = desk.run(move |store| {
            let Some(decision) = store.decision(of)? else { return Ok(None) };
            Ok(Some((decision, store.merchant_of(of)?, store.agent_of(of)?)))
        });
        let Some((decision, shop, agent)) = found.await? else { return Ok(CarriedOut::Done) };
        let is_closed = tell_vault(desk, &decision, shop.as_ref(), agent.as_ref()).await?;
        let now = desk.now();
        let carried =
            desk.run(move |store| Ok(store.carry_out(&decision, is_closed, now)?)).await?;
        if carried != CarriedOut::Overtaken {
            return Ok(carried);
        }
    }
    Err(Refusal::Busy)
}

/// Carries out what a crash left over, or the vault could not do when it was away.
///
/// # Errors
/// As [`carry_out`].
pub(crate) async fn carry_out_left_over(desk: &Desk) -> Result<(), Refusal> {
    let mut done = Ok(());
    for person in desk.run(|store| Ok(store.undecided(A_ROUND)?)).await? {
        // Whatever keeps one of them keeps none of the others.
        if let Err(refusal) = carry_out(desk, person).await {
            done = Err(refusal);
        }
    }
    done
}

/// Brings the vault to what was decided, and returns whether it says that the account is closed.
async fn tell_vault(
    desk: &Desk,
    decision: &Decision,
    shop: Option<&Merchant>,
    agent: Option<&Agent>,
) -> Result<bool, Refusal> {
    let person = &decision.person;
    if !person.is_in_vault {
        account::open(&desk.shared, &desk.handle, person).await?;
    }
    if let Some(shop) = shop {
        open_account(desk, shop).await?;
    }
    if let Some(agent) = agent {
        open_float(&desk.shared, &desk.handle, agent).await?;
    }
    let level = person.kyc.level();
    commit(desk, Change::SetLevel { holder: person.account, level }).await?;
    let own = person.account;
    let further = further(shop, agent);
    if decision.is_closing && !is_closed(desk, own).await? {
        close(desk, own, &further).await?;
    }
    // A closing may have been cut off after the person's own account, and something else decided since. What is closed stays closed,
    // so that the rest follows it: nobody is left with half of their accounts.
    let is_closed = is_closed(desk, own).await?;
    let state = if is_closed { HolderState::Closed } else { person.state.in_vault() };
    // Where it was not closed, this undoes what closing began.
    set_state(desk, own, &further, state).await?;
    if is_closed && !further.is_empty() {
        // Keys of closed shops no longer lock anything. If that is not seen now, upkeep does within the hour.
        _ = desk.shared.refresh().await;
    }
    Ok(is_closed)
}

async fn is_closed(desk: &Desk, account: AccountId) -> Result<bool, Refusal> {
    let found = ask(&desk.shared, move |reader| reader.holder(account)).await?;
    Ok(found.is_some_and(|holder| holder.state == HolderState::Closed))
}

/// The accounts that somebody has beside their own.
pub(crate) fn further(shop: Option<&Merchant>, agent: Option<&Agent>) -> Vec<AccountId> {
    shop.map(|shop| shop.account).into_iter().chain(agent.map(|agent| agent.account)).collect()
}

/// Freezes all accounts, and closes the person's own if nothing is left over anywhere. It goes first: whether it is closed is the
/// vault's word, which the others follow.
async fn close(desk: &Desk, own: AccountId, further: &[AccountId]) -> Result<(), Refusal> {
    // Frozen first, so that nothing comes in while it is looked at.
    set_state(desk, own, further, HolderState::Frozen).await?;
    if !leftovers(desk, own, further).await?.is_empty() {
        return Ok(());
    }
    set_state(desk, own, &[], HolderState::Closed).await
}

async fn set_state(
    desk: &Desk,
    own: AccountId,
    further: &[AccountId],
    state: HolderState,
) -> Result<(), Refusal> {
    for holder in further.iter().copied().chain([own]) {
        let units = desk.shared.config.units.iter().map(|terms| terms.unit).collect();
        commit(desk, Change::SetHolderState { holder, state, units }).await?;
    }
    Ok(())
}

async fn commit(desk: &Desk, change: Change) -> Result<(), Refusal> {
    desk.shared.writer.commit(change).await.map(drop).map_err(|_| Refusal::Busy)
}

/// What keeps an account, and those that its owner has beside it, from being closed.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn leftovers(
    desk: &Desk,
    own: AccountId,
    further: &[AccountId],
) -> Result<Leftovers, Refusal> {
    let further = further.to_vec();
    let accounts: Vec<AccountId> = further.iter().copied().chain([own]).collect();
    let found = desk.run(move |store| {
        let (mut payouts, mut cash) = (Vec::new(), 0);
        for account in accounts {
            payouts.extend(store.payouts_of(account)?);
            let is_set_apart =
                |cash: &Cash| cash.kind == CashKind::Out && cash.state != CashState::Done;
            cash += store.cash_of(account)?.iter().filter(|cash| is_set_apart(cash)).count();
        }
        Ok((payouts, cash))
    });
    let ((payouts, cash), shared) = (found.await?, Arc::clone(&desk.shared));
    ask(&desk.shared, move |reader| {
        let mut held = |account: AccountId| -> Result<Vec<Amount>, StoreError> {
            let mut found = Vec::new();
            for terms in &shared.config.units {
                let purse = reader.purse(account, terms.unit)?;
                found.push(amount(purse.balance.owed()?, terms.unit)?);
            }
            found.retain(|held| held.value() > 0);
            Ok(found)
        };
        let balances = held(own)?;
        let mut further_balances = Vec::new();
        for account in further {
            further_balances.extend(held(account)?);
        }
        let mut under_way = 0;
        for Payout { id, state, .. } in payouts {
            // Once ordered, the vault knows when the bank has paid it.
            let has_ended =
                state == PayoutState::Ordered && reader.transfer(posting::ended(id))?.is_some();
            under_way += usize::from(!has_ended);
        }
        Ok(Leftovers { balances, further_balances, payouts: under_way, cash })
    })
    .await
}
