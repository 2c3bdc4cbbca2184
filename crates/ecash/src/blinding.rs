//! The wallet's half of a signature: what it must keep between asking and getting.

use secp256k1::{PublicKey, SecretKey};
use tacit_core::secret::Secret;

use crate::blind::{NoPoint, blind, hash_to_curve, unblind};
use crate::dleq;
use crate::keyset::KeysetId;
use crate::point::NotAPoint;
use crate::proof::{BlindSignature, BlindedMessage, Proof};

/// A blinded message with what makes a proof of its signature. Lose it, and the signature is worth nothing.
#[derive(Clone, Debug)]
pub struct Blinding {
    message: BlindedMessage,
    secret: Secret<String>,
    factor: Secret<SecretKey>,
}

/// No blinded message can be made of this secret and factor. No input is known to reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlindingError {
    /// The secret falls on no point.
    #[error(transparent)]
    NoPoint(#[from] NoPoint),
    /// The factor cancels the secret's point.
    #[error(transparent)]
    NotAPoint(#[from] NotAPoint),
}

/// Why a signature is not taken. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnblindError {
    /// Signed by another keyset than was asked.
    #[error("another keyset signed than was asked")]
    OtherKeyset,
    /// The proof of NUT-12 does not hold: the mint used another key.
    #[error("the signature was not made with the keyset's key")]
    FalseDleq,
    /// The signature is no point.
    #[error(transparent)]
    NotAPoint(#[from] NotAPoint),
}

impl Blinding {
    /// Blinds a secret.
    ///
    /// `amount`: minor units; any, for a blank output (NUT-08). `factor`: drawn at random and used once, or the mint
    /// can join what it signed with what is spent.
    ///
    /// # Errors
    /// [`BlindingError`], which no input is known to reach.
    pub fn new(
        amount: u64,
        keyset: KeysetId,
        secret: Secret<String>,
        factor: SecretKey,
    ) -> Result<Self, BlindingError> {
        let blinded = blind(&hash_to_curve(secret.expose().as_bytes())?, &factor)?;
        let message = BlindedMessage { amount, keyset, blinded };
        Ok(Self { message, secret, factor: Secret::new(factor) })
    }

    /// What the mint is asked to sign.
    pub fn message(&self) -> &BlindedMessage {
        &self.message
    }

    /// The proof, once the mint has signed. Its amount is the signature's: blank outputs are given theirs.
    ///
    /// `key`: the public key of the signature's amount in the keyset that was asked.
    ///
    /// # Errors
    /// [`UnblindError`] if the signature is not what was asked for.
    ///
    /// Source: NUT-00, "Unblinding"; NUT-12, "Alice (minting user) verifies DLEQ proof".
    pub fn unblind(&self, signed: &BlindSignature, key: &PublicKey) -> Result<Proof, UnblindError> {
        if signed.keyset != self.message.keyset {
            return Err(UnblindError::OtherKeyset);
        }
        if !dleq::is_valid(&signed.dleq, key, &self.message.blinded, &signed.signature) {
            return Err(UnblindError::FalseDleq);
        }
        Ok(Proof {
            amount: signed.amount,
            keyset: signed.keyset,
            secret: self.secret.clone(),
            signature: unblind(&signed.signature, self.factor.expose(), key)?,
            witness: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use tacit_core::unit::Unit;

    use super::*;
    use crate::keyset::{KeysetSpec, SecretKeyset};
    use crate::proof::{sign, verify};

    fn keyset(index: u32) -> SecretKeyset {
        let unit = Unit::new("usd").unwrap();
        let spec = KeysetSpec { unit, index, orders: 4, input_fee_ppk: 0, final_expiry: None };
        SecretKeyset::derive(&Secret::new([1; 32]), spec)
    }

    fn blinding(keyset: &SecretKeyset) -> Blinding {
        let factor = SecretKey::from_byte_array([9; 32]).unwrap();
        Blinding::new(8, keyset.id(), Secret::new("secret".to_owned()), factor).unwrap()
    }

    #[test]
    fn a_signed_blinding_becomes_a_proof_the_mint_accepts() {
        let keyset = keyset(0);
        let blinding = blinding(&keyset);
        let signed = sign(blinding.message(), &keyset).unwrap();
        let proof = blinding.unblind(&signed, keyset.key(8).unwrap().public()).unwrap();
        assert_eq!(verify(&proof, &keyset).map(|verified| verified.amount()), Ok(8));
    }

    #[test]
    fn a_signature_that_was_not_asked_for_is_not_taken() {
        let (keyset, other) = (keyset(0), keyset(1));
        let blinding = blinding(&keyset);
        let key = keyset.key(8).unwrap().public();
        let signed = sign(blinding.message(), &keyset).unwrap();
        let of_other = BlindSignature { keyset: other.id(), ..signed };
        assert_eq!(blinding.unblind(&of_other, key), Err(UnblindError::OtherKeyset));
        let by_other_key = keyset.key(4).unwrap().public();
        assert_eq!(blinding.unblind(&signed, by_other_key), Err(UnblindError::FalseDleq));
        let no_point =
            BlindSignature { signature: crate::point::PointBytes::from_bytes([0; 33]), ..signed };
        assert_eq!(blinding.unblind(&no_point, key), Err(UnblindError::FalseDleq));
    }
}
