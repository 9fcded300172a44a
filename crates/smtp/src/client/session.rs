//! The driver: a session with one host over one connection.
//!
//! Moves bytes between the machines and the stream, and keeps the time of each stage. It decides
//! nothing. Buffers are kept from message to message.

use std::io;
use std::time::Instant;

use posthaste_core::evidence::{Outcome, Stage};
use posthaste_core::time::Timestamp;
use posthaste_net::connect::connect;
use posthaste_net::tls::Stream;

use super::capabilities::Capabilities;
use super::content::{OnWire, on_wire};
use super::event::{Action, Event};
use super::opening::Opening;
use super::reach::{Failure, Reach, Voice, reach};
use super::transaction::{Purpose, Standing, Transaction};
use super::wire::{Wire, spelled};
use super::{ClientSettings, Envelope, Sent, SessionFailure, Still, Target};
use crate::command::Command;
use crate::stages::Timeouts;

/// An open session.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    host: String,
    offers: Capabilities,
    timeouts: Timeouts,
    tls: String,
    standing: Standing,
    closing: bool,
}

impl Session {
    /// Opens a session: connection, greeting, EHLO, TLS, AUTH. `at` is the policy time that the
    /// evidence will bear.
    ///
    /// # Errors
    /// [`SessionFailure`] with the evidence, what it touches, and whether one further attempt in
    /// clear text is allowed.
    ///
    /// # Cancel
    /// The connection is closed.
    pub async fn connect(
        target: &Target,
        settings: &ClientSettings,
        at: Timestamp,
    ) -> Result<Self, SessionFailure> {
        let voice = Voice {
            host: &target.host,
            at,
        };
        let timeouts = &settings.timeouts;
        let tcp = match connect(target.address, settings.source, timeouts.connect).await {
            Ok(tcp) => tcp,
            Err(error) => return Err(not_connected(&error, voice)),
        };
        let mut wire = Wire::new(Stream::Plain(tcp));
        let mut machine = Opening::new(target, &settings.ehlo_name, voice);
        let mut event = Event::Connected;
        loop {
            event = match machine.on(event, &mut wire.out) {
                Action::Await(stage) => wire.say_and_hear(timeouts.of(stage)).await,
                Action::StartTls => {
                    match wire.encrypt(target, &settings.tls, timeouts.starttls).await {
                        Ok(encrypted) => {
                            wire = encrypted;
                            Event::TlsReady
                        }
                        Err(why) => {
                            // The stream is gone: the machine is told, and its result is final.
                            machine.on(Event::TlsFailed(why), &mut Vec::new());
                            return Err(unopened(machine, voice));
                        }
                    }
                }
                Action::SendContent | Action::Finish => break,
            };
        }
        let offers = machine.finish()?;
        Ok(Self {
            tls: wire.tls(),
            wire,
            host: target.host.clone(),
            offers,
            timeouts: timeouts.clone(),
            standing: Standing {
                reset: false,
                used: false,
            },
            closing: false,
        })
    }

    /// Sends a message to the recipients of its envelope. `at` is the policy time that the
    /// evidence will bear.
    ///
    /// # Cancel
    /// Not safe: the message may be delivered, and the session must be dropped.
    pub async fn send(&mut self, envelope: &Envelope<'_>, content: &[u8], at: Timestamp) -> Sent {
        let began = Instant::now();
        let wire = match on_wire(content) {
            Ok(wire) => wire,
            Err(why) => return self.refuse(envelope, &why.to_string(), at, began),
        };
        let purpose = Purpose::Send {
            eight_bit: !content.is_ascii(),
        };
        self.perform(envelope, purpose, &wire, at, began).await
    }

    /// Asks whether the recipients would be accepted, and stops before DATA. Accepted ones count
    /// as delivered; their evidence is the reply to RCPT.
    ///
    /// # Cancel
    /// The session must be dropped.
    pub async fn test(&mut self, envelope: &Envelope<'_>, at: Timestamp) -> Sent {
        let nothing = OnWire {
            body: (&[]).into(),
            end: b"",
        };
        self.perform(envelope, Purpose::Test, &nothing, at, Instant::now())
            .await
    }

    /// Says good-bye, without waiting long, and closes the connection.
    pub async fn quit(mut self) {
        if self.closing || Command::Quit.write(&mut self.wire.out).is_err() {
            return;
        }
        // Whatever is said now, nothing depends on it.
        let _good_bye = self.wire.say_and_hear(self.timeouts.quit).await;
        self.wire.close(self.timeouts.quit).await;
    }

    /// How the stream is protected: `TLSv1.3 TLS_AES_256_GCM_SHA384`, or empty in clear text.
    #[must_use]
    pub fn tls(&self) -> &str {
        &self.tls
    }

    /// What the server offers.
    #[must_use]
    pub const fn offers(&self) -> &Capabilities {
        &self.offers
    }

    /// The host's name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether another message can be sent: nothing went wrong, and the server has neither closed
    /// the connection nor said anything since.
    #[must_use]
    pub fn is_reusable(&self) -> bool {
        !self.closing && self.wire.is_quiet()
    }

    async fn perform(
        &mut self,
        envelope: &Envelope<'_>,
        purpose: Purpose,
        content: &OnWire<'_>,
        at: Timestamp,
        began: Instant,
    ) -> Sent {
        let voice = Voice {
            host: &self.host,
            at,
        };
        let mut machine = Transaction::new(envelope, purpose, &self.offers, self.standing, voice);
        let mut action = machine.start(&mut self.wire.out);
        loop {
            let event = match action {
                Action::Await(stage) => self.wire.say_and_hear(self.timeouts.of(stage)).await,
                Action::SendContent => self.wire.send(content, &self.timeouts).await,
                Action::StartTls | Action::Finish => break,
            };
            action = machine.on(event, &mut self.wire.out);
        }
        let finished = machine.finish();
        self.standing = Standing {
            reset: finished.reset,
            used: true,
        };
        self.closing |= finished.still != Still::Open;
        Sent {
            outcomes: finished.outcomes,
            session: finished.still,
            stale: finished.stale,
            took: began.elapsed(),
        }
    }

    /// Nothing is said: the message cannot be sent by anybody.
    fn refuse(&self, envelope: &Envelope<'_>, why: &str, at: Timestamp, began: Instant) -> Sent {
        let voice = Voice {
            host: &self.host,
            at,
        };
        let refused = || Outcome::Refused(voice.decided(Stage::Content, why));
        Sent {
            outcomes: envelope.recipients.iter().map(|_| refused()).collect(),
            session: Still::Open,
            stale: false,
            took: began.elapsed(),
        }
    }
}

/// The connection could not be opened.
fn not_connected(error: &io::Error, voice: Voice<'_>) -> SessionFailure {
    use io::ErrorKind as E;
    // What our own set-up is to blame for would fail with every host.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the list of kinds is open and not ours"
    )]
    let ours = match error.kind() {
        E::AddrNotAvailable | E::PermissionDenied => true,
        // EMFILE and ENFILE have no kind of their own.
        _ => matches!(error.raw_os_error(), Some(23 | 24)),
    };
    SessionFailure {
        evidence: voice.met(Stage::Connect, &spelled(error)),
        reach: if ours {
            Reach::Ourselves
        } else {
            reach(Stage::Connect, Failure::Line)
        },
        clear_text_retry: false,
    }
}

/// The failure of a machine that has failed.
fn unopened(machine: Opening<'_>, voice: Voice<'_>) -> SessionFailure {
    match machine.finish() {
        Err(failure) => failure,
        Ok(_) => SessionFailure {
            evidence: voice.met(Stage::StartTls, "the stream was lost"),
            reach: Reach::Host,
            clear_text_retry: false,
        },
    }
}

#[cfg(test)]
mod tests;
