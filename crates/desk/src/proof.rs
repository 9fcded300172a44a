//! Proofs: a delivery's content, sent to a few chosen addresses before the real one.
//!
//! A proof is a delivery of its own to a small list of its own. Its recipients have the
//! attributes of one recipient of the real target, so that personalization shows; doubles,
//! denylisted and quarantined addresses are kept, since somebody chose them.

use posthaste_core::address::Address;
use posthaste_core::delivery::ApprovalMode;
use posthaste_core::ids::{DeliveryId, ListId};
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Delivery, NewRecipient, Recipient};
use posthaste_store::{Deliveries, Recipients};

use super::deliveries::{create, find, spec_of};
use super::{DeskError, Result, not_found};
use posthaste_engine::spec::{Exclusions, Spec};

/// The most addresses of a proof.
pub const MOST: usize = 100;

/// Recipients read per page while one is looked for.
const PAGE: usize = 1_000;

/// Deliveries that are looked at to number a proof.
const NEWEST: usize = 10_000;

/// Which recipient's attributes a message is rendered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample {
    /// The first one of the list that has an address.
    First,
    /// The one with this address.
    Address(String),
    /// The one from this line of the source.
    Line(u64),
}

/// The recipient of a list that a sample names.
///
/// # Errors
/// When there is none, the address is not one, or the store cannot be read.
pub fn sample<S: Recipients + ?Sized>(
    store: &S,
    list: ListId,
    which: &Sample,
) -> Result<Recipient> {
    let key = match which {
        Sample::Address(address) => Some(super::quarantine::key_of(address)?),
        Sample::First | Sample::Line(_) => None,
    };
    let fits = |r: &Recipient| match which {
        Sample::First => !r.key.is_empty(),
        Sample::Address(_) => Some(&r.key) == key.as_ref(),
        Sample::Line(line) => r.line == *line,
    };
    let mut after = None;
    loop {
        let page = store.recipients(list, after, PAGE)?;
        let Some(last) = page.last() else {
            return Err(not_found(match which {
                Sample::First => {
                    "recipient with an address in the list of this delivery".to_owned()
                }
                Sample::Address(address) => {
                    format!("recipient {address} in the list of this delivery")
                }
                Sample::Line(line) => {
                    format!("recipient from line {line} in the list of this delivery")
                }
            }));
        };
        after = Some(last.id);
        if let Some(found) = page.into_iter().find(fits) {
            return Ok(found);
        }
    }
}

/// Creates a proof of a delivery for these addresses, and its list.
///
/// # Errors
/// When there are no addresses, too many, or wrong ones (all are named), when the sample does not
/// exist, or when the store cannot be written.
pub fn create_proof<S>(
    store: &S,
    of: DeliveryId,
    addresses: &[String],
    which: &Sample,
    at: Timestamp,
) -> Result<DeliveryId>
where
    S: Deliveries + Recipients + ?Sized,
{
    let keys = check_addresses(addresses)?;
    let delivery = find(store, of)?;
    let sample = sample(store, delivery.list, which)?;
    let number = number_of_next(&store.deliveries(NEWEST)?, &delivery);
    let label = proof_label(number, &delivery);
    let list_name = format!("{label} ({})", super::times::rfc3339(at));
    let list = store.create_list(&list_name, at)?;
    let recipients: Vec<NewRecipient> = (1..)
        .zip(addresses.iter().zip(keys))
        .map(|(line, (address, key))| NewRecipient {
            address: address.clone(),
            key,
            attributes: sample.attributes.clone(),
            line,
            quality: None,
            denylisted: false,
        })
        .collect();
    store.add_recipients(list, &recipients, at)?;
    create(
        store,
        &proof_spec(spec_of(&delivery)?, label, list_name),
        true,
        at,
    )
}

fn check_addresses(addresses: &[String]) -> Result<Vec<String>> {
    if addresses.is_empty() || addresses.len() > MOST {
        return Err(DeskError::Input(format!(
            "a proof goes to 1 to {MOST} addresses, {} were given",
            addresses.len()
        )));
    }
    let (mut keys, mut wrong) = (Vec::new(), Vec::new());
    for address in addresses {
        match Address::parse(address) {
            Ok(parsed) => keys.push(parsed.key().to_owned()),
            Err(why) => wrong.push(format!("\"{address}\" is not a mail address: {why}")),
        }
    }
    if wrong.is_empty() {
        Ok(keys)
    } else {
        Err(DeskError::Input(wrong.join("; ")))
    }
}

fn proof_label(number: usize, of: &Delivery) -> String {
    format!("Proof #{number} of {}: {}", of.id, of.label)
}

fn number_of_next(known: &[Delivery], of: &Delivery) -> usize {
    let end = format!(" of {}: {}", of.id, of.label);
    let proofs = known.iter().filter(|d| d.proof && d.label.ends_with(&end));
    proofs.count() + 1
}

fn proof_spec(spec: Spec, label: String, list: String) -> Spec {
    Spec {
        label,
        list,
        contact_date: None,
        exclusions: Exclusions {
            duplicates: false,
            denylisted: false,
            quarantined: false,
            ..Exclusions::default()
        },
        approval: ApprovalMode::Automatic,
        ..spec
    }
}
