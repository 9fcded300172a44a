//! `posthaste workflow`: technical workflows, their last runs, and running one by hand.

use clap::Subcommand;
use posthaste_desk::times::{json_of, minute};
use posthaste_engine::workflows;
use posthaste_store::Store;
use posthaste_store::rows::WorkflowRun;
use serde_json::{Value, json};

use crate::args::limit;
use crate::config::Config;
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, page};

/// What to do with workflows.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the workflows with their last run
    #[command(after_help = "Example:\n  posthaste workflow list")]
    List,
    /// Run a workflow now
    #[command(after_help = "Example:\n  posthaste workflow run database-cleanup")]
    Run {
        /// Its name
        name: String,
    },
    /// Show the last runs of a workflow
    #[command(after_help = "Example:\n  posthaste workflow show database-cleanup --limit 5")]
    Show {
        /// Its name
        name: String,
        /// The most lines
        #[arg(long, default_value = "20", value_parser = limit)]
        limit: usize,
    },
}

/// Carries out a verb on workflows.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::List => list(office),
        Verb::Run { name } => run_now(&name, office),
        Verb::Show { name, limit } => show(&name, limit, office),
    }
}

fn named(name: &str, config: &Config) -> Result<Box<dyn workflows::Workflow>> {
    let mut known = Vec::new();
    for workflow in workflows::all(config.cleanup.hour) {
        if workflow.name() == name {
            return Ok(workflow);
        }
        known.push(workflow.name());
    }
    let known = known.join(", ");
    let message = format!("there is no workflow \"{name}\"; known are: {known}");
    Err(Failure::new(Exit::NotFound, message))
}

fn list(office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let mut items = Vec::new();
    let mut table = Columns::new(&["name", "hour (UTC)", "last run", "result", "purpose"]);
    for workflow in workflows::all(config.cleanup.hour) {
        let last = store.runs(workflow.name(), 1)?.into_iter().next();
        items.push(json!({
            "name": workflow.name(),
            "purpose": workflow.purpose(),
            "hour": workflow.hour(),
            "last_run": last.as_ref().map(json_of),
        }));
        table.row(vec![
            workflow.name().to_owned(),
            workflow.hour().to_string(),
            last.as_ref()
                .map_or_else(|| "never".to_owned(), |run| minute(run.began)),
            last.as_ref().map_or_else(String::new, result),
            workflow.purpose().to_owned(),
        ]);
    }
    office.answer(
        || json!({ "items": items, "next": null }),
        || table.text("There are none."),
    )?;
    Ok(Exit::Done)
}

fn run_now(name: &str, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let workflow = named(name, &config)?;
    let all: &dyn Store = store.as_ref();
    let context = workflows::Context {
        store: all,
        now: office.now(),
        policy: &config.quarantine,
        retention: config.cleanup.log_retention,
    };
    let report = workflows::run(workflow.as_ref(), &context)?;
    office.answer(
        || json!({ "name": name, "report": report }),
        || {
            format!(
                "{name}: {}",
                counts(report.iter().map(|(k, n)| ((*k).to_owned(), *n)))
            )
        },
    )?;
    Ok(Exit::Done)
}

fn show(name: &str, limit: usize, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    named(name, &config)?;
    let runs = store.runs(name, limit)?;
    if office.json() {
        output::say_json(&page(&runs, None))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&["#run", "began", "ended", "result"]);
    for run in &runs {
        table.row(vec![
            run.id.to_string(),
            minute(run.began),
            run.ended.map_or_else(String::new, minute),
            result(run),
        ]);
    }
    output::say(table.text("It has never run."))?;
    Ok(Exit::Done)
}

fn result(run: &WorkflowRun) -> String {
    let Some(report) = &run.report else {
        return run
            .error
            .clone()
            .unwrap_or_else(|| "running, or cut off".to_owned());
    };
    match serde_json::from_str(report) {
        Ok(Value::Object(fields)) => counts(
            fields
                .into_iter()
                .map(|(name, n)| (name, n.as_u64().unwrap_or_default())),
        ),
        _ => report.clone(),
    }
}

/// Named counts in words; underscores become spaces.
fn counts(counts: impl Iterator<Item = (String, u64)>) -> String {
    let some = counts.filter(|(_, n)| *n > 0);
    let words: Vec<String> = some
        .map(|(name, n)| format!("{} {n}", name.replace('_', " ")))
        .collect();
    if words.is_empty() {
        return "nothing to do".to_owned();
    }
    words.join(", ")
}
