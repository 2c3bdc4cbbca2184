//! Payouts: money that people want at their bank, who approved it, and the order files that went out.
//!
//! The money itself is held in the vault under the same name. Here is what the vault must not know: whom and where.

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::staff::StaffId;
use super::trail::Deed;
use crate::account::AccountId;
use crate::posting::FactId;
use crate::vault::StoreError;

/// Approvals that a payout above the operator's limit needs, each by another person.
pub const APPROVALS: u64 = 2;

/// Money that is to go to a bank account.
#[derive(Clone, PartialEq, Eq)]
pub struct Payout {
    /// Its name, and that of what the vault holds for it.
    pub id: FactId,
    /// Whose money.
    pub account: AccountId,
    /// Who is paid.
    pub name: String,
    /// Where.
    pub iban: String,
    /// Currency.
    pub unit: Unit,
    /// In minor units, above 0.
    pub amount: u64,
    /// What the payee reads.
    pub text: String,
    /// How far it is.
    pub state: PayoutState,
    /// How many people approved it.
    pub approvals: u64,
}

/// Shows neither name nor account at the bank.
impl std::fmt::Debug for Payout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payout")
            .field("id", &self.id)
            .field("unit", &self.unit)
            .field("amount", &self.amount)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How far a payout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayoutState {
    /// Written down here; in the vault perhaps.
    Asked,
    /// The vault holds the money.
    Held,
    /// The vault does not hold it: there was not enough, or more than may go out.
    Refused,
    /// Staff said no; the vault may hold the money still.
    Rejecting,
    /// Staff said no, and the money is back.
    Rejected,
    /// It stands in an order file. Whether it was paid is for the bank to say, and stands in the vault.
    Ordered,
}

impl PayoutState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Asked, Self::Held, Self::Refused, Self::Rejecting, Self::Rejected, Self::Ordered];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Rejecting => "rejecting",
            Self::Rejected => "rejected",
            Self::Ordered => "ordered",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// An order file, as far as it is not its payouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name; the bank knows it by [`crate::bank::payout::message_id`].
    pub id: FactId,
    /// Currency of all in it.
    pub unit: Unit,
    /// When it was made.
    pub made: Timestamp,
    /// When the bank shall pay.
    pub execution: Day,
}

/// Payouts, as the desk keeps them.
pub trait PayoutStore {
    /// Writes a payout down; `false` if there is one of its name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn add_payout(&mut self, payout: &Payout) -> Result<bool, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payout(&mut self, id: FactId) -> Result<Option<Payout>, StoreError>;

    /// Those in a state, by name, at most `max` after the one given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payouts(
        &mut self,
        state: PayoutState,
        after: Option<FactId>,
        max: u32,
    ) -> Result<Vec<Payout>, StoreError>;

    /// Moves a payout from one state to another; `false` if it is not in the one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn move_payout(
        &mut self,
        id: FactId,
        from: PayoutState,
        to: PayoutState,
    ) -> Result<bool, StoreError>;

    /// Somebody approves a payout; `false` if they did before, or it is not held.
    ///
    /// # Errors
    /// [`StoreError`].
    fn approve_payout(
        &mut self,
        id: FactId,
        staff: StaffId,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Staff says no to a payout that is in no order yet.
    ///
    /// # Errors
    /// [`StoreError`].
    fn reject_payout(&mut self, id: FactId, deed: &Deed) -> Result<bool, StoreError>;

    /// Puts payouts into an order: those of `ids` that are held, of its currency, and of at most `alone` minor units or
    /// approved by [`APPROVALS`] people. Returns how many; with none there is no order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn order_payouts(
        &mut self,
        order: &Order,
        alone: u64,
        ids: &[FactId],
        deed: &Deed,
    ) -> Result<u64, StoreError>;

    /// An order with its payouts, in an order that never changes.
    ///
    /// # Errors
    /// [`StoreError`].
    fn order(&mut self, id: FactId) -> Result<Option<(Order, Vec<Payout>)>, StoreError>;
}
