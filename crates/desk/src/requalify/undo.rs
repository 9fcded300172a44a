//! A re-qualification taken back: entries and rows as the history without it makes them.

use posthaste_core::ids::RequalificationId;
use posthaste_core::quarantine::requalify::{Ruling, amounts_to_the_same, failure_of, trace};
use posthaste_store::Store;
use posthaste_store::requalifying::{HeldEvent, RequalifiedAddress, RequalifyTx};
use posthaste_store::rows::{Address, Page};
use serde::Serialize;

use super::case::{history_of, last_failure_at, row_of, stands_by};
use super::{PAGE, Stored, first_second_after, unknown};
use crate::quarantine::Hand;
use crate::times::rfc3339;
use crate::{DeskError, Result, not_found};

/// What was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// Addresses that it had judged again.
    pub addresses: u64,
    /// Quarantine entries that changed.
    pub entries: u64,
    /// Delivery log rows that got their former type and reason back.
    pub log_rows: u64,
}

/// Takes a re-qualification back, in one transaction. Events that came later keep their weight, and
/// so do later re-qualifications of the same failures. `told` hears from time to time how many addresses
/// were looked at.
///
/// # Errors
/// When there is no such re-qualification, it was undone already, some of its failures are past
/// retention, or the store cannot be written; nothing is changed then.
pub fn undo(
    store: &dyn Store,
    id: RequalificationId,
    hand: Hand<'_>,
    told: &dyn Fn(u64),
) -> Result<Undone> {
    let folded = store.folded_until()?;
    let mut refused = None;
    let mut undone = Undone::default();
    store.requalify(&mut |tx| {
        undone = Undone::default();
        refused = refusal(tx, id, folded)?;
        if refused.is_some() {
            return Ok(());
        }
        let mut after = None;
        loop {
            let page = tx.addresses_of(id, Page { after, limit: PAGE })?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for address in &page {
                take_back(tx, id, address, hand, &mut undone)?;
            }
            told(undone.addresses);
        }
        tx.undo(id, hand.at, hand.by)
    })?;
    refused.map_or(Ok(undone), Err)
}

fn refusal(
    tx: &mut dyn RequalifyTx,
    id: RequalificationId,
    folded: Option<posthaste_core::time::Timestamp>,
) -> Stored<Option<DeskError>> {
    let Some(found) = tx.find(id)? else {
        return Ok(Some(not_found(unknown(id))));
    };
    if let Some(at) = found.undone {
        return Ok(Some(DeskError::Input(format!(
            "re-qualification {id} was undone already, at {}; to judge again, give a new order",
            rfc3339(at)
        ))));
    }
    let Some(folded) = folded else {
        return Ok(None);
    };
    Ok(tx.is_folded(id)?.then(|| {
        DeskError::Input(format!(
            "re-qualification {id} cannot be undone any more: failures of it are past retention, \
             and the database cleanup has folded them; what can be judged again begins at {}",
            rfc3339(first_second_after(folded))
        ))
    }))
}

fn take_back(
    tx: &mut dyn RequalifyTx,
    id: RequalificationId,
    address: &RequalifiedAddress,
    hand: Hand<'_>,
    undone: &mut Undone,
) -> Stored<()> {
    let (channel, key) = (address.channel, &address.key);
    let with = tx.held_events(channel, key, None)?;
    let without = tx.held_events(channel, key, Some(id))?;
    undone.addresses += 1;
    let now = trace(hand.policy, &history_of(&with));
    let then = trace(hand.policy, &history_of(&without));
    if now.entry != then.entry {
        let stored = tx.entry(channel, key)?;
        let saved = address.before.as_ref().map(|a| &a.entry);
        let becomes: Option<Address> = if amounts_to_the_same(saved, then.entry.as_ref()) {
            address.before.clone()
        } else {
            row_of(&then, &without, stored.as_ref())
        };
        if becomes != stored {
            tx.set_entry(channel, key, becomes.as_ref())?;
            undone.entries += 1;
        }
    }
    undone.log_rows += rows_back(tx, &with, &without)?;
    Ok(())
}

/// Gives rows whose last failure is no longer judged otherwise its ruling of before.
fn rows_back(tx: &mut dyn RequalifyTx, with: &[HeldEvent], without: &[HeldEvent]) -> Stored<u64> {
    let mut changed = 0;
    for (place, held) in without.iter().enumerate() {
        let Some((log, now)) = last_failure_at(with, place) else {
            continue;
        };
        let then = failure_of(&held.event.event).map(Ruling::of);
        let Some(then) = then.filter(|then| *then != now) else {
            continue;
        };
        if tx.row(log)?.is_some_and(|row| stands_by(&row, now)) {
            tx.rejudge_row(log, then)?;
            changed += 1;
        }
    }
    Ok(changed)
}
