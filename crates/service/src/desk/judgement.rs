//! How an account is to stand, as staff decided it: frozen, thawed, closed, of another level.
//!
//! The desk decides, the vault enforces. A judgement is written down together with a decision of its own name, which is
//! carried to the vault as often as it takes, and forgotten once it has arrived: what stays is the deed in the trail.
//! Closing is the vault's word, since an account that holds something is not closed: the desk believes it afterwards.

use tacit_core::time::Timestamp;

use super::payout::Payout;
use super::person::{KycLevel, Person, PersonId};
use super::trail::Deed;
use super::{TextError, one_line, random_id};
use crate::account::AccountId;
use crate::vault::StoreError;

random_id! {
    /// Names a decision on its way to the vault.
    DecisionId
}

/// Why staff did something, in one line of their own words. It stands in the trail for good: no names, no numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Characters it may have.
    pub const MAX: usize = 300;

    /// A reason as somebody wrote it.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        one_line(text, Self::MAX).map(Self)
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is decided of somebody's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing moves until it is thawed.
    Freeze,
    /// It may be used again.
    Thaw,
    /// For good, if it holds nothing.
    Close,
    /// So well is its owner known from now on.
    Level(KycLevel),
}

/// A decision that the vault is not known to have carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its name.
    pub id: DecisionId,
    /// Whose account, with level and state as decided.
    pub person: Person,
    /// Whether it is to be closed.
    pub is_closing: bool,
}

/// What became of a decision at the desk once the vault was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarriedOut {
    /// The vault has it.
    Done,
    /// The account is closed, whatever was decided last: closing had gone too far to be undone.
    Closed,
    /// The account holds something, or something is under way: it was not closed.
    NotEmpty,
    /// Something else was decided meanwhile: the vault has to hear that.
    Overtaken,
}

/// What the desk keeps of decisions on their way.
pub trait JudgementStore {
    /// Writes a judgement down, with a decision in the place of an earlier one. `false`, and nothing is changed, if there is
    /// nobody of that name, they are closed, or it would change nothing. Thawing is decided anew whatever the desk says,
    /// since the vault freezes accounts of its own accord when a loss is accepted.
    ///
    /// # Errors
    /// [`StoreError`]
    fn judge(
        &mut self,
        id: PersonId,
        judgement: Judgement,
        decision: DecisionId,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Whose decisions are on their way, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn undecided(&mut self, max: u32) -> Result<Vec<PersonId>, StoreError>;

    /// The decision on its way about somebody.
    ///
    /// # Errors
    /// [`StoreError`]
    fn decision(&mut self, of: PersonId) -> Result<Option<Decision>, StoreError>;

    /// The vault has carried a decision out, as far as it can. `is_closed`: whether it says that the account is. Whoever is
    /// closed is logged out everywhere; of closing, the trail notes how it ended.
    ///
    /// # Errors
    /// [`StoreError`]
    fn carry_out(
        &mut self,
        decision: &Decision,
        is_closed: bool,
        now: Timestamp,
    ) -> Result<CarriedOut, StoreError>;

    /// Payouts of an account that were not refused or rejected: whether the bank has paid them is for the vault to say.
    ///
    /// # Errors
    /// [`StoreError`]
    fn payouts_of(&mut self, account: AccountId) -> Result<Vec<Payout>, StoreError>;
}
