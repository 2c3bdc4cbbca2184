//! Blind signatures with their proof of equal discrete logarithms (NUT-12), mint and wallet side.

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{PublicKey, SECP256K1, Scalar, SecretKey};
use sha2::{Digest, Sha256};

use crate::blind::{SecretPoint, Uncompressed, blind};
use crate::point::{NotAPoint, PointBytes};

/// Prefix of the nonce's derivation (NUT-12).
const NONCE_DOMAIN: &[u8] = b"Cashu_DLEQ_R_v1";

/// Proof that the key behind `K` also made `C_`: challenge `e` and response `s`, 32 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dleq {
    /// Challenge.
    pub e: [u8; 32],
    /// Response.
    pub s: [u8; 32],
}

/// One denomination's key, with its public key ready for hashing.
pub struct SigningKey {
    secret: SecretKey,
    public: PublicKey,
    uncompressed: Uncompressed,
}

impl SigningKey {
    /// The key of a secret scalar.
    pub fn new(secret: SecretKey) -> Self {
        let public = PublicKey::from_secret_key(SECP256K1, &secret);
        Self { secret, public, uncompressed: Uncompressed::of(&public) }
    }

    /// `K = kG`.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// `C_ = kB_` and its proof. Deterministic: the same message gets the same bytes for ever, so the
    /// mint need not store a signature to repeat it.
    ///
    /// # Errors
    /// [`NotAPoint`] if `B_` is not on the curve.
    ///
    /// Source: NUT-00, "Blind signature"; NUT-12, "The DLEQ proof".
    pub fn sign(&self, blinded: &PointBytes) -> Result<(PointBytes, Dleq), NotAPoint> {
        let b_ = blinded.parse()?;
        let c_ = Uncompressed::product(&b_, &self.secret);
        let nonce = self.nonce(&Uncompressed::of(&b_), &c_);
        let r1 = Uncompressed::of(&PublicKey::from_secret_key(SECP256K1, &nonce));
        let r2 = Uncompressed::product(&b_, &nonce);
        let e = challenge([&r1, &r2, &self.uncompressed, &c_]);
        let dleq = Dleq { e, s: self.response(nonce, e) };
        Ok((c_.compressed(), dleq))
    }

    /// `r`, drawn from the key and what is signed, by rejection (NUT-12).
    fn nonce(&self, b_: &Uncompressed, c_: &Uncompressed) -> SecretKey {
        let keyed = Hmac::<Sha256>::new_from_slice(&self.secret.secret_bytes())
            .expect("HMAC takes any key");
        (0..=u8::MAX)
            .find_map(|counter| {
                let tag = keyed
                    .clone()
                    .chain_update(NONCE_DOMAIN)
                    .chain_update(self.uncompressed.as_bytes())
                    .chain_update(b_.as_bytes())
                    .chain_update(c_.as_bytes())
                    .chain_update([counter])
                    .finalize();
                SecretKey::from_byte_array(tag.into_bytes().into()).ok()
            })
            .expect("256 hashes do not all miss the group order")
    }

    /// `s = r + e k`.
    fn response(&self, nonce: SecretKey, e: [u8; 32]) -> [u8; 32] {
        let e = Scalar::from_be_bytes(e)
            .expect("no SHA-256 output at or above the group order is known");
        let product = self.secret.mul_tweak(&e).expect("neither factor is 0");
        nonce
            .add_tweak(&Scalar::from(product))
            .expect("the sum is 0 for no known hash")
            .secret_bytes()
    }
}

/// Whether the key of `K` made `C_` from `B_`. The wallet's check; public data, variable time.
///
/// Source: NUT-12, "Alice (minting user) verifies DLEQ proof".
pub fn is_valid(
    dleq: &Dleq,
    mint_key: &PublicKey,
    blinded: &PointBytes,
    signed: &PointBytes,
) -> bool {
    let verdict = || -> Option<bool> {
        let (b_, c_) = (blinded.parse().ok()?, signed.parse().ok()?);
        let s = SecretKey::from_byte_array(dleq.s).ok()?;
        let e = Scalar::from_be_bytes(dleq.e).ok()?;
        let e_key = mint_key.mul_tweak(SECP256K1, &e).ok()?.negate(SECP256K1);
        let r1 = PublicKey::from_secret_key(SECP256K1, &s).combine(&e_key).ok()?;
        let e_signed = c_.mul_tweak(SECP256K1, &e).ok()?.negate(SECP256K1);
        let r2 = b_.mul_tweak(SECP256K1, &Scalar::from(s)).ok()?.combine(&e_signed).ok()?;
        let hashed = [&r1, &r2, mint_key, &c_].map(Uncompressed::of);
        Some(challenge([&hashed[0], &hashed[1], &hashed[2], &hashed[3]]) == dleq.e)
    };
    verdict().unwrap_or(false)
}

/// Whether the key of `K` made an unblinded signature, for one who received it from another person.
///
/// `blinding_factor`: `r`, which the one who blinded sends along. False, too, if `r` and the points cancel out.
///
/// Source: NUT-12, "Carol (another user) verifies DLEQ proof".
pub fn is_valid_unblinded(
    dleq: &Dleq,
    mint_key: &PublicKey,
    secret: &SecretPoint,
    signature: &PointBytes,
    blinding_factor: &SecretKey,
) -> bool {
    let reblind = || -> Option<(PointBytes, PointBytes)> {
        let mask = mint_key.mul_tweak(SECP256K1, &Scalar::from(*blinding_factor)).ok()?;
        let signed = signature.parse().ok()?.combine(&mask).ok()?;
        Some((blind(secret, blinding_factor).ok()?, PointBytes::from(signed)))
    };
    reblind().is_some_and(|(blinded, signed)| is_valid(dleq, mint_key, &blinded, &signed))
}

/// `hash(R1, R2, K, C_)`: SHA-256 over the points' uncompressed forms **in hexadecimal** (NUT-12).
fn challenge(points: [&Uncompressed; 4]) -> [u8; 32] {
    let mut text = [0_u8; 4 * 130];
    for (point, place) in points.iter().zip(text.chunks_exact_mut(130)) {
        const_hex::encode_to_slice(point.as_bytes(), place).expect("65 bytes fill 130 characters");
    }
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cashubtc/nuts, tests/12-tests.md, commit 3ddb1ae.
    #[test]
    fn nut12_hash_e() {
        let text = include_str!("../tests/vectors/nut12/hash_e.json");
        let vectors: Vec<std::collections::BTreeMap<String, String>> =
            serde_json::from_str(text).unwrap();
        for vector in &vectors {
            let points = ["R1", "R2", "K", "C_"].map(|name| {
                let point: PointBytes = vector[name].parse().unwrap();
                Uncompressed::of(&point.parse().unwrap())
            });
            let hash = challenge([&points[0], &points[1], &points[2], &points[3]]);
            assert_eq!(tacit_core::hex::encode(&hash), vector["hash"]);
        }
        assert_eq!(vectors.len(), 1);
    }

    fn signing_key(byte: u8) -> SigningKey {
        SigningKey::new(SecretKey::from_byte_array([byte; 32]).unwrap())
    }

    #[test]
    fn a_proof_holds_for_its_own_key_and_message_only() {
        let (key, other) = (signing_key(3), signing_key(4));
        let (b_, another) =
            (PointBytes::from(other.public()), PointBytes::from(signing_key(5).public()));
        let (c_, dleq) = key.sign(&b_).unwrap();
        assert!(is_valid(&dleq, key.public(), &b_, &c_));
        assert!(!is_valid(&dleq, other.public(), &b_, &c_));
        assert!(!is_valid(&dleq, key.public(), &another, &c_));
        assert!(!is_valid(&dleq, key.public(), &b_, &another));
        assert!(!is_valid(&Dleq { e: dleq.s, s: dleq.e }, key.public(), &b_, &c_));
        assert!(!is_valid(&Dleq { e: [0; 32], s: [0xff; 32] }, key.public(), &b_, &c_));
        assert_eq!(key.sign(&b_), Ok((c_, dleq)), "signing is deterministic");
    }
}
