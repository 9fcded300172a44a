//! The client side of SMTP: opens sessions, and sends messages through them.
//!
//! Two machines without I/O decide what is said: [`opening`] from the connection to a session
//! that can send, and [`transaction`] for one message. [`session`] is the driver of both: it
//! moves bytes and keeps time. [`reach`] decides what a failure touches, [`content`] how a message
//! is put on the wire.
//!
//! ```text
//! Target ─► Session::connect ─► send, send, test … ─► quit
//!                │ SessionFailure        │ Sent: one Outcome per recipient, Still::{Open, Closing}
//! ```

pub mod auth;
pub mod capabilities;
pub mod content;
pub mod event;
pub mod opening;
pub mod reach;
pub mod session;
pub mod transaction;
mod wire;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use posthaste_core::evidence::{Evidence, Outcome};
use posthaste_net::route::Credentials;
use posthaste_net::tls::{TlsClient, TlsPolicy};

pub use reach::Reach;
pub use session::Session;

use crate::stages::Timeouts;

/// A host to connect to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name: part of the evidence, and verified where TLS is required.
    pub host: String,
    /// Its address and port.
    pub address: SocketAddr,
    /// How the stream is to be protected.
    pub tls: TlsPolicy,
    /// Who we are to it, for a relay.
    pub auth: Option<Arc<Credentials>>,
}

impl Target {
    /// The same host in clear text: for the one further attempt after
    /// [`SessionFailure::clear_text_retry`].
    #[must_use]
    pub fn in_clear_text(&self) -> Self {
        Self {
            tls: TlsPolicy::None,
            ..self.clone()
        }
    }
}

/// What all sessions share.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Our host name, for EHLO.
    pub ehlo_name: String,
    /// How long each stage may take.
    pub timeouts: Timeouts,
    /// The address to connect from.
    pub source: Option<IpAddr>,
    /// The client side of TLS.
    pub tls: Arc<TlsClient>,
}

/// The envelope of a message.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The return path; empty for the null path.
    pub from: &'a str,
    /// The recipients, in the form in which they are sent.
    pub recipients: &'a [&'a str],
    /// Whether an address or a header needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// The size of the content in octets.
    pub size: usize,
}

/// What became of a message.
#[derive(Debug, Clone)]
#[must_use = "outcomes go to the recorder"]
pub struct Sent {
    /// One outcome per recipient, in the order of the envelope.
    pub outcomes: Vec<Outcome>,
    /// Whether more can be sent through the session.
    pub session: Still,
    /// The server had closed the session before it took up this message: nothing was refused,
    /// and the message may be offered again at once through another session.
    pub stale: bool,
    /// How long it took.
    pub took: Duration,
}

/// Whether more can be sent through a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Still {
    /// It can.
    Open,
    /// It cannot; the reason is a sentence.
    Closing(String),
}

/// Why there is no session.
#[derive(Debug, Clone)]
pub struct SessionFailure {
    /// What was said.
    pub evidence: Evidence,
    /// What it touches: [`Reach::Host`] (try the next), [`Reach::Site`] or [`Reach::Ourselves`].
    pub reach: Reach,
    /// The host offered STARTTLS and failed at it: one further attempt in clear text is allowed
    /// ([`Target::in_clear_text`]).
    pub clear_text_retry: bool,
}

impl SessionFailure {
    /// The outcome for a recipient if no other host remains to be tried. Always deferred but for
    /// a host that says in its greeting that it never takes mail (521, RFC 7504 §3; 554, RFC 5321
    /// §3.1).
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.evidence.stage, self.evidence.code) {
            (posthaste_core::evidence::Stage::Greeting, Some(521 | 554)) => {
                Outcome::Refused(self.evidence.clone())
            }
            _ => Outcome::Deferred(self.evidence.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
