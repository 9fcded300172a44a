//! Promises of [`crate::Workflows`].

use posthaste_core::delivery::{DeliveryState as S, Priority};
use posthaste_core::failure::FailureReason;
use posthaste_core::log::Channel;
use posthaste_core::quarantine::Event;

use super::recording::event;
use super::scene::{
    at, attempt, claim, delivered, exclusion, failed, frozen, logs_of, page, prepared, record,
    sending, start,
};
use crate::Store;
use crate::rows::LogFilter;

pub(super) fn runs_are_kept_newest_first(store: &dyn Store) {
    let first = store.begin_run("database-cleanup", at(1)).unwrap();
    let second = store.begin_run("database-cleanup", at(2)).unwrap();
    let third = store.begin_run("database-cleanup", at(3)).unwrap();
    store.begin_run("other", at(4)).unwrap();
    store.end_run(first, at(5), Ok("{\"lifted\":2}")).unwrap();
    store.end_run(second, at(6), Err("disk full")).unwrap();
    let runs = store.runs("database-cleanup", 9).unwrap();
    assert_eq!(
        runs.iter().map(|run| run.id).collect::<Vec<_>>(),
        [third, second, first]
    );
    assert_eq!((runs[0].ended, runs[1].ended), (None, Some(at(6))));
    assert_eq!(
        (runs[1].report.as_deref(), runs[1].error.as_deref()),
        (None, Some("disk full"))
    );
    assert_eq!(runs[2].report.as_deref(), Some("{\"lifted\":2}"));
    assert_eq!(store.runs("database-cleanup", 1).unwrap().len(), 1);
}

pub(super) fn numbers_outlive_the_rows_they_count(store: &dyn Store) {
    let excluded: Vec<_> = (0..7)
        .map(|n| exclusion(n, FailureReason::Double))
        .collect();
    let id = prepared(
        store,
        Priority::Normal,
        &frozen(20, &["example.com"], 10),
        &excluded,
    );
    start(store, id, at(2));
    let logs = logs_of(&claim(store, 20));
    let mut changes: Vec<_> = logs.iter().map(|&log| delivered(log)).collect();
    changes[3] = failed(logs[3], FailureReason::UserUnknown);
    record(store, &changes);
    store
        .record(&mut |tx| tx.add_attempt(&attempt(logs[3], 1, true)))
        .unwrap();
    assert_eq!(
        store.purge_log(at(1_000), 99).unwrap(),
        0,
        "it has not ended"
    );
    assert!(
        store
            .move_delivery(id, S::InProgress, S::Finished, at(500))
            .unwrap()
    );
    assert_eq!(store.purge_log(at(500), 99).unwrap(), 0, "it is too young");
    let (tally, totals) = (store.tally(id).unwrap(), store.totals(id).unwrap());
    let mut gone = Vec::new();
    loop {
        gone.push(store.purge_log(at(501), 12).unwrap());
        if gone.ends_with(&[0]) {
            break;
        }
    }
    assert_eq!(gone, [12, 12, 3, 0]);
    let filter = LogFilter {
        delivery: Some(id),
        ..LogFilter::default()
    };
    assert_eq!(store.log_page(&filter, page(None, 9)).unwrap(), []);
    assert_eq!(store.attempts(logs[3]).unwrap(), []);
    assert_eq!(
        (store.tally(id).unwrap(), store.totals(id).unwrap()),
        (tally.clone(), totals)
    );
    assert!(tally.adds_up());
}

pub(super) fn row_ids_are_never_used_twice(store: &dyn Store) {
    let id = sending(store, 5, &["example.com"]);
    let logs = logs_of(&claim(store, 5));
    record(
        store,
        &logs.iter().map(|&log| delivered(log)).collect::<Vec<_>>(),
    );
    assert!(
        store
            .move_delivery(id, S::InProgress, S::Finished, at(5))
            .unwrap()
    );
    assert_eq!(store.purge_log(at(6), 99).unwrap(), 5);
    sending(store, 5, &["example.com"]);
    assert!(logs_of(&claim(store, 5)).iter().all(|log| log > &logs[4]));
}

pub(super) fn old_events_fold_into_one_snapshot(store: &dyn Store) {
    let (ann, bo) = ("ann@example.com", "bo@example.com");
    let events = [
        event(ann, 1, Event::Complained),
        event(ann, 2, Event::Lifted),
        event(ann, 9, Event::Lifted),
        event(bo, 9, Event::Lifted),
    ];
    store
        .record(&mut |tx| {
            events
                .iter()
                .try_for_each(|one| tx.add_event(one).map(|_| ()))
        })
        .unwrap();
    let old = store.addresses_with_events_before(at(5), 9).unwrap();
    assert_eq!(old, [(Channel::Email, ann.to_owned())]);
    let snapshot = event(ann, 4, Event::Snapshot(None));
    assert_eq!(
        store
            .fold_events(Channel::Email, ann, at(5), &snapshot)
            .unwrap(),
        2
    );
    let history = store.address_history(Channel::Email, ann).unwrap();
    assert_eq!(history.events, [snapshot.clone(), events[2].clone()]);
    assert_eq!(
        store.addresses_with_events_before(at(5), 9).unwrap(),
        [],
        "a snapshot is not old"
    );
    assert_eq!(
        store
            .fold_events(Channel::Email, bo, at(5), &snapshot)
            .unwrap(),
        0
    );
}
