//! Points of secp256k1 as they travel and as they are stored: compressed, in hexadecimal.

use std::fmt;

use secp256k1::PublicKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tacit_core::hex::{self, HexError};

use crate::text;

/// A compressed point as received: 33 bytes, **not** yet known to lie on the curve.
///
/// Parsing a point costs a square root (3.4 µs), so it is left to the crypto pool: [`PointBytes::parse`].
/// In JSON: 66 hexadecimal digits, written in lower case, read in both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PointBytes([u8; 33]);

/// The bytes are not a compressed point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a compressed point of secp256k1")]
pub struct NotAPoint;

impl PointBytes {
    /// Wraps 33 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 33]) -> Self {
        Self(bytes)
    }

    /// The 33 bytes: parity prefix, then the x-coordinate.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// The point.
    ///
    /// # Errors
    /// [`NotAPoint`] if the prefix is not 02 or 03 or no point has this x-coordinate.
    pub fn parse(&self) -> Result<PublicKey, NotAPoint> {
        PublicKey::from_slice(&self.0).map_err(|_| NotAPoint)
    }
}

impl From<PublicKey> for PointBytes {
    fn from(point: PublicKey) -> Self {
        Self(point.serialize())
    }
}

impl From<&PublicKey> for PointBytes {
    fn from(point: &PublicKey) -> Self {
        Self(point.serialize())
    }
}

impl std::str::FromStr for PointBytes {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Self)
    }
}

impl Serialize for PointBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::serialize_hex(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PointBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize_hex(deserializer).map(Self)
    }
}

impl fmt::Display for PointBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for PointBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PointBytes({self})")
    }
}

/// `Y`: where a secret falls on the curve, and the name under which the mint remembers it as spent.
///
/// Kept as the bare x-coordinate: hash-to-curve only ever answers the point of even parity (prefix 02).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Y([u8; 32]);

impl Y {
    /// The `Y` whose x-coordinate this is. Any 32 bytes are accepted: a name nobody can spend is harmless.
    pub const fn from_x(x: [u8; 32]) -> Self {
        Self(x)
    }

    /// The x-coordinate, big-endian.
    pub const fn x(&self) -> &[u8; 32] {
        &self.0
    }

    /// The `Y` a wallet names as a compressed point (NUT-07); `None` for the odd prefix, which no secret has.
    pub fn from_point(point: &PointBytes) -> Option<Self> {
        let (prefix, x) = point.0.split_first().expect("33 bytes have a first");
        (*prefix == 2).then(|| Self(x.try_into().expect("32 bytes follow the prefix")))
    }

    /// As a compressed point, for JSON.
    pub fn to_point(self) -> PointBytes {
        let mut bytes = [2; 33];
        bytes[1..].copy_from_slice(&self.0);
        PointBytes(bytes)
    }
}

impl fmt::Debug for Y {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Y({})", self.to_point())
    }
}
