//! `posthaste demo`: the main job against pretend providers, by time-lapse.

use std::path::PathBuf;

use crate::demonstration;
use crate::exit::{Exit, Result};
use crate::office::Office;

/// Arguments of `demo`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  posthaste demo")]
pub struct Args {
    /// Keep the demo's data in this directory, to look around afterwards
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Runs the demo.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    demonstration::run(args, office.json())
}
