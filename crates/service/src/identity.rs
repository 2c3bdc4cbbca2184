//! The mint's own key pair: it names the mint (NUT-06, `pubkey`) and signs what the operator must stand by.

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey, schnorr};
use sha2::{Digest, Sha256};
use tacit_core::secret::Secret;

use crate::keyset::SealedTotals;
use crate::vault::Balance;

/// Prefix of the derivation from the seed.
const DOMAIN: &[u8] = b"tacit/identity/v1";

/// The mint's identity key pair.
pub struct Identity(Keypair);

impl Identity {
    /// The identity of a seed: the first of `HMAC-SHA256(seed, domain || attempt)` that is a scalar of the curve.
    pub fn derive(seed: &Secret<[u8; 32]>) -> Self {
        let keyed = Hmac::<Sha256>::new_from_slice(seed.expose()).expect("HMAC takes any key");
        let secret = (0..=u8::MAX).find_map(|attempt| {
            let tag = keyed.clone().chain_update(DOMAIN).chain_update([attempt]).finalize();
            SecretKey::from_byte_array(tag.into_bytes().into()).ok()
        });
        let secret = secret.expect("256 hashes do not all miss the group order");
        Self(Keypair::from_secret_key(SECP256K1, &secret))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        self.0.public_key()
    }

    /// Signs the totals of a closed keyset. Deterministic.
    pub fn seal(&self, keyset: tacit_ecash::keyset::KeysetId, balance: Balance) -> SealedTotals {
        let mut totals = SealedTotals {
            keyset,
            issued: balance.credits,
            redeemed: balance.debits,
            outstanding: balance.credits.saturating_sub(balance.debits),
            signature: [0; 64],
        };
        let digest: [u8; 32] = Sha256::digest(totals.message()).into();
        totals.signature = *SECP256K1.sign_schnorr_no_aux_rand(&digest, &self.0).as_ref();
        totals
    }
}

/// Whether the mint of this public key signed the totals (BIP-340 over their SHA-256).
pub fn sealed_by(mint: &PublicKey, totals: &SealedTotals) -> bool {
    let digest: [u8; 32] = Sha256::digest(totals.message()).into();
    let signature = schnorr::Signature::from_byte_array(totals.signature);
    SECP256K1.verify_schnorr(&signature, &digest, &mint.x_only_public_key().0).is_ok()
}

#[cfg(test)]
mod tests {
    use tacit_ecash::keyset::KeysetId;

    use super::*;

    #[test]
    fn a_seal_holds_for_its_totals_and_mint_only() {
        let (mint, other) =
            (Identity::derive(&Secret::new([1; 32])), Identity::derive(&Secret::new([2; 32])));
        let sealed = mint.seal(KeysetId::V2([1; 33]), Balance { debits: 3, credits: 10 });
        assert_eq!((sealed.issued, sealed.redeemed, sealed.outstanding), (10, 3, 7));
        assert!(sealed_by(&mint.public(), &sealed));
        assert!(!sealed_by(&other.public(), &sealed));
        assert!(!sealed_by(&mint.public(), &SealedTotals { outstanding: 6, ..sealed }));
    }
}
