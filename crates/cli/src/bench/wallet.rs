//! The wallet's side of NUT-00 and NUT-12: outputs blinded, signatures checked and unblinded.

use std::collections::BTreeMap;

use secp256k1::{PublicKey, SecretKey};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_ecash::blind::{blind, hash_to_curve, unblind};
use tacit_ecash::dleq;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message;
use tacit_ecash::point::NotAPoint;
use tacit_ecash::proof::{BlindedMessage, Proof};

/// The mint's public side of one keyset.
pub(crate) struct PublicKeyset {
    pub(crate) id: KeysetId,
    pub(crate) fee_ppk: u64,
    pub(crate) keys: BTreeMap<u64, PublicKey>,
}

/// An output with what only the wallet knows of it.
pub(crate) struct Output {
    secret: Secret<String>,
    blinding_factor: SecretKey,
    message: BlindedMessage,
}

/// Why a blind signature is worth nothing. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("the signature is of another keyset than was asked for")]
    OtherKeyset,
    #[error("the signature is over {signed}, not over the {asked} asked for")]
    OtherAmount { asked: u64, signed: u64 },
    #[error("the keyset has no key for an amount of {amount}")]
    NoKey { amount: u64 },
    #[error("the signature has no DLEQ proof")]
    NoDleq,
    #[error("the DLEQ proof of the signature is false")]
    FalseDleq,
    #[error(transparent)]
    NotAPoint(#[from] NotAPoint),
}

impl Output {
    /// A fresh output: its secret is 32 random bytes in hexadecimal, as NUT-00 recommends.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub(crate) fn draw(amount: u64, keyset: KeysetId) -> Result<Self, getrandom::Error> {
        loop {
            let mut random = [0; 64];
            getrandom::fill(&mut random)?;
            let (secret, factor) = random.split_at(32);
            let secret = hex::encode(secret);
            let factor = factor.try_into().expect("the other half has 32 bytes");
            // Any of these fails about once in 2^127 draws.
            let Ok(blinding_factor) = SecretKey::from_byte_array(factor) else { continue };
            let Ok(point) = hash_to_curve(secret.as_bytes()) else { continue };
            let Ok(blinded) = blind(&point, &blinding_factor) else { continue };
            let message = BlindedMessage { amount, keyset, blinded };
            return Ok(Self { secret: Secret::new(secret), blinding_factor, message });
        }
    }

    /// What the mint gets to see.
    pub(crate) fn message(&self) -> &BlindedMessage {
        &self.message
    }

    /// Checks what can be checked without computing on the curve.
    ///
    /// # Errors
    /// [`SignatureError`], `OtherKeyset` to `NoDleq`.
    pub(crate) fn check_shape(
        &self,
        signed: &message::BlindSignature,
    ) -> Result<dleq::Dleq, SignatureError> {
        let asked = self.message.amount;
        if signed.id != self.message.keyset {
            return Err(SignatureError::OtherKeyset);
        }
        if signed.amount != asked {
            return Err(SignatureError::OtherAmount { asked, signed: signed.amount });
        }
        signed.dleq.map(dleq::Dleq::from).ok_or(SignatureError::NoDleq)
    }

    /// The proof that a blind signature makes of this output, once its DLEQ proof is checked against the mint's key.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub(crate) fn unblind(
        &self,
        signed: &message::BlindSignature,
        keyset: &PublicKeyset,
    ) -> Result<Proof, SignatureError> {
        let amount = self.message.amount;
        let dleq = self.check_shape(signed)?;
        let key = keyset.keys.get(&amount).ok_or(SignatureError::NoKey { amount })?;
        if !dleq::is_valid(&dleq, key, &self.message.blinded, &signed.signature) {
            return Err(SignatureError::FalseDleq);
        }
        Ok(Proof {
            amount,
            keyset: keyset.id,
            secret: self.secret.clone(),
            signature: unblind(&signed.signature, &self.blinding_factor, key)?,
            witness: None,
        })
    }
}

/// The JSON of a swap (NUT-03).
pub(crate) fn render_swap(inputs: Vec<message::Proof>, outputs: &[Output]) -> Vec<u8> {
    let outputs = outputs.iter().map(|output| (*output.message()).into()).collect();
    let request = message::SwapRequest { inputs, outputs };
    serde_json::to_vec(&request).expect("ids that were read can be written")
}

#[cfg(test)]
mod tests {
    use tacit_core::unit::Unit;
    use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
    use tacit_ecash::proof::{sign, verify};

    use super::*;

    fn keyset(index: u32) -> SecretKeyset {
        let unit = Unit::new("usd").unwrap();
        let spec = KeysetSpec { unit, index, orders: 4, input_fee_ppk: 0, final_expiry: None };
        SecretKeyset::derive(&Secret::new([7; 32]), spec)
    }

    fn public(keyset: &SecretKeyset) -> PublicKeyset {
        let keys = keyset.public_keys().map(|(amount, key)| (amount, *key)).collect();
        PublicKeyset { id: keyset.id(), fee_ppk: 0, keys }
    }

    fn signed(output: &Output, keyset: &SecretKeyset) -> message::BlindSignature {
        sign(output.message(), keyset).unwrap().into()
    }

    #[test]
    fn a_true_signature_becomes_a_proof_the_mint_takes() {
        let keyset = keyset(0);
        let output = Output::draw(4, keyset.id()).unwrap();
        let proof = output.unblind(&signed(&output, &keyset), &public(&keyset)).unwrap();
        assert_eq!(verify(&proof, &keyset).unwrap().amount(), 4);
    }

    #[test]
    fn every_false_signature_is_refused_with_its_reason() {
        let keyset = keyset(0);
        let output = Output::draw(4, keyset.id()).unwrap();
        let signed = signed(&output, &keyset);
        let refused = |signed: message::BlindSignature| {
            output.unblind(&signed, &public(&keyset)).unwrap_err()
        };
        assert_eq!(
            refused(message::BlindSignature { id: self::keyset(1).id(), ..signed }),
            SignatureError::OtherKeyset
        );
        assert_eq!(
            refused(message::BlindSignature { amount: 8, ..signed }),
            SignatureError::OtherAmount { asked: 4, signed: 8 }
        );
        assert_eq!(
            refused(message::BlindSignature { dleq: None, ..signed }),
            SignatureError::NoDleq
        );
        let swapped = signed.dleq.map(|dleq| message::Dleq { e: dleq.s, s: dleq.e });
        assert_eq!(
            refused(message::BlindSignature { dleq: swapped, ..signed }),
            SignatureError::FalseDleq
        );
        let mut fewer = public(&keyset);
        fewer.keys.remove(&4);
        assert_eq!(
            output.unblind(&signed, &fewer).unwrap_err(),
            SignatureError::NoKey { amount: 4 }
        );
    }

    #[test]
    fn a_swap_is_written_as_the_protocol_has_it() {
        let keyset = keyset(0);
        let output = Output::draw(4, keyset.id()).unwrap();
        let proof = output.unblind(&signed(&output, &keyset), &public(&keyset)).unwrap();
        let body = render_swap(vec![proof.into()], &[output]);
        let read: message::SwapRequest = serde_json::from_slice(&body).unwrap();
        assert_eq!((read.inputs.len(), read.outputs.len()), (1, 1));
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        for field in ["amount", "id", "secret", "C"] {
            assert!(!json["inputs"][0][field].is_null(), "{field}");
        }
        for field in ["amount", "id", "B_"] {
            assert!(!json["outputs"][0][field].is_null(), "{field}");
        }
    }
}
