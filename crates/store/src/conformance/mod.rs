//! What every implementation of the store promises, one test per promise.
//!
//! Each promise is a function of `&dyn Store` on an empty store; below they are run on the embedded
//! one. Another implementation adds its own line to [`promises`].

mod addresses;
mod deliveries;
mod equation;
mod preparing;
mod queue;
mod recipients;
mod recording;
mod requalifying;
mod rules;
mod scene;
mod workflows;

use crate::sqlite::SqliteStore;

macro_rules! promises {
    ($($area:ident: $($fact:ident),+ $(,)?;)+) => {
        $($(
            #[test]
            fn $fact() {
                let dir = tempfile::tempdir().expect("a directory");
                let store = SqliteStore::create(dir.path().join("store.db")).expect("a store");
                $area::$fact(&store);
            }
        )+)+
    };
}

promises! {
    recipients:
        a_list_name_is_taken_once,
        recipients_come_back_in_pages_as_they_were_given,
        a_deleted_list_takes_its_recipients_along,
        profiles_are_found_by_address_in_all_lists,
        a_denylisted_address_marks_every_profile_that_has_it,
        a_profile_marked_at_import_is_on_the_denylist;
    deliveries:
        a_delivery_comes_back_as_it_was_stored,
        a_state_is_changed_by_compare_and_set,
        moves_stamp_started_and_ended,
        the_journal_keeps_its_order,
        numbers_are_counted_from_exclusions_and_log,
        totals_name_failures_and_domains,
        the_log_is_filtered,
        the_log_is_read_in_pages,
        rows_of_an_address_are_found_in_all_deliveries_newest_first,
        the_next_due_moment_is_a_retry_a_contact_date_or_a_validity,
        what_is_not_there_is_said;
    preparing:
        one_holder_prepares_at_a_time,
        nothing_is_claimed_before_preparation_ends,
        a_cleared_preparation_leaves_nothing,
        a_delivery_that_was_never_prepared_can_be_removed,
        exclusions_are_numbered_and_filtered_by_reason,
        only_listed_keys_have_a_standing,
        files_are_stored_once_under_their_hash;
    queue:
        only_deliveries_in_progress_are_claimed,
        higher_priority_goes_first_then_the_older,
        a_claim_takes_about_as_many_as_asked,
        domains_that_rest_are_passed_over,
        standing_is_read_at_the_claim,
        a_claimed_part_is_claimed_once,
        a_part_closes_when_everyone_has_an_outcome_or_a_due_time,
        an_unfinished_part_goes_back,
        leases_of_others_and_old_leases_are_released,
        who_is_due_is_gathered_into_new_parts,
        who_is_due_waits_while_the_delivery_is_paused,
        who_waits_is_ended_by_slices,
        leased_parts_are_ended_only_when_asked;
    recording:
        a_group_is_written_whole_or_not_at_all,
        attempts_keep_evidence_and_verdict,
        a_row_keeps_that_it_quarantined_its_address,
        the_ledger_keeps_its_order,
        occurrences_stop_at_their_maximum;
    addresses:
        the_quarantine_list_is_filtered_and_paged,
        only_old_valid_entries_are_removed,
        qualifications_come_most_frequent_first_and_can_be_set;
    workflows:
        runs_are_kept_newest_first,
        numbers_outlive_the_rows_they_count,
        row_ids_are_never_used_twice,
        old_events_fold_into_one_snapshot;
    rules:
        rules_come_back_by_position_with_the_version_of_their_set,
        a_change_decided_on_older_rules_is_not_written,
        every_change_of_a_rule_is_kept_newest_first,
        a_backup_keeps_the_rules_from_before_the_change,
        addresses_at_risk_are_counted_by_text_and_domain;
    requalifying:
        new_verdicts_are_in_force_until_they_are_undone,
        a_requalification_is_written_whole_or_not_at_all,
        the_ledger_and_the_addresses_are_read_in_pages;
    equation:
        the_numbers_add_up_whatever_happens;
}
