//! What a wallet keeps, as plain data. Changed only by a [`crate::batch::Batch`].
//!
//! No secret of a proof is here: keyset and counter name it, and the words give it. The exceptions are the bodies of
//! requests under way. Serde is for storages: what they keep is what stands here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::Dleq;
use tacit_ecash::point::PointBytes;

use crate::history::Entry;
use crate::locked::LockedProof;
use crate::mint::{MintUrl, PinnedKeyset};
use crate::output::Outputs;
use crate::passport::bills::Asked;
use crate::passport::kept::Kept;
use crate::transport::{PayeeUrl, Request};

/// All that a wallet knows, beside its words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub(crate) keysets: BTreeMap<KeysetId, KeysetState>,
    pub(crate) operations: BTreeMap<OperationId, OpenOperation>,
    pub(crate) tokens: BTreeMap<OperationId, SentToken>,
    pub(crate) history: BTreeMap<OperationId, Entry>,
    pub(crate) next_operation: OperationId,
    /// Keys of mint quotes used so far.
    pub(crate) quote_keys: u32,
    /// Keys given out to be named in locks so far.
    pub(crate) lock_keys: u32,
    /// Payment requests of this wallet, by their ids.
    pub(crate) requests: BTreeMap<String, OwnRequest>,
    /// What payments carried for a refund, by their tokens.
    pub(crate) refunds: BTreeMap<OperationId, Refundable>,
    /// Passports, by the desks of their operators.
    pub(crate) passports: BTreeMap<MintUrl, Kept>,
}

/// Number of an operation: counted up, never used twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct OperationId(u64);

impl OperationId {
    /// The id of a number, as [`OperationId::number`] gave it.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, from 0.
    pub const fn number(self) -> u64 {
        self.0
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A keyset with what the wallet has under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetState {
    /// As first seen.
    pub pinned: PinnedKeyset,
    /// Whether the mint signs with it, when last asked.
    pub is_active: bool,
    /// The first counter that was never used (NUT-13).
    pub counter: u64,
    /// Proofs by the counter of their secret.
    pub proofs: BTreeMap<u64, StoredProof>,
}

/// Where a proof's secret comes from: its name in the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProofId {
    /// Keyset that signed it.
    pub keyset: KeysetId,
    /// Counter of its secret.
    pub counter: u64,
}

/// A proof but for its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredProof {
    /// Denomination, in minor units.
    pub amount: u64,
    /// `C`.
    pub signature: PointBytes,
    /// The mint's proof of its key; a receiver can check it with the blinding factor (NUT-12).
    pub dleq: Dleq,
    /// Where it stands.
    pub status: Status,
}

/// Where a proof stands, as far as the wallet knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// May be spent.
    Unspent,
    /// Input of an operation whose end is not known.
    Reserved {
        /// The operation.
        operation: OperationId,
    },
    /// Out of our hands, perhaps spent by now.
    Pending {
        /// The token it went into; `None` if the mint said that a payment holds it.
        token: Option<OperationId>,
    },
    /// Spent.
    Spent,
}

/// An operation that has begun and whose end is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOperation {
    /// With whom.
    pub mint: MintUrl,
    /// What is counted.
    pub unit: Unit,
    /// What it is for.
    pub purpose: Purpose,
    /// What is to be sent, as often as it takes; `None` while a quote waits for its payment.
    pub exchange: Option<Exchange>,
}

/// What an operation is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// E-cash for a payment (NUT-04).
    Mint {
        /// Payment method.
        method: String,
        /// Quote id.
        quote: String,
        /// What to pay.
        request: String,
        /// How much, in minor units.
        amount: u64,
        /// Until when it can be paid; for ever, or as long as the mint likes, if `None`.
        expiry: Option<Timestamp>,
        /// The number of the key it is locked to, for [`crate::seed::Seed::quote_key`]; `None` if the mint locks none.
        key: Option<u32>,
    },
    /// Own secrets for those of a token, or of one taken back (NUT-03).
    Receive,
    /// The parts of a token (NUT-03).
    Send {
        /// Which outputs go into the token, counted from 0.
        parts: Vec<usize>,
        /// To the receiver.
        memo: Option<String>,
        /// Where the token is to be sent.
        delivery: Option<Delivery>,
    },
    /// A payment for e-cash (NUT-05).
    Melt {
        /// Payment method.
        method: String,
        /// Quote id.
        quote: String,
    },
}

/// One request with all that is needed to understand its answer, however late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The request, byte for byte.
    pub request: Request,
    /// `Y` of each input.
    pub ys: Vec<PointBytes>,
    /// Which inputs are the wallet's own, by their place in `ys`, and what they were before.
    pub own: Vec<OwnInput>,
    /// What is to be signed.
    pub outputs: Outputs,
}

/// An input that is the wallet's own proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnInput {
    /// Place among the inputs, from 0.
    pub index: usize,
    /// The proof.
    pub id: ProofId,
    /// Its status before, and again if the mint does not take it.
    pub before: Status,
}

/// A token that was handed out, until it is known to be spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentToken {
    /// Whose proofs.
    pub mint: MintUrl,
    /// What is counted.
    pub unit: Unit,
    /// To the receiver.
    pub memo: Option<String>,
    /// The wallet's own proofs.
    pub proofs: Vec<ProofId>,
    /// Proofs under a lock; a token has either these or those.
    #[serde(default)]
    pub locked: Vec<LockedProof>,
    /// Where it is to be sent, if it pays a request that says so.
    pub delivery: Option<Delivery>,
}

/// Where a payment is to be sent (NUT-18, "HTTP POST").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The request's id.
    pub id: Option<String>,
    /// The address.
    pub url: PayeeUrl,
    /// Whether the receiver has said that it has it.
    pub is_done: bool,
    /// What is asked for with it, if it pays a bill that is to count.
    #[serde(default)]
    pub receipt: Option<Box<Asked>>,
}

/// What a payment carried for a refund: kept until all of it came back, or a year has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refundable {
    /// Blank outputs that lie with the order.
    pub outputs: Outputs,
    /// When it was paid, by the driver's clock.
    pub made: Timestamp,
}

/// A payment request of this wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRequest {
    /// As it is given out (version A).
    pub text: String,
    /// When it was made.
    pub made: Timestamp,
    /// Operations that received payments of it, in their order.
    pub payments: Vec<OperationId>,
}

impl State {
    /// Every keyset ever seen, with what is under it.
    pub fn keysets(&self) -> &BTreeMap<KeysetId, KeysetState> {
        &self.keysets
    }

    /// Operations whose end is not known: each is to be taken up with [`crate::operation::settle::Settle`], or,
    /// while it waits for a payment, with [`crate::operation::mint::Mint`].
    pub fn operations(&self) -> &BTreeMap<OperationId, OpenOperation> {
        &self.operations
    }

    /// Tokens handed out and not known to be spent.
    pub fn tokens(&self) -> &BTreeMap<OperationId, SentToken> {
        &self.tokens
    }

    /// What became of the money, in the order in which it began.
    pub fn history(&self) -> &BTreeMap<OperationId, Entry> {
        &self.history
    }

    /// What payments carried for a refund, by their tokens: see [`crate::operation::refund`].
    pub fn refunds(&self) -> &BTreeMap<OperationId, Refundable> {
        &self.refunds
    }

    /// Passports, by the desks of their operators.
    pub fn passports(&self) -> &BTreeMap<MintUrl, Kept> {
        &self.passports
    }

    /// Payment requests of this wallet.
    pub fn requests(&self) -> &BTreeMap<String, OwnRequest> {
        &self.requests
    }

    /// A proof.
    pub fn proof(&self, id: &ProofId) -> Option<&StoredProof> {
        self.keysets.get(&id.keyset)?.proofs.get(&id.counter)
    }

    /// What can be spent of one unit at one mint, in minor units.
    pub fn balance(&self, mint: &MintUrl, unit: Unit) -> u64 {
        self.spendable(mint, unit).map(|(_, proof)| proof.amount).sum()
    }

    /// Unspent proofs of one unit at one mint.
    pub(crate) fn spendable<'a>(
        &'a self,
        mint: &'a MintUrl,
        unit: Unit,
    ) -> impl Iterator<Item = (ProofId, &'a StoredProof)> {
        self.keysets_of(mint, unit).flat_map(|(keyset, state)| {
            let unspent = state.proofs.iter().filter(|(_, proof)| proof.status == Status::Unspent);
            unspent.map(move |(counter, proof)| (ProofId { keyset, counter: *counter }, proof))
        })
    }

    /// The keyset to ask for signatures: active, and of those the cheapest to spend.
    pub(crate) fn signing_keyset(&self, mint: &MintUrl, unit: Unit) -> Option<KeysetId> {
        let active = self.keysets_of(mint, unit).filter(|(_, state)| state.is_active);
        active.min_by_key(|(id, state)| (state.pinned.input_fee_ppk, *id)).map(|(id, _)| id)
    }

    pub(crate) fn keysets_of<'a>(
        &'a self,
        mint: &'a MintUrl,
        unit: Unit,
    ) -> impl Iterator<Item = (KeysetId, &'a KeysetState)> {
        let fits =
            move |state: &KeysetState| state.pinned.mint == *mint && state.pinned.unit == unit;
        self.keysets.iter().filter(move |(_, state)| fits(state)).map(|(id, state)| (*id, state))
    }
}
