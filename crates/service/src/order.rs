//! Orders of merchants: paid once, by whoever holds the e-cash; refunded at most as much as was paid.
//!
//! Payable state lives here and not at the desk, so that two payers cannot both pay. Who paid is not known: an order
//! holds what its payer sent for a refund (blank outputs), and nothing that names a proof.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use secp256k1::PublicKey;
use tacit_core::hex::{self, HexError};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::condition::lock::{Condition, Lock};
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof};

use crate::account::AccountId;
use crate::keyset::KeysetNumber;
use crate::ledger::TransferId;
use crate::mint::{InputError, Mint, OutputError};
use crate::posting::{FactId, PostError, Posted};
use crate::quote::Output;
use crate::vault::{Outcome, SpentProof};

/// Names an order: 16 bytes nobody can guess, for whoever knows them may see its receipt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId([u8; 16]);

impl OrderId {
    /// The order of a name.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for OrderId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// Shows nothing: whoever knows it may see the receipt.
impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderId(..)")
    }
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrderState {
    /// Waits for its payment, until its expiry.
    Open,
    /// Paid; perhaps refunded since.
    Paid,
    /// Withdrawn by the merchant, unpaid.
    Cancelled,
}

/// Something a merchant wants to be paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub id: OrderId,
    /// The merchant.
    pub holder: AccountId,
    /// Currency.
    pub unit: Unit,
    /// Minor units, above 0.
    pub amount: u64,
    /// Until when it may be paid.
    pub expiry: Timestamp,
    /// How far it is.
    pub state: OrderState,
    /// Minor units given back so far; at most the amount.
    pub refunded: u64,
    /// Blank outputs of the payer's that are not used yet (as in NUT-08): a refund is signed on these.
    pub blanks: Vec<Output>,
}

/// How a refund reaches the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundTo {
    /// On the blank outputs that came with the payment: the payer's wallet fetches the signatures (NUT-09).
    Blanks,
    /// It waits until somebody fetches it under its name.
    Code,
}

/// Blank outputs an order keeps at most: enough for two refunds of any amount.
pub const BLANKS_MAX: usize = 128;

/// Why an order was not paid. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// No such order.
    #[error("the order is not known")]
    UnknownOrder,
    /// An input cannot be spent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An input is locked to somebody else than the merchant, or in a way that the merchant alone cannot open.
    #[error("input {index} is not locked to this merchant")]
    WrongLock {
        /// Which input.
        index: usize,
    },
    /// A blank output cannot be used.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Neither the amount of the order, nor that with the fee for spending the inputs. All in minor units.
    #[error("inputs of {inputs} do not pay {amount}; a fee of {fee} may be added")]
    WrongAmount {
        /// Sum of the inputs.
        inputs: u64,
        /// What is asked for.
        amount: u64,
        /// What the inputs cost to spend.
        fee: u64,
    },
    /// It has been paid, with other proofs.
    #[error("the order is paid")]
    AlreadyPaid,
    /// The merchant has withdrawn it.
    #[error("the order was cancelled")]
    Cancelled,
    /// Too late.
    #[error("the order has expired")]
    Expired,
    /// The merchant's account is frozen or closed.
    #[error("the merchant takes no payments now")]
    MerchantClosed,
}

/// Why nothing was refunded. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    /// No such order.
    #[error("the order is not known")]
    UnknownOrder,
    /// Another refund has this name.
    #[error("another refund has this name")]
    Conflict,
    /// It was not paid.
    #[error("the order is not paid")]
    NotPaid,
    /// Nothing, or more than is left of what was paid.
    #[error("no more than what was paid can be refunded")]
    TooMuch,
    /// The merchant's account is frozen or closed, or does not hold as much.
    #[error(transparent)]
    Account(#[from] PostError),
    /// The payer sent no blank outputs, or too few, or has used them: refund it by a code.
    #[error("the payer's outputs do not suffice")]
    NoBlanks,
}

/// Why a refund was not fetched. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// An output cannot be signed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// No refund waits under this name.
    #[error("the refund is not known")]
    Unknown,
    /// The outputs do not add up to it.
    #[error("the outputs do not add up to the refund")]
    WrongAmount,
    /// It was fetched, with other outputs.
    #[error("the refund was fetched")]
    Fetched,
}

/// A payment that may be made: proofs checked, blanks known to be points. Made only by [`Mint::prepare_payment`].
pub struct PreparedPayment {
    order: OrderId,
    holder: AccountId,
    inputs: Vec<SpentProof>,
    by_keyset: BTreeMap<KeysetNumber, u64>,
    total: u64,
    fee: u64,
    blanks: Vec<Output>,
}

impl PreparedPayment {
    /// The order it is for.
    pub fn order(&self) -> OrderId {
        self.order
    }

    /// The merchant.
    pub fn holder(&self) -> AccountId {
        self.holder
    }

    /// Proofs to be spent, all different.
    pub fn inputs(&self) -> &[SpentProof] {
        &self.inputs
    }

    /// Their value in minor units, by keyset.
    pub fn by_keyset(&self) -> &BTreeMap<KeysetNumber, u64> {
        &self.by_keyset
    }

    /// Their value in minor units: the amount, and at most the fee for spending them beside it.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The same for which the merchant pays so much of the amount, in minor units; never more than all of it.
    #[must_use]
    pub fn with_fee(mut self, fee: u64) -> Self {
        self.fee = fee;
        self
    }

    /// What the merchant pays for the sale, in minor units, as it was asked for.
    pub fn fee(&self) -> u64 {
        self.fee
    }

    /// Blank outputs for a refund, all different and all points.
    pub fn blanks(&self) -> &[Output] {
        &self.blanks
    }
}

/// A refund that may be fetched: outputs signed, signatures held back. Made only by [`Mint::prepare_fetch`].
pub struct PreparedFetch {
    refund: FactId,
    unit: Unit,
    outputs: Vec<Output>,
    signatures: Vec<BlindSignature>,
}

impl PreparedFetch {
    /// Which refund.
    pub fn refund(&self) -> FactId {
        self.refund
    }

    /// Currency.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Outputs to be signed, all different.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The signatures, once the vault has said what became of it.
    ///
    /// # Errors
    /// The [`FetchError`] the vault refused it with.
    ///
    /// # Panics
    /// If the outcome is not a fetch's: a store answers each change in kind.
    pub fn answer(self, outcome: Outcome) -> Result<Vec<BlindSignature>, FetchError> {
        match outcome {
            Outcome::Fetched(result) => result.map(|_: Posted| self.signatures),
            Outcome::Swap(_)
            | Outcome::Mint(_)
            | Outcome::Melt(_)
            | Outcome::Finished(_)
            | Outcome::Posted(_)
            | Outcome::Paid(_)
            | Outcome::Refunded(_)
            | Outcome::Answered(_)
            | Outcome::Billed(_)
            | Outcome::BillPaid(_)
            | Outcome::MonthClosed(_)
            | Outcome::Applied(_) => unreachable!("a fetch has a fetch's outcome"),
        }
    }
}

/// Something that happened to an order, for the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Its name, made from what it tells: told twice, it is known.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// To which order.
    pub order: OrderId,
    /// Minor units paid or refunded.
    pub amount: u64,
}

/// Names an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

impl EventId {
    /// The event of a name.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// It was paid.
    OrderPaid,
    /// All or part of it was given back.
    OrderRefunded,
}

impl EventKind {
    /// The word stored, and told to merchants.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderPaid => "order.paid",
            Self::OrderRefunded => "order.refunded",
        }
    }

    /// The kind of a word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::OrderPaid, Self::OrderRefunded].into_iter().find(|kind| kind.name() == word)
    }
}

impl OutboxEvent {
    /// The event that tells of a transfer, and so has its name.
    pub(crate) fn of(transfer: TransferId, kind: EventKind, order: OrderId, amount: u64) -> Self {
        Self { id: EventId::from_bytes(*transfer.as_bytes()), kind, order, amount }
    }
}

/// The transfer of a refund.
pub fn refunded(refund: FactId) -> TransferId {
    TransferId::once("refunded", refund.as_bytes())
}

/// The transfer that fetches it.
pub(crate) fn fetched(refund: FactId) -> TransferId {
    TransferId::once("refund-fetched", refund.as_bytes())
}

/// The transfer of what a merchant pays for a sale.
pub fn sale_fee(order: OrderId) -> TransferId {
    TransferId::once("sale-fee", order.as_bytes())
}

/// The event of an order's payment.
pub(crate) fn sold(order: OrderId) -> TransferId {
    TransferId::once("sold", order.as_bytes())
}

impl Mint {
    /// Checks the proofs and blank outputs of a payment. Nothing is changed yet.
    ///
    /// `order`: as the vault has it; its state is looked at again when the change is committed. `key`: the merchant's.
    /// A lock on that key alone needs no signature here: what it locks goes to the account of whose key it is, and
    /// nowhere else. Proofs without a lock are taken, too.
    ///
    /// # Errors
    /// [`PayError`], all but what the vault knows.
    pub fn prepare_payment(
        &self,
        order: &Order,
        key: Option<&PointBytes>,
        proofs: &[Proof],
        blanks: &[BlindedMessage],
    ) -> Result<PreparedPayment, PayError> {
        let counted = self.count_inputs(order.unit, proofs)?;
        if let Some(index) = proofs.iter().position(|proof| !is_open_to(proof, key)) {
            return Err(PayError::WrongLock { index });
        }
        let mut blanks = self.count_blanks(order.unit, blanks)?;
        let (inputs, amount, fee) = (counted.total, order.amount, counted.fee);
        if inputs < amount || amount.checked_add(fee).is_some_and(|most| most < inputs) {
            return Err(PayError::WrongAmount { inputs, amount, fee });
        }
        let spent = self.verify_unlocked(proofs, &counted, vec![None; proofs.len()])?;
        blanks.truncate(BLANKS_MAX);
        Ok(PreparedPayment {
            order: order.id,
            holder: order.holder,
            inputs: spent,
            by_keyset: counted.by_keyset,
            total: inputs,
            fee: 0,
            blanks,
        })
    }

    /// Checks and signs the outputs a refund is fetched with. Nothing is changed yet.
    ///
    /// # Errors
    /// [`FetchError::Output`].
    pub fn prepare_fetch(
        &self,
        unit: Unit,
        refund: FactId,
        outputs: &[BlindedMessage],
    ) -> Result<PreparedFetch, FetchError> {
        if outputs.is_empty() {
            return Err(OutputError::Empty.into());
        }
        let counted = self.count_outputs(unit, outputs)?;
        let signatures = self.sign_outputs(outputs, &counted)?;
        Ok(PreparedFetch { refund, unit, outputs: counted.outputs, signatures })
    }
}

/// Whether a proof is locked to this key and no other, or not at all.
pub(crate) fn is_open_to(proof: &Proof, key: Option<&PointBytes>) -> bool {
    let condition = match Condition::parse(proof.secret.expose()) {
        Ok(None) => return true,
        Ok(Some(condition)) => condition,
        Err(_) => return false,
    };
    let terms = condition.terms();
    let is_alone = terms.pubkeys.is_empty() && terms.n_sigs.is_none_or(|count| count == 1);
    let own: Option<PublicKey> = key.and_then(|key| key.parse().ok());
    let x_only = |key: PublicKey| key.x_only_public_key().0;
    matches!(terms.lock, Lock::Key(locked) if is_alone && own.map(x_only) == Some(x_only(locked)))
}
