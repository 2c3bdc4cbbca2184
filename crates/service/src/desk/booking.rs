//! What the bank booked, with its paper: who, what they wrote, and whether it is known what it was for.

use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::time::Day;
use tacit_core::unit::Unit;

use super::staff::StaffId;
use super::trail::Deed;
use crate::account::{AccountId, Direction};
use crate::posting::{EntryId, FactId};
use crate::quote::QuoteId;
use crate::vault::StoreError;

/// Prefix of what a mint quote is known by here.
const QUOTE_DOMAIN: &[u8] = b"tacit/desk/resolution/v1";

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
    /// Somebody said that it is no money of its own: nothing was posted, for this reason. A file that says more of it still
    /// takes its place.
    SetAside(Unclear),
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
    /// Somebody said that it goes back to whoever sent it: its payout is asked for.
    SendBack,
    /// It was taken back from where it was booked by mistake.
    Reversed,
}

impl BookingState {
    /// As it is stored: a word, and the word for why.
    pub const fn names(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Unclear(unclear) => ("unclear", Some(unclear.name())),
            Self::Noted => ("noted", None),
            Self::Open(why) => ("open", Some(why.name())),
            Self::Done => ("done", None),
            Self::SetAside(unclear) => ("done", Some(unclear.name_aside())),
        }
    }

    /// The state of these words.
    pub fn of_names(state: &str, why: Option<&str>) -> Option<Self> {
        match (state, why) {
            ("noted", None) => Some(Self::Noted),
            ("done", None) => Some(Self::Done),
            ("done", Some(why)) => {
                Unclear::ALL.into_iter().find(|one| one.name_aside() == why).map(Self::SetAside)
            }
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

    /// The same of a booking that was set aside.
    const fn name_aside(self) -> &'static str {
        match self {
            Self::Undivided => "aside: undivided",
            Self::NoReference => "aside: no reference",
            Self::SameReference => "aside: same reference",
            Self::Currency => "aside: currency",
            Self::Conflict => "aside: conflict",
        }
    }

    /// Whether a person may say that it is one booking, as it stands: its currency is the account's, and its name free.
    pub const fn may_be_taken_in(self) -> bool {
        match self {
            Self::Undivided | Self::NoReference | Self::SameReference => true,
            Self::Currency | Self::Conflict => false,
        }
    }
}

impl Why {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::NoReference,
        Self::Unknown,
        Self::Amount,
        Self::Account,
        Self::Limit,
        Self::Early,
        Self::NotOurs,
        Self::Paid,
        Self::SendBack,
        Self::Reversed,
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
            Self::SendBack => "send back",
            Self::Reversed => "reversed",
        }
    }
}

/// What a person says that a booking in suspense was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Money that came, for an account.
    Account(AccountId),
    /// Money that came, for a mint quote. The desk knows no quote: this finds it among those that are open.
    Quote(QuoteMark),
    /// Money that went, for a payout.
    Payout(FactId),
    /// Money that came back: of a payout that had left.
    Returned(FactId),
    /// Money that came: the operator's own, paid in or earned as interest. Two people say so.
    OwnMoney,
    /// Money that went: what the bank charges. Two people say so.
    BankCost,
    /// What was said of it was a mistake: it is taken back from where it was booked, and waits anew under another name. Two
    /// people say so.
    Reversed,
}

/// SHA-256 of a booking's and a quote's name: says nothing to whoever has not both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteMark([u8; 32]);

/// What was said of a booking by one, and whether another has found it right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What was said.
    pub resolution: Resolution,
    /// By whom, if that was written down.
    pub staff: Option<StaffId>,
    /// Whether the vault may be told.
    pub is_approved: bool,
}

/// What became of finding right what somebody else said. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// Nothing waits for that.
    Nothing,
    /// Whoever said it cannot find it right.
    Own,
    /// It is done: the vault may be told.
    Done,
}

/// What somebody said of a booking, until the vault has it or has refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Which booking.
    pub booking: EntryId,
    /// What it was for.
    pub purpose: Purpose,
}

/// Where a booking stands in a list by day. Those without a day come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The day it was booked.
    pub day: Option<Day>,
    /// Its name.
    pub id: EntryId,
}

/// Which bookings a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those that a person has to look at: unclear or open.
    Waiting,
    /// Those that somebody set aside.
    SetAside,
    /// Those of one day, whatever became of them.
    OfDay(Day),
    /// Those of which somebody said something that somebody else has to find right.
    Proposed,
    /// Payouts that came back, the latest first.
    Returned,
}

impl Booking {
    /// Where it stands in a list.
    pub const fn place(&self) -> Place {
        Place { day: self.day, id: self.id }
    }
}

impl QuoteMark {
    /// That of a quote, for one booking.
    pub fn of(booking: EntryId, quote: QuoteId) -> Self {
        let hash = Sha256::new_with_prefix(QUOTE_DOMAIN).chain_update(booking.as_bytes());
        Self(hash.chain_update(quote.as_bytes()).finalize().into())
    }
}

impl Purpose {
    /// As it is stored: a word, and what it is about.
    pub fn names(self) -> (&'static str, Option<String>) {
        match self {
            Self::Account(account) => ("account", Some(account.to_string())),
            Self::Quote(QuoteMark(mark)) => ("mark", Some(hex::encode(&mark))),
            Self::Payout(hold) => ("payout", Some(hold.to_string())),
            Self::Returned(hold) => ("returned", Some(hold.to_string())),
            Self::OwnMoney => ("own money", None),
            Self::BankCost => ("bank cost", None),
            Self::Reversed => ("reversed", None),
        }
    }

    /// Whether it takes two people: the money is nobody's then who would notice, or somebody's already.
    pub const fn needs_two(self) -> bool {
        match self {
            Self::OwnMoney | Self::BankCost | Self::Reversed => true,
            Self::Account(_) | Self::Quote(_) | Self::Payout(_) | Self::Returned(_) => false,
        }
    }

    /// The purpose of these words.
    pub fn of_names(word: &str, about: Option<&str>) -> Option<Self> {
        match (word, about) {
            ("account", Some(account)) => account.parse().ok().map(Self::Account),
            ("mark", Some(mark)) => hex::decode(mark).ok().map(|mark| Self::Quote(QuoteMark(mark))),
            ("payout", Some(hold)) => hold.parse().ok().map(Self::Payout),
            ("returned", Some(hold)) => hold.parse().ok().map(Self::Returned),
            ("own money", None) => Some(Self::OwnMoney),
            ("bank cost", None) => Some(Self::BankCost),
            ("reversed", None) => Some(Self::Reversed),
            _ => None,
        }
    }
}

/// As the trail says it: a quote is not named there.
impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(account) => write!(f, "for account {account}"),
            Self::Quote(_) => f.write_str("for a mint quote"),
            Self::Payout(hold) => write!(f, "for payout {hold}"),
            Self::Returned(hold) => write!(f, "returned payout {hold}"),
            Self::OwnMoney => f.write_str("own money"),
            Self::BankCost => f.write_str("bank cost"),
            Self::Reversed => f.write_str("taken back"),
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

    /// Bookings of a list, by day and then by id unless it says otherwise, at most `max` after the place given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn bookings(
        &mut self,
        listed: Listed,
        after: Option<Place>,
        max: u32,
    ) -> Result<Vec<Booking>, StoreError>;

    /// Other bookings of this one's currency, direction and amount, which may tell of the same money; at most `max`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn bookings_like(&mut self, booking: &Booking, max: u32) -> Result<Vec<Booking>, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    fn booking(&mut self, id: EntryId) -> Result<Option<Booking>, StoreError>;

    /// Moves a booking from one state to another. `false` if it is not in the one: somebody else has moved it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn move_booking(
        &mut self,
        id: EntryId,
        from: BookingState,
        to: BookingState,
    ) -> Result<bool, StoreError>;

    /// Somebody says what a booking was for, before the vault is told. `false` if it is not open, or for
    /// [`Purpose::Reversed`] not done or taken back before, or somebody said so of it just now.
    ///
    /// # Errors
    /// [`StoreError`].
    fn begin_resolution(
        &mut self,
        resolution: &Resolution,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// What was said of a booking and the vault is not known to have.
    ///
    /// # Errors
    /// [`StoreError`].
    fn proposal(&mut self, booking: EntryId) -> Result<Option<Proposal>, StoreError>;

    /// Somebody else finds right what was said of a booking and takes two.
    ///
    /// # Errors
    /// [`StoreError`].
    fn approve_resolution(
        &mut self,
        booking: EntryId,
        staff: StaffId,
        deed: &Deed,
    ) -> Result<Agreed, StoreError>;

    /// Somebody, perhaps whoever said it, says that it is not right. `false` if nothing waits for a second person.
    ///
    /// # Errors
    /// [`StoreError`].
    fn decline_resolution(&mut self, booking: EntryId, deed: &Deed) -> Result<bool, StoreError>;

    /// What somebody said, and somebody else found right if it takes two, and the vault is not known to have; at most `max`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn resolutions(&mut self, max: u32) -> Result<Vec<Resolution>, StoreError>;

    /// The vault has it, or refused it: that is a deed, too, though nobody's. What was taken back is open anew, as
    /// [`EntryId::reversed`], on no day of the bank's. `false` if it was known before.
    ///
    /// # Errors
    /// [`StoreError`].
    fn end_resolution(
        &mut self,
        booking: EntryId,
        is_done: bool,
        refused: Option<&Deed>,
    ) -> Result<bool, StoreError>;

    /// Somebody says that an unclear booking is one booking, as it stands. `false` if it is none that may be taken in.
    ///
    /// # Errors
    /// [`StoreError`].
    fn take_in_booking(&mut self, id: EntryId, deed: &Deed) -> Result<bool, StoreError>;

    /// Somebody says that an unclear booking is no money of its own. `false` if it is not unclear.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_booking_aside(&mut self, id: EntryId, deed: &Deed) -> Result<bool, StoreError>;

    /// Somebody says that what was set aside is to be looked at again. `false` if it is not set aside.
    ///
    /// # Errors
    /// [`StoreError`].
    fn bring_booking_back(&mut self, id: EntryId, deed: &Deed) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_their_names() {
        let unclear = Unclear::ALL.into_iter().map(BookingState::Unclear);
        let open = Why::ALL.into_iter().map(BookingState::Open);
        let aside = Unclear::ALL.into_iter().map(BookingState::SetAside);
        let plain = [BookingState::Noted, BookingState::Done];
        for state in unclear.chain(open).chain(aside).chain(plain) {
            let (name, why) = state.names();
            assert_eq!(BookingState::of_names(name, why), Some(state));
        }
        assert_eq!(BookingState::of_names("done", Some("limit")), None);
        assert_eq!(BookingState::of_names("open", None), None);
    }

    #[test]
    fn purposes_are_known_by_their_words_and_a_quote_is_not_named() {
        let (booking, hold) = (EntryId::from_bytes([1; 32]), FactId::from_bytes([2; 16]));
        let quote = QuoteId::from_random([3; 16]);
        let mark = QuoteMark::of(booking, quote);
        for purpose in [
            Purpose::Account(AccountId::from_random([4; 8])),
            Purpose::Quote(mark),
            Purpose::Payout(hold),
            Purpose::Returned(hold),
            Purpose::OwnMoney,
            Purpose::BankCost,
            Purpose::Reversed,
        ] {
            let (word, about) = purpose.names();
            assert_eq!(Purpose::of_names(word, about.as_deref()), Some(purpose));
            let said = format!("{purpose} {purpose:?} {about:?}");
            assert!(!said.contains(&quote.to_string()), "{said}");
        }
        assert_ne!(mark, QuoteMark::of(EntryId::from_bytes([2; 32]), quote));
        assert_eq!(Purpose::of_names("account", Some("nobody")), None);
        assert_eq!(Purpose::of_names("bank cost", Some("x")), None);
    }
}
