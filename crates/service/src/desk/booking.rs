//! What the bank booked, with its paper: who, what they wrote, and whether it is known what it was for.

use tacit_core::time::Day;
use tacit_core::unit::Unit;

use crate::account::Direction;
use crate::posting::EntryId;
use crate::vault::StoreError;

/// Money that the bank booked: a booking, or one payment of a booking of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Its name, here and in the vault.
    pub id: EntryId,
    /// The bank's booking that it is part of; the same where it is all of it.
    pub entry: EntryId,
    /// The day the bank booked it, if it says.
    pub day: Option<Day>,
    /// Whether it came or went.
    pub direction: Direction,
    /// Currency.
    pub unit: Unit,
    /// In minor units, above 0.
    pub amount: u64,
    /// What stands on it.
    pub paper: Paper,
    /// How far it is.
    pub state: BookingState,
}

/// What stands on a booking. All of it was written by strangers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Paper {
    /// Name of who paid or was paid.
    pub name: Option<String>,
    /// Their account at their bank.
    pub account: Option<String>,
    /// `EndToEndId`: of a payout of ours it is [`crate::bank::end_to_end_id`].
    pub end_to_end: Option<String>,
    /// All texts, a line each.
    pub text: String,
    /// The one payment reference of ours that stands in it (ISO 11649).
    pub reference: Option<String>,
    /// That the money came back: why, as the bank says it, or an empty text.
    pub returned: Option<String>,
}

/// Shows nothing that a stranger wrote.
impl std::fmt::Debug for Paper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Paper").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// How far a booking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingState {
    /// The file does not say what it is: nothing was posted, a person looks at it or another file says more.
    Unclear(Unclear),
    /// Written down here, and in the vault perhaps.
    Noted,
    /// In the vault's suspense, until it is known what it was for.
    Open(Why),
    /// It is known what it was for.
    Done,
}

/// Why nothing was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// It stands for several payments which the file does not divide.
    Undivided,
    /// The bank gives it no reference of its own.
    NoReference,
    /// Another booking of the statement has its reference.
    SameReference,
    /// It is not in the currency of the account.
    Currency,
    /// The vault has something else under its name.
    Conflict,
}

/// Why money is in suspense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No reference of ours stands on it, or several do.
    NoReference,
    /// Nobody has the reference that stands on it.
    Unknown,
    /// It is not the amount of what it refers to.
    Amount,
    /// The account is frozen or closed.
    Account,
    /// More came in than may, for how well the person is known.
    Limit,
    /// It came back before it was booked that it went.
    Early,
    /// It went, and no payout of ours is named on it.
    NotOurs,
    /// What it refers to is paid already.
    Paid,
}

impl BookingState {
    /// As it is stored: a word, and the word for why.
    pub const fn names(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Unclear(unclear) => ("unclear", Some(unclear.name())),
            Self::Noted => ("noted", None),
            Self::Open(why) => ("open", Some(why.name())),
            Self::Done => ("done", None),
        }
    }

    /// The state of these words.
    pub fn of_names(state: &str, why: Option<&str>) -> Option<Self> {
        match (state, why) {
            ("noted", None) => Some(Self::Noted),
            ("done", None) => Some(Self::Done),
            ("unclear", Some(why)) => {
                Unclear::ALL.into_iter().find(|one| one.name() == why).map(Self::Unclear)
            }
            ("open", Some(why)) => {
                Why::ALL.into_iter().find(|one| one.name() == why).map(Self::Open)
            }
            _ => None,
        }
    }
}

impl Unclear {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Undivided, Self::NoReference, Self::SameReference, Self::Currency, Self::Conflict];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undivided => "undivided",
            Self::NoReference => "no reference",
            Self::SameReference => "same reference",
            Self::Currency => "currency",
            Self::Conflict => "conflict",
        }
    }
}

impl Why {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::NoReference,
        Self::Unknown,
        Self::Amount,
        Self::Account,
        Self::Limit,
        Self::Early,
        Self::NotOurs,
        Self::Paid,
    ];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoReference => "no reference",
            Self::Unknown => "unknown",
            Self::Amount => "amount",
            Self::Account => "account",
            Self::Limit => "limit",
            Self::Early => "early",
            Self::NotOurs => "not ours",
            Self::Paid => "paid",
        }
    }
}

/// What the bank booked, as the desk keeps it.
pub trait BookingStore {
    /// Writes down the parts of one booking of the bank's. Returns whether anything of it is new.
    ///
    /// The first file that divides a booking counts: what a later one says of it changes nothing, so that it is never
    /// divided twice. Where the booking was unclear, one that is not takes its place.
    ///
    /// # Errors
    /// [`StoreError`].
    fn note_bookings(&mut self, entry: EntryId, parts: &[Booking]) -> Result<bool, StoreError>;

    /// Bookings that are noted or open, by id, at most `max` after the one given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn unsettled_bookings(
        &mut self,
        after: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<Booking>, StoreError>;

    /// Bookings that a person has to look at: unclear or open, by id, at most `max` after the one given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn questionable_bookings(
        &mut self,
        after: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<Booking>, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    fn booking(&mut self, id: EntryId) -> Result<Option<Booking>, StoreError>;

    /// Writes down how far a booking is. What is done stays done.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_booking_state(&mut self, id: EntryId, state: BookingState) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_their_names() {
        let unclear = Unclear::ALL.into_iter().map(BookingState::Unclear);
        let open = Why::ALL.into_iter().map(BookingState::Open);
        for state in unclear.chain(open).chain([BookingState::Noted, BookingState::Done]) {
            let (name, why) = state.names();
            assert_eq!(BookingState::of_names(name, why), Some(state));
        }
        assert_eq!(BookingState::of_names("done", Some("limit")), None);
        assert_eq!(BookingState::of_names("open", None), None);
    }
}
