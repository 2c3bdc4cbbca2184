//! A desk, a holder and a verifier; and people who change what travels between them.

use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};

use super::hold::{Certificate, ReceiveError};
use super::issue::Issuer;
use super::issuer::{Metadata, MetadataError, Trusted};
use super::jws::{self, JwsError};
use super::key::{PublicKey, SecretKey};
use super::statement::{BATCH, Claim, LIFETIME_DAYS, Shown, Statement};
use super::verify::{
    AGE_SECONDS_MAX, AHEAD_SECONDS_MAX, CertificateError, Expected, PRESENTATION_BYTES_MAX, verify,
};
use crate::passport::tag::Entropy;
use crate::scorecard::signed::CardId;

mod ask;

const ISSUER: &str = "https://mint.example.org";
const EXPECTED: Expected<'_> = Expected { audience: "verifier_attestation:bank", nonce: "n-0S6" };
/// 2026-11-26, a quarter past ten.
const NOW: Timestamp = Timestamp::from_seconds(20_783 * Day::SECONDS + 36_900);

fn later(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() + seconds)
}

fn entropy(byte: u8) -> Entropy {
    Secret::new([byte; 32])
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_entropy(&entropy(byte))
}

fn issuer() -> Issuer {
    Issuer::new(ISSUER, key(100))
}

fn metadata() -> Metadata {
    issuer().metadata(&key(101).public())
}

fn trusted() -> Trusted {
    metadata().certificates()
}

fn statement() -> Statement {
    let card = CardId::from_bytes([1; 32]);
    Statement { card, threshold: 600, tenure: 6, nothing_overdue: true }
}

fn certificate(byte: u8) -> Certificate {
    let texts = issuer().issue(&statement(), &[key(byte).public()], NOW.day(), &entropy(byte));
    Certificate::receive(&texts[0], key(byte), &statement(), &trusted(), NOW).unwrap()
}

fn shown() -> String {
    certificate(1).present(&Claim::ALL, EXPECTED, NOW)
}

fn check(text: &str) -> Result<(), CertificateError> {
    verify(text, &trusted(), EXPECTED, NOW).map(drop)
}

/// The parts of a presentation: what the issuer signed, claims, what the holder signed.
fn parts(text: &str) -> (String, Vec<String>, String) {
    let mut parts: Vec<String> = text.split('~').map(str::to_owned).collect();
    let holder = parts.pop().unwrap();
    (parts.remove(0), parts, holder)
}

/// Puts a presentation together again, signed by the holder for what it now is.
fn signed_again(signed: &str, claims: &[String], key: &SecretKey) -> String {
    let text: String = std::iter::once(signed)
        .chain(claims.iter().map(String::as_str))
        .flat_map(|part| [part, "~"])
        .collect();
    let binding = json!({"iat": NOW, "aud": EXPECTED.audience, "nonce": EXPECTED.nonce,
        "sd_hash": super::verify::hash_of(&text)});
    text + &jws::sign(&jws::Header::new("kb+jwt"), &binding, key)
}

#[test]
fn a_certificate_is_shown_as_far_as_its_holder_likes() {
    let certificate = certificate(1);
    let text = certificate.present(&Claim::ALL, EXPECTED, later(5));
    let presented = verify(&text, &trusted(), EXPECTED, later(10)).unwrap();
    let all = Shown {
        card: Some(CardId::from_bytes([1; 32])),
        threshold: Some(600),
        tenure: Some(6),
        nothing_overdue: true,
    };
    assert_eq!((presented.issuer.as_str(), presented.shown), (ISSUER, all));
    assert_eq!(presented.key, key(1).public());
    let text = certificate.present(&[Claim::Threshold], EXPECTED, NOW);
    let presented = verify(&text, &trusted(), EXPECTED, NOW).unwrap();
    assert_eq!(presented.shown, Shown { threshold: Some(600), ..Shown::default() });
    assert!(!text.contains(
        certificate.present(&[Claim::Scorecard], EXPECTED, NOW).split('~').nth(1).unwrap()
    ));
    let values: Vec<(Claim, Value)> = certificate.claims().collect();
    assert_eq!(values.len(), 4);
    assert_eq!(values[1], (Claim::Threshold, json!(600)));
}

/// Two of one batch, as two verifiers see them: nothing but what all certificates of the day have is the same.
#[test]
fn certificates_of_a_batch_have_nothing_of_their_own_in_common() {
    let keys: Vec<PublicKey> = (0..4).map(|byte| key(byte).public()).collect();
    assert_eq!(keys.len(), BATCH);
    let mut texts = issuer().issue(&statement(), &keys, NOW.day(), &entropy(1));
    // And one of somebody else, hours later.
    texts.extend(issuer().issue(
        &statement(),
        &[key(9).public()],
        later(40_000).day(),
        &entropy(2),
    ));
    let mut seen = std::collections::BTreeSet::new();
    for text in &texts {
        let (signed, claims, _) = parts(text);
        let pieces: Vec<&str> = signed.split('.').collect();
        assert_eq!(pieces[0], texts[0].split('.').next().unwrap(), "one header for all");
        assert!(seen.insert(pieces[2].to_owned()), "signatures differ");
        for claim in claims {
            assert!(seen.insert(claim), "salts differ");
        }
        let payload: Value = serde_json::from_slice(&jws::decode(pieces[1]).unwrap()).unwrap();
        let digests: Vec<&str> = payload["_sd"]
            .as_array()
            .unwrap()
            .iter()
            .map(|digest| digest.as_str().unwrap())
            .collect();
        assert!(digests.is_sorted());
        for digest in digests {
            assert!(seen.insert(digest.to_owned()), "digests differ");
        }
        assert!(seen.insert(payload["cnf"].to_string()));
        let names: Vec<&String> = payload.as_object().unwrap().keys().collect();
        assert_eq!(names, ["_sd", "_sd_alg", "cnf", "exp", "iat", "iss", "vct"]);
        assert_eq!(payload["iat"], json!(NOW.day().start()), "the day, not the second");
        assert_eq!(payload["exp"], json!((NOW.day().number() + LIFETIME_DAYS) * Day::SECONDS));
    }
}

/// A statement that leaves bills open has as many digests, one of which is of nothing.
#[test]
fn what_was_not_proven_cannot_be_counted() {
    let less = Statement { nothing_overdue: false, ..statement() };
    let text = issuer().issue(&less, &[key(1).public()], NOW.day(), &entropy(1)).remove(0);
    let (signed, claims, _) = parts(&text);
    let payload = jws::decode(signed.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((claims.len(), payload["_sd"].as_array().unwrap().len()), (3, 4));
    let held = Certificate::receive(&text, key(1), &less, &trusted(), NOW).unwrap();
    let shown = held.present(&Claim::ALL, EXPECTED, NOW);
    assert!(!verify(&shown, &trusted(), EXPECTED, NOW).unwrap().shown.nothing_overdue);
}

#[test]
fn a_wallet_takes_only_what_it_asked_for() {
    let text = issuer().issue(&statement(), &[key(1).public()], NOW.day(), &entropy(1)).remove(0);
    let receive = |text: &str, byte, statement: &Statement, now| {
        Certificate::receive(text, key(byte), statement, &trusted(), now).map(drop)
    };
    assert_eq!(receive(&text, 1, &statement(), NOW), Ok(()));
    assert_eq!(receive(&text, 2, &statement(), NOW), Err(ReceiveError::OtherKey));
    let better = Statement { threshold: 700, ..statement() };
    assert_eq!(receive(&text, 1, &better, NOW), Err(ReceiveError::OtherStatement));
    let (signed, mut claims, _) = parts(&text);
    claims.pop();
    let less = format!("{signed}~{}~", claims.join("~"));
    assert_eq!(receive(&less, 1, &statement(), NOW), Err(ReceiveError::OtherStatement));
    let end = Timestamp::from_seconds((NOW.day().number() + LIFETIME_DAYS) * Day::SECONDS);
    let refused = |error| Err(ReceiveError::Certificate(error));
    assert_eq!(receive(&text, 1, &statement(), end), refused(CertificateError::Expired));
    assert_eq!(
        receive(text.trim_end_matches('~'), 1, &statement(), NOW),
        refused(CertificateError::NoParts)
    );
    let long = "~".repeat(PRESENTATION_BYTES_MAX + 1);
    assert_eq!(receive(&long, 1, &statement(), NOW), refused(CertificateError::TooLarge));
}

#[test]
fn no_character_of_a_presentation_can_be_changed() {
    let text = shown();
    assert_eq!(check(&text), Ok(()));
    for at in 0..text.len() {
        for other in [b'A', b'B', b'~', b'.', b'=', 0xc3] {
            let mut bytes = text.clone().into_bytes();
            if bytes[at] == other {
                continue;
            }
            bytes[at] = other;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(check(&changed).is_err(), "byte {at} as {other}");
        }
    }
    for length in 0..text.len() {
        assert!(check(&text[..length]).is_err(), "{length}");
    }
    assert!(check(&format!("{text}A")).is_err());
    assert!(check(&format!("{text}~")).is_err());
}

#[test]
fn claims_cannot_be_added_or_shown_twice_or_exchanged() {
    let (signed, claims, _) = parts(&shown());
    let attempt = |claims: &[String]| check(&signed_again(&signed, claims, &key(1)));
    assert_eq!(attempt(&claims), Ok(()));
    let better = super::disclosure::Disclosure::new(&[7; 16], "threshold", &json!(900));
    let better = better.as_str().to_owned();
    let mut more = claims.clone();
    more.push(better.clone());
    assert_eq!(attempt(&more), Err(CertificateError::Claim { index: 4 }));
    let mut other = claims.clone();
    other[1] = better;
    assert_eq!(attempt(&other), Err(CertificateError::Claim { index: 1 }));
    let mut twice = claims.clone();
    twice.push(claims[0].clone());
    assert_eq!(attempt(&twice), Err(CertificateError::Claim { index: 4 }));
    // Those of another certificate with the same statement.
    let (_, theirs, _) = parts(&certificate(2).present(&Claim::ALL, EXPECTED, NOW));
    assert_eq!(attempt(&theirs), Err(CertificateError::Claim { index: 0 }));
    assert_eq!(attempt(&[String::new()]), Err(CertificateError::Claim { index: 0 }));
    // In another order they are the same claims.
    let mut turned = claims;
    turned.reverse();
    assert_eq!(attempt(&turned), Ok(()));
}

#[test]
fn what_the_holder_signed_counts_for_one_presentation() {
    let first = shown();
    let (signed, claims, holder) = parts(&first);
    // Fewer claims than the holder signed for, by whoever saw the whole.
    let less = format!("{signed}~{}~{holder}", claims[..3].join("~"));
    assert_eq!(check(&less), Err(CertificateError::OtherClaims));
    // Another certificate of the same holder's key.
    let texts = issuer().issue(&statement(), &[key(1).public()], NOW.day(), &entropy(7));
    let moved = format!("{}{holder}", texts[0]);
    assert_eq!(check(&moved), Err(CertificateError::OtherClaims));
    assert_eq!(check(&format!("{signed}~")), Err(CertificateError::NoHolder));
    let stolen = signed_again(&signed, &claims, &key(2));
    assert_eq!(check(&stolen), Err(CertificateError::Holder(JwsError::Signature)));
    let other =
        |audience, nonce| verify(&first, &trusted(), Expected { audience, nonce }, NOW).map(drop);
    assert_eq!(
        other("verifier_attestation:other", EXPECTED.nonce),
        Err(CertificateError::Audience)
    );
    assert_eq!(other(EXPECTED.audience, "n-0S7"), Err(CertificateError::Nonce));
    assert_eq!(other(EXPECTED.audience, ""), Err(CertificateError::Nonce));
}

#[test]
fn a_clock_decides_to_the_second() {
    let certificate = certificate(1);
    let end = (NOW.day().number() + LIFETIME_DAYS) * Day::SECONDS;
    let at = |seconds| Timestamp::from_seconds(seconds);
    let shown = |seconds| certificate.present(&Claim::ALL, EXPECTED, at(seconds));
    let check = |text: &str, seconds| verify(text, &trusted(), EXPECTED, at(seconds)).map(drop);
    assert_eq!(check(&shown(end - 1), end - 1), Ok(()));
    assert_eq!(check(&shown(end), end), Err(CertificateError::Expired));
    let begin = NOW.day().start().seconds();
    assert_eq!(check(&shown(begin), begin), Ok(()));
    assert_eq!(check(&shown(begin - 1), begin - 1), Err(CertificateError::NotYet));
    let (text, now) = (shown(NOW.seconds()), NOW.seconds());
    assert_eq!(check(&text, now + AGE_SECONDS_MAX), Ok(()));
    assert_eq!(check(&text, now + AGE_SECONDS_MAX + 1), Err(CertificateError::Stale));
    assert_eq!(check(&text, now - AHEAD_SECONDS_MAX), Ok(()));
    assert_eq!(check(&text, now - AHEAD_SECONDS_MAX - 1), Err(CertificateError::Stale));
    let last = certificate.present(&Claim::ALL, EXPECTED, at(u64::MAX));
    assert_eq!(check(&last, now), Err(CertificateError::Stale));
}

/// What the issuer signs with whatever claims.
fn forged(change: impl FnOnce(&mut Value), typ: &str, by: &SecretKey) -> String {
    let (signed, claims, _) = parts(&shown());
    let payload = jws::decode(signed.split('.').nth(1).unwrap()).unwrap();
    let mut payload: Value = serde_json::from_slice(&payload).unwrap();
    change(&mut payload);
    let signed = jws::sign(&jws::Header::new(typ), &payload, by);
    signed_again(&signed, &claims, &key(1))
}

#[test]
fn a_certificate_is_of_its_issuer_its_type_and_its_form() {
    let by = key(100);
    let attempt = |change: fn(&mut Value)| check(&forged(change, "dc+sd-jwt", &by));
    assert_eq!(attempt(|_| {}), Ok(()));
    for typ in ["", "JWT", "vc+sd-jwt", "kb+jwt", "verifier-attestation+jwt"] {
        let refused = Err(CertificateError::Certificate(JwsError::Type));
        assert_eq!(check(&forged(|_| {}, typ, &by)), refused, "{typ}");
    }
    let other = check(&forged(|_| {}, "dc+sd-jwt", &key(50)));
    assert_eq!(other, Err(CertificateError::IssuerSignature));
    let attester = check(&forged(|_| {}, "dc+sd-jwt", &key(101)));
    assert_eq!(attester, Err(CertificateError::IssuerSignature), "another key of the operator");
    let iss = attempt(|claims| claims["iss"] = json!("https://mint.example.com"));
    assert_eq!(iss, Err(CertificateError::UnknownIssuer));
    let vct = attempt(|claims| claims["vct"] = json!("urn:tacit:certificate:2"));
    assert_eq!(vct, Err(CertificateError::Type));
    let twice = attempt(|claims| claims["_sd"][1] = claims["_sd"][0].clone());
    assert_eq!(twice, Err(CertificateError::Digests));
    let many = attempt(|claims| claims["_sd"] = (0..65).map(|at| json!(at.to_string())).collect());
    assert_eq!(many, Err(CertificateError::Digests));
    let hash = attempt(|claims| claims["_sd_alg"] = json!("sha-1"));
    assert_eq!(hash, Err(CertificateError::Digests));
    let begin = attempt(|claims| claims["nbf"] = json!(NOW.seconds() + 1));
    assert_eq!(begin, Err(CertificateError::NotYet));
    let cnf = attempt(|claims| claims["cnf"]["jwk"]["x"] = claims["cnf"]["jwk"]["y"].clone());
    assert_eq!(cnf, Err(CertificateError::Key));
    for change in [
        |claims: &mut Value| claims["exp"] = json!("soon"),
        |claims: &mut Value| claims["exp"] = json!(-1),
        |claims: &mut Value| claims["exp"] = json!(1e300),
        |claims: &mut Value| claims["exp"] = Value::Null,
        |claims: &mut Value| claims["cnf"] = json!({}),
        |claims: &mut Value| claims["_sd"] = json!("a"),
    ] {
        let malformed = CertificateError::Certificate(JwsError::Malformed);
        assert_eq!(attempt(change), Err(malformed));
    }
}

#[test]
fn a_key_in_the_header_or_of_another_name_is_not_believed() {
    let (signed, claims, _) = parts(&shown());
    let payload: Value =
        serde_json::from_slice(&jws::decode(signed.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let with = |header: Value, by: &SecretKey| {
        let signed = format!(
            "{}.{}",
            jws::encode(header.to_string().as_bytes()),
            jws::encode(payload.to_string().as_bytes())
        );
        let signed = format!("{signed}.{}", jws::encode(&by.sign(signed.as_bytes())));
        check(&signed_again(&signed, &claims, &key(1)))
    };
    let own = key(50);
    let jwk = json!({"alg": "ES256", "typ": "dc+sd-jwt", "jwk": own.public().to_jwk()});
    assert_eq!(with(jwk, &own), Err(CertificateError::IssuerSignature));
    let kid = json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": own.public().thumbprint()});
    assert_eq!(with(kid.clone(), &own), Err(CertificateError::UnknownIssuer));
    assert_eq!(with(kid, &key(100)), Err(CertificateError::UnknownIssuer));
    for alg in ["none", "HS256", "ES384"] {
        let header = json!({"alg": alg, "typ": "dc+sd-jwt"});
        let refused = Err(CertificateError::Certificate(JwsError::Algorithm));
        assert_eq!(with(header, &key(100)), refused, "{alg}");
    }
}

#[test]
fn what_is_no_presentation_is_refused_and_ends_nothing() {
    assert_eq!(check(""), Err(CertificateError::NoParts));
    assert_eq!(check("abc"), Err(CertificateError::NoParts));
    let malformed = Err(CertificateError::Certificate(JwsError::Malformed));
    for text in ["~", "~~", "~~~~", "a.b.c~", "..~", "\u{0}~", "é~é"] {
        assert_eq!(check(text), malformed, "{text:?}");
    }
    let huge = "~".repeat(PRESENTATION_BYTES_MAX + 1);
    assert_eq!(check(&huge), Err(CertificateError::TooLarge));
    let deep = format!("{{\"a\":{}", "[".repeat(4_000));
    let deep = format!(
        "{}.{}.{}~",
        jws::encode(deep.as_bytes()),
        jws::encode(b"{}"),
        jws::encode(&[1; 64])
    );
    assert_eq!(check(&deep), malformed);
}

#[test]
fn metadata_is_read_as_it_is_published() {
    let bytes = serde_json::to_vec(&metadata()).unwrap();
    assert_eq!(Metadata::read(&bytes, Some(ISSUER)).unwrap(), metadata());
    assert_eq!(Metadata::read(&bytes, None).unwrap().certificates().issuer(), ISSUER);
    let other = Metadata::read(&bytes, Some("https://other.example"));
    assert!(matches!(other, Err(MetadataError::Issuer { .. })));
    let large = vec![b' '; 64 * 1024 + 1];
    assert!(matches!(Metadata::read(&large, None), Err(MetadataError::TooLarge)));
    assert!(matches!(Metadata::read(b"{}", None), Err(MetadataError::Json(_))));
    let none = br#"{"issuer":"https://a","jwks":{"keys":[{"kty":"RSA"}, 1, {"kty":"EC","crv":"P-256","x":"","y":""}]}}"#;
    assert!(matches!(Metadata::read(none, None), Err(MetadataError::NoKey)));
    // A key to encrypt to signs nothing.
    let mut value = serde_json::to_value(metadata()).unwrap();
    value["jwks"]["keys"][0]["use"] = json!("enc");
    let bytes = serde_json::to_vec(&value).unwrap();
    assert!(matches!(Metadata::read(&bytes, None), Err(MetadataError::NoKey)));
}
