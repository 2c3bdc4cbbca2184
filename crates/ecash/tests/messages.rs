//! What wallets really send is read, what is too large is refused, and what we write is what they read.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_ecash::code::Code;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::limit;
use tacit_ecash::message::socket::{
    Answer, Command, Kind, Payload, Request, RequestError, RequestId, Target,
};
use tacit_ecash::message::{self, NamedKeyset};
use tacit_ecash::proof::BlindSignature;
use tacit_ecash::request::{
    CheckStateRequest, MeltQuoteRequest, MeltRequest, MessageError, MintQuoteRequest, MintRequest,
    RestoreRequest, SwapRequest,
};

const V2_ID: &str = "01adc013fa9d85171586660abab27579888611659d357bc86bc09cb26eee8bc035";
const POINT: &str = "02599b9ea0a1ad4143706c2a5a4a568ce442dd4313e1cf1f7f0b58a317c1a355ee";

fn proof() -> Value {
    json!({ "amount": 2, "id": V2_ID, "secret": "407915bc212be61a", "C": POINT })
}

fn output() -> Value {
    json!({ "amount": 2, "id": V2_ID, "B_": POINT })
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

fn swap(body: Value) -> Result<SwapRequest, MessageError> {
    let text = body.to_string();
    SwapRequest::try_from(serde_json::from_str::<message::SwapRequest>(&text).unwrap())
}

fn swap_of(proof: Value, output: Value) -> Result<SwapRequest, MessageError> {
    swap(json!({ "inputs": [proof], "outputs": [output] }))
}

#[test]
fn a_swap_survives_both_directions() {
    let proof = with(proof(), "witness", json!("{\"signatures\":[]}"));
    let body = json!({ "inputs": [proof], "outputs": [output(), output()] });
    let request = swap(body.clone()).unwrap();
    assert_eq!(request.inputs.as_slice()[0].secret, Secret::new("407915bc212be61a".to_owned()));
    let written = serde_json::to_value(message::SwapRequest::from(request)).unwrap();
    assert_eq!(written, body);
}

#[test]
fn unknown_fields_are_ignored() {
    let mut proof = proof();
    proof["dleq"] = json!({ "e": "00", "s": "00", "r": "00" });
    proof["p2pk_e"] = json!("02");
    proof["reserved"] = json!(false);
    assert!(swap_of(proof, with(output(), "C_", Value::Null)).is_ok());
}

#[test]
fn a_witness_comes_in_every_spelling() {
    let read = |witness| {
        let request = swap_of(with(proof(), "witness", witness), output()).unwrap();
        request.inputs.into_vec().remove(0).witness.map(|witness| witness.expose().clone())
    };
    assert_eq!(read(Value::Null), None);
    assert_eq!(read(json!("")), None);
    assert_eq!(read(json!("{\"preimage\":\"00\"}")).unwrap(), "{\"preimage\":\"00\"}");
    assert_eq!(read(json!({ "signatures": ["00"] })).unwrap(), "{\"signatures\":[\"00\"]}");
    for bad in [json!(1), json!([]), json!(true)] {
        let body = json!({ "inputs": [with(proof(), "witness", bad)], "outputs": [output()] });
        assert!(serde_json::from_value::<message::SwapRequest>(body).is_err());
    }
}

#[test]
fn a_foreign_keyset_is_a_refusal_and_no_parse_error() {
    for id in ["", "I2yN+iRYfkzT", "02adc013", "01adc013fa9d8517", "é1"] {
        let error = swap_of(with(proof(), "id", json!(id)), output()).unwrap_err();
        assert_eq!(error, MessageError::UnknownInputKeyset { index: 0 }, "{id:?}");
        assert_eq!(error.code(), Code::UnknownKeyset);
        let error = swap_of(proof(), with(output(), "id", json!(id))).unwrap_err();
        assert_eq!(error, MessageError::UnknownOutputKeyset { index: 0 }, "{id:?}");
        assert_eq!(error.code(), Code::UnknownKeyset);
    }
    let version_1 = swap_of(with(proof(), "id", json!("009a1f293253e41e")), output()).unwrap();
    assert!(matches!(version_1.inputs.as_slice()[0].keyset, KeysetId::V1(_)));
    assert!(serde_json::to_string(&NamedKeyset::Unreadable).is_err());
}

#[test]
fn malformed_fields_are_parse_errors() {
    for (field, value) in [
        ("amount", json!(-1)),
        ("amount", json!(0.5)),
        ("amount", json!("2")),
        ("amount", json!(1e30)),
        ("id", json!(7)),
        ("secret", Value::Null),
        ("C", json!("02")),
        ("C", json!("zz".repeat(33))),
    ] {
        let body =
            json!({ "inputs": [with(proof(), field, value.clone())], "outputs": [output()] });
        let text = body.to_string();
        assert!(serde_json::from_str::<message::SwapRequest>(&text).is_err(), "{field} {value}");
    }
}

#[test]
fn escapes_in_secrets_are_resolved() {
    let text = format!(
        r#"{{"amount":1,"id":"{V2_ID}","secret":"[\"P2PK\",\u007b\"nonce\":\"é\"}}]","C":"{POINT}"}}"#
    );
    let proof: message::Proof = serde_json::from_str(&text).unwrap();
    assert_eq!(proof.secret.expose(), "[\"P2PK\",{\"nonce\":\"é\"}]");
}

/// Cashu advisory, 2025: oversized secrets, witnesses and preimages filled the databases of mints.
#[test]
fn oversize_fields_are_refused() {
    let long = |max: usize| json!("x".repeat(max + 1));
    let fits = |max: usize| json!("x".repeat(max));
    let refused = |body: Value| swap(body).unwrap_err();

    assert!(swap_of(with(proof(), "secret", fits(limit::SECRET)), output()).is_ok());
    let error = swap_of(with(proof(), "secret", long(limit::SECRET)), output()).unwrap_err();
    assert_eq!(error, MessageError::SecretTooLong { index: 0 });
    assert_eq!(error.code(), Code::InvalidProof);

    assert!(swap_of(with(proof(), "witness", fits(limit::WITNESS)), output()).is_ok());
    let error = swap_of(with(proof(), "witness", long(limit::WITNESS)), output()).unwrap_err();
    assert_eq!(error, MessageError::WitnessTooLong { index: 0 });

    let (proofs, outputs) = (vec![proof(); limit::INPUTS], vec![output(); limit::OUTPUTS]);
    assert!(swap(json!({ "inputs": proofs, "outputs": outputs })).is_ok());
    let more = vec![proof(); limit::INPUTS + 1];
    let error = refused(json!({ "inputs": more, "outputs": [output()] }));
    assert_eq!((error, error.code()), (MessageError::TooManyInputs, Code::TooManyInputs));
    let more = vec![output(); limit::OUTPUTS + 1];
    let error = refused(json!({ "inputs": [proof()], "outputs": more }));
    assert_eq!((error, error.code()), (MessageError::TooManyOutputs, Code::TooManyOutputs));
    assert_eq!(refused(json!({ "inputs": [], "outputs": [output()] })), MessageError::NoInputs);
    assert_eq!(refused(json!({ "inputs": [proof()], "outputs": [] })), MessageError::NoOutputs);

    let mint = |quote, signature: Value| {
        let body = json!({ "quote": quote, "outputs": [output()], "signature": signature });
        MintRequest::try_from(serde_json::from_value::<message::MintRequest>(body).unwrap())
    };
    assert!(mint(fits(limit::QUOTE_ID), Value::Null).is_ok());
    assert!(mint(json!("q"), json!("ab".repeat(64))).is_ok());
    assert_eq!(mint(long(limit::QUOTE_ID), Value::Null), Err(MessageError::QuoteIdTooLong));
    assert_eq!(mint(json!("q"), json!("ab".repeat(65))), Err(MessageError::InvalidMintSignature));

    let melt = |quote, outputs: Value| {
        let body = json!({ "quote": quote, "inputs": [proof()], "outputs": outputs });
        MeltRequest::try_from(serde_json::from_value::<message::MeltRequest>(body).unwrap())
    };
    assert!(melt(json!("q"), Value::Null).is_ok());
    assert_eq!(melt(long(limit::QUOTE_ID), Value::Null), Err(MessageError::QuoteIdTooLong));
    let more = vec![output(); limit::OUTPUTS + 1];
    assert_eq!(melt(json!("q"), json!(more)), Err(MessageError::TooManyOutputs));

    let states = |count| {
        let body = json!({ "Ys": vec![POINT; count] });
        CheckStateRequest::try_from(
            serde_json::from_value::<message::CheckStateRequest>(body).unwrap(),
        )
    };
    assert_eq!(states(limit::STATES).unwrap().ys.len(), limit::STATES);
    assert_eq!(states(limit::STATES + 1), Err(MessageError::TooManyStates));

    let restore = |count| {
        let body = json!({ "outputs": vec![output(); count] });
        RestoreRequest::try_from(serde_json::from_value::<message::RestoreRequest>(body).unwrap())
    };
    assert_eq!(restore(limit::OUTPUTS).unwrap().blinded.len(), limit::OUTPUTS);
    assert_eq!(restore(limit::OUTPUTS + 1), Err(MessageError::TooManyOutputs));

    let error = mint_quote(json!({ "description": long(limit::DESCRIPTION) })).unwrap_err();
    assert_eq!(error, MessageError::DescriptionTooLong);
    let error = melt_quote(json!({ "request": long(limit::PAYMENT_REQUEST) })).unwrap_err();
    assert_eq!(error, MessageError::PaymentRequestTooLong);
}

fn merge(mut base: Value, change: Value) -> Value {
    for (key, value) in change.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn mint_quote(change: Value) -> Result<MintQuoteRequest, MessageError> {
    let body = merge(json!({ "amount": 10, "unit": "usd" }), change);
    MintQuoteRequest::try_from(serde_json::from_value::<message::MintQuoteRequest>(body).unwrap())
}

fn melt_quote(change: Value) -> Result<MeltQuoteRequest, MessageError> {
    let body = merge(json!({ "request": "lnbc1", "unit": "sat" }), change);
    MeltQuoteRequest::try_from(serde_json::from_value::<message::MeltQuoteRequest>(body).unwrap())
}

#[test]
fn quote_requests_say_what_is_wrong_with_them() {
    let read = mint_quote(json!({ "pubkey": POINT, "description": null })).unwrap();
    assert_eq!(read.pubkey, Some(POINT.parse().unwrap()));
    assert_eq!(mint_quote(json!({ "pubkey": "", "description": "" })).unwrap().pubkey, None);
    let no_point = format!("02{}", "f".repeat(64));
    for (change, error, code) in [
        (json!({ "unit": "usdt" }), MessageError::UnknownUnit, Code::UnknownUnit),
        (json!({ "amount": null }), MessageError::NoAmount, Code::AmountOutOfRange),
        (json!({ "pubkey": "02" }), MessageError::InvalidPubkey, Code::PubkeyRequired),
        (json!({ "pubkey": no_point }), MessageError::InvalidPubkey, Code::PubkeyRequired),
    ] {
        assert_eq!(mint_quote(change.clone()), Err(error), "{change}");
        assert_eq!(error.code(), code);
    }
    let read = melt_quote(json!({ "options": { "amountless": { "amount_msat": 1000 } } })).unwrap();
    assert_eq!((read.amountless_msat, read.is_partial), (Some(1000), false));
    assert!(melt_quote(json!({ "options": { "mpp": { "amount": 1 } } })).unwrap().is_partial);
    assert_eq!(melt_quote(json!({ "unit": "SAT" })), Err(MessageError::UnknownUnit));
}

#[test]
fn quotes_always_carry_what_wallets_want() {
    let mint = message::MintQuoteResponse {
        quote: "q".to_owned(),
        request: "r".to_owned(),
        amount: 1050,
        unit: "kes".to_owned(),
        method: "bank".to_owned(),
        state: message::MintQuoteState::Unpaid,
        expiry: None,
        pubkey: None,
        amount_paid: Some(0),
        amount_issued: Some(0),
    };
    let written = serde_json::to_value(&mint).unwrap();
    assert_eq!(
        written,
        json!({ "quote": "q", "request": "r", "amount": 1050, "unit": "kes", "method": "bank",
            "state": "UNPAID", "expiry": null, "amount_paid": 0, "amount_issued": 0 })
    );
    assert_eq!(serde_json::from_value::<message::MintQuoteResponse>(written).unwrap(), mint);
    let melt = message::MeltQuoteResponse {
        quote: "q".to_owned(),
        request: "r".to_owned(),
        amount: 1,
        unit: "sat".to_owned(),
        method: "bolt11".to_owned(),
        fee_reserve: 0,
        state: message::MeltQuoteState::Pending,
        expiry: Timestamp::from_seconds(9),
        payment_preimage: None,
        change: None,
    };
    let written = serde_json::to_value(&melt).unwrap();
    assert_eq!(
        written,
        json!({ "quote": "q", "request": "r", "amount": 1, "unit": "sat", "method": "bolt11",
            "state": "PENDING", "expiry": 9, "fee_reserve": 0, "payment_preimage": null })
    );
    assert_eq!(serde_json::from_value::<message::MeltQuoteResponse>(written).unwrap(), melt);
}

#[test]
fn quotes_are_read_from_every_mint() {
    let quote = json!({ "quote": "q", "request": "r", "amount": 1, "unit": "sat", "state": "PAID", "expiry": null });
    for (pubkey, read) in [
        (Value::Null, None),
        (json!(""), None), // Nutshell 0.20.2, when asked again.
        (json!(POINT), Some(POINT.parse().unwrap())),
    ] {
        let body = with(quote.clone(), "pubkey", pubkey);
        let quote: message::MintQuoteResponse = serde_json::from_value(body).unwrap();
        assert_eq!(quote.pubkey, read);
    }
    let body = with(quote, "pubkey", json!("02"));
    assert!(serde_json::from_value::<message::MintQuoteResponse>(body).is_err());
}

#[test]
fn keysets_are_read_from_every_mint() {
    let listed = json!({ "keysets": [
        { "id": V2_ID, "unit": "usd", "active": true, "input_fee_ppk": 100, "final_expiry": 7 },
        { "id": "I2yN+iRYfkzT", "unit": "msat", "active": false, "input_fee_ppk": null, "final_expiry": null },
        { "id": "009a1f293253e41e", "unit": "sat", "active": false },
    ] });
    let read: message::KeysetsResponse = serde_json::from_value(listed).unwrap();
    assert_eq!(read.keysets[0].final_expiry, Some(Timestamp::from_seconds(7)));
    assert_eq!(read.keysets[1].id, NamedKeyset::Unreadable);
    assert_eq!(read.keysets[2].input_fee_ppk, 0);

    let keys = json!({ "keysets": [{ "id": V2_ID, "unit": "usd", "active": true, "input_fee_ppk": 0,
        "keys": { "1": POINT, "16": POINT, "2": POINT } }] });
    let read: message::KeysResponse = serde_json::from_value(keys.clone()).unwrap();
    assert_eq!(read.keysets[0].keys.keys().copied().collect::<Vec<_>>(), [1, 2, 16]);
    let text = serde_json::to_string(&read).unwrap();
    assert!(text.find("\"2\"").unwrap() < text.find("\"16\"").unwrap(), "in order of amount");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), keys);
}

#[test]
fn subscriptions_are_read_and_answered() {
    let subscribe = |kind: &str, filters: Value| {
        json!({ "jsonrpc": "2.0", "id": 0, "method": "subscribe",
            "params": { "kind": kind, "filters": filters, "subId": "s" } })
        .to_string()
    };
    let command = |text: &str| Request::parse(text).unwrap().command();
    assert_eq!(
        command(&subscribe("proof_state", json!([POINT]))),
        Ok(Command::Subscribe {
            subscription: "s".to_owned(),
            target: Target::Proofs(vec![POINT.parse().unwrap()])
        })
    );
    let Ok(Command::Subscribe { target, .. }) =
        command(&subscribe("bank_mint_quote", json!(["a", "b"])))
    else {
        panic!("a subscription")
    };
    let quotes = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(target, Target::MintQuotes { method: "bank".to_owned(), quotes });
    let unsubscribe = r#"{"jsonrpc":"2.0","id":"1","method":"unsubscribe","params":{"subId":"s"}}"#;
    let request = Request::parse(unsubscribe).unwrap();
    assert_eq!(request.id, RequestId::Text("1".to_owned()));
    assert_eq!(request.command(), Ok(Command::Unsubscribe { subscription: "s".to_owned() }));

    for text in ["", "{", "\u{0}"] {
        assert_eq!(Request::parse(text), Err(RequestError::NotJson), "{text:?}");
    }
    for text in ["[]", "{}", r#"{"jsonrpc":"1.0","id":1,"method":"subscribe"}"#] {
        assert_eq!(Request::parse(text), Err(RequestError::NotARequest), "{text:?}");
    }
    let many = json!(vec!["q"; limit::FILTERS + 1]);
    for (text, error) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"sub"}"#.to_owned(), RequestError::UnknownMethod),
        (r#"{"jsonrpc":"2.0","id":1,"method":"subscribe"}"#.to_owned(), RequestError::Params),
        (subscribe("proof_state", json!(["02"])), RequestError::Params),
        (subscribe("mint_quote", json!([])), RequestError::UnknownKind),
        (subscribe("B_mint_quote", json!([])), RequestError::UnknownKind),
        (subscribe("bank_melt_quote", many), RequestError::TooLarge),
    ] {
        assert_eq!(command(&text), Err(error), "{text}");
    }
    assert_eq!("bank_melt_quote".parse::<Kind>().unwrap().to_string(), "bank_melt_quote");
}

#[test]
fn socket_answers_survive_both_directions() {
    let state = message::ProofState {
        y: POINT.parse().unwrap(),
        state: message::SpendState::Spent,
        witness: None,
    };
    let (id, name) = (RequestId::Number(3), "s".to_owned());
    for (answer, written) in [
        (
            Answer::done(id.clone(), name.clone()),
            json!({ "jsonrpc": "2.0", "result": { "status": "OK", "subId": "s" }, "id": 3 }),
        ),
        (
            Answer::refused(Some(id), RequestError::UnknownMethod),
            json!({ "jsonrpc": "2.0", "id": 3, "error":
                { "code": -32601, "message": "the method is neither subscribe nor unsubscribe" } }),
        ),
        (
            Answer::notification(name, Payload::Proof(state)),
            json!({ "jsonrpc": "2.0", "method": "subscribe", "params":
                { "subId": "s", "payload": { "Y": POINT, "state": "SPENT", "witness": null } } }),
        ),
    ] {
        assert_eq!(serde_json::to_value(&answer).unwrap(), written);
        assert_eq!(serde_json::from_value::<Answer>(written).unwrap(), answer);
    }
}

#[test]
fn a_signature_without_its_proof_is_not_taken() {
    let signed = json!({ "amount": 8, "id": V2_ID, "C_": POINT });
    let bare: message::BlindSignature = serde_json::from_value(signed.clone()).unwrap();
    assert_eq!(BlindSignature::try_from(bare), Err(message::NoDleq));
    let dleq = json!({ "e": "11".repeat(32), "s": "22".repeat(32) });
    let whole: message::BlindSignature =
        serde_json::from_value(with(signed, "dleq", dleq)).unwrap();
    let domain = BlindSignature::try_from(whole).unwrap();
    assert_eq!(domain.dleq.e, [0x11; 32]);
    assert_eq!(message::BlindSignature::from(domain), whole);
}
