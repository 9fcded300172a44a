//! Who gets a delivery, in which part, and whether it may be sent at all.
//!
//! A recipient of the target comes in as a [`Candidate`], and [`decide`] says *keep* or *exclude*
//! with the documented reason: the first exclusion that matches wins, in the order of
//! [`EXCLUSIONS`]. The kept ones are laid into parts by [`Splitter`]. Control rules
//! ([`rules`]) look at the delivery as a whole and write lines of its journal. Nothing here reads
//! a store: the preparer of the engine brings the facts and writes the answers.

mod approval;
pub mod exclusions;
mod key_set;
pub mod rules;
mod siphash;
mod split;
#[cfg(test)]
mod tests;

pub use approval::starts_by_itself;
pub use exclusions::{Control, Options};
pub use key_set::KeySet;
pub use split::{Assigned, Splitter, batch_quantity};

use crate::failure::FailureReason;
use crate::log::AddressStatus;
use crate::time::Timestamp;

/// A recipient of the target, with what is known about its address.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The address as given; may be empty.
    pub address: &'a str,
    /// The key it is compared by; empty when the address has no valid syntax.
    pub key: &'a str,
    /// A numeric quality, if its source had one.
    pub quality: Option<i64>,
    /// Its profile is on the channel's denylist.
    pub denylisted: bool,
    /// How its address stands in the quarantine list; `None` when it is not listed.
    pub standing: Option<Standing>,
}

/// How an address stands in the quarantine list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its status.
    pub status: AddressStatus,
    /// Why it has this status.
    pub reason: FailureReason,
    /// Since when.
    pub since: Timestamp,
}

/// What becomes of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It will be sent to.
    Keep,
    /// It will not, for this reason.
    Exclude(Excluded),
}

/// Why a candidate is excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The documented reason.
    pub reason: FailureReason,
    /// More about it, as the end of a sentence; empty when the reason says it all.
    pub detail: String,
}

impl Excluded {
    fn new(reason: FailureReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// One exclusion: whether it matches this candidate. Only the exclusion of doubles writes to the
/// set of keys seen before.
pub type Exclusion = fn(&Candidate<'_>, &Options, &mut KeySet) -> Option<Excluded>;

/// Every exclusion, in the order in which they are asked.
///
/// The native filters come first, then the search for doubles, so that an excluded row never makes
/// a later row with the same address a double. Rules of further kinds have their place between
/// `double` and `control`: first a user's own filters, then pressure, then capacity. The control
/// group is drawn from those who would really have been sent to, so it stays last.
pub const EXCLUSIONS: &[Exclusion] = &[
    exclusions::address::not_specified,
    exclusions::address::bad_syntax,
    exclusions::denylist::denylisted,
    exclusions::quarantine::quarantined,
    exclusions::quality::below_minimum,
    exclusions::double::double,
    exclusions::control::control,
];

/// Whether a candidate is kept; the first exclusion that matches wins.
///
/// `seen` holds the keys that earlier candidates of the same delivery left.
pub fn decide(candidate: &Candidate<'_>, options: &Options, seen: &mut KeySet) -> Verdict {
    EXCLUSIONS
        .iter()
        .find_map(|exclusion| exclusion(candidate, options, seen))
        .map_or(Verdict::Keep, Verdict::Exclude)
}
