//! What reconciliation is made of, as the desk keeps it: files that were imported, the bank's balances, what was owed at the end
//! of each day, and what people said of differences. Sums of everybody together, and nothing of anybody.

use std::collections::BTreeMap;

use tacit_core::time::Day;
use tacit_core::unit::Unit;

use super::staff::StaffId;
use super::trail::Deed;
use crate::reconcile::{Approval, DaySum, Explanation, Position, StatementBalance};
use crate::vault::StoreError;

/// A file of the bank's that was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementFile {
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// The day it was imported first.
    pub day: Day,
    /// Whether it is a statement (camt.053) or a notification (camt.054).
    pub is_statement: bool,
    /// Bookings in it that were not known before.
    pub new: u64,
    /// Bookings that an earlier file told of.
    pub known: u64,
    /// Of the new ones, those that the file does not say enough of.
    pub unclear: u64,
    /// Entries that were not booked yet.
    pub unbooked: u64,
}

/// Who handed a file in, and of which days it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedIn {
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// Who.
    pub staff: StaffId,
    /// The first and the last day it tells of; `None` if something in it has no day, which counts for every day.
    pub days: Option<(Day, Day)>,
}

/// What became of finding an explanation right. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approved {
    /// Nothing like it was said.
    Unknown,
    /// Whoever said it cannot find it right.
    Own,
    /// Nor can whoever handed in a file that tells of these days.
    HandedIn,
    /// Somebody did before.
    Before,
    /// It is done.
    Done,
}

/// What the bank booked, by day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookedSums {
    /// After the day asked for.
    pub days: BTreeMap<Day, DaySum>,
    /// All that is unclear, of whatever day.
    pub unclear: i64,
    /// Bookings that are written down and perhaps not in the vault.
    pub noted: u64,
}

/// What reconciliation is made of.
pub trait ReconcileStore {
    /// Writes down who hands a file in, before anything of it is: what they bring in they do not judge.
    ///
    /// # Errors
    /// [`StoreError`].
    fn hand_in(&mut self, handed: &HandedIn, deed: &Deed) -> Result<(), StoreError>;

    /// Writes down a file and the balances in it. Of a file that is known only the balances count, of a statement that is
    /// known the later word, which contradicts the earlier one if it is another. `false` if the file is known.
    ///
    /// # Errors
    /// [`StoreError`].
    fn note_file(
        &mut self,
        file: &StatementFile,
        balances: &[StatementBalance],
        deed: Option<&Deed>,
    ) -> Result<bool, StoreError>;

    /// A file of a hash.
    ///
    /// # Errors
    /// [`StoreError`].
    fn file(&mut self, hash: [u8; 32]) -> Result<Option<StatementFile>, StoreError>;

    /// Files, the latest day first, at most `max` after the first `skip`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn files(&mut self, skip: u64, max: u32) -> Result<Vec<StatementFile>, StoreError>;

    /// The bank's balances of a currency from a day on, by day.
    ///
    /// # Errors
    /// [`StoreError`].
    fn balances(&mut self, unit: Unit, from: Day) -> Result<Vec<StatementBalance>, StoreError>;

    /// What the bank booked of a currency after a day.
    ///
    /// # Errors
    /// [`StoreError`].
    fn booked(&mut self, unit: Unit, after: Day) -> Result<BookedSums, StoreError>;

    /// Writes down what is owed on a day, in place of what stood there: the last word of a day stays.
    ///
    /// # Errors
    /// [`StoreError`].
    fn note_position(
        &mut self,
        unit: Unit,
        day: Day,
        position: &Position,
    ) -> Result<(), StoreError>;

    /// What was owed at the end of days, from one on.
    ///
    /// # Errors
    /// [`StoreError`].
    fn positions(&mut self, unit: Unit, from: Day) -> Result<BTreeMap<Day, Position>, StoreError>;

    /// Somebody says why there is a difference. `false` if another explanation of the day has its number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn explain(&mut self, explanation: &Explanation, deed: &Deed) -> Result<bool, StoreError>;

    /// Somebody else finds an explanation right, named by its unit, day and number: neither who said it nor who handed in a
    /// file that tells of a day after `settled` and up to its own. `settled`: the last day before of which nothing has to
    /// be said.
    ///
    /// # Errors
    /// [`StoreError`].
    fn approve_explanation(
        &mut self,
        explanation: &Explanation,
        settled: Option<Day>,
        approval: Approval,
        deed: &Deed,
    ) -> Result<Approved, StoreError>;

    /// All that was said of differences of a currency, by day, each day's in order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn explanations(&mut self, unit: Unit) -> Result<Vec<Explanation>, StoreError>;
}
