//! Swaps: spent once, answered again, never half.

use tacit_core::time::Day;
use tacit_ecash::keyset::KeysetSpec;
use tacit_ecash::proof::BlindedMessage;

use super::rig::{Rig, messages, usd, y_of};
use crate::ledger::Account;
use crate::melt::MeltError;
use crate::mint::{InputError, OutputError};
use crate::quote::Method;
use crate::swap::SwapError;
use crate::vault::{Change, Outcome, ProofState};

const SPENT: ProofState = ProofState::Spent(None);

/// The plain case, and the plain attack.
pub fn a_swap_spends_once_and_signs(rig: &mut Rig) {
    let coins = rig.issue(&[4, 8]);
    let drafts = rig.drafts(&[2, 2, 8]);
    let signed = rig.swap(&coins, &drafts).expect("unspent and balanced");
    assert_eq!(rig.states(&coins), [SPENT, SPENT]);
    let fresh = rig.unblind(&drafts, &signed);
    assert_eq!(rig.states(&fresh), [ProofState::Unspent; 3]);
    let others = rig.drafts(&[4, 8]);
    let refused = rig.swap(&coins, &others);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()));
    let known = rig.bed().reader().signed(&[others[0].message().blinded]).expect("readable");
    assert_eq!(known, [None], "a refused swap signs nothing");
    let others = rig.drafts(&[4, 8]);
    rig.swap(&fresh, &others).expect("what was signed can be spent");
}

/// The same bytes twice: after the commit, and within one batch.
pub fn a_repeated_swap_is_answered_and_posts_nothing(rig: &mut Rig) {
    let coins = rig.issue(&[4, 8, 16, 16]);
    let drafts = rig.drafts(&[4, 8]);
    let signed = rig.swap(&coins[..2], &drafts);
    let before = rig.audit();
    assert_eq!(rig.swap(&coins[..2], &drafts), signed);
    assert_eq!(rig.audit(), before, "a repetition changes nothing");

    let drafts = rig.drafts(&[32]);
    let twice = [rig.prepare_swap(&coins[2..], &drafts), rig.prepare_swap(&coins[2..], &drafts)];
    let outcomes = rig.commit(&twice.map(Change::Swap));
    assert_eq!(outcomes, [Outcome::Swap(Ok(())), Outcome::Swap(Ok(()))]);
    let books = rig.audit();
    assert_eq!(books.keysets[0].spent, 12 + 32);
}

/// INCIDENTS: nutshell #586. Fails if changes of a batch are not decided against each other, or if a store
/// takes proofs for unspent and does not see that they were not.
pub fn parallel_spend_has_one_winner(rig: &mut Rig) {
    let coins = rig.issue(&[8, 16]);
    let attempts: Vec<Change> = (0..20)
        .map(|_| {
            let drafts = rig.drafts(&[8, 16]);
            Change::Swap(rig.prepare_swap(&coins, &drafts))
        })
        .collect();
    let outcomes = rig.commit(&attempts);
    let refusal = Outcome::Swap(Err(InputError::AlreadySpent { index: 0 }.into()));
    assert_eq!(outcomes[0], Outcome::Swap(Ok(())));
    assert!(outcomes[1..].iter().all(|outcome| *outcome == refusal), "{outcomes:?}");
    let late = rig.drafts(&[16]);
    assert_eq!(
        rig.swap(&coins[1..], &late),
        Err(InputError::AlreadySpent { index: 0 }.into()),
        "one of its inputs, in a later commit"
    );
}

/// INCIDENTS: nutshell #524. Fails if outputs that are signed are answered while inputs are unspent.
pub fn stale_counter_loses_nothing(rig: &mut Rig) {
    let coins = rig.issue(&[4, 4]);
    let drafts = rig.drafts(&[4]);
    rig.swap(&coins[..1], &drafts).expect("the first use of these outputs");
    let refused = rig.swap(&coins[1..], &drafts);
    assert_eq!(refused, Err(OutputError::AlreadySigned { index: 0 }.into()));
    assert_eq!(rig.states(&coins), [SPENT, ProofState::Unspent]);
    let fresh = rig.drafts(&[4]);
    rig.swap(&coins[1..], &fresh).expect("nothing was lost");
}

/// Fails if a repeated output is answered by its point alone, whatever amount or keyset is asked for.
pub fn outputs_answer_only_their_own_amount(rig: &mut Rig) {
    let coins = rig.issue(&[4, 4]);
    let drafts = rig.drafts(&[4, 4]);
    let signed = rig.swap(&coins, &drafts).expect("the first use");
    let swap = |rig: &mut Rig, outputs: &[BlindedMessage]| {
        let prepared = rig.try_prepare_swap(&coins, outputs).expect("balanced");
        rig.commit_one(Change::Swap(prepared))
    };
    let refusal = Outcome::Swap(Err(OutputError::AlreadySigned { index: 0 }.into()));
    let mut larger = *drafts[0].message();
    larger.amount = 8;
    assert_eq!(swap(rig, &[larger]), refusal, "another amount");
    let old = rig.active();
    let mut outputs = messages(&drafts);
    outputs[0].keyset = rig.rotate();
    assert_eq!(swap(rig, &outputs), refusal, "another keyset");
    outputs[0].keyset = old;
    let prepared = rig.try_prepare_swap(&coins, &outputs).expect("balanced");
    assert_eq!(swap(rig, &outputs), Outcome::Swap(Ok(())), "its own, after the rotation");
    assert_eq!(prepared.answer(Outcome::Swap(Ok(()))), Ok(signed));
}

/// Neither a subset of spent inputs with one that is not, nor old outputs with a new one, is a repetition.
pub fn part_of_an_old_request_is_refused(rig: &mut Rig) {
    let coins = rig.issue(&[4, 4, 8]);
    let drafts = rig.drafts(&[4, 4]);
    rig.swap(&coins[..2], &drafts).expect("the first use");
    let mixed = [drafts[0].clone(), rig.drafts(&[4]).remove(0)];
    let refused = rig.swap(&coins[..2], &mixed);
    assert_eq!(refused, Err(OutputError::AlreadySigned { index: 0 }.into()), "one output is new");
    let fresh = rig.drafts(&[4, 8]);
    let refused = rig.swap(&coins[1..], &fresh);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()), "one input is unspent");
    assert_eq!(rig.states(&coins), [SPENT, SPENT, ProofState::Unspent]);
    let drafts = [drafts, rig.drafts(&[8])].concat();
    let refused = rig.swap(&coins, &drafts);
    assert_eq!(refused, Err(OutputError::AlreadySigned { index: 0 }.into()), "more of both");
}

/// INCIDENTS: nutshell #257. Fails if a swap leaves no trace from which its signatures can be made again.
pub fn lost_reply_can_be_fetched_again(rig: &mut Rig) {
    let coins = rig.issue(&[32]);
    let drafts = rig.drafts(&[16, 16]);
    let prepared = rig.prepare_swap(&coins, &drafts);
    rig.commit_one(Change::Swap(prepared)); // The answer is lost on the way.
    let outputs: Vec<_> = drafts.iter().map(|draft| draft.message().blinded).collect();
    let known = rig.bed().reader().signed(&outputs).expect("readable");
    let restored = rig.mint.restore(usd(), &outputs, &known).expect("signed by this mint");
    let signatures: Vec<_> = restored.iter().map(|(_, signature)| *signature).collect();
    assert_eq!(restored.iter().map(|(sent, _)| *sent).collect::<Vec<_>>(), messages(&drafts));
    assert_eq!(rig.swap(&coins, &drafts).as_ref(), Ok(&signatures), "and so by asking again");
    let fresh = rig.unblind(&drafts, &signatures);
    let next = rig.drafts(&[32]);
    rig.swap(&fresh, &next).expect("restored signatures are money");
}

/// Fails if the answer to a repetition is kept in memory only.
pub fn restart_keeps_idempotency(rig: &mut Rig) {
    let coins = rig.issue(&[4, 8, 16]);
    let drafts = rig.drafts(&[4, 8]);
    let signed = rig.swap(&coins[..2], &drafts);
    rig.restart();
    rig.rotate(); // The replay check comes before the check of the keyset.
    rig.restart();
    assert_eq!(rig.swap(&coins[..2], &drafts), signed);
    let other = rig.drafts(&[4, 8]);
    let refused = rig.swap(&coins[..2], &other);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()));
}

/// One secret has one name, whatever keysets signed it, and is spent once.
pub fn same_secret_under_two_keysets_is_spent_once(rig: &mut Rig) {
    let secret = "one secret".to_owned();
    let old = rig.active();
    let draft = rig.draft_of(secret.clone(), 4, old);
    let mut coins = rig.issue_on(&[draft]);
    let new = rig.rotate();
    let draft = rig.draft_of(secret, 4, new);
    coins.extend(rig.issue_on(&[draft]));
    assert_eq!(y_of(&coins[0]), y_of(&coins[1]));
    let outputs = rig.drafts(&[8]);
    let refused = rig.try_prepare_swap(&coins, &messages(&outputs)).map(|_| ());
    assert_eq!(refused, Err(InputError::Duplicate { index: 1 }.into()), "in one request");
    let outputs = rig.drafts(&[4]);
    rig.swap(&coins[..1], &outputs).expect("the first is spent");
    let outputs = rig.drafts(&[4]);
    let refused = rig.swap(&coins[1..], &outputs);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()), "in the next");
}

/// Fees leave the keyset that paid them, when the day ends.
pub fn fees_and_days_are_posted(rig: &mut Rig) {
    let coins = rig.issue(&[32, 32]);
    let last = rig.mint.keysets()[0].record().spec;
    rig.add_keyset(KeysetSpec { index: 1, input_fee_ppk: 400, ..last });
    let drafts = rig.drafts(&[32, 32]);
    let coins = {
        let signed = rig.swap(&coins, &drafts).expect("without fee from the old keyset");
        rig.unblind(&drafts, &signed)
    };
    let drafts = rig.drafts(&[1, 2, 4, 8, 16, 32]);
    rig.swap(&coins, &drafts).expect("two inputs cost 0.8, so 1");
    let flows = rig.audit().day_flows;
    assert_eq!(
        flows.values().map(|flow| (flow.value, flow.fee)).collect::<Vec<_>>(),
        [(64, 0), (63, 1)]
    );
    assert_eq!(rig.audit().transfers.get(&Account::Fees(usd())), None, "the day is not over");
    rig.now = Day::from_number(rig.now.day().number() + 1).start();
    rig.commit_one(Change::Tick);
    let books = rig.audit();
    assert!(books.day_flows.is_empty());
    assert_eq!(books.transfers[&Account::Fees(usd())].credits, 1);
}

/// INCIDENTS: cdk 0.4.0. Fails if sums of amounts wrap.
pub fn amount_overflow_is_refused(rig: &mut Rig) {
    let coin = rig.issue(&[1]).remove(0);
    let mut coins = vec![coin.clone(), coin.clone()];
    coins[1].secret = tacit_core::secret::Secret::new("another".to_owned());
    coins[0].amount = u64::MAX;
    coins[1].amount = 2; // Wrapped, the sum is 1.
    let drafts = rig.drafts(&[1]);
    let refused = rig.try_prepare_swap(&coins, &messages(&drafts)).map(|_| ());
    assert_eq!(refused, Err(InputError::Overflow.into()), "inputs");

    let drafts = rig.drafts(&[u64::MAX, 2]);
    let refused = rig.try_prepare_swap(std::slice::from_ref(&coin), &messages(&drafts));
    let unbalanced = SwapError::Unbalanced { inputs: 1, fee: 0 };
    assert_eq!(refused.map(|_| ()), Err(unbalanced), "outputs");

    let quote = rig.melt_quote_for(u64::MAX, 2);
    let route = (usd(), Method::Bank);
    let refused = rig.mint.prepare_melt(route, &quote, &[coin], &[], rig.now).map(|_| ());
    let unbalanced = MeltError::Unbalanced { inputs: 1, amount: u64::MAX, reserve: 2, fee: 0 };
    assert_eq!(refused, Err(unbalanced), "amount and reserve");
}

/// INCIDENTS: cdk 0.17.0. Fails if one request can spend a proof, or have an output signed, twice.
pub fn duplicate_inputs_and_outputs_are_refused(rig: &mut Rig) {
    let coin = rig.issue(&[4]).remove(0);
    let drafts = rig.drafts(&[8]);
    let refused =
        rig.try_prepare_swap(&[coin.clone(), coin.clone()], &messages(&drafts)).map(|_| ());
    assert_eq!(refused, Err(InputError::Duplicate { index: 1 }.into()));
    let draft = rig.drafts(&[2]).remove(0);
    let outputs = [*draft.message(), *draft.message()];
    let refused = rig.try_prepare_swap(std::slice::from_ref(&coin), &outputs).map(|_| ());
    assert_eq!(refused, Err(OutputError::Duplicate { index: 1 }.into()));
    let quote = rig.melt_quote_for(8, 0);
    let route = (usd(), Method::Bank);
    let refused = rig.mint.prepare_melt(route, &quote, &[coin.clone(), coin], &outputs, rig.now);
    assert_eq!(refused.map(|_| ()), Err(InputError::Duplicate { index: 1 }.into()), "a melt");
}
