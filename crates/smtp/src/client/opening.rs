//! From an open connection to a session that can send: greeting, EHLO, STARTTLS, AUTH.
//!
//! ```text
//! Connected ─► Greeting ─► Ehlo ─► (StartTls ─► Handshake ─► Ehlo) ─► (Auth …) ─► Ready
//!                            └► Helo ─────────────────────────────────────────────►┘
//! ```
//!
//! A machine without I/O: [`Opening::on`] takes what happened, writes commands to a buffer, and
//! answers with what is to be done next.

use posthaste_core::evidence::{Evidence, Stage};
use posthaste_net::tls::TlsPolicy;

use super::auth::{self, Mechanism};
use super::capabilities::Capabilities;
use super::event::{Action, Event};
use super::reach::{Failure, Voice, reach};
use super::{SessionFailure, Target};
use crate::command::Command;
use crate::reply::Reply;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Handshake,
    AuthPlain,
    AuthUser,
    AuthPassword,
    AuthEnd,
    Ended,
}

impl Step {
    const fn stage(self) -> Stage {
        match self {
            Self::Start => Stage::Connect,
            Self::Greeting => Stage::Greeting,
            Self::Ehlo | Self::Helo | Self::Ended => Stage::Ehlo,
            Self::StartTls | Self::Handshake => Stage::StartTls,
            Self::AuthPlain | Self::AuthUser | Self::AuthPassword | Self::AuthEnd => Stage::Auth,
        }
    }
}

/// The machine.
#[derive(Debug)]
pub struct Opening<'a> {
    target: &'a Target,
    ehlo_name: &'a str,
    voice: Voice<'a>,
    step: Step,
    encrypted: bool,
    offers: Capabilities,
    failure: Option<SessionFailure>,
}

impl<'a> Opening<'a> {
    /// A session to be opened with this host.
    #[must_use]
    pub fn new(target: &'a Target, ehlo_name: &'a str, voice: Voice<'a>) -> Self {
        Self {
            target,
            ehlo_name,
            voice,
            step: Step::Start,
            encrypted: false,
            offers: Capabilities::default(),
            failure: None,
        }
    }

    /// The result, once [`Action::Finish`] was asked for.
    ///
    /// # Errors
    /// [`SessionFailure`] when there is no session.
    pub fn finish(self) -> Result<Capabilities, SessionFailure> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.offers),
        }
    }

    /// What to do next, after this happened.
    pub fn on(&mut self, event: Event, out: &mut Vec<u8>) -> Action {
        match event {
            Event::Connected => self.on_connected(),
            Event::Reply(reply) => self.on_reply(&reply, out),
            Event::TlsReady => self.on_tls_ready(out),
            Event::TlsFailed(why) => self.broken(&format!("the handshake failed ({why})")),
            Event::Garbage(garbage) => self.broken(&garbage.to_string()),
            Event::TimedOut => self.broken("time-out"),
            Event::Lost(why) => self.broken(&why),
            Event::ContentSent => self.broken("content was sent too early"),
        }
    }

    fn on_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        match self.step {
            Step::Greeting => self.on_greeting(reply, out),
            Step::Ehlo => self.on_ehlo(reply, out),
            Step::Helo => self.on_helo(reply, out),
            Step::StartTls => self.on_starttls(reply),
            Step::AuthPlain | Step::AuthUser | Step::AuthPassword | Step::AuthEnd => {
                self.on_auth(reply, out)
            }
            Step::Start | Step::Handshake | Step::Ended => self.refused(reply),
        }
    }

    fn on_connected(&mut self) -> Action {
        if self.target.tls == TlsPolicy::Implicit && !self.encrypted {
            self.step = Step::Handshake;
            return Action::StartTls;
        }
        self.await_reply(Step::Greeting)
    }

    fn on_tls_ready(&mut self, out: &mut Vec<u8>) -> Action {
        self.encrypted = true;
        if self.target.tls == TlsPolicy::Implicit {
            return self.await_reply(Step::Greeting);
        }
        // RFC 3207 §4.2: what was offered before the handshake is forgotten.
        self.offers = Capabilities::default();
        self.say(Command::Ehlo(self.ehlo_name), Step::Ehlo, out)
    }

    fn on_greeting(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if !reply.is_success() {
            return self.refused(reply);
        }
        self.say(Command::Ehlo(self.ehlo_name), Step::Ehlo, out)
    }

    fn on_ehlo(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if reply.is_success() {
            self.offers = Capabilities::read(reply);
            return self.after_ehlo(out);
        }
        // RFC 5321 §3.2: a server that does not know EHLO is greeted with HELO.
        if reply.is_permanent() {
            return self.say(Command::Helo(self.ehlo_name), Step::Helo, out);
        }
        self.refused(reply)
    }

    fn on_helo(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if !reply.is_success() {
            return self.refused(reply);
        }
        self.offers = Capabilities::default();
        self.after_ehlo(out)
    }

    fn after_ehlo(&mut self, out: &mut Vec<u8>) -> Action {
        let wanted = self.target.tls != TlsPolicy::None && !self.encrypted;
        if wanted && self.offers.starttls {
            return self.say(Command::StartTls, Step::StartTls, out);
        }
        if wanted && self.target.tls.is_required() {
            let what = "TLS is required, and the server does not offer it";
            return self.stop(Stage::StartTls, what);
        }
        match &self.target.auth {
            None => self.ready(),
            Some(credentials) if self.encrypted || credentials.in_clear_text => {
                self.begin_auth(out)
            }
            Some(_) => {
                let what =
                    "the password is not sent in clear text, and the stream is not encrypted";
                self.stop(Stage::Auth, what)
            }
        }
    }

    fn on_starttls(&mut self, reply: &Reply) -> Action {
        if reply.code != 220 {
            return self.refused(reply);
        }
        self.step = Step::Handshake;
        Action::StartTls
    }

    fn begin_auth(&mut self, out: &mut Vec<u8>) -> Action {
        match (auth::choose(&self.offers), &self.target.auth) {
            (Some(Mechanism::Plain), Some(credentials)) => {
                let response = auth::plain(credentials);
                self.say(
                    Command::Auth("PLAIN", Some(&response)),
                    Step::AuthPlain,
                    out,
                )
            }
            (Some(Mechanism::Login), Some(_)) => {
                self.say(Command::Auth("LOGIN", None), Step::AuthUser, out)
            }
            (None, _) | (_, None) => {
                let what = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
                self.stop(Stage::Auth, what)
            }
        }
    }

    fn on_auth(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if reply.is_success() {
            return self.ready();
        }
        let Some(credentials) = self.target.auth.as_ref().filter(|_| reply.code == 334) else {
            return self.refused(reply);
        };
        let (secret, next) = match self.step {
            // The server did not take the initial response, and asks for it.
            Step::AuthPlain => (auth::plain(credentials), Step::AuthEnd),
            Step::AuthUser => (
                auth::base64(credentials.user.as_bytes()),
                Step::AuthPassword,
            ),
            Step::AuthPassword => (
                auth::base64(credentials.password.reveal().as_bytes()),
                Step::AuthEnd,
            ),
            Step::Start
            | Step::Greeting
            | Step::Ehlo
            | Step::Helo
            | Step::StartTls
            | Step::Handshake
            | Step::AuthEnd
            | Step::Ended => return self.refused(reply),
        };
        self.say(Command::AuthResponse(&secret), next, out)
    }

    fn await_reply(&mut self, step: Step) -> Action {
        self.step = step;
        Action::Await(step.stage())
    }

    fn say(&mut self, command: Command<'_>, next: Step, out: &mut Vec<u8>) -> Action {
        match command.write(out) {
            Ok(()) => self.await_reply(next),
            Err(why) => {
                let evidence = self.voice.decided(next.stage(), &why.to_string());
                self.fail(evidence, Failure::Ours)
            }
        }
    }

    fn ready(&mut self) -> Action {
        self.step = Step::Ended;
        Action::Finish
    }

    /// The server said no.
    fn refused(&mut self, reply: &Reply) -> Action {
        let evidence = self.voice.said(self.step.stage(), reply);
        self.fail(evidence, Failure::Reply(reply.code))
    }

    /// The connection is of no use any more.
    fn broken(&mut self, what: &str) -> Action {
        let evidence = self.voice.met(self.step.stage(), what);
        self.fail(evidence, Failure::Line)
    }

    /// We do not go on.
    fn stop(&mut self, stage: Stage, what: &str) -> Action {
        let evidence = self.voice.decided(stage, what);
        self.fail(evidence, Failure::Ours)
    }

    fn fail(&mut self, evidence: Evidence, failure: Failure) -> Action {
        let clear_text_retry =
            evidence.stage == Stage::StartTls && self.target.tls == TlsPolicy::Opportunistic;
        let reach = reach(evidence.stage, failure);
        self.failure.get_or_insert(SessionFailure {
            evidence,
            reach,
            clear_text_retry,
        });
        self.step = Step::Ended;
        Action::Finish
    }
}
