//! Orders and refunds on paper: what a merchant wrote on them. Whether an order is paid is the vault's to say.
//!
//! An order has two names. The checkout's is secret: whoever knows it sees the receipt. The vault's, which stands in the
//! payment request for everyone to read, is a hash of it and opens nothing.

use sha2::{Digest, Sha256};
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::{TextError, one_line, random_id};
use crate::account::AccountId;
use crate::order::OrderId;
use crate::posting::FactId;
use crate::vault::StoreError;

random_id! {
    /// Names an order to its merchant and its payer: opens the checkout page and the receipt.
    CheckoutId
}

random_id! {
    /// Fetches a refund.
    RefundCode
}

/// SHA-256 of what was asked under a merchant's key, so that the key cannot mean two things.
pub type Digest32 = [u8; 32];

/// One line that a merchant wrote on an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

/// How far an order is, as the desk last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaperState {
    /// The vault is not known to have it: telling it is tried again.
    Begun,
    /// It may be paid until its expiry.
    Open,
    /// It is paid.
    Paid,
    /// The merchant withdrew it.
    Cancelled,
}

/// An order, as the desk keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPaper {
    /// Its name in the vault.
    pub id: OrderId,
    /// Its name to merchant and payer.
    pub checkout: CheckoutId,
    /// Whose.
    pub merchant: AccountId,
    /// Counts the merchant's orders from 1. Given by the store.
    pub number: u64,
    /// The key it was asked for under.
    pub request_key: String,
    /// Of what was asked.
    pub request_digest: Digest32,
    /// What the merchant calls it.
    pub reference: Option<Line>,
    /// What is sold.
    pub description: Line,
    /// Minor units.
    pub amount: u64,
    /// Currency.
    pub unit: Unit,
    /// The day it was made.
    pub created: Day,
    /// Until when it may be paid: a full minute.
    pub expiry: Timestamp,
    /// How far it is.
    pub state: PaperState,
    /// The day it was paid; never finer.
    pub paid: Option<Day>,
    /// Minor units given back.
    pub refunded: u64,
}

/// What became of an order or a refund that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun<T> {
    /// It is new, and as it is kept.
    New(T),
    /// The same was begun before.
    Same(T),
    /// Something else was asked for under this key.
    Other,
}

/// How a refund reaches the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundWay {
    /// On blank outputs that came with the payment.
    Blanks,
    /// By a code.
    Code,
}

/// A refund, as the desk keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundPaper {
    /// Its name in the vault.
    pub id: FactId,
    /// Of which order.
    pub order: OrderId,
    /// The key it was asked for under.
    pub request_key: String,
    /// Of what was asked.
    pub request_digest: Digest32,
    /// Minor units.
    pub amount: u64,
    /// How it reaches the payer: the way that is tried, until it is done.
    pub way: RefundWay,
    /// SHA-256 of its code.
    pub code_hash: [u8; 32],
    /// The day it was asked for.
    pub created: Day,
    /// Whether the vault is known to have done it.
    pub is_done: bool,
}

/// What was sold on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySales {
    /// The day.
    pub day: Day,
    /// How many orders were paid.
    pub orders: u64,
    /// Minor units paid.
    pub paid: u64,
    /// Minor units of these orders given back since.
    pub refunded: u64,
}

/// What the desk keeps of orders.
pub trait PaperStore {
    /// Begins an order, and numbers it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn begin_order(&mut self, paper: &OrderPaper) -> Result<Begun<OrderPaper>, StoreError>;

    /// An order.
    ///
    /// # Errors
    /// [`StoreError`]
    fn order_paper(&mut self, id: OrderId) -> Result<Option<OrderPaper>, StoreError>;

    /// The vault has said how far an order is. What is paid or cancelled stays so.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_order_state(
        &mut self,
        id: OrderId,
        state: PaperState,
        today: Day,
    ) -> Result<(), StoreError>;

    /// A merchant's orders below a number, if one is given, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn orders(
        &mut self,
        merchant: AccountId,
        below: Option<u64>,
        limit: u64,
    ) -> Result<Vec<OrderPaper>, StoreError>;

    /// Orders that the vault is not known to have, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn orders_begun(&mut self, max: u32) -> Result<Vec<OrderPaper>, StoreError>;

    /// Begins a refund.
    ///
    /// # Errors
    /// [`StoreError`]
    fn begin_refund(&mut self, refund: &RefundPaper) -> Result<Begun<RefundPaper>, StoreError>;

    /// Another way is tried with a refund that is not done.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_refund_way(&mut self, id: FactId, way: RefundWay) -> Result<(), StoreError>;

    /// The vault has done a refund: it counts. Done twice, it is done once.
    ///
    /// # Errors
    /// [`StoreError`]
    fn finish_refund(&mut self, id: FactId) -> Result<(), StoreError>;

    /// The vault has refused a refund: it is forgotten, unless it is done.
    ///
    /// # Errors
    /// [`StoreError`]
    fn drop_refund(&mut self, id: FactId) -> Result<(), StoreError>;

    /// An order's refunds, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn refunds(&mut self, order: OrderId) -> Result<Vec<RefundPaper>, StoreError>;

    /// The refund of a code, by its hash.
    ///
    /// # Errors
    /// [`StoreError`]
    fn refund_of_code(&mut self, code_hash: [u8; 32]) -> Result<Option<RefundPaper>, StoreError>;

    /// Refunds that the vault is not known to have done, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn refunds_begun(&mut self, max: u32) -> Result<Vec<RefundPaper>, StoreError>;

    /// What a merchant sold on each day from `from` on, days without sales left out.
    ///
    /// # Errors
    /// [`StoreError`]
    fn sales(&mut self, merchant: AccountId, from: Day) -> Result<Vec<DaySales>, StoreError>;
}

impl CheckoutId {
    /// The order's name in the vault, which stands in the payment request. It does not lead back.
    pub fn order(self) -> OrderId {
        let mut hash = Sha256::new();
        hash.update(b"Tacit order of checkout\0");
        hash.update(self.bytes());
        let bytes: [u8; 32] = hash.finalize().into();
        OrderId::from_bytes(bytes[..16].try_into().expect("16 of 32"))
    }
}

impl RefundCode {
    /// All that is kept of it.
    pub fn hash(self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }
}

impl Line {
    /// Characters it may have.
    pub const MAX: usize = 200;

    /// A line as somebody wrote it.
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

impl PaperState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Begun, Self::Open, Self::Paid, Self::Cancelled];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl RefundWay {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Blanks, Self::Code];

    /// As it is stored and told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blanks => "blanks",
            Self::Code => "code",
        }
    }

    /// The way of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vaults_name_of_an_order_is_not_its_checkouts() {
        let checkout = CheckoutId::from_bytes([3; 16]);
        assert_eq!(checkout.order(), checkout.order());
        assert_ne!(checkout.order().as_bytes(), &checkout.bytes());
        assert_ne!(checkout.order(), CheckoutId::from_bytes([4; 16]).order());
    }

    #[test]
    fn states_and_ways_are_known_by_their_names() {
        for state in PaperState::ALL {
            assert_eq!(PaperState::of_name(state.name()), Some(state));
        }
        for way in RefundWay::ALL {
            assert_eq!(RefundWay::of_name(way.name()), Some(way));
        }
        assert_eq!((PaperState::of_name("expired"), RefundWay::of_name("")), (None, None));
    }
}
