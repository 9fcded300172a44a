//! The configuration: `posthaste.toml`, checked, as small structs by concern.
//!
//! The file is read once and checked as a whole ([`read`]); environment variables and files give
//! secrets only. What operators change while the program runs (quarantine, qualifications) lives
//! in the store, not here. Every key is described in docs/configuration.md and, with its default,
//! in the file that `posthaste init` writes.

mod read;
mod routes;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use posthaste_core::quarantine::Policy;
use posthaste_core::retry::RetryPolicy;
use posthaste_net::route::Route;

use crate::exit::{Exit, Failure, Result};
pub use read::{check, not_toml, retries};

/// Name of the file that is looked for when none is given.
pub const FILE_NAME: &str = "posthaste.toml";

/// The file that `init` writes: every key with its meaning and default.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Everything the configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of this instance: names the part of a token that tells instances apart.
    pub instance: String,
    /// Directory of the store and its lock.
    pub data_dir: PathBuf,
    /// File of the instance's secret.
    pub secret_file: PathBuf,
    /// Name said in EHLO.
    pub ehlo_name: String,
    /// Local address to send from.
    pub source_address: Option<IpAddr>,
    /// Name look-ups.
    pub dns: Dns,
    /// Time-outs of the SMTP client.
    pub smtp: SmtpTimeouts,
    /// Limits of sending.
    pub sending: Sending,
    /// Our From domains.
    pub domains: Vec<Domain>,
    /// Relays, first match wins.
    pub routes: Vec<Route>,
    /// Retries of deliveries that name none.
    pub retries: RetryPolicy,
    /// Quarantine policy.
    pub quarantine: Policy,
    /// Database cleanup.
    pub cleanup: Cleanup,
    /// Endpoint of one-click unsubscription (RFC 8058); `None` for mailto only.
    pub unsubscribe_url: Option<String>,
    /// Defaults of deliveries.
    pub deliveries: DeliveryDefaults,
}

/// Name look-ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// Name servers; empty means those of the system.
    pub nameservers: Vec<SocketAddr>,
    /// How long one query may take.
    pub timeout: Duration,
    /// How often a query is tried.
    pub attempts: u32,
}

/// Time-outs of the SMTP client by stage (RFC 5321 §4.5.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpTimeouts {
    /// Opening the connection.
    pub connect: Duration,
    /// Greeting.
    pub greeting: Duration,
    /// EHLO and HELO.
    pub ehlo: Duration,
    /// STARTTLS and its handshake.
    pub starttls: Duration,
    /// AUTH.
    pub auth: Duration,
    /// MAIL.
    pub mail: Duration,
    /// RCPT.
    pub rcpt: Duration,
    /// DATA, up to its 354.
    pub data: Duration,
    /// Each block of the content.
    pub content: Duration,
    /// Reply to the final dot.
    pub final_dot: Duration,
    /// RSET, QUIT.
    pub quit: Duration,
    /// How long an idle connection is kept for further messages.
    pub idle: Duration,
}

/// Limits of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Connections to one site at the same time.
    pub connections_per_site: u32,
    /// Connections of this process at the same time.
    pub connections: u32,
    /// Messages on one connection before it is closed.
    pub messages_per_connection: u32,
    /// Recipients held in memory, all sites together.
    pub recipients_held: u32,
    /// Port that MX hosts are spoken to on; other than 25 only for tests.
    pub port: u16,
}

/// A From domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name, A-label form, lower case.
    pub name: String,
    /// Error address of deliveries from it: base of the return path.
    pub error_address: Option<String>,
    /// Its DKIM keys; a message is signed with each.
    pub dkim: Vec<DkimKey>,
}

/// A DKIM key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// Its selector.
    pub selector: String,
    /// File of the private key (PKCS #8 PEM).
    pub key_file: PathBuf,
}

/// Database cleanup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleanup {
    /// Hour of the day (UTC) at which it runs.
    pub hour: u8,
    /// How long delivery logs of ended deliveries and ledger events are kept.
    pub log_retention: Duration,
}

/// Defaults of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryDefaults {
    /// How long a delivery may be sent after its start.
    pub validity: Duration,
}

/// Finds, reads and checks the configuration.
///
/// `file` is what `-c` gives; otherwise the file of the data directory, then of the current one.
/// `data` is what `--data` gives: it replaces the data directory.
pub fn load(file: Option<&Path>, data: Option<&Path>) -> Result<Config> {
    let path = find(file, data)?;
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Failure::file(format!("reading the configuration {}", path.display()), &e))?;
    let home = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let environment = |name: &str| std::env::var(name).ok();
    let mut config = check(&text, &home, &environment)
        .map_err(|problems| Failure::problems(path.display(), &problems))?;
    if let Some(data) = data {
        config.data_dir = data.to_path_buf();
    }
    Ok(config)
}

fn find(file: Option<&Path>, data: Option<&Path>) -> Result<PathBuf> {
    if let Some(file) = file {
        return Ok(file.to_path_buf());
    }
    let places = [
        data.map(|data| data.join(FILE_NAME)),
        Some(PathBuf::from(FILE_NAME)),
    ];
    places
        .into_iter()
        .flatten()
        .find(|path| path.exists())
        .ok_or_else(|| {
            Failure::new(
                Exit::Input,
                format!(
                    "there is no {FILE_NAME} here: create one with `posthaste init`, \
                 or name it with -c FILE"
                ),
            )
        })
}

impl Config {
    /// File of the store.
    pub fn store_file(&self) -> PathBuf {
        self.data_dir.join(crate::wiring::STORE_FILE)
    }

    /// The From domain with this name.
    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.domains.iter().find(|domain| domain.name == name)
    }

    /// The secret of this instance.
    ///
    /// # Errors
    /// When the file cannot be read, is not 32 bytes long, or others may read it.
    pub fn secret(&self) -> Result<[u8; 32]> {
        crate::secret_file::read(&self.secret_file)
    }
}
