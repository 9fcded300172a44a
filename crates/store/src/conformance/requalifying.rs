//! Promises of [`crate::Requalifying`].

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::{EventId, LogId, RequalificationId};
use posthaste_core::log::{AddressStatus, Channel};
use posthaste_core::qualify::Verdict;
use posthaste_core::quarantine::requalify::Ruling;
use posthaste_core::quarantine::{Event, Failed};

use super::recording::event;
use super::scene::{at, attempt, listed, page, put_addresses};
use crate::requalifying::{NewRequalification, RequalifiedAddress, Span};
use crate::rows::LedgerEvent;
use crate::{Store, StoreError};

const KEYS: [&str; 3] = ["ann@example.com", "bo@example.com", "cy@example.com"];

/// The verdict that a failure got, and one that calls it the path's trouble.
fn verdicts() -> (Verdict, Verdict) {
    let old = attempt(LogId(1), 1, true).verdict.unwrap();
    let new = Verdict {
        kind: FailureType::Ignored,
        reason: FailureReason::Unreachable,
        party: Party::Path,
        ..old.clone()
    };
    (old, new)
}

fn fact() -> Failed {
    let (verdict, _) = verdicts();
    Failed {
        log: LogId(1),
        kind: verdict.kind,
        reason: verdict.reason,
        party: verdict.party,
        first_of_its_text: true,
        site_blocked: false,
        revokes_success: false,
    }
}

fn failure(key: &str, ms: i64) -> LedgerEvent {
    LedgerEvent {
        verdict: Some(verdicts().0),
        ..event(key, ms, Event::Failed(fact()))
    }
}

fn failures(store: &dyn Store) -> Vec<EventId> {
    let mut ids = Vec::new();
    store
        .record(&mut |tx| {
            ids.clear();
            for (key, ms) in KEYS.iter().zip(10..) {
                ids.push(tx.add_event(&failure(key, ms))?);
            }
            Ok(())
        })
        .unwrap();
    let entries = KEYS.map(|key| listed(key, AddressStatus::Quarantine, at(10)));
    put_addresses(store, &entries);
    ids
}

/// Gives the events another verdict, takes their addresses off the list, and answers the id.
fn order(store: &dyn Store, events: &[EventId]) -> RequalificationId {
    let (old, new) = verdicts();
    let mut id = RequalificationId(0);
    store
        .requalify(&mut |tx| {
            id = tx.begin(&NewRequalification {
                at: at(50),
                by: "operator".to_owned(),
                comment: "outage".to_owned(),
                selection: "{}".to_owned(),
                verdict: "{}".to_owned(),
            })?;
            for (event, key) in events.iter().zip(KEYS) {
                tx.requalify_event(id, *event, &old, &new)?;
                let to = RequalifiedAddress {
                    channel: Channel::Email,
                    key: key.to_owned(),
                    before: Some(listed(key, AddressStatus::Quarantine, at(10))),
                    after: None,
                };
                tx.requalify_address(id, &to)?;
            }
            tx.end(id, "{\"failures\":3}")
        })
        .unwrap();
    id
}

/// The kind of failure that the ledger of an address holds now.
fn held(store: &dyn Store, key: &str) -> FailureType {
    let history = store.address_history(Channel::Email, key).unwrap();
    let Event::Failed(failed) = &history.events[0].event else {
        panic!("{history:?}");
    };
    failed.kind
}

pub(super) fn new_verdicts_are_in_force_until_they_are_undone(store: &dyn Store) {
    let events = failures(store);
    let first = order(store, &events[..2]);
    assert_eq!(held(store, KEYS[0]), FailureType::Ignored);
    assert_eq!(held(store, KEYS[2]), FailureType::Hard);
    let entry = |key| store.ledger().entry(Channel::Email, key).unwrap();
    assert_eq!((entry(KEYS[0]), entry(KEYS[2]).is_some()), (None, true));
    let without = store
        .ledger()
        .held_events(Channel::Email, KEYS[0], Some(first))
        .unwrap();
    assert_eq!((without[0].id, without[0].by), (events[0], None));
    let second = order(store, &events[..1]);
    let by = |key| {
        let held = store.ledger().held_events(Channel::Email, key, None);
        held.unwrap()[0].by
    };
    assert_eq!((by(KEYS[0]), by(KEYS[1])), (Some(second), Some(first)));
    let undo = |id| store.requalify(&mut |tx| tx.undo(id, at(60), "operator"));
    undo(second).unwrap();
    assert_eq!(by(KEYS[0]), Some(first));
    undo(first).unwrap();
    assert_eq!(held(store, KEYS[0]), FailureType::Hard);
    let stored = store.requalification(first).unwrap().unwrap();
    assert_eq!(stored.undone, Some(at(60)));
    assert_eq!(stored.numbers, "{\"failures\":3}");
    let newest: Vec<_> = store.requalifications(9).unwrap();
    assert_eq!(
        newest.iter().map(|one| one.id).collect::<Vec<_>>(),
        [second, first]
    );
}

pub(super) fn a_requalification_is_written_whole_or_not_at_all(store: &dyn Store) {
    let events = failures(store);
    let (old, new) = verdicts();
    let failed = store.requalify(&mut |tx| {
        let id = tx.begin(&NewRequalification {
            at: at(50),
            by: "operator".to_owned(),
            comment: String::new(),
            selection: "{}".to_owned(),
            verdict: "{}".to_owned(),
        })?;
        tx.requalify_event(id, events[0], &old, &new)?;
        tx.set_entry(Channel::Email, KEYS[0], None)?;
        tx.rejudge_row(LogId(1), Ruling::of(&fact()))?;
        Err(StoreError::DiskFull {
            doing: "writing".to_owned(),
        })
    });
    assert!(
        matches!(failed, Err(StoreError::DiskFull { .. })),
        "{failed:?}"
    );
    assert_eq!(held(store, KEYS[0]), FailureType::Hard);
    assert!(
        store
            .ledger()
            .entry(Channel::Email, KEYS[0])
            .unwrap()
            .is_some()
    );
    assert_eq!(store.requalifications(9).unwrap(), []);
}

pub(super) fn the_ledger_and_the_addresses_are_read_in_pages(store: &dyn Store) {
    let events = failures(store);
    let span = Span {
        from: at(11),
        to: at(12),
    };
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let read = store
            .ledger()
            .events_in(span, page(after, 1), None)
            .unwrap();
        let Some(last) = read.last() else { break };
        after = Some((last.event.at, last.id));
        seen.extend(read.iter().map(|held| held.id));
    }
    assert_eq!(seen, events[1..]);
    let id = order(store, &events);
    let keys = |after: Option<&str>, limit| -> Vec<String> {
        let read = store.requalified_addresses(id, page(after.map(str::to_owned), limit));
        read.unwrap().into_iter().map(|one| one.key).collect()
    };
    assert_eq!(keys(None, 2), KEYS[..2]);
    assert_eq!(keys(Some(KEYS[1]), 2), KEYS[2..]);
    assert_eq!(keys(Some(KEYS[2]), 2), KEYS[..0]);
}
