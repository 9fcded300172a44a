//! States of a delivery and every legal move between them.
//!
//! ```text
//! edited(0) ─prepare─► counting(12) ─► personalizing(22) ─► ready(45) ─confirm─► start_pending(51)
//!     ▲                    │ failed            │                 │edit                 │due
//!     └────── edit ── preparation_failed(37) ◄─┘                 ▼                     ▼
//!                                                             edited           in_progress(55)
//! in_progress ─pause─► pause_requested(71) ─drained─► paused(75) ─resume─► in_progress
//! anything active ─stop─► stopped(85);   in_progress ─all ended─► finished(95)
//! ```

use crate::failure::coded;

coded! {
    /// State of a delivery; the numbers are the documented ones.
    DeliveryState {
        /// Being edited: nothing has been prepared.
        Edited = 0, "edited";
        /// Prepare was asked for and has not begun.
        TargetingPending = 11, "targeting_pending";
        /// The target is being read and decided on.
        Counting = 12, "counting";
        /// The messages are being checked against every recipient's attributes.
        Personalizing = 22, "personalizing";
        /// Preparation met an error: nothing can be sent.
        PreparationFailed = 37, "preparation_failed";
        /// Prepared and frozen; waiting for confirmation.
        Ready = 45, "ready";
        /// Confirmed; waiting for its contact date or for the services.
        StartPending = 51, "start_pending";
        /// Being sent, retries included.
        InProgress = 55, "in_progress";
        /// Pause was asked for; messages on the wire are being finished.
        PauseRequested = 71, "pause_requested";
        /// Paused.
        Paused = 75, "paused";
        /// Stopped: what was pending is cancelled.
        Stopped = 85, "stopped";
        /// The delivery as a whole failed.
        Failed = 87, "failed";
        /// Every recipient has an outcome.
        Finished = 95, "finished";
    }
}

coded! {
    /// What moves a delivery.
    DeliveryEvent {
        /// Somebody asks for preparation.
        Prepare = 0, "prepare";
        /// The target has been decided.
        Targeted = 1, "targeted";
        /// Preparation ended without an error.
        Prepared = 2, "prepared";
        /// Preparation met an error, or was interrupted.
        PreparationFailed = 3, "preparation_failed";
        /// Somebody changes content or target, or takes preparation back.
        Edit = 4, "edit";
        /// Somebody confirms (starts).
        Confirm = 5, "confirm";
        /// Its contact date has come.
        Start = 6, "start";
        /// Somebody pauses it.
        Pause = 7, "pause";
        /// Nothing of it is on the wire any more.
        Drained = 8, "drained";
        /// Somebody resumes it.
        Resume = 9, "resume";
        /// Somebody stops it.
        Stop = 10, "stop";
        /// Every recipient has an outcome.
        AllEnded = 11, "all_ended";
        /// The validity has passed.
        Expire = 12, "expire";
        /// It cannot be sent at all.
        Fail = 13, "fail";
    }
}

/// A move that is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {from} cannot {event}")]
pub struct IllegalMove {
    /// The state it is in.
    pub from: DeliveryState,
    /// What was asked.
    pub event: DeliveryEvent,
}

impl IllegalMove {
    /// What a person can do instead.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        use DeliveryState as S;
        match self.from {
            S::Edited => "prepare it first: posthaste delivery prepare",
            S::TargetingPending | S::Counting | S::Personalizing => {
                "wait until its preparation ends: posthaste delivery status"
            }
            S::PreparationFailed => {
                "correct what the journal names and prepare it again: posthaste delivery status"
            }
            S::Ready => "confirm it first: posthaste delivery confirm",
            S::StartPending | S::InProgress => "pause or stop it first",
            S::PauseRequested | S::Paused => "resume or stop it",
            S::Stopped | S::Failed | S::Finished => {
                "it has ended: create a new delivery from the same file"
            }
        }
    }
}

/// Moves of a delivery. Any move not listed is refused.
///
/// # Errors
/// [`IllegalMove`] for every pair that is not listed.
pub fn next(state: DeliveryState, event: DeliveryEvent) -> Result<DeliveryState, IllegalMove> {
    use DeliveryEvent as E;
    use DeliveryState as S;
    match (state, event) {
        (S::Edited | S::PreparationFailed | S::TargetingPending | S::Ready, E::Prepare) => {
            Ok(S::Counting)
        }
        (S::Counting, E::Targeted) => Ok(S::Personalizing),
        (S::Personalizing, E::Prepared) => Ok(S::Ready),
        (S::Counting | S::Personalizing, E::PreparationFailed) => Ok(S::PreparationFailed),
        (S::Edited | S::Ready | S::PreparationFailed | S::Counting | S::Personalizing, E::Edit) => {
            Ok(S::Edited)
        }
        (S::Ready, E::Confirm) => Ok(S::StartPending),
        (S::StartPending, E::Start) => Ok(S::InProgress),
        (S::StartPending, E::Pause) => Ok(S::Paused),
        (S::InProgress, E::Pause) => Ok(S::PauseRequested),
        (S::PauseRequested, E::Drained) => Ok(S::Paused),
        (S::PauseRequested | S::Paused, E::Resume) => Ok(S::InProgress),
        (S::StartPending | S::InProgress | S::PauseRequested | S::Paused, E::Stop) => {
            Ok(S::Stopped)
        }
        (S::InProgress | S::PauseRequested, E::AllEnded) => Ok(S::Finished),
        (S::StartPending | S::InProgress | S::PauseRequested | S::Paused, E::Expire) => {
            Ok(S::Finished)
        }
        (S::StartPending | S::InProgress, E::Fail) => Ok(S::Failed),
        (from, event) => Err(IllegalMove { from, event }),
    }
}

impl DeliveryState {
    /// Whether recipients of a delivery in this state may be claimed for sending.
    #[must_use]
    pub fn is_sending(self) -> bool {
        self == Self::InProgress
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Finished)
    }
}

coded! {
    /// Priority of a delivery among others; decides who is claimed first.
    Priority {
        /// Last.
        VeryLow = 0, "very_low";
        /// After normal.
        Low = 1, "low";
        /// The default.
        Normal = 2, "normal";
        /// Before normal.
        High = 3, "high";
        /// First.
        VeryHigh = 4, "very_high";
    }
}

coded! {
    /// Who lets a prepared delivery start.
    ApprovalMode {
        /// A person confirms it.
        Manual = 0, "manual";
        /// It starts by itself when preparation had neither warning nor error.
        SemiAutomatic = 1, "semi_automatic";
        /// It starts by itself unless preparation had an error.
        Automatic = 2, "automatic";
    }
}

coded! {
    /// How grave a line of the preparation's log is. An error blocks sending.
    Level {
        /// For information.
        Info = 0, "info";
        /// Not critical.
        Warning = 1, "warning";
        /// Critical: blocks sending.
        Error = 2, "error";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The full matrix: a forgotten pair shows here.
    #[test]
    fn every_legal_move_is_listed() {
        let mut legal = Vec::new();
        for &state in DeliveryState::ALL {
            for &event in DeliveryEvent::ALL {
                if let Ok(to) = next(state, event) {
                    legal.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let listed = include_str!("delivery_moves.txt");
        assert_eq!(
            legal,
            listed.lines().collect::<Vec<_>>(),
            "moves:\n{}",
            legal.join("\n")
        );
    }

    #[test]
    fn what_has_ended_stays_ended() {
        for &state in DeliveryState::ALL.iter().filter(|state| state.has_ended()) {
            for &event in DeliveryEvent::ALL {
                assert!(next(state, event).is_err(), "{state} {event}");
            }
        }
    }
}
