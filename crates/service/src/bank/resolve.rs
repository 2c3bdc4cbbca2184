//! What a person says that a booking was for: the desk writes it down, the vault takes it or refuses it, the desk notes which.
//!
//! The vault says what a booking was for once, under the booking's own name. So whoever is killed in between does it again,
//! and of two who say different things of one booking the second is refused.

use tacit_core::time::Timestamp;

use super::{BankVault, LimitsOf, hold_of, source};
use crate::desk::booking::{Booking, BookingState, BookingStore, Purpose, QuoteMark, Resolution};
use crate::desk::exception::{Exception, ExceptionStore, Kind};
use crate::desk::payout::{PayoutState, PayoutStore, Whose};
use crate::desk::person::PersonStore;
use crate::desk::trail::{Action, Deed};
use crate::ledger::Account;
use crate::posting::{self, Assignee, FactId, PostError, Posting};
use crate::vault::StoreError;

/// Resolutions asked for at once.
const PAGE: u32 = 50;

/// Tells the vault all that people said of bookings and it does not know yet.
///
/// `limits`: how much may come in. `now`: when it was refused, if it is.
///
/// # Errors
/// Of desk or vault.
pub fn settle<V: BankVault>(
    desk: &mut (impl BookingStore + PayoutStore + ExceptionStore + PersonStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
    now: Timestamp,
) -> Result<(), V::Error> {
    loop {
        let some = desk.resolutions(PAGE)?;
        if some.is_empty() {
            return Ok(());
        }
        for resolution in &some {
            _ = carry_out(desk, vault, resolution, limits, now)?;
        }
    }
}

/// Tells the vault what somebody said of a booking, and the desk what the vault said.
///
/// # Errors
/// Of desk or vault; within, why the vault did not take it, which is in the trail then.
pub fn carry_out<V: BankVault>(
    desk: &mut (impl BookingStore + PayoutStore + ExceptionStore + PersonStore + ?Sized),
    vault: &mut V,
    resolution: &Resolution,
    limits: LimitsOf<'_>,
    now: Timestamp,
) -> Result<Result<(), PostError>, V::Error> {
    let known = desk.booking(resolution.booking)?;
    let booking = known.ok_or(StoreError::Corrupt("a resolution is of no booking"))?;
    let posted = if resolution.purpose == Purpose::Reversed {
        take_back(desk, vault, &booking, now)?
    } else {
        match assignee(desk, vault, &booking, resolution.purpose, limits)? {
            Ok(Some(to)) => {
                let posting = Posting::Assign { entry: booking.id, unit: booking.unit, to };
                vault.post(posting)?.map(drop)
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        }
    };
    let refused = posted.err().map(|error| Deed {
        moment: now,
        staff: None,
        action: Action::BookingNotResolved,
        subject: format!("booking {}", booking.id),
        detail: format!("{}: {error}", resolution.purpose),
    });
    // What was done in another way is done, too; but not what another booking was for.
    let is_done = match posted {
        Ok(()) => true,
        Err(PostError::Done) => vault.transfer(posting::assigned(booking.id))?.is_some(),
        Err(_) => false,
    };
    if !desk.end_resolution(booking.id, is_done, refused.as_ref())? && is_done {
        // Another server has ended it, perhaps with a refusal that was true a moment before: the vault has it now.
        if let Some(Booking { state: state @ BookingState::Open(_), .. }) =
            desk.booking(booking.id)?
        {
            // If it is moved once more, by whoever it is, the next round finds in the vault what it was for.
            desk.move_booking(booking.id, state, BookingState::Done)?;
        }
    }
    Ok(posted)
}

/// Takes a booking back from where it was assigned to by mistake. What is no longer there waits for a person.
fn take_back<V: BankVault>(
    desk: &mut (impl ExceptionStore + ?Sized),
    vault: &mut V,
    booking: &Booking,
    now: Timestamp,
) -> Result<Result<(), PostError>, V::Error> {
    let assigned = vault.transfer(posting::assigned(booking.id))?;
    let holder = assigned.and_then(|assigned| {
        if let Account::Holder(_, holder) = assigned.credit { Some(holder) } else { None }
    });
    let posting = Posting::Reverse { entry: booking.id, unit: booking.unit, holder };
    let posted = vault.post(posting)?.map(drop);
    if posted == Err(PostError::Insufficient) {
        let subject = format!("booking {}", booking.id);
        desk.raise(&Exception { kind: Kind::Gone, subject, raised: now.day() }, now)?;
    }
    Ok(posted)
}

/// Whom the vault is told of; nobody if it knows already.
fn assignee<V: BankVault>(
    desk: &mut (impl PayoutStore + PersonStore + ?Sized),
    vault: &mut V,
    booking: &Booking,
    purpose: Purpose,
    limits: LimitsOf<'_>,
) -> Result<Result<Option<Assignee>, PostError>, V::Error> {
    Ok(match purpose {
        Purpose::Account(id) => match vault.holder(id)? {
            Some(holder) => {
                let limits = limits(booking.unit, holder.level);
                let source = source(desk, id, &booking.paper)?;
                Ok(Some(Assignee::Holder { holder: id, limits, source }))
            }
            None => Err(PostError::UnknownHolder),
        },
        Purpose::Quote(mark) => quote(vault, booking, mark)?,
        Purpose::Payout(hold) => left(desk, vault, hold)?.map(Some),
        Purpose::Returned(hold) => came_back(desk, vault, booking, hold)?.map(Some),
        Purpose::OwnMoney => Ok(Some(Assignee::OwnMoney)),
        Purpose::BankCost => Ok(Some(Assignee::BankCost)),
        // That is no assignment: nothing is found for it.
        Purpose::Reversed => Err(PostError::Missing),
    })
}

/// The open quote of a mark. One that this booking has paid is no longer open.
fn quote<V: BankVault>(
    vault: &mut V,
    booking: &Booking,
    mark: QuoteMark,
) -> Result<Result<Option<Assignee>, PostError>, V::Error> {
    if let Some(assigned) = vault.transfer(posting::assigned(booking.id))? {
        let is_same = assigned.credit == Account::Unissued(booking.unit);
        return Ok(if is_same { Ok(None) } else { Err(PostError::Done) });
    }
    let open = vault.unpaid_mint_quotes()?;
    let found = open.iter().find(|quote| QuoteMark::of(booking.id, quote.id) == mark);
    Ok(found.map(|quote| Some(Assignee::Quote(quote.id))).ok_or(PostError::QuoteNotOpen))
}

/// A payout that has left.
fn left<V: BankVault>(
    desk: &mut (impl PayoutStore + ?Sized),
    vault: &mut V,
    hold: FactId,
) -> Result<Result<Assignee, PostError>, V::Error> {
    if let Some(payout) = desk.payout(hold)? {
        // What is not ordered yet has not left, and would go out besides.
        if payout.state != PayoutState::Ordered {
            return Ok(Err(PostError::Missing));
        }
        if let Whose::Sender(came) = payout.whose {
            return Ok(Ok(Assignee::SentBack(came)));
        }
    }
    Ok(match vault.transfer(posting::held(hold))?.map(|held| held.debit) {
        Some(Account::Holder(_, holder)) => Ok(Assignee::Hold { hold, holder }),
        Some(_) | None => Err(PostError::Missing),
    })
}

/// The owner of a payout that had left and came back: the one that the booking names, if it names one, of just its amount.
fn came_back<V: BankVault>(
    desk: &mut (impl PayoutStore + ?Sized),
    vault: &mut V,
    booking: &Booking,
    hold: FactId,
) -> Result<Result<Assignee, PostError>, V::Error> {
    let (held, ended) = (posting::held(hold), posting::ended(hold));
    let (Some(held), Some(ended)) = (vault.transfer(held)?, vault.transfer(ended)?) else {
        return Ok(Err(PostError::Missing));
    };
    let Account::Holder(unit, holder) = held.debit else { return Ok(Err(PostError::Missing)) };
    let has_left = unit == booking.unit && ended.credit == Account::Clearing(unit);
    let is_back = vault.transfer(posting::returned(hold))?.is_some()
        && vault.transfer(posting::assigned(booking.id))?.is_none();
    if !has_left || is_back || !may_be_of(desk, booking, hold)? {
        return Ok(Err(PostError::Missing));
    }
    Ok(if held.amount == booking.amount {
        Ok(Assignee::Returned { hold, holder })
    } else {
        Err(PostError::WrongAmount)
    })
}

/// Whether what stands on a booking leaves room for its being the return of this payout: it names no other of ours, and no
/// other account than the payee's, where the bank gives one.
///
/// # Errors
/// Of the desk.
pub fn may_be_of(
    desk: &mut (impl PayoutStore + ?Sized),
    booking: &Booking,
    hold: FactId,
) -> Result<bool, StoreError> {
    let named = booking.paper.end_to_end.as_deref().and_then(hold_of);
    if named.is_some_and(|named| named != hold) {
        return Ok(false);
    }
    let known = desk.payout(hold)?;
    // A desk older than its vault knows nothing of it, and cannot say otherwise.
    let iban = known.map(|payout| payout.iban);
    let plain = |account: &str| -> String {
        account.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase()
    };
    Ok(match (booking.paper.account.as_deref(), iban) {
        (Some(account), Some(iban)) => plain(account) == plain(&iban),
        (None, _) | (_, None) => true,
    })
}
