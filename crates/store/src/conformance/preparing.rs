//! Promises of [`crate::Preparing`].

use posthaste_core::delivery::{DeliveryState as S, Level, Priority};
use posthaste_core::failure::FailureReason;
use posthaste_core::log::{AddressStatus, Channel};

use super::scene::{
    at, claim, exclusion, frozen, listed, new_delivery, page, put_addresses, start,
};
use crate::Store;
use crate::rows::{JournalLine, LogFilter};

pub(super) fn one_holder_prepares_at_a_time(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    let hold = |who: &str, now, until| store.hold_preparation(id, who, at(now), at(until)).unwrap();
    assert!(hold("ann", 10, 20));
    assert!(!hold("bo", 19, 29));
    assert!(hold("ann", 19, 30));
    assert!(!hold("bo", 29, 39));
    assert!(hold("bo", 30, 40));
    assert!(!hold("ann", 31, 41));
    store.end_preparation(id, 0, 0).unwrap();
    assert!(hold("ann", 32, 42));
}

pub(super) fn nothing_is_claimed_before_preparation_ends(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    start(store, id, at(2));
    let kept = frozen(40, &["example.com", "example.net"], 10);
    store.add_prepared(id, &kept[..15], &[]).unwrap();
    store.add_prepared(id, &kept[15..], &[]).unwrap();
    assert!(!store.is_drained(id).unwrap());
    assert_eq!(claim(store, 99), []);
    store.end_preparation(id, 40, 40).unwrap();
    let got = store.delivery(id).unwrap().unwrap();
    assert_eq!((got.target, got.to_send), (40, 40));
    let claimed = claim(store, 99);
    assert_eq!(claimed.len(), 40);
    assert_eq!(super::scene::parts_of(&claimed).len(), 4);
    let first = &claimed[0];
    assert_eq!(
        (first.address.as_str(), first.key.as_str()),
        ("User0@example.com", "user0@example.com")
    );
    assert_eq!(
        (first.attributes.as_str(), first.attempts, first.standing),
        ("{\"n\":\"0\"}", 0, None)
    );
}

pub(super) fn a_cleared_preparation_leaves_nothing(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    let other = store
        .create_delivery(&new_delivery("b", Priority::Normal), at(1))
        .unwrap();
    let kept = frozen(1_500, &["example.com"], 100);
    let excluded: Vec<_> = (0..1_500)
        .map(|n| exclusion(n, FailureReason::Double))
        .collect();
    for id in [id, other, id] {
        store.add_prepared(id, &kept, &excluded).unwrap();
    }
    store.clear_preparation(id).unwrap();
    let rows = |id| {
        let filter = LogFilter {
            delivery: Some(id),
            ..LogFilter::default()
        };
        store.log_page(&filter, page(None, 9_999)).unwrap().len()
    };
    assert_eq!((rows(id), rows(other)), (0, 1_500));
    assert_eq!(store.exclusions(id, None, page(None, 9)).unwrap(), []);
    assert!(store.is_drained(id).unwrap());
    store.add_prepared(id, &kept[..2], &excluded[..1]).unwrap();
    store.end_preparation(id, 3, 2).unwrap();
    assert!(store.tally(id).unwrap().adds_up());
    assert_eq!(store.exclusions(id, None, page(None, 9)).unwrap()[0].id, 1);
}

pub(super) fn a_delivery_that_was_never_prepared_can_be_removed(store: &dyn Store) {
    let create = |label| {
        let new = new_delivery(label, Priority::Normal);
        store.create_delivery(&new, at(1)).unwrap()
    };
    let (id, other) = (create("a"), create("b"));
    let kept = frozen(2_500, &["example.com"], 100);
    let line = JournalLine {
        at: at(2),
        level: Level::Error,
        text: "line 3: no".to_owned(),
    };
    for id in [id, other] {
        store
            .add_prepared(id, &kept, &[exclusion(1, FailureReason::Double)])
            .unwrap();
        store.journal(id, std::slice::from_ref(&line)).unwrap();
    }
    for (from, to) in [(S::Edited, S::Counting), (S::Counting, S::Personalizing)] {
        assert!(store.move_delivery(id, from, to, at(3)).unwrap());
        assert!(!store.remove_delivery(id).unwrap(), "{to:?}");
    }
    assert_eq!(store.journal_of(id).unwrap().len(), 1);
    let failed = (S::Personalizing, S::PreparationFailed);
    assert!(store.move_delivery(id, failed.0, failed.1, at(4)).unwrap());
    assert!(store.remove_delivery(id).unwrap());
    assert!(!store.remove_delivery(id).unwrap());
    assert_eq!(store.delivery(id).unwrap(), None);
    assert_eq!(store.journal_of(id).unwrap(), []);
    assert_eq!(store.exclusions(id, None, page(None, 9)).unwrap(), []);
    let rows = store.log_page(&LogFilter::default(), page(None, 9_999));
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 2_500);
    assert!(rows.iter().all(|row| row.delivery == other));
    assert_eq!(store.journal_of(other).unwrap(), [line]);
    assert!(
        create("c") > other,
        "the number of a removed one is not given again"
    );
}

pub(super) fn exclusions_are_numbered_and_filtered_by_reason(store: &dyn Store) {
    let id = store
        .create_delivery(&new_delivery("a", Priority::Normal), at(1))
        .unwrap();
    let rows: Vec<_> = (0..5)
        .map(|n| {
            exclusion(
                n,
                if n % 2 == 0 {
                    FailureReason::Double
                } else {
                    FailureReason::Control
                },
            )
        })
        .collect();
    store.add_prepared(id, &[], &rows[..3]).unwrap();
    store.add_prepared(id, &[], &rows[3..]).unwrap();
    let numbers = |reason, after, limit| -> Vec<i64> {
        let found = store.exclusions(id, reason, page(after, limit)).unwrap();
        found.iter().map(|row| row.id).collect()
    };
    assert_eq!(numbers(None, None, 9), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(None, Some(2), 2), [3, 4]);
    assert_eq!(numbers(Some(FailureReason::Control), None, 9), [2, 4]);
    let last = store.exclusions(id, None, page(Some(4), 9)).unwrap();
    assert_eq!(
        last,
        [crate::rows::ExclusionRow {
            id: 5,
            ..rows[4].clone()
        }]
    );
}

pub(super) fn only_listed_keys_have_a_standing(store: &dyn Store) {
    let entry = listed("ann@example.com", AddressStatus::Quarantine, at(7));
    put_addresses(store, std::slice::from_ref(&entry));
    let keys = ["bo@example.com", "ann@example.com"];
    assert_eq!(store.standing(Channel::Email, &keys).unwrap(), [entry]);
    assert_eq!(store.standing(Channel::Sms, &keys).unwrap(), []);
}

pub(super) fn files_are_stored_once_under_their_hash(store: &dyn Store) {
    let (hash, other) = ([7; 32], [8; 32]);
    store.put_blob(&hash, b"logo").unwrap();
    store.put_blob(&hash, b"logo").unwrap();
    assert_eq!(store.blob(&hash).unwrap().as_deref(), Some(&b"logo"[..]));
    assert_eq!(store.blob(&other).unwrap(), None);
}
