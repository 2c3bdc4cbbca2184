//! Points and scalars that texts and numbers stand for, and points that link what must be linked, and nothing else.
//!
//! A holder's secret `h` shows itself only as `h * P` for points `P` nobody knows the relations of: the holder's point in the
//! account (`P` is the generator), one a month at the tick, one a loan. Who sees several of them cannot tell that they are of
//! one holder (decisional Diffie-Hellman in ristretto255).

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use group::Group as _;
use rand_08::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha512};
use tacit_core::hex::{self, HexError};
use tacit_core::secret::Secret;
use zeroize::Zeroizing;

use super::epoch::Epoch;
use super::standing::Contract;

/// Randomness for one operation: 32 random bytes, used for nothing else, kept nowhere.
///
/// Never derived from a seed and a counter: two different proofs under the same randomness give the attributes away.
pub type Entropy = Secret<[u8; 32]>;

/// A point as it is sent: compressed, canonical, never the neutral one. In hexadecimal where it is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag([u8; 32]);

/// 32 bytes that are no point, or the neutral one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a point of the group")]
pub struct NoPoint;

/// Why a text is no [`Tag`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Not 32 bytes in hexadecimal.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// Not a point.
    #[error(transparent)]
    Point(#[from] NoPoint),
}

impl Tag {
    /// The point of 32 bytes.
    ///
    /// # Errors
    /// [`NoPoint`] if they are not the canonical encoding of one, or that of the neutral one.
    pub fn new(bytes: [u8; 32]) -> Result<Self, NoPoint> {
        let point = CompressedRistretto(bytes).decompress().ok_or(NoPoint)?;
        if bool::from(point.is_identity()) { Err(NoPoint) } else { Ok(Self(bytes)) }
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn of(point: &RistrettoPoint) -> Self {
        Self(point.compress().0)
    }

    pub(super) fn point(&self) -> RistrettoPoint {
        CompressedRistretto(self.0).decompress().expect("checked when it was made")
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        Ok(Self::new(hex::decode(&text)?)?)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        hex::encode(&tag.0)
    }
}

/// A loan, as its contract's hash names it: 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loan(pub [u8; 32]);

/// What a holder's tag is a multiple of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The account's: `h * G`.
    Account,
    /// The tick's that closes a month.
    Month(Epoch),
    /// A loan's.
    Loan(Loan),
}

impl Base {
    pub(super) fn point(self) -> RistrettoPoint {
        match self {
            Self::Account => RISTRETTO_BASEPOINT_POINT,
            Self::Month(epoch) => point_of(b"month", &epoch.number().to_be_bytes()),
            Self::Loan(Loan(id)) => point_of(b"loan", &id),
        }
    }
}

/// The secret of a holder: from the wallet's seed, so that who finds the words again is the same holder.
#[derive(Clone)]
pub struct Holder(Zeroizing<Scalar>);

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holder(..)")
    }
}

impl Holder {
    /// The holder of a wallet's seed: 64 bytes (BIP-39).
    pub fn of_seed(seed: &[u8; 64]) -> Self {
        Self(Zeroizing::new(scalar_of(b"holder", seed)))
    }

    /// What shows the holder in one place and nowhere else.
    pub fn tag(&self, base: Base) -> Tag {
        Tag::of(&(self.scalar() * base.point()))
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.0
    }
}

/// The point nobody knows a relation of to any other: the second generator of the credentials.
pub(super) fn generator() -> RistrettoPoint {
    point_of(b"generator", b"")
}

/// The scalar that stands for a contract in the circuits; 0 is none.
pub(super) fn contract_scalar(contract: Option<Contract>) -> Scalar {
    contract.map_or(Scalar::ZERO, |Contract(id)| scalar_of(b"contract", &id))
}

pub(super) fn scalar_of(what: &[u8], data: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&digest(what, data))
}

fn point_of(what: &[u8], data: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&digest(what, data))
}

fn digest(what: &[u8], data: &[u8]) -> [u8; 64] {
    let length = u64::try_from(what.len()).expect("a short label");
    let hash = Sha512::new_with_prefix(b"tacit passport v1");
    hash.chain_update(length.to_be_bytes()).chain_update(what).chain_update(data).finalize().into()
}

/// What the circuits draw from, for one operation.
pub(crate) fn generator_of(entropy: &Entropy) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(*entropy.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_of_a_holder_differ_by_base_and_stay() {
        let holder = Holder::of_seed(&[7; 64]);
        let month = Epoch::new(82).unwrap();
        let bases = [
            Base::Account,
            Base::Month(month),
            Base::Loan(Loan([1; 32])),
            Base::Loan(Loan([2; 32])),
        ];
        let tags = bases.map(|base| holder.tag(base));
        for (at, tag) in tags.iter().enumerate() {
            assert_eq!(*tag, Holder::of_seed(&[7; 64]).tag(bases[at]));
            assert!(!tags[..at].contains(tag));
            assert_ne!(*tag, Holder::of_seed(&[8; 64]).tag(bases[at]));
        }
        assert_eq!(format!("{holder:?}"), "Holder(..)");
    }

    #[test]
    fn only_points_are_tags() {
        assert_eq!(Tag::new([0; 32]), Err(NoPoint), "the neutral one");
        assert_eq!(Tag::new([0xff; 32]), Err(NoPoint));
        let tag = Holder::of_seed(&[7; 64]).tag(Base::Account);
        assert_eq!(Tag::new(*tag.as_bytes()), Ok(tag));
        assert_eq!(Tag::try_from(String::from(tag)), Ok(tag));
        assert_eq!(Tag::try_from("00".to_owned()), Err(TagError::Hex(HexError { expected: 32 })));
        assert_eq!(Tag::try_from("00".repeat(32)), Err(TagError::Point(NoPoint)));
    }
}
