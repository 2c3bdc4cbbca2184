//! What went wrong in other mints, on the real path: requests with real proofs, decided and kept in SQLite.
//!
//! What each one does, and which defence it fails without, stands with the check it runs.

use std::sync::mpsc;
use std::thread;

use tacit_service::conformance::rig::Rig;
use tacit_service::conformance::{keysets, melts, quotes, swaps};
use tacit_service::mint::InputError;
use tacit_service::swap::{PreparedSwap, SwapError};
use tacit_service::vault::{Change, Outcome};

use crate::bed::{OnDisk, rig_on_disk};

fn on_disk(check: fn(&mut Rig)) {
    check(&mut rig_on_disk().0);
    check(&mut Rig::restarting(Box::new(OnDisk::new())));
}

/// One writer takes what 8 threads send, in batches of whatever has come in: 200 attempts on one proof.
#[test]
fn parallel_spend_has_one_winner() {
    on_disk(swaps::parallel_spend_has_one_winner);
    for _ in 0..3 {
        let (mut rig, _) = rig_on_disk();
        let coins = rig.issue(&[8]);
        let attempts: Vec<PreparedSwap> = (0..200)
            .map(|_| {
                let drafts = rig.drafts(&[8]);
                rig.prepare_swap(&coins, &drafts)
            })
            .collect();
        let outcomes = race(&mut rig, attempts);
        let refusal = Err(SwapError::Input(InputError::AlreadySpent { index: 0 }));
        let (winners, losers): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(winners.len(), 1);
        assert!(losers.iter().all(|loser| *loser == refusal));
        assert_eq!(rig.audit().keysets[0].spent_rows, 1);
    }
}

/// Sends swaps from 8 threads at once to one writer, and returns what each was told.
fn race(rig: &mut Rig, mut swaps: Vec<PreparedSwap>) -> Vec<Result<(), SwapError>> {
    let (sender, receiver) = mpsc::channel();
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let (share, sender) =
                (swaps.split_off(swaps.len() - swaps.len().min(25)), sender.clone());
            thread::spawn(move || share.into_iter().for_each(|swap| sender.send(swap).unwrap()))
        })
        .collect();
    drop(sender);
    let (now, mut told) = (rig.now, Vec::new());
    let store = rig.bed().store();
    while let Ok(first) = receiver.recv() {
        let batch: Vec<Change> =
            std::iter::once(first).chain(receiver.try_iter()).map(Change::Swap).collect();
        for outcome in store.commit(&batch, now).unwrap() {
            let Outcome::Swap(result) = outcome else { panic!("a swap has a swap's outcome") };
            told.push(result);
        }
    }
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    told
}

#[test]
fn stale_counter_loses_nothing() {
    on_disk(swaps::stale_counter_loses_nothing);
}

#[test]
fn outputs_answer_only_their_own_amount() {
    on_disk(swaps::outputs_answer_only_their_own_amount);
}

#[test]
fn restart_keeps_idempotency() {
    on_disk(swaps::restart_keeps_idempotency);
}

#[test]
fn lost_reply_can_be_fetched_again() {
    on_disk(swaps::lost_reply_can_be_fetched_again);
}

#[test]
fn same_secret_under_two_keysets() {
    on_disk(swaps::same_secret_under_two_keysets_is_spent_once);
}

#[test]
fn amount_overflow_is_refused() {
    on_disk(swaps::amount_overflow_is_refused);
}

#[test]
fn duplicate_inputs_and_outputs_are_refused() {
    on_disk(swaps::duplicate_inputs_and_outputs_are_refused);
}

#[test]
fn failed_mint_leaves_quote_unissued() {
    on_disk(quotes::failed_mint_leaves_quote_unissued);
}

#[test]
fn quote_of_another_method_is_refused() {
    on_disk(quotes::quote_of_another_method_is_refused);
}

#[test]
fn quote_poll_and_executor_finish_once() {
    on_disk(melts::quote_poll_and_executor_finish_once);
}

#[test]
fn no_orphaned_pending_proofs() {
    on_disk(melts::no_orphaned_pending_proofs);
}

#[test]
fn rotation_during_pending_melt_finishes() {
    on_disk(melts::rotation_during_pending_melt_finishes);
}

#[test]
fn change_outputs_are_points() {
    on_disk(melts::change_outputs_are_points);
}

#[test]
fn closed_keyset_stays_closed() {
    on_disk(keysets::closed_keyset_stays_closed);
}
