//! What a failure touches: this recipient, this message, this host, the whole site, or ourselves.
//!
//! One table, because it decides who is asked again, whose queue is slowed, and who is not blamed.
//! Also here: how a reply becomes evidence and outcome.

use posthaste_core::evidence::{Evidence, Outcome, SaidBy, Stage};
use posthaste_core::time::Timestamp;

use crate::reply::Reply;
use crate::stages::phrase;

/// What a failure touches, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// One recipient of the message.
    Recipient,
    /// The message, with all its recipients.
    Message,
    /// The session, and this host for now: another MX host may do better.
    Host,
    /// Every host of the site.
    Site,
    /// Our own set-up: it would fail anywhere, or the site does not know us.
    Ourselves,
}

/// What a failure was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A reply with this code.
    Reply(u16),
    /// The connection was lost, timed out, or what came was no reply.
    Line,
    /// We decided not to go on: the server does not offer what is needed.
    Ours,
}

/// What a failure at a stage touches.
#[must_use]
pub const fn reach(stage: Stage, failure: Failure) -> Reach {
    match (stage, failure) {
        // 421 closes the session wherever it is said (RFC 5321 §3.8).
        (_, Failure::Reply(421)) | (_, Failure::Line) => Reach::Host,
        (Stage::Connect | Stage::Greeting | Stage::Ehlo | Stage::StartTls, Failure::Reply(_)) => {
            Reach::Host
        }
        (Stage::Connect | Stage::Greeting | Stage::Ehlo | Stage::StartTls, Failure::Ours) => {
            Reach::Host
        }
        (Stage::Auth, Failure::Reply(400..=499)) => Reach::Host,
        (Stage::Auth, _) => Reach::Ourselves,
        (Stage::Rcpt, Failure::Reply(_)) => Reach::Recipient,
        (Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Content | Stage::FinalDot, _) => {
            Reach::Message
        }
        (Stage::Dns, _) => Reach::Site,
        (Stage::Compose | Stage::Claim | Stage::Inbound, _) => Reach::Message,
    }
}

/// The voice of one host at one moment: makes evidence.
#[derive(Debug, Clone, Copy)]
pub struct Voice<'a> {
    /// The host's name.
    pub host: &'a str,
    /// When, in policy time.
    pub at: Timestamp,
}

impl Voice<'_> {
    /// What the host said.
    #[must_use]
    pub fn said(&self, stage: Stage, reply: &Reply) -> Evidence {
        Evidence {
            said_by: SaidBy::Remote(self.host.to_owned()),
            stage,
            code: Some(reply.code),
            enhanced: reply.enhanced,
            text: reply.text(),
            at: self.at,
        }
    }

    /// What we met with this host: `SMTP: time-out while waiting for the greeting (mx1.example.com)`.
    #[must_use]
    pub fn met(&self, stage: Stage, what: &str) -> Evidence {
        let text = format!("SMTP: {what} while {} ({})", phrase(stage), self.host);
        Evidence::ours(stage, text, self.at)
    }

    /// What we decided about this host: `SMTP: the message is larger … (mx1.example.com)`.
    #[must_use]
    pub fn decided(&self, stage: Stage, what: &str) -> Evidence {
        let text = format!("SMTP: {what} ({})", self.host);
        Evidence::ours(stage, text, self.at)
    }
}

/// The outcome of a reply that refuses. `accepted` says whether the same message already has an
/// accepted recipient.
#[must_use]
pub fn refusal(evidence: Evidence, accepted: bool) -> Outcome {
    let too_many = evidence.stage == Stage::Rcpt
        && evidence.code == Some(552)
        && evidence.enhanced.is_none()
        && accepted;
    // RFC 5321 §4.5.3.1.10: 552 for too many recipients is to be taken as 452.
    let permanent = evidence.code.is_some_and(|c| c >= 500) && !too_many;
    if permanent {
        Outcome::Refused(evidence)
    } else {
        Outcome::Deferred(evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_core::evidence::OutcomeKind;

    #[test]
    fn failures_and_what_they_touch() {
        use Failure::{Line, Ours, Reply};
        let rows = [
            (Stage::Dns, Line, Reach::Host),
            (Stage::Dns, Ours, Reach::Site),
            (Stage::Connect, Line, Reach::Host),
            (Stage::Greeting, Reply(554), Reach::Host),
            (Stage::Greeting, Reply(421), Reach::Host),
            (Stage::Greeting, Line, Reach::Host),
            (Stage::Ehlo, Reply(550), Reach::Host),
            (Stage::StartTls, Reply(454), Reach::Host),
            (Stage::StartTls, Ours, Reach::Host),
            (Stage::Auth, Reply(454), Reach::Host),
            (Stage::Auth, Reply(535), Reach::Ourselves),
            (Stage::Auth, Ours, Reach::Ourselves),
            (Stage::Mail, Reply(550), Reach::Message),
            (Stage::Mail, Ours, Reach::Message),
            (Stage::Rcpt, Reply(550), Reach::Recipient),
            (Stage::Rcpt, Reply(450), Reach::Recipient),
            (Stage::Rcpt, Reply(421), Reach::Host),
            (Stage::Rcpt, Line, Reach::Host),
            (Stage::Data, Reply(554), Reach::Message),
            (Stage::FinalDot, Reply(552), Reach::Message),
            (Stage::FinalDot, Reply(421), Reach::Host),
            (Stage::Content, Ours, Reach::Message),
        ];
        for (stage, failure, expected) in rows {
            assert_eq!(reach(stage, failure), expected, "{stage:?} {failure:?}");
        }
    }

    #[test]
    fn refusals_are_final_when_the_code_says_so() {
        let enhanced = "5.2.2".to_owned().try_into().ok();
        let rows = [
            ("5yz", Stage::Rcpt, 550, None, false, OutcomeKind::Refused),
            ("4yz", Stage::Rcpt, 450, None, false, OutcomeKind::Deferred),
            (
                "552 for too many recipients",
                Stage::Rcpt,
                552,
                None,
                true,
                OutcomeKind::Deferred,
            ),
            (
                "552 for a full mailbox",
                Stage::Rcpt,
                552,
                enhanced,
                true,
                OutcomeKind::Refused,
            ),
            (
                "552 for the first recipient",
                Stage::Rcpt,
                552,
                None,
                false,
                OutcomeKind::Refused,
            ),
            (
                "552 for the message",
                Stage::FinalDot,
                552,
                None,
                true,
                OutcomeKind::Refused,
            ),
        ];
        for (name, stage, code, enhanced, accepted, expected) in rows {
            let evidence = Evidence {
                code: Some(code),
                enhanced,
                ..Evidence::ours(stage, "", Timestamp(0))
            };
            assert_eq!(refusal(evidence, accepted).kind(), expected, "{name}");
        }
    }
}
