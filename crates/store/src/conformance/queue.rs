//! Promises of [`crate::Queue`].

use posthaste_core::delivery::{DeliveryState as S, Priority};
use posthaste_core::failure::FailureReason;
use posthaste_core::log::{AddressStatus, LogStatus};

use super::scene::{
    at, claim, deferred, delivered, failed, frozen, listed, logs_of, parts_of, prepared,
    put_addresses, record, sending, start,
};
use crate::Store;

pub(super) fn only_deliveries_in_progress_are_claimed(store: &dyn Store) {
    let id = prepared(
        store,
        Priority::Normal,
        &frozen(5, &["example.com"], 5),
        &[],
    );
    assert_eq!(claim(store, 9), []);
    start(store, id, at(2));
    assert_eq!(claim(store, 0), []);
    assert_eq!(claim(store, 9).len(), 5);
}

pub(super) fn higher_priority_goes_first_then_the_older(store: &dyn Store) {
    let kept = frozen(10, &["example.com"], 10);
    let ids = [
        Priority::Low,
        Priority::Normal,
        Priority::VeryHigh,
        Priority::Normal,
    ]
    .map(|priority| prepared(store, priority, &kept, &[]));
    for id in ids {
        start(store, id, at(2));
    }
    let order: Vec<_> = (0..4).map(|_| claim(store, 10)[0].delivery).collect();
    assert_eq!(order, [ids[2], ids[1], ids[3], ids[0]]);
}

pub(super) fn a_claim_takes_about_as_many_as_asked(store: &dyn Store) {
    sending(store, 100, &["example.com"]);
    assert_eq!(claim(store, 25).len(), 30);
    assert_eq!(claim(store, 10).len(), 10);
    assert_eq!(claim(store, 1_000).len(), 60);
    assert_eq!(claim(store, 1), []);
}

pub(super) fn domains_that_rest_are_passed_over(store: &dyn Store) {
    sending(store, 40, &["example.com", "example.net"]);
    let skip = ["example.com".to_owned(), "example.test".to_owned()];
    let got = store.claim("me", at(99), 1_000, &skip).unwrap();
    assert_eq!(got.len(), 20);
    assert!(got.iter().all(|one| one.domain == "example.net"));
    assert_eq!(store.claim("me", at(99), 1_000, &skip).unwrap(), []);
    assert_eq!(claim(store, 1_000).len(), 20);
}

pub(super) fn standing_is_read_at_the_claim(store: &dyn Store) {
    sending(store, 3, &["example.com"]);
    put_addresses(
        store,
        &[
            listed("user1@example.com", AddressStatus::Quarantine, at(3)),
            listed("user2@example.com", AddressStatus::Allowlist, at(3)),
        ],
    );
    let standings: Vec<_> = claim(store, 9).iter().map(|one| one.standing).collect();
    assert_eq!(
        standings,
        [
            None,
            Some(AddressStatus::Quarantine),
            Some(AddressStatus::Allowlist)
        ]
    );
}

pub(super) fn a_claimed_part_is_claimed_once(store: &dyn Store) {
    let id = sending(store, 50, &["example.com"]);
    let mut all: Vec<_> = Vec::new();
    for owner in ["a", "b", "a", "b", "a", "b"] {
        all.extend(logs_of(&store.claim(owner, at(99), 10, &[]).unwrap()));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 50);
    assert!(!store.is_drained(id).unwrap());
}

pub(super) fn a_part_closes_when_everyone_has_an_outcome_or_a_due_time(store: &dyn Store) {
    let id = sending(store, 10, &["example.com"]);
    let claimed = claim(store, 10);
    let logs = logs_of(&claimed);
    record(
        store,
        &logs[..8]
            .iter()
            .map(|&log| delivered(log))
            .collect::<Vec<_>>(),
    );
    record(store, &[deferred(logs[8], at(50))]);
    store.give_back(&logs[9..], at(60)).unwrap();
    assert_eq!(store.log_row(logs[9]).unwrap().unwrap().attempts, 0);
    store.settle_parts(&parts_of(&claimed)).unwrap();
    assert_eq!(claim(store, 10), []);
    assert!(!store.is_drained(id).unwrap(), "two are due later");
    record(
        store,
        &[
            delivered(logs[8]),
            failed(logs[9], FailureReason::UserUnknown),
        ],
    );
    assert!(store.is_drained(id).unwrap());
    store.give_back(&logs, at(70)).unwrap();
    assert!(
        store.is_drained(id).unwrap(),
        "who has an outcome is not given back"
    );
}

pub(super) fn an_unfinished_part_goes_back(store: &dyn Store) {
    sending(store, 10, &["example.com"]);
    let claimed = claim(store, 10);
    let logs = logs_of(&claimed);
    record(store, &[delivered(logs[0]), deferred(logs[1], at(50))]);
    store.settle_parts(&parts_of(&claimed)).unwrap();
    assert_eq!(logs_of(&claim(store, 10)), logs[2..]);
}

pub(super) fn leases_of_others_and_old_leases_are_released(store: &dyn Store) {
    sending(store, 30, &["example.com"]);
    let take = |owner: &str, until| store.claim(owner, at(until), 10, &[]).unwrap();
    let (_dead, old, mine) = (take("dead", 100), take("me", 20), take("me", 100));
    assert_eq!(store.release_leases("me", at(20)).unwrap(), 1);
    assert_eq!(store.release_leases("me", at(21)).unwrap(), 1);
    assert_eq!(store.release_leases("me", at(21)).unwrap(), 0);
    let again = claim(store, 99);
    assert_eq!(again.len(), 20);
    assert!(logs_of(&again).contains(&old[0].log));
    assert!(!logs_of(&again).contains(&mine[0].log));
}

pub(super) fn who_is_due_is_gathered_into_new_parts(store: &dyn Store) {
    let id = sending(store, 60, &["example.com", "example.net"]);
    let claimed = claim(store, 60);
    let logs = logs_of(&claimed);
    let changes: Vec<_> = (0..)
        .zip(&logs)
        .map(|(n, &log)| deferred(log, at(100 + n % 2 * 100)))
        .collect();
    record(store, &changes);
    store.settle_parts(&parts_of(&claimed)).unwrap();
    assert_eq!(store.gather_due(at(99), 1_000).unwrap(), 0);
    assert_eq!(store.gather_due(at(100), 10).unwrap(), 10);
    assert_eq!(store.gather_due(at(100), 1_000).unwrap(), 20);
    assert_eq!(store.gather_due(at(100), 1_000).unwrap(), 0);
    let again = claim(store, 1_000);
    assert_eq!(again.len(), 30);
    assert!(
        again
            .iter()
            .all(|one| one.attempts == 1 && one.delivery == id)
    );
    assert!(
        parts_of(&again)
            .iter()
            .all(|part| !parts_of(&claimed).contains(part))
    );
    assert_eq!(store.log_row(again[0].log).unwrap().unwrap().due, None);
}

pub(super) fn who_is_due_waits_while_the_delivery_is_paused(store: &dyn Store) {
    let id = sending(store, 5, &["example.com"]);
    let logs = logs_of(&claim(store, 5));
    record(store, &[deferred(logs[0], at(50))]);
    assert!(
        store
            .move_delivery(id, S::InProgress, S::Paused, at(3))
            .unwrap()
    );
    assert_eq!(store.gather_due(at(60), 9).unwrap(), 0);
    assert!(
        store
            .move_delivery(id, S::Paused, S::InProgress, at(4))
            .unwrap()
    );
    assert_eq!(store.gather_due(at(60), 9).unwrap(), 1);
}

pub(super) fn who_waits_is_ended_by_slices(store: &dyn Store) {
    let id = sending(store, 50, &["example.com"]);
    let other = sending(store, 5, &["example.com"]);
    let claimed = claim(store, 10);
    let logs = logs_of(&claimed);
    let mut changes: Vec<_> = logs[..9].iter().map(|&log| deferred(log, at(50))).collect();
    changes.push(delivered(logs[9]));
    record(store, &changes);
    store.settle_parts(&parts_of(&claimed)).unwrap();
    store.give_back(&logs[..1], at(51)).unwrap();
    let mut slices = Vec::new();
    loop {
        let ended = store.end_waiting(id, true, false, at(77), 20).unwrap();
        slices.push(ended);
        if ended == 0 {
            break;
        }
    }
    assert_eq!(slices.iter().sum::<u64>(), 49);
    assert!(slices.iter().all(|&n| n <= 20), "{slices:?}");
    let tally = store.tally(id).unwrap();
    assert_eq!(
        (tally.sent, tally.failed_sum(), tally.cancelled),
        (1, 9, 40)
    );
    assert!(store.is_drained(id).unwrap());
    let row = store.log_row(logs[0]).unwrap().unwrap();
    assert_eq!(
        (row.status, row.reason),
        (LogStatus::Failed, FailureReason::MailboxFull)
    );
    assert_eq!((row.due, row.changed), (None, at(77)));
    assert_eq!(store.tally(other).unwrap().pending, 5);
}

pub(super) fn leased_parts_are_ended_only_when_asked(store: &dyn Store) {
    let id = sending(store, 30, &["example.com"]);
    let logs = logs_of(&claim(store, 10));
    record(store, &[deferred(logs[0], at(50))]);
    assert_eq!(store.end_waiting(id, false, false, at(9), 99).unwrap(), 21);
    assert_eq!(store.end_waiting(id, false, false, at(9), 99).unwrap(), 0);
    assert!(!store.is_drained(id).unwrap());
    assert_eq!(store.end_waiting(id, false, true, at(9), 99).unwrap(), 9);
    assert!(store.is_drained(id).unwrap());
    let tally = store.tally(id).unwrap();
    assert_eq!((tally.cancelled, tally.failed_sum()), (30, 0));
}
