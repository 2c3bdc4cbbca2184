//! The passport's clock: months.

use serde::{Deserialize, Serialize};
use tacit_core::time::{Day, Timestamp};

/// A calendar month in UTC, counted from January 2020.
///
/// Invariant: below [`Epoch::NEVER`], so that twelve bits hold it and the month after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Epoch(u16);

/// A number that is no month of the passport's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no month: months count from January 2020, below 4095")]
pub struct NoEpoch(pub u16);

impl Epoch {
    /// The due month of who owes nothing: later than any month, so that "nothing overdue" is one comparison.
    pub const NEVER: u16 = 4095;
    /// January 2020, in months since the year 0.
    const FIRST: u64 = 2020 * 12;
    /// Days of a month in which the passport of the month before still counts.
    pub const GRACE_DAYS: u64 = 7;

    /// The month of a number.
    ///
    /// # Errors
    /// [`NoEpoch`] from 4095 (April 2361) on.
    pub const fn new(number: u16) -> Result<Self, NoEpoch> {
        if number < Self::NEVER { Ok(Self(number)) } else { Err(NoEpoch(number)) }
    }

    /// Months since January 2020.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The month a moment falls in; the first or last one for moments outside.
    pub fn of(now: Timestamp) -> Self {
        let months = now.day().month().saturating_sub(Self::FIRST);
        let last = u64::from(Self::NEVER) - 1;
        Self(u16::try_from(months.min(last)).expect("below 4095"))
    }

    /// Months since the year 0, as [`Day::month`] counts them.
    pub fn calendar_month(self) -> u64 {
        Self::FIRST + u64::from(self.0)
    }

    /// The month after; none after the last one.
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1).ok()
    }

    /// Whether a passport that ticked into this month may be used now: in the month, or in the first days of the next.
    pub fn is_usable(self, now: Timestamp) -> bool {
        let month = Self::of(now);
        let grace = Self::of(Timestamp::from_seconds(
            now.seconds().saturating_sub(Self::GRACE_DAYS * Day::SECONDS),
        ));
        self == month || (self.next() == Some(month) && self == grace)
    }

    /// Whole months from an earlier month to this one; 0 from a later one.
    pub const fn since(self, earlier: Self) -> u16 {
        self.0.saturating_sub(earlier.0)
    }
}

impl TryFrom<u16> for Epoch {
    type Error = NoEpoch;

    fn try_from(number: u16) -> Result<Self, NoEpoch> {
        Self::new(number)
    }
}

impl From<Epoch> for u16 {
    fn from(epoch: Epoch) -> Self {
        epoch.0
    }
}

/// Reads `2026-11`.
impl std::str::FromStr for Epoch {
    type Err = NoEpoch;

    fn from_str(text: &str) -> Result<Self, NoEpoch> {
        let none = NoEpoch(Self::NEVER);
        let first: Day = format!("{text}-01").parse().map_err(|_| none)?;
        let month = Self::of(first.start());
        // Before 2020, and after the last, there is none that is printed so.
        if month.to_string() == text { Ok(month) } else { Err(none) }
    }
}

/// Prints `2026-11`.
impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", 2020 + self.0 / 12, self.0 % 12 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u64, second: u64) -> Timestamp {
        Timestamp::from_seconds(day * Day::SECONDS + second)
    }

    #[test]
    fn months_count_from_january_2020() {
        assert_eq!(Epoch::of(at(18_262, 0)), Epoch(0)); // 2020-01-01
        assert_eq!(Epoch::of(at(20_779, 0)).to_string(), "2026-11"); // 2026-11-22
        assert_eq!(Epoch::of(at(0, 0)), Epoch(0));
        assert_eq!(Epoch::of(Timestamp::from_seconds(u64::MAX / 4)).number(), 4094);
        assert_eq!(Epoch::new(4095), Err(NoEpoch(4095)));
        assert_eq!(Epoch(4094).next(), None);
    }

    #[test]
    fn months_are_read_as_they_are_printed() {
        for number in [0, 1, 11, 12, 82, 4094] {
            let month = Epoch(number);
            assert_eq!(month.to_string().parse(), Ok(month), "{month}");
        }
        for text in ["", "2026", "2026-1", "2026-13", "2019-12", "2361-04", "2026-11-01"] {
            assert!(text.parse::<Epoch>().is_err(), "{text}");
        }
    }

    #[test]
    fn last_month_counts_for_seven_days() {
        let (october, november) = (Epoch::of(at(20_757, 0)), Epoch::of(at(20_758, 0))); // 2026-10-31, 2026-11-01
        assert_eq!(october.next(), Some(november));
        for (day, usable) in [(0, true), (6, true), (7, false), (29, false)] {
            assert_eq!(october.is_usable(at(20_758 + day, Day::SECONDS - 1)), usable, "day {day}");
            assert!(november.is_usable(at(20_758 + day, 0)));
        }
        assert!(!november.is_usable(at(20_757, 0)), "the future is not usable");
    }
}
