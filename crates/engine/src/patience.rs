//! Waiting for a store that another process keeps busy: what the services have to write is never given up
//! because somebody else writes for long, as a re-qualification of many failures does.

use std::time::{Duration, Instant};

use posthaste_store::StoreError;

/// How long the services wait, at most. After that whoever holds the store will not let go of it.
const LONGEST: Duration = Duration::from_mins(30);

/// Calls the store again for as long as another process keeps it busy; each call waits some seconds by itself.
///
/// # Errors
/// Those of the call; [`StoreError::Busy`] only after half an hour.
pub(crate) fn patiently<T>(call: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let began = Instant::now();
    loop {
        match call() {
            Err(StoreError::Busy { doing }) if began.elapsed() < LONGEST => {
                let waited = began.elapsed().as_secs();
                tracing::warn!(
                    doing,
                    waited,
                    "another process keeps the store busy; waiting"
                );
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn busy() -> StoreError {
        StoreError::Busy {
            doing: "writing".to_owned(),
        }
    }

    #[test]
    fn a_busy_store_is_asked_again_and_other_trouble_is_not() {
        let tries = Cell::new(0);
        let third_time = || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(busy()) } else { Ok(7) }
        };
        assert!(matches!(patiently(third_time), Ok(7)));
        assert_eq!(tries.get(), 3);
        let full = || {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::DiskFull {
                doing: "writing".to_owned(),
            })
        };
        assert!(matches!(patiently(full), Err(StoreError::DiskFull { .. })));
        assert_eq!(tries.get(), 4);
    }
}
