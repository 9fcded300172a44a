//! The quarantine list: settings by hand, through the ledger.
//!
//! A setting is an event like any other: the entry that results is decided by
//! [`posthaste_core::quarantine::decide`] inside the store's transaction, and the event is kept.

use posthaste_core::address::Address as MailAddress;
use posthaste_core::failure::FailureReason;
use posthaste_core::log::{AddressStatus, Channel};
use posthaste_core::quarantine::{Event, Policy, decide};
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Address, LedgerEvent};
use posthaste_store::{RecordTx, Recording};

use super::{DeskError, Result};

/// Who sets something, under which policy, and when.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'a> {
    /// The quarantine policy.
    pub policy: &'a Policy,
    /// Who or what caused it, with a comment where one was given; kept in the ledger.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

/// One address and the status it is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Key of the address.
    pub key: String,
    /// The status.
    pub status: AddressStatus,
    /// The reason.
    pub reason: FailureReason,
}

/// The reason that a status has when none is given.
#[must_use]
pub const fn usual_reason(status: AddressStatus) -> FailureReason {
    match status {
        AddressStatus::Denylist => FailureReason::Denylisted,
        AddressStatus::Quarantine => FailureReason::Quarantine,
        AddressStatus::WithErrors | AddressStatus::Valid | AddressStatus::Allowlist => {
            FailureReason::NotDefined
        }
    }
}

/// The key by which an address is listed.
///
/// # Errors
/// When it is no mail address.
pub fn key_of(address: &str) -> Result<String> {
    MailAddress::parse(address)
        .map(|a| a.key().to_owned())
        .map_err(|e| DeskError::Input(format!("\"{address}\" is not a mail address: {e}")))
}

/// Sets the status of addresses by hand, all in one transaction; returns their entries.
///
/// # Errors
/// When the store cannot be written; nothing is changed then.
pub fn set<S: Recording + ?Sized>(
    store: &S,
    settings: &[Setting],
    hand: Hand<'_>,
) -> Result<Vec<Address>> {
    let mut entries = Vec::new();
    store.record(&mut |tx| {
        entries.clear();
        for setting in settings {
            let event = Event::Set {
                status: setting.status,
                reason: setting.reason,
            };
            entries.extend(apply(tx, &setting.key, &event, hand)?);
        }
        Ok(())
    })?;
    Ok(entries)
}

/// Adds one event to the ledger of an address and writes the entry it leads to, if that is new.
pub(super) fn apply(
    tx: &mut dyn RecordTx,
    key: &str,
    event: &Event,
    hand: Hand<'_>,
) -> posthaste_store::Result<Option<Address>> {
    let before = tx.address(Channel::Email, key)?;
    let old = before.as_ref().map(|a| &a.entry);
    let decision = decide(hand.policy, old, event, hand.at);
    let changed = decision.entry.as_ref() != old;
    tx.add_event(&LedgerEvent {
        channel: Channel::Email,
        key: key.to_owned(),
        at: hand.at,
        event: event.clone(),
        log: None,
        delivery: None,
        evidence: None,
        verdict: None,
        qualification: None,
        by: hand.by.to_owned(),
        because: decision.because.slug().to_owned(),
    })?;
    let Some(entry) = decision.entry.filter(|_| changed) else {
        return Ok(before);
    };
    let address = Address {
        channel: Channel::Email,
        key: key.to_owned(),
        entry,
        error_text: before
            .as_ref()
            .map_or_else(String::new, |b| b.error_text.clone()),
        log: before.and_then(|b| b.log),
        changed: hand.at,
    };
    tx.put_address(&address)?;
    Ok(Some(address))
}
