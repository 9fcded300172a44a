//! Promises of [`crate::Recording`].

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::QualificationId;
use posthaste_core::log::{AddressStatus, Channel, LogStatus, QualificationStatus};
use posthaste_core::quarantine::Event;

use super::scene::{at, attempt, claim, delivered, failed, listed, logs_of, record, sending};
use crate::rows::{LedgerEvent, LogChange, MAX_OCCURRENCES, Qualification};
use crate::{Store, StoreError};

pub(super) fn event(key: &str, ms: i64, event: Event) -> LedgerEvent {
    LedgerEvent {
        channel: Channel::Email,
        key: key.to_owned(),
        at: at(ms),
        event,
        log: None,
        delivery: None,
        evidence: None,
        verdict: None,
        qualification: None,
        by: "recorder".to_owned(),
        because: "lifted".to_owned(),
    }
}

pub(super) fn qualification(text: &str, occurrences: u32) -> Qualification {
    Qualification {
        id: QualificationId(0),
        channel: Channel::Email,
        first_text: format!("550 {text} 1234"),
        text: text.to_owned(),
        occurrences,
        kind: FailureType::NotDefined,
        reason: FailureReason::NotDefined,
        party: Party::Recipient,
        status: QualificationStatus::ToQualify,
        by_person: false,
        rule: "not-defined".to_owned(),
        first_seen: at(1),
        last_seen: at(1),
    }
}

pub(super) fn a_group_is_written_whole_or_not_at_all(store: &dyn Store) {
    let id = sending(store, 3, &["example.com"]);
    let logs = logs_of(&claim(store, 3));
    let failed = store.record(&mut |tx| {
        tx.change_log(&delivered(logs[0]))?;
        tx.add_attempt(&attempt(logs[0], 1, false))?;
        tx.put_address(&listed("user0@example.com", AddressStatus::Valid, at(1)))?;
        assert_eq!(tx.log_row(logs[0])?.unwrap().status, LogStatus::Sent);
        tx.change_log(&delivered(posthaste_core::ids::LogId(404)))
    });
    assert!(
        matches!(failed, Err(StoreError::NotFound { .. })),
        "{failed:?}"
    );
    assert_eq!(store.tally(id).unwrap().sent, 0);
    assert_eq!(store.attempts(logs[0]).unwrap(), []);
    let history = store
        .address_history(Channel::Email, "user0@example.com")
        .unwrap();
    assert_eq!(history.address, None);
    record(store, &[delivered(logs[0])]);
    assert_eq!(store.tally(id).unwrap().sent, 1);
}

pub(super) fn attempts_keep_evidence_and_verdict(store: &dyn Store) {
    sending(store, 2, &["example.com"]);
    let logs = logs_of(&claim(store, 2));
    let mut ours = attempt(logs[0], 2, false);
    ours.evidence = posthaste_core::evidence::Evidence::ours(
        posthaste_core::evidence::Stage::Dns,
        "no such domain",
        at(5),
    );
    let all = [attempt(logs[0], 1, true), ours, attempt(logs[0], 10, true)];
    store
        .record(&mut |tx| all.iter().rev().try_for_each(|one| tx.add_attempt(one)))
        .unwrap();
    assert_eq!(store.attempts(logs[0]).unwrap(), all);
    assert_eq!(store.attempts(logs[1]).unwrap(), []);
}

pub(super) fn a_row_keeps_that_it_quarantined_its_address(store: &dyn Store) {
    let id = sending(store, 1, &["example.com"]);
    let log = claim(store, 1)[0].log;
    let change = LogChange {
        quarantined: true,
        qualification: Some(QualificationId(3)),
        ..failed(log, FailureReason::UserUnknown)
    };
    record(store, &[change]);
    let later = LogChange {
        complaint: true,
        ..failed(log, FailureReason::Refused)
    };
    record(store, &[later]);
    assert_eq!(store.totals(id).unwrap().quarantined_new, 1);
    let row = store.log_row(log).unwrap().unwrap();
    assert!(row.complaint && !row.possibly_duplicate);
    assert_eq!(
        (row.party, row.qualification),
        (Some(Party::Recipient), None)
    );
}

pub(super) fn the_ledger_keeps_its_order(store: &dyn Store) {
    let (ann, bo) = ("ann@example.com", "bo@example.com");
    let events = [
        event(ann, 1, Event::Complained),
        event(bo, 2, Event::Lifted),
        event(
            ann,
            3,
            Event::Set {
                status: AddressStatus::Allowlist,
                reason: FailureReason::NotDefined,
            },
        ),
    ];
    store
        .record(&mut |tx| {
            let ids: Vec<_> = events
                .iter()
                .map(|one| tx.add_event(one).unwrap())
                .collect();
            assert!(ids.is_sorted());
            tx.put_address(&listed(ann, AddressStatus::Allowlist, at(3)))?;
            assert_eq!(
                tx.address(Channel::Email, ann)?.unwrap().entry.status,
                AddressStatus::Allowlist
            );
            assert_eq!(tx.address(Channel::Email, bo)?, None);
            assert_eq!(tx.events(Channel::Email, ann)?.len(), 2);
            Ok(())
        })
        .unwrap();
    let history = store.address_history(Channel::Email, ann).unwrap();
    assert_eq!(history.events, [events[0].clone(), events[2].clone()]);
    assert_eq!(history.address.unwrap().changed, at(3));
}

pub(super) fn occurrences_stop_at_their_maximum(store: &dyn Store) {
    let mut id = QualificationId(0);
    store
        .record(&mut |tx| {
            assert_eq!(tx.qualification(Channel::Email, "no user #xxx#")?, None);
            id = tx.add_qualification(&qualification("no user #xxx#", 1))?;
            tx.add_occurrences(id, 5, at(9))?;
            let got = tx.qualification(Channel::Email, "no user #xxx#")?.unwrap();
            assert_eq!((got.id, got.occurrences, got.last_seen), (id, 6, at(9)));
            assert_eq!(tx.qualification(Channel::Sms, "no user #xxx#")?, None);
            tx.add_occurrences(id, MAX_OCCURRENCES, at(8))
        })
        .unwrap();
    let got = store.qualification_by_id(id).unwrap().unwrap();
    assert_eq!(
        (got.occurrences, got.last_seen, got.first_seen),
        (MAX_OCCURRENCES, at(9), at(1))
    );
}
