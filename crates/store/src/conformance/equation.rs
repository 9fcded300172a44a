//! The equation: target = excluded + pending + sent + failed + cancelled, after every step of any
//! sequence of claims, outcomes, retries and ends; and nobody is ever claimed by two at once.

use std::collections::BTreeSet;

use posthaste_core::delivery::Priority;
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::{LogId, PartId};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::scene::{at, deferred, delivered, exclusion, failed, frozen, prepared, record, start};
use crate::Store;

#[derive(Debug, Clone)]
enum Step {
    Claim(usize),
    Deliver(usize),
    Fail(usize),
    Defer(usize),
    Settle,
    GatherDue,
    Crash,
    EndWaiting(bool, bool, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..60usize).prop_map(Step::Claim),
        3 => (1..40usize).prop_map(Step::Deliver),
        2 => (1..20usize).prop_map(Step::Fail),
        2 => (1..30usize).prop_map(Step::Defer),
        3 => Just(Step::Settle),
        3 => Just(Step::GatherDue),
        1 => Just(Step::Crash),
        1 => (any::<bool>(), any::<bool>(), 1..30usize)
            .prop_map(|(tried, leased, n)| Step::EndWaiting(tried, leased, n)),
    ]
}

/// What a sender holds.
#[derive(Default)]
struct Held {
    logs: Vec<LogId>,
    parts: BTreeSet<PartId>,
}

impl Held {
    fn take(&mut self, n: usize) -> Vec<LogId> {
        let left = self.logs.len().saturating_sub(n);
        self.logs.split_off(left)
    }
}

fn step(store: &dyn Store, held: &mut Held, now: i64, step: &Step) {
    match *step {
        Step::Claim(n) => {
            let claimed = store.claim("me", at(now + 50), n, &[]).unwrap();
            for one in &claimed {
                assert!(!held.logs.contains(&one.log), "claimed twice");
                held.logs.push(one.log);
                held.parts.insert(one.part);
            }
        }
        Step::Deliver(n) => finish(store, held, n, delivered),
        Step::Fail(n) => finish(store, held, n, |log| {
            failed(log, FailureReason::UserUnknown)
        }),
        Step::Defer(n) => finish(store, held, n, |log| deferred(log, at(now + 5))),
        Step::Settle => {
            let parts: Vec<_> = std::mem::take(&mut held.parts).into_iter().collect();
            store.settle_parts(&parts).unwrap();
            held.logs.clear();
        }
        Step::GatherDue => {
            store.gather_due(at(now), 50).unwrap();
        }
        Step::Crash => {
            *held = Held::default();
            store.release_leases("somebody else", at(now)).unwrap();
        }
        Step::EndWaiting(tried_fail, leased_too, n) => {
            if leased_too {
                *held = Held::default();
            }
            let id = posthaste_core::ids::DeliveryId(1);
            let ended = store
                .end_waiting(id, tried_fail, leased_too, at(now), n)
                .unwrap();
            assert!(ended <= u64::try_from(n).unwrap());
        }
    }
}

fn finish(
    store: &dyn Store,
    held: &mut Held,
    n: usize,
    change: impl Fn(LogId) -> crate::rows::LogChange,
) {
    let logs = held.take(n);
    record(store, &logs.into_iter().map(change).collect::<Vec<_>>());
}

pub(super) fn the_numbers_add_up_whatever_happens(_: &dyn Store) {
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let sequences = prop::collection::vec(any_step(), 1..40);
    TestRunner::new(config)
        .run(&sequences, |steps| {
            let dir = tempfile::tempdir().unwrap();
            let store = crate::sqlite::SqliteStore::create(dir.path().join("s.db")).unwrap();
            run(&store, &steps);
            Ok(())
        })
        .unwrap();
}

fn run(store: &dyn Store, steps: &[Step]) {
    let excluded: Vec<_> = (0..9)
        .map(|n| exclusion(n, FailureReason::Double))
        .collect();
    let kept = frozen(120, &["example.com", "example.net", "example.org"], 15);
    let id = prepared(store, Priority::Normal, &kept, &excluded);
    start(store, id, at(2));
    let mut held = Held::default();
    for (now, one) in (10..).zip(steps) {
        step(store, &mut held, now, one);
        let tally = store.tally(id).unwrap();
        assert!(tally.adds_up(), "after {one:?}: {tally:?}");
        if store.is_drained(id).unwrap() {
            assert_eq!(tally.pending, 0, "after {one:?}");
        }
    }
    store.release_leases("", at(0)).unwrap();
    while store.end_waiting(id, true, true, at(99), 50).unwrap() > 0 {}
    assert!(store.is_drained(id).unwrap());
    assert_eq!(store.tally(id).unwrap().pending, 0);
}
