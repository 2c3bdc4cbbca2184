//! What a person says of a booking, and what it may have been for.

use std::sync::Arc;

use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Direction, HolderState};
use tacit_service::bank::resolve;
use tacit_service::desk::booking::{Agreed, Booking, QuoteMark, Resolution};
use tacit_service::desk::payout::{Payout, Whose};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::ledger::Transfer;
use tacit_service::posting::{self, EntryId, PostError};
use tacit_service::quote::Method;
use tokio::runtime::Handle;

use super::{ImportError, Vault, limits_in};
use crate::desk::money::ask;
use crate::desk::refusal::Refusal;
use crate::log::{self, Level};
use crate::state::Shared;

/// Payouts, quotes and bookings that are offered at most.
pub(crate) const OFFERED: u32 = 20;

/// What became of what somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is booked.
    Done,
    /// It is written down, and somebody else has to find it right.
    Proposed,
    /// The booking does not wait for that, or somebody else was quicker.
    NotOpen,
    /// The vault did not take it.
    Refused(PostError),
}

/// What a booking may have been for.
#[derive(Default)]
pub(crate) struct Candidates {
    /// The account whose reference stands on it.
    pub(crate) account: Option<AccountState>,
    /// Open mint quotes of its amount, by what finds them and by what a payer writes.
    pub(crate) quotes: Vec<(QuoteMark, String)>,
    /// Payouts of its amount that have not left, for money that went.
    pub(crate) payouts: Vec<Payout>,
    /// Payouts of its amount that have left, for money that came.
    pub(crate) returned: Vec<Payout>,
    /// Other bookings of its amount.
    pub(crate) alike: Vec<Booking>,
    /// Whether there are more of any of these than [`OFFERED`].
    pub(crate) is_cut: bool,
}

/// An account, as far as money may come in.
#[derive(Clone, Copy)]
pub(crate) struct AccountState {
    pub(crate) id: AccountId,
    pub(crate) state: HolderState,
    pub(crate) level: u8,
    /// Minor units that may come in yet; `None` if there is no limit.
    pub(crate) left: Option<u64>,
}

/// Tells the vault all that was said and that it does not know.
pub(super) async fn settle(shared: &Arc<Shared>) -> Result<(), ImportError> {
    let Some(desk) = shared.desk.as_ref() else { return Ok(()) };
    let own = Arc::clone(shared);
    let settled = desk.run(move |store| {
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        Ok(resolve::settle(store, &mut vault, &limits_in(&own), own.now()))
    });
    settled.await.map_err(|_| ImportError::Desk)?
}

/// Writes down what somebody says of a booking, and tells the vault.
///
/// # Errors
/// [`Refusal::Busy`] if one of the two has no time: what is written down is told later.
pub(crate) async fn say(
    shared: &Arc<Shared>,
    resolution: Resolution,
    deed: Deed,
) -> Result<Said, Refusal> {
    let desk = shared.desk.as_ref().ok_or(Refusal::NotFound)?;
    let own = Arc::clone(shared);
    desk.run(move |store| {
        if !store.begin_resolution(&resolution, &deed)? {
            return Ok(Said::NotOpen);
        }
        if resolution.purpose.needs_two() {
            return Ok(Said::Proposed);
        }
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        let carried =
            resolve::carry_out(store, &mut vault, &resolution, &limits_in(&own), own.now())?;
        Ok(carried.map_or_else(Said::Refused, |()| Said::Done))
    })
    .await
}

/// What became of finding right what somebody else said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing waits for that.
    Nothing,
    /// They said it themselves.
    Own,
    /// The vault was told.
    Told(Said),
}

/// Writes down that somebody finds right what somebody else said of a booking, and tells the vault.
///
/// # Errors
/// As [`say`].
pub(crate) async fn approve(
    shared: &Arc<Shared>,
    booking: EntryId,
    by: StaffId,
    deed: Deed,
) -> Result<Found, Refusal> {
    let desk = shared.desk.as_ref().ok_or(Refusal::NotFound)?;
    let own = Arc::clone(shared);
    desk.run(move |store| {
        let Some(proposal) = store.proposal(booking)? else { return Ok(Found::Nothing) };
        match store.approve_resolution(booking, by, &deed)? {
            Agreed::Nothing => return Ok(Found::Nothing),
            Agreed::Own => return Ok(Found::Own),
            Agreed::Done => {}
        }
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        let limits = limits_in(&own);
        let carried =
            resolve::carry_out(store, &mut vault, &proposal.resolution, &limits, own.now())?;
        Ok(Found::Told(carried.map_or_else(Said::Refused, |()| Said::Done)))
    })
    .await
}

/// What a booking may have been for.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn candidates(
    shared: &Arc<Shared>,
    booking: &Booking,
) -> Result<Candidates, Refusal> {
    let desk = shared.desk.as_ref().ok_or(Refusal::NotFound)?;
    let own = booking.clone();
    let (alike, payouts) = desk
        .run(move |store| {
            let alike = store.bookings_like(&own, OFFERED + 1)?;
            Ok((alike, store.payouts_of_amount(own.unit, own.amount, OFFERED + 1)?))
        })
        .await?;
    let (mut alike, mut payouts, mut is_cut) = (alike, payouts, false);
    is_cut |= cut(&mut alike);
    is_cut |= cut(&mut payouts);
    let (left, here) = by_whether_they_left(shared, payouts).await?;
    let left = fitting(shared, booking, left).await?;
    if booking.direction == Direction::Out {
        return Ok(Candidates { alike, payouts: here, is_cut, ..Candidates::default() });
    }
    let mut quotes = quotes_of(shared, booking).await?;
    is_cut |= cut(&mut quotes);
    Ok(Candidates {
        account: account_of(shared, booking).await?,
        quotes,
        payouts: Vec::new(),
        returned: left
            .into_iter()
            .filter(|payout| matches!(payout.whose, Whose::Account(_)))
            .collect(),
        alike,
        is_cut,
    })
}

/// Leaves as many as are offered; whether there were more.
fn cut<T>(some: &mut Vec<T>) -> bool {
    let is_more = (OFFERED as usize) < some.len();
    some.truncate(OFFERED as usize);
    is_more
}

/// Those that a booking may be the return of.
async fn fitting(
    shared: &Arc<Shared>,
    booking: &Booking,
    left: Vec<Payout>,
) -> Result<Vec<Payout>, Refusal> {
    let desk = shared.desk.as_ref().ok_or(Refusal::NotFound)?;
    if booking.direction == Direction::Out {
        return Ok(left);
    }
    let away = ask(shared, move |reader| {
        let mut away = Vec::new();
        for payout in left {
            if reader.transfer(posting::returned(payout.id))?.is_none() {
                away.push(payout);
            }
        }
        Ok(away)
    });
    let (away, own) = (away.await?, booking.clone());
    desk.run(move |store| {
        let mut fitting = Vec::new();
        for payout in away {
            if resolve::may_be_of(store, &own, payout.id)? {
                fitting.push(payout);
            }
        }
        Ok(fitting)
    })
    .await
}

/// What was taken back of a booking, if it was.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn taken_back(
    shared: &Arc<Shared>,
    booking: &Booking,
) -> Result<Option<Transfer>, Refusal> {
    let id = posting::booked(booking.id.reversed());
    ask(shared, move |reader| reader.transfer(id)).await
}

/// Those that the bank has booked, and those that it has not.
async fn by_whether_they_left(
    shared: &Arc<Shared>,
    payouts: Vec<Payout>,
) -> Result<(Vec<Payout>, Vec<Payout>), Refusal> {
    ask(shared, move |reader| {
        let (mut left, mut here) = (Vec::new(), Vec::new());
        for payout in payouts {
            let ended = match payout.whose {
                Whose::Account(_) => posting::ended(payout.id),
                Whose::Sender(entry) => posting::sent_back(entry),
            };
            if reader.transfer(ended)?.is_some() { left.push(payout) } else { here.push(payout) }
        }
        Ok((left, here))
    })
    .await
}

async fn account_of(
    shared: &Arc<Shared>,
    booking: &Booking,
) -> Result<Option<AccountState>, Refusal> {
    // The reference of an account is its number, after `RF` and two digits.
    let reference = booking.paper.reference.as_deref().and_then(|reference| reference.get(4..));
    let Some(Ok(id)) = reference.map(str::parse::<AccountId>) else { return Ok(None) };
    account(shared, id, booking.unit).await
}

/// An account, as far as money may come in.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn account(
    shared: &Arc<Shared>,
    id: AccountId,
    unit: Unit,
) -> Result<Option<AccountState>, Refusal> {
    let asked = ask(shared, move |reader| Ok((reader.holder(id)?, reader.purse(id, unit)?)));
    let (Some(holder), purse) = asked.await? else { return Ok(None) };
    let usage = purse.usage.at(shared.now());
    let left = shared.config.limits(unit, Direction::In, holder.level).map(|limits| {
        let of_day = limits.day.saturating_sub(usage.in_day);
        of_day.min(limits.month.saturating_sub(usage.in_month))
    });
    Ok(Some(AccountState { id, state: holder.state, level: holder.level.number(), left }))
}

async fn quotes_of(
    shared: &Arc<Shared>,
    booking: &Booking,
) -> Result<Vec<(QuoteMark, String)>, Refusal> {
    let now = shared.now();
    let (id, unit, amount) = (booking.id, booking.unit, booking.amount);
    ask(shared, move |reader| {
        let open = reader.unpaid_mint_quotes(now)?;
        let fitting = open.into_iter().filter(|quote| {
            (quote.unit, quote.amount, quote.method) == (unit, amount, Method::Bank)
        });
        let offered = fitting.map(|quote| (QuoteMark::of(id, quote.id), quote.request));
        Ok(offered.take(OFFERED as usize + 1).collect())
    })
    .await
}

/// What the vault has of a booking: what it was for, if that is known.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn assigned(
    shared: &Arc<Shared>,
    booking: &Booking,
) -> Result<Option<Transfer>, Refusal> {
    let id = posting::assigned(booking.id);
    ask(shared, move |reader| reader.transfer(id)).await
}

impl From<ImportError> for Refusal {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Desk | ImportError::Pool(_) | ImportError::Commit(_) => {
                log::error_chain(Level::Warn, "the bank's rail had to wait", &error);
                Self::Busy
            }
            ImportError::NoDesk
            | ImportError::NoAccount
            | ImportError::Statement(_)
            | ImportError::OtherAccount { .. } => Self::internal(&error),
        }
    }
}
