//! `posthaste sandbox` (hidden): pretend providers as a process of their own, for tests and the
//! bench.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::wiring;

/// Arguments of `sandbox`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Address to listen on; loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// What every recipient's fate is: mixed or accept
    #[arg(long, default_value = "mixed")]
    pub fates: String,
    /// Providers to pretend (TOML); instead of --fates
    #[arg(long = "providers", value_name = "FILE", id = "providers")]
    pub config: Option<PathBuf>,
    /// File of the sandbox's own ledger
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
}

/// Runs the providers until told to stop.
pub fn run(args: &Args, _office: &Office) -> Result<Exit> {
    wiring::sandbox(args)
}
