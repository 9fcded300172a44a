//! Quality below the delivery's minimum (reason 14).

use super::Options;
use crate::failure::FailureReason;
use crate::log::AddressStatus;
use crate::prepare::{Candidate, Excluded, KeySet};

/// Excludes a recipient whose quality is known and below the minimum.
///
/// Without a known quality there is nothing to compare, so the recipient is kept; so is an
/// allowlisted address, which somebody has vouched for.
#[must_use]
pub fn below_minimum(
    candidate: &Candidate<'_>,
    options: &Options,
    _: &mut KeySet,
) -> Option<Excluded> {
    let (quality, minimum) = (candidate.quality?, options.minimum_quality?);
    let vouched_for = candidate
        .standing
        .is_some_and(|standing| standing.status == AddressStatus::Allowlist);
    (quality < minimum && !vouched_for).then(|| {
        Excluded::new(
            FailureReason::BadQuality,
            format!("its quality {quality} is below the minimum {minimum}"),
        )
    })
}
