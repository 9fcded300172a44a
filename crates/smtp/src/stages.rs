//! The stages of an outbound session in one table: how long to wait (RFC 5321 §4.5.3.2), and what
//! we were doing, in words.

use std::time::Duration;

use posthaste_core::evidence::Stage;

/// How long each stage may take. The default is RFC 5321's; tests and demonstrations shorten it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// Opening the TCP connection. No RFC: systems give up after about two minutes.
    pub connect: Duration,
    /// Waiting for the greeting (RFC 5321 §4.5.3.2.1).
    pub greeting: Duration,
    /// EHLO and HELO. No section of its own: as MAIL.
    pub ehlo: Duration,
    /// STARTTLS, and its handshake.
    pub starttls: Duration,
    /// Each step of AUTH.
    pub auth: Duration,
    /// MAIL, and RSET (RFC 5321 §4.5.3.2.2).
    pub mail: Duration,
    /// RCPT (RFC 5321 §4.5.3.2.3).
    pub rcpt: Duration,
    /// DATA, up to its 354 (RFC 5321 §4.5.3.2.4).
    pub data: Duration,
    /// Each block of the content (RFC 5321 §4.5.3.2.5).
    pub content: Duration,
    /// After the final dot (RFC 5321 §4.5.3.2.6).
    pub final_dot: Duration,
    /// QUIT: nobody waits for a good-bye.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(60),
            greeting: minutes(5),
            ehlo: minutes(5),
            starttls: minutes(2),
            auth: minutes(2),
            mail: minutes(5),
            rcpt: minutes(5),
            data: minutes(2),
            content: minutes(3),
            final_dot: minutes(10),
            quit: Duration::from_secs(2),
        }
    }
}

impl Timeouts {
    /// The same time for every stage, the good-bye excepted, which takes no longer than usual.
    #[must_use]
    pub fn all(each: Duration) -> Self {
        Self {
            connect: each,
            greeting: each,
            ehlo: each,
            starttls: each,
            auth: each,
            mail: each,
            rcpt: each,
            data: each,
            content: each,
            final_dot: each,
            quit: each.min(Self::default().quit),
        }
    }

    /// How long a stage may take; stages without a server take no time.
    #[must_use]
    pub const fn of(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Connect => self.connect,
            Stage::Greeting => self.greeting,
            Stage::Ehlo => self.ehlo,
            Stage::StartTls => self.starttls,
            Stage::Auth => self.auth,
            Stage::Mail => self.mail,
            Stage::Rcpt => self.rcpt,
            Stage::Data => self.data,
            Stage::Content => self.content,
            Stage::FinalDot => self.final_dot,
            Stage::Dns | Stage::Compose | Stage::Inbound | Stage::Claim => Duration::ZERO,
        }
    }
}

/// What we were doing, as the end of a sentence: `time-out while …`.
#[must_use]
pub const fn phrase(stage: Stage) -> &'static str {
    match stage {
        Stage::Dns => "looking up names",
        Stage::Connect => "opening the connection",
        Stage::Greeting => "waiting for the greeting",
        Stage::Ehlo => "waiting for the reply to EHLO",
        Stage::StartTls => "setting up TLS",
        Stage::Auth => "authenticating",
        Stage::Mail => "waiting for the reply to MAIL",
        Stage::Rcpt => "waiting for the reply to RCPT",
        Stage::Data => "waiting for the reply to DATA",
        Stage::Content => "sending the content",
        Stage::FinalDot => "waiting for the reply to the final dot",
        Stage::Compose => "building the message",
        Stage::Inbound => "reading a report",
        Stage::Claim => "claiming the recipient",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_those_of_the_rfc() {
        let waits = Timeouts::default();
        let rows = [
            (Stage::Greeting, 300),
            (Stage::Mail, 300),
            (Stage::Rcpt, 300),
            (Stage::Data, 120),
            (Stage::Content, 180),
            (Stage::FinalDot, 600),
        ];
        for (stage, seconds) in rows {
            assert_eq!(waits.of(stage), Duration::from_secs(seconds), "{stage:?}");
        }
    }

    #[test]
    fn one_time_for_all_leaves_the_good_bye_short() {
        let waits = Timeouts::all(Duration::from_secs(9));
        assert_eq!(waits.of(Stage::FinalDot), Duration::from_secs(9));
        assert_eq!(waits.quit, Duration::from_secs(2));
    }
}
