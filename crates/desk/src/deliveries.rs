//! Deliveries: creating them, moving them, and their numbers.

use std::collections::BTreeMap;

use posthaste_core::delivery::{DeliveryEvent, DeliveryState, IllegalMove, Level, next};
use posthaste_core::ids::DeliveryId;
use posthaste_core::tally::Tally;
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Delivery, JournalLine, NewDelivery};
use posthaste_store::{Deliveries, Queue, Recipients, StoreError};
use serde::Serialize;

use super::{DeskError, Result, not_found};
use posthaste_engine::spec::Spec;

/// How often a compare-and-set is tried before the command gives up.
const TRIES: usize = 20;

/// Recipients ended per transaction when a delivery is stopped.
const SLICE: usize = 2_000;

/// The delivery with this id.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn find<S: Deliveries + ?Sized>(store: &S, id: DeliveryId) -> Result<Delivery> {
    store
        .delivery(id)?
        .ok_or_else(|| not_found(format!("delivery {id}; see `posthaste delivery list`")))
}

/// What a stored delivery is made of.
///
/// # Errors
/// When it was written by another version and cannot be read.
pub fn spec_of(delivery: &Delivery) -> Result<Spec> {
    serde_json::from_str(&delivery.spec).map_err(|e| {
        DeskError::Store(StoreError::Corrupt {
            what: format!("the content of delivery {}", delivery.id),
            why: e.to_string(),
        })
    })
}

/// Stores a delivery to the list its spec names.
///
/// # Errors
/// When the list does not exist, or the store cannot be written.
pub fn create<S>(store: &S, spec: &Spec, proof: bool, at: Timestamp) -> Result<DeliveryId>
where
    S: Deliveries + Recipients + ?Sized,
{
    let list = store.list_named(&spec.list)?.ok_or_else(|| {
        not_found(format!(
            "list named \"{}\"; see `posthaste recipients list`",
            spec.list
        ))
    })?;
    let text = serde_json::to_string(spec)
        .map_err(|e| DeskError::Input(format!("the delivery cannot be written as JSON: {e}")))?;
    let new = NewDelivery {
        label: spec.label.clone(),
        channel: spec.channel,
        list: list.id,
        spec: text,
        priority: spec.priority,
        contact_date: spec.contact_date,
        proof,
    };
    Ok(store.create_delivery(&new, at)?)
}

/// Moves a delivery by an event, whatever other processes do at the same time.
///
/// # Errors
/// When its state does not allow the event, or the store cannot be written.
pub fn act<S: Deliveries + ?Sized>(
    store: &S,
    id: DeliveryId,
    event: DeliveryEvent,
    at: Timestamp,
) -> Result<DeliveryState> {
    for _ in 0..TRIES {
        let delivery = find(store, id)?;
        let to = next(delivery.state, event).map_err(|illegal| DeskError::Illegal {
            delivery: id,
            illegal,
        })?;
        if store.move_delivery(id, delivery.state, to, at)? {
            let text = format!("{} by command: {} → {to}", event.slug(), delivery.state);
            store.journal(
                id,
                &[JournalLine {
                    at,
                    level: Level::Info,
                    text,
                }],
            )?;
            return Ok(to);
        }
    }
    Err(DeskError::Contended(id))
}

/// When a confirmed delivery may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// At the contact date of the delivery file; at once when it has none.
    AsWritten,
    /// At once, whatever the delivery file says.
    Now,
    /// At this moment.
    Moment(Timestamp),
}

/// Confirms a prepared delivery: fixes its contact date and the end of its validity, and lets the
/// services start it. A delivery that waits for its contact date already gets the new one.
///
/// # Errors
/// When it is neither ready nor waiting to start, or the store cannot be written.
pub fn confirm<S: Deliveries + ?Sized>(
    store: &S,
    id: DeliveryId,
    start: StartAt,
    now: Timestamp,
) -> Result<DeliveryState> {
    let delivery = find(store, id)?;
    let spec = spec_of(&delivery)?;
    let contact_date = match start {
        StartAt::AsWritten => delivery.contact_date,
        StartAt::Now => None,
        StartAt::Moment(at) => Some(at),
    };
    let begins = contact_date.map_or(now, |date| date.max(now));
    let waits = delivery.state == DeliveryState::StartPending && start != StartAt::AsWritten;
    if !waits {
        next(delivery.state, DeliveryEvent::Confirm).map_err(|illegal| DeskError::Illegal {
            delivery: id,
            illegal,
        })?;
    }
    store.set_schedule(id, contact_date, begins.plus(spec.validity))?;
    if waits {
        return Ok(DeliveryState::StartPending);
    }
    act(store, id, DeliveryEvent::Confirm, now)
}

/// Stops a delivery: who was never tried is cancelled, who was tried and deferred has failed.
/// Recipients that a running sender holds are
/// left to it; when `nobody_sends`, leases are leftovers of a process that was killed, and their
/// recipients are cancelled too.
///
/// # Errors
/// When its state does not allow it, or the store cannot be written.
pub fn stop<S>(
    store: &S,
    id: DeliveryId,
    nobody_sends: bool,
    now: Timestamp,
) -> Result<DeliveryState>
where
    S: Deliveries + Queue + ?Sized,
{
    let state = act(store, id, DeliveryEvent::Stop, now)?;
    while store.end_waiting(id, true, nobody_sends, now, SLICE)? > 0 {}
    Ok(state)
}

/// Makes sure that preparation may begin, before the preparer is called.
///
/// # Errors
/// [`DeskError::Illegal`] when the delivery is in no state to be prepared.
pub fn check_can_prepare(delivery: &Delivery) -> Result<()> {
    match next(delivery.state, DeliveryEvent::Prepare) {
        Ok(_) => Ok(()),
        Err(illegal) => Err(illegal_on(delivery.id, illegal)),
    }
}

const fn illegal_on(delivery: DeliveryId, illegal: IllegalMove) -> DeskError {
    DeskError::Illegal { delivery, illegal }
}

/// The numbers of a delivery, as `send --json` prints them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Its id.
    pub delivery: DeliveryId,
    /// Its state.
    pub state: DeliveryState,
    /// Recipients of the target, before exclusions.
    pub target: u64,
    /// Excluded recipients by reason.
    pub excluded: BTreeMap<String, u64>,
    /// Waiting.
    pub pending: u64,
    /// Taken over by a remote host.
    pub sent: u64,
    /// Failed recipients by reason.
    pub failed: BTreeMap<String, u64>,
    /// Never tried.
    pub cancelled: u64,
    /// Addresses that this delivery put into quarantine.
    pub quarantined_new: u64,
    /// When it was first in progress (RFC 3339).
    pub started: Option<String>,
    /// When it ended (RFC 3339).
    pub ended: Option<String>,
}

/// Reads the numbers of a delivery. They are counted by one function of the store, and what is
/// counted must add up to the target.
///
/// # Errors
/// When there is no such delivery, the store cannot be read, or the numbers do not add up.
pub fn summary<S: Deliveries + ?Sized>(store: &S, id: DeliveryId) -> Result<Summary> {
    let delivery = find(store, id)?;
    let tally = store.tally(id)?;
    let frozen = delivery.state.code() >= DeliveryState::Ready.code();
    if frozen && !tally.adds_up() {
        return Err(DeskError::Store(StoreError::Corrupt {
            what: format!("the numbers of delivery {id}"),
            why: format!("they do not add up to the target: {tally:?}"),
        }));
    }
    let quarantined_new = store.totals(id)?.quarantined_new;
    Ok(summarise(&delivery, tally, quarantined_new))
}

fn summarise(delivery: &Delivery, tally: Tally, quarantined_new: u64) -> Summary {
    Summary {
        delivery: delivery.id,
        state: delivery.state,
        target: tally.target,
        excluded: tally.excluded,
        pending: tally.pending,
        sent: tally.sent,
        failed: tally.failed,
        cancelled: tally.cancelled,
        quarantined_new,
        started: delivery.started.map(super::times::rfc3339),
        ended: delivery.ended.map(super::times::rfc3339),
    }
}
