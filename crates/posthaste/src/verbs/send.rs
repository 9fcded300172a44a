//! `posthaste send`: the one-shot. Import, prepare, confirm, send until finished.

use std::path::PathBuf;

use posthaste_core::delivery::DeliveryState;
use posthaste_engine::desk::deliveries::{self, StartAt};
use posthaste_engine::desk::times::json_of;

use super::delivery::{create_from_file, prepare_and_tell};
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::{output, progress_bar, report, sending};

const EXAMPLE: &str = "\
Ctrl-C pauses the delivery cleanly; a second one quits at once. What was sent stays sent, and
`posthaste delivery resume` with `posthaste serve` goes on from there.

Example:
  posthaste send spring.toml --json";

/// Arguments of `send`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The delivery file
    #[arg(value_name = "DELIVERY.toml")]
    file: PathBuf,
}

/// Sends a delivery file from beginning to end.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    sending::check(&config)?;
    let id = create_from_file(&store, &config, &args.file, office)?;
    if let Err(failure) = prepare_and_tell(&store, &config, id, office) {
        if office.json() {
            output::say_json(&json_of(&deliveries::summary(store.as_ref(), id)?))?;
        }
        return Err(failure);
    }
    if deliveries::find(store.as_ref(), id)?.state == DeliveryState::Ready {
        deliveries::confirm(store.as_ref(), id, StartAt::AsWritten, office.now())?;
    }
    let watch = progress_bar::watcher_or_lines(office.json());
    let interrupted = sending::until_ended(&store, &config, id, watch.as_ref())?;
    watch.end();
    let summary = deliveries::summary(store.as_ref(), id)?;
    office.answer(|| json_of(&summary), || report::numbers(&summary))?;
    Ok(match (summary.state, interrupted) {
        (DeliveryState::Finished, _) => Exit::Done,
        (_, true) => Exit::Interrupted,
        _ => Exit::Unfinished,
    })
}
