//! `posthaste demo`: the main job against pretend providers, by time-lapse.

use std::path::PathBuf;

use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::wiring;

/// Arguments of `demo`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  posthaste demo")]
pub struct Args {
    /// Keep the demo's data in this directory, to look around afterwards
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Recipients of the example
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub recipients: u32,
}

/// Runs the demo.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    wiring::demo(args, office.json())
}
