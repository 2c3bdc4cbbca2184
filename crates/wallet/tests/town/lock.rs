//! Locks: tokens for one key, for a preimage, with a way back; and requests that are paid as they ask, or not at all.

use std::cell::RefCell;

use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::{Value, json};
use tacit_core::amount::Amount;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::condition::lock::{Condition, Lock, Malformed, SignatureFlag, Terms};
use tacit_ecash::condition::witness::{Witness, sign_input};
use tacit_ecash::condition::{ConditionError, Preimage};
use tacit_ecash::message::SwapRequest;
use tacit_ecash::payment_request::lock_option::{LockKind, LockOption};
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::payment_request::{Method, PaymentRequest, Transport, TransportKind};
use tacit_wallet::history::Progress;
use tacit_wallet::locked::Locking;
use tacit_wallet::operation::Wallet;
use tacit_wallet::operation::ask::{AskError, PaymentError};
use tacit_wallet::operation::mint::{Quote, QuoteError};
use tacit_wallet::operation::pay::{Deliver, DeliverError, Paid, Pay, PayError, Payable, payable};
use tacit_wallet::operation::prepare::PrepareError;
use tacit_wallet::operation::receive::{Receive, ReceiveError};
use tacit_wallet::operation::reclaim::{Reclaim, ReclaimError, Reclaimed};
use tacit_wallet::operation::send::{Order, Send, SendError};
use tacit_wallet::operation::settle::SettleError;
use tacit_wallet::state::OperationId;
use tacit_wallet::token::SealedToken;
use tacit_wallet::transport::Request;

use super::payment::{post, request};
use super::person::{CALM, NOW, Network, Person, address, usd};
use super::refusal::{ODD, RICHES, drive_forged, order, rich};

const LATER: Timestamp = Timestamp::from_seconds(NOW.seconds() + 3600);
const BEFORE: Timestamp = Timestamp::from_seconds(NOW.seconds() - 3600);

fn locking(terms: Terms) -> Option<Locking> {
    let option = LockOption::of(&Condition::new(terms).unwrap());
    Some(Locking { option, random: Secret::new([9; 32]) })
}

fn send(person: &mut Person, network: &mut Network, terms: Terms) -> SealedToken {
    let mut send = Send::new(Order { lock: locking(terms), ..order(ODD) });
    person.drive(network, CALM, |wallet, answer| send.step(wallet, answer)).unwrap().unwrap()
}

/// Somebody who knows the mint, with a key given out.
fn friend(network: &mut Network) -> (Person, PublicKey) {
    let mut friend = Person::new(&mut network.random);
    friend.learn_keysets(network);
    let key = new_key(&mut friend);
    (friend, key)
}

fn new_key(person: &mut Person) -> PublicKey {
    let mut state = person.state();
    let (key, batch) = state.lock_key(&person.seed).unwrap();
    state.apply(&batch).unwrap();
    person.stored = serde_json::to_string(&state).unwrap();
    key
}

fn stranger() -> SecretKey {
    SecretKey::from_byte_array([77; 32]).unwrap()
}

fn locked(index: usize) -> Option<Result<u64, ReceiveError>> {
    Some(Err(ReceiveError::Prepare(PrepareError::Locked(ConditionError::Locked { index }))))
}

#[test]
fn a_token_for_a_key_is_for_its_owner_alone() {
    for flag in [SignatureFlag::Inputs, SignatureFlag::All] {
        let (mut network, mut person) = rich(40);
        let (friend, key) = friend(&mut network);
        let terms = Terms { flag, ..Terms::new(Lock::Key(key)) };
        let token = send(&mut person, &mut network, terms).token;
        assert!(token.proofs.len() > 1, "several proofs, one lock");
        // The sender cannot take it back, and nothing is sent to find that out.
        let signed = network.mint.signed.len();
        let refused = person.receive(&mut network, CALM, Receive::new(token.clone()));
        assert_eq!(refused, locked(0));
        assert_eq!(network.mint.signed.len(), signed);
        // Its owner can, also with nothing left but the words.
        let mut restored = friend.forget_all_but_the_words();
        restored.learn_keysets(&mut network);
        let received = restored.receive(&mut network, CALM, Receive::new(token));
        assert_eq!(received, Some(Ok(restored.balance())), "{flag:?}");
        assert!(ODD - 10 < restored.balance() && friend.balance() == 0);
        person.reclaim_all(&mut network);
        assert!(person.state().tokens().is_empty());
    }
}

#[test]
fn a_locked_token_comes_back_by_its_refund_key_once_it_is_time() {
    let (mut network, mut person) = rich(41);
    let own = new_key(&mut person);
    let key = stranger().public_key(SECP256K1);
    let terms = |locktime| Terms {
        locktime: Some(locktime),
        refund: Some(vec![own]),
        ..Terms::new(Lock::Key(key))
    };
    let early = send(&mut person, &mut network, terms(LATER));
    let mut reclaim = Reclaim::new(early.id);
    let end = person.drive(&mut network, CALM, |wallet, answer| reclaim.step(wallet, answer));
    let too_early = PrepareError::Locked(ConditionError::Locked { index: 0 });
    assert_eq!(end, Some(Err(ReclaimError::Prepare(too_early))));
    assert_eq!(person.state().tokens().len(), 1, "it stays out");
    let mut look = Reclaim::look(early.id);
    let end = person.drive(&mut network, CALM, |wallet, answer| look.step(wallet, answer));
    assert_eq!(end, Some(Ok(Reclaimed::Unspent { amount: ODD })));

    let (mut network, mut person) = rich(41);
    let own_again = new_key(&mut person);
    assert_eq!(own_again, own);
    let late = send(&mut person, &mut network, terms(BEFORE));
    let mut reclaim = Reclaim::new(late.id);
    let end = person.drive(&mut network, CALM, |wallet, answer| reclaim.step(wallet, answer));
    assert!(matches!(end, Some(Ok(Reclaimed::Taken { .. }))), "{end:?}");
    assert!(person.state().tokens().is_empty());
    assert_eq!(person.state().history()[&late.id].progress, Progress::Returned);
}

#[test]
fn a_token_for_a_preimage_is_for_whoever_has_it() {
    let (mut network, mut person) = rich(42);
    let (mut friend, key) = friend(&mut network);
    let preimage = Preimage::from_bytes([5; 32]);
    let terms = Terms { pubkeys: vec![key], ..Terms::new(Lock::Hash(preimage.hash())) };
    let token = send(&mut person, &mut network, terms).token;
    let mut receive = |who: &mut Person, receive| who.receive(&mut network, CALM, receive);
    let wrong = Preimage::from_bytes([6; 32]);
    assert_eq!(receive(&mut friend, Receive::new(token.clone())), locked(0));
    assert_eq!(receive(&mut friend, Receive::with_preimage(token.clone(), wrong)), locked(0));
    let thief = receive(&mut person, Receive::with_preimage(token.clone(), preimage));
    assert_eq!(thief, locked(0), "the preimage without the key");
    let received = receive(&mut friend, Receive::with_preimage(token, preimage));
    assert_eq!(received, Some(Ok(friend.balance())));
}

#[test]
fn signatures_that_a_token_carries_count() {
    let (mut network, mut person) = rich(43);
    let (mut friend, key) = friend(&mut network);
    let other = stranger();
    let pubkeys = vec![other.public_key(SECP256K1)];
    let terms = Terms { pubkeys, n_sigs: Some(2), ..Terms::new(Lock::Key(key)) };
    let mut token = send(&mut person, &mut network, terms).token;
    let alone = friend.receive(&mut network, CALM, Receive::new(token.clone()));
    assert_eq!(alone, locked(0), "two must sign");
    for proof in &mut token.proofs {
        let signatures = vec![sign_input(&proof.secret, &other, &[1; 32])];
        proof.witness = Some(Witness { preimage: None, signatures }.to_text());
    }
    let together = friend.receive(&mut network, CALM, Receive::new(token));
    assert_eq!(together, Some(Ok(friend.balance())));
}

#[test]
fn a_lock_that_opens_for_nobody_is_neither_made_nor_sent_to_the_mint() {
    let (mut network, mut person) = rich(44);
    let before = person.stored.clone();
    let data = stranger().public_key(SECP256K1).to_string();
    let tags = vec![vec!["n_sigs".to_owned(), "3".to_owned()]];
    let option = LockOption { kind: LockKind::P2pk, data, tags };
    let lock = Some(Locking { option, random: Secret::new([9; 32]) });
    let mut send = Send::new(Order { lock, ..order(ODD) });
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    let malformed = PrepareError::Lock(Malformed::SignatureCount);
    assert_eq!(end, Some(Err(SendError::Prepare(malformed))));
    assert_eq!(person.stored, before);
}

#[test]
fn locked_outputs_use_no_counters_and_do_not_print() {
    let (mut network, mut person) = rich(45);
    let (_, key) = friend(&mut network);
    let mut send = Send::new(Order { lock: locking(Terms::new(Lock::Key(key))), ..order(ODD) });
    let mut swap = None;
    let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
    let lost = drive_forged(&mut person, &mut network, step, |request, _| {
        swap = request.body.as_ref().map(|body| body.expose().to_owned());
        None
    });
    assert_eq!(lost, Err(SendError::Settle(SettleError::NoAnswer)));
    let swap: SwapRequest = serde_json::from_str(&swap.unwrap()).unwrap();
    let amounts: Vec<u64> = swap.outputs.iter().map(|output| output.amount).collect();
    assert!(amounts.is_sorted(), "the order does not tell what is sent: {amounts:?}");
    let state = person.state();
    let (_, operation) = state.operations().first_key_value().unwrap();
    let outputs = &operation.exchange.as_ref().unwrap().outputs;
    assert_eq!(outputs.amounts.len() + outputs.locked.len(), swap.outputs.len());
    let counter = state.keysets()[&outputs.keyset].counter;
    assert_eq!(counter, outputs.first + outputs.amounts.len() as u64);
    assert!(!format!("{operation:?}").contains("P2PK"));
    person.settle_all(&mut network);
    assert_eq!(person.state().tokens().len(), 1);
}

#[test]
fn each_quote_has_its_own_key_and_another_key_is_refused() {
    let (mut network, mut person) = rich(46);
    let mut keys = Vec::new();
    for _ in 0..3 {
        let mut quote = Quote::new(address(), "bank".to_owned(), Amount::new(5, usd()).unwrap());
        let step = |wallet: Wallet<'_>, answer| quote.step(wallet, answer);
        let end = drive_forged(&mut person, &mut network, step, |request, honest| {
            let body: Value =
                serde_json::from_str(request.body.as_ref().unwrap().expose()).unwrap();
            keys.push(body["pubkey"].as_str().unwrap().to_owned());
            Some(honest)
        });
        assert!(end.is_ok());
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3);
    let mut quote = Quote::new(address(), "bank".to_owned(), Amount::new(5, usd()).unwrap());
    let step = |wallet: Wallet<'_>, answer| quote.step(wallet, answer);
    let other = stranger().public_key(SECP256K1).to_string();
    let end = drive_forged(&mut person, &mut network, step, |_, (status, body)| {
        let mut quote: Value = serde_json::from_str(&body).unwrap();
        quote["pubkey"] = json!(other);
        Some((status, quote.to_string()))
    });
    assert_eq!(end, Err(QuoteError::OtherKey));
}

fn pay(
    person: &mut Person,
    network: &mut Network,
    asked: &PaymentRequest,
    forge: impl FnMut(&Request, (u16, String)) -> Option<(u16, String)>,
) -> Result<Paid, PayError> {
    let offers = payable(&person.state(), asked, None)?;
    let mut pay = Pay::new(asked, offers[0].clone(), None, [3; 32]);
    drive_forged(person, network, |wallet, answer| pay.step(wallet, answer), forge)
}

#[test]
fn a_payment_that_was_not_answered_is_sent_again_or_taken_back() {
    let (mut network, mut person) = rich(47);
    let (mut payee, _) = friend(&mut network);
    let mut asked = request("x1", Amount::new(ODD, usd()).unwrap());
    asked.transports.push(post());
    asked.is_single_use = Some(true);
    payee.ask(&mut asked, Some(SignatureFlag::Inputs));
    let sent = RefCell::new(Vec::new());
    let to_payee = |status: u16| {
        let sent = &sent;
        move |request: &Request, honest: (u16, String)| {
            if request.url() != "https://shop.example/pay/" {
                return Some(honest);
            }
            sent.borrow_mut().push(request.body.as_ref().unwrap().expose().to_owned());
            (status != 0).then_some((status, String::new()))
        }
    };
    let end = pay(&mut person, &mut network, &asked, to_payee(0));
    assert_eq!(end, Err(PayError::Deliver(DeliverError::NoAnswer)));
    let (id, _) =
        person.state().tokens().first_key_value().map(|(id, it)| (*id, it.clone())).unwrap();
    for (status, error) in [
        (503, DeliverError::NoAnswer),
        (429, DeliverError::NoAnswer),
        (404, DeliverError::Refused { status: 404 }),
    ] {
        let mut deliver = Deliver::new(id);
        let step = |wallet: Wallet<'_>, answer| deliver.step(wallet, answer);
        assert_eq!(drive_forged(&mut person, &mut network, step, to_payee(status)), Err(error));
    }
    let mut deliver = Deliver::new(id);
    let step = |wallet: Wallet<'_>, answer| deliver.step(wallet, answer);
    assert_eq!(drive_forged(&mut person, &mut network, step, to_payee(200)), Ok(()));
    assert!(person.state().tokens()[&id].delivery.as_ref().unwrap().is_done);
    let mut sent = sent.into_inner();
    sent.dedup();
    assert_eq!(sent.len(), 1, "each time the same bytes");
    let payload = Payload::from_json(sent[0].as_bytes()).unwrap();
    let received = payee.receive(&mut network, CALM, Receive::payment(payload.clone()));
    assert_eq!(received, Some(Ok(ODD)));
    let again = payee.receive(&mut network, CALM, Receive::payment(payload));
    assert_eq!(again, Some(Err(ReceiveError::Payment(PaymentError::AlreadyPaid))));
    let unknown = OperationId::from_number(99);
    let mut deliver = Deliver::new(unknown);
    let step = |wallet: Wallet<'_>, answer| deliver.step(wallet, answer);
    let end = drive_forged(&mut person, &mut network, step, |_, honest| Some(honest));
    assert_eq!(end, Err(DeliverError::UnknownPayment));
}

#[test]
fn a_mint_that_keeps_no_locks_gets_nothing_locked() {
    let (mut network, mut person) = rich(48);
    let (mut payee, _) = friend(&mut network);
    let mut asked = request("x1", Amount::new(ODD, usd()).unwrap());
    payee.ask(&mut asked, Some(SignatureFlag::Inputs));
    let before = person.stored.clone();
    let without = |request: &Request, honest: (u16, String)| {
        let info = r#"{"nuts": {"11": {"supported": false}}}"#.to_owned();
        Some(if request.path == "/v1/info" { (200, info) } else { honest })
    };
    assert_eq!(pay(&mut person, &mut network, &asked, without), Err(PayError::LockUnsupported));
    assert_eq!(pay(&mut person, &mut network, &asked, |_, _| None), Err(PayError::NoAnswer));
    assert_eq!(person.stored, before);
}

#[test]
fn a_mint_that_is_not_listed_costs_the_fee_of_a_method_it_pays_out_by() {
    let (mut network, mut person) = rich(49);
    let method = |name: &str, fee| Method { name: name.to_owned(), fee };
    let mut asked = request("x1", Amount::new(20, usd()).unwrap());
    asked.mints = vec!["https://other.example".to_owned()];
    let refused = payable(&person.state(), &asked, None);
    assert_eq!(refused, Err(PayError::NotTaken));
    asked.is_any_mint_taken = Some(true);
    asked.methods = vec![method("bolt11", Some(1))];
    let honest = |_: &Request, honest| Some(honest);
    assert_eq!(pay(&mut person, &mut network, &asked, honest), Err(PayError::Method));
    asked.methods.extend([method("bank", Some(7)), method("bank", Some(5))]);
    let paid = pay(&mut person, &mut network, &asked, honest).unwrap();
    let sum: u64 = paid.token.token.proofs.iter().map(|proof| proof.amount).sum();
    let (mut payee, _) = friend(&mut network);
    let received = payee.receive(&mut network, CALM, Receive::new(paid.token.token));
    assert!(matches!(received, Some(Ok(25 | 26))), "{received:?} of {sum}");
}

#[test]
fn what_could_pay_a_request_is_found_or_said_why_not() {
    let (_, person) = rich(50);
    let state = person.state();
    let amount = |value| Amount::new(value, usd()).unwrap();
    let asked = request("x1", amount(20));
    let offers = payable(&state, &asked, None).unwrap();
    let [Payable { amount: offered, is_listed: true, delivery: None, .. }] = offers.as_slice()
    else {
        panic!("{offers:?}");
    };
    assert_eq!(*offered, amount(20));
    let open = PaymentRequest { amount: None, ..asked.clone() };
    assert_eq!(payable(&state, &open, None), Err(PayError::NoAmount));
    assert_eq!(payable(&state, &open, Some(amount(0))), Err(PayError::NoAmount));
    assert_eq!(payable(&state, &open, Some(amount(5))).unwrap()[0].amount, amount(5));
    let euros = Amount::new(5, Unit::new("eur").unwrap()).unwrap();
    assert_eq!(payable(&state, &open, Some(euros)), Err(PayError::OtherAmount));
    assert_eq!(payable(&state, &asked, Some(amount(21))), Err(PayError::OtherAmount));
    let check = |change: &dyn Fn(&mut PaymentRequest)| {
        let mut changed = asked.clone();
        change(&mut changed);
        payable(&state, &changed, None).unwrap_err()
    };
    assert!(matches!(check(&|it| it.unit = Some("points".to_owned())), PayError::Unit(_)));
    assert!(matches!(check(&|it| it.amount = Some(u64::MAX)), PayError::Amount(_)));
    let lock = LockOption { kind: LockKind::Numbered(9), data: String::new(), tags: Vec::new() };
    assert_eq!(check(&|it| it.lock = Some(lock.clone())), PayError::Lock(Malformed::UnknownKind));
    let nostr = Transport { kind: TransportKind::Nostr, ..post() };
    assert_eq!(check(&|it| it.transports = vec![nostr.clone()]), PayError::NoTransport);
    let file = Transport { target: "file:///etc/passwd".to_owned(), ..post() };
    assert!(matches!(check(&|it| it.transports = vec![file.clone()]), PayError::Url(_)));
    assert_eq!(check(&|it| it.unit = Some("eur".to_owned())), PayError::NotTaken);
    let missing = PayError::NotEnough { missing: 5 };
    assert_eq!(check(&|it| it.amount = Some(RICHES + 5)), missing);
}

#[test]
fn requests_are_kept_once_and_payments_must_be_what_was_asked_for() {
    let (mut network, mut person) = rich(51);
    let (mut payee, _) = friend(&mut network);
    let mut asked = request("x1", Amount::new(20, usd()).unwrap());
    payee.ask(&mut asked, None);
    let ask = |request: &PaymentRequest| payee.state().ask(request, NOW).unwrap_err();
    assert_eq!(ask(&asked), AskError::KnownId);
    assert_eq!(ask(&PaymentRequest { id: None, ..asked.clone() }), AskError::NoId);
    let lock = LockOption { kind: LockKind::P2pk, data: String::new(), tags: Vec::new() };
    let other = Some("x2".to_owned());
    let wrong = PaymentRequest { lock: Some(lock), id: other.clone(), ..asked.clone() };
    assert_eq!(ask(&wrong), AskError::Lock(Malformed::Key));
    let long = PaymentRequest { description: Some("x".repeat(40_000)), id: other, ..asked.clone() };
    assert!(matches!(ask(&long), AskError::NotWritable(_)));

    let mut send = Send::new(order(19));
    let token = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap()
        .token;
    let mut payment = |payee: &mut Person, id: &str| {
        let payload = Payload { id: Some(id.to_owned()), token: token.clone() };
        payee.receive(&mut network, CALM, Receive::payment(payload)).unwrap()
    };
    let refused = |error| Err(ReceiveError::Payment(error));
    assert_eq!(payment(&mut payee, "x9"), refused(PaymentError::UnknownRequest));
    let short = payment(&mut payee, "x1");
    let Err(ReceiveError::Payment(PaymentError::TooLittle { missing })) = short else {
        panic!("{short:?}");
    };
    assert!(0 < missing);
    let mut elsewhere = request("x3", Amount::new(1, usd()).unwrap());
    elsewhere.mints = vec!["https://other.example".to_owned()];
    payee.ask(&mut elsewhere, None);
    assert_eq!(payment(&mut payee, "x3"), refused(PaymentError::Mint));
    let mut euros = request("x4", Amount::new(1, Unit::new("eur").unwrap()).unwrap());
    payee.ask(&mut euros, None);
    assert_eq!(payment(&mut payee, "x4"), refused(PaymentError::Unit));
    let mut enough = request("x5", Amount::new(15, usd()).unwrap());
    payee.ask(&mut enough, None);
    let mut state = payee.state();
    state.apply(&state.withdraw("x3").unwrap()).unwrap();
    assert_eq!(state.withdraw("x3"), None);
    payee.stored = serde_json::to_string(&state).unwrap();
    assert_eq!(payment(&mut payee, "x3"), refused(PaymentError::UnknownRequest));
    assert!(payment(&mut payee, "x5").is_ok());
    let entry = payee.state().history().last_key_value().unwrap().1.clone();
    assert_eq!(entry.memo.as_deref(), Some("a coat"));
    assert_eq!(payee.state().requests()["x5"].payments.len(), 1);
    assert!(payee.state().is_payable(&payee.state().requests()["x5"]), "it may be paid often");
}
