//! What the pretend providers are: names, ways of speaking, shares of fates, limits.
//!
//! The form of the sandbox's TOML file. Everything has a default, so a provider is its name and its
//! domains.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Dialect, SandboxError, Shares};

/// A sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Config {
    /// What fates depend on besides the address.
    pub seed: u64,
    /// Accept everything and look at no content: a sink for benches. The ledger counts only.
    pub accept_all: bool,
    /// File to which the ledger appends JSON lines.
    pub ledger: Option<PathBuf>,
    /// Its providers.
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            accept_all: false,
            ledger: None,
            providers: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the TOML form.
    ///
    /// # Errors
    /// [`SandboxError::Config`] with the line and what is wrong there.
    pub fn from_toml(text: &str) -> Result<Self, SandboxError> {
        toml::from_str(text).map_err(|why| SandboxError::Config {
            why: why.to_string(),
        })
    }

    /// One provider for all domains that accepts everything: the bench's sink.
    #[must_use]
    pub fn sink() -> Self {
        Self {
            accept_all: true,
            providers: vec![Provider {
                shares: Shares::none(),
                ..Provider::new("sink", ["*"])
            }],
            ..Self::default()
        }
    }
}

/// A pretend provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// The domains whose mail it takes; `*` stands for all.
    pub domains: Vec<String>,
    /// Host names of its MX, best first; the first one is how it greets.
    pub mx: Vec<String>,
    /// Where it listens; port 0 for any that is free.
    pub listen: SocketAddr,
    /// How its replies are worded.
    pub dialect: Dialect,
    /// How many addresses meet which fate.
    pub shares: Shares,
    /// How often a greylisted address is deferred before it is accepted.
    pub greylist_attempts: u32,
    /// How often an address whose fate is a dropped connection sees it; later it is accepted.
    pub drop_attempts: u32,
    /// Most connections at a time; more are greeted with 421. 0 = any number.
    pub max_connections: u32,
    /// Messages taken by a connection before it is ended with 421. 0 = any number.
    pub messages_per_connection: u32,
    /// After so many messages a pause begins. 0 = never.
    pub pause_after_messages: u32,
    /// So many MAIL commands are deferred in a pause.
    pub pause_refusals: u32,
    /// Connections that are dropped before the greeting until it comes up.
    pub down_connections: u32,
    /// Whether it answers at all.
    pub presence: Presence,
    /// How it does STARTTLS.
    pub starttls: StartTls,
    /// How long each RCPT of an address whose fate is `slow` takes, in milliseconds.
    pub slow_ms: u64,
    /// How long each reply to MAIL and to the final dot takes, in milliseconds.
    pub latency_ms: u64,
    /// Most bytes of a message.
    pub max_size: u64,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            name: "provider".to_owned(),
            domains: Vec::new(),
            mx: Vec::new(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            dialect: Dialect::Postfix,
            shares: Shares::none(),
            greylist_attempts: 1,
            drop_attempts: 1,
            max_connections: 0,
            messages_per_connection: 0,
            pause_after_messages: 0,
            pause_refusals: 0,
            down_connections: 0,
            presence: Presence::Up,
            starttls: StartTls::Off,
            slow_ms: 200,
            latency_ms: 0,
            max_size: 50 << 20,
        }
    }
}

impl Provider {
    /// A provider that accepts everything for these domains.
    #[must_use]
    pub fn new<const N: usize>(name: &str, domains: [&str; N]) -> Self {
        Self {
            name: name.to_owned(),
            domains: domains.map(str::to_owned).to_vec(),
            ..Self::default()
        }
    }

    /// How it greets: the name of its first MX.
    #[must_use]
    pub fn host(&self) -> String {
        match (self.mx.first(), self.domains.first()) {
            (Some(mx), _) => mx.clone(),
            (None, Some(domain)) if domain != "*" => format!("mx.{domain}"),
            (None, _) => "mx.sandbox.example".to_owned(),
        }
    }

    /// Whether it takes mail for the domain of this address.
    #[must_use]
    pub fn takes(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains
            .iter()
            .any(|d| d == "*" || d.eq_ignore_ascii_case(domain))
    }
}

/// Whether a provider answers at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It does.
    Up,
    /// It accepts TCP connections and never says a word.
    Silent,
    /// It refuses TCP connections.
    Closed,
}

/// How a provider does STARTTLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartTls {
    /// Not on offer.
    Off,
    /// With a certificate that it signed itself.
    On,
    /// On offer, and the handshake fails.
    Broken,
}
