//! Rails: how money reaches the operator and leaves it. The bank is one; the demo pays itself.

use tacit_core::unit::Unit;

use crate::quote::{Method, QuoteId};

/// Names one payment for the rail: a rail asked twice under one id pays once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentId {
    /// The melt quote.
    pub quote: QuoteId,
    /// Which attempt of it. After a final failure the next attempt is another payment.
    pub attempt: u32,
}

/// What a rail is asked to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its idempotency key.
    pub id: PaymentId,
    /// Unit of the amounts.
    pub unit: Unit,
    /// How to read `request`.
    pub method: Method,
    /// Whom to pay, as the wallet gave it.
    pub request: String,
    /// Minor units the payee is to get.
    pub amount: u64,
    /// Minor units the rail may charge at most; if it must charge more, it fails.
    pub fee_max: u64,
}

/// What a rail offers for a request, before anything is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Minor units the payee will get.
    pub amount: u64,
    /// Minor units to be held for the rail's cost.
    pub fee_reserve: u64,
}

/// What a rail says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The rail has never heard of it: it was not started, and may be.
    Unknown,
    /// Started, no final word. Also the answer to everything unclear: what is pending stays pending.
    InFlight,
    /// Final: the payee has the money.
    Paid {
        /// What the rail charged, in minor units.
        fee: u64,
        /// A preimage or end-to-end reference.
        evidence: Option<String>,
    },
    /// Final: the payee will never get the money under this id. A rail that is not sure says `InFlight`.
    Failed,
}

/// Why a rail makes no offer or cannot be paid through. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum RailError {
    /// The request is not in the form of its method.
    #[error("the payment request cannot be read")]
    BadRequest,
    /// NUT error 11013.
    #[error("the payment request is in another unit")]
    WrongUnit,
    /// NUT error 11011.
    #[error("the payment request names no amount")]
    NoAmount,
    /// NUT error 20006.
    #[error("the payment request has been paid")]
    AlreadyPaid,
    /// The rail cannot be asked now. Says nothing of any payment.
    #[error("the rail cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A way to receive and to pay. Blocking; called from threads that may wait.
pub trait Rail: Send + Sync {
    /// What a payer must be given to pay a mint quote: a reference or an invoice.
    ///
    /// # Errors
    /// [`RailError`].
    fn request(
        &self,
        quote: QuoteId,
        method: Method,
        unit: Unit,
        amount: u64,
    ) -> Result<String, RailError>;

    /// What paying a request would take.
    ///
    /// # Errors
    /// [`RailError`].
    fn offer(&self, method: Method, unit: Unit, request: &str) -> Result<Offer, RailError>;

    /// Starts a payment unless one of its id was started before, and says how far it is.
    ///
    /// # Errors
    /// [`RailError::Unreachable`]: whether it was started is unknown. Ask [`Self::status`] later.
    fn pay(&self, payment: &Payment) -> Result<PaymentStatus, RailError>;

    /// How far a payment is.
    ///
    /// # Errors
    /// [`RailError::Unreachable`]: nothing is known.
    fn status(&self, id: PaymentId) -> Result<PaymentStatus, RailError>;
}
