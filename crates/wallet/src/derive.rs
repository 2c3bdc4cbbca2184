//! Every secret and blinding factor from the seed, a keyset's id and a counter (NUT-13).
//!
//! A wallet therefore stores no secret: keyset and counter name it.

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{PublicKey, SECP256K1, Scalar, SecretKey, constants};
use sha2::{Sha256, Sha512};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_ecash::blinding::{Blinding, BlindingError};
use tacit_ecash::keyset::KeysetId;

use crate::seed::Seed;

/// Prefix of the derivation under ids of version 2.
const KDF_DOMAIN: &[u8] = b"Cashu_KDF_HMAC_SHA256";
/// Prefix of what signatures take for randomness; ours.
const AUX_DOMAIN: &[u8] = b"Tacit_aux";
/// Bit that makes an index of BIP-32 hardened.
const HARDENED: u32 = 1 << 31;
/// `m/129372'/0'`, before the keyset's number (NUT-13, "Legacy Derivation").
const PURPOSE: [u32; 2] = [129_372 | HARDENED, HARDENED];

/// `m/129373'/{10 or 20}'/0'/0'`, before a key's number: keys that locks name, and keys of mint quotes. Not in the text of
/// NUT-13 yet (cashubtc/nuts pull request 331), and the same in cdk and cashu-ts.
const KEY_PURPOSE: u32 = 129_373 | HARDENED;
/// Under [`KEY_PURPOSE`]: for locks (NUT-11).
const LOCK_KEYS: u32 = 10 | HARDENED;
/// Under [`KEY_PURPOSE`]: for mint quotes (NUT-20).
const QUOTE_KEYS: u32 = 20 | HARDENED;

/// What a counter stands for: the secret of a proof, and the factor that blinded it.
pub struct Derived {
    /// `x`, 32 bytes in hexadecimal.
    pub secret: Secret<String>,
    /// `r`.
    pub factor: SecretKey,
}

/// Why a counter has no secret. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// Keysets of version 1 have counters below 2^31 only.
    #[error("a keyset of version 1 has no counter of {counter}")]
    CounterTooLarge {
        /// The counter.
        counter: u64,
    },
    /// The hash is no scalar. No input is known to reach it.
    #[error("the counter {counter} leads to no scalar")]
    NoScalar {
        /// The counter.
        counter: u64,
    },
    /// The secret cannot be blinded. No input is known to reach it.
    #[error(transparent)]
    Blinding(#[from] BlindingError),
}

impl Seed {
    /// Secret and blinding factor of a keyset's counter.
    ///
    /// # Errors
    /// [`DeriveError::CounterTooLarge`], [`DeriveError::NoScalar`].
    ///
    /// Source: NUT-13, "Deterministic secret derivation".
    pub fn derive(&self, keyset: &KeysetId, counter: u64) -> Result<Derived, DeriveError> {
        match keyset {
            KeysetId::V1(id) => self.derive_v1(id, counter),
            KeysetId::V2(id) => self.derive_v2(id, counter),
        }
    }

    /// The output to be signed under a keyset's counter.
    ///
    /// `amount`: minor units; any, for a blank output (NUT-08).
    ///
    /// # Errors
    /// [`DeriveError`].
    pub fn blinding(
        &self,
        keyset: KeysetId,
        counter: u64,
        amount: u64,
    ) -> Result<Blinding, DeriveError> {
        let Derived { secret, factor } = self.derive(&keyset, counter)?;
        Ok(Blinding::new(amount, keyset, secret, factor)?)
    }

    /// The key of a mint quote (NUT-20): `m/129373'/20'/0'/0'/{number}`, for a number below 2^31.
    ///
    /// From the seed and not from chance, so that whoever has the words and knows the quote's id can still have what
    /// was paid for, though the state is lost.
    ///
    /// # Errors
    /// [`DeriveError::NoScalar`], which no input is known to reach.
    pub fn quote_key(&self, number: u32) -> Result<SecretKey, DeriveError> {
        let key = self.keys(QUOTE_KEYS, number..number.saturating_add(1)).next();
        key.ok_or(DeriveError::NoScalar { counter: number.into() })
    }

    /// Keys to be named in locks (NUT-11): `m/129373'/10'/0'/0'/{number}`, for numbers below 2^31.
    pub fn lock_keys(&self, numbers: Range<u32>) -> impl Iterator<Item = SecretKey> {
        self.keys(LOCK_KEYS, numbers)
    }

    fn keys(&self, account: u32, numbers: Range<u32>) -> impl Iterator<Item = SecretKey> {
        let path = [KEY_PURPOSE, account, HARDENED, HARDENED];
        let descend = |node: Node, index: &u32| node.child(*index);
        let parent = Node::master(self).and_then(|master| path.iter().try_fold(master, descend));
        let child = move |number| Some(parent.as_ref()?.child(number)?.key);
        numbers.filter(|number| *number < HARDENED).filter_map(child)
    }

    /// What a signature takes for randomness (BIP-340, "auxiliary random data"): from the seed, so that a request made
    /// again has the same bytes.
    pub(crate) fn aux(&self, message: &str) -> [u8; 32] {
        let keyed = Hmac::<Sha256>::new_from_slice(self.as_bytes()).expect("HMAC takes any key");
        keyed.chain_update(AUX_DOMAIN).chain_update(message).finalize().into_bytes().into()
    }

    /// NUT-13, "HMAC-SHA256 Derivation".
    fn derive_v2(&self, id: &[u8; 33], counter: u64) -> Result<Derived, DeriveError> {
        let keyed = Hmac::<Sha256>::new_from_slice(self.as_bytes())
            .expect("HMAC takes any key")
            .chain_update(KDF_DOMAIN)
            .chain_update(id)
            .chain_update(counter.to_be_bytes());
        let digest = |kind: u8| -> [u8; 32] {
            keyed.clone().chain_update([kind]).finalize().into_bytes().into()
        };
        let factor = SecretKey::from_byte_array(reduced(digest(1)))
            .map_err(|_| DeriveError::NoScalar { counter })?;
        Ok(Derived { secret: Secret::new(hex::encode(&digest(0))), factor })
    }

    /// NUT-13, "Legacy Derivation": `m/129372'/0'/{keyset}'/{counter}'/{0 or 1}`.
    fn derive_v1(&self, id: &[u8; 8], counter: u64) -> Result<Derived, DeriveError> {
        let no_scalar = DeriveError::NoScalar { counter };
        let index = u32::try_from(counter)
            .ok()
            .filter(|index| *index < HARDENED)
            .ok_or(DeriveError::CounterTooLarge { counter })?;
        let number = u64::from_be_bytes(*id) % u64::from(HARDENED - 1);
        let number = u32::try_from(number).expect("below 2^31");
        let mut node = Node::master(self).ok_or(no_scalar)?;
        for index in [PURPOSE[0], PURPOSE[1], number | HARDENED, index | HARDENED] {
            node = node.child(index).ok_or(no_scalar)?;
        }
        let secret = node.child(0).ok_or(no_scalar)?.key.secret_bytes();
        let factor = node.child(1).ok_or(no_scalar)?.key;
        Ok(Derived { secret: Secret::new(hex::encode(&secret)), factor })
    }
}

/// `digest mod N`: one subtraction, for the group order is above 2^255.
fn reduced(digest: [u8; 32]) -> [u8; 32] {
    let order = constants::CURVE_ORDER;
    if digest < order {
        return digest;
    }
    let mut rest = [0; 32];
    let mut borrow = false;
    for at in (0..32).rev() {
        let (difference, first) = digest[at].overflowing_sub(order[at]);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        (rest[at], borrow) = (difference, first || second);
    }
    rest
}

/// A key of BIP-32 with its chain code.
struct Node {
    key: SecretKey,
    chain: [u8; 32],
}

impl Node {
    /// BIP-32, "Master key generation".
    fn master(seed: &Seed) -> Option<Self> {
        let (key, chain) = hmac_sha512(b"Bitcoin seed", &[seed.as_bytes()]);
        Some(Self { key: SecretKey::from_byte_array(key).ok()?, chain })
    }

    /// BIP-32, "Private parent key to private child key".
    fn child(&self, index: u32) -> Option<Self> {
        let own = if index & HARDENED == 0 {
            PublicKey::from_secret_key(SECP256K1, &self.key).serialize()
        } else {
            let mut bytes = [0; 33];
            bytes[1..].copy_from_slice(&self.key.secret_bytes());
            bytes
        };
        let (tweak, chain) = hmac_sha512(&self.chain, &[&own, &index.to_be_bytes()]);
        let key = self.key.add_tweak(&Scalar::from_be_bytes(tweak).ok()?).ok()?;
        Some(Self { key, chain })
    }
}

/// The two halves of an HMAC-SHA512.
fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> ([u8; 32], [u8; 32]) {
    let mut keyed = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes any key");
    parts.iter().for_each(|part| keyed.update(part));
    let digest: [u8; 64] = keyed.finalize().into_bytes().into();
    let (left, right) = digest.split_at(32);
    (left.try_into().expect("32 of 64 bytes"), right.try_into().expect("32 of 64 bytes"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::seed::Words;

    #[derive(Deserialize)]
    struct Vector {
        mnemonic: String,
        keyset_id: KeysetId,
        secrets: Vec<String>,
        blinding_factors: Vec<String>,
    }

    /// cashubtc/nuts, tests/13-tests.md, commit 3ddb1ae.
    #[test]
    fn nut13_secrets_and_blinding_factors() {
        let text = include_str!("../tests/vectors/nut13/secrets.json");
        let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let seed = vector.mnemonic.parse::<Words>().unwrap().seed();
            assert_eq!((vector.secrets.len(), vector.blinding_factors.len()), (5, 5));
            for (counter, (secret, factor)) in
                (0..).zip(vector.secrets.iter().zip(&vector.blinding_factors))
            {
                let derived = seed.derive(&vector.keyset_id, counter).unwrap();
                assert_eq!(derived.secret.expose(), secret, "{} {counter}", vector.keyset_id);
                assert_eq!(&hex::encode(&derived.factor.secret_bytes()), factor);
            }
        }
    }

    /// cashubtc/nuts pull request 331, as tested in cdk (`wallet/p2pk.rs`).
    #[test]
    fn keys_for_locks_are_those_of_other_wallets() {
        let words: Words =
            "half depart obvious quality work element tank gorilla view sugar picture humble"
                .parse()
                .unwrap();
        let seed = words.seed();
        let keys = seed.lock_keys(0..3);
        let keys: Vec<String> = keys.map(|key| key.public_key(SECP256K1).to_string()).collect();
        assert_eq!(
            keys,
            [
                "021693d45f4fdf610ae641fedb0944fb460fbb8264f21c19d2626c3da755fcbbcb",
                "0395461ab678058c0ed6aa39f38dda490eaa163e9ad27070b23ec3d06b41e07535",
                "02a05e4e593a633e9b4405f01c9632c8afde24cb613017a1aee56fd76291ad26d1",
            ]
        );
        let quote = words.seed().quote_key(0).unwrap().public_key(SECP256K1).to_string();
        assert!(!keys.contains(&quote));
        assert_eq!(
            words.seed().quote_key(HARDENED),
            Err(DeriveError::NoScalar { counter: 1 << 31 })
        );
    }

    #[test]
    fn a_digest_above_the_group_order_is_reduced_and_others_are_kept() {
        let order = constants::CURVE_ORDER;
        let mut one_above = order;
        one_above[31] += 1;
        let mut one = [0; 32];
        one[31] = 1;
        assert_eq!(reduced(order), [0; 32]);
        assert_eq!(reduced(one_above), one);
        assert_eq!(reduced([7; 32]), [7; 32]);
        // 2^256 - 1 - N, by an independent computation.
        let rest = "000000000000000000000000000000014551231950b75fc4402da1732fc9bebe";
        assert_eq!(hex::encode(&reduced([0xff; 32])), rest);
    }

    #[test]
    fn version_1_has_no_counter_from_2_to_the_31_on() {
        let seed = Words::from_entropy(&[3; 16]).seed();
        let (v1, v2) = (KeysetId::V1([0; 8]), KeysetId::V2([1; 33]));
        let counter = u64::from(HARDENED);
        assert_eq!(
            seed.derive(&v1, counter).map(|_| ()),
            Err(DeriveError::CounterTooLarge { counter })
        );
        assert!(seed.derive(&v1, counter - 1).is_ok());
        assert!(seed.derive(&v2, u64::MAX).is_ok());
    }

    #[test]
    fn every_counter_and_keyset_has_its_own_secret_and_factor() {
        let seed = Words::from_entropy(&[3; 16]).seed();
        let keysets = [KeysetId::V2([1; 33]), KeysetId::V2([2; 33]), KeysetId::V1([0; 8])];
        let mut seen = std::collections::BTreeSet::new();
        for keyset in &keysets {
            for counter in 0..50 {
                let derived = seed.derive(keyset, counter).unwrap();
                assert!(seen.insert(derived.secret.expose().clone()));
                assert!(seen.insert(hex::encode(&derived.factor.secret_bytes())));
            }
        }
    }
}
