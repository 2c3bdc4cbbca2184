//! The bank rail: what the bank booked finds its account, its mint quote or its payout, or waits for a person.
//!
//! The desk is told first, whole, and the vault then once for each: whoever is killed in between settles again, and finds
//! done what was done. So one file twice, or both files of a bank that carry the same bookings, are one.

pub mod payout;
pub mod resolve;

use tacit_core::hex;
use tacit_core::unit::Unit;

use crate::account::{AccountId, Direction, Holder, Level, Limits, OverLimit};
use crate::desk::booking::{Booking, BookingState, BookingStore, Paper, Unclear, Why};
use crate::desk::payout::{PayoutStore, Whose};
use crate::desk::person::{Iban, PersonStore};
use crate::ledger::{Account, Transfer, TransferId, TransferKind};
use crate::posting::{self, Assignee, EntryId, FactId, PostError, Posted, Posting, Source};
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

    /// Mint quotes that wait for money and have not expired.
    ///
    /// # Errors
    /// As [`Self::holder`].
    fn unpaid_mint_quotes(&mut self) -> Result<Vec<MintQuote>, Self::Error>;

    /// Mint quotes of a reference, whatever became of them: money that comes late is for them all the same.
    ///
    /// # Errors
    /// As [`Self::holder`].
    fn mint_quotes_of(&mut self, reference: &str) -> Result<Vec<MintQuote>, Self::Error>;

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
pub(crate) fn hold_of(end_to_end: &str) -> Option<FactId> {
    end_to_end.trim().strip_prefix(END_TO_END)?.to_ascii_lowercase().parse().ok()
}

/// Posts all bookings that are not posted yet, and assigns all that can be.
///
/// # Errors
/// Of desk or vault. What was settled until then stays settled.
pub fn settle<V: BankVault>(
    desk: &mut (impl BookingStore + PayoutStore + PersonStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
) -> Result<Settled, V::Error> {
    let (mut all, mut after) = (Settled::default(), None);
    loop {
        let (settled, last) = settle_some(desk, vault, limits, after)?;
        all = all.with(settled);
        after = last;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Does the same for some bookings after the one given, and returns the last of them; `None` when there are no more.
///
/// # Errors
/// As [`settle`].
pub fn settle_some<V: BankVault>(
    desk: &mut (impl BookingStore + PayoutStore + PersonStore + ?Sized),
    vault: &mut V,
    limits: LimitsOf<'_>,
    after: Option<EntryId>,
) -> Result<(Settled, Option<EntryId>), V::Error> {
    let mut settled = Settled::default();
    let page = desk.unsettled_bookings(after, PAGE)?;
    for booking in &page {
        let mut state = settle_one(desk, vault, booking, limits)?;
        if state != booking.state && !desk.move_booking(booking.id, booking.state, state)? {
            // Another server or a person moved it meanwhile: that counts, and the next round goes on from there.
            state = desk.booking(booking.id)?.map_or(state, |booking| booking.state);
        }
        match state {
            BookingState::Done | BookingState::SetAside(_) => settled.done += 1,
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
    desk: &mut (impl PayoutStore + PersonStore + ?Sized),
    vault: &mut V,
    booking: &Booking,
    limits: LimitsOf<'_>,
) -> Result<BookingState, V::Error> {
    let Booking { id: entry, unit, amount, .. } = *booking;
    let is_taken_back = is_taken_back(vault, booking)?;
    let posting = match booking.direction {
        Direction::In => Posting::Arrived { entry, unit, amount },
        Direction::Out => Posting::Departed { entry, unit, amount },
    };
    if !is_taken_back && vault.post(posting)?.is_err() {
        return Ok(BookingState::Unclear(Unclear::Conflict));
    }
    let found = match booking.direction {
        // Somebody said so, and its payout says when.
        Direction::In if booking.state == BookingState::Open(Why::SendBack) => Err(Why::SendBack),
        // What stands on it has led astray once.
        _ if is_taken_back => Err(Why::Reversed),
        Direction::In => came(desk, vault, booking, limits)?,
        Direction::Out => went(desk, vault, booking)?,
    };
    let to = match found {
        Ok(to) => to,
        Err(why) => {
            // Somebody may have said meanwhile what it was for.
            let is_assigned = vault.transfer(posting::assigned(entry))?.is_some();
            return Ok(if is_assigned { BookingState::Done } else { BookingState::Open(why) });
        }
    };
    Ok(match vault.post(Posting::Assign { entry, unit, to })? {
        Ok(_) => BookingState::Done,
        // Somebody said meanwhile what it was for, or it was assigned before a crash. Else what it was for is done by another
        // booking: the bank has paid twice.
        Err(PostError::Done) => match vault.transfer(posting::assigned(entry))? {
            Some(_) => BookingState::Done,
            None => BookingState::Open(Why::Paid),
        },
        Err(error) => BookingState::Open(refused(error)),
    })
}

/// Whether this is no booking of the bank's, but what was taken back from where one was assigned to.
fn is_taken_back<V: BankVault>(vault: &mut V, booking: &Booking) -> Result<bool, V::Error> {
    if !matches!(booking.state, BookingState::Open(_)) {
        return Ok(false);
    }
    let booked = vault.transfer(posting::booked(booking.id))?;
    Ok(booked.is_some_and(|booked| booked.kind == TransferKind::Reversed))
}

/// Whose the money was that came for an account: their own if it came from where their payouts go, or under their name.
///
/// # Errors
/// Of the desk.
pub(crate) fn source(
    desk: &mut (impl PersonStore + ?Sized),
    account: AccountId,
    paper: &Paper,
) -> Result<Source, StoreError> {
    let Some(person) = desk.person_of_account(account)? else { return Ok(Source::Others) };
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let is_theirs = |of: Option<&str>, own: Option<&str>| {
        of.zip(own).is_some_and(|(of, own)| plain(of) == plain(own))
    };
    let by_name = is_theirs(paper.name.as_deref(), Some(person.name.as_str()));
    let iban = person.iban.as_ref().map(Iban::as_str);
    let is_own = by_name || is_theirs(paper.account.as_deref(), iban);
    Ok(if is_own { Source::Own } else { Source::Others })
}

/// What money that came is for.
fn came<V: BankVault>(
    desk: &mut (impl PersonStore + ?Sized),
    vault: &mut V,
    booking: &Booking,
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
        let source = source(desk, holder.id, &booking.paper)?;
        return Ok(Ok(Assignee::Holder { holder: holder.id, limits, source }));
    }
    let quotes = vault.mint_quotes_of(reference)?;
    Ok(match quotes.iter().find(|quote| quote.unit == booking.unit) {
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
        Err(Why::Amount) // Less is what a bank on the way has charged.
    } else {
        Ok(Assignee::Returned { hold: payout.hold, holder: payout.holder })
    })
}

/// What money that went was for.
fn went<V: BankVault>(
    desk: &mut (impl PayoutStore + ?Sized),
    vault: &mut V,
    booking: &Booking,
) -> Result<Result<Assignee, Why>, V::Error> {
    let Some(payout) = payout_of(vault, booking)? else {
        let hold = booking.paper.end_to_end.as_deref().and_then(hold_of);
        let known = hold.map(|hold| desk.payout(hold)).transpose()?.flatten();
        return Ok(match known.map(|payout| payout.whose) {
            Some(Whose::Sender(came)) => Ok(Assignee::SentBack(came)),
            Some(Whose::Account(_)) | None => Err(Why::NotOurs),
        });
    };
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
fn refused(error: PostError) -> Why {
    match error {
        PostError::Frozen | PostError::Closed => Why::Account,
        PostError::OverLimit(OverLimit::Day | OverLimit::Month) => Why::Limit,
        PostError::QuoteNotOpen | PostError::Done => Why::Paid,
        PostError::WrongAmount | PostError::BadAmount => Why::Amount,
        PostError::UnknownHolder
        | PostError::UnknownQuote
        | PostError::Missing
        | PostError::Conflict
        | PostError::WrongWay
        | PostError::Insufficient => Why::Unknown,
    }
}
