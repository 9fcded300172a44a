//! `posthaste serve`: all services, until told to stop.

use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::sending;

const EXAMPLE: &str = "\
SIGTERM or Ctrl-C finishes what is on the wire, stores every outcome and ends; a second one quits
at once.

Example:
  posthaste serve --data /srv/posthaste";

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {}

/// Runs the services.
pub fn run(_args: &Args, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    sending::serve(&store, &config)?;
    Ok(Exit::Done)
}
