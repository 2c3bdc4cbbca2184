//! Payment requests keep what they hold in both versions, the `cashu` crate agrees, and what is none is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bech32::{Bech32m, Hrp};
use cashu::nuts::nut18::PaymentRequest as OracleRequest;
use proptest::prelude::*;
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::json;
use tacit_core::secret::Secret;
use tacit_ecash::condition::lock::{Condition, Lock, Malformed, Terms};
use tacit_ecash::dleq::Dleq;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::limit;
use tacit_ecash::payment_request::lock_option::{LockKind, LockOption};
use tacit_ecash::payment_request::payload::{Payload, ShortKeyset};
use tacit_ecash::payment_request::{
    Method, NotWritable, PaymentRequest, PaymentRequestError, Transport, TransportKind,
};
use tacit_ecash::point::PointBytes;
use tacit_ecash::token::{ProofDleq, Token, TokenError, TokenKeyset, TokenProof};

fn cbor(value: &serde_json::Value) -> String {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    format!("creqA{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn tlv(bytes: &[u8]) -> String {
    bech32::encode_upper::<Bech32m>(Hrp::parse("creqb").unwrap(), bytes).unwrap()
}

fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[tag], &length[..], value].concat()
}

fn read(text: &str) -> Result<PaymentRequest, PaymentRequestError> {
    text.parse()
}

fn arb_text() -> impl Strategy<Value = String> {
    "[ -~]{0,12}|\\PC{1,6}"
}

fn arb_tags() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec("[a-qs-z]{1,9}", 1..4), 0..3)
}

/// What both versions can say.
fn arb_request() -> impl Strategy<Value = PaymentRequest> {
    let transport = (any::<bool>(), arb_tags()).prop_map(|(is_post, tags)| {
        let profile = "nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8g2lcy6q";
        let (kind, target) = match is_post {
            true => (TransportKind::Post, "https://shop.example/pay"),
            false => (TransportKind::Nostr, profile),
        };
        Transport { kind, target: target.to_owned(), tags }
    });
    let lock = (any::<bool>(), arb_text(), arb_tags()).prop_map(|(is_key, data, tags)| {
        let kind = if is_key { LockKind::P2pk } else { LockKind::Htlc };
        LockOption { kind, data, tags }
    });
    let method =
        ("[a-z0-9]{1,8}", any::<Option<u64>>()).prop_map(|(name, fee)| Method { name, fee });
    let mint = "https://[a-z]{1,8}\\.example";
    (
        (prop::option::of(arb_text()), any::<Option<u64>>(), "sat|usd|msat"),
        (any::<Option<bool>>(), any::<Option<bool>>()),
        prop::collection::vec(mint, 0..3),
        prop::collection::vec(method, 0..3),
        (
            prop::option::of(arb_text()),
            prop::collection::vec(transport, 0..3),
            prop::option::of(lock),
        ),
    )
        .prop_map(|((id, amount, unit), (is_single_use, any_mint), mints, methods, rest)| {
            let (description, transports, lock) = rest;
            PaymentRequest {
                id,
                amount,
                unit: Some(unit),
                is_single_use,
                mints,
                is_any_mint_taken: any_mint,
                methods,
                description,
                transports,
                lock,
            }
        })
}

/// The oracle's reading of a text, as CBOR and so as ours.
fn through_oracle(text: &str) -> PaymentRequest {
    OracleRequest::from_str(text).unwrap().to_string().parse().unwrap()
}

proptest! {
    /// A request written and read again is the same request, in either version.
    #[test]
    fn requests_survive_writing(request in arb_request()) {
        prop_assert_eq!(&read(&request.to_creq_a().unwrap()).unwrap(), &request);
        prop_assert_eq!(&read(&request.to_creq_b().unwrap()).unwrap(), &request);
    }

    /// The oracle reads what we write, and we read what it writes, to the same request.
    #[test]
    fn the_oracle_reads_and_writes_the_same_requests(request in arb_request()) {
        // It knows amounts and fees of any size, and of units and addresses only those above.
        let mut expected = request.clone();
        expected.transports.retain(|transport| transport.kind == TransportKind::Post);
        let ours = expected.to_creq_a().unwrap();
        prop_assert_eq!(&through_oracle(&ours), &expected);
        let ours = expected.to_creq_b().unwrap();
        if ours.len() <= 1023 {
            prop_assert_eq!(&through_oracle(&ours), &expected);
            let theirs = OracleRequest::from_str(&ours).unwrap().to_bech32_string().unwrap();
            prop_assert_eq!(theirs, ours);
        }
    }

    /// Cut off anywhere, nothing is left that could be taken for the whole.
    #[test]
    fn a_request_that_is_cut_off_is_refused(request in arb_request(), at in any::<prop::sample::Index>()) {
        for text in [request.to_creq_a().unwrap(), request.to_creq_b().unwrap()] {
            let cut = &text[..at.index(text.len())];
            prop_assert!(read(cut).is_err(), "{}", cut);
        }
    }
}

#[test]
fn nostr_profiles_go_through_the_oracle_unchanged() {
    let tags = vec![vec!["n".to_owned(), "17".to_owned()]];
    let target = "nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gprpmhxue69uhhyetvv9unztn90psk6urvv5hxxmmdqyv8wumn8ghj7un9d3shjv3wv4uxzmtsd3jjucm0d5q3samnwvaz7tmjv4kxz7fn9ejhsctdwpkx2tnrdaksxzjpjp".to_owned();
    let transports = vec![Transport { kind: TransportKind::Nostr, target, tags }];
    let request = PaymentRequest { transports, ..PaymentRequest::default() };
    assert_eq!(through_oracle(&request.to_creq_a().unwrap()), request);
    let mut theirs = through_oracle(&request.to_creq_b().unwrap());
    // It leaves the relays among the tags, beside the profile.
    theirs.transports[0].tags.retain(|tag| tag[0] != "r");
    assert_eq!(theirs, request);
}

#[test]
fn requests_are_found_in_links_and_in_either_case() {
    let request = PaymentRequest { id: Some("x".to_owned()), ..PaymentRequest::default() };
    let (a, b) = (request.to_creq_a().unwrap(), request.to_creq_b().unwrap());
    for text in [
        format!("cashu:{a}"),
        a.replace("creqA", "CREQA"),
        format!("bitcoin:?creq={b}"),
        format!("BITCOIN:bc1qxyz?lightning=lnbc1&creq={}", b.to_lowercase()),
        b.to_lowercase(),
    ] {
        assert_eq!(read(&text), Ok(request.clone()), "{text}");
    }
    for text in ["bitcoin:bc1qxyz", "bitcoin:?lightning=lnbc1", "creq", "", "cashuBxyz", "é"] {
        assert_eq!(read(text), Err(PaymentRequestError::Prefix), "{text}");
    }
    let mixed = b.replacen('Q', "q", 1);
    assert_eq!(read(&mixed), Err(PaymentRequestError::Checksum));
}

#[test]
fn version_a_is_refused_if_it_is_not_what_it_should_be() {
    use PaymentRequestError::{Base64, Form, NoUnit, TooLong, TooMany};
    let long = vec!["x"; limit::CREQ_LIST + 1];
    for (text, error) in [
        (format!("creqA{}", "A".repeat(limit::CREQ)), TooLong),
        ("creqA!".to_owned(), Base64),
        ("creqA".to_owned(), Form),
        (cbor(&json!([])), Form),
        (cbor(&json!({"a": -1, "u": "sat"})), Form),
        (cbor(&json!({"a": 1.5, "u": "sat"})), Form),
        (cbor(&json!({"i": 7})), Form),
        (cbor(&json!({"t": [{"t": "post"}]})), Form),
        (cbor(&json!({"t": [{"t": "post", "a": "x", "g": [[]]}]})), Form),
        (cbor(&json!({"nut10": {"k": "P2PK"}})), Form),
        (cbor(&json!({"m": long})), TooMany),
        (cbor(&json!({"nut10": {"k": "P2PK", "d": "", "t": [long]}})), TooMany),
        (cbor(&json!({"a": 1})), NoUnit),
        (cbor(&json!({"sm": [{"mn": "bolt11"}]})), NoUnit),
        // A map of two fields, both `i`; and one with a byte behind it.
        (
            format!("creqA{}", URL_SAFE_NO_PAD.encode([0xa2, 0x61, b'i', 0x60, 0x61, b'i', 0x60])),
            Form,
        ),
        (format!("creqA{}", URL_SAFE_NO_PAD.encode([0xa0, 0])), Form),
        // A text that claims 2^63 bytes.
        (
            format!(
                "creqA{}",
                URL_SAFE_NO_PAD
                    .encode([0xa1, 0x61, b'i', 0x7b, 0x7f, 255, 255, 255, 255, 255, 255, 255])
            ),
            Form,
        ),
    ] {
        assert_eq!(read(&text), Err(error), "{text}");
    }
    let unknown = read(&cbor(&json!({"zz": [1, {"x": null}], "t": null, "nut10": null}))).unwrap();
    assert_eq!(unknown, PaymentRequest::default(), "unknown fields are passed over");
}

#[test]
fn version_b_is_refused_if_it_is_not_what_it_should_be() {
    use PaymentRequestError::{Checksum, Form, NoUnit, TooMany};
    let kind = |number| field(1, &[number]);
    let transport = |parts: &[Vec<u8>]| field(7, &parts.concat());
    let tag = |bytes: &[u8]| transport(&[kind(1), field(2, b"x"), field(3, bytes)]);
    for bytes in [
        vec![1],
        vec![1, 0],
        vec![1, 0, 1],
        [field(1, b"a"), field(1, b"b")].concat(),
        [field(2, &[0; 8]), field(2, &[0; 8]), field(3, &[0])].concat(),
        field(1, &[0xff]),
        field(2, &[0; 7]),
        field(4, &[2]),
        field(4, &[]),
        field(9, &[0, 0]),
        field(10, &[]),
        field(10, &field(2, &[0; 8])),
        [
            field(8, &[kind(0), field(2, b"k")].concat()),
            field(8, &[kind(0), field(2, b"k")].concat()),
        ]
        .concat(),
        transport(&[field(2, b"x")]),
        transport(&[kind(1)]),
        transport(&[kind(1), kind(1), field(2, b"x")]),
        transport(&[field(1, &[1, 1]), field(2, b"x")]),
        transport(&[kind(0), field(2, &[7; 31])]),
        tag(&[]),
        tag(&[2, b'x']),
    ] {
        assert_eq!(read(&tlv(&bytes)), Err(Form), "{bytes:?}");
    }
    let mints = field(5, b"x").repeat(limit::CREQ_LIST + 1);
    assert_eq!(read(&tlv(&mints)), Err(TooMany));
    assert_eq!(read(&tlv(&field(2, &[0; 8]))), Err(NoUnit));
    let text = tlv(&field(1, b"a"));
    assert_eq!(read(&format!("{}Q", &text[..text.len() - 1])), Err(Checksum));
    let bech32 = bech32::encode::<bech32::Bech32>(Hrp::parse("creqb").unwrap(), &field(1, b"a"));
    assert_eq!(read(&bech32.unwrap()), Err(Checksum), "Bech32 is not Bech32m");
    let unknown = read(&tlv(&[field(0xee, b"??"), field(1, b"a")].concat())).unwrap();
    assert_eq!(unknown.id.as_deref(), Some("a"), "unknown tags are passed over");
}

/// A request whose only transport is unknown must not look like one without transport, which is paid in band.
#[test]
fn what_one_version_cannot_name_is_kept_and_not_written_in_the_other() {
    let part = [field(1, &[9]), field(2, &[0xab, 0xcd])].concat();
    let numbered = read(&tlv(&field(7, &part))).unwrap();
    let kind = TransportKind::Numbered(9);
    let kept = Transport { kind, target: "abcd".to_owned(), tags: Vec::new() };
    assert_eq!(numbered.transports, [kept]);
    assert_eq!(numbered.to_creq_a(), Err(NotWritable::Kind));
    assert_eq!(read(&numbered.to_creq_b().unwrap()), Ok(numbered));

    let named = read(&cbor(&json!({"t": [{"t": "pigeon", "a": "x"}]}))).unwrap();
    assert_eq!(named.transports[0].kind, TransportKind::Named("pigeon".to_owned()));
    assert_eq!(named.to_creq_b(), Err(NotWritable::Kind));
    assert_eq!(read(&named.to_creq_a().unwrap()), Ok(named));

    let lock = [field(1, &[7]), field(2, b"x")].concat();
    let locked = read(&tlv(&field(8, &lock))).unwrap();
    assert_eq!(locked.lock.as_ref().unwrap().condition(), Err(Malformed::UnknownKind));
    assert_eq!(locked.to_creq_a(), Err(NotWritable::Kind));
    assert_eq!(read(&locked.to_creq_b().unwrap()), Ok(locked));
    let locked = read(&cbor(&json!({"nut10": {"k": "VAULT", "d": "x"}}))).unwrap();
    assert_eq!(locked.to_creq_b(), Err(NotWritable::Kind));

    let nostr = read(&cbor(&json!({"t": [{"t": "nostr", "a": "nobody"}]}))).unwrap();
    assert_eq!(nostr.to_creq_b(), Err(NotWritable::Nostr));
    let long = PaymentRequest { id: Some("x".repeat(limit::CREQ)), ..PaymentRequest::default() };
    assert_eq!(long.to_creq_a(), Err(NotWritable::TooLong));
    assert_eq!(long.to_creq_b(), Err(NotWritable::TooLong));
}

#[test]
fn a_lock_is_taken_word_for_word_if_it_opens_for_somebody() {
    let key = PublicKey::from_secret_key(SECP256K1, &SecretKey::from_byte_array([3; 32]).unwrap());
    let condition = Condition::new(Terms::new(Lock::Key(key))).unwrap();
    let mut option = LockOption::of(&condition);
    assert_eq!(option.condition(), Ok(condition.clone()));
    assert_eq!(option.to_secret(&[5; 32]).unwrap(), condition.to_secret(&[5; 32]));
    option.tags.push(vec!["timeout".to_owned(), "3600".to_owned()]);
    let secret = option.to_secret(&[5; 32]).unwrap();
    assert!(secret.expose().contains(r#"["timeout","3600"]"#), "what nobody knows stays");
    assert_eq!(option.condition(), Ok(condition));
    option.tags.push(vec!["n_sigs".to_owned(), "2".to_owned()]);
    assert_eq!(option.condition(), Err(Malformed::SignatureCount));
}

fn payload() -> Payload {
    let key = SecretKey::from_byte_array([3; 32]).unwrap();
    let dleq = ProofDleq { dleq: Dleq { e: [1; 32], s: [2; 32] }, blinding_factor: key };
    let mut id = [7; 33];
    id[0] = 1;
    let proof = TokenProof {
        amount: 4,
        keyset: TokenKeyset::Full(KeysetId::V2(id)),
        secret: Secret::new("secret".to_owned()),
        signature: PointBytes::from(PublicKey::from_secret_key(SECP256K1, &key)),
        witness: None,
        dleq: Some(dleq),
    };
    let (unit, memo) = (Some("usd".to_owned()), Some("thanks".to_owned()));
    let token = Token { mint: "https://mint.example".to_owned(), unit, memo, proofs: vec![proof] };
    Payload { id: Some("b7a90176".to_owned()), token }
}

#[test]
fn payloads_survive_writing_and_the_oracle_reads_them() {
    let payload = payload();
    let json = payload.to_json().unwrap();
    assert_eq!(Payload::from_json(json.expose().as_bytes()).as_ref(), Ok(&payload));
    let theirs: cashu::nuts::PaymentRequestPayload = serde_json::from_str(json.expose()).unwrap();
    assert_eq!(theirs.id, payload.id);
    let theirs = serde_json::to_string(&theirs).unwrap();
    assert_eq!(Payload::from_json(theirs.as_bytes()), Ok(payload));
}

#[test]
fn what_is_no_payload_is_refused() {
    let honest: serde_json::Value =
        serde_json::from_str(payload().to_json().unwrap().expose()).unwrap();
    let read = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = honest.clone();
        change(&mut changed);
        Payload::from_json(changed.to_string().as_bytes())
    };
    assert!(read(&|_| ()).is_ok());
    for field in ["mint", "unit", "proofs"] {
        let gone = read(&|json| drop(json.as_object_mut().unwrap().remove(field)));
        assert_eq!(gone, Err(TokenError::Form), "{field}");
    }
    assert_eq!(read(&|json| json["proofs"] = json!([])), Err(TokenError::Empty));
    assert_eq!(read(&|json| json["proofs"][0]["amount"] = json!("4")), Err(TokenError::Form));
    let long = read(&|json| json["proofs"][0]["secret"] = json!("x".repeat(limit::SECRET + 1)));
    assert_eq!(long, Err(TokenError::OversizeField));
    let huge = Payload::from_json(&vec![b' '; limit::TOKEN + 1]);
    assert_eq!(huge, Err(TokenError::TooLong));
    let mut short = payload();
    short.token.proofs[0].keyset = TokenKeyset::Short([1; 8]);
    assert_eq!(short.to_json(), Err(ShortKeyset { index: 0 }));
}
