//! Refusals leave no gap behind that a search from the words could not cross.

use tacit_core::amount::Amount;
use tacit_ecash::keyset::KeysetId;
use tacit_wallet::operation::melt::{self, Melt};
use tacit_wallet::operation::mint::{Mint as MintIt, Quote};
use tacit_wallet::operation::send::Send;
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::transport::Answer;

use super::person::{CALM, Network, Person, address, usd};
use super::refusal::{ODD, drive_carried, order, rich};

fn counter(person: &Person, keyset: KeysetId) -> u64 {
    person.state().keysets()[&keyset].counter
}

fn refused_send(person: &mut Person, network: &mut Network) {
    let mut send = Send::new(order(ODD));
    let end = person.drive(network, CALM, |wallet, answer| send.step(wallet, answer));
    assert!(end.unwrap().is_err());
}

#[test]
fn refusals_use_no_counters_up_and_the_words_find_what_comes_after() {
    let (mut network, mut person) = rich(60);
    let old = network.mint.keysets[0].id();
    let before = counter(&person, old);
    network.mint.rotate(); // The wallet has not heard of it: every swap is refused.
    for _ in 0..40 {
        refused_send(&mut person, &mut network);
    }
    assert_eq!(counter(&person, old), before);
    person.learn_keysets(&mut network);
    let new = network.mint.keysets[1].id();
    let amount = Amount::new(60, usd()).unwrap();
    let mut quote = Quote::new(address(), "bank".to_owned(), amount);
    let quoted = person.drive(&mut network, CALM, |wallet, answer| quote.step(wallet, answer));
    let operation = quoted.unwrap().unwrap().operation;
    for _ in 0..40 {
        let mut mint = MintIt::new(operation);
        // The mint never sees what it is made to refuse.
        let step = |wallet: Wallet<'_>, answer| mint.step(wallet, answer);
        let end = drive_unseen(&mut person, &mut network, "/v1/mint/bank", step);
        assert!(end.is_err());
        assert_eq!(counter(&person, new), 0);
    }
    for _ in 0..40 {
        let payto = "payto://iban/X".to_owned();
        let mut quote = melt::Quote::of_amount(address(), "bank".to_owned(), payto, amount);
        let quote = person.drive(&mut network, CALM, |_, answer| quote.step(answer));
        let mut melt = Melt::new(address(), "bank".to_owned(), quote.unwrap().unwrap());
        let step = |wallet: Wallet<'_>, answer| melt.step(wallet, answer);
        let end = drive_unseen(&mut person, &mut network, "/v1/melt/bank", step);
        assert!(end.is_err());
        assert_eq!(counter(&person, new), 0);
    }
    let mut mint = MintIt::new(operation);
    let end = person.drive(&mut network, CALM, |wallet, answer| mint.step(wallet, answer));
    assert_eq!(end, Some(Ok(60)));
    let mut restored = person.forget_all_but_the_words();
    restored.learn_keysets(&mut network);
    restored.restore(&mut network, CALM).unwrap();
    assert_eq!(restored.balance(), person.balance());
}

/// Drives a machine while requests to one path are refused before the mint sees them.
fn drive_unseen<T>(
    person: &mut Person,
    network: &mut Network,
    path: &str,
    step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>,
) -> T {
    drive_carried(person, network, step, |network, request| {
        let no = r#"{"detail": "no", "code": 12002}"#.to_owned();
        Some(if request.path == path { (400, no) } else { network.answer(request) })
    })
}
