//! What every vault must do, whatever it is made of: one suite, run on real keys and real proofs.
//!
//! After each commit of each check the books are taken and audited, so that "nothing was lost" is checked without
//! being written down again. Reading order: [`rig`] (mint, wallet and vault in one hand), [`swaps`], [`quotes`],
//! [`melts`], [`accounts`], [`orders`], [`bills`], [`passports`], [`keysets`] (the checks).

pub mod accounts;
pub mod bills;
pub mod keysets;
pub mod melts;
pub mod orders;
pub mod passports;
pub mod quotes;
pub mod rig;
pub mod swaps;

use crate::vault::{VaultReader, VaultStore};

use self::rig::Rig;

/// A vault under test, with both its sides.
pub trait Bed {
    /// The writer's side.
    fn store(&mut self) -> &mut dyn VaultStore;

    /// The readers' side of the same vault.
    fn reader(&mut self) -> &mut dyn VaultReader;

    /// Closes the vault and opens it again, as a restart of the process would.
    fn restart(&mut self);
}

/// A check, with its name.
pub type Check = (&'static str, fn(&mut Rig));

macro_rules! checks {
    ($($module:ident :: $check:ident),* $(,)?) => {
        &[$((stringify!($check), $module::$check)),*]
    };
}

/// All checks.
pub const CHECKS: &[Check] = checks![
    swaps::a_swap_spends_once_and_signs,
    swaps::a_repeated_swap_is_answered_and_posts_nothing,
    swaps::parallel_spend_has_one_winner,
    swaps::stale_counter_loses_nothing,
    swaps::outputs_answer_only_their_own_amount,
    swaps::part_of_an_old_request_is_refused,
    swaps::lost_reply_can_be_fetched_again,
    swaps::restart_keeps_idempotency,
    swaps::same_secret_under_two_keysets_is_spent_once,
    swaps::fees_and_days_are_posted,
    swaps::amount_overflow_is_refused,
    swaps::duplicate_inputs_and_outputs_are_refused,
    quotes::a_quote_is_paid_and_issued_once,
    quotes::failed_mint_leaves_quote_unissued,
    quotes::quote_of_another_method_is_refused,
    quotes::old_quotes_are_dropped_and_open_ones_stay,
    quotes::quotes_are_read_back_whole,
    melts::a_paid_melt_spends_and_gives_change,
    melts::a_failed_melt_frees_its_proofs,
    melts::quote_poll_and_executor_finish_once,
    melts::no_orphaned_pending_proofs,
    melts::a_melt_started_and_ended_in_one_batch_leaves_nothing_held,
    melts::promised_change_is_signed_for_nobody_else,
    melts::rotation_during_pending_melt_finishes,
    melts::change_outputs_are_points,
    accounts::an_account_is_opened_once_and_closed_empty,
    accounts::accounts_are_listed_by_their_numbers,
    accounts::what_the_bank_books_is_posted_once,
    accounts::a_booking_is_assigned_once,
    accounts::a_quote_is_paid_by_a_booking_or_from_an_account,
    accounts::what_is_held_ends_once,
    accounts::no_account_is_overdrawn,
    accounts::a_movement_pays_its_fee_once,
    accounts::limits_hold_whatever_is_sent,
    accounts::a_melt_pays_an_account_at_once,
    accounts::a_statement_shows_every_transfer_once,
    accounts::a_mistake_is_taken_back_once_and_nobody_is_overdrawn,
    accounts::a_payout_comes_back_once,
    orders::an_order_is_paid_once_and_told_once,
    orders::a_sale_pays_its_fee_once,
    orders::two_payers_cannot_both_pay,
    orders::what_does_not_pay_an_order_is_refused_and_kept,
    orders::refunds_never_exceed_the_payment,
    orders::a_refund_is_signed_on_the_payers_outputs,
    orders::a_refund_by_code_is_fetched_once,
    orders::what_is_locked_to_a_merchant_only_pays_orders,
    orders::an_older_copy_freezes_accounts_and_cancels_orders,
    orders::orders_are_dropped_in_their_time,
    bills::a_bill_is_paid_once_with_its_receipt,
    bills::a_bill_is_paid_without_a_receipt,
    bills::two_payers_of_a_bill_pay_it_once,
    bills::bills_come_in_time_and_one_a_month,
    bills::a_late_payment_says_so,
    bills::a_month_is_closed_once_no_bill_can_come,
    bills::an_unpaid_bill_is_not_waited_away,
    bills::a_last_bill_ends_a_contract,
    bills::a_frozen_biller_makes_nobody_late,
    bills::bills_are_dropped_in_their_time,
    bills::an_older_copy_withdraws_bills,
    passports::a_request_is_answered_once_and_again,
    passports::what_was_shown_is_answered_to_nothing_else,
    passports::one_request_is_answered_for_one_thing,
    passports::an_answer_without_names_is_not_kept,
    passports::of_two_requests_that_show_the_same_one_is_answered,
    passports::a_lost_reply_is_found_in_its_bucket,
    passports::what_was_shown_is_found_with_its_reply,
    passports::what_was_shown_under_retired_keys_is_dropped,
    passports::a_bucket_is_read_page_by_page,
    keysets::a_rotated_keyset_redeems_and_does_not_sign,
    keysets::closed_keyset_stays_closed,
    keysets::a_sealed_keyset_keeps_signed_totals,
    keysets::a_keyset_that_owes_change_is_not_sealed,
    keysets::preimages_are_kept_until_the_seal,
    keysets::a_day_that_ends_is_posted_once,
    keysets::an_older_copy_redeems_and_issues_nothing_it_may_have_done_before,
];

/// Runs every check, each on a new vault made for a mint of [`rig::identity`].
///
/// # Panics
/// If one fails.
pub fn run(new: &mut dyn FnMut() -> Box<dyn Bed>) {
    for (_, check) in CHECKS {
        check(&mut Rig::new(new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryVault;

    struct InMemory {
        store: MemoryVault,
        reader: MemoryVault,
    }

    impl Bed for InMemory {
        fn store(&mut self) -> &mut dyn VaultStore {
            &mut self.store
        }

        fn reader(&mut self) -> &mut dyn VaultReader {
            &mut self.reader
        }

        fn restart(&mut self) {}
    }

    #[test]
    fn the_vault_in_memory_conforms() {
        run(&mut || {
            let store = MemoryVault::default();
            Box::new(InMemory { reader: store.clone(), store })
        });
    }
}
