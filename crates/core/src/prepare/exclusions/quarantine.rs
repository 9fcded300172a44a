//! Addresses in quarantine (reason 9).

use super::Options;
use crate::failure::FailureReason;
use crate::log::AddressStatus;
use crate::prepare::{Candidate, Excluded, KeySet};

/// Excludes an address in quarantine. Allowlisted, valid ones and those *with errors* are kept.
#[must_use]
pub fn quarantined(
    candidate: &Candidate<'_>,
    options: &Options,
    _: &mut KeySet,
) -> Option<Excluded> {
    let standing = candidate.standing.filter(|_| options.quarantined)?;
    (standing.status == AddressStatus::Quarantine).then(|| {
        Excluded::new(
            FailureReason::Quarantine,
            format!("the address is in quarantine for {}", standing.reason),
        )
    })
}
