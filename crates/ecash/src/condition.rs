//! Who may spend: secrets that are locks (NUT-10), opened by signatures (NUT-11) or a preimage (NUT-14).
//!
//! Reading order: [`lock`] (what a lock says), [`witness`] (what opens it), this file (whether it does).

pub mod lock;
pub mod witness;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use tacit_core::hex::{self, HexError};
use tacit_core::time::Timestamp;

use self::lock::{Condition, Lock, Malformed, Pathway, SignatureFlag, is_plain};
use self::witness::{NotAWitness, Witness};
use crate::code::Code;
use crate::limit;
use crate::proof::{BlindedMessage, Proof};

/// What hashes to an HTLC's lock (NUT-14). Secret until it is spent with; then anyone may ask for it (NUT-07).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Preimage([u8; 32]);

impl Preimage {
    /// The preimage of 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The lock it opens: its SHA-256 hash.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The witness as NUT-07 gives it out: `{"preimage":"…"}`.
    pub fn to_state_witness(&self) -> String {
        let witness = Witness { preimage: Some(*self), signatures: Vec::new() };
        witness.to_text().expose().clone()
    }
}

impl FromStr for Preimage {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage(..)")
    }
}

/// A transaction: what its signatures must cover.
#[derive(Clone, Copy, Debug)]
pub struct Spend<'a> {
    /// What is spent.
    pub inputs: &'a [Proof],
    /// What is asked for; blank in a melt.
    pub outputs: &'a [BlindedMessage],
    /// Id of the quote to be paid, if this is a melt.
    pub melt_quote: Option<&'a str>,
}

impl Spend<'_> {
    /// What signatures under `SIG_ALL` sign.
    ///
    /// SHA-256 of `secret_0 || C_0 || … || amount_0 || B_0 || … || quote_id`, the points in hexadecimal.
    ///
    /// Source: NUT-11, "Message aggregation for `SIG_ALL`".
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut digits = const_hex::Buffer::<33>::new();
        for input in self.inputs {
            hasher.update(input.secret.expose());
            hasher.update(digits.format(input.signature.as_bytes()).as_bytes());
        }
        for output in self.outputs {
            hasher.update(output.amount.to_string());
            hasher.update(digits.format(output.blinded.as_bytes()).as_bytes());
        }
        hasher.update(self.melt_quote.unwrap_or_default());
        hasher.finalize().into()
    }
}

/// Why a transaction may not spend an input; `index` counts from 0. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nobody can spend this input here.
    #[error("input {index} is locked for good")]
    Malformed {
        /// Which input.
        index: usize,
        /// Why.
        source: Malformed,
    },
    /// One input has `SIG_ALL`, and this one differs from the first in kind, data or tags (NUT-11).
    #[error("input {index} is not under the same condition as the first")]
    Mixed {
        /// Which input.
        index: usize,
    },
    /// The witness cannot be read.
    #[error("the witness of input {index} cannot be read")]
    Witness {
        /// Which input.
        index: usize,
        /// Why.
        source: NotAWitness,
    },
    /// Too many keys and signatures to try, counted over the whole transaction.
    #[error("the request asks for more than {max} signature checks", max = limit::SIGNATURE_CHECKS)]
    TooManyChecks,
    /// The witness does not open the lock.
    #[error("the spending condition of input {index} is not met")]
    Locked {
        /// Which input.
        index: usize,
    },
}

impl ConditionError {
    /// The code for wallets: the table has no closer one than "proof verification failed".
    pub fn code(self) -> Code {
        Code::InvalidProof
    }
}

/// Checks the locks of all inputs: one entry for each, the preimage if that is what opened it.
///
/// Expiry is strict: at the locktime itself the lock is still active. A plain secret costs a look at its first
/// character, and its witness is not looked at.
///
/// # Errors
/// [`ConditionError`] for the first input that may not be spent.
///
/// Source: NUT-11, "Signature flag", "Locktime Tag", "Multisig"; NUT-14, "Spending HTLC Proofs".
pub fn unlock(spend: &Spend<'_>, now: Timestamp) -> Result<Vec<Option<Preimage>>, ConditionError> {
    if spend.inputs.iter().all(|input| is_plain(input.secret.expose())) {
        return Ok(vec![None; spend.inputs.len()]);
    }
    let mut conditions = Vec::with_capacity(spend.inputs.len());
    for (index, input) in spend.inputs.iter().enumerate() {
        let condition = Condition::parse(input.secret.expose())
            .map_err(|source| ConditionError::Malformed { index, source })?;
        conditions.push(condition);
    }
    let signs_all =
        |condition: &Option<Condition>| condition.as_ref().is_some_and(|c| c.signs_all());
    let mut checks = Checks { left: limit::SIGNATURE_CHECKS };
    if conditions.iter().any(signs_all) {
        unlock_together(spend, &conditions, now, &mut checks)
    } else {
        unlock_singly(spend, &conditions, now, &mut checks)
    }
}

/// Whether an input's lock is open to those it falls back to: its locktime has passed, and refund keys have signed, or it
/// names none.
///
/// Of a plain secret, and of a lock that opens for nobody, it is not.
///
/// Source: NUT-11, "Locktime Tag".
pub fn is_refundable(spend: &Spend<'_>, index: usize, now: Timestamp) -> bool {
    let Some(input) = spend.inputs.get(index) else { return false };
    let Ok(Some(condition)) = Condition::parse(input.secret.expose()) else { return false };
    // Under SIG_ALL the first input's witness signs for all.
    let (signed, digest) = if condition.signs_all() {
        (&spend.inputs[0], spend.digest())
    } else {
        (input, Sha256::digest(input.secret.expose()).into())
    };
    let Ok(witness) = read_witness(index, signed) else { return false };
    let mut checks = Checks { left: limit::SIGNATURE_CHECKS };
    condition.is_expired(now)
        && condition
            .refund
            .as_ref()
            .is_none_or(|refund| checks.enough(refund, &witness, &digest).unwrap_or(false))
}

fn unlock_singly(
    spend: &Spend<'_>,
    conditions: &[Option<Condition>],
    now: Timestamp,
    checks: &mut Checks,
) -> Result<Vec<Option<Preimage>>, ConditionError> {
    let open = |(index, (input, condition)): (usize, (&Proof, &Option<Condition>))| {
        let Some(condition) = condition else { return Ok(None) };
        let witness = read_witness(index, input)?;
        let digest = Sha256::digest(input.secret.expose()).into();
        condition.open(index, &witness, &digest, now, checks)
    };
    spend.inputs.iter().zip(conditions).enumerate().map(open).collect()
}

/// `SIG_ALL`: the first input's witness opens all, and all must be under the same lock.
fn unlock_together(
    spend: &Spend<'_>,
    conditions: &[Option<Condition>],
    now: Timestamp,
    checks: &mut Checks,
) -> Result<Vec<Option<Preimage>>, ConditionError> {
    let (Some(input), Some(Some(condition))) = (spend.inputs.first(), conditions.first()) else {
        return Err(ConditionError::Mixed { index: 0 }); // The first is plain, some other is not.
    };
    let lock = lock_of(input).ok_or(ConditionError::Mixed { index: 0 })?;
    for (index, other) in spend.inputs.iter().enumerate().skip(1) {
        if lock_of(other).as_ref() != Some(&lock) {
            return Err(ConditionError::Mixed { index });
        }
    }
    let witness = read_witness(0, input)?;
    let preimage = condition.open(0, &witness, &spend.digest(), now, checks)?;
    Ok(vec![preimage; spend.inputs.len()])
}

/// What must agree between inputs under `SIG_ALL`: kind, data and all tags, also those nobody knows.
fn lock_of(input: &Proof) -> Option<serde_json::Value> {
    let mut lock: serde_json::Value = serde_json::from_str(input.secret.expose()).ok()?;
    lock.get_mut(1)?.as_object_mut()?.retain(|field, _| field == "data" || field == "tags");
    Some(lock)
}

fn read_witness(index: usize, input: &Proof) -> Result<Witness, ConditionError> {
    input.witness.as_ref().map_or_else(
        || Ok(Witness::default()),
        |text| {
            Witness::parse(text.expose())
                .map_err(|source| ConditionError::Witness { index, source })
        },
    )
}

impl Condition {
    fn signs_all(&self) -> bool {
        self.terms.flag == SignatureFlag::All
    }

    /// Whether the locktime has passed.
    fn is_expired(&self, now: Timestamp) -> bool {
        self.terms.locktime.is_some_and(|locktime| locktime < now)
    }

    /// The preimage, if that is what opens this lock; `None` if something else does.
    fn open(
        &self,
        index: usize,
        witness: &Witness,
        digest: &[u8; 32],
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<Option<Preimage>, ConditionError> {
        match self.terms.lock {
            Lock::Key(_) => {
                if checks.enough(&self.main, witness, digest)? {
                    return Ok(None);
                }
            }
            Lock::Hash(hash) => {
                let preimage = witness.preimage.filter(|preimage| preimage.hash() == hash);
                // No keys: the preimage alone spends. Without a match, signatures do not help.
                let no_keys = self.main.keys.is_empty();
                if preimage.is_some() && (no_keys || checks.enough(&self.main, witness, digest)?) {
                    return Ok(preimage);
                }
            }
        }
        match &self.refund {
            _ if !self.is_expired(now) => Err(ConditionError::Locked { index }),
            None => Ok(None), // Anyone may spend.
            Some(refund) if checks.enough(refund, witness, digest)? => Ok(None),
            Some(_) => Err(ConditionError::Locked { index }),
        }
    }
}

/// How many signatures may still be tried in this transaction.
struct Checks {
    left: usize,
}

impl Checks {
    /// Whether enough keys of a pathway have signed. Each key counts once, whatever it signed how often.
    fn enough(
        &mut self,
        pathway: &Pathway,
        witness: &Witness,
        digest: &[u8; 32],
    ) -> Result<bool, ConditionError> {
        let mut unused: Vec<_> = witness.signatures.iter().collect();
        let mut signers = 0;
        for key in &pathway.keys {
            if signers == pathway.required || unused.is_empty() {
                break;
            }
            for (place, signature) in unused.iter().enumerate() {
                self.left = self.left.checked_sub(1).ok_or(ConditionError::TooManyChecks)?;
                if signature.is_valid(digest, key) {
                    unused.swap_remove(place);
                    signers += 1;
                    break;
                }
            }
        }
        Ok(signers >= pathway.required)
    }
}
