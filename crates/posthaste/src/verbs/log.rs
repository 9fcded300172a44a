//! `posthaste log`: the delivery log, with what remote hosts said.

use posthaste_core::evidence::SaidBy;
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::ids::{DeliveryId, LogId};
use posthaste_core::log::LogStatus;
use posthaste_desk::deliveries;
use posthaste_desk::quarantine::key_of;
use posthaste_desk::times::{json_of, second};
use posthaste_store::rows::{Attempt, LogFilter, LogRow, Page};
use serde_json::{Value, json};

use crate::args::{delivery_id, failure_type, limit, log_status, reason};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, cursor, remark_next};

const EXAMPLE: &str = "Example:\n  posthaste log 7 --status failed --reason mailbox_full --json";

/// Arguments of `log`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Id of the delivery
    #[arg(value_name = "DELIVERY", value_parser = delivery_id)]
    delivery: DeliveryId,
    /// Only this status: sent, failed, pending, cancelled …
    #[arg(long, value_parser = log_status)]
    status: Option<LogStatus>,
    /// Only this type of failure: hard, soft, ignored, not_defined
    #[arg(long = "type", value_name = "TYPE", value_parser = failure_type)]
    kind: Option<FailureType>,
    /// Only this reason, as slug or number
    #[arg(long, value_parser = reason)]
    reason: Option<FailureReason>,
    /// Only addresses of this domain
    #[arg(long)]
    domain: Option<String>,
    /// Only this address
    #[arg(long)]
    address: Option<String>,
    /// Lines of the page
    #[arg(long, default_value = "50", value_parser = limit)]
    limit: usize,
    /// Begin after this row
    #[arg(long, value_name = "ROW")]
    after: Option<i64>,
    /// Show every attempt, not only the last one
    #[arg(long)]
    attempts: bool,
}

impl Args {
    fn filter(&self) -> Result<LogFilter> {
        let domain = self
            .domain
            .as_deref()
            .map(posthaste_core::address::domain_key);
        Ok(LogFilter {
            delivery: Some(self.delivery),
            status: self.status,
            kind: self.kind,
            reason: self.reason,
            domain: domain
                .transpose()
                .map_err(|why| Failure::input(format!("--domain: {why}")))?,
            key: self.address.as_deref().map(key_of).transpose()?,
        })
    }
}

/// Shows a page of the delivery log.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    let filter = args.filter()?;
    let store = office.store()?;
    deliveries::find(store.as_ref(), args.delivery)?;
    let page = Page {
        after: args.after.map(LogId),
        limit: args.limit,
    };
    let rows = store.log_page(&filter, page)?;
    let next = cursor(&rows, args.limit, |row| row.id.0);
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let attempts = store.attempts(row.id)?;
        shown.push((row, attempts));
    }
    if office.json() {
        let items: Vec<Value> = shown
            .iter()
            .map(|(row, tries)| row_json(row, tries))
            .collect();
        output::say_json(&json!({ "items": items, "next": next }))?;
    } else {
        output::say(table(&shown, args.attempts).text("The delivery log has no such row."))?;
        remark_next(next.as_ref());
    }
    Ok(Exit::Done)
}

fn row_json(row: &LogRow, attempts: &[Attempt]) -> Value {
    let mut json = json_of(row);
    if let Value::Object(fields) = &mut json {
        fields.insert("history".to_owned(), json_of(&attempts));
        if row.status == LogStatus::Pending && row.attempts == 0 {
            fields.insert("changed".to_owned(), Value::Null);
        }
    }
    json
}

fn table(rows: &[(LogRow, Vec<Attempt>)], all: bool) -> Columns {
    let heads = [
        "#row", "address", "status", "type", "reason", "#attempt", "when", "next", "said",
    ];
    let mut table = Columns::new(&heads);
    for (row, attempts) in rows {
        let failed = row.status != LogStatus::Sent && row.attempts > 0;
        let slug = |text: &str| {
            if failed {
                text.to_owned()
            } else {
                String::new()
            }
        };
        let line = |attempt: Option<&Attempt>| {
            vec![
                row.id.to_string(),
                row.address.clone(),
                row.status.to_string(),
                slug(row.kind.slug()),
                slug(row.reason.slug()),
                attempt.map_or_else(String::new, |a| a.number.to_string()),
                moment(row, attempt),
                row.due.map_or_else(String::new, second),
                attempt.map_or_else(String::new, said),
            ]
        };
        if all && !attempts.is_empty() {
            attempts
                .iter()
                .for_each(|attempt| table.row(line(Some(attempt))));
        } else {
            table.row(line(attempts.last()));
        }
    }
    table
}

/// When the attempt was answered; of a row without attempts, when it was decided, if it was.
fn moment(row: &LogRow, attempt: Option<&Attempt>) -> String {
    match attempt {
        Some(attempt) => second(attempt.evidence.at),
        None if row.status == LogStatus::Pending => String::new(),
        None => second(row.changed),
    }
}

fn said(attempt: &Attempt) -> String {
    match &attempt.evidence.said_by {
        SaidBy::Remote(host) => format!("{host}: {}", attempt.evidence.text),
        SaidBy::Us => attempt.evidence.text.clone(),
    }
}
