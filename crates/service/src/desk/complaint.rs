//! Complaints, and until when each has to be answered.
//!
//! Source: Directive (EU) 2015/2366 (PSD2), article 101: a reply within 15 business days; where that cannot be for reasons
//! beyond the provider's control, a holding reply that says why and until when, and the final one within 35 business days.

use tacit_core::time::Day;

use super::person::{Name, PersonId};
use super::trail::Deed;
use super::{TextError, holds_unshown, random_id};
use crate::vault::StoreError;

random_id! {
    /// Names a complaint before it has its number: sent twice, it is made once.
    ComplaintId
}

/// What somebody complains of, or is answered: 1 to [`Said::MAX`] characters, with line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(String);

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A payment, into the account or out of it.
    Payment,
    /// An account that is frozen or was closed, or its limits.
    Account,
    /// A fee.
    Fee,
    /// How somebody was treated, or what is kept of them.
    Service,
    /// Something else.
    Other,
}

/// Business days until a complaint has to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// From the day it came.
    pub days: u16,
    /// From the same day, after a holding reply.
    pub days_extended: u16,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its name.
    pub id: ComplaintId,
    /// Its number, from 1: what both sides call it.
    pub number: u64,
    /// Whose.
    pub person: PersonId,
    /// What it is about.
    pub topic: Topic,
    /// What they wrote.
    pub text: Said,
    /// The day it came.
    pub came: Day,
    /// The day by which it has to be answered.
    pub due: Day,
    /// The holding reply, if it takes longer.
    pub holding: Option<Said>,
    /// The answer.
    pub answer: Option<Answer>,
}

/// A final answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it says.
    pub text: Said,
    /// The day it was given.
    pub day: Day,
}

/// A complaint that nobody has a number for yet.
#[derive(Clone, Debug)]
pub struct NewComplaint {
    /// Its name.
    pub id: ComplaintId,
    /// Whose.
    pub person: PersonId,
    /// What it is about.
    pub topic: Topic,
    /// What they wrote.
    pub text: Said,
    /// Today.
    pub came: Day,
    /// The day by which it has to be answered.
    pub due: Day,
}

/// What became of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complained {
    /// It has this number, now or since it was sent before.
    Done(u64),
    /// As many of that person's wait for an answer as may.
    TooMany,
}

/// How many complaints of one person may wait for an answer.
pub const OPEN_MAX: u64 = 10;

/// What the desk keeps of complaints.
pub trait ComplaintStore {
    /// Takes a complaint in, whatever state the account is in.
    ///
    /// # Errors
    /// [`StoreError`]
    fn complain(&mut self, complaint: &NewComplaint) -> Result<Complained, StoreError>;

    /// Somebody's complaints, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn complaints_of(&mut self, person: PersonId) -> Result<Vec<Complaint>, StoreError>;

    /// Those that wait for an answer, by their deadline, with who complained, so many left out at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn open_complaints(
        &mut self,
        skip: u64,
        max: u32,
    ) -> Result<Vec<(Complaint, Name)>, StoreError>;

    /// The complaint of this number, with who complained.
    ///
    /// # Errors
    /// [`StoreError`]
    fn complaint(&mut self, number: u64) -> Result<Option<(Complaint, Name)>, StoreError>;

    /// How many should have been answered before `today`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn overdue_complaints(&mut self, today: Day) -> Result<u64, StoreError>;

    /// Says why it takes longer, and until when: once. `false` if it was said before, or it is answered.
    ///
    /// # Errors
    /// [`StoreError`]
    fn hold_complaint(
        &mut self,
        number: u64,
        reply: &Said,
        due: Day,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Answers. `false` if it was answered before.
    ///
    /// # Errors
    /// [`StoreError`]
    fn answer_complaint(
        &mut self,
        number: u64,
        answer: &Answer,
        deed: &Deed,
    ) -> Result<bool, StoreError>;
}

impl Said {
    /// Characters it may have.
    pub const MAX: usize = 4000;

    /// A text as somebody wrote it, with its line ends as `\n`.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = text.replace("\r\n", "\n").replace('\t', " ");
        let text = text.trim();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if Self::MAX < text.chars().count() {
            return Err(TextError::TooLong { max: Self::MAX });
        }
        if text.split('\n').any(holds_unshown) {
            return Err(TextError::Unshown);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 5] =
        [Self::Payment, Self::Account, Self::Fee, Self::Service, Self::Other];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Account => "account",
            Self::Fee => "fee",
            Self::Service => "service",
            Self::Other => "other",
        }
    }

    /// The topic of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

impl Clock {
    /// As the directive says.
    pub const PSD2: Self = Self { days: 15, days_extended: 35 };

    /// The day by which a complaint of this day has to be answered.
    pub fn due(self, came: Day) -> Day {
        business_days_after(came, self.days)
    }

    /// The same after a holding reply.
    pub fn due_extended(self, came: Day) -> Day {
        business_days_after(came, self.days_extended)
    }
}

/// Whether it is neither Saturday nor Sunday. 1970-01-01 was a Thursday.
fn is_business_day(day: Day) -> bool {
    !matches!((day.number() + 3) % 7, 5 | 6)
}

/// The day so many business days after another. Holidays are taken for business days: they differ from place to place, and
/// an answer is never too early.
pub fn business_days_after(day: Day, days: u16) -> Day {
    let mut day = day;
    for _ in 0..days {
        day = Day::from_number(day.number() + 1);
        while !is_business_day(day) {
            day = Day::from_number(day.number() + 1);
        }
    }
    day
}

/// Business days left from `today` to `due`; negative ones have passed since.
pub fn business_days_left(today: Day, due: Day) -> i64 {
    let between = |from: Day, to: Day| {
        let days = (from.number() + 1..=to.number()).map(Day::from_number);
        i64::try_from(days.filter(|day| is_business_day(*day)).count()).unwrap_or(i64::MAX)
    };
    if today <= due { between(today, due) } else { -between(due, today) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 is a Monday.
    const MONDAY: Day = Day::from_number(20_780);

    fn day(offset: u64) -> Day {
        Day::from_number(MONDAY.number() + offset)
    }

    #[test]
    fn business_days_leave_weekends_out() {
        assert_eq!(MONDAY.to_string(), "2026-11-23");
        for (from, days, expected) in [
            (day(0), 0, day(0)),
            (day(0), 4, day(4)),
            (day(0), 5, day(7)),
            (day(4), 1, day(7)),
            (day(5), 1, day(7)),
            (day(6), 1, day(7)),
            (day(0), 15, day(21)),
            (day(0), 35, day(49)),
        ] {
            assert_eq!(business_days_after(from, days), expected, "{from} {days}");
        }
        assert_eq!(Clock::PSD2.due(day(0)), day(21));
        assert_eq!(Clock::PSD2.due_extended(day(0)), day(49));
    }

    #[test]
    fn days_left_are_counted_both_ways() {
        for (today, due, left) in [
            (day(0), day(0), 0),
            (day(0), day(4), 4),
            (day(4), day(7), 1),
            (day(5), day(7), 1),
            (day(7), day(4), -1),
            (day(8), day(4), -2),
            (day(6), day(4), 0),
            (day(0), day(21), 15),
        ] {
            assert_eq!(business_days_left(today, due), left, "{today} {due}");
        }
    }

    #[test]
    fn a_complaint_may_have_lines() {
        assert_eq!(Said::new(" one\r\n\r\ntwo\n ").unwrap().as_str(), "one\n\ntwo");
        assert_eq!(Said::new(" \n "), Err(TextError::Empty));
        assert_eq!(Said::new("a\u{202e}b"), Err(TextError::Unshown));
        assert!(Said::new(&"x".repeat(Said::MAX)).is_ok());
        assert!(Said::new(&"x".repeat(Said::MAX + 1)).is_err());
        for topic in Topic::ALL {
            assert_eq!(Topic::of_name(topic.name()), Some(topic));
        }
    }
}
