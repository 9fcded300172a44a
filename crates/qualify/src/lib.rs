//! Qualifying by itself: mails and replies from files in, answers out; and how good the answers are.
//!
//! [`mail_files`] finds mails where people keep them, [`answer`] says what each mail or reply means,
//! [`scoreboard`] compares answers with expected ones, [`trial`] does so for the rules' own samples and for
//! a corpus. No store, no configuration, no network: what decides is in `posthaste-core` and
//! `posthaste-mail`, here it is only asked.
//!
//! ```
//! use posthaste_core::qualify::RuleSet;
//! use posthaste_qualify::answer::{Detail, Reply, reply};
//!
//! let said = Reply::parse("452 4.2.2 The mailbox is full", 1).unwrap().unwrap();
//! let answer = reply(said, &RuleSet::shipped(), Detail::Verdict);
//! assert_eq!(answer.reason.slug(), "mailbox_full");
//! ```

pub mod answer;
pub mod mail_files;
pub mod mail_stream;
pub mod scoreboard;
pub mod trial;
