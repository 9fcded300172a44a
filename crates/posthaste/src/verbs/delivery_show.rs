//! `posthaste delivery list` and `status`.

use posthaste_core::ids::DeliveryId;
use posthaste_desk::deliveries;
use posthaste_desk::times::{json_of, minute};
use posthaste_engine::words;
use posthaste_store::rows::Delivery;
use serde_json::Value;

use crate::args::{delivery_id, limit};
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::output::{self, Columns, cursor, number, page, remark_next};
use crate::report;

/// Deliveries that are looked through for a page.
const MOST: usize = 100_000;

/// Arguments of `delivery list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  posthaste delivery list --limit 20")]
pub struct ListArgs {
    /// Lines of the page
    #[arg(long, default_value = "50", value_parser = limit)]
    limit: usize,
    /// Begin after (older than) this delivery
    #[arg(long, value_name = "DELIVERY", value_parser = delivery_id)]
    after: Option<DeliveryId>,
}

/// Lists deliveries, newest first.
pub fn list(args: &ListArgs, office: &Office) -> Result<Exit> {
    let all = office.store()?.deliveries(MOST)?;
    let older = |d: &Delivery| args.after.is_none_or(|after| d.id < after);
    let rows: Vec<Delivery> = all.into_iter().filter(older).take(args.limit).collect();
    let next = cursor(&rows, args.limit, |d| d.id.0);
    if office.json() {
        output::say_json(&page(&rows, next.as_ref()))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&[
        "#id", "label", "state", "#target", "#to send", "created", "ended",
    ]);
    for d in &rows {
        table.row(vec![
            d.id.to_string(),
            d.label.clone(),
            words::state(d.state).to_owned(),
            number(d.target),
            number(d.to_send),
            minute(d.created),
            d.ended.map_or_else(String::new, minute),
        ]);
    }
    output::say(
        table.text("There are no deliveries yet: posthaste delivery create DELIVERY.toml"),
    )?;
    remark_next(next.as_ref());
    Ok(Exit::Done)
}

/// The numbers and the journal of a delivery.
pub fn status(id: DeliveryId, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    let summary = deliveries::summary(store.as_ref(), id)?;
    let delivery = deliveries::find(store.as_ref(), id)?;
    let journal = store.journal_of(id)?;
    let totals = store.totals(id)?;
    office.answer(
        || {
            let mut json = json_of(&summary);
            if let Value::Object(fields) = &mut json {
                fields.insert("label".to_owned(), delivery.label.clone().into());
                let row = json_of(&delivery);
                for key in ["contact_date", "valid_until", "created", "proof"] {
                    fields.insert(key.to_owned(), row.get(key).cloned().unwrap_or(Value::Null));
                }
                fields.insert("retried".to_owned(), totals.retried.into());
                fields.insert(
                    "possibly_duplicate".to_owned(),
                    totals.possibly_duplicate.into(),
                );
                fields.insert("journal".to_owned(), json_of(&journal));
            }
            json
        },
        || {
            format!(
                "{}\n\n{}",
                report::numbers(&summary),
                report::journal(&journal)
            )
        },
    )?;
    Ok(Exit::Done)
}
