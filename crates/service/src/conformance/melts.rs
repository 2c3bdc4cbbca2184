//! Melts: the one thing with a pending state, and what must not be left in it.

use super::rig::{Rig, finished, melt_outcome, messages, usd};
use crate::ledger::Account;
use crate::melt::{MeltEnd, MeltError};
use crate::mint::{InputError, OutputError};
use crate::quote::{MeltQuoteState, Method};
use crate::vault::{Change, Outcome, ProofState};

const SPENT: ProofState = ProofState::Spent(None);

fn paid(fee: u64) -> MeltEnd {
    MeltEnd::Paid { fee, evidence: None }
}

/// From the quote to the change, every step repeated.
pub fn a_paid_melt_spends_and_gives_change(rig: &mut Rig) {
    let coins = rig.issue(&[32, 8]);
    let quote = rig.melt_quote_for(30, 4);
    let blanks = rig.drafts(&[1, 1, 1, 1]);
    let started = rig.start_melt(&quote, &coins, &blanks).expect("covered");
    assert_eq!(started.attempt, 1);
    assert_eq!(rig.states(&coins), [ProofState::Pending; 2]);
    let others = rig.drafts(&[32, 8]);
    let refused = rig.swap(&coins, &others);
    assert_eq!(refused, Err(InputError::Pending { index: 0 }.into()), "held proofs are not spent");
    assert_eq!(rig.start_melt(&quote, &coins, &blanks), Err(MeltError::Pending), "asked again");

    let done = rig.finish_melt(&started, paid(1)).expect("in time");
    assert_eq!(rig.states(&coins), [SPENT; 2]);
    let change = rig.change_of(&done, &blanks);
    assert_eq!(change.iter().map(|proof| proof.amount).collect::<Vec<_>>(), [1, 8]);
    let again = rig.start_melt(&quote, &coins, &blanks);
    assert_eq!(again, Ok(done), "a paid quote is answered by its id");
    let drafts = rig.drafts(&[1, 8]);
    rig.swap(&change, &drafts).expect("change is money");
    let books = rig.audit();
    assert_eq!(books.transfers[&Account::Settlement(usd())].credits, 31);
    assert_eq!(books.keysets[0].held, 0);
}

/// A final failure gives the proofs back, and the quote may be tried again as another payment.
pub fn a_failed_melt_frees_its_proofs(rig: &mut Rig) {
    let coins = rig.issue(&[32]);
    let quote = rig.melt_quote_for(30, 2);
    let blanks = rig.drafts(&[1]);
    let first = rig.start_melt(&quote, &coins, &blanks).expect("covered");
    let freed = rig.finish_melt(&first, MeltEnd::Failed).expect("in time");
    assert_eq!(freed.state, MeltQuoteState::Unpaid);
    assert_eq!(rig.states(&coins), [ProofState::Unspent]);
    let second = rig.start_melt(&quote, &coins, &blanks).expect("free again");
    assert_eq!(second.attempt, 2);
    assert_eq!(rig.finish_melt(&first, paid(0)), None, "a late word on the first attempt");
    assert_eq!(rig.states(&coins), [ProofState::Pending]);
    rig.finish_melt(&second, paid(0)).expect("in time");
    assert_eq!(rig.states(&coins), [SPENT]);
    let other = rig.melt_quote_for(30, 2);
    let refused = rig.start_melt(&other, &coins, &[]);
    assert_eq!(refused, Err(InputError::AlreadySpent { index: 0 }.into()));
    rig.now = other.expiry;
    assert_eq!(rig.start_melt(&other, &coins, &[]), Err(MeltError::Expired));
}

/// INCIDENTS: nutshell #683. Fails if the end of a payment is applied without looking whether it has one.
pub fn quote_poll_and_executor_finish_once(rig: &mut Rig) {
    let coins = rig.issue(&[32]);
    let quote = rig.melt_quote_for(30, 2);
    let started = rig.start_melt(&quote, &coins, &[]).expect("covered");
    let finish = |end| Change::FinishMelt { quote: quote.id, attempt: started.attempt, end };
    let mut outcomes = rig.commit(&[finish(paid(0)), finish(paid(2)), finish(MeltEnd::Failed)]);
    assert_eq!(outcomes.pop(), Some(Outcome::Finished(None)), "a contradiction, in the same batch");
    assert_eq!(outcomes.pop(), Some(Outcome::Finished(None)), "a repetition, in the same batch");
    let done = finished(outcomes.remove(0)).expect("the first word");
    for end in [paid(0), paid(1), MeltEnd::Failed] {
        let before = rig.audit();
        assert_eq!(rig.commit_one(finish(end)), Outcome::Finished(None), "a later batch");
        assert_eq!(rig.audit(), before);
    }
    assert_eq!(rig.melt_quote(quote.id), Some(done));
    assert_eq!(rig.states(&coins), [SPENT]);
}

/// INCIDENTS: nutshell #880. Fails if a refused melt leaves some of its proofs held, or a finished one does.
pub fn no_orphaned_pending_proofs(rig: &mut Rig) {
    let coins = rig.issue(&[8, 8, 8]);
    let quotes = [(); 3].map(|()| rig.melt_quote_for(16, 0));
    // Three payments at once out of three proofs, each wants two: the first has them.
    let starts = [
        rig.prepare_melt(&quotes[0], &coins[..2], &[]),
        rig.prepare_melt(&quotes[1], &coins[1..], &[]),
        rig.prepare_melt(&quotes[2], &[coins[2].clone(), coins[0].clone()], &[]),
        rig.prepare_melt(&quotes[0], &coins[1..], &[]),
    ];
    let mut outcomes = rig.commit(&starts.map(Change::StartMelt)).into_iter().map(melt_outcome);
    let started = outcomes.next().expect("four").expect("covered");
    let left: Vec<_> = outcomes.collect();
    let pending = |index| Err(InputError::Pending { index }.into());
    assert_eq!(left, [pending(0), pending(1), Err(MeltError::Pending)]);
    let states = [ProofState::Pending, ProofState::Pending, ProofState::Unspent];
    assert_eq!(rig.states(&coins), states, "what a refused payment wanted is not held");

    rig.finish_melt(&started, MeltEnd::Failed).expect("in time");
    assert_eq!(rig.states(&coins), [ProofState::Unspent; 3]);
    let started = rig.start_melt(&quotes[1], &coins[1..], &[]).expect("free again");
    rig.finish_melt(&started, paid(0)).expect("in time");
    assert_eq!(rig.states(&coins), [ProofState::Unspent, SPENT, SPENT]);
    let drafts = rig.drafts(&[8]);
    rig.swap(&coins[..1], &drafts).expect("nothing holds it");
}

/// A batch may hold a payment's whole life, and more than one.
pub fn a_melt_started_and_ended_in_one_batch_leaves_nothing_held(rig: &mut Rig) {
    let coins = rig.issue(&[8, 8]);
    let quote = rig.melt_quote_for(8, 0);
    let blanks = rig.drafts(&[4, 1]);
    let finish = |attempt, end| Change::FinishMelt { quote: quote.id, attempt, end };
    let batch = [
        Change::StartMelt(rig.prepare_melt(&quote, &coins[..1], &blanks[..1])),
        finish(1, MeltEnd::Failed),
        Change::StartMelt(rig.prepare_melt(&quote, &coins[1..], &blanks[1..])),
    ];
    let outcomes = rig.commit(&batch);
    assert!(matches!(outcomes[2], Outcome::Melt(Ok(_))), "{outcomes:?}");
    assert_eq!(rig.states(&coins), [ProofState::Unspent, ProofState::Pending]);
    let batch = [
        finish(2, MeltEnd::Failed),
        Change::StartMelt(rig.prepare_melt(&quote, &coins[..1], &blanks[..1])),
        finish(3, paid(0)),
    ];
    rig.commit(&batch);
    assert_eq!(rig.states(&coins), [SPENT, ProofState::Unspent]);
    let drafts = [rig.drafts(&[4]), blanks[..1].to_vec()].concat();
    rig.swap(&coins[1..], &drafts).expect("a promise that was not needed binds nobody");
}

/// Fails if a swap or an issue can have an output signed that a payment will sign as change.
pub fn promised_change_is_signed_for_nobody_else(rig: &mut Rig) {
    let coins = rig.issue(&[8, 16, 1]);
    let quote = rig.melt_quote_for(8, 0);
    let blank = rig.drafts(&[1]);
    let started = rig.start_melt(&quote, &coins[1..2], &blank).expect("covered");
    let promised = OutputError::Promised { index: 0 };
    assert_eq!(rig.swap(&coins[2..], &blank), Err(promised.clone().into()), "a swap");
    let mint_quote = rig.paid_mint_quote(1);
    let route = (usd(), Method::Bank);
    let prepared = rig.mint.prepare_mint(route, &mint_quote, &messages(&blank), None);
    let outcome = rig.commit_one(Change::Mint(prepared.expect("a good request")));
    assert_eq!(outcome, Outcome::Mint(Err(promised.clone().into())), "an issue");
    let other = rig.melt_quote_for(4, 0);
    assert_eq!(rig.start_melt(&other, &coins[..1], &blank), Err(promised.into()), "a payment");

    let done = rig.finish_melt(&started, paid(0)).expect("in time");
    assert_eq!(rig.change_of(&done, &blank)[0].amount, 8);
    let signed = OutputError::AlreadySigned { index: 0 };
    assert_eq!(rig.start_melt(&other, &coins[..1], &blank), Err(signed.into()), "afterwards");
}

/// INCIDENTS: cdk #2447. Fails if finishing asks whether the keysets of inputs or change still sign.
pub fn rotation_during_pending_melt_finishes(rig: &mut Rig) {
    let coins = rig.issue(&[32]);
    let quote = rig.melt_quote_for(16, 0);
    let blanks = rig.drafts(&[1]);
    let started = rig.start_melt(&quote, &coins, &blanks).expect("covered");
    let old = rig.active();
    assert_ne!(rig.rotate(), old);
    let done = rig.finish_melt(&started, paid(0)).expect("finishes after the rotation");
    let change = rig.change_of(&done, &blanks);
    assert_eq!((change[0].amount, change[0].keyset), (16, old), "as it was promised");
    let drafts = rig.drafts(&[16]);
    rig.swap(&change, &drafts).expect("change of the old keyset is money");
}

/// INCIDENTS: nutshell f2732ec8. Fails if blank outputs are first looked at when change is signed.
pub fn change_outputs_are_points(rig: &mut Rig) {
    let coins = rig.issue(&[8]);
    let quote = rig.melt_quote_for(4, 0);
    let mut outputs = messages(&rig.drafts(&[1, 1]));
    for bytes in [[0; 33], [5; 33], [0xff; 33]] {
        outputs[1].blinded = tacit_ecash::point::PointBytes::from_bytes(bytes);
        let route = (usd(), Method::Bank);
        let refused = rig.mint.prepare_melt(route, &quote, &coins, &outputs, rig.now);
        assert_eq!(refused.map(|_| ()), Err(OutputError::NotAPoint { index: 1 }.into()));
    }
}
