//! `posthaste explain`: what happened, why, and what comes next and when.

use clap::Subcommand;
use posthaste_core::ids::DeliveryId;
use posthaste_desk::explain;
use posthaste_desk::quarantine::key_of;
use serde_json::json;

use crate::args::delivery_id;
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::output::printable;

/// What to explain.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Explain where an address stands
    #[command(after_help = "Example:\n  posthaste explain recipient jane@example.net")]
    Recipient {
        /// The address
        address: String,
    },
    /// Explain where a delivery stands
    #[command(after_help = "Example:\n  posthaste explain delivery 7")]
    Delivery {
        /// Id of the delivery
        #[arg(value_name = "DELIVERY", value_parser = delivery_id)]
        id: DeliveryId,
    },
}

/// Writes the paragraph.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let (store, now) = (store.as_ref(), office.now());
    match verb {
        Verb::Recipient { address } => {
            let facts = explain::address_facts(store, &key_of(&address)?)?;
            let text = printable(&explain::recipient(&facts, &config.quarantine, now));
            office.answer(
                || json!({ "address": facts.key, "explanation": text }),
                || text.clone(),
            )?;
        }
        Verb::Delivery { id } => {
            let facts = explain::delivery_facts(store, id, now)?;
            let text = printable(&explain::delivery(&facts, now));
            office.answer(
                || json!({ "delivery": id, "explanation": text }),
                || text.clone(),
            )?;
        }
    }
    Ok(Exit::Done)
}
