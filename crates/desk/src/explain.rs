//! What happened, why, and what comes next and when: one plain paragraph.
//!
//! The paragraphs are pure functions over facts that the caller has read; they add nothing that
//! is not in the store and the policy.

use posthaste_core::evidence::{Evidence, SaidBy};
use posthaste_core::failure::FailureReason;
use posthaste_core::log::{AddressStatus, Channel, LogStatus};
use posthaste_core::quarantine::{Entry, Event, Policy};
use posthaste_core::time::{Timestamp, format_duration};
use posthaste_store::rows::{AddressHistory, Attempt, LedgerEvent, LogRow};
use posthaste_store::{Addresses, Deliveries, Recipients};

pub use super::explain_delivery::{DeliveryFacts, delivery, delivery_facts};
use super::times::minute;
use posthaste_engine::words;

use super::Result;

/// Rows of the delivery log that are looked at.
const ROWS: usize = 100;

/// What is known about an address.
#[derive(Debug, Clone)]
pub struct AddressFacts {
    /// Its key.
    pub key: String,
    /// Profiles with this address, in all lists.
    pub profiles: usize,
    /// Whether one of them is on the denylist.
    pub denylisted: bool,
    /// Its quarantine entry and its ledger.
    pub history: AddressHistory,
    /// Its rows in the delivery log, newest first.
    pub rows: Vec<LogRow>,
    /// The last attempt of the newest row.
    pub last_attempt: Option<Attempt>,
}

/// Reads what is known about an address key.
///
/// # Errors
/// When the store cannot be read.
pub fn address_facts<S>(store: &S, key: &str) -> Result<AddressFacts>
where
    S: Addresses + Deliveries + Recipients + ?Sized,
{
    let profiles = store.recipients_with(key, ROWS)?;
    let rows = store.log_of_address(key, ROWS)?;
    let last_attempt = match rows.first() {
        Some(row) => store.attempts(row.id)?.pop(),
        None => None,
    };
    Ok(AddressFacts {
        key: key.to_owned(),
        profiles: profiles.len(),
        denylisted: profiles.iter().any(|p| p.denylisted),
        history: store.address_history(Channel::Email, key)?,
        rows,
        last_attempt,
    })
}

/// The paragraph about an address.
#[must_use]
pub fn recipient(facts: &AddressFacts, policy: &Policy, now: Timestamp) -> String {
    let mut said = vec![standing(facts)];
    if let Some(address) = &facts.history.address {
        said.extend(cause(&facts.history.events, address.entry.status));
        said.push(prospect(&facts.key, &address.entry, policy, now));
    }
    if facts.denylisted {
        said.push(
            "Its profile is on the denylist, so deliveries exclude it (denylisted, 8) until \
             `posthaste recipients denylist --remove` takes it off."
                .to_owned(),
        );
    }
    said.push(last_delivery(facts));
    said.join(" ")
}

fn standing(facts: &AddressFacts) -> String {
    let profiles = match facts.profiles {
        0 => "in no stored list".to_owned(),
        1 => "in the stored lists once".to_owned(),
        n if n >= ROWS => format!("in the stored lists {ROWS} times or more"),
        n => format!("in the stored lists {n} times"),
    };
    match &facts.history.address {
        None => format!(
            "{} is not in the quarantine list; it is {profiles}.",
            facts.key
        ),
        Some(address) if address.entry.status == AddressStatus::Valid => format!(
            "{} is valid since {}{}; it is {profiles}.",
            facts.key,
            minute(address.entry.since),
            reason_of_before(address.entry.reason),
        ),
        Some(address) => format!(
            "{} is {} since {} because {} ({}); it is {profiles}.",
            facts.key,
            words::standing(address.entry.status),
            minute(address.entry.since),
            words::reason(address.entry.reason),
            address.entry.reason.slug(),
        ),
    }
}

/// The newest event of the ledger that can have led to this status.
fn cause(events: &[LedgerEvent], status: AddressStatus) -> Option<String> {
    let event = events.iter().rev().find(|e| leads_to(&e.event, status))?;
    let when = minute(event.at);
    let by = &event.by;
    Some(match &event.event {
        Event::Failed(failed) => {
            let verdict = event.verdict.as_ref();
            let rule = verdict.map_or(String::new(), |v| {
                format!(
                    ", judged by the rule {} version {}",
                    v.rule.name, v.rule.version
                )
            });
            let text = event
                .evidence
                .as_ref()
                .map_or(String::new(), |e| format!(": {}", quoted(e)));
            format!(
                "The {} error of {when} decided{rule}{text}.",
                words::kind(failed.kind)
            )
        }
        Event::Complained => format!("Its owner complained at {when}."),
        Event::Set { .. } => format!("It was set by hand at {when} ({by})."),
        Event::Imported { .. } => format!("It came with an imported list at {when} ({by})."),
        Event::Lifted => format!("The database cleanup lifted it at {when}."),
        Event::Delivered { log } => {
            format!("A delivery to it succeeded at {when} (delivery log row {log}).")
        }
        Event::Snapshot(_) => format!("Its older events were folded together at {when}."),
    })
}

fn leads_to(event: &Event, status: AddressStatus) -> bool {
    match event {
        Event::Failed(failed) => {
            failed.party.may_blame_address()
                && matches!(
                    status,
                    AddressStatus::WithErrors | AddressStatus::Quarantine
                )
        }
        Event::Delivered { .. } | Event::Lifted => status == AddressStatus::Valid,
        Event::Complained => status == AddressStatus::Denylist,
        Event::Set { status: set, .. } | Event::Imported { status: set, .. } => *set == status,
        Event::Snapshot(entry) => entry.as_ref().is_some_and(|e| e.status == status),
    }
}

/// What will become of the entry, and when.
fn prospect(key: &str, entry: &Entry, policy: &Policy, now: Timestamp) -> String {
    let counted = entry.last_counted.unwrap_or(entry.since);
    let full = entry.reason == FailureReason::MailboxFull;
    let lifted = |after| {
        let at = counted.plus(after);
        if at <= now {
            "with the next database cleanup".to_owned()
        } else {
            format!("with the database cleanup after {}", minute(at))
        }
    };
    match entry.status {
        AddressStatus::WithErrors => format!(
            "It is still sent to; it has {} counted error{} of {}, and an error counts when {} have \
             passed since the last counted one. It becomes valid with its next success, or {}.",
            entry.errors,
            if entry.errors == 1 { "" } else { "s" },
            policy.max_errors,
            format_duration(policy.significant_after),
            lifted(policy.forget_after),
        ),
        AddressStatus::Valid => {
            "It is sent to as any other, and its line goes with the next database cleanup."
                .to_owned()
        }
        AddressStatus::Quarantine if full => format!(
            "Deliveries exclude it (quarantine, 9) until it becomes valid {}.",
            lifted(policy.mailbox_full_for)
        ),
        AddressStatus::Quarantine => format!(
            "Deliveries exclude it (quarantine, 9) until somebody lets it out: \
             `posthaste quarantine set {key} valid`."
        ),
        AddressStatus::Denylist => format!(
            "Deliveries exclude it (denylisted, 8) until somebody lets it out: \
             `posthaste quarantine set {key} valid`."
        ),
        AddressStatus::Allowlist => {
            "It is always sent to, and its errors are ignored (error_ignored, 25).".to_owned()
        }
    }
}

fn last_delivery(facts: &AddressFacts) -> String {
    let Some(row) = facts.rows.first() else {
        return "No delivery has it in its log.".to_owned();
    };
    let delivery = row.delivery;
    let when = minute(row.changed);
    let said = facts
        .last_attempt
        .as_ref()
        .map_or(String::new(), |a| format!(": {}", quoted(&a.evidence)));
    let why = format!(
        "{} ({}, {})",
        words::reason(row.reason),
        row.reason.slug(),
        words::kind(row.kind)
    );
    match row.status {
        LogStatus::Sent | LogStatus::TakenIntoAccount | LogStatus::ReceivedOnMobile => {
            let twice = if row.possibly_duplicate {
                " It may have arrived twice, since a connection was lost after the final dot."
            } else {
                ""
            };
            format!("Its latest delivery, {delivery}, was sent at {when}{said}.{twice}")
        }
        LogStatus::Failed | LogStatus::Ignored => {
            format!("Its latest delivery, {delivery}, failed at {when} because {why}{said}.")
        }
        LogStatus::Cancelled => {
            format!("Its latest delivery, {delivery}, was cancelled at {when} before it was sent.")
        }
        LogStatus::Pending | LogStatus::Prepared => pending(row, &why, &said),
    }
}

fn pending(row: &LogRow, why: &str, said: &str) -> String {
    let delivery = row.delivery;
    match (row.attempts, row.due) {
        (0, _) => format!("Delivery {delivery} has it waiting for its first attempt."),
        (n, Some(due)) => format!(
            "Attempt {n} of delivery {delivery} failed because {why}{said}; the next one comes after {}.",
            minute(due)
        ),
        (n, None) => format!(
            "Attempt {n} of delivery {delivery} failed because {why}{said}; the next one is about to be made."
        ),
    }
}

/// What was said, and by whom.
fn quoted(evidence: &Evidence) -> String {
    match &evidence.said_by {
        SaidBy::Remote(host) => format!("{host} said \"{}\"", evidence.text),
        SaidBy::Us => format!("we noted \"{}\"", evidence.text),
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;

/// What was wrong with an address that is valid again; empty when nothing is known.
fn reason_of_before(reason: FailureReason) -> String {
    if reason == FailureReason::NotDefined {
        return String::new();
    }
    format!(
        ", after the error \"{}\" ({})",
        words::reason(reason),
        reason.slug()
    )
}
