//! What the server's owner decides: one question per stage of the dialogue.
//!
//! Every method has the friendly answer as its default, so a policy writes only what it refuses.

use std::time::Duration;

use super::{Credentials, Mail};

/// Decides what is answered at each stage of one connection.
pub trait Policy {
    /// A connection came in; a refusal is the greeting (RFC 5321 §3.1).
    fn connect(&mut self) -> Answer {
        Answer::accept()
    }

    /// The client said EHLO or HELO with this name.
    fn ehlo(&mut self, _name: &str) -> Answer {
        Answer::accept()
    }

    /// The client asked for STARTTLS, and it is on offer.
    fn starttls(&mut self) -> Answer {
        Answer::accept()
    }

    /// The client gave a name and a password.
    fn auth(&mut self, _credentials: &Credentials) -> Answer {
        Answer::accept()
    }

    /// A transaction begins.
    fn mail(&mut self, _mail: &Mail) -> Answer {
        Answer::accept()
    }

    /// A recipient, as written between the angle brackets.
    fn rcpt(&mut self, _to: &str) -> Answer {
        Answer::accept()
    }

    /// The client wants to send the content; at least one recipient was accepted.
    fn data(&mut self) -> Answer {
        Answer::accept()
    }

    /// Whether [`Content::bytes`] is wanted; without it the content is only searched for its end.
    fn wants_content(&self) -> bool {
        true
    }

    /// Some content came in: `received` bytes of it until now.
    fn receiving(&mut self, _received: u64) -> Flow {
        Flow::Continue
    }

    /// The final dot came: the reply to it decides for all accepted recipients.
    fn content(&mut self, _content: &Content<'_>) -> Answer {
        Answer::accept()
    }

    /// The transaction was given up (RSET, EHLO, STARTTLS).
    fn reset(&mut self) {}
}

/// Whether to go on reading the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Drop the connection in the middle of the content.
    Drop,
}

/// The content of a message, complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// Its bytes with dots unstuffed (RFC 5321 §4.5.2); empty when the policy does not want them.
    pub bytes: &'a [u8],
    /// Its size as received, in bytes, the final dot's line not counted.
    pub size: u64,
}

/// What to answer, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) delay: Duration,
    pub(super) verdict: Verdict,
}

/// The kinds of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The stage's usual positive reply.
    Accept,
    /// This reply; a code of 400 or more refuses.
    Reply { code: u16, text: String },
    /// This reply, then the connection is closed.
    Last { code: u16, text: String },
    /// The connection is closed without a word.
    Drop,
    /// No word ever comes, and the connection stays open.
    Silence,
}

impl Answer {
    const fn of(verdict: Verdict) -> Self {
        Self {
            delay: Duration::ZERO,
            verdict,
        }
    }

    /// The stage's usual positive reply.
    #[must_use]
    pub const fn accept() -> Self {
        Self::of(Verdict::Accept)
    }

    /// A reply of its own; several lines are parted by `\n`. A code of 400 or more refuses.
    #[must_use]
    pub fn reply(code: u16, text: impl Into<String>) -> Self {
        Self::of(Verdict::Reply {
            code,
            text: text.into(),
        })
    }

    /// A reply, then the connection is closed (RFC 5321 §3.8, typically 421).
    #[must_use]
    pub fn last(code: u16, text: impl Into<String>) -> Self {
        Self::of(Verdict::Last {
            code,
            text: text.into(),
        })
    }

    /// The connection is closed without a reply.
    #[must_use]
    pub const fn drop_connection() -> Self {
        Self::of(Verdict::Drop)
    }

    /// Nothing is ever answered; the connection stays open until the client leaves.
    #[must_use]
    pub const fn silence() -> Self {
        Self::of(Verdict::Silence)
    }

    /// The same answer, later.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Whether it lets the dialogue go on.
    #[must_use]
    pub const fn is_accepting(&self) -> bool {
        match &self.verdict {
            Verdict::Accept => true,
            Verdict::Reply { code, .. } => *code < 400,
            Verdict::Last { .. } | Verdict::Drop | Verdict::Silence => false,
        }
    }
}
