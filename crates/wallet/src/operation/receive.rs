//! Swaps a token for proofs that only this wallet can spend.

use tacit_core::unit::Unit;
use tacit_ecash::condition::Preimage;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::limit;
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::proof::Proof;
use tacit_ecash::token::{ResolveError, Token};

use super::ask::{PaymentError, asked_for, pays};
use super::prepare::{PrepareError, Spend, held, opening, signing_keyset};
use super::send::swap;
use super::settle::{Settle, SettleError, Settled};
use super::{Wallet, Yield};
use crate::batch::Batch;
use crate::denomination::split_to_keep;
use crate::history::{Draft, Kind};
use crate::mint::{MintUrl, MintUrlError};
use crate::output::Outputs;
use crate::state::{OpenOperation, OperationId, Purpose};
use crate::transport::Answer;

/// Receives a token. Locks are opened with the wallet's own keys ([`crate::operation::ask`]) and with a preimage if one is
/// given; proofs may also carry a witness already. What stays locked is refused before anything is sent.
#[derive(Debug)]
pub struct Receive {
    token: Token,
    preimage: Option<Preimage>,
    /// The request it pays, if it comes as the payment of one.
    payment: Option<Option<String>>,
    settling: Option<Settle>,
}

/// Why a token was not received. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// The token names no address that could be asked.
    #[error(transparent)]
    Mint(#[from] MintUrlError),
    /// A keyset is not known at this mint: ask for its keysets first, if the mint is to be trusted.
    #[error(transparent)]
    Keyset(#[from] ResolveError),
    /// Proofs of several units, or of another than the token says.
    #[error("the proofs of the token are not of one unit, the one it names")]
    Unit,
    /// It pays no request of this wallet, or not as was asked.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// Nothing has changed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The swap did not go through, or is open.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

impl Receive {
    /// Of this token. If just one request of this wallet asks for what it is worth, that one is paid.
    pub fn new(token: Token) -> Self {
        Self { token, preimage: None, payment: None, settling: None }
    }

    /// Of this token, which is locked to a hash (NUT-14).
    pub fn with_preimage(token: Token, preimage: Preimage) -> Self {
        Self { preimage: Some(preimage), ..Self::new(token) }
    }

    /// Of what somebody sends to pay a request of this wallet (NUT-18): taken only if it pays it.
    pub fn payment(payload: Payload) -> Self {
        Self { payment: Some(payload.id), ..Self::new(payload.token) }
    }

    /// Moves on; see [`crate::operation`]. Gives what was added to the balance, in minor units.
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<u64, ReceiveError>> {
        match &mut self.settling {
            None => match self.begin(wallet) {
                Ok(batch) => Yield::Persist(batch),
                Err(error) => Yield::Done(Err(error)),
            },
            Some(settle) => settle.step(wallet, answer).map(|result| Ok(received(result)?)),
        }
    }

    fn begin(&mut self, wallet: Wallet<'_>) -> Result<Batch, ReceiveError> {
        let mint: MintUrl = self.token.mint.parse()?;
        let keysets = wallet.state.keysets.iter();
        let known: Vec<KeysetId> =
            keysets.filter(|(_, state)| state.pinned.mint == mint).map(|(id, _)| *id).collect();
        let proofs = self.token.resolve(&known)?;
        let unit_of = |proof: &Proof| wallet.state.keysets[&proof.keyset].pinned.unit;
        let unit = proofs.first().map(unit_of).ok_or(ReceiveError::Unit)?;
        let is_named = self.token.unit.as_ref().is_none_or(|named| named == unit.code());
        if !is_named || proofs.iter().any(|proof| unit_of(proof) != unit) {
            return Err(ReceiveError::Unit);
        }
        let spend = Spend::of(wallet.state, proofs)?;
        let came = (&mint, unit, spend.net(wallet.state)?);
        let paid = match &self.payment {
            Some(id) => Some(pays(wallet.state, id.as_deref(), came)?),
            None => asked_for(wallet.state, came),
        };
        let (description, paid) = paid.unzip();
        let memo = self.token.memo.clone().or(description.flatten());
        let (id, mut batch) =
            take(wallet, mint, unit, spend, (Kind::Received, memo), self.preimage)?;
        batch.changes.extend(paid);
        self.settling = Some(Settle::new(id));
        Ok(batch)
    }
}

/// Opens a swap of proofs, whoever had them, into proofs to keep.
pub(crate) fn take(
    wallet: Wallet<'_>,
    mint: MintUrl,
    unit: Unit,
    spend: Spend,
    (kind, memo): (Kind, Option<String>),
    preimage: Option<Preimage>,
) -> Result<(OperationId, Batch), PrepareError> {
    let net = spend.net(wallet.state)?;
    let (id, keyset) = signing_keyset(wallet.state, &mint, unit)?;
    let held = held(wallet.state, &mint, unit, &spend.own);
    let denominations = keyset.pinned.keys.keys().copied();
    let amounts = split_to_keep(net, denominations, &held, limit::OUTPUTS)?;
    let outputs = Outputs::next(id, keyset, amounts);
    let fee = spend.sum() - net;
    let draft = Draft { kind, amount: spend.sum_from_outside(), fee, memo };
    let exchange = Some(swap(wallet, &mint, spend, outputs, preimage)?);
    let operation = OpenOperation { mint, unit, purpose: Purpose::Receive, exchange };
    Ok(opening(wallet, operation, draft))
}

/// What a swap to keep has added, in minor units.
pub(crate) fn received(result: Result<Settled, SettleError>) -> Result<u64, SettleError> {
    match result? {
        Settled::Received { amount } => Ok(amount),
        Settled::Minted { .. } | Settled::Sent(_) | Settled::Paid(_) => {
            Err(SettleError::UnknownOperation)
        }
    }
}
