//! Past failures judged again: what their addresses come to.
//!
//! A ruling replaces type, reason and party of a failure and leaves what was met as it was: when,
//! on which row, whether the site was blocked, whether it was the first of its text. The entry is
//! then the fold of the same history with the rulings in it, so that whatever came later (a
//! setting by hand, a complaint, another failure) keeps its weight, and taking a ruling back is
//! the fold without it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Entry, Event, Failed, Policy, decide};
use crate::failure::{FailureReason, FailureType, Party};
use crate::ids::LogId;
use crate::log::AddressStatus;
use crate::time::Timestamp;

/// What a failure is held to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Its type.
    pub kind: FailureType,
    /// Its reason.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
}

impl Ruling {
    /// What this failure is held to be now.
    #[must_use]
    pub const fn of(failed: &Failed) -> Self {
        Self {
            kind: failed.kind,
            reason: failed.reason,
            party: failed.party,
        }
    }

    /// The failure under this ruling.
    #[must_use]
    pub fn applied_to(self, failed: &Failed) -> Failed {
        Failed {
            kind: self.kind,
            reason: self.reason,
            party: self.party,
            ..failed.clone()
        }
    }
}

/// What a history comes to, and which of its events made it so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The entry; `None` when the address is not listed.
    pub entry: Option<Entry>,
    /// Place in the history of the event that changed the entry last.
    pub changed_by: Option<usize>,
    /// Place in the history of the failure that changed the entry last.
    pub failure: Option<usize>,
}

/// Folds a history, oldest first. Successes that a later failure of the same delivery log row
/// revokes are passed over.
#[must_use]
pub fn trace(policy: &Policy, history: &[(Timestamp, Event)]) -> Trace {
    let revoked: HashSet<LogId> = history
        .iter()
        .filter_map(|(_, event)| failure_of(event))
        .filter_map(|failed| failed.revokes_success.then_some(failed.log))
        .collect();
    let mut trace = Trace::default();
    for (place, (at, event)) in history.iter().enumerate() {
        if matches!(event, Event::Delivered { log } if revoked.contains(log)) {
            continue;
        }
        let entry = decide(policy, trace.entry.as_ref(), event, *at).entry;
        if entry == trace.entry {
            continue;
        }
        trace.entry = entry;
        trace.changed_by = Some(place);
        if failure_of(event).is_some() {
            trace.failure = Some(place);
        }
    }
    trace
}

/// The failure, when the event is one.
#[must_use]
pub const fn failure_of(event: &Event) -> Option<&Failed> {
    match event {
        Event::Failed(failed) => Some(failed),
        Event::Delivered { .. }
        | Event::Complained
        | Event::Set { .. }
        | Event::Imported { .. }
        | Event::Lifted
        | Event::Snapshot(_) => None,
    }
}

/// The history with these rulings, each at its place; a ruling on anything but a failure is
/// passed over.
#[must_use]
pub fn with_rulings(
    history: &[(Timestamp, Event)],
    rulings: &[(usize, Ruling)],
) -> Vec<(Timestamp, Event)> {
    let mut history = history.to_vec();
    for (place, ruling) in rulings {
        if let Some((_, Event::Failed(failed))) = history.get_mut(*place) {
            *failed = ruling.applied_to(failed);
        }
    }
    history
}

/// Whether two entries mean the same: a *valid* address is as good as one that is not listed.
#[must_use]
pub fn amounts_to_the_same(one: Option<&Entry>, other: Option<&Entry>) -> bool {
    let listed =
        |entry: Option<&Entry>| entry.filter(|e| e.status != AddressStatus::Valid).cloned();
    listed(one) == listed(other)
}

/// What becomes of an address between two entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effect {
    /// It was in quarantine and no longer is.
    pub leaves_quarantine: bool,
    /// It was not in quarantine and now is.
    pub enters_quarantine: bool,
    /// Its number of counted errors changes.
    pub moves_counter: bool,
}

/// What becomes of an address between `before` and `after`.
#[must_use]
pub fn effect(before: Option<&Entry>, after: Option<&Entry>) -> Effect {
    let held = |entry: Option<&Entry>| entry.is_some_and(|e| e.status == AddressStatus::Quarantine);
    let errors = |entry: Option<&Entry>| entry.map_or(0, |e| e.errors);
    Effect {
        leaves_quarantine: held(before) && !held(after),
        enters_quarantine: !held(before) && held(after),
        moves_counter: errors(before) != errors(after),
    }
}

/// Whether a recipient whose failure got this ruling can be sent to again: the failure is not hard
/// any more, and deliveries do not exclude the address.
#[must_use]
pub fn can_be_sent_again(ruling: Ruling, after: Option<&Entry>) -> bool {
    let excluded = after.is_some_and(|entry| match entry.status {
        AddressStatus::Quarantine | AddressStatus::Denylist => true,
        AddressStatus::WithErrors | AddressStatus::Valid | AddressStatus::Allowlist => false,
    });
    ruling.kind != FailureType::Hard && !excluded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    fn hard(log: i64) -> Failed {
        Failed {
            log: LogId(log),
            kind: FailureType::Hard,
            reason: FailureReason::UserUnknown,
            party: Party::Recipient,
            first_of_its_text: false,
            site_blocked: false,
            revokes_success: false,
        }
    }

    const OUTAGE: Ruling = Ruling {
        kind: FailureType::Ignored,
        reason: FailureReason::Unreachable,
        party: Party::Path,
    };

    fn entry_of(history: &[(Timestamp, Event)], rulings: &[(usize, Ruling)]) -> Option<Entry> {
        trace(&Policy::default(), &with_rulings(history, rulings)).entry
    }

    #[test]
    fn an_address_that_an_outage_quarantined_is_not_listed_once_it_is_ignored() {
        let history = [(Timestamp(0), Event::Failed(hard(1)))];
        let before = entry_of(&history, &[]);
        let after = entry_of(&history, &[(0, OUTAGE)]);
        assert_eq!(after, None);
        let effect = effect(before.as_ref(), after.as_ref());
        assert!(effect.leaves_quarantine && !effect.enters_quarantine);
        assert!(can_be_sent_again(OUTAGE, after.as_ref()));
        assert!(!can_be_sent_again(OUTAGE, before.as_ref()));
        assert!(!can_be_sent_again(Ruling::of(&hard(1)), after.as_ref()));
    }

    #[test]
    fn a_later_failure_of_its_own_keeps_the_address_in_quarantine() {
        let history = [
            (Timestamp(0), Event::Failed(hard(1))),
            (Timestamp(HOUR), Event::Failed(hard(2))),
        ];
        let after = entry_of(&history, &[(0, OUTAGE)]).unwrap();
        assert_eq!(after.status, AddressStatus::Quarantine);
        assert_eq!(after.since, Timestamp(HOUR));
    }

    #[test]
    fn a_later_setting_by_hand_stays_in_force() {
        let set = |status| Event::Set {
            status,
            reason: FailureReason::Denylisted,
        };
        for status in [AddressStatus::Denylist, AddressStatus::Quarantine] {
            let history = [
                (Timestamp(0), Event::Failed(hard(1))),
                (Timestamp(HOUR), set(status)),
            ];
            let after = entry_of(&history, &[(0, OUTAGE)]).unwrap();
            assert_eq!((after.status, after.since), (status, Timestamp(HOUR)));
        }
    }

    #[test]
    fn the_trace_names_the_events_that_made_the_entry() {
        let history = [
            (Timestamp(0), Event::Failed(hard(1))),
            (Timestamp(HOUR), Event::Failed(hard(2))),
            (Timestamp(2 * HOUR), Event::Complained),
        ];
        let trace = trace(&Policy::default(), &history);
        assert_eq!((trace.changed_by, trace.failure), (Some(2), Some(0)));
    }

    fn ruling() -> impl Strategy<Value = Ruling> {
        let reasons = [
            FailureReason::UserUnknown,
            FailureReason::MailboxFull,
            FailureReason::Unreachable,
        ];
        (
            prop::sample::select(FailureType::ALL),
            prop::sample::select(reasons.to_vec()),
            prop::sample::select(Party::ALL),
        )
            .prop_map(|(kind, reason, party)| Ruling {
                kind,
                reason,
                party,
            })
    }

    fn event() -> impl Strategy<Value = Event> {
        let failed = (ruling(), any::<[bool; 3]>(), 0..5_i64).prop_map(|(ruling, flags, log)| {
            Event::Failed(Failed {
                first_of_its_text: flags[0],
                site_blocked: flags[1],
                revokes_success: flags[2],
                ..ruling.applied_to(&hard(log))
            })
        });
        let set = prop::sample::select(AddressStatus::ALL).prop_map(|status| Event::Set {
            status,
            reason: FailureReason::NotDefined,
        });
        prop_oneof![
            6 => failed,
            2 => (0..5_i64).prop_map(|log| Event::Delivered { log: LogId(log) }),
            1 => Just(Event::Complained),
            1 => set,
            1 => Just(Event::Lifted),
        ]
    }

    fn histories() -> impl Strategy<Value = Vec<(Timestamp, Event)>> {
        let step = (0..(4 * 24 * HOUR), event());
        prop::collection::vec(step, 0..12).prop_map(|steps| {
            let mut at = 0;
            steps
                .into_iter()
                .map(|(gap, event)| {
                    at += gap;
                    (Timestamp(at), event)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn taking_rulings_back_leads_to_the_entry_of_before(
            history in histories(), ruling in ruling(), picks in any::<[bool; 12]>(),
        ) {
            let policy = Policy::default();
            let failures: Vec<(usize, Failed)> = history
                .iter()
                .enumerate()
                .filter(|(place, _)| picks[*place])
                .filter_map(|(place, (_, event))| Some((place, failure_of(event)?.clone())))
                .collect();
            let given: Vec<_> = failures.iter().map(|(place, _)| (*place, ruling)).collect();
            let back: Vec<_> = failures.iter().map(|(place, f)| (*place, Ruling::of(f))).collect();
            let after = with_rulings(&history, &given);
            prop_assert_eq!(&with_rulings(&after, &given), &after, "twice is once");
            prop_assert_eq!(trace(&policy, &with_rulings(&after, &back)), trace(&policy, &history));
        }

        #[test]
        fn the_last_setting_by_hand_holds_whatever_is_ruled_before_it(
            history in histories(), ruling in ruling(), status in prop::sample::select(AddressStatus::ALL),
        ) {
            let mut history = history;
            let rulings: Vec<_> = (0..history.len()).map(|place| (place, ruling)).collect();
            let at = history.last().map_or(Timestamp(0), |(at, _)| *at);
            history.push((at, Event::Set { status, reason: FailureReason::NotDefined }));
            prop_assert_eq!(entry_of(&history, &rulings).unwrap().status, status);
        }
    }
}
