//! `posthaste qualifications`: what failure texts mean.

use clap::Subcommand;
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::QualificationId;
use posthaste_core::log::QualificationStatus;
use posthaste_desk::qualifications::{Change, find, set};
use posthaste_desk::times::{json_of, minute};
use posthaste_engine::words;
use posthaste_store::rows::Qualification;

use super::qualifications_todo;
use crate::args;
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::output::{self, Columns, number, page, printable};

/// What to do with qualifications.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List texts, most frequent first
    #[command(after_help = "Example:\n  posthaste qualifications list --status to_qualify")]
    List {
        /// Only this status: to_qualify, keep, ignore
        #[arg(long, value_parser = args::qualification_status)]
        status: Option<QualificationStatus>,
        /// The most lines
        #[arg(long, default_value = "50", value_parser = args::limit)]
        limit: usize,
    },
    /// Show a text and how it is judged
    #[command(after_help = "Example:\n  posthaste qualifications show 12")]
    Show(One),
    /// Say what a text means; your word goes before the rules'
    #[command(
        after_help = "Example:\n  posthaste qualifications set 12 --type hard --reason user_unknown"
    )]
    Set(SetArgs),
    /// The work list: unqualified texts, similar ones together, most harmful first
    #[command(after_help = "Example:\n  posthaste qualifications todo --limit 10")]
    Todo(qualifications_todo::TodoArgs),
    /// Make a rule of a text; the text is its sample
    #[command(
        after_help = "Example:\n  posthaste qualifications to-rule 12 --type soft --reason unreachable"
    )]
    ToRule(qualifications_todo::ToRuleArgs),
}

/// One qualification.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct One {
    /// Id of the qualification
    #[arg(value_name = "QUALIFICATION", value_parser = args::qualification_id)]
    id: QualificationId,
}

/// Arguments of `qualifications set`.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    #[command(flatten)]
    one: One,
    /// The type: hard, soft, ignored, not_defined
    #[arg(long = "type", value_name = "TYPE", value_parser = args::failure_type)]
    kind: Option<FailureType>,
    /// The reason, as slug or number
    #[arg(long, value_parser = args::reason)]
    reason: Option<FailureReason>,
    /// Whose trouble it is: recipient, path, sender, content, ourselves
    #[arg(long, value_parser = args::party)]
    party: Option<Party>,
    /// The status: to_qualify, keep, ignore [default: keep]
    #[arg(long, value_parser = args::qualification_status)]
    status: Option<QualificationStatus>,
    /// How often it was met; 0 begins anew
    #[arg(long, value_name = "N")]
    occurrences: Option<u32>,
}

/// Carries out a verb on qualifications.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    match verb {
        Verb::List { status, limit } => {
            let rows = store.qualifications(status, limit)?;
            if office.json() {
                output::say_json(&page(&rows, None))?;
            } else {
                output::say(table(&rows).text("No failure text has been met."))?;
            }
        }
        Verb::Show(one) => {
            let entry = find(store.as_ref(), one.id)?;
            qualifications_todo::show(store.as_ref(), &entry, office, &said(&entry))?;
        }
        Verb::Todo(args) => return qualifications_todo::todo(&args, office),
        Verb::ToRule(args) => return qualifications_todo::to_rule(&args, office),
        Verb::Set(args) => {
            let change = Change {
                kind: args.kind,
                reason: args.reason,
                party: args.party,
                status: args.status,
                occurrences: args.occurrences,
            };
            tell(
                &set(store.as_ref(), args.one.id, &change, office.now())?,
                office,
            )?;
        }
    }
    Ok(Exit::Done)
}

fn table(rows: &[Qualification]) -> Columns {
    let heads = [
        "#id", "#met", "type", "reason", "party", "status", "last", "text",
    ];
    let mut table = Columns::new(&heads);
    for row in rows {
        table.row(vec![
            row.id.to_string(),
            number(row.occurrences.into()),
            row.kind.to_string(),
            row.reason.to_string(),
            row.party.to_string(),
            row.status.to_string(),
            minute(row.last_seen),
            row.text.clone(),
        ]);
    }
    table
}

fn tell(entry: &Qualification, office: &Office) -> Result<()> {
    office.answer(|| json_of(entry), || said(entry))
}

fn said(entry: &Qualification) -> String {
    let judge = if entry.by_person {
        "a person".to_owned()
    } else {
        format!("the rule {}", entry.rule)
    };
    format!(
        "Text:     {}\nFirst:    {}\nMet:      {} times, {} to {}\n\
         Judged:   {}, {} ({}); the trouble is {}\nStatus:   {}, set by {judge}",
        printable(&entry.text),
        printable(&entry.first_text),
        number(entry.occurrences.into()),
        minute(entry.first_seen),
        minute(entry.last_seen),
        words::kind(entry.kind),
        entry.reason.slug(),
        words::reason(entry.reason),
        words::party(entry.party),
        entry.status,
    )
}
