//! Taking rows away: what an earlier preparation left, and what is past retention.
//!
//! The numbers of a delivery outlive its rows: they are counted once more before the first goes.

use posthaste_core::ids::DeliveryId;
use posthaste_core::tally::Tally;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::codes::{Inner, limit};
use super::{deliveries, log, row, rows, run};
use crate::StoreError;
use crate::rows::LogTotals;

/// The numbers of a delivery whose rows are gone.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptNumbers {
    /// The numbers.
    pub(super) tally: Tally,
    /// The totals.
    pub(super) totals: LogTotals,
}

/// The kept numbers of a delivery, when its rows have begun to go.
pub(super) fn kept_numbers(conn: &Connection, id: DeliveryId) -> Inner<Option<KeptNumbers>> {
    const SQL: &str = "SELECT purged FROM delivery WHERE id = ?1 AND purged IS NOT NULL";
    let Some(json) = row(conn, SQL, [id.0], |row| row.get::<_, String>(0))? else {
        return Ok(None);
    };
    let kept = serde_json::from_str(&json).map_err(|error| StoreError::Corrupt {
        what: format!("the numbers of delivery {id}"),
        why: error.to_string(),
    })?;
    Ok(Some(kept))
}

/// Keeps the numbers of a delivery, unless they are kept already.
pub(super) fn keep_numbers(conn: &Connection, id: DeliveryId) -> Inner<()> {
    const SQL: &str = "UPDATE delivery SET purged = ?2 WHERE id = ?1";
    if kept_numbers(conn, id)?.is_some() {
        return Ok(());
    }
    let kept = KeptNumbers {
        tally: deliveries::tally(conn, id)?,
        totals: log::totals(conn, id)?,
    };
    let json = serde_json::to_string(&kept).map_err(|error| StoreError::Database {
        doing: format!("writing the numbers of delivery {id} as JSON"),
        source: error.into(),
    })?;
    run(conn, SQL, params![id.0, json])?;
    Ok(())
}

/// Rows that are removed in one transaction.
pub(super) const SLICE: usize = 2_000;

/// Deletes the parts and the journal of a delivery: few rows, so in one go.
pub(super) fn parts_and_journal(conn: &Connection, id: DeliveryId) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM part WHERE delivery = ?1",
        "DELETE FROM journal WHERE delivery = ?1",
    ] {
        run(conn, sql, [id.0])?;
    }
    Ok(())
}

/// Deletes up to `most` log rows (with their attempts) and exclusions of a delivery; returns how
/// many. 0 means that none is left.
pub(super) fn delivery_rows(
    conn: &Connection,
    id: DeliveryId,
    most: usize,
) -> rusqlite::Result<usize> {
    // By the primary keys.
    const EXCLUSIONS: &str = "DELETE FROM exclusion WHERE delivery = ?1 AND number IN
         (SELECT number FROM exclusion WHERE delivery = ?1 LIMIT ?2)";
    let logged = log_rows(conn, id, most)?;
    let left = most.saturating_sub(logged);
    Ok(logged + run(conn, EXCLUSIONS, [id.0, limit(left)])?)
}

fn log_rows(conn: &Connection, id: DeliveryId, most: usize) -> rusqlite::Result<usize> {
    const IDS: &str = "SELECT id FROM log WHERE id BETWEEN ?1 AND ?2 AND delivery = ?3 LIMIT ?4";
    const DELETE: [&str; 3] = [
        "DELETE FROM attempt WHERE log = ?1",
        "DELETE FROM frozen WHERE log = ?1",
        "DELETE FROM log WHERE id = ?1",
    ];
    const SHRINK: &str = "UPDATE delivery SET first_log = ?2 WHERE id = ?1";
    let Some((first, last)) = log::span(conn, id)? else {
        return Ok(0);
    };
    let ids = rows(conn, IDS, [first, last, id.0, limit(most)], |row| {
        row.get::<_, i64>(0)
    })?;
    for log in &ids {
        for sql in DELETE {
            run(conn, sql, [log])?;
        }
    }
    if let Some(last) = ids.last() {
        run(conn, SHRINK, [id.0, *last + 1])?;
    }
    Ok(ids.len())
}
