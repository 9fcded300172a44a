//! Pretend mailbox providers on loopback, for tests, benches and the demo.
//!
//! A [`Config`] names [`Provider`]s: their domains, how their replies are worded ([`Dialect`]), and how
//! many addresses meet which [`Fate`]. [`run`] starts them in this process, [`serve_process`] as a
//! process of its own. What they accepted stands in the [`Ledger`], which judges the program under
//! test; so nothing here may use the engine or the store.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use posthaste_sandbox::{Config, Fate, Provider, Shares, run};
//!
//! let mut full = Provider::new("full", ["full.example"]);
//! full.shares = Shares::all(Fate::MailboxFull);
//! let sandbox = run(Config { providers: vec![full], ..Config::default() }).await.unwrap();
//! println!("{}", sandbox.routes_toml());
//! assert_eq!(sandbox.ledger().accepted(), 0);
//! sandbox.stop().await;
//! # });
//! ```

mod config;
pub mod demo;
mod dialect;
mod fate;
mod ledger;
mod process;
mod running;
mod site;
#[cfg(test)]
mod tests;

pub use config::{Config, Presence, Provider, StartTls};
pub use dialect::Dialect;
pub use fate::{Fate, Shares};
pub use ledger::{Entry, Ledger};
pub use process::serve_process;
pub use running::{Place, Route, Running, Zone, run};

/// What can go wrong with a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The configuration cannot be read.
    #[error("reading the sandbox's configuration: {why}; correct it and start again")]
    Config {
        /// Where and what is wrong.
        why: String,
    },
    /// A provider cannot listen.
    #[error(
        "opening provider {provider} on {addr}: {source}; give it another `listen` address, or port 0"
    )]
    Listen {
        /// The provider's name.
        provider: String,
        /// Where it was to listen.
        addr: std::net::SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The ledger's file cannot be opened or read.
    #[error("opening the ledger {}: {source}; check its directory and rights", path.display())]
    Ledger {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A certificate for STARTTLS cannot be made.
    #[error("making a certificate: {why}; check the provider's `mx` names")]
    Certificate {
        /// What is wrong.
        why: String,
    },
    /// The process's signals or output cannot be used.
    #[error("running as a process: {0}; check that standard output is open")]
    Process(#[source] std::io::Error),
}
