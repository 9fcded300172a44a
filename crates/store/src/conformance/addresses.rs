//! Promises of [`crate::Addresses`] and [`crate::Qualifications`].

use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::log::{AddressStatus, QualificationStatus};

use super::recording::qualification;
use super::scene::{at, listed, page, put_addresses};
use crate::rows::{AddressFilter, Qualification};
use crate::{Store, StoreError};

pub(super) fn the_quarantine_list_is_filtered_and_paged(store: &dyn Store) {
    put_addresses(
        store,
        &[
            listed("c@example.com", AddressStatus::Quarantine, at(1)),
            listed("a@example.com", AddressStatus::WithErrors, at(1)),
            listed("b@sub.example.com", AddressStatus::Quarantine, at(1)),
        ],
    );
    let found = |filter: &AddressFilter, after: Option<&str>, limit| -> Vec<String> {
        let page = page(after.map(str::to_owned), limit);
        store
            .addresses(filter, page)
            .unwrap()
            .into_iter()
            .map(|one| one.key)
            .collect()
    };
    let all = AddressFilter::default();
    let (a, b, c) = ("a@example.com", "b@sub.example.com", "c@example.com");
    assert_eq!(found(&all, None, 9), [a, b, c]);
    assert_eq!(found(&all, Some(a), 1), [b]);
    let status = AddressFilter {
        status: Some(AddressStatus::Quarantine),
        ..all.clone()
    };
    assert_eq!(found(&status, None, 9), [b, c]);
    let domain = AddressFilter {
        domain: Some("example.com".to_owned()),
        ..all.clone()
    };
    assert_eq!(found(&domain, None, 9), [a, c]);
    let contains = AddressFilter {
        contains: Some("@sub".to_owned()),
        ..all.clone()
    };
    assert_eq!(found(&contains, None, 9), [b]);
    let reason = AddressFilter {
        reason: Some(FailureReason::Refused),
        ..all
    };
    assert_eq!(found(&reason, None, 9), [""; 0]);
}

pub(super) fn only_old_valid_entries_are_removed(store: &dyn Store) {
    put_addresses(
        store,
        &[
            listed("a@example.com", AddressStatus::Valid, at(10)),
            listed("b@example.com", AddressStatus::Valid, at(11)),
            listed("c@example.com", AddressStatus::Valid, at(20)),
            listed("d@example.com", AddressStatus::Quarantine, at(1)),
        ],
    );
    assert_eq!(store.remove_valid(at(20), 1).unwrap(), 1);
    assert_eq!(store.remove_valid(at(20), 9).unwrap(), 1);
    assert_eq!(store.remove_valid(at(20), 9).unwrap(), 0);
    let left = store
        .addresses(&AddressFilter::default(), page(None, 9))
        .unwrap();
    assert_eq!(
        left.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(),
        ["c@example.com", "d@example.com"]
    );
}

pub(super) fn qualifications_come_most_frequent_first_and_can_be_set(store: &dyn Store) {
    store
        .record(&mut |tx| {
            for (text, n) in [("rare", 1), ("common", 9), ("middling", 5)] {
                tx.add_qualification(&qualification(text, n))?;
            }
            Ok(())
        })
        .unwrap();
    let texts = |status, limit| -> Vec<String> {
        store
            .qualifications(status, limit)
            .unwrap()
            .into_iter()
            .map(|one| one.text)
            .collect()
    };
    assert_eq!(texts(None, 9), ["common", "middling", "rare"]);
    assert_eq!(texts(None, 1), ["common"]);
    let common = store.qualifications(None, 1).unwrap().remove(0);
    let set = Qualification {
        kind: FailureType::Hard,
        reason: FailureReason::UserUnknown,
        status: QualificationStatus::Keep,
        by_person: true,
        occurrences: 0,
        ..common
    };
    store.set_qualification(&set, at(50)).unwrap();
    let got = store.qualification_by_id(set.id).unwrap().unwrap();
    assert_eq!(
        got,
        Qualification {
            last_seen: got.last_seen,
            ..set.clone()
        }
    );
    assert_eq!(
        texts(Some(QualificationStatus::ToQualify), 9),
        ["middling", "rare"]
    );
    let nobody = Qualification {
        id: posthaste_core::ids::QualificationId(404),
        ..set
    };
    let missing = store.set_qualification(&nobody, at(1));
    assert!(
        matches!(missing, Err(StoreError::NotFound { .. })),
        "{missing:?}"
    );
}
