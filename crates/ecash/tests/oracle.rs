//! The `cashu` crate, which we did not write, comes to the same results; where it does not, the reason is named.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::str::FromStr;

use cashu::dhke;
use cashu::nuts::nut00::Token as OracleToken;
use cashu::nuts::nut01::{Keys, PublicKey as OracleKey, SecretKey as OracleSecretKey};
use cashu::nuts::nut02::Id as OracleId;
use cashu::nuts::{
    BlindSignature as OracleSignature, CurrencyUnit, KeySetInfo, Proof as OracleProof,
};
use cashu::{Amount, MintUrl};
use proptest::prelude::*;
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::json;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::blind::{blind, hash_to_curve, is_signature, unblind};
use tacit_ecash::dleq::{self, Dleq, SigningKey};
use tacit_ecash::keyset::{KeysetId, KeysetSpec, SecretKeyset};
use tacit_ecash::message;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindedMessage, Proof, sign, verify};
use tacit_ecash::quote_lock;
use tacit_ecash::token::{ProofDleq, Token, TokenKeyset, TokenProof};

fn arb_key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>()
        .prop_filter_map("a scalar of the curve", |bytes| SecretKey::from_byte_array(bytes).ok())
}

fn oracle_secret(key: &SecretKey) -> OracleSecretKey {
    OracleSecretKey::from_slice(&key.secret_bytes()).unwrap()
}

fn oracle_point(point: &PointBytes) -> OracleKey {
    OracleKey::from_slice(point.as_bytes()).unwrap()
}

fn point(point: &OracleKey) -> PointBytes {
    PointBytes::from_bytes(point.to_bytes())
}

fn public(key: &SecretKey) -> PublicKey {
    PublicKey::from_secret_key(SECP256K1, key)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn secrets_fall_on_the_same_point(secret: Vec<u8>) {
        let theirs = dhke::hash_to_curve(&secret).unwrap();
        prop_assert_eq!(hash_to_curve(&secret).unwrap().y().to_point(), point(&theirs));
    }

    /// Each side of the protocol can be played by either.
    #[test]
    fn blind_signatures_agree(secret in "\\PC{1,80}", r in arb_key(), k in arb_key()) {
        let ours = hash_to_curve(secret.as_bytes()).unwrap();
        let b_ = blind(&ours, &r).unwrap();
        let (theirs, _) = dhke::blind_message(secret.as_bytes(), Some(oracle_secret(&r))).unwrap();
        prop_assert_eq!(b_, point(&theirs));

        let (c_, proof) = SigningKey::new(k).sign(&b_).unwrap();
        let their_c_ = dhke::sign_message(&oracle_secret(&k), &theirs).unwrap();
        prop_assert_eq!(c_, point(&their_c_));

        let mint_key = public(&k);
        let c = unblind(&c_, &r, &mint_key).unwrap();
        let their_key = oracle_secret(&k).public_key();
        let their_c = dhke::unblind_message(&their_c_, &oracle_secret(&r), &their_key).unwrap();
        prop_assert_eq!(c, point(&their_c));

        prop_assert!(is_signature(&ours, &c, &k));
        let verified = dhke::verify_message(&oracle_secret(&k), their_c, secret.as_bytes());
        prop_assert!(verified.is_ok());

        let id = OracleId::from_str("009a1f293253e41e").unwrap();
        let signed =
            OracleSignature::new(Amount::from(1), their_c_, id, &theirs, &oracle_secret(&k)).unwrap();
        let written: message::BlindSignature =
            serde_json::from_value(serde_json::to_value(&signed).unwrap()).unwrap();
        prop_assert_eq!(Dleq::from(written.dleq.unwrap()), proof, "the nonce is deterministic");
        prop_assert!(signed.verify_dleq(their_key, theirs).is_ok());
        prop_assert!(dleq::is_valid(&proof, &mint_key, &b_, &c_));

        let sent = json!({ "amount": 1, "id": "009a1f293253e41e", "secret": secret, "C": c,
            "dleq": { "e": hex::encode(&proof.e), "s": hex::encode(&proof.s),
                "r": hex::encode(&r.secret_bytes()) } });
        let sent: OracleProof = serde_json::from_value(sent).unwrap();
        prop_assert!(sent.verify_dleq(their_key).is_ok());
        prop_assert!(dleq::is_valid_unblinded(&proof, &mint_key, &ours, &c, &r));
    }

    #[test]
    fn wrong_signatures_are_wrong_to_both(
        secret in "[a-z]{1,20}", other in "[a-z]{1,20}", k in arb_key(), wrong in arb_key(),
    ) {
        prop_assume!(k != wrong);
        let (x, y) = (hash_to_curve(secret.as_bytes()).unwrap(), hash_to_curve(other.as_bytes()).unwrap());
        let signed = |key: &SecretKey| {
            SigningKey::new(*key).sign(&PointBytes::from(x.point())).unwrap().0
        };
        for (signature, asked, text) in [(signed(&wrong), &x, &secret), (signed(&k), &y, &other)] {
            let theirs =
                dhke::verify_message(&oracle_secret(&k), oracle_point(&signature), text.as_bytes());
            prop_assert_eq!(is_signature(asked, &signature, &k), theirs.is_ok());
        }
    }

    #[test]
    fn keyset_ids_agree(
        keys in prop::collection::btree_map(any::<u64>(), arb_key(), 1..20),
        fee in prop_oneof![Just(0), any::<u64>()],
        expiry in prop::option::of(prop_oneof![Just(0), any::<u64>()]),
        code in prop::sample::select(vec!["usd", "eur", "kes", "sat"]),
    ) {
        let publics: Vec<(u64, PublicKey)> =
            keys.iter().map(|(amount, key)| (*amount, public(key))).collect();
        let ours = || publics.iter().map(|(amount, key)| (*amount, key));
        let theirs = Keys::new(
            ours().map(|(amount, key)| (Amount::from(amount), oracle_point(&key.into()))).collect(),
        );
        let unit = CurrencyUnit::from_str(code).unwrap();
        let id = OracleId::v2_from_data(&theirs, &unit, fee, expiry);
        let (unit, expiry) = (Unit::new(code).unwrap(), expiry.map(Timestamp::from_seconds));
        prop_assert_eq!(KeysetId::derive(ours(), unit, fee, expiry).to_string(), id.to_string());
        let version_1: KeysetId = OracleId::v1_from_keys(&theirs).to_string().parse().unwrap();
        prop_assert!(version_1.names(ours(), unit, fee, expiry));
    }

    /// A mint request is signed by either for either.
    #[test]
    fn mint_request_signatures_agree(key in arb_key(), amounts in prop::collection::vec(any::<u64>(), 0..4)) {
        let id: KeysetId = "009a1f293253e41e".parse().unwrap();
        let blinded = PointBytes::from(public(&key));
        let outputs: Vec<BlindedMessage> = amounts
            .into_iter()
            .map(|amount| BlindedMessage { amount, keyset: id, blinded })
            .collect();
        let written: Vec<message::BlindedMessage> = outputs.iter().copied().map(Into::into).collect();
        let mut theirs: cashu::MintRequest<String> =
            serde_json::from_value(json!({ "quote": "quote", "outputs": written })).unwrap();
        let verify = |signature: &str| {
            let signature = hex::decode(signature).unwrap();
            quote_lock::verify(&PointBytes::from(public(&key)), "quote", &outputs, &signature)
        };
        theirs.sign(&oracle_secret(&key)).unwrap();
        prop_assert_eq!(verify(theirs.signature.as_ref().unwrap()), Ok(()));
        let ours = quote_lock::sign("quote", &outputs, &key, &[0; 32]);
        theirs.signature = Some(hex::encode(&ours));
        let verified = theirs.verify_signature(oracle_secret(&key).public_key());
        prop_assert!(verified.is_ok(), "{:?}", verified);
    }

    /// What one writes the other reads, and finds the same in it.
    #[test]
    fn tokens_agree(
        amounts in prop::collection::vec((any::<u64>(), any::<bool>(), arb_key()), 1..5),
        memo in prop::option::of("\\PC{0,20}"),
        with_dleq: bool,
        with_witness: bool,
    ) {
        let ids = ["009a1f293253e41e", KEYSET].map(|id| id.parse::<KeysetId>().unwrap());
        let proofs: Vec<TokenProof> = amounts
            .iter()
            .map(|(amount, second, key)| TokenProof {
                amount: amount % (1 << 40),
                keyset: TokenKeyset::Full(ids[usize::from(*second)]),
                secret: Secret::new(hex::encode(&key.secret_bytes())),
                signature: PointBytes::from(public(key)),
                witness: with_witness.then(|| Secret::new(r#"{"signatures":["00"]}"#.to_owned())),
                dleq: with_dleq.then(|| ProofDleq {
                    dleq: Dleq { e: key.secret_bytes(), s: key.secret_bytes() },
                    blinding_factor: *key,
                }),
            })
            .collect();
        let (mint, unit) = ("https://mint.example/usd".to_owned(), Some("usd".to_owned()));
        let ours = Token { mint, unit, memo, proofs };

        let theirs = OracleToken::from_str(ours.to_text().expose()).unwrap();
        prop_assert_eq!(theirs.memo(), &ours.memo);
        prop_assert_eq!(theirs.mint_url().unwrap(), MintUrl::from_str(&ours.mint).unwrap());
        let known: Vec<KeySetInfo> = ids
            .iter()
            .map(|id| {
                let info = json!({ "id": id, "unit": "usd", "active": true });
                serde_json::from_value(info).unwrap()
            })
            .collect();
        let mut read: Vec<message::Proof> =
            serde_json::from_value(serde_json::to_value(theirs.proofs(&known).unwrap()).unwrap())
                .unwrap();
        for (read, written) in read.iter_mut().zip(&ours.proofs) {
            prop_assert_eq!(&read.witness, &None, "cdk 0.18 does not read the field w");
            read.witness = written.witness.clone();
        }
        let resolved: Vec<message::Proof> =
            ours.resolve(&ids).unwrap().into_iter().map(message::Proof::from).collect();
        prop_assert_eq!(&read, &resolved);

        // Their copy of our token, and a token that they made, with the witness, from the same proofs.
        let copied = same_as_written(&theirs);
        let mut short = ours.to_text().expose().parse::<Token>().unwrap();
        short.proofs.iter_mut().for_each(|proof| proof.witness = None);
        prop_assert_eq!(copied, sorted(short));
        let theirs = OracleToken::new(
            MintUrl::from_str(&ours.mint).unwrap(),
            serde_json::from_value(serde_json::to_value(&resolved).unwrap()).unwrap(),
            ours.memo.clone(),
            CurrencyUnit::Usd,
        );
        let made = same_as_written(&theirs);
        let mut short = ours.to_text().expose().parse::<Token>().unwrap();
        short.proofs.iter_mut().for_each(|proof| proof.dleq = None);
        prop_assert_eq!(made, sorted(short));
    }
}

/// What we read of their token, the same as text and raw.
fn same_as_written(theirs: &OracleToken) -> Token {
    let read: Token = theirs.to_string().parse().unwrap();
    assert_eq!(Token::from_raw(&theirs.to_raw_bytes().unwrap()).unwrap(), read);
    sorted(read)
}

/// They group by keyset in no particular order.
fn sorted(mut token: Token) -> Token {
    token.proofs.sort_by(|a, b| a.secret.expose().cmp(b.secret.expose()));
    token
}

const KEYSET: &str = "01adc013fa9d85171586660abab27579888611659d357bc86bc09cb26eee8bc035";

/// A whole proof of ours, made by their wallet, is accepted by our mint.
#[test]
fn their_wallet_is_paid_by_our_mint() {
    let unit = Unit::new("usd").unwrap();
    let spec = KeysetSpec { unit, index: 0, orders: 8, input_fee_ppk: 0, final_expiry: None };
    let keyset = SecretKeyset::derive(&Secret::new([3; 32]), spec);
    let keys = Keys::new(
        keyset
            .public_keys()
            .map(|(amount, key)| (Amount::from(amount), oracle_point(&key.into())))
            .collect(),
    );
    let secret = cashu::secret::Secret::new("their secret");
    let (blinded, r) = dhke::blind_message(secret.as_bytes(), None).unwrap();
    let request = BlindedMessage { amount: 64, keyset: keyset.id(), blinded: point(&blinded) };
    let signed = message::BlindSignature::from(sign(&request, &keyset).unwrap());
    let signed: OracleSignature =
        serde_json::from_value(serde_json::to_value(signed).unwrap()).unwrap();
    let theirs = dhke::construct_proofs(vec![signed], vec![r], vec![secret], &keys).unwrap();
    let read: message::Proof =
        serde_json::from_value(serde_json::to_value(&theirs[0]).unwrap()).unwrap();
    let proof = Proof {
        amount: read.amount,
        keyset: read.id.id().unwrap(),
        secret: read.secret,
        signature: read.signature,
        witness: read.witness,
    };
    assert_eq!(verify(&proof, &keyset).unwrap().amount(), 64);
}
