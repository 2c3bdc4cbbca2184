//! What went wrong in other implementations: each failure is a test of that name here, on the real code path.

use std::collections::BTreeSet;

use crate::fault::Fault;

/// The failures that concern a mint.
pub const INCIDENTS: [&str; 25] = [
    "parallel_spend_has_one_winner",
    "unknown_payment_stays_pending",
    "quote_poll_and_executor_finish_once",
    "crash_at_every_step_conserves_value",
    "rotation_during_pending_melt_finishes",
    "no_orphaned_pending_proofs",
    "failed_mint_leaves_quote_unissued",
    "payout_dearer_than_reserve_is_refused",
    "oversize_fields_are_refused",
    "multisig_counts_x_only_keys_once",
    "change_outputs_are_points",
    "quote_of_another_method_is_refused",
    "amount_overflow_is_refused",
    "duplicate_inputs_and_outputs_are_refused",
    "zero_signature_condition_is_refused",
    "htlc_refund_needs_no_preimage",
    "keyset_ids_cannot_collide",
    "same_secret_under_two_keysets",
    "lost_reply_can_be_fetched_again",
    "restart_keeps_idempotency",
    "lock_storm_does_not_wedge",
    "stale_counter_loses_nothing",
    "outputs_answer_only_their_own_amount",
    "restored_backup_cannot_unspend",
    "closed_keyset_stays_closed",
];

/// Every incident is a test, but for those still `missing`; and what is missing no longer must leave that list.
pub fn check(missing: &[&str], tests: &BTreeSet<String>) -> Vec<Fault> {
    let fault = |what: String| Fault::new("crates/tidy/tests/tidy.rs", 0, what);
    let mut faults = Vec::new();
    for name in INCIDENTS {
        match (tests.contains(name), missing.contains(&name)) {
            (false, false) => faults.push(fault(format!("no test is named {name}"))),
            (true, true) => faults.push(fault(format!("{name} is written: take it off MISSING"))),
            (true, false) | (false, true) => {}
        }
    }
    for name in missing.iter().filter(|name| !INCIDENTS.contains(name)) {
        faults.push(fault(format!("{name} is no incident")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_without_test_is_caught_and_so_is_a_stale_list() {
        let all: BTreeSet<String> = INCIDENTS.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(check(&[], &all), []);
        assert_eq!(check(&[INCIDENTS[3]], &all).len(), 1);
        let mut fewer = all.clone();
        fewer.remove(INCIDENTS[3]);
        assert_eq!(check(&[], &fewer).len(), 1);
        assert_eq!(check(&[INCIDENTS[3]], &fewer), []);
        assert_eq!(check(&["unheard_of"], &all).len(), 1);
    }
}
