//! `posthaste exclusions`: who was excluded from a delivery, and why.

use posthaste_core::failure::FailureReason;
use posthaste_core::ids::DeliveryId;
use posthaste_desk::deliveries;
use posthaste_engine::words;
use posthaste_store::rows::Page;

use crate::args::{delivery_id, limit, reason};
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::output::{self, Columns, cursor, page, remark_next};

/// Arguments of `exclusions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  posthaste exclusions 7 --reason double")]
pub struct Args {
    /// Id of the delivery
    #[arg(value_name = "DELIVERY", value_parser = delivery_id)]
    delivery: DeliveryId,
    /// Only this reason, as slug or number
    #[arg(long, value_parser = reason)]
    reason: Option<FailureReason>,
    /// Lines of the page
    #[arg(long, default_value = "50", value_parser = limit)]
    limit: usize,
    /// Begin after this line
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
}

/// Shows a page of the exclusions.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    deliveries::find(store.as_ref(), args.delivery)?;
    let wanted = Page {
        after: args.after,
        limit: args.limit,
    };
    let rows = store.exclusions(args.delivery, args.reason, wanted)?;
    let next = cursor(&rows, args.limit, |row| row.id);
    if office.json() {
        output::say_json(&page(&rows, next.as_ref()))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&["#id", "#line", "address", "reason", "why"]);
    for row in &rows {
        let why = if row.detail.is_empty() {
            words::reason(row.reason).to_owned()
        } else {
            row.detail.clone()
        };
        table.row(vec![
            row.id.to_string(),
            row.line.to_string(),
            row.address.clone(),
            row.reason.to_string(),
            why,
        ]);
    }
    output::say(table.text("Nobody was excluded for that."))?;
    remark_next(next.as_ref());
    Ok(Exit::Done)
}
