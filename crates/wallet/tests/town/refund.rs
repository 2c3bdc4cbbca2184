//! Orders of a shop at the town's mint: paid, refunded in whole or in part, and what comes back by itself.

use serde_json::Value;
use tacit_core::amount::Amount;
use tacit_core::time::{Day, Timestamp};
use tacit_ecash::message::{BlindedMessage, PayRequest, RestoreRequest};
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};
use tacit_wallet::history::{Kind, Progress};
use tacit_wallet::operation::pay::{Deliver, Pay, payable};
use tacit_wallet::operation::refund::{ASKED_DAYS, GAP_MAX, KEPT_DAYS, Refund, RefundError, due};
use tacit_wallet::operation::restore::{Pace, Restore};
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::output::OutputError;
use tacit_wallet::state::{OperationId, State};
use tacit_wallet::transport::{Answer, Request};

use super::payment;
use super::person::{CALM, NOW, Network, Person, Trouble, address, usd};
use super::refusal::{ODD, drive_carried, drive_forged, rich};
use super::schedule::Town;

/// The request of an order: its name says how much it is.
fn order(amount: u64, name: u64) -> (String, PaymentRequest) {
    let id = format!("{amount}o{name:x}");
    let target = format!("{}/pay/{id}", address());
    let mut request = payment::request(&id, Amount::new(amount, usd()).unwrap());
    request.transports.push(Transport { kind: TransportKind::Post, target, tags: Vec::new() });
    (id, request)
}

fn pay_machine(person: &Person, request: &PaymentRequest) -> Pay {
    let offers = payable(&person.state(), request, None).unwrap();
    Pay::new(request, offers[0].clone(), None, [7; 32])
}

/// Pays an order in calm; gives its name and the payment.
fn pay(
    person: &mut Person,
    network: &mut Network,
    amount: u64,
    name: u64,
) -> (String, OperationId) {
    let (id, request) = order(amount, name);
    let mut pay = pay_machine(person, &request);
    let paid = person.drive(network, CALM, |wallet, answer| pay.step(wallet, answer));
    let paid = paid.unwrap().unwrap();
    assert!(paid.is_delivered);
    (id, paid.token.id)
}

fn ask(
    person: &mut Person,
    network: &mut Network,
    payment: OperationId,
) -> Result<u64, RefundError> {
    let mut refund = Refund::new(payment);
    let asked = person.drive(network, CALM, |wallet, answer| refund.step(wallet, answer));
    asked.unwrap().map(|refunded| refunded.amount)
}

/// The outputs that lie with an order.
fn blanks(network: &Network, order: &str) -> Vec<BlindedMessage> {
    let body: PayRequest = serde_json::from_str(&network.mint.orders[order].body).unwrap();
    body.refund_outputs.unwrap_or_default()
}

fn restored(person: &Person, network: &mut Network) -> u64 {
    let mut restored = person.forget_all_but_the_words();
    restored.learn_keysets(network);
    let mut restore = Restore::new(address(), usd(), Pace::default(), [1; 32]);
    let found = restored.drive(network, CALM, |wallet, answer| restore.step(wallet, answer));
    found.unwrap().unwrap();
    restored.balance()
}

impl Town {
    /// Pays an order of a shop.
    pub(crate) fn pay_order(&mut self, who: usize) {
        let (_, request) = order(self.amount().value(), self.random.next());
        let payer = &mut self.people[who];
        let Ok(offers) = payable(&payer.state(), &request, None) else {
            self.tally.refused += 1;
            return;
        };
        let mut pay = Pay::new(&request, offers[0].clone(), None, self.random.bytes());
        let end =
            payer.drive(&mut self.network, self.trouble, |wallet, answer| pay.step(wallet, answer));
        match end {
            Some(Ok(_)) => self.tally.orders += 1,
            Some(Err(_)) => self.tally.refused += 1,
            None => {}
        }
    }

    /// Some shop gives back what it was paid, or a part of it.
    pub(crate) fn refund_order(&mut self) {
        let orders: Vec<String> = self.network.mint.orders.keys().cloned().collect();
        if orders.is_empty() {
            return;
        }
        let at = usize::try_from(self.random.below(orders.len() as u64)).unwrap();
        let left = self.network.mint.left(&orders[at]);
        if left != 0 {
            let amount = 1 + self.random.below(left);
            self.tally.refunds += u64::from(self.network.mint.refund(&orders[at], amount));
        }
    }

    pub(crate) fn ask_refunds(&mut self, who: usize) {
        let (network, trouble) = (&mut self.network, self.trouble);
        self.tally.refunded += u64::from(self.people[who].ask_refunds(network, trouble) != 0);
    }
}

#[test]
fn a_refund_comes_in_parts_once_each_and_is_in_the_words() {
    for amount in [ODD, 64] {
        let (mut network, mut person) = rich(70);
        let (order, payment) = pay(&mut person, &mut network, amount, 1);
        let before = person.balance();
        assert_eq!(due(&person.state(), NOW), [payment]);
        assert_eq!(ask(&mut person, &mut network, payment), Ok(0), "nothing has come");
        for part in [amount - 40, 40] {
            assert!(network.mint.refund(&order, part));
            assert_eq!(ask(&mut person, &mut network, payment), Ok(part));
            let state = person.state();
            let (_, entry) = state.history().last_key_value().unwrap();
            assert_eq!(
                (entry.kind, entry.progress, entry.change()),
                (Kind::Refunded { payment }, Progress::Done, part.into())
            );
            if part != 40 {
                assert_eq!(ask(&mut person, &mut network, payment), Ok(0), "once");
            }
        }
        assert_eq!(person.balance(), before + amount);
        assert_eq!(due(&person.state(), NOW), [], "all is back");
        assert_eq!(ask(&mut person, &mut network, payment), Err(RefundError::UnknownPayment));
        assert_eq!(restored(&person, &mut network), person.balance());
    }
}

#[test]
fn what_a_search_found_first_is_not_counted_twice() {
    let (mut network, mut person) = rich(71);
    let (order, payment) = pay(&mut person, &mut network, ODD, 1);
    let before = person.balance();
    assert!(network.mint.refund(&order, ODD));
    person.restore(&mut network, CALM).unwrap();
    assert_eq!(person.balance(), before + ODD);
    assert_eq!(due(&person.state(), NOW), [], "nobody needs to be asked");
    assert_eq!(ask(&mut person, &mut network, payment), Ok(0));
    assert!(person.state().refunds().is_empty() && person.balance() == before + ODD);
}

#[test]
fn a_payment_that_is_sent_again_carries_the_same_outputs() {
    let (mut network, mut person) = rich(72);
    let (id, request) = order(ODD, 1);
    let mut bodies = Vec::new();
    let mut carry = |network: &mut Network, request: &Request| {
        if request.path.is_empty() {
            bodies.push(request.body.as_ref().unwrap().expose().to_owned());
            let (status, _) = network.answer(request);
            return (2 < bodies.len()).then_some((status, String::new()));
        }
        Some(network.answer(request))
    };
    let mut pay = pay_machine(&person, &request);
    let step = |wallet: Wallet<'_>, answer| pay.step(wallet, answer);
    assert!(drive_carried(&mut person, &mut network, step, &mut carry).is_err());
    let payment = *person.state().tokens().last_key_value().unwrap().0;
    assert_eq!(due(&person.state(), NOW), [], "whether it has arrived is not known");
    assert_eq!(ask(&mut person, &mut network, payment), Err(RefundError::UnknownPayment));
    for _ in 0..2 {
        let mut again = Deliver::new(payment);
        let step = |wallet: Wallet<'_>, answer| again.step(wallet, answer);
        _ = drive_carried(&mut person, &mut network, step, &mut carry);
    }
    assert!(bodies.len() == 3 && bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(blanks(&network, &id).len(), 7, "as many as 101 has binary digits");
    assert_eq!(due(&person.state(), NOW), [payment]);
}

#[test]
fn a_question_shows_what_lies_with_one_order_and_nothing_else() {
    let (mut network, mut person) = rich(73);
    let (first, payment) = pay(&mut person, &mut network, 33, 1);
    let (second, _) = pay(&mut person, &mut network, 21, 2);
    assert!(network.mint.refund(&first, 32) && network.mint.refund(&second, 21));
    let mut questions: Vec<RestoreRequest> = Vec::new();
    for _ in 0..2 {
        let mut refund = Refund::new(payment);
        let step = |wallet: Wallet<'_>, answer| refund.step(wallet, answer);
        let asked = drive_carried(&mut person, &mut network, step, |network, request| {
            assert_eq!(request.path, "/v1/restore");
            let body = request.body.as_ref().unwrap().expose();
            questions.push(serde_json::from_str(body).unwrap());
            Some(network.answer(request))
        });
        asked.unwrap();
    }
    let own = blanks(&network, &first);
    assert_eq!(questions[0].outputs, own);
    assert_eq!(questions[1].outputs, own[1..], "what came is not asked for again");
    let others = blanks(&network, &second);
    assert!(own.iter().all(|output| !others.contains(output)));
}

#[test]
fn only_a_shop_of_the_mint_is_given_outputs() {
    let (mut network, mut person) = rich(74);
    for target in [
        "https://shop.example/pay/1",
        "https://mint.example/eur/pay/1",
        "https://mint.example/usd/pay/",
        "https://mint.example/usd/pay/1/2",
        "https://mint.example/usd/v1/contracts/1/2026-11/pay",
    ] {
        let mut request = payment::request("r", Amount::new(5, usd()).unwrap());
        let target = target.to_owned();
        request.transports.push(Transport { kind: TransportKind::Post, target, tags: Vec::new() });
        let mut pay = pay_machine(&person, &request);
        let step = |wallet: Wallet<'_>, answer| pay.step(wallet, answer);
        drive_carried(&mut person, &mut network, step, |network, request| {
            let body = request.body.as_ref().map_or("", |body| body.expose());
            assert!(!body.contains("refund_outputs"), "{}", request.url());
            Some(if request.path.is_empty() {
                (200, String::new())
            } else {
                network.answer(request)
            })
        })
        .unwrap();
        assert!(person.state().refunds().is_empty());
    }
}

#[test]
fn counters_that_nothing_was_signed_under_never_hide_what_comes_after() {
    let (mut network, mut person) = rich(75);
    let keyset = network.mint.keysets[0].id();
    let mut carried = 0;
    for name in 0..30 {
        // Proofs add up to it: no signature comes with it.
        let amount = person.state().keysets()[&keyset]
            .proofs
            .values()
            .filter(|proof| proof.status == tacit_wallet::state::Status::Unspent)
            .map(|proof| proof.amount)
            .min();
        let Some(amount) = amount else { break };
        let (order, _) = pay(&mut person, &mut network, amount, name);
        carried += usize::from(!blanks(&network, &order).is_empty());
        let state = person.state();
        let state = &state.keysets()[&keyset];
        let last = *state.proofs.last_key_value().unwrap().0;
        assert!(state.counter - (last + 1) <= GAP_MAX);
    }
    assert!(4 < carried, "{carried}");
    person.earn(&mut network, 77);
    assert_eq!(restored(&person, &mut network), person.balance());
}

#[test]
fn a_gap_that_is_long_enough_leaves_a_payment_without_outputs() {
    let (mut network, mut person) = rich(76);
    let (first, second) = (pay(&mut person, &mut network, 64, 1), 64);
    assert_eq!(blanks(&network, &first.0).len(), 7);
    // As if many payments outside had cost all that was set aside for them.
    let keyset = network.mint.keysets[0].id();
    let mut state = person.state();
    let from = state.keysets()[&keyset].counter;
    let used = tacit_wallet::batch::Change::AdvanceCounter { keyset, from, to: from + GAP_MAX };
    state.apply(&tacit_wallet::batch::Batch { changes: vec![used] }).unwrap();
    person.stored = serde_json::to_string(&state).unwrap();
    let exact = state.keysets()[&keyset].proofs.values();
    let exact = exact.filter(|proof| proof.status == tacit_wallet::state::Status::Unspent);
    let exact = exact.map(|proof| proof.amount).filter(|amount| *amount <= second).max().unwrap();
    let (order, payment) = pay(&mut person, &mut network, exact, 2);
    assert_eq!(blanks(&network, &order), []);
    assert_eq!(ask(&mut person, &mut network, payment), Err(RefundError::UnknownPayment));
    // What is signed next is a trace again.
    person.earn(&mut network, 3);
    let (order, _) = pay(&mut person, &mut network, 2, 3);
    assert_eq!(blanks(&network, &order).len(), 2);
}

#[test]
fn what_is_no_refund_is_not_taken() {
    let (mut network, mut person) = rich(77);
    let (order, payment) = pay(&mut person, &mut network, ODD, 1);
    assert!(network.mint.refund(&order, 5));
    let stored = person.stored.clone();
    let (_, other) = network.mint.keysets[0].public_keys().next().unwrap();
    let other = serde_json::to_value(tacit_ecash::point::PointBytes::from(other)).unwrap();
    let said = |person: &mut Person,
                network: &mut Network,
                answer: fn(String) -> Option<(u16, String)>| {
        let mut refund = Refund::new(payment);
        let step = |wallet: Wallet<'_>, answer: Option<Answer>| refund.step(wallet, answer);
        drive_forged(person, network, step, |_, (_, body)| answer(body))
    };
    assert_eq!(said(&mut person, &mut network, |_| None), Err(RefundError::NoAnswer));
    let broken = said(&mut person, &mut network, |_| Some((500, String::new())));
    assert_eq!(broken, Err(RefundError::NoAnswer));
    let refused = said(&mut person, &mut network, |_| {
        Some((400, r#"{"detail": "no", "code": 20008}"#.to_owned()))
    });
    assert!(matches!(refused, Err(RefundError::Refused { .. })), "{refused:?}");
    let mut refund = Refund::new(payment);
    let step = |wallet: Wallet<'_>, answer: Option<Answer>| refund.step(wallet, answer);
    let forged = drive_forged(&mut person, &mut network, step, |_, (status, body)| {
        let mut value: Value = serde_json::from_str(&body).unwrap();
        value["signatures"][0]["C_"] = other.clone();
        Some((status, value.to_string()))
    });
    let bad = OutputError::BadSignature { index: 0 };
    assert_eq!(forged, Err(RefundError::Output(bad)));
    assert_eq!(person.stored, stored, "nothing has changed");
    assert_eq!(ask(&mut person, &mut network, payment), Ok(5));
}

#[test]
fn a_payment_that_is_taken_back_waits_for_no_refund() {
    let (mut network, mut person) = rich(78);
    let (_, request) = order(ODD, 1);
    let mut pay = pay_machine(&person, &request);
    let step = |wallet: Wallet<'_>, answer| pay.step(wallet, answer);
    let paid = drive_carried(&mut person, &mut network, step, |network, request| {
        Some(if request.path.is_empty() {
            (400, r#"{"detail": "expired", "code": 20007}"#.to_owned())
        } else {
            network.answer(request)
        })
    });
    assert!(paid.is_err());
    assert_eq!(person.state().refunds().len(), 1);
    person.reclaim_all(&mut network);
    assert!(person.state().refunds().is_empty() && person.state().tokens().is_empty());
    assert_eq!(restored(&person, &mut network), person.balance());
}

#[test]
fn nobody_asks_about_what_is_long_ago() {
    let (mut network, mut person) = rich(79);
    let (paid, payment) = pay(&mut person, &mut network, ODD, 1);
    assert!(network.mint.refund(&paid, 7));
    let later = |days: u64| Timestamp::from_seconds(NOW.seconds() + days * Day::SECONDS);
    assert_eq!(due(&person.state(), later(ASKED_DAYS)), [payment]);
    assert_eq!(due(&person.state(), later(ASKED_DAYS + 1)), []);
    let state = person.state();
    let old = Wallet { seed: &person.seed, state: &state, now: later(KEPT_DAYS + 1) };
    let mut refund = Refund::new(payment);
    assert_eq!(refund.step(old, None), Yield::Done(Err(RefundError::UnknownPayment)));
    let asked = Wallet { now: later(KEPT_DAYS), ..old };
    assert!(matches!(Refund::new(payment).step(asked, None), Yield::Send(_)), "by hand");
    // The next payment forgets what is too old.
    let (_, request) = order(64, 2);
    let mut pay = pay_machine(&person, &request);
    let Yield::Persist(batch) = pay.step(old, None) else { panic!("64 is there as it is") };
    let mut state = state.clone();
    state.apply(&batch).unwrap();
    let kept: Vec<_> = state.refunds().keys().copied().collect();
    assert!(kept.len() == 1 && kept[0] != payment, "{kept:?}");
}

#[test]
fn a_state_of_before_refunds_is_read() {
    let (_, person) = rich(80);
    let mut value: Value = serde_json::from_str(&person.stored).unwrap();
    assert!(value.as_object_mut().unwrap().remove("refunds").is_some());
    assert_eq!(serde_json::from_value::<State>(value).unwrap(), person.state());
}

/// A crash at each step of asking, and after it: it is the same in the end.
#[test]
fn asking_may_stop_anywhere() {
    for seed in 0..40 {
        let (mut network, mut person) = rich(1_000 + seed);
        let (order, _) = pay(&mut person, &mut network, ODD, 1);
        let before = person.balance();
        let trouble = Trouble { crash: 30, loss: 30 };
        for part in [60, ODD - 60] {
            assert!(network.mint.refund(&order, part));
            person.ask_refunds(&mut network, trouble);
        }
        person.ask_refunds(&mut network, CALM);
        assert_eq!(person.balance(), before + ODD, "seed {seed}");
        assert!(person.state().refunds().is_empty());
    }
}

/// A mint that tells again what it told before, unasked: it counts once.
#[test]
fn what_came_before_is_not_counted_again() {
    let (mut network, mut person) = rich(81);
    let (order, payment) = pay(&mut person, &mut network, ODD, 1);
    let before = person.balance();
    let mut told: Vec<Value> = Vec::new();
    for part in [4, 8] {
        assert!(network.mint.refund(&order, part));
        let mut refund = Refund::new(payment);
        let step = |wallet: Wallet<'_>, answer: Option<Answer>| refund.step(wallet, answer);
        let came = drive_forged(&mut person, &mut network, step, |_, (status, body)| {
            let mut value: Value = serde_json::from_str(&body).unwrap();
            for earlier in &told {
                for list in ["outputs", "signatures"] {
                    let earlier = earlier[list].as_array().unwrap().clone();
                    value[list].as_array_mut().unwrap().extend(earlier);
                }
            }
            told.push(value.clone());
            Some((status, value.to_string()))
        });
        assert_eq!(came.map(|refunded| refunded.amount), Ok(part));
    }
    assert_eq!(person.balance(), before + 12);
}
