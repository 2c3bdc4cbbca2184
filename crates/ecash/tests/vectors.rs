//! The specifications' own test vectors on the real code path, refusals included; see `vectors/README.md`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;

use secp256k1::{PublicKey, SecretKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::blind::{blind, hash_to_curve};
use tacit_ecash::condition::{Spend, unlock};
use tacit_ecash::dleq::{self, Dleq, SigningKey};
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message;
use tacit_ecash::payment_request::lock_option::{LockKind, LockOption};
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};
use tacit_ecash::point::PointBytes;
use tacit_ecash::quote_lock;
use tacit_ecash::request::{MeltRequest, MintRequest, SwapRequest};
use tacit_ecash::token::Token;

/// The day the vectors were copied: their locktimes lie well before or after it.
const NOW: Timestamp = Timestamp::from_seconds(1_795_305_600);

/// The entries of a file, which must be as many as were copied.
fn vectors<T: DeserializeOwned>(file: &str, count: usize) -> Vec<T> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let entries: Vec<T> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(entries.len(), count, "entries of {file}");
    entries
}

/// Every file is listed here with its count, so none is copied and forgotten.
#[test]
fn every_vector_file_has_a_test() {
    let mut found = Vec::new();
    for folder in fs::read_dir(format!("{}/tests/vectors", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            for file in fs::read_dir(&folder).unwrap() {
                let file = file.unwrap().path();
                let name =
                    |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
                found.push(format!("{}/{}", name(&folder), name(&file)));
            }
        }
    }
    found.sort();
    let run = [include_str!("vectors.rs"), include_str!("../src/dleq.rs")].concat();
    for file in &found {
        assert!(run.contains(file.as_str()), "{file} is not run");
    }
    assert_eq!(found.len(), 18);
}

type Fields = BTreeMap<String, String>;

fn point(text: &str) -> PointBytes {
    text.parse().unwrap()
}

fn key(text: &str) -> SecretKey {
    SecretKey::from_byte_array(hex::decode(text).unwrap()).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    const_hex::decode(text).unwrap()
}

#[test]
fn nut00_hash_to_curve() {
    for vector in vectors::<Fields>("nut00/hash_to_curve.json", 3) {
        let hashed = hash_to_curve(&bytes(&vector["message"])).unwrap();
        assert_eq!(hashed.y().to_point(), point(&vector["point"]));
        assert_eq!(PointBytes::from(hashed.point()), point(&vector["point"]));
    }
}

#[test]
fn nut00_blinded_messages() {
    for vector in vectors::<Fields>("nut00/blinded_messages.json", 2) {
        let secret = hash_to_curve(&bytes(&vector["x"])).unwrap();
        assert_eq!(blind(&secret, &key(&vector["r"])), Ok(point(&vector["B_"])));
    }
}

#[test]
fn nut00_blinded_signatures() {
    for vector in vectors::<Fields>("nut00/blinded_signatures.json", 2) {
        let (signed, _) = SigningKey::new(key(&vector["k"])).sign(&point(&vector["B_"])).unwrap();
        assert_eq!(signed, point(&vector["C_"]));
    }
}

#[derive(Deserialize)]
struct TokenVector {
    name: String,
    #[serde(default)]
    bad: bool,
    #[serde(default)]
    token: Value,
    #[serde(default)]
    text: String,
    #[serde(default)]
    bytes: String,
}

#[test]
fn nut00_tokens_of_version_3() {
    for vector in vectors::<TokenVector>("nut00/tokens_v3.json", 6) {
        let read = vector.text.parse::<Token>();
        assert_eq!(read.is_err(), vector.bad, "{}: {read:?}", vector.name);
        if vector.token.is_object() {
            let (token, entry) = (read.unwrap(), &vector.token["token"][0]);
            assert_eq!(token.mint, entry["mint"]);
            assert_eq!(token.unit.as_deref(), vector.token["unit"].as_str());
            assert_eq!(token.memo.as_deref(), vector.token["memo"].as_str());
            let proofs: Vec<message::Proof> =
                serde_json::from_value(entry["proofs"].clone()).unwrap();
            let known = ["009a1f293253e41e".parse().unwrap()];
            let resolved = token.resolve(&known).unwrap();
            assert_eq!(resolved.into_iter().map(message::Proof::from).collect::<Vec<_>>(), proofs);
        }
    }
}

/// What a token holds, in the notation of the vectors.
fn shown(token: &Token) -> Value {
    let mut groups: Vec<Value> = Vec::new();
    let mut last = None;
    for proof in &token.proofs {
        let tacit_ecash::token::TokenKeyset::Full(id) = proof.keyset else {
            panic!("the vectors have ids of version 1")
        };
        if last.replace(id) != Some(id) {
            groups.push(serde_json::json!({ "i": id.to_string(), "p": [] }));
        }
        let shown = serde_json::json!({ "a": proof.amount, "s": proof.secret.expose(),
            "c": proof.signature.to_string() });
        groups.last_mut().unwrap()["p"].as_array_mut().unwrap().push(shown);
    }
    let mut shown = serde_json::json!({ "t": groups, "m": token.mint, "u": token.unit });
    if let Some(memo) = &token.memo {
        shown["d"] = memo.as_str().into();
    }
    shown
}

#[test]
fn nut00_tokens_of_version_4() {
    for vector in vectors::<TokenVector>("nut00/tokens_v4.json", 2) {
        let token: Token = vector.text.parse().unwrap();
        assert_eq!(shown(&token), vector.token, "{}", vector.name);
        assert_eq!(token.to_text().expose(), vector.text.trim_end_matches('='));
    }
    for vector in vectors::<TokenVector>("nut00/tokens_raw.json", 1) {
        let token = Token::from_raw(&bytes(&vector.bytes)).unwrap();
        assert_eq!(shown(&token), vector.token, "{}", vector.name);
        assert_eq!(token.to_raw().expose(), &bytes(&vector.bytes));
    }
}

#[derive(Deserialize)]
struct KeysetVector {
    #[serde(default)]
    bad: bool,
    #[serde(default)]
    id: String,
    unit: Option<Unit>,
    #[serde(default)]
    input_fee_ppk: u64,
    final_expiry: Option<Timestamp>,
    keys: Value,
}

/// The keys as a wallet reads them: from the answer of a mint.
fn read_keys(keys: &Value) -> Result<Vec<(u64, PublicKey)>, String> {
    let answer = serde_json::json!({ "keysets": [
        { "id": "00456a94ab4e1c46", "unit": "sat", "active": true, "keys": keys }] });
    let read: message::KeysResponse =
        serde_json::from_value(answer).map_err(|error| error.to_string())?;
    let parse = |(amount, key): (&u64, &PointBytes)| {
        key.parse().map(|key| (*amount, key)).map_err(|error| error.to_string())
    };
    read.keysets[0].keys.iter().map(parse).collect()
}

#[test]
fn nut01_keysets() {
    for vector in vectors::<KeysetVector>("nut01/keysets.json", 4) {
        assert_eq!(read_keys(&vector.keys).is_err(), vector.bad);
    }
}

#[test]
fn nut02_keyset_ids() {
    let (mut version_1, mut version_2) = (0, 0);
    for vector in vectors::<KeysetVector>("nut02/keyset_ids.json", 5) {
        let id: KeysetId = vector.id.parse().unwrap();
        let keys = read_keys(&vector.keys).unwrap();
        let keys = || keys.iter().map(|(amount, key)| (*amount, key));
        let unit = vector.unit.unwrap_or(Unit::new("sat").unwrap());
        let (fee, expiry) = (vector.input_fee_ppk, vector.final_expiry);
        assert!(id.names(keys(), unit, fee, expiry), "{id}");
        assert!(!id.names(keys().skip(1), unit, fee, expiry), "{id}");
        match id {
            KeysetId::V1(_) => version_1 += 1,
            KeysetId::V2(_) => {
                version_2 += 1;
                assert_eq!(KeysetId::derive(keys(), unit, fee, expiry), id);
                assert!(!id.names(keys(), unit, fee + 1, expiry), "the fee is part of {id}");
            }
        }
    }
    assert_eq!((version_1, version_2), (2, 3));
}

#[derive(Deserialize)]
struct ConditionVector<R> {
    name: String,
    #[serde(default)]
    bad: bool,
    #[serde(alias = "proof")]
    request: R,
    message: Option<String>,
    digest: Option<String>,
}

impl<R> ConditionVector<R> {
    fn check(&self, spend: &Spend<'_>) {
        let verdict = unlock(spend, NOW);
        assert_eq!(verdict.is_err(), self.bad, "{}: {verdict:?}", self.name);
        if let (Some(message), Some(digest)) = (&self.message, &self.digest) {
            assert_eq!(hex::encode(&Sha256::digest(message)), *digest, "{}", self.name);
            assert_eq!(hex::encode(&spend.digest()), *digest, "{}", self.name);
        }
    }
}

#[test]
fn nut11_single_proofs() {
    let mut refused = 0;
    for vector in vectors::<ConditionVector<message::Proof>>("nut11/proofs.json", 9) {
        let request =
            message::SwapRequest { inputs: vec![vector.request.clone()], outputs: vec![output()] };
        let request = SwapRequest::try_from(request).unwrap();
        let inputs = request.inputs.as_slice();
        vector.check(&Spend { inputs, outputs: request.outputs.as_slice(), melt_quote: None });
        refused += usize::from(vector.bad);
    }
    assert_eq!(refused, 4);
}

fn output() -> message::BlindedMessage {
    let blinded = point("038ec853d65ae1b79b5cdbc2774150b2cb288d6d26e12958a16fb33c32d9a86c39");
    let id: KeysetId = "00bfa73302d12ffd".parse().unwrap();
    message::BlindedMessage { amount: 1, id: id.into(), blinded }
}

#[test]
fn nut11_swaps_under_sig_all() {
    let mut refused = 0;
    for vector in vectors::<ConditionVector<message::SwapRequest>>("nut11/swaps.json", 8) {
        let request = SwapRequest::try_from(vector.request.clone()).unwrap();
        vector.check(&Spend {
            inputs: request.inputs.as_slice(),
            outputs: request.outputs.as_slice(),
            melt_quote: None,
        });
        refused += usize::from(vector.bad);
    }
    assert_eq!(refused, 2);
}

#[test]
fn nut11_melts_under_sig_all() {
    for vector in vectors::<ConditionVector<message::MeltRequest>>("nut11/melts.json", 3) {
        let request = MeltRequest::try_from(vector.request.clone()).unwrap();
        vector.check(&Spend {
            inputs: request.inputs.as_slice(),
            outputs: request.outputs.as_slice(),
            melt_quote: Some(&request.quote),
        });
    }
}

#[test]
fn nut12_deterministic_nonce() {
    for vector in vectors::<Fields>("nut12/nonce.json", 1) {
        let key = SigningKey::new(key(&vector["a"]));
        assert_eq!(PointBytes::from(key.public()), point(&vector["A"]));
        let (signed, dleq) = key.sign(&point(&vector["B_"])).unwrap();
        assert_eq!(signed, point(&vector["C_"]));
        assert_eq!(
            (hex::encode(&dleq.e), hex::encode(&dleq.s)),
            (vector["e"].clone(), vector["s"].clone())
        );
        assert!(dleq::is_valid(&dleq, key.public(), &point(&vector["B_"]), &signed));
    }
}

#[derive(Deserialize)]
struct SignatureVector {
    #[serde(rename = "A")]
    key: PointBytes,
    #[serde(rename = "B_")]
    blinded: PointBytes,
    signature: message::BlindSignature,
}

#[test]
fn nut12_blind_signatures() {
    for vector in vectors::<SignatureVector>("nut12/blind_signatures.json", 1) {
        let signed = tacit_ecash::proof::BlindSignature::try_from(vector.signature).unwrap();
        let key = vector.key.parse().unwrap();
        assert!(dleq::is_valid(&signed.dleq, &key, &vector.blinded, &signed.signature));
        let turned = Dleq { e: signed.dleq.s, s: signed.dleq.e };
        assert!(!dleq::is_valid(&turned, &key, &vector.blinded, &signed.signature));
    }
}

#[derive(Deserialize)]
struct ProofVector {
    #[serde(rename = "A")]
    key: PointBytes,
    proof: Value,
}

#[test]
fn nut12_proofs() {
    for vector in vectors::<ProofVector>("nut12/proofs.json", 1) {
        // As it arrives: in a token.
        let json = serde_json::json!({ "token": [{ "mint": "m", "proofs": [vector.proof] }] });
        let token: Token =
            format!("cashuA{}", base64_of(json.to_string().as_bytes())).parse().unwrap();
        let proof = &token.proofs[0];
        let secret = hash_to_curve(proof.secret.expose().as_bytes()).unwrap();
        let (key, sent) = (vector.key.parse().unwrap(), proof.dleq.unwrap());
        let check =
            |secret, r| dleq::is_valid_unblinded(&sent.dleq, &key, secret, &proof.signature, r);
        assert!(check(&secret, &sent.blinding_factor));
        let other_factor = SecretKey::from_byte_array([1; 32]).unwrap();
        let other_secret = hash_to_curve(b"another").unwrap();
        assert!(!check(&secret, &other_factor));
        assert!(!check(&other_secret, &sent.blinding_factor));
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE.encode(bytes)
}

#[derive(Deserialize)]
struct MintVector {
    name: String,
    #[serde(default)]
    bad: bool,
    pubkey: PointBytes,
    message: Option<String>,
    request: message::MintRequest,
}

#[test]
fn nut20_mint_requests() {
    for vector in vectors::<MintVector>("nut20/mint_requests.json", 2) {
        let request = MintRequest::try_from(vector.request).unwrap();
        let outputs = request.outputs.as_slice();
        let verdict = quote_lock::verify(
            &vector.pubkey,
            &request.quote,
            outputs,
            &request.signature.unwrap(),
        );
        assert_eq!(verdict.is_err(), vector.bad, "{}", vector.name);
        if let Some(message) = vector.message {
            let digest: [u8; 32] = Sha256::digest(&message).into();
            assert_eq!(quote_lock::digest(&request.quote, outputs), digest);
        }
    }
}

#[test]
fn secrets_in_tokens_do_not_print() {
    let text = &vectors::<TokenVector>("nut00/tokens_v4.json", 2)[0].text;
    let token: Token = text.parse().unwrap();
    assert!(!format!("{token:?}").contains("9a6dbb84"));
    assert_eq!(
        token.proofs[0].secret,
        Secret::new("9a6dbb847bd232ba76db0df197216b29d3b8cc14553cd27827fc1cc942fedb4e".to_owned())
    );
}

#[derive(Deserialize)]
struct RequestVector {
    name: String,
    request: Value,
    encoded: String,
    #[serde(default)]
    differs: Vec<String>,
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn tags(value: &Value) -> Vec<Vec<String>> {
    value.as_array().into_iter().flatten().map(texts).collect()
}

/// A payment request from the specification's JSON.
fn payment_request(json: &Value) -> PaymentRequest {
    let text = |field: &str| json[field].as_str().map(str::to_owned);
    let transport = |json: &Value| Transport {
        kind: match json["t"].as_str().unwrap() {
            "nostr" => TransportKind::Nostr,
            "post" => TransportKind::Post,
            other => panic!("{other}"),
        },
        target: json["a"].as_str().unwrap().to_owned(),
        tags: tags(&json["g"]),
    };
    let lock = |json: &Value| LockOption {
        kind: if json["k"] == "P2PK" { LockKind::P2pk } else { LockKind::Htlc },
        data: json["d"].as_str().unwrap().to_owned(),
        tags: tags(&json["t"]),
    };
    PaymentRequest {
        id: text("i"),
        amount: json["a"].as_u64(),
        unit: text("u"),
        is_single_use: json["s"].as_bool(),
        mints: texts(&json["m"]),
        description: text("d"),
        transports: json["t"].as_array().into_iter().flatten().map(transport).collect(),
        lock: json.get("nut10").map(lock),
        ..PaymentRequest::default()
    }
}

/// cashubtc/nuts, tests/18-tests.md.
#[test]
fn nut18_payment_requests() {
    for RequestVector { name, request, encoded, differs } in vectors("nut18/requests.json", 6) {
        let read: PaymentRequest = encoded.parse().unwrap();
        let mut stated = payment_request(&request);
        if differs.contains(&"m".to_owned()) {
            assert_ne!(stated.mints, read.mints, "{name}");
            stated.mints.clone_from(&read.mints);
            stated.transports.clone_from(&read.transports);
        }
        assert_eq!(read, stated, "{name}");
        assert_eq!(stated.to_creq_a().unwrap().parse(), Ok(stated), "{name}");
    }
}

/// cashubtc/nuts, tests/26-test.md: read, and written to the letter.
#[test]
fn nut26_payment_requests() {
    for RequestVector { name, request, encoded, .. } in vectors("nut26/requests.json", 16) {
        let stated = payment_request(&request);
        assert_eq!(stated.to_creq_b().as_ref(), Ok(&encoded), "{name}");
        assert_eq!(encoded.parse().as_ref(), Ok(&stated), "{name}");
        assert_eq!(encoded.to_lowercase().parse(), Ok(stated), "{name}");
    }
}
