//! The numbers of a re-qualification, the first lines of each kind, and totals by domain.

use std::collections::HashMap;
use std::time::Duration;

use posthaste_core::ids::{DeliveryId, LogId, RequalificationId};
use posthaste_core::log::LogStatus;
use posthaste_core::quarantine::Entry;
use posthaste_core::quarantine::requalify::{can_be_sent_again, effect};
use posthaste_core::time::Timestamp;
use posthaste_store::Store;
use posthaste_store::requalifying::Span;
use posthaste_store::rows::LogRow;
use serde::Serialize;

use super::Stored;
use super::case::{Case, Consequence};
use super::select::domain_of;

/// Lines shown of each kind.
const FIRST: usize = 10;
/// Domains that are named.
const DOMAINS: usize = 20;
/// Domains that are counted each for itself; the rest is counted together.
const DOMAINS_COUNTED: usize = 10_000;
/// Recipients of deliveries that were created within this may be sent to again.
const RECENT: Duration = Duration::from_hours(24 * 30);

/// What a re-qualification does, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// Its id, once it is applied.
    pub id: Option<RequalificationId>,
    /// From when failures were looked at; `None` for the beginning.
    pub from: Option<Timestamp>,
    /// Until when.
    pub to: Timestamp,
    /// Failures that are selected.
    pub failures: u64,
    /// Those whose type, reason or party changes.
    pub verdicts_changed: u64,
    /// Addresses of the selected failures.
    pub addresses: u64,
    /// Addresses that leave quarantine.
    pub leave_quarantine: u64,
    /// Addresses that enter it.
    pub enter_quarantine: u64,
    /// Addresses whose error counter moves.
    pub counters_moved: u64,
    /// Delivery log rows that get the new type and reason.
    pub log_rows: u64,
    /// Recipients of recent deliveries that could be sent again.
    pub send_again: u64,
    /// The largest domains, by failures.
    pub domains: Vec<DomainNumbers>,
    /// The first lines of each kind.
    pub first: First,
}

/// The numbers of one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DomainNumbers {
    /// The domain; `(others)` for those past the first 10,000.
    pub domain: String,
    /// Failures that are selected.
    pub failures: u64,
    /// Addresses that leave quarantine.
    pub leave_quarantine: u64,
    /// Addresses that enter it.
    pub enter_quarantine: u64,
    /// Recipients that could be sent again.
    pub send_again: u64,
}

/// The first lines of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct First {
    /// Addresses that leave quarantine.
    pub leave_quarantine: Vec<Moved>,
    /// Addresses that enter it.
    pub enter_quarantine: Vec<Moved>,
    /// Addresses whose error counter moves.
    pub counters_moved: Vec<Moved>,
    /// Recipients that could be sent again.
    pub send_again: Vec<SendAgain>,
}

/// An address with its entries before and after; `None` is not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The address.
    pub address: String,
    /// Before.
    pub before: Option<Entry>,
    /// After.
    pub after: Option<Entry>,
}

/// A recipient that could be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SendAgain {
    /// The address.
    pub address: String,
    /// The delivery that failed.
    pub delivery: DeliveryId,
    /// Its row.
    pub log: LogId,
}

/// Counts.
pub(super) struct Surveyor<'a> {
    store: &'a dyn Store,
    now: Timestamp,
    survey: Survey,
    domains: HashMap<String, DomainNumbers>,
    /// Whether a delivery is recent, and no proof.
    recent: HashMap<DeliveryId, bool>,
}

impl<'a> Surveyor<'a> {
    pub(super) fn new(store: &'a dyn Store, span: Span, now: Timestamp) -> Self {
        let from = (span.from.0 != i64::MIN).then_some(span.from);
        Self {
            store,
            now,
            survey: Survey {
                from,
                to: span.to,
                ..Survey::default()
            },
            domains: HashMap::new(),
            recent: HashMap::new(),
        }
    }

    /// Counts what becomes of an address; returns the rows of it that could be sent again.
    pub(super) fn add<'c>(
        &mut self,
        case: &Case,
        found: &'c Consequence,
    ) -> Stored<Vec<&'c LogRow>> {
        let again = self.sent_again(found)?;
        let entry = |address: &Option<_>| {
            let address: &Option<posthaste_store::rows::Address> = address;
            address.as_ref().map(|a| a.entry.clone())
        };
        let moved = Moved {
            address: found.address.key.clone(),
            before: entry(&found.address.before),
            after: entry(&found.address.after),
        };
        let effect = effect(moved.before.as_ref(), moved.after.as_ref());
        let picked = count(case.picked.len());
        let domain = self.domain(domain_of(&moved.address));
        domain.failures += picked;
        domain.leave_quarantine += u64::from(effect.leaves_quarantine);
        domain.enter_quarantine += u64::from(effect.enters_quarantine);
        domain.send_again += count(again.len());
        let survey = &mut self.survey;
        survey.failures += picked;
        survey.verdicts_changed += count(found.given.len());
        survey.addresses += 1;
        survey.log_rows += count(found.rows.len());
        survey.send_again += count(again.len());
        let first = &mut survey.first;
        let kinds = [
            (
                effect.leaves_quarantine,
                &mut survey.leave_quarantine,
                &mut first.leave_quarantine,
            ),
            (
                effect.enters_quarantine,
                &mut survey.enter_quarantine,
                &mut first.enter_quarantine,
            ),
            (
                effect.moves_counter,
                &mut survey.counters_moved,
                &mut first.counters_moved,
            ),
        ];
        for (is_so, number, lines) in kinds {
            *number += u64::from(is_so);
            if is_so && lines.len() < FIRST {
                lines.push(moved.clone());
            }
        }
        let room = FIRST.saturating_sub(first.send_again.len());
        first
            .send_again
            .extend(again.iter().take(room).map(|row| SendAgain {
                address: row.address.clone(),
                delivery: row.delivery,
                log: row.id,
            }));
        Ok(again)
    }

    /// The numbers so far.
    pub(super) fn so_far(&self, id: Option<RequalificationId>) -> Survey {
        let mut domains: Vec<_> = self.domains.values().cloned().collect();
        domains.sort_by(|a, b| b.failures.cmp(&a.failures).then(a.domain.cmp(&b.domain)));
        domains.truncate(DOMAINS);
        Survey {
            id,
            domains,
            ..self.survey.clone()
        }
    }

    fn domain(&mut self, name: &str) -> &mut DomainNumbers {
        let is_full = self.domains.len() >= DOMAINS_COUNTED && !self.domains.contains_key(name);
        let name = if is_full { "(others)" } else { name };
        self.domains
            .entry(name.to_owned())
            .or_insert_with(|| DomainNumbers {
                domain: name.to_owned(),
                ..DomainNumbers::default()
            })
    }

    fn sent_again<'c>(&mut self, found: &'c Consequence) -> Stored<Vec<&'c LogRow>> {
        let after = found.address.after.as_ref().map(|a| &a.entry);
        let mut again = Vec::new();
        for (row, ruling) in &found.rows {
            let may = row.status == LogStatus::Failed
                && !row.complaint
                && can_be_sent_again(*ruling, after);
            if may && self.is_recent(row.delivery)? {
                again.push(row);
            }
        }
        Ok(again)
    }

    fn is_recent(&mut self, id: DeliveryId) -> Stored<bool> {
        if let Some(known) = self.recent.get(&id) {
            return Ok(*known);
        }
        let since = self.now.minus(RECENT);
        let delivery = self.store.delivery(id)?;
        let recent = delivery.is_some_and(|d| d.created >= since && !d.proof);
        self.recent.insert(id, recent);
        Ok(recent)
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
