//! States of a part: the slice of a delivery that one sender leases at once.
//!
//! ```text
//! filling ─filled─► ready ─claimed─► leased ─all have an outcome or a due time─► closed
//!                     ▲─ released, or the lease expired ─┘
//! ```

use crate::failure::coded;

coded! {
    /// State of a part.
    PartState {
        /// Preparation still adds recipients to it.
        Filling = 0, "filling";
        /// Waiting to be claimed.
        Ready = 1, "ready";
        /// A sender holds it until the lease ends.
        Leased = 2, "leased";
        /// Each of its recipients has an outcome or a due time.
        Closed = 3, "closed";
    }
}

coded! {
    /// What moves a part.
    PartEvent {
        /// Preparation is done with it.
        Filled = 0, "filled";
        /// A sender took it.
        Claimed = 1, "claimed";
        /// The sender gave it back, or the lease expired.
        Released = 2, "released";
        /// Each recipient has an outcome or a due time.
        AllEnded = 3, "all_ended";
    }
}

/// A move that is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part that is {from} cannot be {event}")]
pub struct IllegalMove {
    /// The state it is in.
    pub from: PartState,
    /// What was asked.
    pub event: PartEvent,
}

/// Moves of a part. Any move not listed is a bug in the caller.
///
/// # Errors
/// [`IllegalMove`] for every pair that is not listed.
pub fn next(state: PartState, event: PartEvent) -> Result<PartState, IllegalMove> {
    use PartEvent as E;
    use PartState as S;
    match (state, event) {
        (S::Filling, E::Filled) => Ok(S::Ready),
        (S::Ready, E::Claimed) => Ok(S::Leased),
        (S::Leased, E::Released) => Ok(S::Ready),
        (S::Leased, E::AllEnded) => Ok(S::Closed),
        (from, event) => Err(IllegalMove { from, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_legal_move_is_listed() {
        let mut legal = Vec::new();
        for &state in PartState::ALL {
            for &event in PartEvent::ALL {
                if let Ok(to) = next(state, event) {
                    legal.push(format!("{state} {event} {to}"));
                }
            }
        }
        assert_eq!(
            legal,
            [
                "filling filled ready",
                "ready claimed leased",
                "leased released ready",
                "leased all_ended closed"
            ]
        );
    }
}
