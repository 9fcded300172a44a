//! Members of the control group (reason 127): not contacted, to compare behaviour.

use super::Options;
use crate::failure::FailureReason;
use crate::prepare::siphash::hash128;
use crate::prepare::{Candidate, Excluded, KeySet};

/// Who belongs to the control group: a share of the target, the addresses of a list, or both.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// Share of the target, in percent.
    pub percent: f64,
    /// What the choice depends on besides the address.
    pub seed: String,
    /// Keys of the addresses of a list.
    pub members: KeySet,
}

impl Control {
    /// Whether this key falls into the share: always the same answer for the same seed, on every
    /// machine and in every version.
    ///
    /// The hash of seed and key is spread evenly over 2^64; the lowest `percent` of it belong to
    /// the group. A larger share therefore contains every smaller one of the same seed.
    #[must_use]
    pub fn draws(&self, key: &str) -> bool {
        if self.percent <= 0.0 || self.percent.is_nan() {
            return false;
        }
        if self.percent >= 100.0 {
            return true;
        }
        let mut text = Vec::with_capacity(self.seed.len() + 1 + key.len());
        text.extend_from_slice(self.seed.as_bytes());
        text.push(0);
        text.extend_from_slice(key.as_bytes());
        let place = (hash128(&text) >> 64) as u64;
        let limit = (self.percent / 100.0 * 2f64.powi(64)) as u64;
        place < limit
    }
}

/// Excludes a member of the control group.
#[must_use]
pub fn control(candidate: &Candidate<'_>, options: &Options, _: &mut KeySet) -> Option<Excluded> {
    let detail = if options.control.members.contains(candidate.key) {
        "the address is in the list of the control group"
    } else if options.control.draws(candidate.key) {
        "the address was drawn for the control group"
    } else {
        return None;
    };
    Some(Excluded::new(FailureReason::Control, detail))
}
