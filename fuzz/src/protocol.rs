//! Parsers of the Cashu protocol; `crates/ecash/tests/fuzz.rs` includes this file and runs them on stable.
//!
//! A target panics if a parser does, or if what was read does not survive being written and read again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tacit_ecash::condition::lock::Condition;
use tacit_ecash::condition::witness::Witness;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::{self, info, socket};
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::payment_request::{NotWritable, PaymentRequest};
use tacit_ecash::point::{PointBytes, Y};
use tacit_ecash::request;
use tacit_ecash::token::Token;

/// A target: bytes in, whether they were read out.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name; each has its file in `fuzz_targets/` and its folder in `seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("swap_request", swap_request),
    ("mint_quote_request", mint_quote_request),
    ("mint_request", mint_request),
    ("melt_quote_request", melt_quote_request),
    ("melt_request", melt_request),
    ("check_state_request", check_state_request),
    ("restore_request", restore_request),
    ("response", response),
    ("socket_request", socket_request),
    ("socket_answer", socket_answer),
    ("keyset_id", keyset_id),
    ("point", point),
    ("condition", condition),
    ("witness", witness),
    ("token_text", token_text),
    ("token_v3", token_v3),
    ("token_v4", token_v4),
    ("payment_request_text", payment_request_text),
    ("payment_request_a", payment_request_a),
    ("payment_request_b", payment_request_b),
    ("payment_payload", payment_payload),
];

fn json<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}

/// Writes a message and reads it again.
fn rewritten<T: Serialize + DeserializeOwned>(message: &T) -> T {
    let text = serde_json::to_string(message).expect("what was read can be written");
    serde_json::from_str(&text).expect("what was written can be read")
}

/// A request that a mint takes up is, written by a wallet, the same request.
fn request<M, R>(data: &[u8]) -> bool
where
    M: DeserializeOwned + Serialize + From<R>,
    R: TryFrom<M> + Clone + PartialEq + std::fmt::Debug,
{
    let Some(read) = json::<M>(data).and_then(|message| R::try_from(message).ok()) else {
        return false;
    };
    let again = R::try_from(rewritten(&M::from(read.clone())));
    assert!(again.is_ok_and(|again| again == read), "the request does not survive writing");
    true
}

/// NUT-03.
pub fn swap_request(data: &[u8]) -> bool {
    request::<message::SwapRequest, request::SwapRequest>(data)
}

/// NUT-04, NUT-20.
pub fn mint_quote_request(data: &[u8]) -> bool {
    request::<message::MintQuoteRequest, request::MintQuoteRequest>(data)
}

/// NUT-04, NUT-20.
pub fn mint_request(data: &[u8]) -> bool {
    request::<message::MintRequest, request::MintRequest>(data)
}

/// NUT-05.
pub fn melt_quote_request(data: &[u8]) -> bool {
    let Some(read) = json::<message::MeltQuoteRequest>(data) else { return false };
    assert_eq!(rewritten(&read), read);
    request::MeltQuoteRequest::try_from(read).is_ok()
}

/// NUT-05, NUT-08.
pub fn melt_request(data: &[u8]) -> bool {
    request::<message::MeltRequest, request::MeltRequest>(data)
}

/// NUT-07.
pub fn check_state_request(data: &[u8]) -> bool {
    let Some(read) = json::<message::CheckStateRequest>(data) else { return false };
    assert_eq!(rewritten(&read), read);
    request::CheckStateRequest::try_from(read).is_ok()
}

/// NUT-09.
pub fn restore_request(data: &[u8]) -> bool {
    json::<message::RestoreRequest>(data)
        .is_some_and(|read| request::RestoreRequest::try_from(read).is_ok())
}

/// What a wallet reads from a mint it need not trust.
pub fn response(data: &[u8]) -> bool {
    fn survives<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
        data: &[u8],
    ) -> bool {
        json::<T>(data).is_some_and(|read| {
            assert_eq!(rewritten(&read), read);
            true
        })
    }
    [
        json::<message::KeysResponse>(data).is_some(), // May hold ids that cannot be written.
        json::<message::KeysetsResponse>(data).is_some(),
        survives::<message::SignaturesResponse>(data),
        survives::<message::MintQuoteResponse>(data),
        survives::<message::MeltQuoteResponse>(data),
        survives::<message::CheckStateResponse>(data),
        survives::<message::ErrorResponse>(data),
        survives::<info::InfoResponse>(data),
    ]
    .contains(&true)
}

/// NUT-17, from a wallet.
pub fn socket_request(data: &[u8]) -> bool {
    let Some(read) = std::str::from_utf8(data).ok().and_then(|t| socket::Request::parse(t).ok())
    else {
        return false;
    };
    // Its parameters may hold any number, and numbers with a fraction do not survive exactly.
    let command = read.clone().command();
    assert_eq!(rewritten(&read).command(), command);
    command.is_ok()
}

/// NUT-17, from a mint.
pub fn socket_answer(data: &[u8]) -> bool {
    let Some(read) = json::<socket::Answer>(data) else { return false };
    assert_eq!(rewritten(&read), read);
    true
}

fn parsed<T>(data: &[u8]) -> Option<T>
where
    T: std::str::FromStr,
{
    std::str::from_utf8(data).ok()?.parse().ok()
}

/// NUT-02.
pub fn keyset_id(data: &[u8]) -> bool {
    let Some(id) = parsed::<KeysetId>(data) else { return false };
    assert_eq!(id.to_string(), String::from_utf8_lossy(data).to_ascii_lowercase());
    assert_eq!(id.to_string().parse(), Ok(id));
    true
}

/// NUT-00.
pub fn point(data: &[u8]) -> bool {
    let Some(bytes) = parsed::<PointBytes>(data) else { return false };
    assert_eq!(bytes.to_string(), String::from_utf8_lossy(data).to_ascii_lowercase());
    if let Some(y) = Y::from_point(&bytes) {
        assert_eq!(y.to_point(), bytes);
    }
    let Ok(point) = bytes.parse() else { return false };
    assert_eq!(PointBytes::from(point), bytes);
    true
}

/// NUT-10, NUT-11, NUT-14: true for a lock that opens for somebody.
pub fn condition(data: &[u8]) -> bool {
    let Ok(secret) = std::str::from_utf8(data) else { return false };
    let Ok(Some(read)) = Condition::parse(secret) else { return false };
    let written = read.to_secret(&[0; 32]);
    assert_eq!(Condition::parse(written.expose()), Ok(Some(read)));
    true
}

/// NUT-11, NUT-14.
pub fn witness(data: &[u8]) -> bool {
    let Some(read) = std::str::from_utf8(data).ok().and_then(|t| Witness::parse(t).ok()) else {
        return false;
    };
    assert_eq!(Witness::parse(read.to_text().expose()), Ok(read));
    true
}

/// Written, a token has short keyset ids; from then on it stays the same.
fn token(read: Option<Token>) -> bool {
    let Some(read) = read else { return false };
    let short: Token = read.to_text().expose().parse().expect("what was written can be read");
    assert_eq!(short.proofs.len(), read.proofs.len());
    assert_eq!((&short.mint, &short.unit, &short.memo), (&read.mint, &read.unit, &read.memo));
    for (short, read) in short.proofs.iter().zip(&read.proofs) {
        let named = tacit_ecash::token::TokenProof { keyset: short.keyset, ..read.clone() };
        assert_eq!(*short, named);
    }
    assert_eq!(Token::from_raw(short.to_raw().expose()), Ok(short));
    true
}

/// NUT-00, as text.
pub fn token_text(data: &[u8]) -> bool {
    token(parsed(data))
}

/// NUT-00, the JSON of version 3.
pub fn token_v3(data: &[u8]) -> bool {
    token(format!("cashuA{}", URL_SAFE_NO_PAD.encode(data)).parse().ok())
}

/// NUT-00, the CBOR of version 4.
pub fn token_v4(data: &[u8]) -> bool {
    token(Token::from_raw(&[b"crawB", data].concat()).ok())
}

/// What a version can write, it reads again as it was.
fn payment_request(read: Option<PaymentRequest>) -> bool {
    let Some(read) = read else { return false };
    for text in [read.to_creq_a(), read.to_creq_b()] {
        match text {
            // A Nostr profile is written in one form of several.
            Ok(text) if text.starts_with("CREQB") => {
                let again: PaymentRequest = text.parse().expect("what was written can be read");
                assert_eq!(again.to_creq_b(), Ok(text));
            }
            Ok(text) => assert_eq!(text.parse().as_ref(), Ok(&read)),
            Err(NotWritable::Kind | NotWritable::Nostr | NotWritable::TooLong) => {}
        }
    }
    true
}

/// NUT-18 and NUT-26, as text.
pub fn payment_request_text(data: &[u8]) -> bool {
    payment_request(parsed(data))
}

/// NUT-18, the CBOR of version A.
pub fn payment_request_a(data: &[u8]) -> bool {
    payment_request(format!("creqA{}", URL_SAFE_NO_PAD.encode(data)).parse().ok())
}

/// NUT-26, the TLV of version B.
pub fn payment_request_b(data: &[u8]) -> bool {
    let Ok(hrp) = bech32::Hrp::parse("creqb") else { return false };
    let text = bech32::encode::<bech32::Bech32m>(hrp, data);
    payment_request(text.ok().and_then(|text| text.parse().ok()))
}

/// NUT-18, what is sent to the receiver.
pub fn payment_payload(data: &[u8]) -> bool {
    let Ok(read) = Payload::from_json(data) else { return false };
    if let Ok(written) = read.to_json() {
        assert_eq!(Payload::from_json(written.expose().as_bytes()), Ok(read));
    }
    true
}
