//! Addresses that are already in this delivery (reason 10).

use super::Options;
use crate::failure::FailureReason;
use crate::prepare::{Candidate, Excluded, KeySet};

/// Excludes an address that an earlier recipient of this delivery has, and remembers it.
///
/// A member of the control group counts as an earlier recipient: whoever is to be left out of the
/// delivery must not get it through a second row.
#[must_use]
pub fn double(candidate: &Candidate<'_>, options: &Options, seen: &mut KeySet) -> Option<Excluded> {
    if !options.duplicates || seen.insert(candidate.key) {
        return None;
    }
    Some(Excluded::new(
        FailureReason::Double,
        "the address is already in this delivery",
    ))
}
