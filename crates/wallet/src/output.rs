//! Outputs under consecutive counters: what is asked to be signed, and what becomes of the signatures.

use serde::{Deserialize, Serialize};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message;
use tacit_ecash::proof::{BlindSignature, BlindedMessage};

use crate::batch::Change;
use crate::derive::DeriveError;
use crate::locked::{LockedOutput, LockedProof};
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
    /// Outputs under a lock, at their places among all; the others keep their order.
    #[serde(default)]
    pub locked: Vec<LockedOutput>,
}

/// What became of outputs that were signed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signed {
    /// From the words, to keep or to hand out.
    pub(crate) own: Vec<(ProofId, StoredProof)>,
    /// For somebody else.
    pub(crate) locked: Vec<LockedProof>,
}

/// Where an output comes from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Counter(u64),
    Locked(&'a LockedOutput),
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
        Self { keyset: id, first: keyset.counter, amounts, is_blank: false, locked: Vec::new() }
    }

    /// How many they are, those under a lock included.
    pub(crate) fn count(&self) -> usize {
        self.amounts.len() + self.locked.len()
    }

    /// Blank outputs, enough to express any change of up to `excess` minor units (NUT-08).
    pub(crate) fn blank(id: KeysetId, keyset: &KeysetState, excess: u64) -> Self {
        let count = u64::BITS - excess.leading_zeros();
        let amounts = (0..count).map(|_| 1).collect();
        Self { keyset: id, first: keyset.counter, amounts, is_blank: true, locked: Vec::new() }
    }

    /// The first counter after them.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.amounts.len() as u64
    }

    /// Uses their counters up.
    pub(crate) fn advance(&self) -> Change {
        Change::AdvanceCounter { keyset: self.keyset, from: self.first, to: self.end() }
    }

    /// All in the order of the request.
    fn blindings(&self, wallet: Wallet<'_>) -> Result<Vec<(Source<'_>, Blinding)>, DeriveError> {
        let own = |(counter, amount): (u64, &u64)| {
            let blinding = wallet.seed.blinding(self.keyset, counter, *amount)?;
            Ok::<_, DeriveError>((Source::Counter(counter), blinding))
        };
        let mut own = (self.first..).zip(&self.amounts).map(own);
        let mut blindings = Vec::with_capacity(self.count());
        for place in 0..self.count() {
            let locked = self.locked.iter().find(|output| output.place == place);
            let next = match locked {
                Some(output) => Some(Ok((Source::Locked(output), output.blinding(self.keyset)?))),
                None => own.next(),
            };
            blindings.extend(next.transpose()?);
        }
        Ok(blindings)
    }

    pub(crate) fn messages(&self, wallet: Wallet<'_>) -> Result<Vec<BlindedMessage>, DeriveError> {
        let blindings = self.blindings(wallet)?;
        Ok(blindings.iter().map(|(_, blinding)| *blinding.message()).collect())
    }

    /// The proofs of signatures that stand in the order of the outputs: one for each, or, if blank, for the first few.
    pub(crate) fn proofs(
        &self,
        wallet: Wallet<'_>,
        signatures: &[message::BlindSignature],
        status: Status,
    ) -> Result<Signed, OutputError> {
        let blindings = self.blindings(wallet)?;
        let too_few = signatures.len() < blindings.len() && !self.is_blank;
        if blindings.len() < signatures.len() || too_few {
            return Err(OutputError::Count);
        }
        let mut taken = Signed::default();
        for (index, ((source, blinding), signed)) in blindings.iter().zip(signatures).enumerate() {
            let proof = unblind(wallet, blinding, signed, self.is_blank, status);
            let proof = proof.ok_or(OutputError::BadSignature { index })?;
            taken.add(self.keyset, *source, proof);
        }
        Ok(taken)
    }

    /// The proofs of those outputs that a restore found signed (NUT-09), with their place among the outputs.
    pub(crate) fn restored(
        &self,
        wallet: Wallet<'_>,
        answer: &message::RestoreResponse,
        status: Status,
    ) -> Result<Signed, OutputError> {
        let blindings = self.blindings(wallet)?;
        if answer.outputs.len() != answer.signatures.len() {
            return Err(OutputError::Count);
        }
        let mut taken = Signed::default();
        for (index, (source, blinding)) in blindings.iter().enumerate() {
            let blinded = blinding.message().blinded;
            let mut signed = answer.outputs.iter().zip(&answer.signatures);
            let Some((_, signed)) = signed.find(|(output, _)| output.blinded == blinded) else {
                continue;
            };
            let proof = unblind(wallet, blinding, signed, self.is_blank, status)
                .ok_or(OutputError::BadSignature { index })?;
            taken.add(self.keyset, *source, proof);
        }
        Ok(taken)
    }
}

impl Signed {
    pub(crate) fn count(&self) -> usize {
        self.own.len() + self.locked.len()
    }

    /// The sum of what is not under a lock, in minor units.
    pub(crate) fn sum(&self) -> u64 {
        self.own.iter().fold(0, |sum, (_, proof)| sum.saturating_add(proof.amount))
    }

    fn add(&mut self, keyset: KeysetId, source: Source<'_>, proof: StoredProof) {
        match source {
            Source::Counter(counter) => self.own.push((ProofId { keyset, counter }, proof)),
            Source::Locked(output) => {
                let LockedOutput { secret, factor, .. } = output.clone();
                let StoredProof { amount, signature, dleq, .. } = proof;
                let locked = LockedProof { keyset, amount, secret, factor, signature, dleq };
                self.locked.push(locked);
            }
        }
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
