//! When to try again.
//!
//! The default schedule is five retries one hour apart, then one a day for four days, never past
//! the validity of the delivery. Jitter only lengthens, so that a site is not met by everyone at
//! the same second. Example with no jitter: first attempt Monday 12:00 → retries at 13:00, 14:00,
//! 15:00, 16:00, 17:00, then Tuesday to Friday 17:00.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::OutcomeKind;
use crate::failure::FailureType;
use crate::time::Timestamp;

/// The waits before each retry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Wait before the first retry, before the second, and so on; as many retries as waits.
    pub waits: Vec<Duration>,
    /// Each wait is lengthened by up to this share of itself, in percent.
    pub jitter_percent: u8,
    /// How often a doubtful message is sent again.
    pub doubtful_retries: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let mut waits = vec![Duration::from_hours(1); 5];
        waits.extend([Duration::from_hours(24); 4]);
        Self {
            waits,
            jitter_percent: 5,
            doubtful_retries: 2,
        }
    }
}

/// What is known when the question is asked.
#[derive(Debug, Clone, Copy)]
pub struct Tried {
    /// Attempts made so far, the last one included; at least 1.
    pub attempts: u32,
    /// How many of them were doubtful, the last one included.
    pub doubtful: u32,
    /// When the last attempt ended.
    pub at: Timestamp,
    /// When the delivery's validity ends.
    pub valid_until: Timestamp,
    /// A number that spreads recipients: the delivery log id. Not random, so a test repeats.
    pub spread: u64,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Try again, not before this moment.
    At(Timestamp),
    /// This kind of failure is final.
    Final,
    /// Every retry of the schedule is used up.
    Exhausted,
    /// The next retry would lie past the validity.
    Expired,
}

/// Whether and when to try again after a failed attempt.
///
/// Retried are outcomes deferred and qualified Soft, Ignored or Not defined. A refusal is final
/// unless its rule says `retry`. A doubtful one is retried a few times whatever its type.
#[must_use]
pub fn next_try(
    policy: &RetryPolicy,
    outcome: OutcomeKind,
    kind: FailureType,
    rule_says_retry: bool,
    tried: Tried,
) -> Retry {
    let allowed = match outcome {
        OutcomeKind::Delivered => false,
        OutcomeKind::Deferred => kind != FailureType::Hard,
        OutcomeKind::Refused => rule_says_retry,
        OutcomeKind::Doubtful => tried.doubtful <= policy.doubtful_retries,
    };
    if !allowed {
        return Retry::Final;
    }
    let used = usize::try_from(tried.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(&wait) = policy.waits.get(used) else {
        return Retry::Exhausted;
    };
    let at = tried
        .at
        .plus(wait + jitter(wait, policy.jitter_percent, tried.spread, tried.attempts));
    if at > tried.valid_until {
        Retry::Expired
    } else {
        Retry::At(at)
    }
}

/// Up to `percent` of `wait`, always the same for the same recipient and attempt.
fn jitter(wait: Duration, percent: u8, spread: u64, attempt: u32) -> Duration {
    let mixed = (spread ^ (u64::from(attempt) << 48)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let most = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) / 100 * u64::from(percent);
    // mixed < 2^32, so the product is taken in 128 bits and fits after the shift.
    let share = (u128::from(most) * u128::from(mixed)) >> 32;
    Duration::from_millis(u64::try_from(share).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tried(attempts: u32) -> Tried {
        Tried {
            attempts,
            doubtful: 0,
            at: Timestamp(0),
            valid_until: Timestamp(i64::MAX),
            spread: 7,
        }
    }

    #[test]
    fn the_default_schedule_is_five_hourly_then_four_daily() {
        let policy = RetryPolicy {
            jitter_percent: 0,
            ..RetryPolicy::default()
        };
        let hours: Vec<Retry> = (1..=10)
            .map(|n| {
                next_try(
                    &policy,
                    OutcomeKind::Deferred,
                    FailureType::Soft,
                    false,
                    tried(n),
                )
            })
            .collect();
        let at = |h: i64| Retry::At(Timestamp(h * 3_600_000));
        let mut expected = vec![at(1); 5];
        expected.extend(vec![at(24); 4]);
        expected.push(Retry::Exhausted);
        assert_eq!(hours, expected);
    }

    #[test]
    fn what_is_retried() {
        use FailureType as T;
        use OutcomeKind as O;
        let policy = RetryPolicy::default();
        let rows = [
            ("deferred soft", O::Deferred, T::Soft, false, true),
            ("deferred ignored", O::Deferred, T::Ignored, false, true),
            (
                "deferred, not defined",
                O::Deferred,
                T::NotDefined,
                false,
                true,
            ),
            ("deferred hard", O::Deferred, T::Hard, false, false),
            ("refused soft", O::Refused, T::Soft, false, false),
            (
                "refused, the rule says retry",
                O::Refused,
                T::Soft,
                true,
                true,
            ),
            ("delivered", O::Delivered, T::Soft, true, false),
        ];
        for (name, outcome, kind, rule, again) in rows {
            let answer = next_try(&policy, outcome, kind, rule, tried(1));
            assert_eq!(matches!(answer, Retry::At(_)), again, "{name}");
        }
    }

    #[test]
    fn a_doubtful_message_is_sent_again_twice_at_most() {
        let policy = RetryPolicy::default();
        let ask = |doubtful| {
            let tried = Tried {
                doubtful,
                ..tried(doubtful)
            };
            next_try(
                &policy,
                OutcomeKind::Doubtful,
                FailureType::Soft,
                false,
                tried,
            )
        };
        assert!(matches!(ask(1), Retry::At(_)));
        assert!(matches!(ask(2), Retry::At(_)));
        assert_eq!(ask(3), Retry::Final);
    }

    #[test]
    fn nothing_is_tried_past_the_validity() {
        let tried = Tried {
            valid_until: Timestamp(3_599_999),
            ..tried(1)
        };
        let answer = next_try(
            &RetryPolicy::default(),
            OutcomeKind::Deferred,
            FailureType::Soft,
            false,
            tried,
        );
        assert_eq!(answer, Retry::Expired);
    }

    proptest! {
        #[test]
        fn jitter_only_lengthens_and_stays_within_its_share(
            ms in 0..=864_000_000u64, percent in 0..=100u8, spread: u64, attempt in 1..20u32,
        ) {
            let wait = Duration::from_millis(ms);
            let extra = jitter(wait, percent, spread, attempt);
            prop_assert!(extra <= wait * u32::from(percent) / 100 + Duration::from_millis(1));
        }
    }
}
