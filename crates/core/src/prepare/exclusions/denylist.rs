//! Denylisted profiles and addresses (reason 8).

use super::Options;
use crate::failure::FailureReason;
use crate::log::AddressStatus;
use crate::prepare::{Candidate, Excluded, KeySet};

/// Excludes a recipient whose profile, or whose address, is on the denylist.
///
/// The profile is asked first, and an allowlisted address does not help it: a person who has opted
/// out stays out, whatever is known about the address.
#[must_use]
pub fn denylisted(
    candidate: &Candidate<'_>,
    options: &Options,
    _: &mut KeySet,
) -> Option<Excluded> {
    if !options.denylisted {
        return None;
    }
    let excluded = |detail| Some(Excluded::new(FailureReason::Denylisted, detail));
    if candidate.denylisted {
        return excluded("the profile is on the denylist");
    }
    match candidate.standing {
        Some(standing) if standing.status == AddressStatus::Denylist => {
            excluded("the address is on the denylist of the quarantine list")
        }
        _ => None,
    }
}
