//! Keysets: one key for each denomination, named by a hash of all of them (NUT-01, NUT-02).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{PublicKey, SecretKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;

use crate::dleq::SigningKey;
use crate::point::PointBytes;
use crate::text;

/// Prefix of the derivation of a mint's keys from its seed.
const KEY_DOMAIN: &[u8] = b"tacit/keyset/v1";

/// The name of a keyset: a hash of its public keys, unit, fee and expiry.
///
/// In JSON: its bytes in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeysetId {
    /// `00…`, 8 bytes: read so that a foreign proof is refused by name; never made here (31-bit collisions).
    V1([u8; 8]),
    /// `01…`, 33 bytes.
    V2([u8; 33]),
}

/// The text is no keyset id of version 1 or 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a keyset id is 01 and 64 hexadecimal digits, or, in version 1, 00 and 14")]
pub struct KeysetIdError;

impl KeysetId {
    /// The version 2 id of a keyset.
    ///
    /// Source: NUT-02, "Keyset ID V2". A fee or expiry of 0 counts as absent there.
    pub fn derive<'a>(
        keys: impl IntoIterator<Item = (u64, &'a PublicKey)>,
        unit: Unit,
        input_fee_ppk: u64,
        final_expiry: Option<Timestamp>,
    ) -> Self {
        let sorted: BTreeMap<u64, &PublicKey> = keys.into_iter().collect();
        let listed: Vec<String> = sorted
            .iter()
            .map(|(amount, key)| format!("{amount}:{}", PointBytes::from(*key)))
            .collect();
        let mut preimage = format!("{}|unit:{unit}", listed.join(","));
        if input_fee_ppk != 0 {
            preimage.push_str(&format!("|input_fee_ppk:{input_fee_ppk}"));
        }
        if let Some(expiry) = final_expiry.map(Timestamp::seconds).filter(|expiry| *expiry != 0) {
            preimage.push_str(&format!("|final_expiry:{expiry}"));
        }
        let mut id = [1; 33];
        id[1..].copy_from_slice(&Sha256::digest(preimage));
        Self::V2(id)
    }

    /// Whether this is the name of these keys, in its own version: a wallet's check of any mint.
    ///
    /// Version 1 covers the keys alone, in 56 bits: it is no protection against a mint that lies.
    ///
    /// Source: NUT-02, "Deriving the keyset ID".
    pub fn names<'a>(
        &self,
        keys: impl IntoIterator<Item = (u64, &'a PublicKey)>,
        unit: Unit,
        input_fee_ppk: u64,
        final_expiry: Option<Timestamp>,
    ) -> bool {
        match self {
            Self::V1(_) => {
                let sorted: BTreeMap<u64, &PublicKey> = keys.into_iter().collect();
                let mut hasher = Sha256::new();
                sorted.values().for_each(|key| hasher.update(key.serialize()));
                let mut id = [0; 8];
                id[1..].copy_from_slice(&hasher.finalize()[..7]);
                *self == Self::V1(id)
            }
            Self::V2(_) => *self == Self::derive(keys, unit, input_fee_ppk, final_expiry),
        }
    }

    /// The bytes: 8 of version 1, 33 of version 2.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::V1(bytes) => bytes,
            Self::V2(bytes) => bytes,
        }
    }
}

impl FromStr for KeysetId {
    type Err = KeysetIdError;

    fn from_str(text: &str) -> Result<Self, KeysetIdError> {
        match text.get(..2) {
            Some("00") => hex::decode(text).map(Self::V1).map_err(|_| KeysetIdError),
            Some("01") => hex::decode(text).map(Self::V2).map_err(|_| KeysetIdError),
            Some(_) | None => Err(KeysetIdError),
        }
    }
}

impl Serialize for KeysetId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::V1(bytes) => text::serialize_hex(bytes, serializer),
            Self::V2(bytes) => text::serialize_hex(bytes, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for KeysetId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize_parsed(deserializer)
    }
}

impl fmt::Display for KeysetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for KeysetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeysetId({self})")
    }
}

/// What decides a keyset's keys and name, beside the seed. Never changed once the keyset exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysetSpec {
    /// What its amounts count.
    pub unit: Unit,
    /// Which of the unit's keysets this is, from 0.
    pub index: u32,
    /// Denominations `2^0` to `2^(orders - 1)`, at most [`Self::MAX_ORDERS`].
    pub orders: u8,
    /// Fee for each input, in thousandths of the minor unit (NUT-02, "Fees").
    pub input_fee_ppk: u64,
    /// When its e-cash stops being redeemable at the mint (NUT-02, "Keyset Final Expiry").
    pub final_expiry: Option<Timestamp>,
}

impl KeysetSpec {
    /// No denomination above 2^52, the largest power of two that is an amount.
    pub const MAX_ORDERS: u8 = 53;
}

/// The mint's side of a keyset: a secret key for each denomination.
pub struct SecretKeyset {
    spec: KeysetSpec,
    id: KeysetId,
    keys: Vec<SigningKey>,
}

impl SecretKeyset {
    /// The keyset of a specification under a seed: the same two always give the same keys.
    ///
    /// Key `i` is the first of `HMAC-SHA256(seed, domain || unit || index || fee || expiry || i || attempt)`,
    /// attempts from 0, that is a scalar of the curve. All that the name covers beside the keys is in it, so that no
    /// two keysets share a key: a signature would be worth the same under the one with the lower fee or later expiry.
    pub fn derive(seed: &Secret<[u8; 32]>, spec: KeysetSpec) -> Self {
        let orders = spec.orders.min(KeysetSpec::MAX_ORDERS);
        let keys: Vec<SigningKey> =
            (0..orders).map(|order| SigningKey::new(derive_key(seed, &spec, order))).collect();
        let named = keys.iter().enumerate().map(|(order, key)| (1_u64 << order, key.public()));
        let id = KeysetId::derive(named, spec.unit, spec.input_fee_ppk, spec.final_expiry);
        Self { spec, id, keys }
    }

    /// Its name.
    pub fn id(&self) -> KeysetId {
        self.id
    }

    /// What it was made from.
    pub fn spec(&self) -> &KeysetSpec {
        &self.spec
    }

    /// The key of a denomination; `None` unless the amount is a power of two that this keyset has.
    pub fn key(&self, amount: u64) -> Option<&SigningKey> {
        if !amount.is_power_of_two() {
            return None;
        }
        self.keys.get(usize::try_from(amount.trailing_zeros()).expect("at most 63"))
    }

    /// Denominations with their public keys, smallest first.
    pub fn public_keys(&self) -> impl Iterator<Item = (u64, &PublicKey)> {
        self.keys.iter().enumerate().map(|(order, key)| (1 << order, key.public()))
    }

    /// The fewest denominations that make up an amount, smallest first; `None` if too large for this keyset
    /// to express with each denomination at most once, but for the largest.
    pub fn split(&self, mut amount: u64) -> Vec<u64> {
        let mut parts = Vec::new();
        let Some(top) = self.keys.len().checked_sub(1).map(|order| 1_u64 << order) else {
            return parts;
        };
        while amount >= 2 * top {
            parts.push(top);
            amount -= top;
        }
        parts.extend((0..u64::BITS).map(|bit| 1_u64 << bit).filter(|part| amount & part != 0));
        parts.sort_unstable();
        parts
    }
}

fn derive_key(seed: &Secret<[u8; 32]>, spec: &KeysetSpec, order: u8) -> SecretKey {
    let keyed = Hmac::<Sha256>::new_from_slice(seed.expose()).expect("HMAC takes any key");
    let expiry = spec.final_expiry.map_or(0, Timestamp::seconds); // 0 counts as absent, as in the id.
    (0..=u8::MAX)
        .find_map(|attempt| {
            let tag = keyed
                .clone()
                .chain_update(KEY_DOMAIN)
                .chain_update(spec.unit.code())
                .chain_update(spec.index.to_be_bytes())
                .chain_update(spec.input_fee_ppk.to_be_bytes())
                .chain_update(expiry.to_be_bytes())
                .chain_update([order, attempt])
                .finalize();
            SecretKey::from_byte_array(tag.into_bytes().into()).ok()
        })
        .expect("256 hashes do not all miss the group order")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(code: &str, index: u32) -> KeysetSpec {
        let unit = Unit::new(code).unwrap();
        KeysetSpec { unit, index, orders: 4, input_fee_ppk: 0, final_expiry: None }
    }

    fn keyset(spec: KeysetSpec) -> SecretKeyset {
        SecretKeyset::derive(&Secret::new([1; 32]), spec)
    }

    #[test]
    fn keys_differ_by_unit_index_and_seed() {
        let ids = [
            keyset(spec("usd", 0)).id(),
            keyset(spec("usd", 1)).id(),
            keyset(spec("eur", 0)).id(),
            SecretKeyset::derive(&Secret::new([2; 32]), spec("usd", 0)).id(),
            keyset(KeysetSpec { input_fee_ppk: 100, ..spec("usd", 0) }).id(),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert_eq!(keyset(spec("usd", 0)).id(), ids[0], "derivation is deterministic");
    }

    #[test]
    fn only_powers_of_two_have_keys() {
        let keyset = keyset(spec("usd", 0));
        for (amount, known) in
            [(0, false), (1, true), (3, false), (8, true), (16, false), (u64::MAX, false)]
        {
            assert_eq!(keyset.key(amount).is_some(), known, "{amount}");
        }
    }

    #[test]
    fn a_split_adds_up() {
        let keyset = keyset(spec("usd", 0));
        for amount in 0..100 {
            let parts = keyset.split(amount);
            assert_eq!(parts.iter().sum::<u64>(), amount);
            assert!(parts.iter().all(|part| keyset.key(*part).is_some()), "{amount}: {parts:?}");
        }
    }

    #[test]
    fn ids_of_both_versions_are_read_and_nothing_else() {
        let v2 = keyset(spec("usd", 0)).id();
        assert_eq!(v2.to_string().parse(), Ok(v2));
        assert_eq!("009a1f293253e41e".parse::<KeysetId>().unwrap().to_string(), "009a1f293253e41e");
        for text in ["", "0", "00", "019a1f293253e41e", "02", "009a1f293253e41g", "é0"] {
            assert_eq!(text.parse::<KeysetId>(), Err(KeysetIdError), "{text:?}");
        }
    }
}
