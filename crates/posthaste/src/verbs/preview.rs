//! `posthaste delivery preview` and `proof`: look before you send.

use posthaste_core::delivery::DeliveryState;
use posthaste_desk::deliveries::{self, StartAt};
use posthaste_desk::proof::{self, Sample};
use serde_json::json;

use super::delivery::{One, prepare_and_tell, tell_state};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::wiring;
use crate::{output, progress_bar, sending};

/// Which recipient's attributes are used.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Whose {
    /// Attributes of the recipient with this address [default: the first one]
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// Attributes of the recipient from this line of the source
    #[arg(long, value_name = "N")]
    line: Option<u64>,
}

impl Whose {
    fn sample(&self) -> Sample {
        match (&self.recipient, self.line) {
            (Some(address), _) => Sample::Address(address.clone()),
            (None, Some(line)) => Sample::Line(line),
            (None, None) => Sample::First,
        }
    }
}

/// Arguments of `delivery preview`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  posthaste delivery preview 7 --recipient jane@example.net --eml > jane.eml"
)]
pub struct PreviewArgs {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    whose: Whose,
    /// The whole message as it goes over the wire, unsigned
    #[arg(long)]
    eml: bool,
}

/// Renders one message.
pub fn preview(args: &PreviewArgs, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let delivery = deliveries::find(store.as_ref(), args.one.id)?;
    let recipient = proof::sample(store.as_ref(), delivery.list, &args.whose.sample())?;
    let shown = wiring::preview(&store, &config, &delivery, &recipient)?;
    if args.eml && !office.json() {
        output::say_bytes(&shown.eml)?;
        return Ok(Exit::Done);
    }
    office.answer(
        || {
            json!({
                "delivery": delivery.id,
                "recipient": recipient.address,
                "line": recipient.line,
                "subject": shown.subject,
                "html": shown.html,
                "text": shown.text,
                "size": shown.eml.len(),
                "eml": args.eml.then(|| String::from_utf8_lossy(&shown.eml).into_owned()),
            })
        },
        || {
            format!(
                "To: {}\nSubject: {}\nSize: {} bytes\n\n{}",
                recipient.address,
                shown.subject,
                shown.eml.len(),
                shown.text
            )
        },
    )?;
    Ok(Exit::Done)
}

/// Arguments of `delivery proof`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  posthaste delivery proof 7 --to me@example.com --to you@example.com"
)]
pub struct ProofArgs {
    #[command(flatten)]
    one: One,
    /// Address that gets the proof; up to 100
    #[arg(long, value_name = "ADDRESS", required = true, num_args = 1..)]
    to: Vec<String>,
    #[command(flatten)]
    whose: Whose,
    /// Leave the sending to `posthaste serve`
    #[arg(long)]
    no_wait: bool,
}

/// Creates a proof, prepares and confirms it, and sends it.
pub fn proof(args: &ProofArgs, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let (of, sample) = (args.one.id, args.whose.sample());
    let id = proof::create_proof(store.as_ref(), of, &args.to, &sample, office.now())?;
    prepare_and_tell(&store, &config, id, office)?;
    if deliveries::find(store.as_ref(), id)?.state == DeliveryState::Ready {
        deliveries::confirm(store.as_ref(), id, StartAt::Now, office.now())?;
    }
    if !args.no_wait {
        let watch = progress_bar::watcher(office.json());
        sending::until_ended(&store, &config, id, watch.as_ref())?;
        watch.end();
    }
    let state = deliveries::find(store.as_ref(), id)?.state;
    if state == DeliveryState::PreparationFailed {
        return Err(Failure::input(format!(
            "the proof, delivery {id}, cannot be sent"
        )));
    }
    tell_state(id, state, office)
}
