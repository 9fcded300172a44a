//! The paragraph about a delivery.

use posthaste_core::delivery::{DeliveryState, Level};
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::DeliveryId;
use posthaste_core::tally::Tally;
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Delivery, JournalLine};
use posthaste_store::{Deliveries, worst};

use super::times::minute;
use posthaste_engine::words;

use super::{Result, deliveries};

/// What is known about a delivery.
#[derive(Debug, Clone)]
pub struct DeliveryFacts {
    /// The delivery.
    pub delivery: Delivery,
    /// Its numbers.
    pub tally: Tally,
    /// Its journal, oldest first.
    pub journal: Vec<JournalLine>,
    /// When something of this store falls due next.
    pub next_due: Option<Timestamp>,
}

/// Reads what is known about a delivery.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn delivery_facts<S>(store: &S, id: DeliveryId, now: Timestamp) -> Result<DeliveryFacts>
where
    S: Deliveries + ?Sized,
{
    Ok(DeliveryFacts {
        delivery: deliveries::find(store, id)?,
        tally: store.tally(id)?,
        journal: store.journal_of(id)?,
        next_due: store.next_due(now)?,
    })
}

/// The paragraph about a delivery.
#[must_use]
pub fn delivery(facts: &DeliveryFacts, now: Timestamp) -> String {
    let delivery = &facts.delivery;
    let mut said = vec![format!(
        "Delivery {} (\"{}\") is {} since {}.",
        delivery.id,
        delivery.label,
        if delivery.state == DeliveryState::PreparationFailed {
            "not prepared: its preparation failed"
        } else {
            words::state(delivery.state)
        },
        minute(delivery.changed)
    )];
    if delivery.state.code() >= DeliveryState::Ready.code() {
        said.push(numbers(&facts.tally));
        said.extend(most_frequent("excluded", &facts.tally.excluded));
        said.extend(most_frequent("failed", &facts.tally.failed));
    }
    said.extend(complaint(&facts.journal));
    said.push(next_step(facts, now));
    said.join(" ")
}

fn numbers(tally: &Tally) -> String {
    format!(
        "Of {} recipients {} are excluded, {} sent, {} failed, {} pending and {} cancelled.",
        tally.target,
        tally.excluded_sum(),
        tally.sent,
        tally.failed_sum(),
        tally.pending,
        tally.cancelled
    )
}

/// The most frequent reason among some recipients.
fn most_frequent(what: &str, counts: &std::collections::BTreeMap<String, u64>) -> Option<String> {
    let (slug, count) = counts.iter().max_by_key(|(_, count)| **count)?;
    let why = words::reason(FailureReason::from_slug(slug)?);
    Some(format!(
        "Most of the {what} ones ({count}) are so because {why} ({slug})."
    ))
}

/// The gravest line of the journal, when it is more than information.
fn complaint(journal: &[JournalLine]) -> Option<String> {
    let level = worst(journal).filter(|level| *level != Level::Info)?;
    let line = journal.iter().rev().find(|line| line.level == level)?;
    let text = line.text.trim_end_matches('.');
    Some(format!("Its preparation reported this {level}: {text}."))
}

fn next_step(facts: &DeliveryFacts, now: Timestamp) -> String {
    use DeliveryState as S;
    let id = facts.delivery.id;
    match facts.delivery.state {
        S::Edited => format!("Next: prepare it with `posthaste delivery prepare {id}`."),
        S::TargetingPending | S::Counting | S::Personalizing => format!(
            "Next: it becomes ready when its preparation ends; if nothing prepares it any more, \
             `posthaste delivery prepare {id}` begins anew."
        ),
        S::PreparationFailed => format!(
            "Next: correct that, then run `posthaste delivery prepare {id}` again, or create it \
             anew from a corrected file."
        ),
        S::Ready => format!("Next: confirm it with `posthaste delivery confirm {id}`."),
        S::StartPending => match facts.delivery.contact_date.filter(|date| *date > now) {
            Some(date) => format!(
                "Next: it starts at its contact date, {}, while `posthaste serve` runs.",
                minute(date)
            ),
            None => "Next: it starts as soon as `posthaste serve` runs.".to_owned(),
        },
        S::InProgress => sending(facts, now),
        S::PauseRequested => "Next: it is paused when what is on the wire has ended.".to_owned(),
        S::Paused => format!(
            "Next: nothing, until `posthaste delivery resume {id}` or `posthaste delivery stop {id}`{}.",
            until(facts)
        ),
        S::Stopped | S::Failed | S::Finished => {
            "It has ended; nothing more comes. `posthaste log` and `posthaste exclusions` name \
             every recipient."
                .to_owned()
        }
    }
}

fn sending(facts: &DeliveryFacts, now: Timestamp) -> String {
    let due = match facts.next_due.filter(|due| *due > now) {
        Some(due) if facts.tally.pending > 0 => {
            format!("the next thing due in this store comes at {}", minute(due))
        }
        _ => "recipients are sent to as sites allow".to_owned(),
    };
    format!("Next: while `send` or `serve` runs, {due}{}.", until(facts))
}

fn until(facts: &DeliveryFacts) -> String {
    facts.delivery.valid_until.map_or(String::new(), |end| {
        format!("; it is valid until {}", minute(end))
    })
}
