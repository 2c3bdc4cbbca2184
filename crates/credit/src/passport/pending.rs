//! A request that was made, and what becomes of it when the reply comes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use curve25519_dalek::scalar::Scalar;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::circuit::{self, borrow, certify, enrol, income, receipt, repay, tick};
use super::epoch::Epoch;
use super::holder::{Passport, Receipt, Seal};
use super::issuer::scalar;
use super::key::{self, KeyId, PublicKeys};
use super::message::Mark;
use super::standing::{Contract, ReceiptFacts, Standing};
use super::tag;

/// Why a reply was refused. The pending request stays, and may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The public keys are not those the request named.
    #[error("the reply is checked with other keys")]
    Keys,
    /// Not a reply to this request, or none at all.
    #[error("the reply is malformed")]
    Malformed,
    /// The desk's proof does not hold: what it issued is not under its published keys.
    #[error("the reply's proof does not hold")]
    Proof,
    /// The pending request was not written as it is.
    #[error("the pending request is damaged")]
    Damaged,
}

/// What a pending request becomes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Becomes {
    Passport(Standing),
    Receipt { epoch: Epoch, contract: Option<Contract> },
}

/// A request that was made, and what its reply will be opened with. To be written down before the request is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    #[serde(with = "serde_bytes")]
    pub(super) request: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(super) state: Vec<u8>,
    pub(super) protocol: u8,
    pub(super) mark: Mark,
    pub(super) received: KeyId,
    pub(super) becomes: Becomes,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

/// What a reply brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The passport after the event.
    Passport(Box<Passport>),
    /// A receipt.
    Receipt(Receipt),
}

/// Bytes of a keepsake beside the state of the proof.
const BESIDE_STATE: usize = 192;

/// Opens one protocol's reply.
macro_rules! finish {
    ($protocol:ident, $state:expr, $reply:expr) => {{
        let reply: &[u8] = $reply;
        let state = $protocol::ClientState::try_from($state).map_err(|_| ReplyError::Damaged)?;
        let read = $protocol::Reply::try_from(reply).map_err(|_| ReplyError::Malformed)?;
        if read.as_bytes() != reply {
            return Err(ReplyError::Malformed);
        }
        let opened = catch_unwind(AssertUnwindSafe(|| state.finalize(read).ok()));
        opened.ok().flatten().ok_or(ReplyError::Proof)?
    }};
}

impl Pending {
    /// The bytes to send, as often as it takes.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// What the answer is found again by.
    pub const fn mark(&self) -> Mark {
        self.mark
    }

    /// All that opens the reply, for the wallet to seal and the desk to keep beside it. Not the request, which the desk has. As long
    /// as every other of its protocol, whatever the passport says.
    ///
    /// # Panics
    /// Never: the longest standing leaves room.
    pub fn to_keepsake(&self) -> Zeroizing<Vec<u8>> {
        let Self { state, protocol, mark, received, becomes, .. } = self;
        let keepsake = (state, protocol, mark, received, becomes);
        let mut bytes = Zeroizing::new(postcard::to_allocvec(&keepsake).expect("there is memory"));
        let length = state.len() + BESIDE_STATE;
        assert!(bytes.len() <= length, "the longest standing leaves room");
        bytes.resize(length, 0);
        bytes
    }

    /// What [`Self::to_keepsake`] wrote, with padding behind it: a pending request that can be finished, and not be sent.
    ///
    /// # Errors
    /// [`ReplyError::Damaged`].
    pub fn from_keepsake(bytes: &[u8]) -> Result<Self, ReplyError> {
        let (read, _) = postcard::take_from_bytes(bytes).map_err(|_| ReplyError::Damaged)?;
        let (state, protocol, mark, received, becomes) = read;
        Ok(Self { request: Vec::new(), state, protocol, mark, received, becomes })
    }

    /// The keys the reply is under.
    pub const fn received(&self) -> KeyId {
        self.received
    }

    /// Opens a reply: checks that it is under the desk's published keys, and makes the passport or the receipt.
    ///
    /// # Errors
    /// [`ReplyError`]. Nothing is lost: the request may be sent again.
    pub fn finish(&self, reply: &[u8], keys: &PublicKeys) -> Result<Received, ReplyError> {
        key::begin();
        if keys.id() != self.received {
            return Err(ReplyError::Keys);
        }
        let state = Zeroizing::new(self.state.clone());
        let state = state.as_slice();
        let passport = match self.protocol {
            1 => finish!(enrol, state, reply),
            2 => return self.finish_receipt(finish!(receipt, state, reply)),
            3 => finish!(income, state, reply),
            4 => finish!(borrow, state, reply),
            5 => finish!(repay, state, reply),
            6 => finish!(tick, state, reply).0,
            7 => finish!(certify, state, reply).0,
            _ => return Err(ReplyError::Damaged),
        };
        let Becomes::Passport(standing) = &self.becomes else { return Err(ReplyError::Damaged) };
        let seal = Seal::new(passport.serial, &passport.MAC)?;
        let standing = standing.clone();
        Ok(Received::Passport(Box::new(Passport::new(standing, self.received, seal))))
    }

    fn finish_receipt(&self, receipt: circuit::Receipt) -> Result<Received, ReplyError> {
        let Becomes::Receipt { epoch, contract } = self.becomes else {
            return Err(ReplyError::Damaged);
        };
        let number = |value: Option<Scalar>| {
            let bytes = value.ok_or(ReplyError::Malformed)?.to_bytes();
            let small = bytes[1..].iter().all(|byte| *byte == 0);
            if small { Ok(bytes[0]) } else { Err(ReplyError::Malformed) }
        };
        let flag = |value: Option<Scalar>| match number(value)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ReplyError::Malformed),
        };
        let (met, last) = (flag(receipt.met)?, flag(receipt.last)?);
        let facts = ReceiptFacts { contract, met, amount: number(receipt.amount)?, last };
        let as_asked = receipt.contract == Some(tag::contract_scalar(contract))
            && receipt.epoch == Some(scalar(epoch.number()));
        if !as_asked {
            return Err(ReplyError::Malformed);
        }
        let seal = Seal::new(receipt.serial, &receipt.MAC)?;
        Ok(Received::Receipt(Receipt::new(facts, epoch, self.received, seal)))
    }
}
