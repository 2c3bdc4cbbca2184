//! What operations have in common before their request leaves: proofs chosen, outputs derived, both persisted.

use std::collections::BTreeMap;

use tacit_core::unit::Unit;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::condition::ConditionError;
use tacit_ecash::condition::lock::Malformed;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::Proof;
use tacit_ecash::request::{Inputs, MessageError};

use super::Wallet;
use crate::batch::{Batch, Change};
use crate::denomination::NotExpressible;
use crate::derive::DeriveError;
use crate::history::Draft;
use crate::mint::MintUrl;
use crate::select::{Choice, NotEnough, fee};
use crate::state::{
    Exchange, KeysetState, OpenOperation, OperationId, OwnInput, ProofId, State, Status,
};

/// Why nothing could be prepared. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The mint is not known, has no such unit, or signs with none of its keysets: ask for its keysets.
    #[error("the mint has no keyset that signs for this unit")]
    NoKeyset,
    /// A proof to be spent is an input of an operation that is still open: settle that first.
    #[error("what is to be spent is being spent already")]
    InUse,
    /// The wallet has too little.
    #[error(transparent)]
    NotEnough(#[from] NotEnough),
    /// Nothing is left after the fee.
    #[error("what is spent does not cover the fee of {fee}")]
    BelowFee {
        /// The input fee, in minor units.
        fee: u64,
    },
    /// The keyset has no denominations for this amount.
    #[error(transparent)]
    NotExpressible(#[from] NotExpressible),
    /// More inputs than one request may have: send or receive it in parts.
    #[error(transparent)]
    TooLarge(#[from] MessageError),
    /// The words lead to no secret.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// What is to be sent would be locked for everybody.
    #[error("the lock asked for opens for nobody")]
    Lock(#[from] Malformed),
    /// What is to be spent is locked: the wallet has not the key or the preimage, or it is too early.
    #[error("the token is locked, and this wallet cannot open it")]
    Locked(#[from] ConditionError),
}

/// Inputs of a request.
#[derive(Clone, Debug)]
pub(crate) struct Spend {
    pub(crate) inputs: Inputs,
    pub(crate) ys: Vec<PointBytes>,
    pub(crate) own: Vec<OwnInput>,
}

impl Spend {
    /// The wallet's own proofs.
    pub(crate) fn of_own(wallet: Wallet<'_>, ids: &[ProofId]) -> Result<Self, PrepareError> {
        let proofs = ids.iter().map(|id| proof(wallet, *id)).collect::<Result<Vec<_>, _>>()?;
        Self::of(wallet.state, proofs)
    }

    /// Any proofs; those that are the wallet's own are found by their signature, which no two proofs share.
    pub(crate) fn of(state: &State, proofs: Vec<Proof>) -> Result<Self, PrepareError> {
        let mut ys = Vec::new();
        let mut own = Vec::new();
        for (index, proof) in proofs.iter().enumerate() {
            let secret = hash_to_curve(proof.secret.expose().as_bytes())
                .map_err(|error| DeriveError::Blinding(error.into()))?;
            ys.push(secret.y().to_point());
            let stored = state.keysets.get(&proof.keyset).and_then(|keyset| {
                keyset.proofs.iter().find(|(_, stored)| stored.signature == proof.signature)
            });
            if let Some((counter, stored)) = stored {
                if matches!(stored.status, Status::Reserved { .. }) {
                    return Err(PrepareError::InUse);
                }
                let id = ProofId { keyset: proof.keyset, counter: *counter };
                own.push(OwnInput { index, id, before: stored.status });
            }
        }
        Ok(Self { inputs: Inputs::new(proofs)?, ys, own })
    }

    /// What is spent, in minor units.
    pub(crate) fn sum(&self) -> u64 {
        self.inputs.as_slice().iter().fold(0, |sum, proof| sum.saturating_add(proof.amount))
    }

    /// What is spent and was not in the balance: proofs of others, and own ones that were handed out.
    pub(crate) fn sum_from_outside(&self) -> u64 {
        let from_balance = self.own.iter().filter(|input| input.before == Status::Unspent);
        let inputs = self.inputs.as_slice();
        let sum = from_balance.map(|input| inputs[input.index].amount).fold(0, u64::saturating_add);
        self.sum().saturating_sub(sum)
    }

    /// Sum less fee, in minor units.
    pub(crate) fn net(&self, state: &State) -> Result<u64, PrepareError> {
        let proofs = self.inputs.as_slice();
        let fee = fee(proofs.iter().map(|proof| fee_ppk(state, &proof.keyset)));
        self.sum().checked_sub(fee).filter(|net| *net != 0).ok_or(PrepareError::BelowFee { fee })
    }

    pub(crate) fn messages(&self) -> Vec<message::Proof> {
        self.inputs.as_slice().iter().cloned().map(message::Proof::from).collect()
    }
}

/// A proof with its secret.
pub(crate) fn proof(wallet: Wallet<'_>, id: ProofId) -> Result<Proof, DeriveError> {
    let stored = wallet.state.proof(&id).expect("the state names its own proofs");
    let secret = wallet.seed.derive(&id.keyset, id.counter)?.secret;
    let (amount, signature) = (stored.amount, stored.signature);
    Ok(Proof { amount, keyset: id.keyset, secret, signature, witness: None })
}

/// What can be spent of one unit at one mint.
pub(crate) fn choices(state: &State, mint: &MintUrl, unit: Unit) -> Vec<Choice<ProofId>> {
    let spendable = state.spendable(mint, unit);
    let choice = |(key, proof): (ProofId, &crate::state::StoredProof)| Choice {
        key,
        amount: proof.amount,
        fee_ppk: fee_ppk(state, &key.keyset),
    };
    spendable.map(choice).collect()
}

/// The keyset to ask for signatures.
pub(crate) fn signing_keyset<'a>(
    state: &'a State,
    mint: &MintUrl,
    unit: Unit,
) -> Result<(KeysetId, &'a KeysetState), PrepareError> {
    let id = state.signing_keyset(mint, unit).ok_or(PrepareError::NoKeyset)?;
    Ok((id, &state.keysets[&id]))
}

/// How many proofs of each denomination can be spent, but for those about to be.
pub(crate) fn held(
    state: &State,
    mint: &MintUrl,
    unit: Unit,
    spent: &[OwnInput],
) -> BTreeMap<u64, usize> {
    let mut held = BTreeMap::new();
    for (id, proof) in state.spendable(mint, unit) {
        if !spent.iter().any(|input| input.id == id) {
            *held.entry(proof.amount).or_default() += 1;
        }
    }
    held
}

/// Begins an operation: its counters used up and its inputs reserved, before anything is sent.
pub(crate) fn opening(
    wallet: Wallet<'_>,
    operation: OpenOperation,
    draft: Draft,
) -> (OperationId, Batch) {
    let id = wallet.state.next_operation;
    let mut changes = Vec::new();
    if let Some(exchange) = &operation.exchange {
        changes.extend(reservations(id, exchange));
    }
    let OpenOperation { mint, unit, .. } = &operation;
    let entry = Box::new(draft.entry(mint.clone(), *unit, wallet.now));
    changes.push(Change::Open { id, operation });
    changes.push(Change::Record { id, entry });
    (id, Batch { changes })
}

/// Counters used up and inputs reserved, for an operation.
pub(crate) fn reservations(id: OperationId, exchange: &Exchange) -> Vec<Change> {
    let reserve = |input: &OwnInput| {
        let to = Status::Reserved { operation: id };
        Change::SetStatus { id: input.id, from: input.before, to }
    };
    let mut changes: Vec<Change> = exchange.own.iter().map(reserve).collect();
    changes.push(exchange.outputs.advance());
    changes
}

fn fee_ppk(state: &State, keyset: &KeysetId) -> u64 {
    state.keysets.get(keyset).map_or(0, |keyset| keyset.pinned.input_fee_ppk)
}
