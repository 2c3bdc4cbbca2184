//! The bank rail: what the bank booked finds its account, its mint quote or its payout, or waits for a person.
//!
//! The desk is told first, whole, and the vault then once for each: whoever is killed in between settles again, and finds
//! done what was done. So one file twice, or both files of a bank that carry the same bookings, are one.

pub mod payout;

use tacit_core::hex;
use tacit_core::unit::Unit;

use crate::account::{AccountId, Direction, Holder, Level, Limits, OverLimit};
use crate::desk::booking::{Booking, BookingState, BookingStore, Unclear, Why};
use crate::ledger::{Account, Transfer, TransferId};
use crate::posting::{self, Assignee, EntryId, FactId, PostError, Posted, Posting};
use crate::quote::MintQuote;
use crate::vault::StoreError;

/// Bookings asked for at once.
const PAGE: u32 = 20;

/// Begins the end-to-end ids of our payouts.
const END_TO_END: &str = "TP";

/// What the rail asks of the vault.
pub trait BankVault {
    /// Why it did not answer.
    type Error: From<StoreError>;

    /// An account.
    ///
    /// # Errors
    /// If the vault does not answer; so all others.
    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, Self::Error>;

    /// A transfer.
    ///
    /// # Errors
    /// As [`Self::holder`].
    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, Self::Error>;

    /// Mint quotes that wait for money.
    ///
    /// # Errors
    /// As [`Self::holder`].
    fn unpaid_mint_quotes(&mut self) -> Result<Vec<MintQuote>, Self::Error>;

    /// Posts, durably.
    ///
    /// # Errors
    /// As [`Self::holder`].
    fn post(&mut self, posting: Posting) -> Result<Result<Posted, PostError>, Self::Error>;
}

/// How much may come in, or go out, for somebody who is known so well; `None` for no limit.
pub type LimitsOf<'a> = &'a dyn Fn(Unit, Level) -> Option<Limits>;

/// What settling led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Bookings of which it is known now what they were for.
    pub done: u64,
    /// Bookings that wait for a person, those of earlier files included.
    pub open: u64,
}

/// The `EndToEndId` of a payout, 34 characters: what is held for it, so that the booking leads back to it.
pub fn end_to_end_id(hold: FactId) -> String {
    format!("{END_TO_END}{}", hex::encode(hold.as_bytes()).to_uppercase())
}

/// What was held for the payout of this `EndToEndId`, if it is one of ours.
fn hold_of(end_to_end: &str) -> Option<FactId> {
    end_to_end.trim().strip_prefix(END_TO_END)?.to_ascii_lowercase().parse().ok()
}

/// Posts all bookings that are not posted yet, and assigns all that can be.
///
/// # Errors
/// Of desk or vault. What was settled until then stays settled.
pub fn settle<V: BankVault>(
    desk: &mut (impl BookingStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
) -> Result<Settled, V::Error> {
    let quotes = vault.unpaid_mint_quotes()?;
    let (mut all, mut after) = (Settled::default(), None);
    loop {
        let (settled, last) = settle_some(desk, vault, &quotes, limits, after)?;
        all = all.with(settled);
        after = last;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Does the same for some bookings after the one given, and returns the last of them; `None` when there are no more.
///
/// `quotes`: those that waited for money when this began.
///
/// # Errors
/// As [`settle`].
pub fn settle_some<V: BankVault>(
    desk: &mut (impl BookingStore + ?Sized),
    vault: &mut V,
    quotes: &[MintQuote],
    limits: LimitsOf<'_>,
    after: Option<EntryId>,
) -> Result<(Settled, Option<EntryId>), V::Error> {
    let mut settled = Settled::default();
    let page = desk.unsettled_bookings(after, PAGE)?;
    for booking in &page {
        let state = settle_one(vault, booking, quotes, limits)?;
        if state != booking.state {
            desk.set_booking_state(booking.id, state)?;
        }
        match state {
            BookingState::Done => settled.done += 1,
            BookingState::Unclear(_) | BookingState::Noted | BookingState::Open(_) => {
                settled.open += 1;
            }
        }
    }
    Ok((settled, page.last().map(|booking| booking.id)))
}

impl Settled {
    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self { done: self.done + other.done, open: self.open + other.open }
    }
}

/// Posts one booking, and assigns it if that can be done.
fn settle_one<V: BankVault>(
    vault: &mut V,
    booking: &Booking,
    quotes: &[MintQuote],
    limits: LimitsOf<'_>,
) -> Result<BookingState, V::Error> {
    let Booking { id: entry, unit, amount, .. } = *booking;
    let posting = match booking.direction {
        Direction::In => Posting::Arrived { entry, unit, amount },
        Direction::Out => Posting::Departed { entry, unit, amount },
    };
    if vault.post(posting)?.is_err() {
        return Ok(BookingState::Unclear(Unclear::Conflict));
    }
    let found = match booking.direction {
        Direction::In => came(vault, booking, quotes, limits)?,
        Direction::Out => went(vault, booking)?,
    };
    let to = match found {
        Ok(to) => to,
        Err(why) => {
            // Somebody may have said meanwhile what it was for.
            let is_assigned = vault.transfer(posting::assigned(entry))?.is_some();
            return Ok(if is_assigned { BookingState::Done } else { BookingState::Open(why) });
        }
    };
    let posted = vault.post(Posting::Assign { entry, unit, to })?;
    Ok(posted.map_or_else(refused, |_| BookingState::Done))
}

/// What money that came is for.
fn came<V: BankVault>(
    vault: &mut V,
    booking: &Booking,
    quotes: &[MintQuote],
    limits: LimitsOf<'_>,
) -> Result<Result<Assignee, Why>, V::Error> {
    if booking.paper.returned.is_some() {
        return came_back(vault, booking);
    }
    let Some(reference) = booking.paper.reference.as_deref() else {
        return Ok(Err(Why::NoReference));
    };
    // The reference of an account is its number, after `RF` and two digits.
    let number = reference.get(4..).and_then(|number| number.parse::<AccountId>().ok());
    if let Some(number) = number
        && let Some(holder) = vault.holder(number)?
    {
        let limits = limits(booking.unit, holder.level);
        return Ok(Ok(Assignee::Holder { holder: holder.id, limits }));
    }
    let quote =
        quotes.iter().find(|quote| quote.unit == booking.unit && quote.request == reference);
    Ok(match quote {
        Some(quote) if quote.amount == booking.amount => Ok(Assignee::Quote(quote.id)),
        Some(_) => Err(Why::Amount),
        None => Err(Why::Unknown),
    })
}

/// A payout that came back is credited to whom it was for, whatever limits there are: it was theirs before.
fn came_back<V: BankVault>(
    vault: &mut V,
    booking: &Booking,
) -> Result<Result<Assignee, Why>, V::Error> {
    let Some(payout) = payout_of(vault, booking)? else { return Ok(Err(Why::Unknown)) };
    // Before that it could be given back from what is held, too.
    let Some(ended) = vault.transfer(posting::ended(payout.hold))? else {
        return Ok(Err(Why::Early));
    };
    Ok(if ended.credit != Account::Clearing(booking.unit) {
        Err(Why::Paid) // It was given back already, or to somebody else.
    } else if payout.amount < booking.amount {
        Err(Why::Amount)
    } else {
        Ok(Assignee::Holder { holder: payout.holder, limits: None })
    })
}

/// What money that went was for.
fn went<V: BankVault>(vault: &mut V, booking: &Booking) -> Result<Result<Assignee, Why>, V::Error> {
    let Some(payout) = payout_of(vault, booking)? else { return Ok(Err(Why::NotOurs)) };
    if payout.amount != booking.amount {
        return Ok(Err(Why::Amount));
    }
    Ok(Ok(Assignee::Hold { hold: payout.hold, holder: payout.holder }))
}

struct Payout {
    hold: FactId,
    holder: AccountId,
    amount: u64,
}

/// The payout that a booking names.
fn payout_of<V: BankVault>(vault: &mut V, booking: &Booking) -> Result<Option<Payout>, V::Error> {
    let Some(hold) = booking.paper.end_to_end.as_deref().and_then(hold_of) else {
        return Ok(None);
    };
    let Some(held) = vault.transfer(posting::held(hold))? else { return Ok(None) };
    let Account::Holder(unit, holder) = held.debit else { return Ok(None) };
    let payout = Payout { hold, holder, amount: held.amount };
    Ok(Some(payout).filter(|_| unit == booking.unit))
}

/// What a booking is, if the vault does not take it for what it seemed to be for.
fn refused(error: PostError) -> BookingState {
    BookingState::Open(match error {
        // Somebody said meanwhile what it was for, or it was assigned before a crash.
        PostError::Done => return BookingState::Done,
        PostError::Frozen | PostError::Closed => Why::Account,
        PostError::OverLimit(OverLimit::Day | OverLimit::Month) => Why::Limit,
        PostError::QuoteNotOpen => Why::Paid,
        PostError::WrongAmount | PostError::BadAmount => Why::Amount,
        PostError::UnknownHolder
        | PostError::UnknownQuote
        | PostError::Missing
        | PostError::Conflict
        | PostError::WrongWay
        | PostError::Insufficient => Why::Unknown,
    })
}
