//! What the promises are tried on: lists, deliveries and outcomes in a few words.

use posthaste_core::delivery::{DeliveryState, Priority};
use posthaste_core::evidence::{Evidence, OutcomeKind, SaidBy, Stage};
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::{DeliveryId, ListId, LogId, PartId, RecipientId};
use posthaste_core::log::{AddressStatus, Channel, LogStatus};
use posthaste_core::qualify::{RuleRef, Verdict};
use posthaste_core::quarantine::Entry;
use posthaste_core::time::Timestamp;

use crate::Store;
use crate::rows::{
    Address, Attempt, ClaimedRecipient, ExclusionRow, FrozenRecipient, LogChange, NewDelivery,
    NewRecipient, Page,
};

pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp(ms)
}

pub(super) fn page<K>(after: Option<K>, limit: usize) -> Page<K> {
    Page { after, limit }
}

pub(super) fn new_recipient(address: &str, line: u64) -> NewRecipient {
    NewRecipient {
        address: address.to_owned(),
        key: address.to_lowercase(),
        attributes: format!("{{\"email\":\"{address}\"}}"),
        line,
        quality: None,
        denylisted: false,
    }
}

pub(super) fn new_delivery(label: &str, priority: Priority) -> NewDelivery {
    NewDelivery {
        label: label.to_owned(),
        channel: Channel::Email,
        list: ListId(1),
        spec: "{}".to_owned(),
        priority,
        contact_date: None,
        proof: false,
    }
}

/// `n` recipients, spread over the domains in turn, in parts of `size`; one domain a part.
pub(super) fn frozen(n: usize, domains: &[&str], size: usize) -> Vec<FrozenRecipient> {
    let part = |i: usize| (i / (size * domains.len())) * domains.len() + i % domains.len();
    (0..n)
        .map(|i| {
            let domain = domains[i % domains.len()];
            FrozenRecipient {
                part: u32::try_from(part(i)).unwrap(),
                part_domain: Some(domain.to_owned()),
                recipient: RecipientId(i64::try_from(i).unwrap() + 1),
                address: format!("User{i}@{domain}"),
                key: format!("user{i}@{domain}"),
                domain: domain.to_owned(),
                attributes: format!("{{\"n\":\"{i}\"}}"),
            }
        })
        .collect()
}

pub(super) fn exclusion(n: i64, reason: FailureReason) -> ExclusionRow {
    ExclusionRow {
        id: 0,
        recipient: RecipientId(n),
        line: n.unsigned_abs(),
        address: format!("left{n}@example.org"),
        reason,
        detail: "detail".to_owned(),
    }
}

/// Brings a delivery from *edited* to *in progress*.
pub(super) fn start(store: &dyn Store, id: DeliveryId, now: Timestamp) {
    let moves = [
        (DeliveryState::Edited, DeliveryState::Counting),
        (DeliveryState::Counting, DeliveryState::Ready),
        (DeliveryState::Ready, DeliveryState::StartPending),
        (DeliveryState::StartPending, DeliveryState::InProgress),
    ];
    for (from, to) in moves {
        assert!(store.move_delivery(id, from, to, now).unwrap());
    }
}

/// A delivery that is prepared, not started.
pub(super) fn prepared(
    store: &dyn Store,
    priority: Priority,
    kept: &[FrozenRecipient],
    excluded: &[ExclusionRow],
) -> DeliveryId {
    let id = store
        .create_delivery(&new_delivery("spring", priority), at(1))
        .unwrap();
    store.add_prepared(id, kept, excluded).unwrap();
    let to_send = u64::try_from(kept.len()).unwrap();
    let target = to_send + u64::try_from(excluded.len()).unwrap();
    store.end_preparation(id, target, to_send).unwrap();
    id
}

/// A delivery in progress to `n` recipients of these domains, in parts of ten.
pub(super) fn sending(store: &dyn Store, n: usize, domains: &[&str]) -> DeliveryId {
    let id = prepared(store, Priority::Normal, &frozen(n, domains, 10), &[]);
    start(store, id, at(2));
    id
}

pub(super) fn claim(store: &dyn Store, n: usize) -> Vec<ClaimedRecipient> {
    store.claim("me", at(1_000_000), n, &[]).unwrap()
}

pub(super) fn parts_of(claimed: &[ClaimedRecipient]) -> Vec<PartId> {
    let mut parts: Vec<_> = claimed.iter().map(|one| one.part).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

pub(super) fn logs_of(claimed: &[ClaimedRecipient]) -> Vec<LogId> {
    claimed.iter().map(|one| one.log).collect()
}

/// A row that was delivered.
pub(super) fn delivered(log: LogId) -> LogChange {
    LogChange {
        id: log,
        status: LogStatus::Sent,
        kind: FailureType::NotDefined,
        reason: FailureReason::NotDefined,
        party: None,
        attempts: 1,
        doubtful: 0,
        due: None,
        changed: at(10),
        qualification: None,
        possibly_duplicate: false,
        complaint: false,
        quarantined: false,
    }
}

/// A row that failed for good.
pub(super) fn failed(log: LogId, reason: FailureReason) -> LogChange {
    LogChange {
        status: LogStatus::Failed,
        kind: FailureType::Hard,
        reason,
        party: Some(Party::Recipient),
        ..delivered(log)
    }
}

/// A row that is tried again.
pub(super) fn deferred(log: LogId, due: Timestamp) -> LogChange {
    LogChange {
        status: LogStatus::Pending,
        kind: FailureType::Soft,
        reason: FailureReason::MailboxFull,
        party: Some(Party::Recipient),
        due: Some(due),
        ..delivered(log)
    }
}

pub(super) fn record(store: &dyn Store, changes: &[LogChange]) {
    store
        .record(&mut |tx| changes.iter().try_for_each(|change| tx.change_log(change)))
        .unwrap();
}

pub(super) fn attempt(log: LogId, number: u32, verdict: bool) -> Attempt {
    let verdict = verdict.then(|| Verdict {
        kind: FailureType::Hard,
        reason: FailureReason::UserUnknown,
        party: Party::Recipient,
        retry: false,
        confidence: 90,
        rule: RuleRef {
            name: "no-such-user".into(),
            version: 3,
        },
    });
    Attempt {
        log,
        number,
        outcome: if verdict.is_some() {
            OutcomeKind::Refused
        } else {
            OutcomeKind::Delivered
        },
        evidence: Evidence {
            said_by: SaidBy::Remote("mx.example.com".to_owned()),
            stage: Stage::Rcpt,
            code: Some(550),
            enhanced: posthaste_core::enhanced::EnhancedStatus::parse("5.1.1"),
            text: "550 5.1.1 no such user".to_owned(),
            at: at(77),
        },
        verdict,
        qualification: None,
        tls: "TLSv1.3 TLS_AES_128_GCM_SHA256".to_owned(),
        took_ms: 12,
    }
}

pub(super) fn listed(key: &str, status: AddressStatus, changed: Timestamp) -> Address {
    Address {
        channel: Channel::Email,
        key: key.to_owned(),
        entry: Entry {
            status,
            reason: FailureReason::UserUnknown,
            errors: 1,
            last_counted: Some(at(5)),
            since: at(5),
        },
        error_text: "no such user".to_owned(),
        log: None,
        changed,
    }
}

pub(super) fn put_addresses(store: &dyn Store, addresses: &[Address]) {
    store
        .record(&mut |tx| addresses.iter().try_for_each(|one| tx.put_address(one)))
        .unwrap();
}
