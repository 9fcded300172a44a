//! `posthaste send`: the one-shot. Import, prepare, confirm, send until finished.

use std::path::PathBuf;

use posthaste_core::delivery::DeliveryState;
use posthaste_desk::deliveries::{self, StartAt};
use posthaste_desk::times::json_of;

use super::delivery::{Created, create_from_file, errors, try_preparing};
use crate::config::Config;
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::wiring::SharedStore;
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
    let created = create_from_file(&store, &config, &args.file, office)?;
    prepare(&store, &config, created, office)?;
    let id = created.id;
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

/// Prepares the delivery. One that cannot be sent because of its message or its recipients is taken
/// back whole, with the list that was imported for it: correcting its files and sending again starts
/// from nothing. One whose recipients are all excluded stays, as its exclusions say why.
fn prepare(store: &SharedStore, config: &Config, created: Created, office: &Office) -> Result<()> {
    let id = created.id;
    let prepared = try_preparing(store, config, id, office)?;
    let Some(errors) = errors(&prepared) else {
        return Ok(());
    };
    if office.json() {
        output::say_json(&json_of(&deliveries::summary(store.as_ref(), id)?))?;
    }
    let next = if prepared.target > 0 && prepared.kept == 0 {
        format!("see `posthaste exclusions {id}`")
    } else {
        store.remove_delivery(id)?;
        if let Some(list) = created.imported {
            store.delete_list(list)?;
        }
        "nothing of it is kept; correct its files and send again".to_owned()
    };
    Err(Failure::input(format!(
        "the delivery cannot be sent:\n  {errors}\nNothing was sent, and {next}."
    )))
}
