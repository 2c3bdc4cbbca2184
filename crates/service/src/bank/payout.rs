//! Holding the money of payouts, and giving back that of those that are rejected.
//!
//! Money that came for nobody and goes back to its sender is no account's: it stays in suspense until its payout may go out,
//! so that a person can still say no, and is then set apart under the name of its booking.
//!
//! Several servers may do so at once. Whoever moves a payout last finds it moved: the same way, then all is well; or given up
//! on by another while its money was being held, then it is given back. What fits neither is an exception for a person.

use tacit_core::hex;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::{BankVault, LimitsOf};
use crate::account::AccountId;
use crate::desk::booking::{BookingState, BookingStore, Why};
use crate::desk::exception::{self, Exception, ExceptionStore};
use crate::desk::payout::{Payout, PayoutState, PayoutStore, Turn, Whose};
use crate::ledger::Account;
use crate::posting::{self, Assignee, EntryId, FactId, PostError, Posting};

/// Payouts asked for at once.
const PAGE: u32 = 50;

/// What a payout costs in a currency, in minor units.
pub type FeeOf<'a> = &'a dyn Fn(Unit) -> u64;

/// Begins the message ids of our orders.
const MESSAGE: &str = "TO";

/// The `MsgId` of an order, 34 characters: a bank carries out the same one once.
pub fn message_id(order: FactId) -> String {
    format!("{MESSAGE}{}", hex::encode(order.as_bytes()).to_uppercase())
}

/// The order of this `MsgId`, if it is one of ours.
pub fn order_of(message_id: &str) -> Option<FactId> {
    message_id.trim().strip_prefix(MESSAGE)?.to_ascii_lowercase().parse().ok()
}

/// How much may go out of a currency without two people's approval, in minor units.
pub type AloneMax<'a> = &'a dyn Fn(Unit) -> u64;

/// Does in the vault what the desk has written down: holds what was asked for, gives back what was rejected. Whoever is
/// killed in between does it again.
///
/// `limits`: how much may go out. `alone`: what needs no approval. `fee`: what a payout costs in a currency, in minor units,
/// beside it. `now`: when it is written down that a person has to look, if so. Returns how many payouts that is said of anew.
///
/// # Errors
/// Of desk or vault.
pub fn settle<V: BankVault>(
    desk: &mut (impl BookingStore + PayoutStore + ExceptionStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
    alone: AloneMax<'_>,
    fee: FeeOf<'_>,
    now: Timestamp,
) -> Result<u64, V::Error> {
    let mut exceptions = 0;
    // What is asked for moves on to the second of these at most.
    for state in [PayoutState::Asked, PayoutState::Releasing, PayoutState::Rejecting] {
        let mut after = None;
        loop {
            let page = desk.payouts(state, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.turn());
            for payout in &page {
                let became = match (payout.whose, state) {
                    (Whose::Account(holder), _) => {
                        let carried = carry(vault, payout, holder, limits, fee)?;
                        note(desk, vault, payout, holder, carried)?
                    }
                    (Whose::Sender(_), PayoutState::Asked) => {
                        // If it may not, it waits for approval; or another server has let it go.
                        desk.release_payout(payout.id, alone(payout.unit))?;
                        Became::AsItShould
                    }
                    (Whose::Sender(entry), _) => set_apart(desk, vault, payout, entry)?,
                };
                if became == Became::Otherwise {
                    exceptions += u64::from(raise(desk, payout, now)?);
                }
            }
        }
    }
    Ok(exceptions)
}

/// Gives back what the vault holds for payouts asked for from a day on that the desk has given up on: a server that was
/// killed may have held it after another had. Returns how many, and how many need a person.
///
/// # Errors
/// Of desk or vault.
pub fn give_back<V: BankVault>(
    desk: &mut (impl PayoutStore + ExceptionStore + ?Sized),
    vault: &mut V,
    from: Day,
    now: Timestamp,
) -> Result<(u64, u64), V::Error> {
    let (mut given, mut exceptions) = (0, 0);
    let before = Day::from_number(from.number().saturating_sub(1));
    for state in [PayoutState::Refused, PayoutState::Rejected] {
        let mut after = Some(Turn { asked: before, id: FactId::from_bytes([0xff; 16]) });
        loop {
            let page = desk.payouts(state, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.turn());
            for payout in &page {
                let Whose::Account(holder) = payout.whose else { continue };
                if !is_held(vault, payout.id)? {
                    continue;
                }
                match release(vault, payout, holder)? {
                    Ok(()) => given += 1,
                    Err(_) => exceptions += u64::from(raise(desk, payout, now)?),
                }
            }
        }
    }
    Ok((given, exceptions))
}

/// Whether taking a payout up led where its state says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    AsItShould,
    /// Desk and vault say what does not fit together.
    Otherwise,
}

/// Does in the vault what the state of an account's payout asks for, and returns the state that follows.
pub(crate) fn carry<V: BankVault>(
    vault: &mut V,
    payout: &Payout,
    holder: AccountId,
    limits: LimitsOf<'_>,
    fee: FeeOf<'_>,
) -> Result<Result<PayoutState, PostError>, V::Error> {
    let Payout { id: hold, unit, amount, state, .. } = *payout;
    if state != PayoutState::Asked {
        return Ok(release(vault, payout, holder)?.map(|()| PayoutState::Rejected));
    }
    // Of nobody's account nothing is held, whatever the limits.
    let limits = vault.holder(holder)?.and_then(|holder| limits(unit, holder.level));
    let fee = fee(unit);
    let posted = vault.post(Posting::Hold { hold, holder, unit, amount, fee, limits })?;
    Ok(Ok(if posted.is_ok() { PayoutState::Held } else { PayoutState::Refused }))
}

/// Writes down what the vault did, unless another server was quicker: then both are held against each other.
pub(crate) fn note<V: BankVault>(
    desk: &mut (impl PayoutStore + ?Sized),
    vault: &mut V,
    payout: &Payout,
    holder: AccountId,
    carried: Result<PayoutState, PostError>,
) -> Result<Became, V::Error> {
    use PayoutState::{Held, Ordered, Refused, Rejected, Rejecting};
    // It cannot be given back: it was paid without an order of ours.
    let Ok(to) = carried else { return Ok(Became::Otherwise) };
    if desk.move_payout(payout.id, payout.state, to)? {
        return Ok(Became::AsItShould);
    }
    Ok(match (to, desk.payout(payout.id)?.map(|payout| payout.state)) {
        // The same, and what follows from it. Whoever says no while money is held has it given back by the next round.
        (Held, Some(Held | Ordered | Rejecting))
        | (Refused, Some(Refused | Rejecting | Rejected))
        | (Rejected, Some(Rejected)) => Became::AsItShould,
        // Another held it: it was refused a moment too early or too late.
        (Refused, Some(Held | Ordered)) if is_held(vault, payout.id)? => Became::AsItShould,
        // Another has given up on it.
        (Held, Some(Refused | Rejected)) => match release(vault, payout, holder)? {
            Ok(()) => Became::AsItShould,
            Err(_) => Became::Otherwise,
        },
        _ => Became::Otherwise,
    })
}

/// Gives back what is held, if anything is.
fn release<V: BankVault>(
    vault: &mut V,
    payout: &Payout,
    holder: AccountId,
) -> Result<Result<(), PostError>, V::Error> {
    let Payout { id: hold, unit, .. } = *payout;
    Ok(match vault.post(Posting::Release { hold, holder, unit })? {
        Ok(_) | Err(PostError::Missing) => Ok(()),
        Err(error) => Err(error),
    })
}

/// Whether money is set apart for a payout, and was neither paid nor given back.
fn is_held<V: BankVault>(vault: &mut V, hold: FactId) -> Result<bool, V::Error> {
    let held = vault.transfer(posting::held(hold))?;
    let is_own = held.is_some_and(|held| matches!(held.debit, Account::Holder(..)));
    Ok(is_own && vault.transfer(posting::ended(hold))?.is_none())
}

/// A person has to look at a payout. `false` if that is said of it already.
fn raise(
    desk: &mut (impl ExceptionStore + ?Sized),
    payout: &Payout,
    now: Timestamp,
) -> Result<bool, crate::vault::StoreError> {
    let kind = exception::Kind::Payout;
    let subject = format!("payout {}", payout.id);
    desk.raise(&Exception { kind, subject, raised: now.day() }, now)
}

/// Sets apart what goes back to its sender. If it was found out meanwhile what it was for, it does not go back.
fn set_apart<V: BankVault>(
    desk: &mut (impl BookingStore + PayoutStore + ?Sized),
    vault: &mut V,
    payout: &Payout,
    entry: EntryId,
) -> Result<Became, V::Error> {
    let to = Assignee::SendBack;
    let posted = vault.post(Posting::Assign { entry, unit: payout.unit, to })?;
    // The booking first: a payout that is held has one that is done.
    let (booking, to) = match posted {
        Ok(_) => (BookingState::Done, PayoutState::Held),
        Err(PostError::Done) => (BookingState::Done, PayoutState::Refused),
        Err(_) => (BookingState::Open(Why::Unknown), PayoutState::Refused),
    };
    let from = BookingState::Open(Why::SendBack);
    let is_known = desk.move_booking(entry, from, booking)?
        || desk.booking(entry)?.is_some_and(|known| known.state == booking);
    let is_noted = desk.move_payout(payout.id, payout.state, to)?
        || match desk.payout(payout.id)?.map(|payout| payout.state) {
            Some(PayoutState::Ordered) => to == PayoutState::Held,
            state => state == Some(to),
        };
    let is_refused = booking != BookingState::Done;
    Ok(if is_known && is_noted && !is_refused { Became::AsItShould } else { Became::Otherwise })
}
