//! Holding the money of payouts, and giving back that of those that are rejected.

use tacit_core::hex;

use super::{BankVault, LimitsOf};
use crate::desk::payout::{Payout, PayoutState, PayoutStore};
use crate::posting::{FactId, PostError, Posting};

/// Payouts asked for at once.
const PAGE: u32 = 50;

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

/// Does in the vault what the desk has written down: holds what was asked for, gives back what was rejected. Whoever is
/// killed in between does it again.
///
/// `limits`: how much may go out.
///
/// # Errors
/// Of desk or vault.
pub fn settle<V: BankVault>(
    desk: &mut (impl PayoutStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
) -> Result<(), V::Error> {
    for state in [PayoutState::Asked, PayoutState::Rejecting] {
        let mut after = None;
        loop {
            let page = desk.payouts(state, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for payout in &page {
                settle_one(desk, vault, payout, limits)?;
            }
        }
    }
    Ok(())
}

fn settle_one<V: BankVault>(
    desk: &mut (impl PayoutStore + ?Sized),
    vault: &mut V,
    payout: &Payout,
    limits: LimitsOf<'_>,
) -> Result<(), V::Error> {
    let Payout { id: hold, account: holder, unit, amount, state, .. } = *payout;
    let to = if state == PayoutState::Asked {
        // Of nobody's account nothing is held, whatever the limits.
        let limits = vault.holder(holder)?.and_then(|holder| limits(unit, holder.level));
        let posted = vault.post(Posting::Hold { hold, holder, unit, amount, fee: 0, limits })?;
        if posted.is_ok() { PayoutState::Held } else { PayoutState::Refused }
    } else {
        match vault.post(Posting::Release { hold, holder, unit })? {
            // Rejected before anything was held.
            Ok(_) | Err(PostError::Missing) => PayoutState::Rejected,
            Err(_) => return Ok(()),
        }
    };
    desk.move_payout(hold, state, to)?;
    Ok(())
}
