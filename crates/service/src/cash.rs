//! Cash at agents: what the desk has written down is done in the vault, once, whoever is killed in between.

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;

use crate::account::{AccountId, Direction, Level, Limits};
use crate::bank::BankVault;
use crate::desk::cash::{Cash, CashKind, CashState, CashStore};
use crate::posting::{FactId, PostError, Posting};

/// Those taken up at once.
const PAGE: u32 = 50;

/// How much may pass the edge that way, of a currency, for people of a level.
pub type LimitsOf<'a> = &'a dyn Fn(Unit, Direction, Level) -> Option<Limits>;

/// Ends what has expired, and does in the vault all that the desk has written down.
///
/// # Errors
/// Of desk or vault. What was done until then stays done, and the rest is taken up by the next round.
pub fn settle<V: BankVault>(
    desk: &mut (impl CashStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
    now: Timestamp,
) -> Result<(), V::Error> {
    desk.expire_cash(now)?;
    let mut after = None;
    loop {
        let page = desk.cash_begun(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for cash in &page {
            // Whoever asked was told, or finds it as it was.
            _ = settle_one(desk, vault, cash.id, limits, now)?;
        }
    }
}

/// Carries one on until nobody is waited for: to a code that is good, to its end, or to nothing.
///
/// Within, why the vault did not do it: cash that was asked for is forgotten then, and what an agent confirmed is as it was.
///
/// # Errors
/// As [`settle`].
pub fn settle_one<V: BankVault>(
    desk: &mut (impl CashStore + ?Sized),
    vault: &mut V,
    id: FactId,
    limits: LimitsOf<'_>,
    now: Timestamp,
) -> Result<Result<(), PostError>, V::Error> {
    let mut refused = None;
    while let Some(cash) = desk.cash(id)? {
        // What has no currency yet is nothing the vault hears of.
        let Some(unit) = cash.unit else { break };
        let why = match cash.state {
            CashState::Ready | CashState::Done => break,
            CashState::Asked => hold(desk, vault, &cash, unit, limits)?,
            CashState::Dealing => deal(desk, vault, &cash, unit, limits, now)?,
            CashState::Ending => {
                end(desk, vault, &cash, unit, now)?;
                None
            }
        };
        refused = refused.or(why);
    }
    Ok(refused.map_or(Ok(()), Err))
}

fn limits_of<V: BankVault>(
    vault: &mut V,
    account: AccountId,
    unit: Unit,
    direction: Direction,
    limits: LimitsOf<'_>,
) -> Result<Option<Limits>, V::Error> {
    // Of nobody's account nothing is moved, whatever the limits.
    Ok(vault.holder(account)?.and_then(|holder| limits(unit, direction, holder.level)))
}

fn hold<V: BankVault>(
    desk: &mut (impl CashStore + ?Sized),
    vault: &mut V,
    cash: &Cash,
    unit: Unit,
    limits: LimitsOf<'_>,
) -> Result<Option<PostError>, V::Error> {
    let Cash { id, account, amount, fee, .. } = *cash;
    let limits = limits_of(vault, account, unit, Direction::Out, limits)?;
    let posting = Posting::Hold { hold: id, holder: account, unit, amount, fee, limits };
    let (to, refused) = match vault.post(posting)? {
        Ok(_) => (CashState::Ready, None),
        // It goes the way of what is called off: were it held after all, it is given back.
        Err(error) => (CashState::Ending, Some(error)),
    };
    desk.move_cash(id, CashState::Asked, to)?;
    Ok(refused)
}

fn deal<V: BankVault>(
    desk: &mut (impl CashStore + ?Sized),
    vault: &mut V,
    cash: &Cash,
    unit: Unit,
    limits: LimitsOf<'_>,
    now: Timestamp,
) -> Result<Option<PostError>, V::Error> {
    let Cash { id, kind, account, amount, fee, agent, .. } = *cash;
    let Some(agent) = agent else {
        desk.reopen_cash(id)?;
        return Ok(Some(PostError::Missing));
    };
    let posting = match kind {
        CashKind::Out => Posting::HandOver { hold: id, from: account, to: agent, unit },
        CashKind::In | CashKind::Card => {
            let limits = limits_of(vault, account, unit, Direction::In, limits)?;
            Posting::Move { fact: id, from: agent, to: account, unit, amount, fee, limits }
        }
    };
    match vault.post(posting)? {
        Ok(_) => {
            desk.finish_cash(id, now.day())?;
            Ok(None)
        }
        Err(error) => {
            desk.reopen_cash(id)?;
            Ok(Some(error))
        }
    }
}

fn end<V: BankVault>(
    desk: &mut (impl CashStore + ?Sized),
    vault: &mut V,
    cash: &Cash,
    unit: Unit,
    now: Timestamp,
) -> Result<(), V::Error> {
    let Cash { id, account, .. } = *cash;
    match vault.post(Posting::Release { hold: id, holder: account, unit })? {
        // Given back elsewhere: of a desk that was put back to before it heard, say.
        Err(PostError::Done) => Ok(desk.finish_cash(id, now.day())?),
        // Ended before anything was held.
        Ok(_) | Err(_) => Ok(desk.drop_cash(id)?),
    }
}
