//! What a failure means: type, reason and party, by rules that are data.
//!
//! Order of judgement: the person's word in the delivery log qualification (the caller looks that
//! up), then the rules in their order, then the enhanced status and the evidence of the text, then
//! the class of the code, else Not defined.

mod fold;
mod judge;
mod meaning;
mod normalise;
mod pattern;
mod question;
mod rule;

pub use judge::{RuleProblem, RuleSet};
pub use meaning::{Kind, Meaning, Sense};
pub use normalise::{normalise, normalise_into};
pub use question::{Question, RuleRef, Verdict};
pub use rule::{Rule, Speaker};
