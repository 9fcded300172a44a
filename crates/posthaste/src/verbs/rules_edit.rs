//! `posthaste rules add|edit|order|…`: changing single rules.

use std::io::Read;
use std::path::{Path, PathBuf};

use posthaste_core::qualify::Place;
use posthaste_desk::rules::{Done, Hand};
use posthaste_desk::rules_edit::{self, Spot, read_file};
use posthaste_desk::times::json_of;
use posthaste_mail::read::RuleFile;
use posthaste_store::Store;

use crate::exit::{Exit, Failure, Result};
use crate::office::Office;

/// Arguments of `rules add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The rule file; `-` for standard input
    file: PathBuf,
    /// Ask them right before this shipped rule [default: before all of them]
    #[arg(long, value_name = "RULE", conflicts_with = "last")]
    before: Option<String>,
    /// Ask them after all shipped rules
    #[arg(long)]
    last: bool,
}

/// Arguments of `rules edit`.
#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// Name of the rule
    name: String,
    /// File with the rule; `-` for standard input
    file: PathBuf,
}

/// Arguments of `rules order`.
#[derive(Debug, clap::Args)]
#[command(group(
    clap::ArgGroup::new("spot")
        .required(true)
        .args(["before", "after", "first", "last"])
))]
pub struct OrderArgs {
    /// Name of the rule
    name: String,
    /// Ask it right before this rule
    #[arg(long, value_name = "RULE")]
    before: Option<String>,
    /// Ask it right after this rule
    #[arg(long, value_name = "RULE")]
    after: Option<String>,
    /// Ask it before all others
    #[arg(long)]
    first: bool,
    /// Ask it after all others
    #[arg(long)]
    last: bool,
}

/// Adds the rules of a file.
pub fn add(args: &AddArgs, office: &Office) -> Result<Exit> {
    let file = rule_file(&args.file)?;
    let place = match (&args.before, args.last) {
        (Some(name), _) => Place::Before(name.clone()),
        (None, true) => Place::Last,
        (None, false) => Place::First,
    };
    if let Place::Before(name) = &place {
        let line = posthaste_desk::rules::find(office.store()?.as_ref(), name)?;
        if line.origin != "shipped" {
            return Err(Failure::input(format!(
                "{name} is no shipped rule: add the file, then move its rules with `posthaste \
                 rules order`"
            )));
        }
    }
    change(office, |store, hand| {
        rules_edit::add(store, &file, &place, hand)
    })
}

/// Replaces a rule.
pub fn edit(args: &EditArgs, office: &Office) -> Result<Exit> {
    let file = rule_file(&args.file)?;
    change(office, |store, hand| {
        rules_edit::edit(store, &args.name, &file, hand)
    })
}

/// Moves a rule.
pub fn order(args: &OrderArgs, office: &Office) -> Result<Exit> {
    let spot = match (&args.before, &args.after, args.first) {
        (Some(other), ..) => Spot::Before(other.clone()),
        (None, Some(other), _) => Spot::After(other.clone()),
        (None, None, true) => Spot::First,
        (None, None, false) => Spot::Last,
    };
    change(office, |store, hand| {
        rules_edit::order(store, &args.name, &spot, hand)
    })
}

/// Carries out a change and tells what it came to.
pub fn change(
    office: &Office,
    work: impl FnOnce(&dyn Store, Hand<'_>) -> posthaste_desk::Result<Done>,
) -> Result<Exit> {
    let store = office.store()?;
    let by = operator();
    let hand = Hand {
        by: &by,
        at: office.now(),
    };
    let done = work(store.as_ref(), hand)?;
    office.answer(|| json_of(&done), || told(&done))?;
    Ok(Exit::Done)
}

/// Who is named in the history.
pub fn operator() -> String {
    match std::env::var("USER").ok().filter(|name| !name.is_empty()) {
        Some(name) => format!("operator {name}"),
        None => "operator".to_owned(),
    }
}

/// What a change came to, in sentences.
pub fn told(done: &Done) -> String {
    let mut lines: Vec<String> = done
        .changed
        .iter()
        .map(|one| format!("{}: {} (version {})", one.name, one.what, one.version))
        .collect();
    lines.push(format!(
        "The rules are at version {}; services that run take them up within a second.",
        done.version
    ));
    if let Some(backup) = &done.backup {
        lines.push(format!(
            "Before: posthaste rules restore {backup} brings the former rules back."
        ));
    }
    if !done.kept.is_empty() {
        lines.push(format!("Kept as your own: {}.", done.kept.join(", ")));
    }
    if !done.takes_over.is_empty() {
        lines.push(format!(
            "Note: texts of these shipped rules are now taken before them: {}.",
            done.takes_over.join(", ")
        ));
    }
    lines.join("\n")
}

/// Reads a rule file.
pub fn rule_file(path: &Path) -> Result<RuleFile> {
    let shown = path.display().to_string();
    let text = if shown == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|e| Failure::file(format!("reading the rules {shown}"), &e))?;
    Ok(read_file(&shown, &text)?)
}
