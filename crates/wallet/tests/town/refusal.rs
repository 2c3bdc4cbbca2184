//! What the wallet refuses, and what it shows of itself: each answer is made up by the test.

use std::collections::BTreeSet;

use serde_json::Value;
use tacit_core::amount::Amount;
use tacit_core::secret::Secret;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::code::Code;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::{CheckStateRequest, RestoreRequest, SwapRequest};
use tacit_ecash::point::PointBytes;
use tacit_ecash::token::Token;
use tacit_wallet::batch::{Batch, Change, Conflict};
use tacit_wallet::operation::keysets::{Keysets, KeysetsError};
use tacit_wallet::operation::melt::{self, Melt, MeltError};
use tacit_wallet::operation::mint::{Mint as MintIt, MintError, Quote, QuoteError};
use tacit_wallet::operation::prepare::PrepareError;
use tacit_wallet::operation::receive::{Receive, ReceiveError};
use tacit_wallet::operation::reclaim::{Reclaim, ReclaimError, Reclaimed};
use tacit_wallet::operation::restore::{Restore, RestoreError};
use tacit_wallet::operation::send::{Order, Send, SendError};
use tacit_wallet::operation::settle::{Settle, SettleError};
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::output::OutputError;
use tacit_wallet::state::{OperationId, ProofId, Status};
use tacit_wallet::transport::{Answer, Request};

use super::mint::Mint;
use super::person::{CALM, NOW, Network, PACE, Person, address, usd};
use super::random::Random;

pub(crate) fn network(seed: u64) -> Network {
    let mut random = Random::new(seed);
    let mut mint = Mint::new(random.split());
    mint.remembers = true;
    Network::of(mint, random)
}

/// What [`rich`] leaves: 200 but for four proofs of 1, which are spent, so that odd amounts need a swap.
pub(crate) const RICHES: u64 = 196;

/// Somebody with [`RICHES`] at a mint that remembers.
pub(crate) fn rich(seed: u64) -> (Network, Person) {
    let mut network = network(seed);
    let mut person = Person::new(&mut network.random);
    person.learn_keysets(&mut network);
    person.earn(&mut network, 200);
    let mut state = person.state();
    let keyset = network.mint.keysets[0].id();
    let proofs = &state.keysets()[&keyset].proofs;
    let ones = proofs.iter().filter(|(_, proof)| proof.amount == 1).map(|(counter, _)| *counter);
    let ys = by_counter(&person, keyset, proofs.len());
    let spend = |counter: u64| {
        network.mint.spent.insert(ys[usize::try_from(counter).unwrap()], 1);
        let (from, to) = (Status::Unspent, Status::Spent);
        Change::SetStatus { id: ProofId { keyset, counter }, from, to }
    };
    let changes = ones.map(spend).collect();
    state.apply(&Batch { changes }).unwrap();
    person.stored = serde_json::to_string(&state).unwrap();
    assert_eq!(person.balance(), RICHES);
    (network, person)
}

pub(crate) fn order(amount: u64) -> Order {
    let amount = Amount::new(amount, usd()).unwrap();
    let (memo, lock, delivery) = (None, None, None);
    Order { mint: address(), amount, is_fee_added: false, memo, lock, delivery }
}

/// An amount that needs a swap, for the person has no proof of 1.
pub(crate) const ODD: u64 = 101;

/// What a machine says when `carry` takes its requests where it likes.
pub(crate) fn drive_carried<T>(
    person: &mut Person,
    network: &mut Network,
    mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>,
    mut carry: impl FnMut(&mut Network, &Request) -> Option<(u16, String)>,
) -> T {
    let mut state = person.state();
    let mut answer = None;
    loop {
        match step(Wallet { seed: &person.seed, state: &state, now: NOW }, answer.take()) {
            Yield::Done(result) => return result,
            Yield::Persist(batch) => {
                state.apply(&batch).unwrap();
                person.stored = serde_json::to_string(&state).unwrap();
            }
            Yield::Send(request) => {
                answer = Some(match carry(network, &request) {
                    None => Answer::Lost,
                    Some((status, body)) => {
                        Answer::Received { status, body: Secret::new(body.into_bytes()) }
                    }
                });
            }
        }
    }
}

/// What a machine says when each answer goes through `forge` first.
pub(crate) fn drive_forged<T>(
    person: &mut Person,
    network: &mut Network,
    step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>,
    mut forge: impl FnMut(&Request, (u16, String)) -> Option<(u16, String)>,
) -> T {
    drive_carried(person, network, step, |network, request| {
        let honest = network.answer(request);
        forge(request, honest)
    })
}

/// Changes the JSON of answers from one path.
fn forging(
    path: &'static str,
    change: impl Fn(&mut Value),
) -> impl FnMut(&Request, (u16, String)) -> Option<(u16, String)> {
    move |request, (status, body)| {
        let mut value: Value = serde_json::from_str(&body).unwrap();
        if request.path == path {
            change(&mut value);
        }
        Some((status, value.to_string()))
    }
}

fn learn(
    person: &mut Person,
    network: &mut Network,
    forge: impl FnMut(&Request, (u16, String)) -> Option<(u16, String)>,
) -> Result<(), KeysetsError> {
    let mut keysets = Keysets::new(address());
    drive_forged(person, network, |wallet, answer| keysets.step(wallet, answer), forge)
}

#[test]
fn a_mint_whose_keysets_change_is_refused() {
    let (mut network, mut person) = rich(1);
    let id = network.mint.keysets[0].id();
    let before = person.stored.clone();
    let changed = Err(KeysetsError::Changed { id });
    let swap_keys = |value: &mut Value| {
        let keys = value["keysets"][0]["keys"].as_object_mut().unwrap();
        keys["1"] = keys["2"].clone();
    };
    assert_eq!(learn(&mut person, &mut network, forging("/v1/keys", swap_keys)), changed);
    for (field, other) in
        [("unit", "eur".into()), ("input_fee_ppk", 7.into()), ("final_expiry", 9.into())]
    {
        let forge = |value: &mut Value| value["keysets"][0][field] = Value::clone(&other);
        assert_eq!(learn(&mut person, &mut network, forging("/v1/keysets", forge)), changed);
    }
    assert_eq!(person.stored, before, "nothing of it was kept");
    assert_eq!(learn(&mut person, &mut network, |_, honest| Some(honest)), Ok(()));
}

#[test]
fn keys_that_are_not_named_by_their_id_are_refused() {
    let mut network = network(2);
    let mut person = Person::new(&mut network.random);
    let id = network.mint.keysets[0].id();
    let swap_keys = |value: &mut Value| {
        let keys = value["keysets"][0]["keys"].as_object_mut().unwrap();
        keys["1"] = keys["2"].clone();
    };
    let refused = learn(&mut person, &mut network, forging("/v1/keys", swap_keys));
    assert_eq!(refused, Err(KeysetsError::FalseId { id }));
    assert!(person.state().keysets().is_empty());
}

#[test]
fn a_keyset_of_another_mint_is_refused() {
    let (mut network, mut person) = rich(3);
    let id = network.mint.keysets[0].id();
    let mut keysets = Keysets::new("https://copy.example".parse().unwrap());
    let end = person.drive(&mut network, CALM, |wallet, answer| keysets.step(wallet, answer));
    assert_eq!(end, Some(Err(KeysetsError::OtherMint { id })));
}

#[test]
fn keysets_of_unknown_units_and_versions_are_left_alone() {
    let mut network = network(4);
    let mut person = Person::new(&mut network.random);
    let add = |value: &mut Value| {
        let list = value["keysets"].as_array_mut().unwrap();
        let mut foreign = list[0].clone();
        foreign["id"] = "ff00".into();
        list.push(foreign.clone());
        foreign["id"] = format!("01{}", "0".repeat(64)).into();
        foreign["unit"] = "points".into();
        list.push(foreign);
    };
    assert_eq!(learn(&mut person, &mut network, forging("/v1/keysets", add)), Ok(()));
    assert_eq!(person.state().keysets().len(), 1);
    let lost = learn(&mut person, &mut network, |_, _| None);
    assert_eq!(lost, Err(KeysetsError::NoAnswer));
}

#[test]
fn a_signature_without_a_true_proof_of_its_key_is_not_taken() {
    type Forge = fn(&mut Value);
    let forgeries: [Forge; 4] = [
        |value| value["signatures"][1]["dleq"] = Value::Null,
        |value| value["signatures"][1]["dleq"]["e"] = "11".repeat(32).into(),
        |value| value["signatures"][1]["amount"] = 1024.into(),
        |value| value["signatures"][1]["C_"] = value["signatures"][0]["C_"].clone(),
    ];
    for forge in forgeries {
        let (mut network, mut person) = rich(5);
        let mut send = Send::new(order(ODD));
        let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
        let end = drive_forged(&mut person, &mut network, step, forging("/v1/swap", forge));
        let bad = OutputError::BadSignature { index: 1 };
        assert_eq!(end, Err(SendError::Settle(SettleError::Output(bad))));
        assert_eq!(person.state().operations().len(), 1, "the operation stays open");
        person.settle_all(&mut network);
        assert_eq!(person.state().tokens().len(), 1, "an honest answer still ends it");
    }
    let (mut network, mut person) = rich(5);
    let mut send = Send::new(order(ODD));
    let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
    let drop_one = |value: &mut Value| drop(value["signatures"].as_array_mut().unwrap().pop());
    let end = drive_forged(&mut person, &mut network, step, forging("/v1/swap", drop_one));
    assert_eq!(end, Err(SendError::Settle(SettleError::Output(OutputError::Count))));
}

#[test]
fn a_repeated_request_has_the_same_bytes_and_left_after_its_counters() {
    let (mut network, mut person) = rich(6);
    let mut send = Send::new(order(ODD));
    let mut first = None;
    let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
    let lost = drive_forged(&mut person, &mut network, step, |request, _| {
        first = Some(request.clone());
        None
    });
    assert_eq!(lost, Err(SendError::Settle(SettleError::NoAnswer)));
    let first = first.unwrap();
    let state = person.state();
    let swap: SwapRequest = serde_json::from_str(first.body.as_ref().unwrap().expose()).unwrap();
    let (id, operation) = state.operations().first_key_value().unwrap();
    let outputs = &operation.exchange.as_ref().unwrap().outputs;
    let keyset = &state.keysets()[&outputs.keyset];
    assert_eq!(keyset.counter, outputs.first + swap.outputs.len() as u64);
    let reserved = keyset.proofs.values();
    let reserved = reserved.filter(|proof| proof.status == Status::Reserved { operation: *id });
    assert_eq!(reserved.count(), swap.inputs.len());
    let next = Settle::new(*id).step(Wallet { seed: &person.seed, state: &state, now: NOW }, None);
    assert_eq!(next, Yield::Send(first));
    let amounts: Vec<u64> = swap.outputs.iter().map(|output| output.amount).collect();
    assert!(amounts.is_sorted(), "the order does not tell what is sent: {amounts:?}");
}

#[test]
fn restore_asks_for_states_first_and_never_shows_what_is_spent_blinded() {
    let (mut network, mut person) = rich(7);
    for _ in 0..4 {
        let mut send = Send::new(order(ODD));
        let sealed =
            person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer)).unwrap();
        let mut reclaim = Reclaim::new(sealed.unwrap().id);
        person
            .drive(&mut network, CALM, |wallet, answer| reclaim.step(wallet, answer))
            .unwrap()
            .unwrap();
    }
    let balance = person.balance();
    let mut restored = person.forget_all_but_the_words();
    restored.learn_keysets(&mut network);
    let mut restore = Restore::new(address(), usd(), PACE, [9; 32]);
    let (mut shown, mut largest, mut in_order) = (BTreeSet::new(), 0, Vec::new());
    let step = |wallet: Wallet<'_>, answer| restore.step(wallet, answer);
    let end = drive_forged(&mut restored, &mut network, step, |request, honest| {
        let body = request.body.as_ref().unwrap().expose();
        match request.path.as_str() {
            "/v1/restore" => {
                let asked: RestoreRequest = serde_json::from_str(body).unwrap();
                largest = largest.max(asked.outputs.len());
                shown.extend(asked.outputs.iter().map(|output| output.blinded));
            }
            "/v1/checkstate" => {
                let asked: CheckStateRequest = serde_json::from_str(body).unwrap();
                largest = largest.max(asked.ys.len());
                in_order.extend(asked.ys);
            }
            path => panic!("restore asks {path}"),
        }
        Some(honest)
    });
    assert_eq!(end.unwrap().amount, balance);
    assert_eq!(restored.balance(), balance);
    assert_eq!(largest, PACE.batch);
    let keyset = network.mint.keysets[0].id();
    let state = person.state();
    let proofs = state.keysets()[&keyset].proofs.values();
    let unspent = proofs.filter(|proof| proof.status == Status::Unspent).count();
    let shown_signed = shown.iter().filter(|blinded| network.mint.signed.contains_key(blinded));
    assert_eq!(shown_signed.count(), unspent, "blinded forms of spent proofs were shown");
    assert!(unspent < network.mint.signed.len(), "something was spent");
    let derived = by_counter(&person, keyset, in_order.len());
    assert_ne!(in_order, derived, "the order of counters was shown");
    let as_set = |list: &[PointBytes]| list.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(as_set(&in_order), as_set(&derived));
}

/// `Y`s in the order of their counters.
fn by_counter(person: &Person, keyset: KeysetId, count: usize) -> Vec<PointBytes> {
    let y = |counter| {
        let secret = person.seed.derive(&keyset, counter).unwrap().secret;
        hash_to_curve(secret.expose().as_bytes()).unwrap().y().to_point()
    };
    (0..count as u64).map(y).collect()
}

#[test]
fn a_false_signature_is_not_restored() {
    let (mut network, person) = rich(8);
    let mut restored = person.forget_all_but_the_words();
    restored.learn_keysets(&mut network);
    let mut restore = Restore::new(address(), usd(), PACE, [9; 32]);
    let step = |wallet: Wallet<'_>, answer| restore.step(wallet, answer);
    let end = drive_forged(&mut restored, &mut network, step, |request, (status, body)| {
        let mut value: Value = serde_json::from_str(&body).unwrap();
        if request.path == "/v1/restore" {
            for signed in value["signatures"].as_array_mut().unwrap() {
                signed["amount"] = 1024.into();
            }
        }
        Some((status, value.to_string()))
    });
    assert!(matches!(end, Err(RestoreError::BadSignature { .. })), "{end:?}");
    let mut restore = Restore::new(address(), usd(), PACE, [9; 32]);
    let step = |wallet: Wallet<'_>, answer| restore.step(wallet, answer);
    let end = drive_forged(&mut restored, &mut network, step, |_, _| None);
    assert_eq!(end, Err(RestoreError::NoAnswer));
}

#[test]
fn what_is_spent_already_is_said_and_marked() {
    let (mut network, mut person) = rich(9);
    let mut other = Person { seed: person.seed.clone(), stored: person.stored.clone() };
    let amount = ODD;
    // The same words on two devices: what one has spent, the other cannot.
    for (device, is_first) in [(&mut other, true), (&mut person, false)] {
        let mut send = Send::new(order(amount));
        let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
        let end = device.drive(&mut network, CALM, step).unwrap();
        if is_first {
            end.unwrap();
        } else {
            // The very request of the first device: its answer is the same token.
            assert!(end.is_ok(), "{end:?}");
        }
    }
    let mut send = Send::new(order(person.balance()));
    let token = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap()
        .token;
    let mut receiver = Person::new(&mut network.random);
    receiver.learn_keysets(&mut network);
    for is_first in [true, false] {
        let mut receive = Receive::new(token.clone());
        let step = |wallet: Wallet<'_>, answer| receive.step(wallet, answer);
        let end = receiver.drive(&mut network, CALM, step).unwrap();
        match is_first {
            true => assert!(end.is_ok()),
            false => assert_eq!(end, Err(ReceiveError::Settle(SettleError::AlreadySpent))),
        }
    }
    assert!(receiver.state().operations().is_empty());
}

#[test]
fn inputs_that_are_pending_at_the_mint_stay_reserved() {
    let (mut network, mut person) = rich(18);
    let mut send = Send::new(order(ODD));
    let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
    let end = drive_forged(&mut person, &mut network, step, |request, (status, body)| {
        if request.path == "/v1/swap" {
            return Some((400, r#"{"detail": "no", "code": 10000}"#.to_owned()));
        }
        Some((status, body.replace("\"SPENT\"", "\"PENDING\"")))
    });
    assert_eq!(end, Err(SendError::Settle(SettleError::Pending)));
    assert_eq!(person.state().operations().len(), 1);
    let state = person.state();
    let mut proofs = state.keysets().values().flat_map(|keyset| keyset.proofs.values());
    assert!(proofs.any(|proof| matches!(proof.status, Status::Reserved { .. })));
    person.settle_all(&mut network);
    assert_eq!(person.state().tokens().len(), 1, "the mint had followed it all along");
}

#[test]
fn a_clear_no_frees_what_is_not_spent() {
    let (mut network, mut person) = rich(19);
    network.mint.rotate();
    let mut send = Send::new(order(ODD));
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    let Some(Err(SendError::Settle(SettleError::Refused { refusal }))) = end else {
        panic!("{end:?}");
    };
    assert_eq!(refusal.code, u32::from(Code::InactiveKeyset.number()));
    assert_eq!((person.balance(), person.state().operations().len()), (RICHES, 0));
    person.learn_keysets(&mut network);
    let mut send = Send::new(order(ODD));
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    assert!(end.unwrap().is_ok(), "under the new keyset it goes through");
}

#[test]
fn a_stale_counter_is_said_and_nothing_is_spent() {
    let (mut network, mut person) = rich(10);
    let copy = person.stored.clone();
    let amount = ODD;
    let mut quote = Quote::new(address(), "bank".to_owned(), Amount::new(50, usd()).unwrap());
    let quoted = person.drive(&mut network, CALM, |wallet, answer| quote.step(wallet, answer));
    let mut mint = MintIt::new(quoted.unwrap().unwrap().operation);
    person.drive(&mut network, CALM, |wallet, answer| mint.step(wallet, answer)).unwrap().unwrap();
    person.stored = copy;
    let mut send = Send::new(order(amount));
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    assert_eq!(end, Some(Err(SendError::Settle(SettleError::StaleCounter))));
    assert_eq!(person.balance(), RICHES, "the inputs are free again");
    person.restore(&mut network, CALM).unwrap();
    assert_eq!(person.balance(), RICHES + 50, "what was forgotten is found");
    let mut send = Send::new(order(amount));
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    assert!(end.unwrap().is_ok());
}

#[test]
fn a_mint_quote_waits_until_it_is_paid_and_is_issued_once() {
    let (mut network, mut person) = rich(11);
    let mut quote = Quote::new(address(), "bank".to_owned(), Amount::new(50, usd()).unwrap());
    let quoted = person.drive(&mut network, CALM, |wallet, answer| quote.step(wallet, answer));
    let quoted = quoted.unwrap().unwrap();
    let copy = person.stored.clone();
    let path = "/v1/mint/quote/bank/mint-1";
    let unpaid = |value: &mut Value| value["state"] = "UNPAID".into();
    let mut mint = MintIt::new(quoted.operation);
    let step = |wallet: Wallet<'_>, answer| mint.step(wallet, answer);
    let end = drive_forged(&mut person, &mut network, step, forging(path, unpaid));
    assert_eq!(end, Err(MintError::Settle(SettleError::AwaitsPayment)));
    let mut settle = Settle::new(quoted.operation);
    let end = person.drive(&mut network, CALM, |wallet, answer| settle.step(wallet, answer));
    assert_eq!(end, Some(Err(SettleError::AwaitsPayment)));
    let mut mint = MintIt::new(quoted.operation);
    let end = person.drive(&mut network, CALM, |wallet, answer| mint.step(wallet, answer));
    assert_eq!(end, Some(Ok(50)));
    for error in [SettleError::AlreadyIssued, SettleError::UnknownOperation] {
        if error == SettleError::AlreadyIssued {
            person.stored.clone_from(&copy);
        }
        let mut mint = MintIt::new(quoted.operation);
        let end = person.drive(&mut network, CALM, |wallet, answer| mint.step(wallet, answer));
        assert_eq!(end, Some(Err(MintError::Settle(error))));
    }
}

#[test]
fn quotes_for_something_else_are_refused() {
    let (mut network, mut person) = rich(12);
    let more = |value: &mut Value| value["amount"] = 51.into();
    let mut quote = Quote::new(address(), "bank".to_owned(), Amount::new(50, usd()).unwrap());
    let step = |wallet: Wallet<'_>, answer| quote.step(wallet, answer);
    let end = drive_forged(&mut person, &mut network, step, forging("/v1/mint/quote/bank", more));
    assert_eq!(end, Err(QuoteError::OtherAmount));
    let amount = Amount::new(50, usd()).unwrap();
    let quote =
        || melt::Quote::of_amount(address(), "bank".to_owned(), "payto://x".to_owned(), amount);
    let mut asked = quote();
    let step = |_: Wallet<'_>, answer| asked.step(answer);
    let end = drive_forged(&mut person, &mut network, step, forging("/v1/melt/quote/bank", more));
    assert_eq!(end, Err(melt::QuoteError::OtherPayment));
    let mut asked = quote();
    let honest = person.drive(&mut network, CALM, |_, answer| asked.step(answer)).unwrap().unwrap();
    // Open twice: the second waits for the first.
    let mut first = Melt::new(address(), "bank".to_owned(), honest.clone());
    let step = |wallet: Wallet<'_>, answer| first.step(wallet, answer);
    let lost = drive_forged(&mut person, &mut network, step, |_, _| None);
    assert_eq!(lost, Err(MeltError::Settle(SettleError::NoAnswer)));
    let mut second = Melt::new(address(), "bank".to_owned(), honest);
    let end = person.drive(&mut network, CALM, |wallet, answer| second.step(wallet, answer));
    assert_eq!(end, Some(Err(MeltError::NotUnpaid)));
}

#[test]
fn a_payment_made_with_other_proofs_frees_these() {
    let (mut network, mut person) = rich(13);
    let amount = Amount::new(50, usd()).unwrap();
    let mut asked =
        melt::Quote::of_amount(address(), "bank".to_owned(), "payto://x".to_owned(), amount);
    let quote = person.drive(&mut network, CALM, |_, answer| asked.step(answer)).unwrap().unwrap();
    let mut melt = Melt::new(address(), "bank".to_owned(), quote);
    let step = |wallet: Wallet<'_>, answer| melt.step(wallet, answer);
    // The mint answers by the quote alone that it is paid; but nothing of ours was spent.
    let body = r#"{"quote":"melt-0","request":"payto://x","amount":50,"unit":"usd",
        "fee_reserve":0,"state":"PAID","expiry":9}"#;
    let end = drive_carried(&mut person, &mut network, step, |network, request| {
        let is_paying = request.path == "/v1/melt/bank";
        Some(if is_paying { (200, body.to_owned()) } else { network.answer(request) })
    });
    let Err(MeltError::Settle(SettleError::Refused { refusal })) = end else {
        panic!("{end:?}");
    };
    assert_eq!(refusal.code, u32::from(Code::AlreadyPaid.number()));
    assert_eq!(person.balance(), RICHES);
}

#[test]
fn what_cannot_be_prepared_changes_nothing() {
    let (mut network, mut person) = rich(14);
    let before = person.stored.clone();
    let mut send = Send::new(order(RICHES + 1));
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    assert!(matches!(end, Some(Err(SendError::Prepare(PrepareError::NotEnough(_))))), "{end:?}");
    let nowhere = Order { mint: "https://nowhere.example".parse().unwrap(), ..order(1) };
    let mut send = Send::new(nowhere);
    let end = person.drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer));
    assert_eq!(end, Some(Err(SendError::Prepare(PrepareError::NoKeyset))));
    let mut reclaim = Reclaim::new(OperationId::from_number(99));
    let end = person.drive(&mut network, CALM, |wallet, answer| reclaim.step(wallet, answer));
    assert_eq!(end, Some(Err(ReclaimError::UnknownToken)));
    assert_eq!(person.stored, before);
    let state = person.state();
    let conflict = Change::Close { id: OperationId::from_number(99) };
    let mut changed = state.clone();
    let advance = Change::SetActive { id: network.mint.keysets[0].id(), is_active: false };
    let batch = Batch { changes: vec![advance, conflict] };
    assert_eq!(changed.apply(&batch), Err(Conflict));
    assert_eq!(changed, state, "a batch applies whole or not at all");
}

#[test]
fn tokens_of_unknown_keysets_or_units_are_refused() {
    let (mut network, mut person) = rich(15);
    let mut send = Send::new(order(ODD));
    let sealed = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap();
    let token = sealed.token;
    let mut stranger = Person::new(&mut network.random);
    let mut receive = |person: &mut Person, token: Token| {
        let mut receive = Receive::new(token);
        person.drive(&mut network, CALM, |wallet, answer| receive.step(wallet, answer)).unwrap()
    };
    let unknown = receive(&mut stranger, token.clone());
    assert!(matches!(unknown, Err(ReceiveError::Keyset(_))), "{unknown:?}");
    let euro = Token { unit: Some("eur".to_owned()), ..token.clone() };
    assert_eq!(receive(&mut person, euro), Err(ReceiveError::Unit));
    let nowhere = Token { mint: "nowhere".to_owned(), ..token.clone() };
    assert!(matches!(receive(&mut person, nowhere), Err(ReceiveError::Mint(_))));
    // One's own token comes back, and is out no more.
    assert!(receive(&mut person, token.clone()).is_ok());
    assert!(person.state().tokens().is_empty());
    // Looked at by its id, it is unknown now.
    let mut reclaim = Reclaim::look(sealed.id);
    let end = person.drive(&mut network, CALM, |wallet, answer| reclaim.step(wallet, answer));
    assert_eq!(end, Some(Err(ReclaimError::UnknownToken)));
}

#[test]
fn looking_at_a_token_leaves_it_out() {
    let (mut network, mut person) = rich(16);
    let amount = ODD;
    let mut send = Send::new(order(amount));
    let sealed = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap();
    let look = |person: &mut Person, network: &mut Network| {
        let mut reclaim = Reclaim::look(sealed.id);
        person.drive(network, CALM, |wallet, answer| reclaim.step(wallet, answer)).unwrap()
    };
    assert_eq!(look(&mut person, &mut network), Ok(Reclaimed::Unspent { amount }));
    let mut receiver = Person::new(&mut network.random);
    receiver.learn_keysets(&mut network);
    let mut receive = Receive::new(sealed.token.clone());
    let step = |wallet: Wallet<'_>, answer| receive.step(wallet, answer);
    receiver.drive(&mut network, CALM, step).unwrap().unwrap();
    assert_eq!(look(&mut person, &mut network), Ok(Reclaimed::Unspent { amount: 0 }));
    assert!(person.state().tokens().is_empty());
}
