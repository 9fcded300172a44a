//! One address: its ledger, the selected failures in it, and what new verdicts make of both.

use posthaste_core::ids::{EventId, LogId};
use posthaste_core::log::{AddressStatus, LogStatus};
use posthaste_core::qualify::Verdict;
use posthaste_core::quarantine::requalify::{Ruling, Trace, failure_of, trace, with_rulings};
use posthaste_core::quarantine::{Event, Policy};
use posthaste_core::time::Timestamp;
use posthaste_store::requalifying::{HeldEvent, LedgerReads, RequalifiedAddress};
use posthaste_store::rows::{Address, LogRow};

use super::Stored;
use super::verdicts::{Verdicts, verdict_of};

/// An address with its whole ledger.
pub(super) struct Case {
    /// Its events, oldest first; there is at least one.
    pub(super) events: Vec<HeldEvent>,
    /// Places of the selected failures.
    pub(super) picked: Vec<usize>,
}

/// A verdict that changes.
pub(super) struct Given {
    pub(super) event: EventId,
    pub(super) old: Verdict,
    pub(super) new: Verdict,
}

/// What becomes of an address.
pub(super) struct Consequence {
    /// The verdicts that change.
    pub(super) given: Vec<Given>,
    /// Its entries before and after.
    pub(super) address: RequalifiedAddress,
    /// Delivery log rows whose last failure is among the given, and what they become.
    pub(super) rows: Vec<(LogRow, Ruling)>,
}

impl Case {
    /// What the new verdicts make of the address.
    pub(super) fn judge(
        &self,
        policy: &Policy,
        reads: &mut dyn LedgerReads,
        verdicts: &mut Verdicts<'_>,
    ) -> Stored<Consequence> {
        let (mut given, mut rulings) = (Vec::new(), Vec::new());
        for place in &self.picked {
            let Some(held) = self.events.get(*place) else {
                continue;
            };
            let Some(failed) = failure_of(&held.event.event) else {
                continue;
            };
            let old = verdict_of(&held.event, failed);
            let new = verdicts.of(&held.event, &old)?;
            let ruling = ruling_of(&new);
            if ruling == Ruling::of(failed) {
                continue;
            }
            rulings.push((*place, ruling));
            let event = held.id;
            given.push(Given { event, old, new });
        }
        let address = self.entries(policy, reads, &rulings)?;
        let rows = self.rows(reads, &rulings)?;
        Ok(Consequence {
            given,
            address,
            rows,
        })
    }

    fn entries(
        &self,
        policy: &Policy,
        reads: &mut dyn LedgerReads,
        rulings: &[(usize, Ruling)],
    ) -> Stored<RequalifiedAddress> {
        let history = history_of(&self.events);
        let before = trace(policy, &history);
        let after = trace(policy, &with_rulings(&history, rulings));
        let (channel, key) = self.events.first().map_or(
            (posthaste_core::log::Channel::Email, String::new()),
            |held| (held.event.channel, held.event.key.clone()),
        );
        let stored = reads.entry(channel, &key)?;
        let becomes = if before.entry == after.entry {
            stored.clone()
        } else {
            row_of(&after, &self.events, stored.as_ref())
        };
        Ok(RequalifiedAddress {
            channel,
            key,
            before: stored,
            after: becomes,
        })
    }

    /// Rows that still stand as their last failure left them, when that one got a ruling.
    fn rows(
        &self,
        reads: &mut dyn LedgerReads,
        rulings: &[(usize, Ruling)],
    ) -> Stored<Vec<(LogRow, Ruling)>> {
        let mut rows = Vec::new();
        for (place, ruling) in rulings {
            let Some((log, old)) = last_failure_at(&self.events, *place) else {
                continue;
            };
            let row = reads.row(log)?.filter(|row| stands_by(row, old));
            rows.extend(row.map(|row| (row, *ruling)));
        }
        Ok(rows)
    }
}

/// The ruling in a verdict.
pub(super) const fn ruling_of(verdict: &Verdict) -> Ruling {
    Ruling {
        kind: verdict.kind,
        reason: verdict.reason,
        party: verdict.party,
    }
}

/// The events as the policy folds them.
pub(super) fn history_of(events: &[HeldEvent]) -> Vec<(Timestamp, Event)> {
    events
        .iter()
        .map(|held| (held.event.at, held.event.event.clone()))
        .collect()
}

/// The row and the ruling in force of the failure at this place, when it is the last one of its
/// delivery log row.
pub(super) fn last_failure_at(events: &[HeldEvent], place: usize) -> Option<(LogId, Ruling)> {
    let failed = failure_of(&events.get(place)?.event.event)?;
    let is_last = events
        .iter()
        .skip(place + 1)
        .filter_map(|held| failure_of(&held.event.event))
        .all(|later| later.log != failed.log);
    is_last.then(|| (failed.log, Ruling::of(failed)))
}

/// Whether a row stands as a failure with this ruling left it.
pub(super) fn stands_by(row: &LogRow, ruling: Ruling) -> bool {
    let failed = match row.status {
        LogStatus::Failed | LogStatus::Pending => true,
        LogStatus::Ignored
        | LogStatus::Sent
        | LogStatus::TakenIntoAccount
        | LogStatus::ReceivedOnMobile
        | LogStatus::Prepared
        | LogStatus::Cancelled => false,
    };
    failed
        && row.kind == ruling.kind
        && row.reason == ruling.reason
        && row.party == Some(ruling.party)
}

/// The quarantine entry that a trace comes to, with the text, row and time of the events that made
/// it. An address that would be *valid* is listed only when it is already.
pub(super) fn row_of(
    trace: &Trace,
    events: &[HeldEvent],
    stored: Option<&Address>,
) -> Option<Address> {
    let entry = trace.entry.clone()?;
    if entry.status == AddressStatus::Valid && stored.is_none() {
        return None;
    }
    let at = |place: Option<usize>| place.and_then(|place| events.get(place));
    let first = events.first()?;
    // What a snapshot was made of is gone; its text is the stored one.
    let is_folded = matches!(first.event.event, Event::Snapshot(_));
    let kept = stored.filter(|_| is_folded);
    let failure = at(trace.failure).map(|held| &held.event);
    let error_text = match failure {
        Some(event) => event.evidence.as_ref().map(|e| e.text.clone()),
        None => kept.map(|address| address.error_text.clone()),
    };
    Some(Address {
        channel: first.event.channel,
        key: first.event.key.clone(),
        changed: at(trace.changed_by).map_or(entry.since, |held| held.event.at),
        entry,
        error_text: error_text.unwrap_or_default(),
        log: match failure {
            Some(event) => event.log,
            None => kept.and_then(|address| address.log),
        },
    })
}
