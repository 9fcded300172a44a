//! `posthaste delivery`: the steps of a delivery.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use posthaste_core::delivery::{DeliveryEvent, DeliveryState, Level};
use posthaste_core::ids::{DeliveryId, ListId};
use posthaste_core::time::Timestamp;
use posthaste_desk::deliveries::{self, StartAt};
use posthaste_engine::preparer::Prepared;
use posthaste_engine::spec::Spec;
use posthaste_engine::words;
use serde_json::json;

use super::{delivery_show, preview};
use crate::args::{delivery_id, moment};
use crate::config::Config;
use crate::delivery_file::{self, Source};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output;
use crate::sending;
use crate::wiring::{self, SharedStore};

/// The steps.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create a delivery from its file; a recipients file is imported into a list of its own
    #[command(after_help = "Example:\n  posthaste delivery create spring.toml")]
    Create {
        /// The delivery file
        #[arg(value_name = "DELIVERY.toml")]
        file: PathBuf,
    },
    /// Show the message that a recipient would get
    Preview(preview::PreviewArgs),
    /// Create and send a proof of the content to chosen addresses
    Proof(preview::ProofArgs),
    /// Decide who is in the target, try every message, freeze what will be sent
    #[command(after_help = "Example:\n  posthaste delivery prepare 7")]
    Prepare(One),
    /// Confirm a prepared delivery: it starts at its contact date, or at once
    #[command(after_help = "Example:\n  posthaste delivery confirm 7")]
    Confirm(One),
    /// Start a prepared or confirmed delivery now, or at a moment
    #[command(after_help = "Example:\n  posthaste delivery start 7 --at 2026-12-01T09:00:00+01:00")]
    Start {
        #[command(flatten)]
        one: One,
        /// Start no earlier than this (RFC 3339) instead of now
        #[arg(long, value_name = "MOMENT", value_parser = moment)]
        at: Option<Timestamp>,
    },
    /// Pause a delivery; what is on the wire is finished first
    #[command(after_help = "Example:\n  posthaste delivery pause 7")]
    Pause(One),
    /// Resume a paused delivery
    #[command(after_help = "Example:\n  posthaste delivery resume 7")]
    Resume(One),
    /// Stop a delivery for good: who still waits is cancelled
    #[command(after_help = "Example:\n  posthaste delivery stop 7 --yes")]
    Stop {
        #[command(flatten)]
        one: One,
        /// Yes, for good: a stopped delivery cannot be resumed
        #[arg(long)]
        yes: bool,
    },
    /// Show the numbers and the journal of a delivery
    #[command(after_help = "Example:\n  posthaste delivery status 7 --json")]
    Status(One),
    /// List deliveries, newest first
    List(delivery_show::ListArgs),
}

/// One delivery.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct One {
    /// Id of the delivery
    #[arg(value_name = "DELIVERY", value_parser = delivery_id)]
    pub id: DeliveryId,
}

/// Carries out a step.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::Create { file } => create(&file, office),
        Verb::Preview(args) => preview::preview(&args, office),
        Verb::Proof(args) => preview::proof(&args, office),
        Verb::Prepare(one) => prepare(one.id, office),
        Verb::Confirm(one) => start(one.id, StartAt::AsWritten, office),
        Verb::Start { one, at } => start(one.id, at.map_or(StartAt::Now, StartAt::Moment), office),
        Verb::Pause(one) => act(one.id, DeliveryEvent::Pause, office),
        Verb::Resume(one) => resume(one.id, office),
        Verb::Stop { one, yes } => stop(one.id, yes, office),
        Verb::Status(one) => delivery_show::status(one.id, office),
        Verb::List(args) => delivery_show::list(&args, office),
    }
}

fn create(file: &Path, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let id = create_from_file(&store, &config, file, office)?.id;
    office.answer(
        || json!({ "delivery": id, "state": DeliveryState::Edited }),
        || format!("Delivery {id} is created. Next: posthaste delivery prepare {id}"),
    )?;
    Ok(Exit::Done)
}

/// What was created of a delivery file.
#[derive(Debug, Clone, Copy)]
pub struct Created {
    /// The delivery.
    pub id: DeliveryId,
    /// The list that was imported for it; `None` when it names a stored one.
    pub imported: Option<ListId>,
}

/// Reads a delivery file, imports its recipients, and creates the delivery. What is wrong in the
/// file is found before anything is written.
pub fn create_from_file(
    store: &SharedStore,
    config: &Config,
    file: &Path,
    office: &Office,
) -> Result<Created> {
    let loaded = delivery_file::load(file, config)?;
    if let Some(control) = &loaded.spec.exclusions.control_list {
        find_list(store, control)?;
    }
    let (list, imported) = match &loaded.source {
        Source::List(name) => {
            find_list(store, name)?;
            (name.clone(), None)
        }
        Source::File { path, .. } => {
            let name = free_list_name(store, path, office.now())?;
            let imported = wiring::import_recipients(store, &loaded.source, &name, office.now())?;
            if imported.rejected > 0 {
                output::remark(wiring::rejected(&imported));
            }
            if imported.imported == 0 {
                store.delete_list(imported.list)?;
                return Err(nobody(path, imported.rejected));
            }
            (name, Some(imported.list))
        }
    };
    for (sha256, bytes) in &loaded.blobs {
        store.put_blob(sha256, bytes)?;
    }
    let spec = Spec {
        list,
        ..loaded.spec
    };
    let id = deliveries::create(store.as_ref(), &spec, false, office.now())?;
    Ok(Created { id, imported })
}

fn nobody(path: &Path, rejected: u64) -> Failure {
    let why = if rejected == 0 {
        "it has a header and no recipient"
    } else {
        "every line of it was rejected"
    };
    Failure::input(format!(
        "{}: the target is empty: {why}. Nothing was stored; add recipients and run it again.",
        path.display()
    ))
}

fn find_list(store: &SharedStore, name: &str) -> Result<()> {
    if store.list_named(name)?.is_some() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotFound,
        format!("there is no list named \"{name}\"; see `posthaste recipients list`"),
    ))
}

/// A name for the list of a recipients file: the file's, with the moment and a number if needed.
fn free_list_name(store: &SharedStore, path: &Path, now: Timestamp) -> Result<String> {
    let stem = path
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let moment = posthaste_desk::times::rfc3339(now);
    let first = format!("{stem} {moment}");
    let mut name = first.clone();
    let mut number = 1;
    while store.list_named(&name)?.is_some() {
        number += 1;
        name = format!("{first} ({number})");
    }
    Ok(name)
}

fn prepare(id: DeliveryId, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    prepare_and_tell(&store, &config, id, office)?;
    delivery_show::status(id, office)
}

/// Prepares a delivery; what its journal warns of is remarked, an error is a failure.
pub fn prepare_and_tell(
    store: &SharedStore,
    config: &Config,
    id: DeliveryId,
    office: &Office,
) -> Result<()> {
    let prepared = try_preparing(store, config, id, office)?;
    match errors(&prepared) {
        None => Ok(()),
        Some(errors) => Err(Failure::input(format!(
            "delivery {id} cannot be sent:\n  {errors}\nNothing was sent. Correct it and run \
             `posthaste delivery prepare {id}`, or create it anew."
        ))),
    }
}

/// Prepares a delivery; what its journal warns of is remarked. A delivery that prepares without
/// error and starts by itself is confirmed.
pub fn try_preparing(
    store: &SharedStore,
    config: &Config,
    id: DeliveryId,
    office: &Office,
) -> Result<Prepared> {
    let delivery = deliveries::find(store.as_ref(), id)?;
    deliveries::check_can_prepare(&delivery)?;
    let prepared = wiring::prepare(store, config, id)?;
    if prepared.state != DeliveryState::PreparationFailed {
        for text in lines(&prepared, Level::Warning) {
            output::remark(format!("warning: {text}"));
        }
        if prepared.starts_by_itself {
            deliveries::confirm(store.as_ref(), id, StartAt::AsWritten, office.now())?;
        }
    }
    Ok(prepared)
}

/// What made a preparation fail; `None` when it did not.
pub fn errors(prepared: &Prepared) -> Option<String> {
    (prepared.state == DeliveryState::PreparationFailed).then(|| {
        lines(prepared, Level::Error)
            .collect::<Vec<_>>()
            .join("\n  ")
    })
}

fn lines(prepared: &Prepared, level: Level) -> impl Iterator<Item = &str> {
    let of_level = prepared.journal.iter().filter(move |l| l.level == level);
    of_level.map(|line| line.text.as_str())
}

fn start(id: DeliveryId, at: StartAt, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let state = deliveries::confirm(store.as_ref(), id, at, office.now())?;
    tell_state(id, state, office)?;
    remark_unserved(&config);
    Ok(Exit::Done)
}

fn resume(id: DeliveryId, office: &Office) -> Result<Exit> {
    act(id, DeliveryEvent::Resume, office)?;
    remark_unserved(&office.config()?);
    Ok(Exit::Done)
}

/// A delivery that may be sent waits for a process that sends.
fn remark_unserved(config: &Config) {
    if !sending::is_served(config) {
        output::remark("No process sends now: run `posthaste serve`.");
    }
}

fn act(id: DeliveryId, event: DeliveryEvent, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    let state = deliveries::act(store.as_ref(), id, event, office.now())?;
    tell_state(id, state, office)
}

fn stop(id: DeliveryId, yes: bool, office: &Office) -> Result<Exit> {
    if !yes {
        return Err(Failure::new(
            Exit::Usage,
            "a stopped delivery cannot be resumed: add --yes to stop it, or pause it instead",
        ));
    }
    let (config, store) = office.open()?;
    // Kept to the end, so that no services begin in between.
    let lock = sending::lock(&config)?;
    let state = deliveries::stop(store.as_ref(), id, lock.is_ok(), office.now())?;
    tell_state(id, state, office)
}

/// Tells the state a delivery is in now.
pub fn tell_state(id: DeliveryId, state: DeliveryState, office: &Office) -> Result<Exit> {
    office.answer(
        || json!({ "delivery": id, "state": state }),
        || format!("Delivery {id} is {}.", words::state(state)),
    )?;
    Ok(Exit::Done)
}
