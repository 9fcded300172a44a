//! Validity period check: long enough to send all (error), and for the retries (warning).

use std::time::Duration;

use super::{Finding, Summary};
use crate::time::format_duration;

/// What one instance can hand over at its very best, in messages a second. A validity that is
/// too short even for this can only end in cancelled recipients.
const PER_SECOND: u64 = 2_000;

/// The validity against the number of messages and the retry schedule.
pub(super) fn long_enough(summary: &Summary<'_>) -> Vec<Finding> {
    let needed = Duration::from_secs(summary.to_send.div_ceil(PER_SECOND));
    let validity = format_duration(summary.validity);
    if summary.validity < needed || summary.validity.is_zero() {
        return vec![Finding::error(format!(
            "validity period check: {} messages cannot be sent within the validity of {validity}; \
             make it at least {}",
            summary.to_send,
            format_duration(needed.max(Duration::from_secs(1)))
        ))];
    }
    if summary.validity < summary.retry_schedule {
        return vec![Finding::warning(format!(
            "validity period check: the retry schedule takes {}, the validity is {validity}; later \
             retries will not happen",
            format_duration(summary.retry_schedule)
        ))];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::super::tests::SOUND;
    use super::*;
    use crate::delivery::Level;

    #[test]
    fn validity_against_size_and_retries() {
        let hours = Duration::from_hours;
        let rows = [
            (1_000, hours(120), hours(101), None),
            (1_000, hours(24), hours(101), Some(Level::Warning)),
            (
                1_000_000,
                Duration::from_secs(499),
                hours(0),
                Some(Level::Error),
            ),
            (1_000_000, Duration::from_secs(500), hours(0), None),
            (0, Duration::ZERO, hours(0), Some(Level::Error)),
        ];
        for (to_send, validity, retry_schedule, level) in rows {
            let summary = Summary {
                to_send,
                validity,
                retry_schedule,
                ..SOUND
            };
            let findings = long_enough(&summary);
            assert_eq!(
                findings.first().map(|f| f.level),
                level,
                "{to_send} {validity:?}"
            );
        }
    }
}
