//! What is spent and what is asked for: proofs, blinded messages, blind signatures (NUT-00).

use tacit_core::secret::Secret;

use crate::blind::{hash_to_curve, is_signature};
use crate::dleq::Dleq;
use crate::keyset::{KeysetId, SecretKeyset};
use crate::point::{NotAPoint, PointBytes, Y};

/// An unblinded signature on a secret: money to whoever knows it (NUT-00, `Proof`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Denomination, in minor units.
    pub amount: u64,
    /// Keyset that signed it.
    pub keyset: KeysetId,
    /// `x`, as the text the wallet chose; a spending condition if it parses as one (NUT-10).
    pub secret: Secret<String>,
    /// `C`.
    pub signature: PointBytes,
    /// What satisfies the spending condition, as JSON in a text (NUT-11, NUT-14).
    pub witness: Option<Secret<String>>,
}

/// A proof whose signature was checked. Made only by [`verify`], so nothing else can be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    y: Y,
    keyset: KeysetId,
    amount: u64,
}

impl VerifiedProof {
    /// The name under which it is remembered as spent.
    pub fn y(&self) -> Y {
        self.y
    }

    /// Keyset that signed it.
    pub fn keyset(&self) -> KeysetId {
        self.keyset
    }

    /// Denomination, in minor units.
    pub fn amount(&self) -> u64 {
        self.amount
    }
}

/// The proof is not one this keyset signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof has no valid signature of this keyset")]
pub struct InvalidProof;

/// Checks a proof against the keyset it names. Pure computation; says nothing of whether it is spent.
///
/// # Errors
/// [`InvalidProof`] if the keyset is another, has no such denomination, or did not sign the secret.
///
/// Source: NUT-00, "Verification".
pub fn verify(proof: &Proof, keyset: &SecretKeyset) -> Result<VerifiedProof, InvalidProof> {
    let key =
        keyset.key(proof.amount).filter(|_| proof.keyset == keyset.id()).ok_or(InvalidProof)?;
    let secret = hash_to_curve(proof.secret.expose().as_bytes()).map_err(|_| InvalidProof)?;
    if !is_signature(&secret, &proof.signature, key.secret()) {
        return Err(InvalidProof);
    }
    Ok(VerifiedProof { y: secret.y(), keyset: proof.keyset, amount: proof.amount })
}

/// An amount and a point to be signed, blinded so that the mint will not know it again (NUT-00, `BlindedMessage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlindedMessage {
    /// Denomination asked for; without meaning in the blank outputs of NUT-08.
    pub amount: u64,
    /// Keyset that is to sign.
    pub keyset: KeysetId,
    /// `B_`.
    pub blinded: PointBytes,
}

/// The mint's answer to a [`BlindedMessage`] (NUT-00, `BlindSignature`; NUT-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlindSignature {
    /// Denomination signed.
    pub amount: u64,
    /// Keyset that signed.
    pub keyset: KeysetId,
    /// `C_`.
    pub signature: PointBytes,
    /// Proof that the keyset's own key made it.
    pub dleq: Dleq,
}

/// Why a blinded message cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The keyset has no key for this amount.
    #[error("the keyset has no denomination of {amount}")]
    NoSuchDenomination {
        /// The amount asked for.
        amount: u64,
    },
    /// `B_` is not a point.
    #[error(transparent)]
    NotAPoint(#[from] NotAPoint),
}

/// Signs a blinded message with the key of its amount. Deterministic; see [`crate::dleq::SigningKey::sign`].
///
/// # Errors
/// [`SignError`] if there is no such denomination or `B_` is no point.
///
/// # Panics
/// Never on input: the caller has looked the keyset up by the message's own id.
pub fn sign(message: &BlindedMessage, keyset: &SecretKeyset) -> Result<BlindSignature, SignError> {
    debug_assert_eq!(message.keyset, keyset.id(), "the keyset was looked up by the message's id");
    let key = keyset
        .key(message.amount)
        .ok_or(SignError::NoSuchDenomination { amount: message.amount })?;
    let (signature, dleq) = key.sign(&message.blinded)?;
    Ok(BlindSignature { amount: message.amount, keyset: keyset.id(), signature, dleq })
}
