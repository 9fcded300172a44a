//! The numbers of a delivery: counted from the exclusions and the delivery log, by one function.
//!
//! target = sum of excluded + pending + sent + sum of failed + cancelled, always.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::failure::FailureReason;
use crate::log::LogStatus;

/// One line of what the store counted: rows with this status and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Status of the rows.
    pub status: LogStatus,
    /// Their reason; for rows that did not fail, [`FailureReason::NotDefined`].
    pub reason: FailureReason,
    /// How many.
    pub rows: u64,
}

/// The numbers of one delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Recipients of the target, before exclusions.
    pub target: u64,
    /// Excluded recipients by the reason's slug.
    pub excluded: BTreeMap<String, u64>,
    /// Waiting for an attempt.
    pub pending: u64,
    /// Taken over by a remote host.
    pub sent: u64,
    /// Failed recipients by the reason's slug.
    pub failed: BTreeMap<String, u64>,
    /// Never tried: the delivery was stopped or expired before.
    pub cancelled: u64,
}

impl Tally {
    /// Adds up what the store counted. `target` is what preparation froze.
    #[must_use]
    pub fn from_counts(target: u64, counts: impl IntoIterator<Item = Counted>) -> Self {
        let mut tally = Self {
            target,
            ..Self::default()
        };
        for Counted {
            status,
            reason,
            rows,
        } in counts
        {
            match status {
                LogStatus::Ignored => {
                    *tally.excluded.entry(reason.slug().to_owned()).or_default() += rows;
                }
                LogStatus::Sent | LogStatus::TakenIntoAccount | LogStatus::ReceivedOnMobile => {
                    tally.sent += rows;
                }
                LogStatus::Failed => {
                    *tally.failed.entry(reason.slug().to_owned()).or_default() += rows;
                }
                LogStatus::Prepared | LogStatus::Pending => tally.pending += rows,
                LogStatus::Cancelled => tally.cancelled += rows,
            }
        }
        tally
    }

    /// Sum of the excluded.
    #[must_use]
    pub fn excluded_sum(&self) -> u64 {
        self.excluded.values().sum()
    }

    /// Sum of the failed.
    #[must_use]
    pub fn failed_sum(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Whether the equation holds.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let parts = [
            self.excluded_sum(),
            self.pending,
            self.sent,
            self.failed_sum(),
            self.cancelled,
        ];
        parts.iter().sum::<u64>() == self.target
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_count() -> impl Strategy<Value = Counted> {
        let statuses = prop::sample::select(LogStatus::ALL);
        let reasons = prop::sample::select(FailureReason::ALL);
        (statuses, reasons, 0..1_000_000u64).prop_map(|(status, reason, rows)| Counted {
            status,
            reason,
            rows,
        })
    }

    proptest! {
        #[test]
        fn no_row_is_lost_or_counted_twice(counts in prop::collection::vec(any_count(), 0..40)) {
            let rows = counts.iter().map(|c| c.rows).sum();
            let tally = Tally::from_counts(rows, counts);
            prop_assert!(tally.adds_up());
            let off = Tally { target: tally.target + 1, ..tally };
            prop_assert!(!off.adds_up());
        }
    }
}
