//! Accounts of people and firms: the identified edge, where money comes in and goes out.
//!
//! The vault knows an account by its number alone. Whose it is, stands at the desk, in another database.

use std::fmt;
use std::str::FromStr;

use tacit_core::time::{Day, Timestamp};
use tacit_ecash::point::PointBytes;

/// Digits of an account number: those of Crockford's base 32, without I, L, O and U, which are misread.
///
/// Source: D. Crockford, "Base 32", 2002.
pub(crate) const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Length of an account number.
const LENGTH: usize = 12;

/// The number of an account: 60 random bits, written in 12 digits, so that it can stand in a creditor reference
/// (ISO 11649), and a slip of the pen meets no other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(u64);

/// The text is no account number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account number has 12 digits of 0-9 and A-Z without I, L, O and U")]
pub struct AccountIdError;

impl AccountId {
    /// An account number of 8 random bytes, of which it takes 60 bits.
    pub const fn from_random(random: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(random) >> 4)
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, AccountIdError> {
        if text.len() != LENGTH {
            return Err(AccountIdError);
        }
        let mut number = 0;
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|digit| *digit == byte).ok_or(AccountIdError)?;
            number = number << 5 | digit as u64;
        }
        Ok(Self(number))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |place: usize| {
            let digit = usize::try_from(self.0 >> (5 * (LENGTH - 1 - place)) & 31);
            char::from(DIGITS[digit.expect("five bits")])
        };
        (0..LENGTH).try_for_each(|place| write!(f, "{}", digit(place)))
    }
}

/// Shows the number: the vault joins it to no name.
impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

/// What someone is to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HolderKind {
    /// A person.
    Customer,
    /// Is paid for orders.
    Merchant,
    /// Takes and gives cash.
    Agent,
    /// Lends.
    Lender,
}

impl HolderKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Merchant, Self::Agent, Self::Lender];

    /// The word stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Merchant => "merchant",
            Self::Agent => "agent",
            Self::Lender => "lender",
        }
    }
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HolderState {
    /// It may.
    Open,
    /// Nothing goes in or out until it is opened again, but for what comes back to it.
    Frozen,
    /// For good; it held nothing when it was closed.
    Closed,
}

/// How well someone is known: 0 is an account opened at an agent, without passkey or document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(u8);

impl Level {
    /// The highest there is.
    pub const MAX: u8 = 3;

    /// A level, if there is one of this number.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Someone with an account, as the vault knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Number of the account.
    pub id: AccountId,
    /// What they are to the operator; never changes.
    pub kind: HolderKind,
    /// How well they are known.
    pub level: Level,
    /// Whether the account may be used.
    pub state: HolderState,
    /// A merchant's key: payments to its orders are locked to it (NUT-11).
    pub key: Option<PointBytes>,
}

/// Which way money passes the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the bank or an agent to an account.
    In,
    /// From an account to the bank or an agent.
    Out,
}

/// How much may pass the edge one way, in minor units of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A day (UTC).
    pub day: u64,
    /// A calendar month (UTC).
    pub month: u64,
}

/// How much has passed the edge, in minor units of one currency.
///
/// Kept for the day and month it was last added to; [`Self::at`] is what counts at another moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The day of the daily sums. Never moves back, whatever the clock does.
    pub day: Day,
    /// In, that day.
    pub in_day: u64,
    /// Out, that day.
    pub out_day: u64,
    /// In, in its month.
    pub in_month: u64,
    /// Out, in its month.
    pub out_month: u64,
    /// How often it was written: two servers that read the same cannot both write.
    pub version: u64,
}

/// Which limit would be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverLimit {
    /// The day's.
    #[error("the limit of the day would be passed")]
    Day,
    /// The month's.
    #[error("the limit of the month would be passed")]
    Month,
}

impl Usage {
    /// What counts at `now`: sums of a day or month that is over are 0.
    pub fn at(self, now: Timestamp) -> Self {
        let day = self.day.max(now.day());
        let (is_today, is_this_month) = (day == self.day, day.month() == self.day.month());
        let of_day = |sum: u64| if is_today { sum } else { 0 };
        let of_month = |sum: u64| if is_this_month { sum } else { 0 };
        Self {
            day,
            in_day: of_day(self.in_day),
            out_day: of_day(self.out_day),
            in_month: of_month(self.in_month),
            out_month: of_month(self.out_month),
            version: self.version,
        }
    }

    /// The same with `amount` more one way, if that keeps within the limits.
    ///
    /// # Errors
    /// [`OverLimit`].
    pub fn with(
        mut self,
        direction: Direction,
        amount: u64,
        limits: Limits,
    ) -> Result<Self, OverLimit> {
        let (day, month) = match direction {
            Direction::In => (&mut self.in_day, &mut self.in_month),
            Direction::Out => (&mut self.out_day, &mut self.out_month),
        };
        let more = |sum: u64, limit: u64| sum.checked_add(amount).filter(|sum| *sum <= limit);
        *day = more(*day, limits.day).ok_or(OverLimit::Day)?;
        *month = more(*month, limits.month).ok_or(OverLimit::Month)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn account_numbers_are_read_back(random: [u8; 8]) {
            let id = AccountId::from_random(random);
            prop_assert_eq!(id.to_string().len(), LENGTH);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn other_texts_are_no_account_numbers() {
        for text in
            ["", "00000000000", "0000000000000", "00000000000O", "00000000000a", "é0000000000"]
        {
            assert_eq!(text.parse::<AccountId>(), Err(AccountIdError), "{text:?}");
        }
    }

    fn at(day: u64) -> Timestamp {
        Day::from_number(day).start()
    }

    #[test]
    fn a_limit_counts_for_its_day_and_its_month() {
        let limits = Limits { day: 100, month: 150 };
        let day = 20_779; // 2026-11-22
        let used = Usage::default().at(at(day)).with(Direction::In, 100, limits).unwrap();
        assert_eq!(used.with(Direction::In, 1, limits), Err(OverLimit::Day));
        assert!(used.with(Direction::Out, 100, limits).is_ok());
        let next = used.at(at(day + 1));
        assert_eq!(next.with(Direction::In, 51, limits), Err(OverLimit::Month));
        assert!(next.with(Direction::In, 50, limits).is_ok());
        assert!(used.at(at(day + 9)).with(Direction::In, 100, limits).is_ok()); // 1 December.
        assert_eq!(
            used.with(Direction::In, u64::MAX, Limits { day: u64::MAX, month: u64::MAX }),
            Err(OverLimit::Day)
        );
    }

    #[test]
    fn a_clock_that_goes_back_frees_nothing() {
        let limits = Limits { day: 100, month: 100 };
        let used = Usage::default().at(at(20_779)).with(Direction::Out, 100, limits).unwrap();
        assert_eq!(used.at(at(20_700)), used);
    }
}
