//! Brings a delivery to *ready*: reads its target, decides on each recipient, tries the message on
//! each one that is kept, lays them into parts, and freezes all that.
//!
//! ```text
//! hold ─► counting: clear ─► control rules ─► target (decide, check, write) ─► control rules
//!      ─► personalizing: freeze ─► ready, or preparation_failed when the journal has an error
//! ```
//!
//! One preparer at a time holds a delivery, by a lease that is renewed while it works. When it is
//! interrupted, it removes what it wrote; when it is killed, its lease ends and the next one clears
//! first. Decisions are made in `posthaste_core::prepare`; nothing is decided here.

mod journal;
mod lease;
mod messages;
mod options;
mod run;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use posthaste_core::delivery::{DeliveryState, IllegalMove, Level};
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::DeliveryId;
use posthaste_store::rows::JournalLine;
use posthaste_store::{Deliveries, Preparing, Recipients, StoreError, worst};

use crate::clock::Clock;
use crate::content::ContentMissing;

/// What preparation needs of the store.
pub trait PrepareStore: Recipients + Deliveries + Preparing {}

impl<T: Recipients + Deliveries + Preparing + ?Sized> PrepareStore for T {}

/// Settings of the preparer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Names this preparer among others: host and process.
    pub holder: String,
    /// Whether each message carries a List-Unsubscribe header.
    pub list_unsubscribe: bool,
    /// Threads that try messages; 0 = as many as there are processors, at most 8.
    pub threads: usize,
}

/// How far a preparation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Recipients of the list.
    pub of: u64,
    /// Recipients decided on.
    pub read: u64,
    /// Recipients that are kept.
    pub kept: u64,
}

/// What a preparation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The state of the delivery now: *ready* or *preparation failed*.
    pub state: DeliveryState,
    /// Recipients of the target; 0 when preparation was cut short by errors in messages.
    pub target: u64,
    /// Recipients that are kept.
    pub kept: u64,
    /// Recipients that are excluded, by reason; target = kept + their sum.
    pub excluded: BTreeMap<FailureReason, u64>,
    /// The journal, as it was stored.
    pub journal: Vec<JournalLine>,
    /// Whether the approval mode lets it start without a person; the caller starts it.
    pub starts_by_itself: bool,
}

impl Prepared {
    /// How grave the worst line of the journal is.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        worst(&self.journal)
    }
}

/// Why a delivery could not be prepared at all. Errors *in* the delivery are lines of its journal
/// and end in [`Prepared`] with the state *preparation failed*.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// It cannot be prepared in its state.
    #[error("preparing delivery {id}: {illegal}; {}", illegal.advice())]
    Illegal {
        /// The delivery.
        id: DeliveryId,
        /// The move that was refused.
        illegal: IllegalMove,
    },
    /// Somebody else prepares it.
    #[error(
        "delivery {0} is being prepared by another process: wait until it is done (if that \
         process was killed, try again in half a minute)"
    )]
    Held(DeliveryId),
    /// Somebody else took over or changed its state meanwhile.
    #[error(
        "delivery {0} was changed by somebody else while it was being prepared: prepare it again"
    )]
    Changed(DeliveryId),
    /// Its stored spec cannot be read.
    #[error(
        "the stored spec of delivery {id} cannot be read ({why}): create the delivery again from its file"
    )]
    Spec {
        /// The delivery.
        id: DeliveryId,
        /// What the JSON reader says.
        why: String,
    },
    /// The control group's list is not there.
    #[error("there is no list \"{0}\" for the control group: import it, or correct the delivery")]
    NoControlList(String),
    /// Its content cannot be put together.
    #[error(transparent)]
    Content(#[from] ContentMissing),
    /// Somebody interrupted it.
    #[error(
        "the preparation of delivery {0} was interrupted, nothing of it is kept: prepare it again"
    )]
    Interrupted(DeliveryId),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Prepares deliveries.
pub struct Preparer<'a, S: PrepareStore + ?Sized> {
    store: &'a S,
    clock: &'a dyn Clock,
    settings: Settings,
    cancel: &'a AtomicBool,
}

impl<'a, S: PrepareStore + ?Sized> Preparer<'a, S> {
    /// A preparer on this store; it gives up soon after `cancel` becomes true.
    pub const fn new(
        store: &'a S,
        clock: &'a dyn Clock,
        settings: Settings,
        cancel: &'a AtomicBool,
    ) -> Self {
        Self {
            store,
            clock,
            settings,
            cancel,
        }
    }

    /// Prepares a delivery. Blocks until it is done; call it on a thread of its own.
    ///
    /// # Errors
    /// [`PrepareError`]; nothing of this preparation is left then.
    pub fn prepare(
        &self,
        id: DeliveryId,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Prepared, PrepareError> {
        let holding = lease::Holding::new(self.store, self.clock, id, &self.settings.holder);
        holding.during(|lost| run::Run::begin(self, id, lost)?.finish(progress))
    }
}
