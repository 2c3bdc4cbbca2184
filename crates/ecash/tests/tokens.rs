//! Tokens keep what they hold, and what is no token is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_ecash::dleq::Dleq;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::limit;
use tacit_ecash::point::PointBytes;
use tacit_ecash::token::{ProofDleq, ResolveError, Token, TokenError, TokenKeyset, TokenProof};

const V1_ID: &str = "009a1f293253e41e";

fn v2_id(last: u8) -> KeysetId {
    let mut id = [7; 33];
    (id[0], id[32]) = (1, last);
    KeysetId::V2(id)
}

fn secret_key(byte: u8) -> SecretKey {
    SecretKey::from_byte_array([byte; 32]).unwrap()
}

fn proof(keyset: TokenKeyset) -> TokenProof {
    TokenProof {
        amount: 4,
        keyset,
        secret: Secret::new("secret".to_owned()),
        signature: PointBytes::from(PublicKey::from_secret_key(SECP256K1, &secret_key(3))),
        witness: None,
        dleq: None,
    }
}

fn token(proofs: Vec<TokenProof>) -> Token {
    let (unit, memo) = (Some("usd".to_owned()), None);
    Token { mint: "https://mint.example/usd".to_owned(), unit, memo, proofs }
}

fn v3(json: &Value) -> Result<Token, TokenError> {
    format!("cashuA{}", URL_SAFE_NO_PAD.encode(json.to_string())).parse()
}

fn v3_proof() -> Value {
    let point = proof(TokenKeyset::Short([1; 8])).signature.to_string();
    json!({ "amount": 1, "id": V1_ID, "secret": "s", "C": point })
}

fn v3_token(proof: &Value) -> Value {
    json!({ "token": [{ "mint": "https://mint.example//", "proofs": [proof] }] })
}

#[test]
fn a_short_id_is_resolved_or_refused() {
    let short = TokenKeyset::Short([1, 7, 7, 7, 7, 7, 7, 7]);
    let other = KeysetId::V2([1; 33]);
    let token = token(vec![proof(TokenKeyset::Full(other)), proof(short)]);
    let keysets = |known: &[KeysetId]| {
        token.resolve(known).map(|proofs| proofs.iter().map(|p| p.keyset).collect::<Vec<_>>())
    };
    assert_eq!(keysets(&[v2_id(1), other]), Ok(vec![other, v2_id(1)]));
    assert_eq!(keysets(&[v2_id(1), other, v2_id(1)]), Ok(vec![other, v2_id(1)]));
    assert_eq!(keysets(&[other]), Err(ResolveError::Unknown { index: 1 }));
    assert_eq!(keysets(&[v2_id(1)]), Err(ResolveError::Unknown { index: 0 }));
    assert_eq!(keysets(&[other, v2_id(1), v2_id(2)]), Err(ResolveError::Ambiguous { index: 1 }));
}

#[test]
fn version_2_ids_are_written_short_and_read_in_full() {
    let read: Token =
        token(vec![proof(TokenKeyset::Full(v2_id(9)))]).to_text().expose().parse().unwrap();
    assert_eq!(read.proofs[0].keyset, TokenKeyset::Short([1, 7, 7, 7, 7, 7, 7, 7]));
    let in_full = |id: &str| {
        let mut proof = v3_proof();
        proof["id"] = id.into();
        v3(&v3_token(&proof)).map(|token| token.proofs[0].keyset)
    };
    assert_eq!(in_full(&v2_id(9).to_string()), Ok(TokenKeyset::Full(v2_id(9))));
    assert_eq!(in_full(V1_ID), Ok(TokenKeyset::Full(V1_ID.parse().unwrap())));
    for id in ["", "0107", "029a1f293253e41e", "I2yN+iRYfkzT", &"01".repeat(32)] {
        assert_eq!(in_full(id), Err(TokenError::Form), "{id}");
    }
}

#[test]
fn addresses_and_prefixes_are_read_as_the_specification_says() {
    let text = token(vec![proof(TokenKeyset::Short([1; 8]))]).to_text();
    let read: Token = text.expose().parse().unwrap();
    assert_eq!(format!("cashu:{}", text.expose()).parse(), Ok(read));
    assert_eq!(v3(&v3_token(&v3_proof())).unwrap().mint, "https://mint.example");
}

#[test]
fn what_is_no_token_is_refused() {
    let text = token(vec![proof(TokenKeyset::Short([1; 8]))]).to_text().expose().clone();
    let cbor = URL_SAFE_NO_PAD.decode(&text[6..]).unwrap();
    let wrap = |bytes: &[u8]| format!("cashuB{}", URL_SAFE_NO_PAD.encode(bytes));
    for (text, error) in [
        (format!("cashuB{}", "A".repeat(limit::TOKEN)), TokenError::TooLong),
        (String::new(), TokenError::Prefix),
        (text.replace("cashuB", "cashuC"), TokenError::Prefix),
        (format!("{text}!"), TokenError::Base64),
        (text.replace("cashuB", "cashuA"), TokenError::Form),
        (wrap(&cbor[..cbor.len() - 1]), TokenError::Form),
        (wrap(&[&cbor[..], &[0]].concat()), TokenError::Form),
        ("cashuA".to_owned(), TokenError::Form),
        (token(vec![]).to_text().expose().clone(), TokenError::Empty),
    ] {
        assert_eq!(text.parse::<Token>(), Err(error), "{error}");
    }
    assert_eq!(Token::from_raw(&cbor), Err(TokenError::Prefix));
    assert_eq!(Token::from_raw(&vec![0; limit::TOKEN + 1]), Err(TokenError::TooLong));
    assert_eq!(v3(&json!({ "token": [] })), Err(TokenError::Empty));
    let two = json!({ "token": [{ "mint": "a", "proofs": [v3_proof()] },
        { "mint": "b", "proofs": [v3_proof()] }] });
    assert_eq!(v3(&two), Err(TokenError::SeveralMints));
    let same = json!({ "token": [{ "mint": "a", "proofs": [v3_proof()] },
        { "mint": "a", "proofs": [v3_proof()] }] });
    assert_eq!(v3(&same).unwrap().proofs.len(), 2);
    for field in ["secret", "witness"] {
        let mut proof = v3_proof();
        proof[field] = "x".repeat(limit::WITNESS + 1).into();
        assert_eq!(v3(&v3_token(&proof)), Err(TokenError::OversizeField), "{field}");
    }
    let mut proof = v3_proof();
    proof["dleq"] = json!({ "e": "11".repeat(32), "s": "11".repeat(32), "r": "00".repeat(32) });
    assert_eq!(v3(&v3_token(&proof)), Err(TokenError::Form), "r is no scalar of the curve");
}

fn arb_proof() -> impl Strategy<Value = TokenProof> {
    let keyset = prop_oneof![
        any::<[u8; 7]>().prop_map(|rest| {
            let mut id = [0; 8];
            id[1..].copy_from_slice(&rest);
            TokenKeyset::Full(KeysetId::V1(id))
        }),
        any::<[u8; 7]>().prop_map(|rest| {
            let mut id = [1; 8];
            id[1..].copy_from_slice(&rest);
            TokenKeyset::Short(id)
        }),
    ];
    let dleq = (any::<[u8; 32]>(), any::<[u8; 32]>(), 1..=200_u8)
        .prop_map(|(e, s, r)| ProofDleq { dleq: Dleq { e, s }, blinding_factor: secret_key(r) });
    let witness = prop::option::of("[ -~]{1,40}".prop_map(Secret::new));
    (
        any::<u64>(),
        keyset,
        "\\PC{0,90}",
        prop::array::uniform32(any::<u8>()),
        witness,
        prop::option::of(dleq),
    )
        .prop_map(|(amount, keyset, secret, x, witness, dleq)| {
            let mut point = [2; 33];
            point[1..].copy_from_slice(&x);
            let (secret, signature) = (Secret::new(secret), PointBytes::from_bytes(point));
            TokenProof { amount, keyset, secret, signature, witness, dleq }
        })
}

proptest! {
    /// A token written and read again is the same token, as text and raw.
    #[test]
    fn tokens_survive_writing(
        proofs in prop::collection::vec(arb_proof(), 1..5),
        memo in prop::option::of("\\PC{0,30}"),
        path in "[a-z]{0,8}",
    ) {
        let token = Token { mint: format!("https://mint.example/{path}x"), memo, ..token(proofs) };
        prop_assert_eq!(&token.to_text().expose().parse::<Token>().unwrap(), &token);
        prop_assert_eq!(&Token::from_raw(token.to_raw().expose()).unwrap(), &token);
    }
}
