//! What went wrong elsewhere, where it concerns keysets and signatures. Conditions and oversize fields: see
//! `conditions.rs` (`multisig_counts_x_only_keys_once`, `zero_signature_condition_is_refused`,
//! `htlc_refund_needs_no_preimage`) and `messages.rs` (`oversize_fields_are_refused`).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeSet, HashMap};

use secp256k1::{PublicKey, SECP256K1, SecretKey};
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::blind::{blind, hash_to_curve, unblind};
use tacit_ecash::keyset::{KeysetId, KeysetSpec, SecretKeyset};
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindedMessage, InvalidProof, Proof, sign, verify};
use tacit_ecash::token::{ResolveError, Token, TokenKeyset, TokenProof};

fn spec(index: u32) -> KeysetSpec {
    let unit = Unit::new("usd").unwrap();
    KeysetSpec { unit, index, orders: 4, input_fee_ppk: 0, final_expiry: None }
}

fn keyset(spec: KeysetSpec) -> SecretKeyset {
    SecretKeyset::derive(&Secret::new([1; 32]), spec)
}

/// A proof as a wallet makes it.
fn issue(keyset: &SecretKeyset, amount: u64, secret: &str) -> Proof {
    let r = SecretKey::from_byte_array([5; 32]).unwrap();
    let point = hash_to_curve(secret.as_bytes()).unwrap();
    let blinded = blind(&point, &r).unwrap();
    let signed = sign(&BlindedMessage { amount, keyset: keyset.id(), blinded }, keyset).unwrap();
    let key = keyset.key(amount).unwrap().public();
    let signature = unblind(&signed.signature, &r, key).unwrap();
    let secret = Secret::new(secret.to_owned());
    Proof { amount, keyset: keyset.id(), secret, signature, witness: None }
}

/// The integer of 31 bits that NUT-13 once took for the name of a keyset.
fn nut13_integer(id: &KeysetId) -> u64 {
    id.as_bytes().iter().fold(0, |sum, byte| (sum * 256 + u64::from(*byte)) % ((1 << 31) - 1))
}

/// NUT-13 note, July 2025: 31-bit keyset integers were the same at different mints.
///
/// What holds: our names are all 32 bytes of a hash over keys, unit, fee and expiry. Two whose integers collide stay
/// two; nothing is looked up by less than the whole name, and a token's short id that fits both is refused.
#[test]
fn keyset_ids_cannot_collide() {
    let key = PublicKey::from_secret_key(SECP256K1, &SecretKey::from_byte_array([1; 32]).unwrap());
    let unit = Unit::new("usd").unwrap();
    let mut seen = HashMap::new();
    let (one, other) = (0..300_000)
        .find_map(|fee| {
            let id = KeysetId::derive([(1, &key)], unit, fee, None);
            seen.insert(nut13_integer(&id), id).map(|earlier| (earlier, id))
        })
        .expect("2^31 values collide within 300,000 ids but for one chance in a billion");
    assert_ne!(one, other);
    assert!(matches!(one, KeysetId::V2(_)), "no name of version 1 is made here");
    assert_ne!(one.to_string().parse::<KeysetId>(), other.to_string().parse());

    // Whatever the name covers makes another, with other keys.
    let sets = [
        spec(0),
        spec(1),
        KeysetSpec { unit: Unit::new("eur").unwrap(), ..spec(0) },
        KeysetSpec { input_fee_ppk: 1, ..spec(0) },
        KeysetSpec { final_expiry: Some(Timestamp::from_seconds(1)), ..spec(0) },
    ]
    .map(keyset);
    let ids: BTreeSet<KeysetId> = sets.iter().map(SecretKeyset::id).collect();
    let keys: BTreeSet<PublicKey> =
        sets.iter().flat_map(|set| set.public_keys().map(|(_, key)| *key)).collect();
    assert_eq!((ids.len(), keys.len()), (5, 5 * 4));

    // 56 bits are chosen by whoever makes a token, so two keysets may be made to fit: refused, not guessed.
    let mut twin = *one.as_bytes().first_chunk::<33>().unwrap();
    twin[32] ^= 1;
    let short = TokenKeyset::Short(*twin.first_chunk().unwrap());
    let proof = issue(&sets[0], 1, "secret");
    let proof = TokenProof {
        amount: 1,
        keyset: short,
        secret: proof.secret,
        signature: proof.signature,
        witness: None,
        dleq: None,
    };
    let token = Token {
        mint: "https://mint.example".to_owned(),
        unit: None,
        memo: None,
        proofs: vec![proof],
    };
    assert!(token.resolve(&[one]).is_ok());
    let error = ResolveError::Ambiguous { index: 0 };
    assert_eq!(token.resolve(&[one, KeysetId::V2(twin)]), Err(error));
}

/// Taler #6416: one coin key used across denominations.
///
/// What holds: a wallet may have one secret signed by two keysets or for two amounts. The signatures differ, and
/// each counts for its own keyset and amount only. But the secret has one `Y`, and `Y` is what the mint remembers as
/// spent: whoever spends one of them has spent both. The wallet loses by it, the mint cannot.
#[test]
fn same_secret_under_two_keysets() {
    let (first, second) = (keyset(spec(0)), keyset(spec(1)));
    let proofs = [issue(&first, 1, "x"), issue(&first, 8, "x"), issue(&second, 1, "x")];
    let signatures: BTreeSet<PointBytes> = proofs.iter().map(|proof| proof.signature).collect();
    assert_eq!(signatures.len(), proofs.len());

    for proof in &proofs {
        for (keyset, amount) in [(&first, 1), (&first, 8), (&second, 1), (&second, 8)] {
            let claimed = Proof { amount, keyset: keyset.id(), ..proof.clone() };
            let is_own = (amount, keyset.id()) == (proof.amount, proof.keyset);
            let verdict = verify(&claimed, keyset);
            assert_eq!(verdict.is_ok(), is_own, "{amount} of {:?}", keyset.id());
            assert_eq!(verify(proof, keyset).is_ok(), keyset.id() == proof.keyset);
            if !is_own {
                assert_eq!(verdict, Err(InvalidProof));
            }
        }
    }

    let ys: BTreeSet<_> = [(0, &first), (1, &first), (2, &second)]
        .map(|(index, keyset)| verify(&proofs[index], keyset).unwrap().y())
        .into();
    assert_eq!(ys.len(), 1, "one secret is spent once, whatever signed it");
}
