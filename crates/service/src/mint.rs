//! The mint's keys at one moment, and what every request is checked for before the vault is asked.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use secp256k1::{PublicKey, XOnlyPublicKey};
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::condition::lock::{Condition, Lock};
use tacit_ecash::condition::{ConditionError, Preimage, Spend, is_refundable, unlock};
use tacit_ecash::keyset::{KeysetId, SecretKeyset};
use tacit_ecash::point::{NotAPoint, PointBytes, Y};
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof, SignError, sign, verify};

use crate::keyset::{KeysetNumber, KeysetRecord};
use crate::quote::Output;
use crate::vault::SpentProof;

/// A keyset with its secret keys.
pub struct MintKeyset {
    record: KeysetRecord,
    keys: Arc<SecretKeyset>,
}

impl MintKeyset {
    /// Its row.
    pub fn record(&self) -> &KeysetRecord {
        &self.record
    }

    /// Its keys.
    pub fn keys(&self) -> &SecretKeyset {
        &self.keys
    }
}

/// All keysets of the vault with their keys. Immutable: a rotation makes another one of these.
pub struct Mint {
    keysets: Vec<MintKeyset>,
    by_id: HashMap<KeysetId, usize>,
    /// Keys of merchants, by x-coordinate: what is locked to one is redeemed by paying an order.
    merchants: HashSet<XOnlyPublicKey>,
}

/// The seed does not belong to this vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the seed does not make keyset {keyset}: it belongs to another vault")]
pub struct WrongSeed {
    /// The first keyset it does not make.
    pub keyset: KeysetId,
}

/// Why an input cannot be spent. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nothing to spend.
    #[error("there are no inputs")]
    Empty,
    /// NUT error 12001.
    #[error("input {index} is of a keyset this mint does not have")]
    UnknownKeyset {
        /// Counts the request's inputs from 0, as in all variants.
        index: usize,
    },
    /// NUT error 11007.
    #[error("input {index} stands twice")]
    Duplicate {
        /// The second occurrence.
        index: usize,
    },
    /// NUT error 11005: the sum is no amount.
    #[error("the inputs add up to more than an amount can be")]
    Overflow,
    /// NUT error 10001.
    #[error(
        "input {index} is locked to a merchant of this mint: it pays an order, or comes back after its locktime"
    )]
    OfMerchant {
        /// Which input.
        index: usize,
    },
    /// NUT error 10001.
    #[error("the spending condition of an input is not satisfied")]
    Locked(#[from] ConditionError),
    /// NUT error 10001.
    #[error("input {index} has no valid signature")]
    InvalidProof {
        /// Which input.
        index: usize,
    },
    /// NUT error 11001.
    #[error("input {index} is already spent")]
    AlreadySpent {
        /// Which input.
        index: usize,
    },
    /// NUT error 11002.
    #[error("input {index} is held by a payment")]
    Pending {
        /// Which input.
        index: usize,
    },
    /// NUT error 12003.
    #[error("the keyset of input {index} has expired")]
    KeysetExpired {
        /// Which input.
        index: usize,
    },
}

/// Why an output cannot be signed. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Nothing to sign.
    #[error("there are no outputs")]
    Empty,
    /// NUT error 12001.
    #[error("output {index} is of a keyset this mint does not have")]
    UnknownKeyset {
        /// Counts the request's outputs from 0, as in all variants.
        index: usize,
    },
    /// NUT error 11008.
    #[error("output {index} stands twice")]
    Duplicate {
        /// The second occurrence.
        index: usize,
    },
    /// NUT error 11006.
    #[error("output {index} asks for a denomination of {amount}, which its keyset does not have")]
    NoSuchDenomination {
        /// Which output.
        index: usize,
        /// What it asks for.
        amount: u64,
    },
    /// NUT error 10001.
    #[error("output {index} is not a point of the curve")]
    NotAPoint {
        /// Which output.
        index: usize,
    },
    /// NUT error 11003.
    #[error("output {index} is already signed")]
    AlreadySigned {
        /// Which output.
        index: usize,
    },
    /// NUT error 11004.
    #[error("output {index} is promised as change to a payment")]
    Promised {
        /// Which output.
        index: usize,
    },
    /// NUT error 12002.
    #[error("the keyset of output {index} no longer signs")]
    KeysetInactive {
        /// Which output.
        index: usize,
    },
    /// NUT error 12003.
    #[error("the keyset of output {index} has expired")]
    KeysetExpired {
        /// Which output.
        index: usize,
    },
}

/// Inputs whose keysets are known, that are all different, with their value and fee.
pub(crate) struct CountedInputs {
    pub(crate) keysets: Vec<usize>,
    pub(crate) by_keyset: BTreeMap<KeysetNumber, u64>,
    pub(crate) total: u64,
    pub(crate) fee: u64,
}

/// Outputs whose keysets are known, that are all different.
pub(crate) struct CountedOutputs {
    pub(crate) outputs: Vec<Output>,
    pub(crate) keysets: Vec<usize>,
    pub(crate) by_keyset: BTreeMap<KeysetNumber, u64>,
    /// `None` if the sum is no amount.
    pub(crate) total: Option<u64>,
}

impl Mint {
    /// The mint of a seed and the keysets of its vault.
    ///
    /// # Errors
    /// [`WrongSeed`] if the seed does not make one of the keysets.
    pub fn new(seed: &Secret<[u8; 32]>, records: Vec<KeysetRecord>) -> Result<Self, WrongSeed> {
        let mut keysets = Vec::with_capacity(records.len());
        for record in records {
            let keys = SecretKeyset::derive(seed, record.spec);
            if keys.id() != record.id {
                return Err(WrongSeed { keyset: record.id });
            }
            keysets.push(MintKeyset { record, keys: Arc::new(keys) });
        }
        let by_id = keysets.iter().enumerate().map(|(at, keyset)| (keyset.record.id, at)).collect();
        Ok(Self { keysets, by_id, merchants: HashSet::new() })
    }

    /// The same, with the keys of all merchants.
    pub fn with_merchants(mut self, keys: &[PointBytes]) -> Self {
        let points = keys.iter().filter_map(|key| key.parse().ok());
        self.merchants = points.map(|key: PublicKey| key.x_only_public_key().0).collect();
        self
    }

    /// Whether these are the keys of all merchants that it knows.
    pub fn has_merchants(&self, keys: &[PointBytes]) -> bool {
        let known = |key: &PointBytes| {
            let key: Option<PublicKey> = key.parse().ok();
            key.is_none_or(|key| self.merchants.contains(&key.x_only_public_key().0))
        };
        self.merchants.len() <= keys.len() && keys.iter().all(known)
    }

    /// The merchant's key that an input is locked to, if it is.
    fn merchant_of(&self, input: &Proof) -> Option<XOnlyPublicKey> {
        if self.merchants.is_empty() {
            return None;
        }
        let condition = Condition::parse(input.secret.expose()).ok()??;
        let Lock::Key(key) = condition.terms().lock else { return None };
        Some(key.x_only_public_key().0).filter(|key| self.merchants.contains(key))
    }

    /// The names of inputs that are locked to a merchant: only these can have been released.
    pub fn locked_to_merchants(&self, inputs: &[Proof]) -> Vec<Y> {
        let locked = inputs.iter().filter(|input| self.merchant_of(input).is_some());
        let name = |input: &Proof| hash_to_curve(input.secret.expose().as_bytes()).ok();
        locked.filter_map(name).map(|point| point.y()).collect()
    }

    /// The names of proofs that are all locked to this merchant; `None` if one is not.
    pub fn locked_to(&self, key: &PointBytes, proofs: &[Proof]) -> Option<Vec<Y>> {
        let key: PublicKey = key.parse().ok()?;
        let own = key.x_only_public_key().0;
        let is_own = |proof: &Proof| self.merchant_of(proof) == Some(own);
        proofs.iter().all(is_own).then(|| self.locked_to_merchants(proofs))
    }

    /// Every keyset, in order of its number.
    pub fn keysets(&self) -> &[MintKeyset] {
        &self.keysets
    }

    /// The keyset of a name.
    pub fn keyset(&self, id: &KeysetId) -> Option<&MintKeyset> {
        self.by_id.get(id).map(|at| &self.keysets[*at])
    }

    /// The keyset of a number.
    pub fn numbered(&self, number: KeysetNumber) -> Option<&MintKeyset> {
        self.keysets.iter().find(|keyset| keyset.record.number == number)
    }

    /// The signature on an output that the vault says was signed: made again, to the same bytes.
    ///
    /// # Errors
    /// [`SignError`] if the keyset is unknown to this mint or the output is no point: the row was never ours.
    pub fn sign_again(&self, output: &Output) -> Result<BlindSignature, SignError> {
        let no_key = SignError::NoSuchDenomination { amount: output.amount };
        let keyset = self.numbered(output.keyset).ok_or(no_key)?;
        let message = BlindedMessage {
            amount: output.amount,
            keyset: keyset.record.id,
            blinded: output.blinded,
        };
        sign(&message, &keyset.keys)
    }

    fn position(&self, id: &KeysetId, unit: Unit) -> Option<usize> {
        self.by_id.get(id).copied().filter(|at| self.keysets[*at].record.spec.unit == unit)
    }

    /// The cheap checks of inputs: before any cryptography, so that rubbish costs the mint little.
    pub(crate) fn count_inputs(
        &self,
        unit: Unit,
        inputs: &[Proof],
    ) -> Result<CountedInputs, InputError> {
        if inputs.is_empty() {
            return Err(InputError::Empty);
        }
        let mut counted = CountedInputs {
            keysets: Vec::with_capacity(inputs.len()),
            by_keyset: BTreeMap::new(),
            total: 0,
            fee: 0,
        };
        // By secret, not by Y: the same secret under two keysets has one Y, and spends once.
        let mut seen = HashSet::with_capacity(inputs.len());
        let mut fee_ppk = 0_u64;
        for (index, input) in inputs.iter().enumerate() {
            let at =
                self.position(&input.keyset, unit).ok_or(InputError::UnknownKeyset { index })?;
            if !seen.insert(input.secret.expose().as_str()) {
                return Err(InputError::Duplicate { index });
            }
            let record = &self.keysets[at].record;
            counted.total = counted.total.checked_add(input.amount).ok_or(InputError::Overflow)?;
            fee_ppk = fee_ppk.checked_add(record.spec.input_fee_ppk).ok_or(InputError::Overflow)?;
            *counted.by_keyset.entry(record.number).or_default() += input.amount; // At most `total`.
            counted.keysets.push(at);
        }
        counted.fee = fee_ppk.div_ceil(1000); // NUT-02 rounds up, once for the whole transaction.
        Ok(counted)
    }

    /// The cheap checks of outputs. Blank outputs (NUT-08) carry amounts without meaning, so these are not added.
    pub(crate) fn count_outputs(
        &self,
        unit: Unit,
        messages: &[BlindedMessage],
    ) -> Result<CountedOutputs, OutputError> {
        let mut counted = CountedOutputs {
            outputs: Vec::with_capacity(messages.len()),
            keysets: Vec::with_capacity(messages.len()),
            by_keyset: BTreeMap::new(),
            total: Some(0),
        };
        let mut seen = HashSet::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            let at =
                self.position(&message.keyset, unit).ok_or(OutputError::UnknownKeyset { index })?;
            if !seen.insert(message.blinded) {
                return Err(OutputError::Duplicate { index });
            }
            let number = self.keysets[at].record.number;
            counted.total = counted.total.and_then(|total| total.checked_add(message.amount));
            let sum = counted.by_keyset.entry(number).or_default();
            *sum = sum.saturating_add(message.amount); // Of use only where `total` did not overflow.
            counted.keysets.push(at);
            counted.outputs.push(Output {
                keyset: number,
                amount: message.amount,
                blinded: message.blinded,
            });
        }
        Ok(counted)
    }

    /// Blank outputs (NUT-08): counted, and known to be points, because they are signed without being seen again.
    pub(crate) fn count_blanks(
        &self,
        unit: Unit,
        messages: &[BlindedMessage],
    ) -> Result<Vec<Output>, OutputError> {
        let counted = self.count_outputs(unit, messages)?;
        for (index, message) in messages.iter().enumerate() {
            message.blinded.parse().map_err(|NotAPoint| OutputError::NotAPoint { index })?;
        }
        Ok(counted.outputs)
    }

    /// The dear checks of inputs: spending conditions, then signatures.
    pub(crate) fn verify_inputs(
        &self,
        spend: &Spend<'_>,
        counted: &CountedInputs,
        now: Timestamp,
    ) -> Result<Vec<SpentProof>, InputError> {
        for (index, input) in spend.inputs.iter().enumerate() {
            if self.merchant_of(input).is_some() && !is_refundable(spend, index, now) {
                return Err(InputError::OfMerchant { index });
            }
        }
        let preimages = unlock(spend, now)?;
        self.verify_unlocked(spend.inputs, counted, preimages)
    }

    /// The dear checks of inputs whose locks a merchant has let go; the others have none.
    pub(crate) fn verify_released(
        &self,
        inputs: &[Proof],
        counted: &CountedInputs,
        released: &HashSet<Y>,
    ) -> Result<Vec<SpentProof>, InputError> {
        for (index, input) in inputs.iter().enumerate() {
            let is_plain = matches!(Condition::parse(input.secret.expose()), Ok(None));
            let name = hash_to_curve(input.secret.expose().as_bytes()).map(|point| point.y());
            if !is_plain && !name.is_ok_and(|y| released.contains(&y)) {
                return Err(InputError::OfMerchant { index });
            }
        }
        self.verify_unlocked(inputs, counted, vec![None; inputs.len()])
    }

    /// Checks the signatures of inputs whose locks are open. `preimages`: what opened each, if that did.
    pub(crate) fn verify_unlocked(
        &self,
        inputs: &[Proof],
        counted: &CountedInputs,
        preimages: Vec<Option<Preimage>>,
    ) -> Result<Vec<SpentProof>, InputError> {
        let checked = inputs.iter().zip(&counted.keysets).zip(preimages).enumerate();
        checked
            .map(|(index, ((input, at), preimage))| {
                let keyset = &self.keysets[*at];
                let verified =
                    verify(input, &keyset.keys).map_err(|_| InputError::InvalidProof { index })?;
                let (y, amount) = (verified.y(), verified.amount());
                Ok(SpentProof { y, keyset: keyset.record.number, amount, preimage })
            })
            .collect()
    }

    /// Signs counted outputs. Pure: a signature nobody has seen is worth nothing.
    pub(crate) fn sign_outputs(
        &self,
        messages: &[BlindedMessage],
        counted: &CountedOutputs,
    ) -> Result<Vec<BlindSignature>, OutputError> {
        let signed = messages.iter().zip(&counted.keysets).enumerate();
        signed
            .map(|(index, (message, at))| {
                sign(message, &self.keysets[*at].keys).map_err(|error| match error {
                    SignError::NoSuchDenomination { amount } => {
                        OutputError::NoSuchDenomination { index, amount }
                    }
                    SignError::NotAPoint(_) => OutputError::NotAPoint { index },
                })
            })
            .collect()
    }
}
