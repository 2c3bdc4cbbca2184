//! What a passport says of its holder, in plain numbers, and how events and months change that.
//!
//! Only the holder's wallet ever has these numbers: the desk proves the same changes blindly. Whoever changes a rule here
//! changes the statements in `table.rs`, and the tests that run both beside each other.

use serde::{Deserialize, Serialize};
use tacit_core::hex::{self, HexError};

use super::epoch::Epoch;

/// The most units that one receipt, or a month's instalments, may count for.
pub const UNITS_MAX: u8 = 127;
/// The most units of income a month may count for.
pub const INCOME_MAX: u16 = 510;
/// What one month adds to a counter of months.
pub const MONTH: u8 = 7;
/// Months behind that are told apart.
pub const ARREARS_MAX: u8 = 3;
/// Bill streams a passport holds.
pub const STREAMS: usize = 2;

/// The contract of a bill stream, as its biller and the payer know it: 16 random bytes, in hexadecimal where it is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Contract(pub [u8; 16]);

impl TryFrom<String> for Contract {
    type Error = HexError;

    fn try_from(text: String) -> Result<Self, HexError> {
        hex::decode(&text).map(Self)
    }
}

impl From<Contract> for String {
    fn from(contract: Contract) -> Self {
        hex::encode(&contract.0)
    }
}

/// What a receipt says of a contract's month. A slot without one is closed with [`ReceiptFacts::BLANK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFacts {
    /// Whose month it is; none in a blank.
    pub contract: Option<Contract>,
    /// Whether what was due that month was paid in time, or nothing was due.
    pub met: bool,
    /// What was paid, in units, at most [`UNITS_MAX`].
    pub amount: u8,
    /// Whether the contract ends: its slot becomes free.
    pub last: bool,
}

impl ReceiptFacts {
    /// A receipt of nothing, which anybody gets: all ticks show two receipts, so that they look alike.
    pub const BLANK: Self = Self { contract: None, met: false, amount: 0, last: false };
}

/// What a passport says.
///
/// Counters fade: an eighth, rounded up, of each goes at every tick, before the month is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The month it was ticked into last.
    pub epoch: Epoch,
    /// The month it began.
    pub since: Epoch,
    /// Months behind now, 0 to [`ARREARS_MAX`].
    pub arrears: u8,
    /// Months that ended with something late: 7 each, faded; at most 49.
    pub late: u8,
    /// Months that ended two or more months behind: 7 each, faded; at most 49.
    pub behind: u8,
    /// Units paid of bills and instalments, faded; at most 8 times a month's 381.
    pub paid: u16,
    /// Months with a payment: 7 each, faded; at most 49.
    pub paid_months: u8,
    /// Units of income, faded; at most 8 times a month's [`INCOME_MAX`].
    pub income: u16,
    /// Units of instalments paid this month, at most [`UNITS_MAX`]; they become part of `paid` at the tick.
    pub repaid: u8,
    /// The month in which the next instalment of the open loan is due; none without a loan.
    pub due: Option<Epoch>,
    /// The bill streams taken on.
    pub contracts: [Option<Contract>; STREAMS],
}

/// Why an event does not fit a passport. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The units of one event are bounded, so that the counters stay within their bits.
    #[error("{units} units are more than the {most} that may be counted")]
    TooMuch {
        /// What was to be counted.
        units: u16,
        /// What may be.
        most: u16,
    },
    /// One open loan a passport.
    #[error("a loan is open, to be paid in {due}")]
    LoanOpen {
        /// When its next instalment is due.
        due: Epoch,
    },
    /// There is no loan, or another instalment is next.
    #[error("no instalment is due in {due}")]
    NotDue {
        /// The month that was named.
        due: Epoch,
    },
    /// A receipt of another contract than the slot's.
    #[error("receipt {slot} is of another contract than the one taken on")]
    OtherContract {
        /// Counted from 0.
        slot: usize,
    },
    /// The last month of the clock.
    #[error("the passport's clock ends")]
    EndOfTime,
}

/// What a month's end did, beyond the counters: the witnesses of the tick's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) needs: [bool; STREAMS],
    pub(super) missed: u8,
    pub(super) overdue: bool,
    pub(super) late: bool,
    pub(super) behind: bool,
    pub(super) some: bool,
}

/// What of a counter goes at a tick: an eighth, rounded up. One that gains at most `v` a month never exceeds `8 v`.
pub(super) const fn fade(value: u16) -> u16 {
    value.div_ceil(8)
}

/// What is left of a counter after a month. What the month adds comes on top.
pub const fn faded(value: u16) -> u16 {
    value - fade(value)
}

impl Standing {
    /// The standing of who has no history yet.
    pub const fn new(epoch: Epoch) -> Self {
        Self::begun(epoch, epoch)
    }

    /// The same, its age counted from another month: from a later one for whoever had a passport before, so that nobody is rid of
    /// bad news by asking for another.
    pub const fn begun(epoch: Epoch, since: Epoch) -> Self {
        Self {
            epoch,
            since,
            arrears: 0,
            late: 0,
            behind: 0,
            paid: 0,
            paid_months: 0,
            income: 0,
            repaid: 0,
            due: None,
            contracts: [None; STREAMS],
        }
    }

    /// The due month as the credential holds it.
    pub(super) fn due_number(&self) -> u16 {
        self.due.map_or(Epoch::NEVER, Epoch::number)
    }

    /// After a month's income of so many units, which the desk grants once a month. Two months' between two ticks may be more than
    /// the counter holds: then the second waits for the tick.
    ///
    /// # Errors
    /// [`EventError::TooMuch`] if it is more than a month's, or more than the counter holds.
    pub fn with_income(&self, units: u16) -> Result<Self, EventError> {
        within(units, INCOME_MAX)?;
        within(self.income + units, 8 * INCOME_MAX)?;
        Ok(Self { income: self.income + units, ..self.clone() })
    }

    /// After a loan was drawn, whose first instalment is due in a month.
    ///
    /// # Errors
    /// [`EventError::LoanOpen`] if there is one already.
    pub fn with_loan(&self, due: Epoch) -> Result<Self, EventError> {
        match self.due {
            Some(due) => Err(EventError::LoanOpen { due }),
            None => Ok(Self { due: Some(due), ..self.clone() }),
        }
    }

    /// After an instalment was paid that was due in a month; `units` count, and `next` is the month of the next, if there
    /// is one.
    ///
    /// # Errors
    /// [`EventError::TooMuch`] if the month's instalments come to more than [`UNITS_MAX`], [`EventError::NotDue`] if another month
    /// or none is due.
    pub fn with_instalment(
        &self,
        due: Epoch,
        units: u8,
        next: Option<Epoch>,
    ) -> Result<Self, EventError> {
        let repaid = u16::from(self.repaid) + u16::from(units);
        within(repaid, u16::from(UNITS_MAX))?;
        if self.due != Some(due) {
            return Err(EventError::NotDue { due });
        }
        Ok(Self { repaid: self.repaid + units, due: next, ..self.clone() })
    }

    /// What of an instalment's units this month can still count.
    pub fn countable(&self, units: u8) -> u8 {
        units.min(UNITS_MAX - self.repaid)
    }

    /// After the month's end, with a receipt for each slot.
    ///
    /// # Errors
    /// [`EventError::TooMuch`] for a receipt above [`UNITS_MAX`], [`EventError::OtherContract`], [`EventError::EndOfTime`].
    pub fn ticked(&self, receipts: &[ReceiptFacts; STREAMS]) -> Result<Self, EventError> {
        self.turned(receipts).map(|(next, _)| next)
    }

    pub(super) fn turned(
        &self,
        receipts: &[ReceiptFacts; STREAMS],
    ) -> Result<(Self, Turn), EventError> {
        let epoch = self.epoch.next().ok_or(EventError::EndOfTime)?;
        let (mut contracts, mut needs) = (self.contracts, [false; STREAMS]);
        let (mut met, mut amount) = (0_u8, u16::from(self.repaid));
        for (slot, receipt) in receipts.iter().enumerate() {
            within(u16::from(receipt.amount), u16::from(UNITS_MAX))?;
            (contracts[slot], needs[slot]) = match (self.contracts[slot], receipt.contract) {
                (None, None) => (None, false),
                (Some(own), None) => (Some(own), true),
                (None, first) => (first, true),
                (own, same) if own == same => (own.filter(|_| !receipt.last), true),
                (Some(_), Some(_)) => return Err(EventError::OtherContract { slot }),
            };
            met += u8::from(receipt.met);
            amount += u16::from(receipt.amount);
        }
        let needed: u8 = needs.iter().map(|need| u8::from(*need)).sum();
        let missed = needed.saturating_sub(met);
        let overdue = self.due.is_some_and(|due| due <= self.epoch);
        let late = 0 < missed || overdue;
        let arrears = if late { (self.arrears + 1).min(ARREARS_MAX) } else { 0 };
        let turn = Turn { needs, missed, overdue, late, behind: 2 <= arrears, some: 0 < amount };
        let months = |before: u8, happened: bool| {
            let left = u8::try_from(faded(u16::from(before))).expect("no more than before");
            if happened { left + MONTH } else { left }
        };
        let next = Self {
            epoch,
            since: self.since,
            arrears,
            late: months(self.late, turn.late),
            behind: months(self.behind, turn.behind),
            paid: faded(self.paid) + amount,
            paid_months: months(self.paid_months, turn.some),
            income: faded(self.income),
            repaid: 0,
            due: self.due,
            contracts,
        };
        Ok((next, turn))
    }
}

fn within(units: u16, most: u16) -> Result<(), EventError> {
    if units <= most { Ok(()) } else { Err(EventError::TooMuch { units, most }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(number: u16) -> Epoch {
        Epoch::new(number).unwrap()
    }

    fn receipt(contract: u8, met: bool, amount: u8) -> ReceiptFacts {
        ReceiptFacts { contract: Some(Contract([contract; 16])), met, amount, last: false }
    }

    const BLANK: ReceiptFacts = ReceiptFacts::BLANK;

    #[test]
    fn counters_stay_within_their_bits_however_long_it_goes_on() {
        let mut standing = Standing::new(month(0));
        standing = standing.with_loan(month(1)).unwrap();
        for _ in 0..200 {
            standing = standing.with_income(INCOME_MAX).unwrap();
            standing = Standing { repaid: UNITS_MAX, ..standing };
            standing = standing
                .ticked(&[receipt(1, false, UNITS_MAX), receipt(2, false, UNITS_MAX)])
                .unwrap();
        }
        let Standing { arrears, late, behind, paid, paid_months, income, .. } = standing;
        // Where an eighth, rounded up, is what a month adds.
        assert_eq!((arrears, late, behind, paid_months), (3, 49, 49, 49));
        assert_eq!((paid, income), (8 * 380 + 1, 8 * 509 + 1 - INCOME_MAX));
    }

    #[test]
    fn a_missed_bill_is_late_and_two_in_a_row_are_behind() {
        let first = Standing::new(month(80)).ticked(&[receipt(1, true, 5), BLANK]).unwrap();
        assert_eq!(
            (first.contracts[0].is_some(), first.arrears, first.paid, first.paid_months),
            (true, 0, 5, 7)
        );
        let missed = first.ticked(&[BLANK, BLANK]).unwrap();
        assert_eq!((missed.arrears, missed.late, missed.behind), (1, 7, 0));
        let again = missed.ticked(&[receipt(1, false, 3), BLANK]).unwrap();
        assert_eq!((again.arrears, again.late, again.behind), (2, 13, 7));
        let well = again.ticked(&[receipt(1, true, 3), BLANK]).unwrap();
        assert_eq!((well.arrears, well.late, well.behind), (0, 11, 6));
    }

    #[test]
    fn a_receipt_of_another_contract_closes_no_slot() {
        let taken = Standing::new(month(80)).ticked(&[receipt(1, true, 5), BLANK]).unwrap();
        let refused = taken.ticked(&[receipt(2, true, 5), BLANK]);
        assert_eq!(refused, Err(EventError::OtherContract { slot: 0 }));
        // A second receipt beyond what is needed makes up for nothing.
        let surplus = taken.ticked(&[BLANK, receipt(2, true, 5)]).unwrap();
        assert_eq!((surplus.arrears, surplus.contracts.map(|it| it.is_some())), (1, [true, true]));
    }

    #[test]
    fn an_ended_contract_frees_its_slot() {
        let taken = Standing::new(month(80)).ticked(&[receipt(1, true, 5), BLANK]).unwrap();
        let last = ReceiptFacts { last: true, ..receipt(1, true, 0) };
        let ended = taken.ticked(&[last, BLANK]).unwrap();
        assert_eq!((ended.contracts, ended.arrears), ([None, None], 0));
        assert_eq!(ended.ticked(&[BLANK, BLANK]).unwrap().arrears, 0);
    }

    #[test]
    fn an_overdue_instalment_is_late_until_it_is_paid() {
        let borrowed = Standing::new(month(80)).with_loan(month(81)).unwrap();
        assert_eq!(borrowed.with_loan(month(82)), Err(EventError::LoanOpen { due: month(81) }));
        let next = borrowed.ticked(&[BLANK, BLANK]).unwrap();
        assert_eq!(next.arrears, 0, "it was not due yet");
        let overdue = next.ticked(&[BLANK, BLANK]).unwrap();
        assert_eq!((overdue.epoch, overdue.arrears, overdue.late), (month(82), 1, 7));
        assert_eq!(
            overdue.with_instalment(month(80), 3, None),
            Err(EventError::NotDue { due: month(80) })
        );
        let paid = overdue.with_instalment(month(81), 3, Some(month(83))).unwrap();
        assert_eq!((paid.due, paid.repaid), (Some(month(83)), 3));
        assert_eq!(paid.ticked(&[BLANK, BLANK]).unwrap().arrears, 0);
    }

    #[test]
    fn too_much_at_once_is_not_counted() {
        let standing = Standing::new(month(80));
        assert_eq!(standing.with_income(511), Err(EventError::TooMuch { units: 511, most: 510 }));
        let full = Standing { income: 3571, ..standing.clone() };
        assert_eq!(full.with_income(510), Err(EventError::TooMuch { units: 4081, most: 4080 }));
        let loan = standing.with_loan(month(80)).unwrap();
        let paid = loan.with_instalment(month(80), 100, Some(month(81))).unwrap();
        let again = paid.with_instalment(month(81), 28, None);
        assert_eq!(again, Err(EventError::TooMuch { units: 128, most: 127 }));
        assert_eq!(paid.countable(28), 27);
        let much = ReceiptFacts { amount: 128, ..receipt(1, true, 0) };
        assert_eq!(
            standing.ticked(&[much, BLANK]),
            Err(EventError::TooMuch { units: 128, most: 127 })
        );
        let last = Standing::new(month(4094));
        assert_eq!(last.ticked(&[BLANK, BLANK]), Err(EventError::EndOfTime));
    }
}
