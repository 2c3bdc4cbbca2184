//! What a person reads of a life with money in it.

use tacit_core::amount::Amount;
use tacit_wallet::history::{Entry, Kind, Progress};
use tacit_wallet::operation::Wallet;
use tacit_wallet::operation::melt::{self, Melt};
use tacit_wallet::operation::receive::Receive;
use tacit_wallet::operation::reclaim::Reclaim;
use tacit_wallet::operation::send::{Order, Send};
use tacit_wallet::state::OperationId;
use tacit_wallet::token::SealedToken;

use super::person::{CALM, NOW, Network, Person, address, usd};

fn send(person: &mut Person, network: &mut Network, amount: u64) -> SealedToken {
    let amount = Amount::new(amount, usd()).unwrap();
    let memo = Some("for you".to_owned());
    let mut send = Send::new(Order {
        mint: address(),
        amount,
        is_fee_added: true,
        memo,
        lock: None,
        delivery: None,
    });
    let step = |wallet: Wallet<'_>, answer| send.step(wallet, answer);
    person.drive(network, CALM, step).unwrap().unwrap()
}

fn last(person: &Person) -> (OperationId, Entry) {
    let (id, entry) =
        person.state().history().last_key_value().map(|(id, it)| (*id, it.clone())).unwrap();
    assert_eq!((entry.mint.clone(), entry.unit, entry.began), (address(), usd(), NOW));
    (id, entry)
}

#[test]
fn every_operation_that_moves_money_says_what_it_did() {
    let mut network = Network::new(31);
    let [mut person, mut friend] = [(); 2].map(|()| Person::new(&mut network.random));
    for who in [&mut person, &mut friend] {
        who.learn_keysets(&mut network);
    }
    person.earn(&mut network, 200);
    let (_, minted) = last(&person);
    assert_eq!(
        (minted.kind, minted.progress, minted.change()),
        (Kind::Minted, Progress::Done, 200)
    );

    let token = send(&mut person, &mut network, 21);
    let (sent_id, sent) = last(&person);
    assert_eq!((sent.kind, sent.progress, sent.amount), (Kind::Sent, Progress::Pending, 21));
    assert_eq!(sent.memo.as_deref(), Some("for you"));
    assert_eq!(sent_id, token.id);
    let mut receive = Receive::new(token.token);
    let step = |wallet: Wallet<'_>, answer| receive.step(wallet, answer);
    friend.drive(&mut network, CALM, step).unwrap().unwrap();
    let (_, received) = last(&friend);
    assert_eq!((received.kind, received.progress), (Kind::Received, Progress::Done));
    assert_eq!(
        (received.memo.as_deref(), received.change()),
        (Some("for you"), friend.balance().into())
    );
    person.reclaim_all(&mut network);
    assert_eq!(person.state().history()[&sent_id].progress, Progress::Done);

    let token = send(&mut person, &mut network, 21).id;
    let mut reclaim = Reclaim::new(token);
    person
        .drive(&mut network, CALM, |wallet, answer| reclaim.step(wallet, answer))
        .unwrap()
        .unwrap();
    assert_eq!(person.state().history()[&token].progress, Progress::Returned);
    let (_, reclaimed) = last(&person);
    assert_eq!((reclaimed.kind, reclaimed.progress), (Kind::Reclaimed { token }, Progress::Done));

    let amount = Amount::new(30, usd()).unwrap();
    let payto = "payto://iban/X".to_owned();
    let mut quote = melt::Quote::of_amount(address(), "bank".to_owned(), payto.clone(), amount);
    let quote = person.drive(&mut network, CALM, |_, answer| quote.step(answer)).unwrap().unwrap();
    let mut melt = Melt::new(address(), "bank".to_owned(), quote);
    person.drive(&mut network, CALM, |wallet, answer| melt.step(wallet, answer));
    network.mint.end_payments();
    person.settle_all(&mut network);
    let (paid_id, paid) = last(&person);
    assert_eq!(
        (paid.kind, paid.amount, paid.memo.as_deref()),
        (Kind::PaidOut, 30, Some(payto.as_str()))
    );
    assert_ne!(paid.progress, Progress::Pending);
    person.check_history(31);

    let mut state = person.state();
    state.apply(&state.note(paid_id, "the rent").unwrap()).unwrap();
    assert_eq!(state.history()[&paid_id].note, "the rent");
    let mut restored = person.forget_all_but_the_words();
    restored.learn_keysets(&mut network);
    restored.restore(&mut network, CALM).unwrap();
    let (_, found) = last(&restored);
    assert_eq!((found.kind, found.progress), (Kind::Restored, Progress::Done));
    assert_eq!(found.change(), i128::from(restored.balance()));
}
