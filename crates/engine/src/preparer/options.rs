//! What the decisions of `posthaste_core::prepare` need, taken from a delivery's spec.

use std::time::Duration;

use posthaste_core::prepare::rules::Summary;
use posthaste_core::prepare::{Control, KeySet, Options};
use posthaste_store::Recipients;

use super::{PrepareError, PrepareStore, Settings};
use crate::spec::{Exclusions, Spec};

/// Recipients of the control list read at once.
const PAGE: usize = 1_000;

/// The exclusion options, the members of the control list included.
pub(super) fn exclusion_options<S: PrepareStore + ?Sized>(
    store: &S,
    exclusions: &Exclusions,
) -> Result<Options, PrepareError> {
    let members = match &exclusions.control_list {
        None => KeySet::new(),
        Some(name) => keys_of(store, name)?,
    };
    Ok(Options {
        duplicates: exclusions.duplicates,
        denylisted: exclusions.denylisted,
        quarantined: exclusions.quarantined,
        minimum_quality: exclusions.minimum_quality,
        control: Control {
            percent: exclusions.control_percent,
            seed: exclusions.control_seed.clone(),
            members,
        },
    })
}

fn keys_of<S: Recipients + ?Sized>(store: &S, name: &str) -> Result<KeySet, PrepareError> {
    let list = store
        .list_named(name)?
        .ok_or_else(|| PrepareError::NoControlList(name.to_owned()))?;
    let mut keys = KeySet::new();
    let mut after = None;
    loop {
        let page = store.recipients(list.id, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(keys);
        };
        after = Some(last.id);
        for recipient in page.iter().filter(|r| !r.key.is_empty()) {
            keys.insert(&recipient.key);
        }
    }
}

/// What the control rules look at, before anything is counted.
pub(super) fn summary<'a>(
    spec: &'a Spec,
    files: &'a [(&'a str, u64)],
    settings: &Settings,
) -> Summary<'a> {
    Summary {
        from: &spec.from,
        reply_to: spec.reply_to.as_deref(),
        subject: &spec.subject,
        html: spec.html.as_deref(),
        text: spec.text.as_deref(),
        files,
        message_bytes: 0,
        list_unsubscribe: settings.list_unsubscribe,
        proof: false,
        to_send: 0,
        validity: spec.validity,
        retry_schedule: spec
            .retries
            .waits
            .iter()
            .fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait)),
    }
}
