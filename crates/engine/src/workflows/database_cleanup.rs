//! Database cleanup: ends what has expired, lifts addresses, removes what is past retention.
//!
//! The tasks run in this order, and a failing one prevents those after it: expired deliveries,
//! stopped deliveries, lifts (10 days without an error, full mailboxes after 30 days), rows that
//! are Valid since an earlier run, delivery logs past retention, ledger events past retention, lists
//! whose import was cut off.

use std::time::Duration;

use posthaste_core::delivery::{DeliveryEvent, DeliveryState, next};
use posthaste_core::ids::DeliveryId;
use posthaste_core::log::{AddressStatus, Channel};
use posthaste_core::quarantine::{self, Event};
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Address, AddressFilter, LedgerEvent, Page};
use posthaste_store::{Store, StoreError};

use super::{Context, Report, Workflow};
use crate::import;

/// Rows per transaction: short enough for outcomes to go first.
const SLICE: usize = 1_000;
/// No import takes this long.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// See the module.
#[derive(Debug)]
pub struct DatabaseCleanup {
    /// Hour of the day (UTC) at which it runs.
    pub hour: u8,
}

impl Workflow for DatabaseCleanup {
    fn name(&self) -> &'static str {
        "database-cleanup"
    }

    fn purpose(&self) -> &'static str {
        "Ends expired deliveries, lifts addresses whose time is over, removes what is past retention."
    }

    fn hour(&self) -> u8 {
        self.hour
    }

    fn run(&self, context: &Context<'_>) -> Result<Report, StoreError> {
        let mut report = Report::new();
        report.insert("deliveries_expired", expire_deliveries(context)?);
        report.insert("recipients_ended", end_recipients(context)?);
        report.insert("addresses_lifted", lift_addresses(context)?);
        report.insert(
            "valid_rows_removed",
            repeat(|| context.store.remove_valid(context.now, SLICE))?,
        );
        let before = context.now.minus(context.retention);
        report.insert(
            "log_rows_removed",
            repeat(|| context.store.purge_log(before, SLICE))?,
        );
        report.insert("ledger_events_folded", fold_ledger(context, before)?);
        report.insert("unfinished_lists_removed", remove_unfinished(context)?);
        Ok(report)
    }
}

/// Does `slice` until it finds nothing more; returns the sum.
fn repeat(mut slice: impl FnMut() -> Result<u64, StoreError>) -> Result<u64, StoreError> {
    let mut sum = 0;
    loop {
        match slice()? {
            0 => return Ok(sum),
            n => sum += n,
        }
    }
}

/// Removes lists whose import was cut off, and which nobody is filling any more.
fn remove_unfinished(context: &Context<'_>) -> Result<u64, StoreError> {
    let before = context.now.minus(ABANDONED_AFTER);
    let mut removed = 0;
    for list in context.store.lists()? {
        if import::is_unfinished(&list.name) && list.created < before {
            context.store.delete_list(list.id)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn expire_deliveries(context: &Context<'_>) -> Result<u64, StoreError> {
    use DeliveryState as S;
    let active = [S::StartPending, S::InProgress, S::PauseRequested, S::Paused];
    let mut expired = 0;
    for delivery in context.store.deliveries_in(&active)? {
        let over = delivery
            .valid_until
            .is_some_and(|until| until <= context.now);
        let Some(to) = next(delivery.state, DeliveryEvent::Expire)
            .ok()
            .filter(|_| over)
        else {
            continue;
        };
        if context
            .store
            .move_delivery(delivery.id, delivery.state, to, context.now)?
        {
            expired += 1;
        }
    }
    Ok(expired)
}

/// Recipients of ended deliveries that nobody holds and that still wait.
fn end_recipients(context: &Context<'_>) -> Result<u64, StoreError> {
    use DeliveryState as S;
    let mut sum = 0;
    for delivery in context
        .store
        .deliveries_in(&[S::Stopped, S::Finished, S::Failed])?
    {
        if !context.store.is_drained(delivery.id)? {
            sum += end_waiting(context.store, delivery.id, context.now)?;
        }
    }
    Ok(sum)
}

/// Ends all recipients of a delivery that nobody holds and that still wait.
///
/// # Errors
/// Those of the store.
pub fn end_waiting(store: &dyn Store, id: DeliveryId, now: Timestamp) -> Result<u64, StoreError> {
    repeat(|| store.end_waiting(id, true, false, now, SLICE))
}

fn lift_addresses(context: &Context<'_>) -> Result<u64, StoreError> {
    let mut lifted = 0;
    for status in [AddressStatus::WithErrors, AddressStatus::Quarantine] {
        let filter = AddressFilter {
            status: Some(status),
            ..AddressFilter::default()
        };
        let mut after = None;
        loop {
            let page = context.store.addresses(
                &filter,
                Page {
                    after,
                    limit: SLICE,
                },
            )?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            let due: Vec<&Address> = page
                .iter()
                .filter(|a| quarantine::is_lifted(context.policy, &a.entry, context.now))
                .collect();
            lifted += lift(context, &due)?;
        }
    }
    Ok(lifted)
}

fn lift(context: &Context<'_>, due: &[&Address]) -> Result<u64, StoreError> {
    let mut lifted = 0;
    context.store.record(&mut |tx| {
        lifted = 0;
        for seen in due {
            // Read again: an error may have come between the page and this transaction.
            let Some(address) = tx.address(seen.channel, &seen.key)? else {
                continue;
            };
            if !quarantine::is_lifted(context.policy, &address.entry, context.now) {
                continue;
            }
            let decision = quarantine::decide(
                context.policy,
                Some(&address.entry),
                &Event::Lifted,
                context.now,
            );
            let Some(entry) = decision.entry else {
                continue;
            };
            let event = own_event(address.channel, &address.key, Event::Lifted, context.now);
            tx.add_event(&LedgerEvent {
                because: decision.because.slug().to_owned(),
                ..event
            })?;
            tx.put_address(&Address {
                entry,
                changed: context.now,
                ..address
            })?;
            lifted += 1;
        }
        Ok(())
    })?;
    Ok(lifted)
}

/// Replaces what is past retention by what it came to.
fn fold_ledger(context: &Context<'_>, before: Timestamp) -> Result<u64, StoreError> {
    let mut folded = 0;
    loop {
        let keys = context.store.addresses_with_events_before(before, SLICE)?;
        let before_round = folded;
        for (channel, key) in keys {
            let history = context.store.address_history(channel, &key)?;
            let old: Vec<_> = history
                .events
                .iter()
                .filter(|event| event.at < before)
                .map(|event| (event.at, event.event.clone()))
                .collect();
            let Some((at, _)) = old.last() else { continue };
            let entry = quarantine::derive(context.policy, &old);
            let snapshot = own_event(channel, &key, Event::Snapshot(entry), *at);
            folded += context
                .store
                .fold_events(channel, &key, before, &snapshot)?;
        }
        if folded == before_round {
            return Ok(folded);
        }
    }
}

fn own_event(channel: Channel, key: &str, event: Event, at: Timestamp) -> LedgerEvent {
    LedgerEvent {
        channel,
        key: key.to_owned(),
        at,
        event,
        log: None,
        delivery: None,
        evidence: None,
        verdict: None,
        qualification: None,
        by: "database-cleanup".to_owned(),
        because: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use posthaste_store::Recipients;
    use posthaste_store::sqlite::SqliteStore;

    use super::*;

    #[test]
    fn a_list_whose_import_was_cut_off_goes_after_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(directory.path().join("store")).unwrap();
        for name in ["customers", "customers (unfinished import)"] {
            store.create_list(name, Timestamp(0)).unwrap();
        }
        for (hours, left) in [(23, 2), (25, 1)] {
            let context = Context {
                store: &store,
                now: Timestamp(hours * 3_600_000),
                policy: &quarantine::Policy::default(),
                retention: Duration::from_hours(24),
            };
            DatabaseCleanup { hour: 3 }.run(&context).unwrap();
            assert_eq!(store.lists().unwrap().len(), left, "after {hours} h");
        }
    }
}
