//! Requests: who asks, what for, and where the answer goes.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use serde_json::{Value, json};

use super::{NOW, entropy, issuer, key, later, metadata, statement};
use crate::certificate::attestation::{AttestationError, DAYS, Verifier, is_showable};
use crate::certificate::jws::{self, Header, JwsError};
use crate::certificate::key::{Jwk, PublicKey, SecretKey};
use crate::certificate::query::{Query, QueryError, Question};
use crate::certificate::request::{
    Address, Asker, Draft, Invitation, LIFETIME_SECONDS, Mode, Request, RequestError, client_of,
    link,
};
use crate::certificate::response::{Response, ResponseError};
use crate::certificate::statement::{Claim, Shown, Statement};
use crate::scorecard::signed::CardId;

const CLIENT: &str = "verifier_attestation:bank";
const ANSWERS: &str = "https://desk.example.org/certificate/answer";

fn bank() -> Verifier {
    Verifier {
        id: "bank".to_owned(),
        name: "Bank of Examples".to_owned(),
        purpose: "To decide on a loan".to_owned(),
        addresses: vec![ANSWERS.to_owned()],
        key: key(60).public(),
    }
}

fn word() -> String {
    bank().attest(super::ISSUER, &key(101), NOW)
}

fn question() -> Question {
    Question {
        cards: vec![CardId::from_bytes([1; 32])],
        thresholds: vec![600, 650],
        tenures: vec![],
        nothing_overdue: true,
    }
}

fn asked() -> String {
    let query = Query::new(&question());
    let draft =
        Draft { verifier: &bank(), attestation: &word(), nonce: "n", state: "s", query: &query };
    assert_eq!(draft.client(), CLIENT);
    draft.sign(&key(60), NOW)
}

fn read(text: &str) -> Result<Request, RequestError> {
    Request::read(text, CLIENT, &metadata().attestations(), NOW)
}

/// A request of the bank's with other claims, another header or another key.
fn forged(
    change: impl FnOnce(&mut Value),
    header: Header,
    by: &SecretKey,
) -> Result<Request, RequestError> {
    let text = asked();
    let payload = jws::decode(text.split('.').nth(1).unwrap()).unwrap();
    let mut payload: Value = serde_json::from_slice(&payload).unwrap();
    change(&mut payload);
    read(&jws::sign(&header, &payload, by))
}

fn header() -> Header {
    Header { jwt: Some(word()), ..Header::new("oauth-authz-req+jwt") }
}

#[test]
fn a_registered_verifier_is_known_by_the_operators_word() {
    let request = read(&asked()).unwrap();
    let (name, purpose) = ("Bank of Examples".to_owned(), "To decide on a loan".to_owned());
    assert_eq!(request.asker, Asker::Registered { name, purpose });
    assert_eq!((request.client.as_str(), request.nonce.as_str()), (CLIENT, "n"));
    assert_eq!((request.to.host(), request.to.url()), ("desk.example.org", ANSWERS));
    let claims = vec![Claim::Scorecard, Claim::Threshold, Claim::NothingOverdue];
    assert_eq!(request.wanted.met_by(&statement()), Some(claims));
    // Its own words are nothing beside those it told the operator.
    let other = forged(|claims| claims["purpose"] = json!("For nothing"), header(), &key(60));
    assert_eq!(other.unwrap().asker, request.asker);
}

#[test]
fn nobody_else_is_taken_for_a_registered_verifier() {
    let same = |_: &mut Value| {};
    assert!(forged(same, header(), &key(60)).is_ok());
    let signature = Err(RequestError::Jws(JwsError::Signature));
    assert_eq!(forged(same, header(), &key(61)), signature, "another key than was attested");
    let bare = Header::new("oauth-authz-req+jwt");
    let unknown = RequestError::Attestation(AttestationError::UnknownAttester);
    assert_eq!(forged(same, bare.clone(), &key(60)), Err(unknown));
    let own = |verifier: Verifier, attester: &str, by: &SecretKey| {
        let jwt = Some(verifier.attest(attester, by, NOW));
        forged(same, Header { jwt, ..bare.clone() }, &key(60))
    };
    assert_eq!(own(bank(), "https://evil.example", &key(101)), Err(unknown));
    assert_eq!(own(bank(), super::ISSUER, &key(60)), Err(unknown), "attested by itself");
    let other = Verifier { id: "other".to_owned(), ..bank() };
    assert_eq!(own(other, super::ISSUER, &key(101)), Err(RequestError::OtherClient));
    let elsewhere = forged(
        |claims| claims["response_uri"] = json!("https://evil.example/"),
        header(),
        &key(60),
    );
    assert_eq!(elsewhere, Err(RequestError::OtherAddress));
    let client =
        forged(|claims| claims["client_id"] = json!("verifier_attestation:x"), header(), &key(60));
    assert_eq!(client, Err(RequestError::OtherClient));
    // A certificate is no attestation, though the same operator signed it.
    let jwt = Some(
        issuer().issue(&statement(), &[key(1).public()], NOW.day(), &entropy(1))[0]
            .split('~')
            .next()
            .unwrap()
            .to_owned(),
    );
    let typed = forged(same, Header { jwt, ..bare.clone() }, &key(60));
    assert_eq!(typed, Err(RequestError::Attestation(AttestationError::Jws(JwsError::Type))));
    let turned = Verifier { name: "Bank\u{202e}".to_owned(), ..bank() };
    assert_eq!(
        own(turned, super::ISSUER, &key(101)),
        Err(RequestError::Attestation(AttestationError::Text))
    );
}

#[test]
fn an_attestation_and_a_request_end() {
    let at = |seconds| {
        Request::read(&asked(), CLIENT, &metadata().attestations(), later(seconds)).map(drop)
    };
    assert_eq!(at(LIFETIME_SECONDS - 1), Ok(()));
    assert_eq!(at(LIFETIME_SECONDS), Err(RequestError::Expired));
    let word = |days: u64| {
        Verifier::read(&word(), &metadata().attestations(), later(days * 86_400)).map(drop)
    };
    assert_eq!(word(DAYS - 1), Ok(()));
    assert_eq!(word(DAYS), Err(AttestationError::Expired));
    let early = forged(|claims| claims["iat"] = json!(NOW.seconds() + 61), header(), &key(60));
    assert_eq!(early, Err(RequestError::Expired));
}

#[test]
fn what_cannot_be_understood_is_not_shown() {
    let attempt = |name: &str, value: Value| {
        forged(|claims| claims[name] = value, header(), &key(60)).map(drop)
    };
    for (name, value) in [
        ("response_type", json!("code")),
        ("response_mode", json!("fragment")),
        ("response_mode", json!("direct_post.jwt")),
        ("transaction_data", json!(["e30"])),
        ("redirect_uri", json!("https://evil.example")),
        ("aud", json!("https://another.wallet")),
    ] {
        assert_eq!(attempt(name, value), Err(RequestError::Unsupported), "{name}");
    }
    for (name, value) in [
        ("nonce", json!("")),
        ("nonce", json!("é")),
        ("state", json!("\n")),
        ("state", json!("a".repeat(2000))),
    ] {
        assert_eq!(attempt(name, value), Err(RequestError::Nonce), "{name}");
    }
    let text = format!("{}A", asked());
    assert_eq!(read(&text), Err(RequestError::Jws(JwsError::Malformed)));
    assert_eq!(read(&"a".repeat(40_000)), Err(RequestError::TooLarge));
    let prefix =
        Request::read(&asked(), "decentralized_identifier:x", &metadata().attestations(), NOW);
    assert_eq!(prefix, Err(RequestError::OtherClient));
}

#[test]
fn an_address_shows_its_host() {
    for (url, host) in [
        ("https://a.example/x?y", "a.example"),
        ("https://a.example:8443", "a.example:8443"),
        ("http://desk.localhost:3338/x", "desk.localhost:3338"),
        ("http://127.0.0.1:1/", "127.0.0.1:1"),
    ] {
        assert_eq!(Address::new(url).unwrap().host(), host);
    }
    for url in [
        "http://a.example",
        "http://localhost.evil.example",
        "https://bank.example@evil.example/",
        "https://bank.example\\@evil.example/",
        "https://evil.example#bank.example",
        "https://Evil.example",
        "https://bänk.example",
        "https://",
        "https:///x",
        "https://a b",
        "https://[::1]/",
        "https://a:99999/",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ] {
        assert_eq!(Address::new(url), Err(RequestError::Address), "{url}");
    }
}

#[test]
fn a_link_names_one_client_and_where_its_request_is() {
    let text = link(CLIENT, "https://desk.example.org/r?state=s&x=1");
    let Ok(Invitation::Fetch { client, from }) = Invitation::read(&text) else { panic!("{text}") };
    assert_eq!((client.as_str(), from.url()), (CLIENT, "https://desk.example.org/r?state=s&x=1"));
    for (text, error) in [
        ("https://desk.example.org/?client_id=a&request_uri=https://b", RequestError::Link),
        ("openid4vp://", RequestError::Link),
        ("openid4vp://?request_uri=https://b", RequestError::Link),
        ("openid4vp://?client_id=a&client_id=b&request_uri=https://b", RequestError::Link),
        ("openid4vp://?client_id=a&request_uri=http://10.0.0.1/", RequestError::Address),
        ("openid4vp://?client_id=a&dcql_query=1", RequestError::Link),
        ("openid4vp://?client_id=a&dcql_query={", RequestError::Link),
    ] {
        assert_eq!(Invitation::read(text), Err(error), "{text}");
    }
    assert_eq!(Invitation::read(&"a".repeat(40_000)), Err(RequestError::TooLarge));
}

#[test]
fn who_signs_nothing_is_unknown_and_gets_the_answer_where_it_says() {
    let query = serde_json::to_string(&Query::new(&question())).unwrap();
    let of = |response: &str| {
        let link = serde_urlencoded::to_string([
            ("client_id", "redirect_uri:https://shop.example/a"),
            ("response_uri", response),
            ("response_type", "vp_token"),
            ("response_mode", "direct_post"),
            ("nonce", "n"),
            ("purpose", "To sell on credit"),
            ("dcql_query", &query),
        ]);
        let link = format!("openid4vp://?{}", link.unwrap());
        let Invitation::Whole(claims) = Invitation::read(&link).unwrap() else { panic!("{link}") };
        Request::of_link(*claims, NOW)
    };
    let request = of("https://shop.example/a").unwrap();
    let purpose = Some("To sell on credit".to_owned());
    assert_eq!(request.asker, Asker::Unknown { purpose });
    assert_eq!(
        (request.to.host(), request.client.as_str()),
        ("shop.example", "redirect_uri:https://shop.example/a")
    );
    assert_eq!(of("https://evil.example/a"), Err(RequestError::OtherAddress));
}

/// Made with OpenSSL: a key of P-256 and a certificate for it.
const LEAF: &str = include_str!("leaf.b64");
const LEAF_KEY: &str = include_str!("leaf.key.hex");

#[test]
fn who_names_a_certificate_is_unknown_and_signs_with_it() {
    let der = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, LEAF.trim()).unwrap();
    let secret = SecretKey::from_bytes(&tacit_core::hex::decode(LEAF_KEY.trim()).unwrap()).unwrap();
    assert_eq!(PublicKey::from_x509(&der), Ok(secret.public()));
    let client =
        format!("x509_hash:{}", jws::encode(&<sha2::Sha256 as sha2::Digest>::digest(&der)));
    let attempt = |by: &SecretKey, leaf: &str, client: &str| {
        let text = asked();
        let payload = jws::decode(text.split('.').nth(1).unwrap()).unwrap();
        let mut payload: Value = serde_json::from_slice(&payload).unwrap();
        payload["client_id"] = json!(client);
        let header =
            Header { x5c: Some(vec![leaf.to_owned()]), ..Header::new("oauth-authz-req+jwt") };
        Request::read(&jws::sign(&header, &payload, by), client, &metadata().attestations(), NOW)
    };
    let request = attempt(&secret, LEAF.trim(), &client).unwrap();
    assert_eq!(request.asker, Asker::Unknown { purpose: None });
    assert_eq!(
        attempt(&key(60), LEAF.trim(), &client),
        Err(RequestError::Jws(JwsError::Signature))
    );
    assert_eq!(attempt(&secret, "AAAA", &client), Err(RequestError::X509));
    assert_eq!(attempt(&secret, LEAF.trim(), "x509_hash:AAAA"), Err(RequestError::X509));
    assert_eq!(attempt(&secret, LEAF.trim(), "https://a"), Err(RequestError::UnknownPrefix));
}

#[test]
fn a_query_is_met_by_what_it_names_and_nothing_more_is_shown() {
    let met = |change: fn(&mut Value)| {
        let mut query = serde_json::to_value(Query::new(&question())).unwrap();
        change(&mut query["credentials"][0]);
        let query: Query = serde_json::from_value(query).unwrap();
        query.wanted().map(|wanted| wanted.met_by(&statement()))
    };
    let three = vec![Claim::Scorecard, Claim::Threshold, Claim::NothingOverdue];
    assert_eq!(met(|_| {}), Ok(Some(three)));
    assert_eq!(met(|it| it["claims"][1]["values"] = json!([601])), Ok(None), "not that threshold");
    assert_eq!(
        met(|it| it["claims"][1]["values"] = json!(["600"])),
        Ok(None),
        "a text is no number"
    );
    assert_eq!(
        met(|it| it["claims"] = json!([{"path": ["tenure_months"]}])),
        Ok(Some(vec![Claim::TenureMonths]))
    );
    assert_eq!(
        met(|it| it["claims"] = Value::Null),
        Ok(Some(vec![])),
        "nothing that can be left out"
    );
    assert_eq!(
        met(|it| it["claims"][0]["path"] = json!(["given_name"])),
        Err(QueryError::UnknownClaim)
    );
    assert_eq!(
        met(|it| it["claims"][0]["path"] = json!(["scorecard", 0])),
        Err(QueryError::UnknownClaim)
    );
    assert_eq!(met(|it| it["format"] = json!("mso_mdoc")), Err(QueryError::OtherCredential));
    assert_eq!(
        met(|it| it["meta"]["vct_values"] = json!(["urn:eudi:pid:1"])),
        Err(QueryError::OtherCredential)
    );
    assert_eq!(met(|it| it["trusted_authorities"] = json!([])), Err(QueryError::Authorities));
    assert_eq!(
        met(|it| it["claims"] = (0..40).map(|_| json!({"path": ["threshold"]})).collect()),
        Err(QueryError::Size)
    );
    let sets = |sets: Value| {
        let claims = json!([{"id": "a", "path": ["threshold"], "values": [700]},
            {"id": "b", "path": ["tenure_months"]}, {"id": "c", "path": ["salary"]}]);
        let query = json!({"credentials": [{"id": "q", "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:tacit:certificate:1"]}, "claims": claims, "claim_sets": sets}]});
        let query: Query = serde_json::from_value(query).unwrap();
        query.wanted().map(|wanted| wanted.met_by(&statement()))
    };
    assert_eq!(sets(json!([["a"], ["b"]])), Ok(Some(vec![Claim::TenureMonths])), "the second best");
    assert_eq!(sets(json!([["c"], ["b"]])), Ok(Some(vec![Claim::TenureMonths])));
    assert_eq!(sets(json!([["c"], ["x"]])), Err(QueryError::UnknownClaim));
}

#[test]
fn a_question_is_met_by_what_it_asks_for_and_by_more() {
    let thresholds = vec![650, 700, 750];
    let question =
        Question { cards: vec![], thresholds, tenures: vec![6, 12], nothing_overdue: true };
    let better = Statement { threshold: 700, tenure: 12, ..statement() };
    let wanted = Query::new(&question).wanted().unwrap();
    assert_eq!(wanted.met_by(&better), Some(Claim::ALL.to_vec()));
    assert_eq!(wanted.met_by(&statement()), None, "600 is too little");
    let card = Some(CardId::from_bytes([1; 32]));
    let shown = Shown { card, threshold: Some(700), tenure: Some(12), nothing_overdue: true };
    assert!(question.is_met_by(&shown));
    for less in [
        Shown { threshold: Some(600), ..shown },
        Shown { threshold: None, ..shown },
        Shown { tenure: Some(3), ..shown },
        Shown { tenure: None, ..shown },
        Shown { nothing_overdue: false, ..shown },
        Shown { card: None, ..shown },
    ] {
        assert!(!question.is_met_by(&less), "{less:?}");
    }
    let other = Question { cards: vec![CardId::from_bytes([2; 32])], ..question };
    assert!(!other.is_met_by(&shown));
    let any =
        Question { cards: vec![], thresholds: vec![], tenures: vec![], nothing_overdue: false };
    assert!(any.is_met_by(&Shown { tenure: None, nothing_overdue: false, ..shown }));
}

#[test]
fn a_query_for_more_than_a_certificate_is_not_answered() {
    let with = |sets: Value| {
        let mut query = serde_json::to_value(Query::new(&question())).unwrap();
        let pid =
            json!({"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:eudi:pid:1"]}});
        query["credentials"].as_array_mut().unwrap().push(pid);
        if !sets.is_null() {
            query["credential_sets"] = sets;
        }
        serde_json::from_value::<Query>(query).unwrap().wanted().map(drop)
    };
    assert_eq!(with(Value::Null), Err(QueryError::OtherCredential), "both are wanted");
    assert_eq!(with(json!([{"options": [["pid"]]}])), Err(QueryError::OtherCredential));
    assert_eq!(
        with(json!([{"options": [["pid", "certificate"]]}])),
        Err(QueryError::OtherCredential)
    );
    assert_eq!(with(json!([{"options": [["pid"], ["certificate"]]}])), Ok(()));
    let none: Query = serde_json::from_value(json!({"credentials": []})).unwrap();
    assert_eq!(none.wanted(), Err(QueryError::Size));
}

#[test]
fn an_answer_is_read_as_it_was_sent() {
    let request = read(&asked()).unwrap();
    let form = request.answer("a~b~c", &entropy(1));
    let response = Response { state: "s".to_owned(), presentation: "a~b~c".to_owned() };
    assert_eq!(Response::read(form.as_bytes()), Ok(response));
    for (form, error) in [
        ("", ResponseError::Form),
        ("state=s", ResponseError::Form),
        ("vp_token={}", ResponseError::Form),
        ("state=s&error=access_denied", ResponseError::Refused),
        ("state=s&vp_token={}", ResponseError::Token),
        ("state=s&vp_token=[]", ResponseError::Token),
        ("state=s&vp_token=%7B%22a%22%3A%5B%22b%22%2C%22c%22%5D%7D", ResponseError::Token),
        ("state=s&state=t&vp_token={}", ResponseError::Form),
    ] {
        assert_eq!(Response::read(form.as_bytes()), Err(error), "{form}");
    }
    assert_eq!(Response::read(&vec![b'a'; 40_000]), Err(ResponseError::TooLarge));
}

/// The other half of the encryption, written by the letter of RFC 7518.
#[test]
fn an_encrypted_answer_opens_with_the_verifiers_key() {
    let secret = key(70);
    let mut jwk = serde_json::to_value(secret.public().to_jwk()).unwrap();
    jwk["kid"] = json!("enc-1");
    let metadata = json!({"jwks": {"keys": [{"kty": "RSA"}, jwk]}, "encrypted_response_enc_values_supported": ["A128GCM"]});
    let with = |metadata: Value| {
        let change = |claims: &mut Value| {
            claims["response_mode"] = json!("direct_post.jwt");
            claims["client_metadata"] = metadata;
        };
        forged(change, header(), &key(60))
    };
    let mut other = metadata.clone();
    other["encrypted_response_enc_values_supported"] = json!(["A256CBC-HS512"]);
    assert_eq!(with(other).map(drop), Err(RequestError::Unsupported));
    let request = with(metadata).unwrap();
    assert!(matches!(request.mode, Mode::Encrypted(_)));
    let form = request.answer("a~b~c", &entropy(1));
    let jwe = form.strip_prefix("response=").unwrap();
    let parts: Vec<&str> = jwe.split('.').collect();
    let header: Value = serde_json::from_slice(&jws::decode(parts[0]).unwrap()).unwrap();
    assert_eq!(
        (&header["kid"], &header["alg"], parts[1]),
        (&json!("enc-1"), &json!("ECDH-ES"), "")
    );
    let jwk: Jwk = serde_json::from_value(header["epk"].clone()).unwrap();
    let shared = secret.agree(&PublicKey::try_from(&jwk).unwrap());
    let mut hashed = vec![0, 0, 0, 1];
    hashed.extend(shared.expose());
    hashed.extend(b"\0\0\0\x07A128GCM\0\0\0\0\0\0\0\0\0\0\0\x80");
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&hashed);
    let cipher = aes_gcm::Aes128Gcm::new_from_slice(&digest[..16]).unwrap();
    let nonce: [u8; 12] = jws::decode(parts[2]).unwrap().try_into().unwrap();
    let sealed = [jws::decode(parts[3]).unwrap(), jws::decode(parts[4]).unwrap()].concat();
    let payload = Payload { msg: &sealed, aad: parts[0].as_bytes() };
    let text = cipher.decrypt(&aes_gcm::Nonce::from(nonce), payload).unwrap();
    let whole: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(whole, json!({"vp_token": {"certificate": ["a~b~c"]}, "state": "s"}));
}

#[test]
fn only_plain_short_texts_are_shown() {
    assert!(is_showable("Größe & Söhne GmbH"));
    for text in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}b", "\u{1b}[2J", &"a".repeat(201)] {
        assert!(!is_showable(text), "{text:?}");
    }
    assert_eq!(client_of("bank"), CLIENT);
}
