//! What sites and connections share.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use posthaste_core::ids::DeliveryId;
use posthaste_core::shaping::Limits;
use posthaste_core::time::Timestamp;
use posthaste_net::plan::Router;
use posthaste_smtp::client::ClientSettings;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Job, SenderEvent};
use crate::clock::Clock;
use crate::recorder::Recorder;
use crate::services::Services;

/// How the sender sends.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// The SMTP client's: EHLO name, time-outs, source address.
    pub client: ClientSettings,
    /// Limits of a site.
    pub limits: Limits,
    /// Most connections at a time, all sites together.
    pub connections: usize,
    /// Most recipients held in memory.
    pub held: usize,
    /// Most recipients that wait at one site.
    pub held_per_site: usize,
    /// A connection without work is closed after this (real time).
    pub idle: Duration,
    /// How long a lease is good for.
    pub lease: Duration,
    /// Recipients that a full site cannot take wait this long in the store.
    pub overflow_wait: Duration,
    /// Most look-ups at a time.
    pub lookups: usize,
}

/// See the module.
pub(crate) struct Crew {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recorder: Recorder,
    pub(crate) router: Arc<Router>,
    began: std::time::Instant,
    pub(crate) settings: SenderSettings,
    pub(crate) tasks: TaskTracker,
    pub(crate) lookups: Semaphore,
    pub(crate) connections: Semaphore,
    pub(crate) signing: Semaphore,
    /// Cancelled when connections should close as soon as they are idle.
    pub(crate) closing: CancellationToken,
    stopped: RwLock<HashSet<DeliveryId>>,
    events: mpsc::UnboundedSender<SenderEvent>,
}

impl Crew {
    pub(crate) fn new(
        services: &Services,
        recorder: Recorder,
        events: mpsc::UnboundedSender<SenderEvent>,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(&services.clock),
            recorder,
            router: Arc::clone(&services.router),
            began: std::time::Instant::now(),
            settings: services.settings.clone(),
            tasks: TaskTracker::new(),
            lookups: Semaphore::new(services.settings.lookups),
            connections: Semaphore::new(services.settings.connections),
            signing: Semaphore::new(
                std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            ),
            closing: CancellationToken::new(),
            stopped: RwLock::new(HashSet::new()),
            events,
        })
    }

    /// Milliseconds on a clock that never goes back: for what names may be kept.
    pub(crate) fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Tells the sender; it only stops listening when the services end.
    pub(crate) fn tell(&self, event: SenderEvent) {
        drop(self.events.send(event));
    }

    /// Gives recipients back to the store: due at that time, or waiting as before.
    pub(crate) fn give_back(&self, jobs: Vec<Job>, due: Option<Timestamp>) {
        if !jobs.is_empty() {
            self.tell(SenderEvent::GaveBack { jobs, due });
        }
    }

    /// Whether a delivery is still being sent.
    pub(crate) fn is_sending(&self, id: DeliveryId) -> bool {
        !self.closing.is_cancelled() && !self.read().contains(&id)
    }

    /// Replaces the set of deliveries that are not sent; returns whether one was added.
    pub(crate) fn set_stopped(&self, stopped: &HashSet<DeliveryId>) -> bool {
        let added = !stopped.is_subset(&self.read());
        if added || self.read().len() != stopped.len() {
            // The lock only guards a set that is replaced whole.
            *self
                .stopped
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = stopped.clone();
        }
        added
    }

    /// Waits for `span`, or until everything is asked to come to an end.
    pub(crate) async fn linger(&self, span: Duration) {
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = self.closing.cancelled() => {}
        }
    }

    /// Asks everything to come to an end.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashSet<DeliveryId>> {
        self.stopped
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
