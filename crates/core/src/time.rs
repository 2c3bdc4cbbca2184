//! Time as the platform counts it: whole seconds, and the coarse days and hours that may be stored.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `seconds` after 1970-01-01T00:00:00Z.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The UTC day this moment falls in.
    pub const fn day(self) -> Day {
        Day(self.0 / Day::SECONDS) // The floor is meant.
    }

    /// The beginning of the hour this moment falls in: the finest time kept of a quote that is done.
    pub const fn truncated_to_hour(self) -> Self {
        Self(self.0 - self.0 % 3600)
    }

    /// The moment `duration` later; fractions of a second are dropped.
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.day().civil();
        let (hour, minute, second) = (self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// A UTC day, counted from 1970-01-01: the finest time kept of a swap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(u64);

impl Day {
    /// Length of a day.
    pub const SECONDS: u64 = 86_400;

    /// The day `number` days after 1970-01-01.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The first second of the day.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(Self::SECONDS))
    }

    /// The calendar month it falls in, as months since the year 0.
    pub fn month(self) -> u64 {
        let (year, month, _) = self.civil();
        year * 12 + month - 1
    }

    /// Year, month (1 to 12) and day of the month (1 to 31) in the proleptic Gregorian calendar.
    ///
    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`, for days from 1970 on.
    fn civil(self) -> (u64, u64, u64) {
        let shifted = self.0 + 719_468; // Days since 0000-03-01.
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + u64::from(month <= 2), month, day)
    }
}

/// Prints `2026-11-22`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A text that is no day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is written 2026-11-22, from 1970 on")]
pub struct NoDay;

/// Reads `2026-11-22`, and nothing that only looks like it.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`, for days from 1970 on.
impl std::str::FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let number = |range: std::ops::Range<usize>| {
            let part = text.get(range).ok_or(NoDay)?;
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u64>().ok().filter(|_| is_number).ok_or(NoDay)
        };
        let (year, month, of_month) = (number(0..4)?, number(5..7)?, number(8..10)?);
        if year < 1970 || !(1..=12).contains(&month) || of_month == 0 {
            return Err(NoDay);
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let shifted_month = (month + 9) % 12; // March is the first.
        let (era, of_era) = (shifted_year / 400, shifted_year % 400);
        let of_year = (153 * shifted_month + 2) / 5 + of_month - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        let day = Self(days - 719_468);
        // The thirtieth of February is a day of March, and no day of its own.
        if day.to_string() == text { Ok(day) } else { Err(NoDay) }
    }
}

/// The one source of time. Nothing below the server reads another.
pub trait Clock: Send + Sync {
    /// The present moment. May go backwards: whoever must not be fooled by that latches what happened.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_with_its_last_day() {
        let month = |seconds| Timestamp::from_seconds(seconds).day().month();
        assert_eq!(month(1_795_305_600), 2026 * 12 + 10); // 2026-11-22
        assert_eq!(month(951_782_399), month(951_782_400)); // 28 and 29 February 2000
        assert_eq!(month(951_868_799) + 1, month(951_868_800)); // 29 February, 1 March
        assert_eq!(month(978_307_199) + 1, month(978_307_200)); // The turn of 2001.
    }

    #[test]
    fn moments_print_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_305_600, "2026-11-22T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn days_are_read_as_they_are_printed() {
        for number in (0..60_000).step_by(17).chain([11_016, 11_017, 18_321, 18_322]) {
            let day = Day::from_number(number);
            assert_eq!(day.to_string().parse(), Ok(day), "{day}");
        }
        for text in [
            "",
            "2026-11-2",
            "2026-11-022",
            "2026-13-01",
            "2026-00-10",
            "2026-02-30",
            "2025-02-29",
            "2026-11-31",
            "1969-12-31",
            "2026/11/22",
            "+026-11-22",
            " 2026-11-22",
            "2026-11-22T",
            "\u{661}26-11-22",
        ] {
            assert_eq!(text.parse::<Day>(), Err(NoDay), "{text:?}");
        }
    }

    #[test]
    fn hours_and_days_are_floors() {
        let moment = Timestamp::from_seconds(2 * Day::SECONDS + 3 * 3600 + 59);
        assert_eq!(moment.truncated_to_hour().seconds(), 2 * Day::SECONDS + 3 * 3600);
        assert_eq!(moment.day(), Day::from_number(2));
        assert_eq!(moment.day().start().seconds(), 2 * Day::SECONDS);
    }
}
