//! The clock of policy time: retries, contact dates, rests, releases.
//!
//! Socket time-outs never use it; they are always real time. In time-lapse, policy time runs with
//! the real clock and jumps to the next due event when nothing is in flight.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_core::time::Timestamp;

/// Tells policy time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Whether this clock can jump.
    fn can_jump(&self) -> bool {
        true
    }
    /// Jumps to `to` when this clock can; returns whether it did. Never goes back.
    fn jump(&self, to: Timestamp) -> bool;
}

/// The real clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        real_now()
    }

    fn can_jump(&self) -> bool {
        false
    }

    fn jump(&self, _to: Timestamp) -> bool {
        false
    }
}

/// The real clock plus what was jumped over.
#[derive(Debug, Default)]
pub struct TimeLapse {
    ahead_ms: AtomicI64,
    step_ms: i64,
}

impl TimeLapse {
    /// A time-lapse that jumps `step` past the next due event, so that events close to it are
    /// taken together: recipients whose retries are spread over minutes are sent in one go.
    #[must_use]
    pub fn in_steps(step: Duration) -> Self {
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        Self {
            ahead_ms: AtomicI64::new(0),
            step_ms,
        }
    }
}

impl Clock for TimeLapse {
    fn now(&self) -> Timestamp {
        Timestamp(
            real_now()
                .0
                .saturating_add(self.ahead_ms.load(Ordering::Relaxed)),
        )
    }

    fn jump(&self, to: Timestamp) -> bool {
        let gap =
            to.0.saturating_add(self.step_ms)
                .saturating_sub(self.now().0);
        if gap > 0 {
            self.ahead_ms.fetch_add(gap, Ordering::Relaxed);
        }
        true
    }
}

/// A clock that only moves when told to: for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self {
            now_ms: AtomicI64::new(at.0),
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::Relaxed))
    }

    fn jump(&self, to: Timestamp) -> bool {
        self.now_ms.fetch_max(to.0, Ordering::Relaxed);
        true
    }
}

fn real_now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
