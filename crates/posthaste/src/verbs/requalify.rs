//! `posthaste requalify`: past failures judged again, previewed, applied, listed, undone.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use posthaste_core::address::domain_key;
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::ids::{DeliveryId, RequalificationId};
use posthaste_core::qualify::RuleSet;
use posthaste_core::time::Timestamp;
use posthaste_desk::quarantine::Hand;
use posthaste_desk::requalify::{self, CsvExport, NewVerdict, Order, Selection, Survey};
use posthaste_desk::times::{json_of, minute, rfc3339};
use posthaste_engine::rules::LiveRules;
use posthaste_store::requalifying::{Requalification, RequalifiedAddress};
use posthaste_store::rows::Page;
use serde_json::{Value, json};

use super::requalify_text::{addresses_text, survey_text};
use crate::args;
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, number, page};
use crate::work_bar::WorkBar;

const EXAMPLES: &str = "Examples:
  posthaste requalify --text \"does not exist\" --domain gmail.example \\
    --from 2026-11-14T06:55:00-05:00 --to 2026-11-15T18:09:00-05:00 --as ignored/unreachable/path
  posthaste requalify --rule old-rule --by-rules --apply --comment \"rule corrected\"
  posthaste requalify undo 3";

/// Arguments of `requalify`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    which: Which,
    /// The new verdict: type/reason, or type/reason/party
    #[arg(long = "as", value_name = "VERDICT", value_parser = verdict, conflicts_with = "by_rules")]
    verdict: Option<NewVerdict>,
    /// Judge again by the rules and qualifications of now
    #[arg(long)]
    by_rules: bool,
    /// Do it; without this only a preview is shown
    #[arg(long)]
    apply: bool,
    /// Why; kept with what was done
    #[arg(long, default_value = "")]
    comment: String,
    /// Who; kept with what was done
    #[arg(long, value_name = "NAME", default_value = "operator")]
    by: String,
    /// Write the recipients that could be sent again as CSV, ready for import
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// Which failures; all that is given must hold.
#[derive(Debug, clap::Args)]
struct Which {
    /// Part of the text, as said or normalised
    #[arg(long)]
    text: Option<String>,
    /// Name of the rule that judged
    #[arg(long)]
    rule: Option<String>,
    /// The type it has now
    #[arg(long = "type", value_name = "TYPE", value_parser = args::failure_type)]
    kind: Option<FailureType>,
    /// The reason it has now, as slug or number
    #[arg(long, value_parser = args::reason)]
    reason: Option<FailureReason>,
    /// Domain of the address; several with commas, or given several times
    #[arg(long = "domain", value_name = "DOMAIN", value_delimiter = ',')]
    domains: Vec<String>,
    /// Host that said it, with * for anything
    #[arg(long, value_name = "MASK")]
    provider: Option<String>,
    /// Its delivery
    #[arg(long, value_parser = args::delivery_id)]
    delivery: Option<DeliveryId>,
    /// Not before (RFC 3339 with offset)
    #[arg(long, value_name = "MOMENT", value_parser = args::moment)]
    from: Option<Timestamp>,
    /// Not after (RFC 3339 with offset)
    #[arg(long, value_name = "MOMENT", value_parser = args::moment)]
    to: Option<Timestamp>,
}

/// What to do with re-qualifications that were applied.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List what was applied, newest first
    #[command(after_help = "Example:\n  posthaste requalify list")]
    List {
        /// The most lines
        #[arg(long, default_value = "50", value_parser = args::limit)]
        limit: usize,
    },
    /// Show one with its addresses
    #[command(after_help = "Example:\n  posthaste requalify show 3")]
    Show {
        /// Its id
        #[arg(value_name = "REQUALIFICATION", value_parser = id)]
        id: RequalificationId,
        /// The most addresses
        #[arg(long, default_value = "50", value_parser = args::limit)]
        limit: usize,
        /// Begin after this address
        #[arg(long, value_name = "ADDRESS")]
        after: Option<String>,
    },
    /// Take one back exactly; what came later keeps its weight
    #[command(after_help = "Example:\n  posthaste requalify undo 3")]
    Undo {
        /// Its id
        #[arg(value_name = "REQUALIFICATION", value_parser = id)]
        id: RequalificationId,
        /// Who; kept with what was done
        #[arg(long, value_name = "NAME", default_value = "operator")]
        by: String,
    },
}

fn id(text: &str) -> std::result::Result<RequalificationId, String> {
    let id = text.parse().map(RequalificationId);
    id.map_err(|_| "an id is a whole number".to_owned())
}

/// `type/reason` or `type/reason/party`.
fn verdict(text: &str) -> std::result::Result<NewVerdict, String> {
    let mut parts = text.splitn(3, '/');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let form = || "write type/reason or type/reason/party, as in ignored/unreachable/path";
    let kind = args::failure_type(part().ok_or_else(form)?)?;
    let reason = args::reason(part().ok_or_else(form)?)?;
    let party = part().map(args::party).transpose()?;
    Ok(NewVerdict::Given {
        kind,
        reason,
        party,
    })
}

impl Which {
    fn checked(self) -> Result<Selection> {
        let domains = self.domains.iter().map(|domain| domain_key(domain));
        Ok(Selection {
            text: self.text,
            rule: self.rule,
            kind: self.kind,
            reason: self.reason,
            domains: domains
                .collect::<std::result::Result<_, _>>()
                .map_err(|why| Failure::input(format!("--domain: {why}")))?,
            provider: self.provider,
            delivery: self.delivery,
            from: self.from,
            to: self.to,
        })
    }
}

/// Carries out the verb.
pub fn run(args: Args, office: &Office) -> Result<Exit> {
    match args.verb {
        Some(Verb::List { limit }) => list(limit, office),
        Some(Verb::Show { id, limit, after }) => show(id, Page { after, limit }, office),
        Some(Verb::Undo { id, by }) => undo(id, &by, office),
        None => order(args, office),
    }
}

fn order(args: Args, office: &Office) -> Result<Exit> {
    let verdict = match args.verdict {
        Some(verdict) => verdict,
        None if args.by_rules => NewVerdict::ByRules,
        None => {
            return Err(Failure::new(
                Exit::Usage,
                "say what the failures are held to be: --as type/reason/party, or --by-rules",
            ));
        }
    };
    let selection = args.which.checked()?;
    let (config, store) = office.open()?;
    let rules = LiveRules::load(&RuleSet::shipped(), store.as_ref())?;
    let bar = WorkBar::counting("failures looked at");
    let order = Order {
        selection: &selection,
        verdict,
        rules: Arc::new(rules),
        hand: Hand {
            policy: &config.quarantine,
            by: &args.by,
            at: office.now(),
        },
        comment: &args.comment,
        told: &|seen| bar.show(seen),
    };
    let file = args.export.as_deref();
    let doing = || file.map_or_else(String::new, |f| format!("writing {}", f.display()));
    let mut export = file
        .map(CsvExport::create)
        .transpose()
        .map_err(|e| Failure::file(doing(), &e))?;
    let survey = if args.apply {
        requalify::apply(store.as_ref(), &order, export.as_mut())?
    } else {
        requalify::preview(store.as_ref(), &order, export.as_mut())?
    };
    drop(bar);
    let written = export
        .map(CsvExport::finish)
        .transpose()
        .map_err(|e| Failure::file(doing(), &e))?;
    office.answer(
        || {
            survey_json(
                &survey,
                args.apply,
                file.map(|f| f.display().to_string()).as_deref(),
            )
        },
        || survey_text(&survey, args.apply, file.zip(written)),
    )?;
    Ok(Exit::Done)
}

fn survey_json(survey: &Survey, applied: bool, export: Option<&str>) -> Value {
    let mut json = json_of(survey);
    if let Value::Object(fields) = &mut json {
        fields.insert("from".to_owned(), json!(survey.from.map(rfc3339)));
        fields.insert("to".to_owned(), json!(rfc3339(survey.to)));
        fields.insert("applied".to_owned(), json!(applied && survey.id.is_some()));
        fields.insert("export".to_owned(), json!(export));
    }
    json
}

/// A stored one; what it holds as JSON is unfolded.
fn stored_json(found: &Requalification) -> Value {
    let mut json = json_of(found);
    if let Value::Object(fields) = &mut json {
        fields.insert("undone".to_owned(), json!(found.undone.map(rfc3339)));
        for name in ["selection", "verdict", "numbers"] {
            let text = fields.get(name).and_then(Value::as_str);
            let nested: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
            let nested = nested.map_or(Value::Null, |nested| with_range(json_of(&nested)));
            fields.insert(name.to_owned(), nested);
        }
    }
    json
}

/// The moments of a time range, readable.
fn with_range(mut json: Value) -> Value {
    if let Value::Object(fields) = &mut json {
        for name in ["from", "to"] {
            if let Some(ms) = fields.get(name).and_then(Value::as_i64) {
                fields.insert(name.to_owned(), json!(rfc3339(Timestamp(ms))));
            }
        }
    }
    json
}

fn list(limit: usize, office: &Office) -> Result<Exit> {
    let found = office.store()?.requalifications(limit)?;
    let items: Vec<Value> = found.iter().map(stored_json).collect();
    office.answer(
        || json!({ "items": items, "next": null }),
        || table(&found).text("Nothing was re-qualified yet."),
    )?;
    Ok(Exit::Done)
}

fn table(found: &[Requalification]) -> Columns {
    let heads = [
        "#id", "when", "by", "#changed", "#left", "#entered", "undone", "comment",
    ];
    let mut table = Columns::new(&heads);
    for one in found {
        let numbers: Value = serde_json::from_str(&one.numbers).unwrap_or_default();
        let count = |name: &str| number(numbers.get(name).and_then(Value::as_u64).unwrap_or(0));
        table.row(vec![
            one.id.to_string(),
            minute(one.at),
            one.by.clone(),
            count("verdicts_changed"),
            count("leave_quarantine"),
            count("enter_quarantine"),
            one.undone.map_or_else(String::new, minute),
            one.comment.clone(),
        ]);
    }
    table
}

fn show(id: RequalificationId, wanted: Page<String>, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    let found = requalify::find(store.as_ref(), id)?;
    let limit = wanted.limit;
    let addresses: Vec<RequalifiedAddress> = store.requalified_addresses(id, wanted)?;
    let next = output::cursor(&addresses, limit, |one| one.key.clone());
    office.answer(
        || {
            let mut json = stored_json(&found);
            if let Value::Object(fields) = &mut json {
                fields.insert("addresses".to_owned(), page(&addresses, next.as_ref()));
            }
            json
        },
        || {
            let one = table(std::slice::from_ref(&found)).text("");
            format!(
                "{one}\n\nselection: {}\nverdict: {}\n\n{}",
                found.selection,
                found.verdict,
                addresses_text(&addresses)
            )
        },
    )?;
    Ok(Exit::Done)
}

fn undo(id: RequalificationId, by: &str, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let hand = Hand {
        policy: &config.quarantine,
        by,
        at: office.now(),
    };
    let bar = WorkBar::counting("addresses taken back");
    let undone = requalify::undo(store.as_ref(), id, hand, &|done| bar.show(done))?;
    drop(bar);
    office.answer(
        || {
            json!({ "requalification": id.0, "addresses": undone.addresses,
                    "entries": undone.entries, "log_rows": undone.log_rows })
        },
        || {
            format!(
                "Re-qualification {id} is undone: of {} addresses, {} entries of the quarantine \
                 list and {} delivery log rows are as they would be without it.",
                number(undone.addresses),
                number(undone.entries),
                number(undone.log_rows)
            )
        },
    )?;
    Ok(Exit::Done)
}
