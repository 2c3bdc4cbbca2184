//! The blind Diffie-Hellman key exchange of NUT-00: what the wallet blinds, the mint signs unseen.
//!
//! Letters as in the specification: `x` secret, `Y = hash_to_curve(x)`, `r` blinding factor,
//! `B_ = Y + rG`, `k` the mint's key, `K = kG`, `C_ = kB_`, `C = C_ - rK = kY`.

use secp256k1::ecdh::shared_secret_point;
use secp256k1::{PublicKey, SECP256K1, Scalar, SecretKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::point::{NotAPoint, PointBytes, Y};

/// Prefix of the hash in [`hash_to_curve`] (NUT-00, "Hash-to-curve").
const DOMAIN_SEPARATOR: &[u8] = b"Secp256k1_HashToCurve_Cashu_";

/// The point a secret stands for, with its stored name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretPoint {
    point: PublicKey,
    y: Y,
}

impl SecretPoint {
    /// The point.
    pub fn point(&self) -> &PublicKey {
        &self.point
    }

    /// Its stored name.
    pub fn y(&self) -> Y {
        self.y
    }
}

/// No counter up to 2^16 led to a point. The chance is 2^-65536: input cannot reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this secret falls on no point of the curve")]
pub struct NoPoint;

/// `Y`: maps a secret of any length to a point nobody knows the discrete logarithm of.
///
/// # Errors
/// [`NoPoint`], which no input is known to reach.
///
/// Source: NUT-00, "Hash-to-curve".
pub fn hash_to_curve(secret: &[u8]) -> Result<SecretPoint, NoPoint> {
    let message: [u8; 32] =
        Sha256::new().chain_update(DOMAIN_SEPARATOR).chain_update(secret).finalize().into();
    for counter in 0..=u32::from(u16::MAX) {
        let hash =
            Sha256::new().chain_update(message).chain_update(counter.to_le_bytes()).finalize();
        let y = Y::from_x(hash.into());
        if let Ok(point) = y.to_point().parse() {
            return Ok(SecretPoint { point, y });
        }
    }
    Err(NoPoint)
}

/// `B_ = Y + rG`: what the wallet asks to have signed (NUT-00, "Blinded message").
///
/// # Errors
/// [`NotAPoint`] if `r` is the one factor that cancels `Y`.
pub fn blind(secret: &SecretPoint, blinding_factor: &SecretKey) -> Result<PointBytes, NotAPoint> {
    let mask = PublicKey::from_secret_key(SECP256K1, blinding_factor);
    secret.point.combine(&mask).map(PointBytes::from).map_err(|_| NotAPoint)
}

/// `C = C_ - rK`: the wallet's signature, which the mint has never seen (NUT-00, "Unblinding").
///
/// # Errors
/// [`NotAPoint`] if `C_` is not a point, or the difference is the point at infinity.
pub fn unblind(
    blinded: &PointBytes,
    blinding_factor: &SecretKey,
    mint_key: &PublicKey,
) -> Result<PointBytes, NotAPoint> {
    let mask = multiply_public(mint_key, blinding_factor)?.negate(SECP256K1);
    blinded.parse()?.combine(&mask).map(PointBytes::from).map_err(|_| NotAPoint)
}

/// Whether `C = kY`: the mint's check of an unblinded signature, in constant time (NUT-00, "Verification").
pub fn is_signature(secret: &SecretPoint, signature: &PointBytes, key: &SecretKey) -> bool {
    let expected = Uncompressed::product(&secret.point, key).compressed();
    bool::from(expected.as_bytes().ct_eq(signature.as_bytes()))
}

/// A point as its two coordinates, the form the library computes and NUT-12 hashes: 65 bytes with prefix 04.
pub(crate) struct Uncompressed([u8; 65]);

impl Uncompressed {
    /// `key * point`, in constant time: libsecp256k1 offers that as Diffie-Hellman only.
    pub(crate) fn product(point: &PublicKey, key: &SecretKey) -> Self {
        let mut bytes = [4; 65];
        bytes[1..].copy_from_slice(&shared_secret_point(point, key));
        Self(bytes)
    }

    pub(crate) fn of(point: &PublicKey) -> Self {
        Self(point.serialize_uncompressed())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    pub(crate) fn compressed(&self) -> PointBytes {
        let mut bytes = [0; 33];
        bytes[0] = 2 | (self.0[64] & 1); // The parity of y is its last bit.
        bytes[1..].copy_from_slice(&self.0[1..33]);
        PointBytes::from_bytes(bytes)
    }
}

/// `factor * point` in variable time: for the wallet's own blinding factors only.
fn multiply_public(point: &PublicKey, factor: &SecretKey) -> Result<PublicKey, NotAPoint> {
    point.mul_tweak(SECP256K1, &Scalar::from(*factor)).map_err(|_| NotAPoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_byte_array([byte; 32]).unwrap()
    }

    #[test]
    fn what_was_signed_blind_verifies_unblinded() {
        let (k, r) = (key(7), key(9));
        let secret = hash_to_curve(b"secret").unwrap();
        let blinded = blind(&secret, &r).unwrap();
        let signed = Uncompressed::product(&blinded.parse().unwrap(), &k).compressed();
        let signature = unblind(&signed, &r, &PublicKey::from_secret_key(SECP256K1, &k)).unwrap();
        assert!(is_signature(&secret, &signature, &k));
        assert!(!is_signature(&secret, &signature, &key(8)));
        assert!(!is_signature(&hash_to_curve(b"another").unwrap(), &signature, &k));
        assert!(!is_signature(&secret, &signed, &k));
    }
}
