//! What reading a mail yields: its kind, its failed recipients, and how that was found.

use std::sync::Arc;

use posthaste_core::enhanced::EnhancedStatus;
use posthaste_core::failure::{FailureReason, FailureType, Party};
use serde::{Deserialize, Serialize};

/// What a mail that came back is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A delivery failed or is delayed.
    Bounce,
    /// A complaint, or another feedback report (RFC 5965).
    Feedback,
    /// An automatic answer of the recipient's (RFC 3834): vacation, challenge, receipt.
    AutoReply,
    /// Anything else: ordinary mail, a confirmation of delivery, a reply to a bounce.
    Other,
}

/// What the reporting server did (RFC 3464 §2.3.3). Only actions that are failures are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It gave up.
    Failed,
    /// It has not succeeded yet, and tries on.
    Delayed,
    /// The recipient complained.
    Complained,
}

/// One recipient that a report speaks of, judged alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRecipient {
    /// The address as the report writes it; empty when the report names nobody.
    pub address: String,
    /// Other addresses of the same recipient: original address, alias, actual address.
    pub also: Vec<String>,
    /// How final the failure is.
    #[serde(rename = "type")]
    pub kind: FailureType,
    /// Why.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
    /// The enhanced status that applies (RFC 3463), as the mail states it.
    pub status: Option<EnhancedStatus>,
    /// The reply code that the mail quotes.
    pub reply_code: Option<u16>,
    /// Failed, delayed, or complained.
    pub action: Action,
    /// The host that spoke, if the report names it (lower case).
    pub host: Option<String>,
    /// The diagnostic text that was judged, white space folded.
    pub diagnostic: String,
    /// The same text, normalised: equal for equal failures.
    pub normalised: String,
    /// The rule that judged.
    pub rule: Arc<str>,
    /// Its version.
    pub version: u32,
    /// How sure, in percent.
    pub confidence: u8,
}

/// What the mail tells about the message it answers, for matching it to a delivery log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Message-ID of the returned message, without angle brackets.
    pub message_id: Option<String>,
    /// Every other message id the mail refers to (In-Reply-To, References), in order.
    pub references: Vec<String>,
    /// Return path of the returned message (header or envelope lines), without angle brackets.
    pub return_path: Option<String>,
    /// `Original-Envelope-Id` (RFC 3464 §2.2.1).
    pub envelope_id: Option<String>,
    /// Addresses that the mail itself came to (To, Delivered-To, X-Original-To): our return path.
    pub delivered_to: Vec<String>,
    /// Recipients in the headers of the returned message (To, Cc, X-Failed-Recipients and others).
    pub recipients: Vec<String>,
    /// Those of them whom fields of the delivery name (Envelope-To, Delivered-To, Apparently-To and others).
    #[serde(default)]
    pub envelope: Vec<String>,
    /// Others are named there without a domain: `jane`, `far!jane`.
    #[serde(default)]
    pub more_recipients: bool,
}

/// Something that stood in the way of reading. The mail is recorded all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Only the first part was examined: the mail is larger than the limit, in bytes.
    TooLarge(usize),
    /// The headers are longer than the limit, in bytes; the rest of them was not read.
    HeadersTooLong(usize),
    /// More parts than the limit; the others were not read.
    TooManyParts(usize),
    /// Parts nested deeper than the limit; deeper ones were taken as flat text.
    TooDeep(u8),
    /// A multipart without a usable boundary was read as text.
    BadBoundary,
    /// The report speaks of a failure, but names nobody.
    NobodyNamed,
    /// Nothing could be made of it, and a limit stood in the way: why.
    Unreadable(String),
}

/// The reading of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What it is.
    pub kind: Kind,
    /// Failed, delayed or complaining recipients; empty for the other kinds.
    pub recipients: Vec<FailedRecipient>,
    /// Type of a feedback report as it states it (lower case): `abuse`, `opt-out` …
    pub feedback_type: Option<String>,
    /// What it says of the message it answers.
    pub original: Original,
    /// The dialect it is written in: a name of `rules/dialects`, `rfc3464`, `rfc5965`, `generic`.
    pub dialect: Option<String>,
    /// The steps taken, one sentence each.
    pub steps: Vec<String>,
    /// What stood in the way.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Why the mail could not be read, if it could not.
    #[must_use]
    pub fn unreadable(&self) -> Option<&str> {
        self.problems.iter().find_map(|problem| match problem {
            Problem::Unreadable(why) => Some(why.as_str()),
            Problem::TooLarge(_)
            | Problem::HeadersTooLong(_)
            | Problem::TooManyParts(_)
            | Problem::TooDeep(_)
            | Problem::BadBoundary
            | Problem::NobodyNamed => None,
        })
    }
}
