//! Promises of [`crate::Deliveries`].

use posthaste_core::delivery::{DeliveryState as S, Level, Priority};
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::ids::{DeliveryId, LogId};
use posthaste_core::log::LogStatus;

use super::scene::{
    at, claim, deferred, delivered, exclusion, failed, frozen, logs_of, new_delivery, page,
    prepared, record, sending, start,
};
use crate::rows::{JournalLine, LogChange, LogFilter};
use crate::{Store, StoreError};

pub(super) fn a_delivery_comes_back_as_it_was_stored(store: &dyn Store) {
    let new = crate::rows::NewDelivery {
        contact_date: Some(at(500)),
        proof: true,
        ..new_delivery("spring", Priority::High)
    };
    let id = store.create_delivery(&new, at(3)).unwrap();
    let got = store.delivery(id).unwrap().unwrap();
    assert_eq!(
        (got.id, got.label.as_str(), got.spec.as_str()),
        (id, "spring", "{}")
    );
    assert_eq!(
        (got.state, got.priority, got.proof),
        (S::Edited, Priority::High, true)
    );
    assert_eq!((got.contact_date, got.valid_until), (Some(at(500)), None));
    assert_eq!(
        (got.created, got.changed, got.started, got.ended),
        (at(3), at(3), None, None)
    );
    store.set_schedule(id, None, at(900)).unwrap();
    let got = store.delivery(id).unwrap().unwrap();
    assert_eq!((got.contact_date, got.valid_until), (None, Some(at(900))));
    let second = store.create_delivery(&new, at(4)).unwrap();
    let newest: Vec<_> = store.deliveries(9).unwrap().iter().map(|d| d.id).collect();
    assert_eq!(newest, [second, id]);
    assert_eq!(store.deliveries(1).unwrap().len(), 1);
}

pub(super) fn a_state_is_changed_by_compare_and_set(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    assert!(
        store
            .move_delivery(id, S::Edited, S::Counting, at(2))
            .unwrap()
    );
    assert!(
        !store
            .move_delivery(id, S::Edited, S::Counting, at(3))
            .unwrap()
    );
    let got = store.delivery(id).unwrap().unwrap();
    assert_eq!((got.state, got.changed), (S::Counting, at(2)));
    let in_state = |states: &[S]| store.deliveries_in(states).unwrap().len();
    assert_eq!(in_state(&[S::Counting, S::Paused, S::Counting]), 1);
    assert_eq!(in_state(&[S::Edited]), 0);
    assert_eq!(in_state(&[]), 0);
}

pub(super) fn moves_stamp_started_and_ended(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    start(store, id, at(5));
    for (from, to, when) in [
        (S::InProgress, S::PauseRequested, 6),
        (S::PauseRequested, S::Paused, 7),
        (S::Paused, S::InProgress, 8),
    ] {
        assert!(store.move_delivery(id, from, to, at(when)).unwrap());
    }
    let got = store.delivery(id).unwrap().unwrap();
    assert_eq!((got.started, got.ended), (Some(at(5)), None));
    assert!(
        store
            .move_delivery(id, S::InProgress, S::Finished, at(9))
            .unwrap()
    );
    let got = store.delivery(id).unwrap().unwrap();
    assert_eq!(
        (got.started, got.ended, got.changed),
        (Some(at(5)), Some(at(9)), at(9))
    );
}

pub(super) fn the_journal_keeps_its_order(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    let line = |ms, level, text: &str| JournalLine {
        at: at(ms),
        level,
        text: text.to_owned(),
    };
    let lines = [
        line(9, Level::Info, "first"),
        line(2, Level::Error, "second"),
    ];
    store.journal(id, &lines[..1]).unwrap();
    store.journal(id, &lines[1..]).unwrap();
    assert_eq!(store.journal_of(id).unwrap(), lines);
    assert_eq!(crate::worst(&lines), Some(Level::Error));
}

pub(super) fn numbers_are_counted_from_exclusions_and_log(store: &dyn Store) {
    let excluded = [
        exclusion(1, FailureReason::Double),
        exclusion(2, FailureReason::Double),
        exclusion(3, FailureReason::Quarantine),
    ];
    let kept = frozen(10, &["example.com"], 10);
    prepared(
        store,
        Priority::Normal,
        &frozen(5, &["example.net"], 5),
        &[],
    );
    let id = prepared(store, Priority::Normal, &kept, &excluded);
    start(store, id, at(2));
    let logs = logs_of(&claim(store, 10));
    record(
        store,
        &[
            delivered(logs[0]),
            delivered(logs[1]),
            failed(logs[2], FailureReason::UserUnknown),
            deferred(logs[3], at(99)),
            LogChange {
                status: LogStatus::Cancelled,
                ..delivered(logs[4])
            },
        ],
    );
    let tally = store.tally(id).unwrap();
    assert_eq!(
        (tally.target, tally.pending, tally.sent, tally.cancelled),
        (13, 6, 2, 1)
    );
    let excluded: Vec<_> = tally
        .excluded
        .iter()
        .map(|(k, n)| (k.as_str(), *n))
        .collect();
    assert_eq!(excluded, [("double", 2), ("quarantine", 1)]);
    let failed: Vec<_> = tally.failed.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(failed, [("user_unknown", 1)]);
    assert!(tally.adds_up());
}

pub(super) fn totals_name_failures_and_domains(store: &dyn Store) {
    let id = sending(store, 30, &["example.com", "example.net", "example.org"]);
    let claimed = claim(store, 30);
    let of = |domain: &str| -> Vec<LogId> {
        claimed
            .iter()
            .filter(|one| one.domain == domain)
            .map(|one| one.log)
            .collect()
    };
    let (com, net) = (of("example.com"), of("example.net"));
    record(
        store,
        &[
            delivered(com[0]),
            delivered(com[1]),
            LogChange {
                quarantined: true,
                ..failed(com[2], FailureReason::UserUnknown)
            },
            LogChange {
                possibly_duplicate: true,
                attempts: 2,
                ..delivered(net[0])
            },
        ],
    );
    let totals = store.totals(id).unwrap();
    assert_eq!(
        (
            totals.quarantined_new,
            totals.possibly_duplicate,
            totals.retried
        ),
        (1, 1, 1)
    );
    assert_eq!(
        totals.by_failure,
        [
            (
                LogStatus::Sent,
                FailureType::NotDefined,
                FailureReason::NotDefined,
                3
            ),
            (
                LogStatus::Failed,
                FailureType::Hard,
                FailureReason::UserUnknown,
                1
            ),
            (
                LogStatus::Pending,
                FailureType::NotDefined,
                FailureReason::NotDefined,
                26
            ),
        ]
    );
    assert_eq!(
        totals.by_domain,
        [
            ("example.com".to_owned(), 2, 1, 7),
            ("example.net".to_owned(), 1, 0, 9),
            ("example.org".to_owned(), 0, 0, 10),
        ]
    );
}

pub(super) fn the_log_is_filtered(store: &dyn Store) {
    let id = sending(store, 20, &["example.com", "example.net"]);
    let other = prepared(
        store,
        Priority::Normal,
        &frozen(3, &["example.org"], 9),
        &[],
    );
    let logs = logs_of(&claim(store, 20));
    record(
        store,
        &[
            failed(logs[0], FailureReason::UserUnknown),
            delivered(logs[1]),
        ],
    );
    let count = |filter: LogFilter| store.log_page(&filter, page(None, 99)).unwrap().len();
    let all = LogFilter::default();
    let of = LogFilter {
        delivery: Some(id),
        ..all.clone()
    };
    let domain = |name: &str| LogFilter {
        domain: Some(name.to_owned()),
        ..all.clone()
    };
    let key = LogFilter {
        key: Some("user3@example.net".to_owned()),
        ..all.clone()
    };
    assert_eq!(count(all.clone()), 23);
    assert_eq!(count(of.clone()), 20);
    assert_eq!(
        count(LogFilter {
            delivery: Some(other),
            ..all.clone()
        }),
        3
    );
    assert_eq!(
        count(LogFilter {
            delivery: Some(DeliveryId(77)),
            ..all.clone()
        }),
        0
    );
    assert_eq!(
        count(LogFilter {
            status: Some(LogStatus::Pending),
            ..of.clone()
        }),
        18
    );
    assert_eq!(
        count(LogFilter {
            kind: Some(FailureType::Hard),
            ..of.clone()
        }),
        1
    );
    assert_eq!(
        count(LogFilter {
            reason: Some(FailureReason::UserUnknown),
            ..of.clone()
        }),
        1
    );
    assert_eq!(count(domain("example.net")), 10);
    assert_eq!(count(domain("example.test")), 0);
    assert_eq!(count(key.clone()), 1);
    assert_eq!(
        count(LogFilter {
            delivery: Some(other),
            ..key
        }),
        0
    );
}

pub(super) fn the_log_is_read_in_pages(store: &dyn Store) {
    let id = sending(store, 20, &["example.com", "example.net"]);
    sending(store, 3, &["example.org"]);
    let of = LogFilter {
        delivery: Some(id),
        ..LogFilter::default()
    };
    let first = store.log_page(&of, page(None, 15)).unwrap();
    let rest = store
        .log_page(&of, page(first.last().map(|row| row.id), 15))
        .unwrap();
    assert_eq!((first.len(), rest.len()), (15, 5));
    assert!(first.iter().chain(&rest).map(|row| row.id).is_sorted());
}

pub(super) fn rows_of_an_address_are_found_in_all_deliveries_newest_first(store: &dyn Store) {
    let a = sending(store, 20, &["example.com"]);
    let b = sending(store, 20, &["example.com"]);
    let found = store.log_of_address("user7@example.com", 9).unwrap();
    assert_eq!(
        found.iter().map(|row| row.delivery).collect::<Vec<_>>(),
        [b, a]
    );
    let row = &found[0];
    assert_eq!(
        (row.address.as_str(), row.domain.as_str()),
        ("User7@example.com", "example.com")
    );
    assert_eq!(
        (row.recipient.0, row.status, row.attempts),
        (8, LogStatus::Pending, 0)
    );
    assert_eq!(store.log_row(row.id).unwrap().as_ref(), Some(row));
    assert_eq!(
        store.log_of_address("user7@example.com", 1).unwrap().len(),
        1
    );
    assert_eq!(store.log_of_address("nobody@example.com", 9).unwrap(), []);
}

pub(super) fn the_next_due_moment_is_a_retry_a_contact_date_or_a_validity(store: &dyn Store) {
    assert_eq!(store.next_due(at(0)).unwrap(), None);
    let id = sending(store, 10, &["example.com"]);
    store.set_schedule(id, Some(at(1)), at(900)).unwrap();
    assert_eq!(store.next_due(at(0)).unwrap(), Some(at(900)));
    let logs = logs_of(&claim(store, 10));
    record(
        store,
        &[deferred(logs[0], at(300)), deferred(logs[1], at(200))],
    );
    assert_eq!(store.next_due(at(100)).unwrap(), Some(at(200)));
    assert_eq!(store.next_due(at(200)).unwrap(), Some(at(300)));
    assert_eq!(store.next_due(at(900)).unwrap(), None);
    let waiting = store
        .create_delivery(&new_delivery("b", Priority::Normal), at(1))
        .unwrap();
    store.set_schedule(waiting, Some(at(150)), at(950)).unwrap();
    assert_eq!(store.next_due(at(100)).unwrap(), Some(at(200)));
    assert!(
        store
            .move_delivery(waiting, S::Edited, S::StartPending, at(2))
            .unwrap()
    );
    assert_eq!(store.next_due(at(100)).unwrap(), Some(at(150)));
    assert!(
        store
            .move_delivery(id, S::InProgress, S::Paused, at(2))
            .unwrap()
    );
    assert_eq!(store.next_due(at(150)).unwrap(), Some(at(900)));
}

pub(super) fn what_is_not_there_is_said(store: &dyn Store) {
    let id = DeliveryId(404);
    assert_eq!(store.delivery(id).unwrap(), None);
    assert_eq!(store.log_row(LogId(1)).unwrap(), None);
    let errors = [
        store.tally(id).err(),
        store.journal(id, &[]).err(),
        store.set_schedule(id, None, at(1)).err(),
        store.move_delivery(id, S::Edited, S::Counting, at(1)).err(),
        store.hold_preparation(id, "me", at(1), at(2)).err(),
        store.end_preparation(id, 0, 0).err(),
        store
            .add_prepared(id, &frozen(1, &["example.com"], 1), &[])
            .err(),
        store
            .add_prepared(id, &[], &[exclusion(1, FailureReason::Double)])
            .err(),
        store.end_waiting(id, true, true, at(1), 9).err(),
    ];
    for (n, error) in errors.iter().enumerate() {
        assert!(
            matches!(error, Some(StoreError::NotFound { .. })),
            "{n}: {error:?}"
        );
    }
}
