//! Address defined (reason 7) and well formed (reason 14): neither can be switched off.

use super::Options;
use crate::address::Address;
use crate::failure::FailureReason;
use crate::prepare::{Candidate, Excluded, KeySet};

/// Excludes a recipient without an address.
#[must_use]
pub fn not_specified(candidate: &Candidate<'_>, _: &Options, _: &mut KeySet) -> Option<Excluded> {
    let nothing = candidate.key.is_empty() && candidate.address.trim().is_empty();
    nothing.then(|| {
        Excluded::new(
            FailureReason::AddressNotSpecified,
            "the recipient has no address",
        )
    })
}

/// Excludes an address whose syntax is wrong.
///
/// The key was made when the recipient was stored; an address without one is read again, for the
/// sake of the detail.
#[must_use]
pub fn bad_syntax(candidate: &Candidate<'_>, _: &Options, _: &mut KeySet) -> Option<Excluded> {
    if !candidate.key.is_empty() {
        return None;
    }
    let why = match Address::parse(candidate.address) {
        Err(wrong) => wrong.to_string(),
        Ok(_) => "it was stored without a key; import the list again".to_owned(),
    };
    Some(Excluded::new(FailureReason::BadQuality, why))
}
