//! Payouts: money that people want at their bank, who approved it, and the order files that went out.
//!
//! The money itself is held in the vault under the same name. Here is what the vault must not know: whom and where.

use std::fmt;
use std::str::FromStr;

use tacit_core::hex::HexError;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::staff::StaffId;
use super::trail::Deed;
use crate::account::AccountId;
use crate::posting::{EntryId, FactId};
use crate::vault::StoreError;

/// Approvals that a payout above the operator's limit needs, each by another person.
pub const APPROVALS: u64 = 2;

/// Money that is to go to a bank account.
#[derive(Clone, PartialEq, Eq)]
pub struct Payout {
    /// Its name, and that of what the vault holds for it.
    pub id: FactId,
    /// Whose money.
    pub whose: Whose,
    /// Who asked for it.
    pub by: Asker,
    /// The day it was asked for.
    pub asked: Day,
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

/// Whose money a payout is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of an account here.
    Account(AccountId),
    /// Of whoever sent what the bank booked under this name: it goes back to them.
    Sender(EntryId),
}

/// Who asked for a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Whoever has the account.
    Holder,
    /// Whoever holds the machine, at its command line.
    Machine,
    /// Somebody who works here.
    Staff(StaffId),
}

/// As it is stored.
impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder => f.write_str("holder"),
            Self::Machine => f.write_str("machine"),
            Self::Staff(id) => id.fmt(f),
        }
    }
}

impl FromStr for Asker {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        match text {
            "holder" => Ok(Self::Holder),
            "machine" => Ok(Self::Machine),
            id => id.parse().map(Self::Staff),
        }
    }
}

/// Where a payout stands among those of its state: the earliest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// The day it was asked for.
    pub asked: Day,
    /// Its name.
    pub id: FactId,
}

impl Payout {
    /// Where it stands.
    pub const fn turn(&self) -> Turn {
        Turn { asked: self.asked, id: self.id }
    }
}

/// Shows neither name nor account at the bank.
impl fmt::Debug for Payout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    /// Written down here; in the vault perhaps. What goes back to its sender stays so until it may go out.
    Asked,
    /// What goes back to its sender may go out; the vault may have set it apart.
    Releasing,
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
    pub const ALL: [Self; 7] = [
        Self::Asked,
        Self::Releasing,
        Self::Held,
        Self::Refused,
        Self::Rejecting,
        Self::Rejected,
        Self::Ordered,
    ];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Releasing => "releasing",
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

/// An order, as a list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderSums {
    /// Which.
    pub order: Order,
    /// Payouts in it.
    pub payouts: u64,
    /// All of them together, in minor units.
    pub amount: u64,
}

/// Payouts, as the desk keeps them.
pub trait PayoutStore {
    /// Writes a payout of an account down; `false` if there is one of its name. `deed`: what is written of it into the
    /// trail, if it was not the account's own holder who asked.
    ///
    /// # Errors
    /// [`StoreError`].
    fn add_payout(&mut self, payout: &Payout, deed: Option<&Deed>) -> Result<bool, StoreError>;

    /// Somebody sends back what the bank booked: writes the payout down, and that its booking waits for it. `false` if the
    /// booking is not open, or what somebody said of it is not in the vault yet.
    ///
    /// # Errors
    /// [`StoreError`].
    fn send_back(&mut self, payout: &Payout, deed: &Deed) -> Result<bool, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payout(&mut self, id: FactId) -> Result<Option<Payout>, StoreError>;

    /// Those in a state, the earliest first, at most `max` after the turn given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payouts(
        &mut self,
        state: PayoutState,
        after: Option<Turn>,
        max: u32,
    ) -> Result<Vec<Payout>, StoreError>;

    /// Those of an account, the latest first, at most `max`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payouts_asked(&mut self, account: AccountId, max: u32) -> Result<Vec<Payout>, StoreError>;

    /// Those of this amount whose money is held or left, the latest first, at most `max`: what a booking may be about.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payouts_of_amount(
        &mut self,
        unit: Unit,
        amount: u64,
        max: u32,
    ) -> Result<Vec<Payout>, StoreError>;

    /// Who approved a payout.
    ///
    /// # Errors
    /// [`StoreError`].
    fn approvers(&mut self, id: FactId) -> Result<Vec<StaffId>, StoreError>;

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

    /// Lets what goes back to its sender go out, if it is of at most `alone` minor units or approved by [`APPROVALS`] people;
    /// `false` if not. From then on nobody can say no to it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn release_payout(&mut self, id: FactId, alone: u64) -> Result<bool, StoreError>;

    /// Somebody approves a payout; `false` if they did before, or it is none that waits for that.
    ///
    /// # Errors
    /// [`StoreError`].
    fn approve_payout(
        &mut self,
        id: FactId,
        staff: StaffId,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Staff says no to a payout that is in no order yet. What was to go back to its sender is open again at once.
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

    /// Orders, the latest first, at most `max` after the first `skip`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn payout_orders(&mut self, skip: u64, max: u32) -> Result<Vec<OrderSums>, StoreError>;
}
