//! Refusals that hardly ever happen, each reached.

use serde_json::Value;
use tacit_core::amount::Amount;
use tacit_wallet::denomination::NotExpressible;
use tacit_wallet::operation::Wallet;
use tacit_wallet::operation::keysets::{Keysets, KeysetsError};
use tacit_wallet::operation::melt::{self, Melt, MeltError};
use tacit_wallet::operation::mint::{Mint as MintIt, MintError, Quote, QuoteError};
use tacit_wallet::operation::prepare::PrepareError;
use tacit_wallet::operation::receive::{Receive, ReceiveError};
use tacit_wallet::operation::reclaim::{Reclaim, ReclaimError};
use tacit_wallet::operation::recover::{Recover, RecoverError};
use tacit_wallet::operation::send::Send;
use tacit_wallet::operation::settle::SettleError;
use tacit_wallet::transport::{Refusal, Request};

use super::person::{CALM, Network, Person, address, usd};
use super::refusal::{ODD, drive_forged, order, rich};

fn no(_: &Request, _: (u16, String)) -> Option<(u16, String)> {
    Some((400, r#"{"detail": "no", "code": 20000}"#.to_owned()))
}

fn lost(_: &Request, _: (u16, String)) -> Option<(u16, String)> {
    None
}

fn refusal() -> Refusal {
    Refusal { code: 20_000, detail: "no".to_owned() }
}

fn fifty() -> Amount {
    Amount::new(50, usd()).unwrap()
}

#[test]
fn a_mint_that_says_no_to_a_question_is_believed() {
    let (mut network, mut person) = rich(70);
    let before = person.stored.clone();
    let mut keysets = Keysets::new(address());
    let end =
        drive_forged(&mut person, &mut network, |wallet, answer| keysets.step(wallet, answer), no);
    assert_eq!(end, Err(KeysetsError::Refused { refusal: refusal() }));
    let quote = || {
        let payto = "payto://iban/X".to_owned();
        melt::Quote::of_amount(address(), "bank".to_owned(), payto, fifty())
    };
    let mut asked = quote();
    let end = drive_forged(&mut person, &mut network, |_, answer| asked.step(answer), no);
    assert_eq!(end, Err(melt::QuoteError::Refused { refusal: refusal() }));
    let mut asked = quote();
    let end = drive_forged(&mut person, &mut network, |_, answer| asked.step(answer), lost);
    assert_eq!(end, Err(melt::QuoteError::NoAnswer));
    let mut asked = quote();
    let mut quoted =
        person.drive(&mut network, CALM, |_, answer| asked.step(answer)).unwrap().unwrap();
    quoted.unit = "points".to_owned();
    let mut melt = Melt::new(address(), "bank".to_owned(), quoted);
    let end = person.drive(&mut network, CALM, |wallet, answer| melt.step(wallet, answer));
    assert_eq!(end, Some(Err(MeltError::Unit)));
    assert_eq!(person.stored, before, "nothing of it was kept");
}

#[test]
fn a_quote_that_is_refused_or_lost_uses_up_its_key_and_no_more() {
    let (mut network, mut person) = rich(71);
    let before = person.state();
    for (answer, error) in [
        (no as fn(&Request, (u16, String)) -> _, QuoteError::Refused { refusal: refusal() }),
        (lost, QuoteError::NoAnswer),
    ] {
        let mut quote = Quote::new(address(), "bank".to_owned(), fifty());
        let end = drive_forged(
            &mut person,
            &mut network,
            |wallet, answer| quote.step(wallet, answer),
            answer,
        );
        assert_eq!(end, Err(error));
    }
    assert_eq!(person.state().operations(), before.operations());
    assert_eq!(person.state().history(), before.history());
}

#[test]
fn more_than_the_denominations_can_say_waits_as_a_quote() {
    let (mut network, mut person) = rich(72);
    let amount = Amount::new(3_000_000, usd()).unwrap(); // A thousand outputs of 2048 are less.
    let mut quote = Quote::new(address(), "bank".to_owned(), amount);
    let quoted = person.drive(&mut network, CALM, |wallet, answer| quote.step(wallet, answer));
    let mut mint = MintIt::new(quoted.unwrap().unwrap().operation);
    let end = person.drive(&mut network, CALM, |wallet, answer| mint.step(wallet, answer));
    let error = PrepareError::NotExpressible(NotExpressible { amount: 3_000_000 });
    assert_eq!(end, Some(Err(MintError::Prepare(error))));
    assert_eq!(person.state().operations().len(), 1);
}

#[test]
fn what_is_being_taken_back_is_not_received_at_the_same_time() {
    let (mut network, mut person) = rich(73);
    let mut send = Send::new(order(ODD));
    let sealed = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap();
    let mut reclaim = Reclaim::new(sealed.id);
    let unanswered = |request: &Request, honest| (request.path != "/v1/swap").then_some(honest);
    let end = drive_forged(
        &mut person,
        &mut network,
        |wallet, answer| reclaim.step(wallet, answer),
        unanswered,
    );
    assert_eq!(end, Err(ReclaimError::Settle(SettleError::NoAnswer)));
    let received = person.receive(&mut network, CALM, Receive::new(sealed.token));
    assert_eq!(received, Some(Err(ReceiveError::Prepare(PrepareError::InUse))));
    let mut again = Reclaim::new(sealed.id);
    let end = person.drive(&mut network, CALM, |wallet, answer| again.step(wallet, answer));
    assert_eq!(end, Some(Err(ReclaimError::Prepare(PrepareError::InUse))));
    person.settle_all(&mut network);
    assert!(person.state().tokens().is_empty(), "it is back");
}

#[test]
fn a_token_that_a_payment_holds_or_of_which_nothing_is_heard_stays_out() {
    let (mut network, mut person) = rich(74);
    let mut send = Send::new(order(ODD));
    let id = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap()
        .id;
    let pending = |_: &Request, (status, body): (u16, String)| {
        let mut answer: Value = serde_json::from_str(&body).unwrap();
        answer["states"][0]["state"] = "PENDING".into();
        Some((status, answer.to_string()))
    };
    let mut reclaim = Reclaim::new(id);
    let step = |wallet: Wallet<'_>, answer| reclaim.step(wallet, answer);
    assert_eq!(drive_forged(&mut person, &mut network, step, pending), Err(ReclaimError::Pending));
    let mut reclaim = Reclaim::new(id);
    let step = |wallet: Wallet<'_>, answer| reclaim.step(wallet, answer);
    assert_eq!(drive_forged(&mut person, &mut network, step, lost), Err(ReclaimError::NoAnswer));
    assert_eq!(person.state().tokens().len(), 1);
}

#[test]
fn a_token_that_is_worth_less_than_its_fee_is_left_where_it_is() {
    let mut network = (0..)
        .map(Network::new)
        .find(|network| network.mint.keysets[0].spec().input_fee_ppk == 600)
        .unwrap();
    let [mut person, mut friend] = [(); 2].map(|()| Person::new(&mut network.random));
    for who in [&mut person, &mut friend] {
        who.learn_keysets(&mut network);
    }
    person.earn(&mut network, 200);
    let mut send = Send::new(order(1));
    let token = person
        .drive(&mut network, CALM, |wallet, answer| send.step(wallet, answer))
        .unwrap()
        .unwrap()
        .token;
    let received = friend.receive(&mut network, CALM, Receive::new(token));
    let below = PrepareError::BelowFee { fee: 1 };
    assert_eq!(received, Some(Err(ReceiveError::Prepare(below))));
}

#[test]
fn a_paid_quote_is_taken_up_again_with_the_words_and_its_id() {
    let (mut network, mut person) = rich(75);
    let mut quote = Quote::new(address(), "bank".to_owned(), fifty());
    let quoted = person.drive(&mut network, CALM, |wallet, answer| quote.step(wallet, answer));
    let id = quoted.unwrap().unwrap().quote.quote;
    let mut restored = person.forget_all_but_the_words();
    restored.learn_keysets(&mut network);
    restored.restore(&mut network, CALM).unwrap();
    let recover = |who: &mut Person, network: &mut Network, id: &str| {
        let mut recover = Recover::new(address(), "bank".to_owned(), id.to_owned());
        who.drive(network, CALM, |wallet, answer| recover.step(wallet, answer)).unwrap()
    };
    let mut stranger = Person::new(&mut network.random);
    stranger.learn_keysets(&mut network);
    assert_eq!(recover(&mut stranger, &mut network, &id), Err(RecoverError::OtherKey));
    assert_eq!(recover(&mut person, &mut network, &id), Err(RecoverError::Known));
    for wrong in ["", "a/b", "..%2f", &"x".repeat(300)] {
        assert_eq!(recover(&mut restored, &mut network, wrong), Err(RecoverError::Id), "{wrong}");
    }
    let unknown = recover(&mut restored, &mut network, "mint-99");
    assert!(matches!(unknown, Err(RecoverError::Refused { .. })), "{unknown:?}");
    let found = recover(&mut restored, &mut network, &id).unwrap();
    let mut mint = MintIt::new(found.operation);
    let end = restored.drive(&mut network, CALM, |wallet, answer| mint.step(wallet, answer));
    assert_eq!(end, Some(Ok(50)));
    restored.check_history(75);
    // The next quote has another key.
    let mut quote = Quote::new(address(), "bank".to_owned(), fifty());
    let next = restored.drive(&mut network, CALM, |wallet, answer| quote.step(wallet, answer));
    assert_ne!(next.unwrap().unwrap().quote.pubkey, found.quote.pubkey);
    let issued = recover(&mut stranger, &mut network, &id);
    assert_eq!(issued, Err(RecoverError::AlreadyIssued));
    let mut lost_one = Recover::new(address(), "bank".to_owned(), id);
    let step = |wallet: Wallet<'_>, answer| lost_one.step(wallet, answer);
    assert_eq!(drive_forged(&mut stranger, &mut network, step, lost), Err(RecoverError::NoAnswer));
}
