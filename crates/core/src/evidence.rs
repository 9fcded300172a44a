//! What happened at the remote side, as data: evidence and outcome.
//!
//! A refusal is a result, never an error. These values travel unchanged from the socket to the
//! store, and can be judged again years later by other rules.

use serde::{Deserialize, Serialize};

use crate::enhanced::EnhancedStatus;
use crate::failure::coded;
use crate::time::Timestamp;

coded! {
    /// Where in the work a failure was met. The first ones are ours, before any SMTP.
    Stage {
        /// Looking up names (MX, A, AAAA).
        Dns = 0, "dns";
        /// Opening the connection.
        Connect = 1, "connect";
        /// Waiting for the greeting (220).
        Greeting = 2, "greeting";
        /// EHLO or HELO.
        Ehlo = 3, "ehlo";
        /// STARTTLS and its handshake.
        StartTls = 4, "starttls";
        /// AUTH.
        Auth = 5, "auth";
        /// MAIL FROM.
        Mail = 6, "mail";
        /// RCPT TO.
        Rcpt = 7, "rcpt";
        /// DATA, up to its 354.
        Data = 8, "data";
        /// Sending the content.
        Content = 9, "content";
        /// After the final dot: the content may have been accepted.
        FinalDot = 10, "final_dot";
        /// Rendering, building or signing the message here.
        Compose = 11, "compose";
        /// A report that came back later: a bounce mail, a complaint.
        Inbound = 12, "inbound";
        /// Checked again when the recipient was claimed.
        Claim = 13, "claim";
    }
}

/// Who said it. Text of a remote server and text of our own are never mixed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidBy {
    /// The remote host with this name (MX or relay host, lower case), or its address if nameless.
    Remote(String),
    /// This program.
    Us,
}

/// One failure as it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Who said it.
    pub said_by: SaidBy,
    /// Where it was met.
    pub stage: Stage,
    /// The three-digit reply code, if a server gave one.
    pub code: Option<u16>,
    /// The enhanced status code, if one was given.
    pub enhanced: Option<EnhancedStatus>,
    /// The whole text as said, code included (`550 5.1.1 …`), lines joined by one space.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Evidence {
    /// Evidence of our own: no server spoke.
    #[must_use]
    pub fn ours(stage: Stage, text: impl Into<String>, at: Timestamp) -> Self {
        Self {
            said_by: SaidBy::Us,
            stage,
            code: None,
            enhanced: None,
            text: text.into(),
            at,
        }
    }
}

/// What became of one recipient in one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Taken over by the remote host; the evidence is its last reply.
    Delivered(Evidence),
    /// Not now: a 4yz reply, a connection or a look-up that failed.
    Deferred(Evidence),
    /// No: a 5yz reply or its equal.
    Refused(Evidence),
    /// The connection was lost after the final dot: it may have been delivered.
    Doubtful(Evidence),
}

coded! {
    /// The kinds of [`Outcome`], for the store.
    OutcomeKind {
        /// See [`Outcome::Delivered`].
        Delivered = 0, "delivered";
        /// See [`Outcome::Deferred`].
        Deferred = 1, "deferred";
        /// See [`Outcome::Refused`].
        Refused = 2, "refused";
        /// See [`Outcome::Doubtful`].
        Doubtful = 3, "doubtful";
    }
}

impl Outcome {
    /// What was said.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        match self {
            Self::Delivered(e) | Self::Deferred(e) | Self::Refused(e) | Self::Doubtful(e) => e,
        }
    }

    /// Its kind alone.
    #[must_use]
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Delivered(_) => OutcomeKind::Delivered,
            Self::Deferred(_) => OutcomeKind::Deferred,
            Self::Refused(_) => OutcomeKind::Refused,
            Self::Doubtful(_) => OutcomeKind::Doubtful,
        }
    }
}
