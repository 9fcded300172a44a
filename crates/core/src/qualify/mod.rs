//! What a failure means: type, reason and party, by rules that are data.
//!
//! Order of judgement: the person's word in the delivery log qualification (the caller looks that
//! up), then the rules in their order, then the enhanced status and the evidence of the text, then
//! the class of the code, else Not defined.
//!
//! # Judging a reply
//!
//! ```
//! use posthaste_core::failure::{FailureReason, FailureType};
//! use posthaste_core::qualify::{Question, RuleSet};
//!
//! let rules = RuleSet::shipped();
//! // The code says «no such user», the text knows better.
//! let verdict = rules.judge(&Question::about("552 5.1.1 <jane@example.com>: mailbox is full"));
//! assert_eq!(verdict.kind, FailureType::Soft);
//! assert_eq!(verdict.reason, FailureReason::MailboxFull);
//!
//! let why = rules.judge_explained(&Question::about("550 Пользователь не найден"));
//! assert_eq!(why.verdict.reason, FailureReason::UserUnknown);
//! assert!(!why.steps.is_empty());
//! ```
//!
//! # Rules of one's own
//!
//! ```
//! use posthaste_core::qualify::{Question, RuleSet, parse_rules};
//!
//! let own = parse_rules("own.toml", r#"
//!     [[rule]]
//!     name = "partner-maintenance"
//!     host = ["*.example.net"]
//!     code = ["5yz"]
//!     text = ["closed for stocktaking"]
//!     means = "busy"
//!     source = "example.net refuses mail with 5yz during its nights of maintenance"
//!     samples = ["550 Sorry, closed for stocktaking until tomorrow"]
//! "#, 0).unwrap();
//! let rules = RuleSet::shipped().with(&own).unwrap();
//! let mut question = Question::about("550 Sorry, closed for stocktaking until noon");
//! question.host = Some("mx1.example.net");
//! let verdict = rules.judge(&question);
//! assert_eq!(&*verdict.rule.name, "partner-maintenance");
//! assert!(verdict.retry);
//! ```

mod address;
mod cluster;
mod derive;
mod fold;
mod judge;
mod load;
mod matcher;
mod meaning;
mod normalise;
mod own;
mod pattern;
mod phrase;
mod question;
mod rule;
mod ruleset;
mod scope;
mod shipped;
mod status;
mod subjects;
#[cfg(test)]
mod tests;
mod vocabulary;
mod words;

pub use cluster::{ALIKE, Words, cluster, nearest};
pub use derive::pattern_of;
pub use judge::Explanation;
pub use load::{RuleProblem, parse_rules};
pub use meaning::{Kind, Meaning, Sense};
pub use normalise::{MAX_OUTPUT, normalise, normalise_bytes, normalise_into};
pub use own::{OwnRule, Place, rule_from_text, rule_text};
pub use phrase::{Folded, Phrase};
pub use question::{Question, RuleRef, Verdict};
pub use rule::{Rule, Speaker};
pub use ruleset::RuleSet;
pub use words::codes;
