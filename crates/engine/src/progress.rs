//! What is happening right now, for progress bars: counted from what the recorder commits.
//!
//! These numbers help to watch; the numbers of record are the store's tally.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use posthaste_core::failure::FailureReason;
use posthaste_core::ids::DeliveryId;

/// Numbers of one delivery since this process took it up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Handed over.
    pub sent: u64,
    /// Failed for good, by reason.
    pub failed: BTreeMap<FailureReason, u64>,
    /// Attempts that will be repeated.
    pub deferred: u64,
    /// Addresses that went into quarantine.
    pub quarantined: u64,
}

impl Progress {
    /// Recipients that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.sent + self.failed.values().sum::<u64>()
    }
}

/// The numbers of all deliveries in hand.
#[derive(Debug, Default)]
pub struct Board {
    deliveries: Mutex<HashMap<DeliveryId, Progress>>,
}

impl Board {
    /// The numbers of one delivery.
    #[must_use]
    pub fn of(&self, id: DeliveryId) -> Progress {
        self.lock().get(&id).cloned().unwrap_or_default()
    }

    pub(crate) fn add(&self, changes: impl IntoIterator<Item = (DeliveryId, Step)>) {
        let mut deliveries = self.lock();
        for (id, step) in changes {
            let progress = deliveries.entry(id).or_default();
            match step {
                Step::Sent => progress.sent += 1,
                Step::Failed(reason) => *progress.failed.entry(reason).or_default() += 1,
                Step::Deferred => progress.deferred += 1,
                Step::Quarantined => progress.quarantined += 1,
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeliveryId, Progress>> {
        // A panic while counting leaves numbers that are still fit to be shown.
        self.deliveries
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One thing that happened to one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Sent,
    Failed(FailureReason),
    Deferred,
    Quarantined,
}
