//! The right to prepare a delivery: taken for a while, renewed while the work goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use posthaste_core::ids::DeliveryId;
use posthaste_store::Preparing;

use super::PrepareError;
use crate::clock::Clock;

/// How long the right lasts after each renewal: so long others wait after a crash.
const LASTS: Duration = Duration::from_secs(20);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(4);

/// The lease of one delivery.
pub(super) struct Holding<'a, S: Preparing + ?Sized> {
    store: &'a S,
    clock: &'a dyn Clock,
    id: DeliveryId,
    holder: &'a str,
}

impl<'a, S: Preparing + ?Sized> Holding<'a, S> {
    pub(super) const fn new(
        store: &'a S,
        clock: &'a dyn Clock,
        id: DeliveryId,
        holder: &'a str,
    ) -> Self {
        Self {
            store,
            clock,
            id,
            holder,
        }
    }

    /// Takes the lease, runs `work` while another thread renews it, and gives it back. `work` sees
    /// by its flag when the lease was lost to somebody else.
    pub(super) fn during<T>(
        &self,
        work: impl FnOnce(&AtomicBool) -> Result<T, PrepareError>,
    ) -> Result<T, PrepareError> {
        if !self.take(LASTS)? {
            return Err(PrepareError::Held(self.id));
        }
        let lost = AtomicBool::new(false);
        let (done, wait) = mpsc::channel::<()>();
        let result = thread::scope(|scope| {
            let lost = &lost;
            scope.spawn(move || self.renew(&wait, lost));
            let result = work(lost);
            drop(done);
            result
        });
        if !lost.load(Ordering::Relaxed) {
            // The lease ends by itself when it cannot be given back.
            let _ = self.take(Duration::ZERO);
        }
        result
    }

    fn take(&self, lasts: Duration) -> Result<bool, PrepareError> {
        let now = self.clock.now();
        let until = now.plus(lasts);
        Ok(self
            .store
            .hold_preparation(self.id, self.holder, now, until)?)
    }

    fn renew(&self, wait: &mpsc::Receiver<()>, lost: &AtomicBool) {
        while wait.recv_timeout(RENEWED) == Err(RecvTimeoutError::Timeout) {
            // A store that fails for a moment is asked again; the lease outlasts several tries.
            if let Ok(false) = self.take(LASTS) {
                lost.store(true, Ordering::Relaxed);
                return;
            }
        }
    }
}
