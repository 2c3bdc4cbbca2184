//! Outputs under consecutive counters: what is asked to be signed, and what becomes of the signatures.

use serde::{Deserialize, Serialize};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message;
use tacit_ecash::proof::{BlindSignature, BlindedMessage};

use crate::batch::Change;
use crate::derive::DeriveError;
use crate::operation::Wallet;
use crate::state::{KeysetState, ProofId, Status, StoredProof};

/// Outputs of one request. The words give the rest, as often as needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Keyset that is to sign.
    pub keyset: KeysetId,
    /// Counter of the first; the others follow.
    pub first: u64,
    /// Denominations, in minor units; without meaning if blank.
    pub amounts: Vec<u64>,
    /// Whether the mint chooses the amounts (NUT-08).
    pub is_blank: bool,
}

/// Why signatures are not taken. Variants stand in the order they are checked; `index` counts outputs from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// The words lead to no output.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// More or fewer signatures than outputs.
    #[error("the mint did not sign each output once")]
    Count,
    /// Another amount or keyset than was asked, no proof of the key (NUT-12), or one that does not hold.
    #[error("the mint's signature on output {index} is not what was asked for")]
    BadSignature {
        /// Which output.
        index: usize,
    },
}

impl Outputs {
    /// Outputs of these amounts from the keyset's first unused counter on.
    pub(crate) fn next(id: KeysetId, keyset: &KeysetState, amounts: Vec<u64>) -> Self {
        Self { keyset: id, first: keyset.counter, amounts, is_blank: false }
    }

    /// Blank outputs, enough to express any change of up to `excess` minor units (NUT-08).
    pub(crate) fn blank(id: KeysetId, keyset: &KeysetState, excess: u64) -> Self {
        let count = u64::BITS - excess.leading_zeros();
        let amounts = (0..count).map(|_| 1).collect();
        Self { keyset: id, first: keyset.counter, amounts, is_blank: true }
    }

    /// The first counter after them.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.amounts.len() as u64
    }

    /// Uses their counters up.
    pub(crate) fn advance(&self) -> Change {
        Change::AdvanceCounter { keyset: self.keyset, from: self.first, to: self.end() }
    }

    /// The name of the proof of an output.
    pub(crate) fn proof_id(&self, index: usize) -> ProofId {
        ProofId { keyset: self.keyset, counter: self.first + index as u64 }
    }

    pub(crate) fn blindings(&self, wallet: Wallet<'_>) -> Result<Vec<Blinding>, DeriveError> {
        let blinding =
            |(counter, amount): (u64, &u64)| wallet.seed.blinding(self.keyset, counter, *amount);
        (self.first..).zip(&self.amounts).map(blinding).collect()
    }

    pub(crate) fn messages(&self, wallet: Wallet<'_>) -> Result<Vec<BlindedMessage>, DeriveError> {
        let blindings = self.blindings(wallet)?;
        Ok(blindings.iter().map(|blinding| *blinding.message()).collect())
    }

    /// The proofs of signatures that stand in the order of the outputs: one for each, or, if blank, for the first few.
    pub(crate) fn proofs(
        &self,
        wallet: Wallet<'_>,
        signatures: &[message::BlindSignature],
        status: Status,
    ) -> Result<Vec<(ProofId, StoredProof)>, OutputError> {
        let blindings = self.blindings(wallet)?;
        let too_few = signatures.len() < blindings.len() && !self.is_blank;
        if blindings.len() < signatures.len() || too_few {
            return Err(OutputError::Count);
        }
        let take = |(index, (blinding, signed)): (usize, (&Blinding, &message::BlindSignature))| {
            let proof = unblind(wallet, blinding, signed, self.is_blank, status);
            let id = self.proof_id(index);
            proof.map(|proof| (id, proof)).ok_or(OutputError::BadSignature { index })
        };
        blindings.iter().zip(signatures).enumerate().map(take).collect()
    }

    /// The proofs of those outputs that a restore found signed (NUT-09), with their place among the outputs.
    pub(crate) fn restored(
        &self,
        wallet: Wallet<'_>,
        answer: &message::RestoreResponse,
        status: Status,
    ) -> Result<Vec<(ProofId, StoredProof)>, OutputError> {
        let blindings = self.blindings(wallet)?;
        if answer.outputs.len() != answer.signatures.len() {
            return Err(OutputError::Count);
        }
        let mut proofs = Vec::new();
        for (index, blinding) in blindings.iter().enumerate() {
            let blinded = blinding.message().blinded;
            let mut signed = answer.outputs.iter().zip(&answer.signatures);
            let Some((_, signed)) = signed.find(|(output, _)| output.blinded == blinded) else {
                continue;
            };
            let proof = unblind(wallet, blinding, signed, self.is_blank, status)
                .ok_or(OutputError::BadSignature { index })?;
            proofs.push((self.proof_id(index), proof));
        }
        Ok(proofs)
    }
}

/// `None` if the signature is not what was asked for.
pub(crate) fn unblind(
    wallet: Wallet<'_>,
    blinding: &Blinding,
    signed: &message::BlindSignature,
    is_any_amount: bool,
    status: Status,
) -> Option<StoredProof> {
    let asked = blinding.message();
    if !is_any_amount && signed.amount != asked.amount {
        return None;
    }
    let signed = BlindSignature::try_from(*signed).ok()?;
    let keys = &wallet.state.keysets.get(&asked.keyset)?.pinned.keys;
    let key = keys.get(&signed.amount)?.parse().ok()?;
    let proof = blinding.unblind(&signed, &key).ok()?;
    let dleq = signed.dleq.into();
    Some(StoredProof { amount: proof.amount, signature: proof.signature, dleq, status })
}
