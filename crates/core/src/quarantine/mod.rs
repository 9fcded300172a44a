//! When an address enters or leaves quarantine.
//!
//! The address ledger only grows; the quarantine entry of an address is the fold of its events by
//! [`decide`]. So a changed rule or an outage of a provider can be judged again, previewed, applied
//! and undone: derive the entry anew with [`derive()`].

mod policy;
pub mod requalify;
#[cfg(test)]
mod tests;

pub use policy::Policy;

use serde::{Deserialize, Serialize};

use crate::failure::{FailureReason, FailureType, Party};
use crate::ids::LogId;
use crate::log::AddressStatus;
use crate::time::Timestamp;

/// What the quarantine list holds about one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its status.
    pub status: AddressStatus,
    /// Why it has this status.
    pub reason: FailureReason,
    /// Number of counted (significant) errors since the last reset.
    pub errors: u32,
    /// When the last counted error happened.
    pub last_counted: Option<Timestamp>,
    /// When the entry last changed its status.
    pub since: Timestamp,
}

/// One thing that bears on an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A delivery to it failed.
    Failed(Failed),
    /// A delivery to it was handed over. Kept only for addresses that are listed.
    Delivered {
        /// The delivery log row, so that a bounce that comes later can revoke the success.
        log: LogId,
    },
    /// Its owner complained.
    Complained,
    /// Somebody set its status by hand.
    Set {
        /// The status that was set.
        status: AddressStatus,
        /// The reason that was given.
        reason: FailureReason,
    },
    /// It came with an imported list.
    Imported {
        /// The status of the list.
        status: AddressStatus,
        /// The reason of the list.
        reason: FailureReason,
    },
    /// Database cleanup lifted it.
    Lifted,
    /// What older events, past retention, had come to; `None` when they had left no entry.
    Snapshot(Option<Entry>),
}

/// A failure as far as it bears on the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The delivery log row.
    pub log: LogId,
    /// Its type.
    pub kind: FailureType,
    /// Its reason.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
    /// The first occurrence of a text that nobody had qualified: it does not count.
    pub first_of_its_text: bool,
    /// The site was in trouble as a whole: a failure of the path does not count.
    pub site_blocked: bool,
    /// It came after the hand-over (bounce mail): it revokes that row's success.
    pub revokes_success: bool,
}

/// What one event did, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// The entry after the event; `None` when the address is not listed.
    pub entry: Option<Entry>,
    /// Whether the event moved the counter.
    pub counted: bool,
    /// The line of the policy that decided.
    pub because: Because,
}

crate::failure::coded! {
    /// The line of the policy that decided.
    Because {
        /// Nothing bears on the address.
        Nothing = 0, "nothing";
        /// Ignored errors never change an address.
        IgnoredError = 1, "ignored_error";
        /// The failure is the sender's, the content's or our own trouble.
        NotTheAddress = 2, "not_the_address";
        /// The whole site was in trouble.
        SiteBlocked = 3, "site_blocked";
        /// First occurrence of a text that nobody had qualified.
        FirstOfItsText = 4, "first_of_its_text";
        /// The last counted error is too recent.
        NotSignificant = 5, "not_significant";
        /// Counted, below the threshold.
        Counted = 6, "counted";
        /// The counter reached the threshold.
        Threshold = 7, "threshold";
        /// A hard error.
        HardError = 8, "hard_error";
        /// A success makes an address with errors valid.
        Success = 9, "success";
        /// Quarantine and denylist stay through successes and errors.
        Stays = 10, "stays";
        /// The address is allowlisted.
        Allowlisted = 11, "allowlisted";
        /// Its owner complained.
        Complaint = 12, "complaint";
        /// Set by hand.
        SetByHand = 13, "set_by_hand";
        /// Imported.
        Imported = 14, "imported";
        /// Lifted by database cleanup.
        Lifted = 15, "lifted";
        /// Restored from a snapshot.
        Snapshot = 16, "snapshot";
    }
}

/// What an event does to an address.
pub fn decide(policy: &Policy, entry: Option<&Entry>, event: &Event, at: Timestamp) -> Decision {
    match event {
        Event::Failed(failed) => on_failure(policy, entry, failed, at),
        Event::Delivered { .. } => on_success(entry, at),
        Event::Complained => put(AddressStatus::Denylist, FailureReason::Refused, entry, at)
            .because(Because::Complaint),
        Event::Set { status, reason } => {
            put(*status, *reason, entry, at).because(Because::SetByHand)
        }
        Event::Imported { status, reason } => on_import(*status, *reason, entry, at),
        Event::Lifted => {
            put(AddressStatus::Valid, reason_of(entry), None, at).because(Because::Lifted)
        }
        Event::Snapshot(entry) => Decision {
            entry: entry.clone(),
            counted: false,
            because: Because::Snapshot,
        },
    }
}

/// The entry that a whole history comes to. Successes that a later failure of the same delivery
/// log row revokes are passed over.
#[must_use]
pub fn derive(policy: &Policy, history: &[(Timestamp, Event)]) -> Option<Entry> {
    requalify::trace(policy, history).entry
}

fn on_failure(policy: &Policy, entry: Option<&Entry>, failed: &Failed, at: Timestamp) -> Decision {
    let unchanged = |because| Decision {
        entry: entry.cloned(),
        counted: false,
        because,
    };
    match entry.map(|e| e.status) {
        Some(AddressStatus::Allowlist) => return unchanged(Because::Allowlisted),
        Some(AddressStatus::Quarantine | AddressStatus::Denylist) => {
            return unchanged(Because::Stays);
        }
        Some(AddressStatus::WithErrors | AddressStatus::Valid) | None => {}
    }
    if !failed.party.may_blame_address() {
        return unchanged(Because::NotTheAddress);
    }
    if failed.party == Party::Path && failed.site_blocked {
        return unchanged(Because::SiteBlocked);
    }
    match failed.kind {
        FailureType::Ignored => unchanged(Because::IgnoredError),
        FailureType::Hard => {
            put(AddressStatus::Quarantine, failed.reason, entry, at).because(Because::HardError)
        }
        FailureType::NotDefined if failed.first_of_its_text => unchanged(Because::FirstOfItsText),
        FailureType::Soft | FailureType::NotDefined => count(policy, entry, failed, at),
    }
}

/// A soft error: it counts when the last counted one is old enough; the counter starts anew when
/// that one is older than the policy's memory.
fn count(policy: &Policy, entry: Option<&Entry>, failed: &Failed, at: Timestamp) -> Decision {
    let before = entry.filter(|e| e.status == AddressStatus::WithErrors);
    let since_last = before
        .and_then(|e| e.last_counted)
        .map(|last| at.since(last));
    let forgotten = since_last.is_some_and(|gap| gap > policy.forget_after);
    if since_last.is_some_and(|gap| gap < policy.significant_after) {
        return Decision {
            entry: entry.cloned(),
            counted: false,
            because: Because::NotSignificant,
        };
    }
    let errors = if forgotten {
        1
    } else {
        before.map_or(0, |e| e.errors).saturating_add(1)
    };
    let full = errors >= policy.max_errors;
    let status = if full {
        AddressStatus::Quarantine
    } else {
        AddressStatus::WithErrors
    };
    let since = before
        .filter(|_| !full && !forgotten)
        .map_or(at, |e| e.since);
    let entry = Entry {
        status,
        reason: failed.reason,
        errors,
        last_counted: Some(at),
        since,
    };
    let because = if full {
        Because::Threshold
    } else {
        Because::Counted
    };
    Decision {
        entry: Some(entry),
        counted: true,
        because,
    }
}

fn on_success(entry: Option<&Entry>, at: Timestamp) -> Decision {
    match entry.map(|e| e.status) {
        Some(AddressStatus::WithErrors) => {
            put(AddressStatus::Valid, reason_of(entry), None, at).because(Because::Success)
        }
        Some(AddressStatus::Quarantine | AddressStatus::Denylist | AddressStatus::Allowlist) => {
            Decision {
                entry: entry.cloned(),
                counted: false,
                because: Because::Stays,
            }
        }
        Some(AddressStatus::Valid) | None => Decision {
            entry: entry.cloned(),
            counted: false,
            because: Because::Nothing,
        },
    }
}

/// An imported list adds and strengthens, it never frees: a denylisted address stays denylisted.
fn on_import(
    status: AddressStatus,
    reason: FailureReason,
    entry: Option<&Entry>,
    at: Timestamp,
) -> Decision {
    if entry.is_some_and(|e| strength(e.status) > strength(status)) {
        return Decision {
            entry: entry.cloned(),
            counted: false,
            because: Because::Stays,
        };
    }
    put(status, reason, entry, at).because(Because::Imported)
}

const fn strength(status: AddressStatus) -> u8 {
    match status {
        AddressStatus::Valid => 0,
        AddressStatus::WithErrors => 1,
        AddressStatus::Quarantine => 2,
        AddressStatus::Denylist => 3,
        AddressStatus::Allowlist => 4,
    }
}

fn reason_of(entry: Option<&Entry>) -> FailureReason {
    entry.map_or(FailureReason::NotDefined, |e| e.reason)
}

/// An entry with this status; counter and last error are kept from `entry`.
fn put(
    status: AddressStatus,
    reason: FailureReason,
    entry: Option<&Entry>,
    at: Timestamp,
) -> Decision {
    let resets = status == AddressStatus::Valid;
    let kept = entry.filter(|_| !resets);
    let entry = Entry {
        status,
        reason,
        errors: kept.map_or(0, |e| e.errors),
        last_counted: kept.and_then(|e| e.last_counted),
        since: at,
    };
    Decision {
        entry: Some(entry),
        counted: false,
        because: Because::Nothing,
    }
}

impl Decision {
    fn because(self, because: Because) -> Self {
        let counted = because == Because::HardError;
        Self {
            counted,
            because,
            ..self
        }
    }
}

/// Whether database cleanup lifts this entry now.
///
/// *With errors* whose last counted error is past the policy's memory; *With errors* and
/// *Quarantine* alike whose reason is a full mailbox, 30 days after the last counted error.
#[must_use]
pub fn is_lifted(policy: &Policy, entry: &Entry, now: Timestamp) -> bool {
    let age = now.since(entry.last_counted.unwrap_or(entry.since));
    let full = entry.reason == FailureReason::MailboxFull && age >= policy.mailbox_full_for;
    match entry.status {
        AddressStatus::WithErrors => full || age > policy.forget_after,
        AddressStatus::Quarantine => full,
        AddressStatus::Valid | AddressStatus::Denylist | AddressStatus::Allowlist => false,
    }
}
