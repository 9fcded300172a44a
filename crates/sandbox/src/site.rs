//! A pretend provider at work: the policy that its connections follow.
//!
//! Greylisting, drops and coming back go by the number of attempts, not by a clock, so that
//! time-lapse meets the same provider as real time does.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use posthaste_smtp::server::{Answer, Content, Flow, Mail, Policy, Settings};

use crate::config::{Presence, Provider, StartTls};
use crate::dialect::{Occasion, Wording};
use crate::fate::{Fate, mix};
use crate::ledger::{Entry, Ledger, now_ms};

/// Bytes of content after which [`Fate::DroppedInContent`] drops.
const DROP_AFTER: u64 = 1;

/// What the connections of a provider share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) provider: Provider,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) seed: u64,
    pub(crate) accept_all: bool,
    arrivals: AtomicU32,
    open: AtomicU32,
    messages: AtomicU32,
    pause: AtomicU32,
    replies: AtomicU64,
}

impl Site {
    pub(crate) fn new(
        provider: Provider,
        ledger: Arc<Ledger>,
        seed: u64,
        accept_all: bool,
    ) -> Self {
        Self {
            provider,
            ledger,
            seed,
            accept_all,
            arrivals: AtomicU32::new(0),
            open: AtomicU32::new(0),
            messages: AtomicU32::new(0),
            pause: AtomicU32::new(0),
            replies: AtomicU64::new(0),
        }
    }

    /// What its servers offer.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            starttls: self.provider.starttls != StartTls::Off,
            max_size: self.provider.max_size,
            ..Settings::new(self.provider.host())
        }
    }

    /// An answer in the provider's words.
    fn answer(&self, wording: Option<Wording>, to: &str, ip: IpAddr) -> (u16, String) {
        let (code, text) = wording.unwrap_or((451, "4.3.0 Try again later"));
        let number = self.replies.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:012x}", mix(self.seed ^ number) >> 16);
        let text = text
            .replace("{to}", to)
            .replace("{host}", &self.provider.host())
            .replace("{ip}", &ip.to_string())
            .replace("{id}", &id);
        (code, text)
    }

    /// Whether this MAIL falls into a pause; counts it.
    fn is_pausing(&self) -> bool {
        self.pause
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }

    /// Counts a message, and begins a pause when it is time.
    fn count_message(&self) {
        let count = self.messages.fetch_add(1, Ordering::Relaxed) + 1;
        let every = self.provider.pause_after_messages;
        if every > 0 && count.is_multiple_of(every) {
            self.pause
                .store(self.provider.pause_refusals, Ordering::Relaxed);
        }
    }
}

/// One connection to a provider.
#[derive(Debug)]
pub(crate) struct Visit {
    site: Arc<Site>,
    ip: IpAddr,
    counted: bool,
    messages: u32,
    from: String,
    recipients: Vec<Recipient>,
}

/// A recipient that was accepted by RCPT.
#[derive(Debug)]
struct Recipient {
    address: String,
    fate: Fate,
}

impl Visit {
    pub(crate) const fn new(site: Arc<Site>, ip: IpAddr) -> Self {
        Self {
            site,
            ip,
            counted: false,
            messages: 0,
            from: String::new(),
            recipients: Vec::new(),
        }
    }

    fn say(&self, occasion: Occasion, to: &str) -> (u16, String) {
        let wording = self.site.provider.dialect.wording(occasion);
        self.site.answer(wording, to, self.ip)
    }

    fn refuse(&self, occasion: Occasion, to: &str) -> Answer {
        let (code, text) = self.say(occasion, to);
        match code {
            421 => Answer::last(code, text),
            _ => Answer::reply(code, text),
        }
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.site.provider.latency_ms)
    }

    /// The fate that this attempt meets.
    fn fate(&self, address: &str, attempt: u32) -> Fate {
        let provider = &self.site.provider;
        let fate = provider.shares.fate(self.site.seed, address);
        let over = match fate {
            Fate::Greylisted => attempt > provider.greylist_attempts,
            Fate::DroppedInContent | Fate::DroppedAfterDot => attempt > provider.drop_attempts,
            Fate::Accepted
            | Fate::UserUnknown
            | Fate::AccountDisabled
            | Fate::MailboxFull
            | Fate::SpamBlocked
            | Fate::PolicyRefused
            | Fate::ContentRefused
            | Fate::Deferred
            | Fate::Slow
            | Fate::Novel => false,
        };
        if over { Fate::Accepted } else { fate }
    }

    fn meets(&self, fate: Fate) -> bool {
        self.recipients.iter().any(|r| r.fate == fate)
    }

    /// Writes the message into the ledger for each recipient; false when that failed.
    fn record(&mut self, content: &Content<'_>, doubtful: bool) -> bool {
        let message_id = message_id(content.bytes);
        let content_hash = match content.bytes {
            [] => 0,
            bytes => hash_of(bytes),
        };
        std::mem::take(&mut self.recipients).into_iter().all(|to| {
            self.site.ledger.accept(Entry {
                recipient: to.address,
                message_id: message_id.clone(),
                return_path: self.from.clone(),
                content_hash,
                size: content.size,
                provider: self.site.provider.name.clone(),
                doubtful,
                at_ms: now_ms(),
            })
        })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.counted {
            self.site.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Policy for Visit {
    fn connect(&mut self) -> Answer {
        let provider = &self.site.provider;
        if provider.presence != Presence::Up {
            return Answer::silence();
        }
        if self.site.arrivals.fetch_add(1, Ordering::Relaxed) < provider.down_connections {
            return Answer::drop_connection();
        }
        let open = self.site.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.counted = true;
        if provider.max_connections > 0 && open > provider.max_connections {
            let (_, text) = self.say(Occasion::Connections, "");
            return Answer::last(421, text);
        }
        Answer::accept().after(self.latency())
    }

    fn mail(&mut self, mail: &Mail) -> Answer {
        let provider = &self.site.provider;
        let most = provider.messages_per_connection;
        if most > 0 && self.messages >= most {
            let (_, text) = self.say(Occasion::Rate, "");
            return Answer::last(421, text);
        }
        if self.site.is_pausing() {
            return self.refuse(Occasion::Rate, "");
        }
        self.from.clone_from(&mail.from);
        self.recipients.clear();
        Answer::accept().after(self.latency())
    }

    fn rcpt(&mut self, to: &str) -> Answer {
        let address = to.to_lowercase();
        let attempt = self.site.ledger.attempt(&address);
        if !self.site.provider.takes(&address) {
            return self.refuse(Occasion::Relay, to);
        }
        let fate = match self.site.accept_all {
            true => Fate::Accepted,
            false => self.fate(&address, attempt),
        };
        match fate {
            Fate::UserUnknown
            | Fate::AccountDisabled
            | Fate::MailboxFull
            | Fate::Greylisted
            | Fate::SpamBlocked
            | Fate::PolicyRefused
            | Fate::Deferred
            | Fate::Novel => return self.refuse(Occasion::Fate(fate), to),
            Fate::Accepted
            | Fate::ContentRefused
            | Fate::DroppedInContent
            | Fate::DroppedAfterDot
            | Fate::Slow => {}
        }
        self.recipients.push(Recipient { address, fate });
        if fate != Fate::Slow {
            return Answer::accept();
        }
        Answer::accept().after(Duration::from_millis(self.site.provider.slow_ms))
    }

    fn wants_content(&self) -> bool {
        !self.site.accept_all
    }

    fn receiving(&mut self, received: u64) -> Flow {
        match self.meets(Fate::DroppedInContent) && received >= DROP_AFTER {
            true => Flow::Drop,
            false => Flow::Continue,
        }
    }

    fn content(&mut self, content: &Content<'_>) -> Answer {
        self.messages += 1;
        self.site.count_message();
        if let Some(to) = self
            .recipients
            .iter()
            .find(|r| r.fate == Fate::ContentRefused)
        {
            let answer = self.refuse(Occasion::Fate(Fate::ContentRefused), &to.address);
            self.recipients.clear();
            return answer;
        }
        if self.meets(Fate::DroppedInContent) {
            return Answer::drop_connection();
        }
        let doubtful = self.meets(Fate::DroppedAfterDot);
        if !self.record(content, doubtful) {
            return Answer::reply(451, "4.3.0 The sandbox cannot write its ledger");
        }
        match doubtful {
            true => Answer::drop_connection(),
            false => Answer::accept().after(self.latency()),
        }
    }

    fn reset(&mut self) {
        self.recipients.clear();
    }
}

/// The value of the Message-ID header; empty when there is none.
fn message_id(content: &[u8]) -> String {
    const NAME: &str = "message-id:";
    for line in content.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line.get(..line.len().min(1_000)).unwrap_or_default());
        let head = text.get(..NAME.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(NAME)) {
            return text.get(NAME.len()..).unwrap_or_default().trim().to_owned();
        }
    }
    String::new()
}

fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_id_is_found_in_the_headers_only() {
        for (content, expected) in [
            (
                "Subject: a\r\nMessage-ID: <1@example.com>\r\n\r\nx",
                "<1@example.com>",
            ),
            ("message-id:<2@example.com>\n\nx", "<2@example.com>"),
            ("Subject: a\r\n\r\nMessage-ID: <3@example.com>", ""),
            ("", ""),
        ] {
            assert_eq!(message_id(content.as_bytes()), expected, "{content}");
        }
    }
}
