//! `posthaste qualifications todo|to-rule`: the work list, and the step from a text to a rule;
//! the addresses at risk that `show` adds.

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::QualificationId;
use posthaste_core::qualify::RuleSet;
use posthaste_desk::provider::by_provider;
use posthaste_desk::rules::Hand;
use posthaste_desk::times::json_of;
use posthaste_desk::todo::{self as desk, Says, Suggestion, Task};
use posthaste_engine::rules::LiveRules;
use posthaste_store::Store;
use posthaste_store::rows::Qualification;
use serde_json::json;

use super::rules_edit::{operator, told};
use crate::args;
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::output::{self, number, page, printable, remark};

/// Domains that are shown of each text.
const DOMAINS: usize = 5;

/// Arguments of `qualifications todo`.
#[derive(Debug, clap::Args)]
pub struct TodoArgs {
    /// The most entries
    #[arg(long, default_value = "50", value_parser = args::limit)]
    limit: usize,
}

/// Arguments of `qualifications to-rule`.
#[derive(Debug, clap::Args)]
pub struct ToRuleArgs {
    /// Id of the qualification
    #[arg(value_name = "QUALIFICATION", value_parser = args::qualification_id)]
    id: QualificationId,
    /// The type: hard, soft, ignored
    #[arg(long = "type", value_name = "TYPE", value_parser = args::failure_type)]
    kind: FailureType,
    /// The reason, as slug or number
    #[arg(long, value_parser = args::reason)]
    reason: FailureReason,
    /// Whose trouble it is [default: the text's own]
    #[arg(long, value_parser = args::party)]
    party: Option<Party>,
    /// Name of the rule [default: own-text-QUALIFICATION]
    #[arg(long)]
    name: Option<String>,
}

/// Shows the work list.
pub fn todo(args: &TodoArgs, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let rules = LiveRules::load(&RuleSet::shipped(), store.as_ref())?.now();
    let mut tasks = desk::todo(store.as_ref(), &rules.replies, config.quarantine.max_errors)?;
    let more = tasks.len().saturating_sub(args.limit);
    tasks.truncate(args.limit);
    if office.json() {
        output::say_json(&page(&tasks, None))?;
        return Ok(Exit::Done);
    }
    if tasks.is_empty() {
        output::say("Nothing to do: every text is qualified.")?;
    }
    for task in &tasks {
        output::say(paragraph(task))?;
    }
    if more > 0 {
        remark(format!("{more} more: add --limit {}", args.limit + more));
    }
    Ok(Exit::Done)
}

fn paragraph(task: &Task) -> String {
    let also = match task.also.len() {
        0 => String::new(),
        n => format!(" (and {n} similar)"),
    };
    let mut text = format!(
        "{}: {}{also}\n    met {} times, {}",
        task.id,
        printable(&task.text),
        number(task.occurrences),
        at_risk(
            task.addresses,
            task.near_quarantine,
            &task.domains,
            &task.providers
        ),
    );
    text.push_str(&match &task.suggestion {
        Some(guess) => format!("\n    probably {}", suggested(guess)),
        None => "\n    nothing known is near".to_owned(),
    });
    if let Some(near) = &task.nearest {
        text.push_str(&format!(
            "\n    nearest, {} % alike, of {}: {}",
            near.alike,
            near.of,
            printable(&near.text)
        ));
    }
    text
}

fn suggested(guess: &Suggestion) -> String {
    format!(
        "{}, {}, trouble of {}, {} % sure",
        guess.kind, guess.reason, guess.party, guess.confidence
    )
}

type Sums = [(String, u64)];

fn at_risk(addresses: u64, near: u64, domains: &Sums, providers: &Sums) -> String {
    let mut text = format!(
        "{} addresses at risk, {} of them one error from quarantine",
        number(addresses),
        number(near)
    );
    for (lead, sums) in [(": ", domains), ("; said by ", providers)] {
        for (place, (name, n)) in sums.iter().take(DOMAINS).enumerate() {
            text.push_str(if place == 0 { lead } else { ", " });
            text.push_str(&format!("{} {}", printable(name), number(*n)));
        }
    }
    text
}

/// Makes a rule of a text.
pub fn to_rule(args: &ToRuleArgs, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    let by = operator();
    let hand = Hand {
        by: &by,
        at: office.now(),
    };
    let says = Says {
        kind: args.kind,
        reason: args.reason,
        party: args.party,
        name: args.name.clone(),
    };
    let (entry, done) = desk::to_rule(store.as_ref(), args.id, &says, hand)?;
    office.answer(
        || json!({ "qualification": json_of(&entry), "rules": json_of(&done) }),
        || told(&done),
    )?;
    Ok(Exit::Done)
}

/// Shows a text with the addresses at risk.
pub fn show(store: &dyn Store, entry: &Qualification, office: &Office, said: &str) -> Result<()> {
    let max_errors = office.config()?.quarantine.max_errors;
    let risks = store.at_risk(&[entry.id], max_errors.saturating_sub(1))?;
    let addresses = risks.iter().map(|one| one.addresses).sum();
    let near = risks.iter().map(|one| one.near_quarantine).sum();
    let domains: Vec<(String, u64)> = risks
        .iter()
        .map(|one| (one.domain.clone(), one.addresses))
        .collect();
    let told = store.told_by(&[entry.id])?;
    let providers = by_provider(told.iter());
    office.answer(
        || {
            let mut json = json_of(entry);
            if let Some(fields) = json.as_object_mut() {
                fields.insert("addresses".to_owned(), json!(addresses));
                fields.insert("near_quarantine".to_owned(), json!(near));
                fields.insert("domains".to_owned(), json!(domains));
                fields.insert("providers".to_owned(), json!(providers));
            }
            json
        },
        || {
            format!(
                "{said}\nAt risk:  {}",
                at_risk(addresses, near, &domains, &providers)
            )
        },
    )
}
