//! The keys of a passport desk. One set a key epoch: passports are shown under one and received under it or the next.

use std::sync::Once;

use cmz::{CMZCredential, CMZPrivkey, CMZPubkey, cmz_group_init, cmz_privkey_to_pubkey};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use group::Group as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tacit_core::hex::{self, HexError};
use tacit_core::secret::Secret;
use zeroize::Zeroize as _;

use super::circuit::{Passport, Proof, Receipt, Turn};
use super::tag;

/// Names a set of keys: the first 16 bytes of the SHA-256 of its public half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// The identifier of 16 bytes; whether there is such a key is another question.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<String> for KeyId {
    type Error = HexError;

    fn try_from(text: String) -> Result<Self, HexError> {
        hex::decode(&text).map(Self)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        hex::encode(&id.0)
    }
}

/// A kind of credential, and how many attributes it has.
type Kind = (&'static [u8], fn() -> usize);

/// The kinds of credentials, in the order their keys stand in the public half.
const KINDS: [Kind; 4] = [
    (b"passport", Passport::num_attrs),
    (b"receipt", Receipt::num_attrs),
    (b"turn", Turn::num_attrs),
    (b"proof", Proof::num_attrs),
];

/// The public half: what wallets pin, and check every reply with.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKeys {
    id: KeyId,
    bytes: Vec<u8>,
    kinds: [CMZPubkey<RistrettoPoint>; 4],
}

/// Bytes that are not the public half of a desk's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the public keys of a passport desk")]
pub struct NoKeys;

impl PublicKeys {
    /// How many bytes there are: per kind two points and one an attribute.
    pub fn length() -> usize {
        KINDS.iter().map(|(_, attributes)| 32 * (2 + attributes())).sum()
    }

    /// Reads what [`Self::as_bytes`] wrote.
    ///
    /// # Errors
    /// [`NoKeys`] for another length, or bytes that are no points or the neutral one.
    pub fn new(bytes: &[u8]) -> Result<Self, NoKeys> {
        if bytes.len() != Self::length() {
            return Err(NoKeys);
        }
        let mut points = bytes.chunks_exact(32).map(|chunk| {
            let point = CompressedRistretto::from_slice(chunk).ok().and_then(|it| it.decompress());
            point.filter(|point| !bool::from(point.is_identity())).ok_or(NoKeys)
        });
        let mut next = || points.next().unwrap_or(Err(NoKeys));
        let mut kinds: [CMZPubkey<RistrettoPoint>; 4] = Default::default();
        for (kind, (_, attributes)) in kinds.iter_mut().zip(KINDS) {
            let (x0, xr) = (Some(next()?), Some(next()?));
            let x = (0..attributes()).map(|_| next()).collect::<Result<_, _>>()?;
            *kind = CMZPubkey { X0: x0, Xr: xr, X: x };
        }
        Ok(Self::of(kinds))
    }

    fn of(kinds: [CMZPubkey<RistrettoPoint>; 4]) -> Self {
        let points = kinds.iter().flat_map(|kind| kind.X0.iter().chain(&kind.Xr).chain(&kind.X));
        let bytes: Vec<u8> = points.flat_map(|point| point.compress().0).collect();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let (id, _) = digest.split_first_chunk().expect("32 bytes have 16");
        Self { id: KeyId(*id), bytes, kinds }
    }

    /// Which keys these are.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The bytes, [`Self::length`] of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) const fn passport(&self) -> &CMZPubkey<RistrettoPoint> {
        &self.kinds[0]
    }

    pub(super) const fn receipt(&self) -> &CMZPubkey<RistrettoPoint> {
        &self.kinds[1]
    }

    pub(super) const fn turn(&self) -> &CMZPubkey<RistrettoPoint> {
        &self.kinds[2]
    }

    pub(super) const fn proof(&self) -> &CMZPubkey<RistrettoPoint> {
        &self.kinds[3]
    }
}

/// A pair of private and public keys of one kind of credential.
pub(super) type Pair<'a> = (&'a CMZPrivkey<RistrettoPoint>, &'a CMZPubkey<RistrettoPoint>);

/// The desk's keys. Zeroed when dropped; `cmz` copies them while it answers, and does not.
pub struct IssuerKeys {
    private: [CMZPrivkey<RistrettoPoint>; 4],
    public: PublicKeys,
}

impl std::fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerKeys").field("id", &self.public.id).finish_non_exhaustive()
    }
}

impl Drop for IssuerKeys {
    fn drop(&mut self) {
        for key in &mut self.private {
            key.x0.zeroize();
            key.xr.zeroize();
            key.x.zeroize();
        }
    }
}

impl IssuerKeys {
    /// The keys of a key epoch, counted from 0, from the operator's seed: always the same ones.
    pub fn derive(seed: &Secret<[u8; 32]>, number: u32) -> Self {
        begin();
        let scalar = |kind: &[u8], place: usize| {
            let place = u64::try_from(place).expect("few attributes");
            let mut data = seed.expose().to_vec();
            data.extend(number.to_be_bytes());
            data.extend(place.to_be_bytes());
            data.extend(kind);
            let scalar = tag::scalar_of(b"issuer", &data);
            data.zeroize();
            scalar
        };
        let private = KINDS.map(|(kind, attributes)| CMZPrivkey::<RistrettoPoint> {
            muCMZ: true,
            x0: scalar(kind, 0),
            xr: scalar(kind, 1),
            x: (0..attributes())
                .map(|attribute| scalar(kind, 2 + attribute))
                .collect::<Vec<Scalar>>(),
        });
        let public = PublicKeys::of(private.each_ref().map(cmz_privkey_to_pubkey));
        Self { private, public }
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKeys {
        &self.public
    }

    pub(super) const fn passport(&self) -> Pair<'_> {
        (&self.private[0], self.public.passport())
    }

    pub(super) const fn receipt(&self) -> Pair<'_> {
        (&self.private[1], self.public.receipt())
    }

    pub(super) const fn turn(&self) -> Pair<'_> {
        (&self.private[2], self.public.turn())
    }

    pub(super) const fn proof(&self) -> Pair<'_> {
        (&self.private[3], self.public.proof())
    }
}

/// Tells `cmz` the second generator; before anything else of it, as often as one likes.
pub(super) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| cmz_group_init(tag::generator()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_seed_and_are_read_back() {
        let seed = Secret::new([5; 32]);
        let keys = IssuerKeys::derive(&seed, 0);
        let public = keys.public();
        assert_eq!(IssuerKeys::derive(&seed, 0).public(), public);
        assert_ne!(IssuerKeys::derive(&seed, 1).public().id(), public.id());
        assert_ne!(IssuerKeys::derive(&Secret::new([6; 32]), 0).public().id(), public.id());
        assert_eq!(PublicKeys::new(public.as_bytes()).as_ref(), Ok(public));
        let debug = format!("{keys:?}");
        assert!(debug.contains("id") && debug.len() < 200, "{debug}");
    }

    #[test]
    fn what_is_not_public_keys_is_refused() {
        let keys = IssuerKeys::derive(&Secret::new([5; 32]), 0);
        let bytes = keys.public().as_bytes();
        assert_eq!(PublicKeys::new(&[]), Err(NoKeys));
        assert_eq!(PublicKeys::new(&bytes[1..]), Err(NoKeys));
        let mut neutral = bytes.to_vec();
        neutral[64..96].fill(0);
        assert_eq!(PublicKeys::new(&neutral), Err(NoKeys));
        neutral[64..96].fill(0xff);
        assert_eq!(PublicKeys::new(&neutral), Err(NoKeys));
    }
}
