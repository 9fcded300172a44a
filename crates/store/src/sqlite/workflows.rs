//! Runs of technical workflows, and the clean-up that only they do.

use posthaste_core::ids::DeliveryId;
use posthaste_core::log::Channel;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, params};

use super::codes::{Columns, Inner, count, limit};
use super::{SqliteStore, addresses, purge, rows, run};
use crate::rows::{LedgerEvent, WorkflowRun};
use crate::{Result, StoreError, Workflows};

impl Workflows for SqliteStore {
    fn begin_run(&self, name: &str, at: Timestamp) -> Result<i64> {
        const SQL: &str = "INSERT INTO workflow_run (name, began) VALUES (?1, ?2)";
        self.write("storing the start of a workflow", |tx| {
            Ok(tx.prepare_cached(SQL)?.insert(params![name, at.0])?)
        })
    }

    fn end_run(
        &self,
        id: i64,
        at: Timestamp,
        result: std::result::Result<&str, &str>,
    ) -> Result<()> {
        const SQL: &str =
            "UPDATE workflow_run SET ended = ?2, report = ?3, error = ?4 WHERE id = ?1";
        self.write("storing the end of a workflow", |tx| {
            if run(tx, SQL, params![id, at.0, result.ok(), result.err()])? == 0 {
                return Err(StoreError::NotFound {
                    what: format!("workflow run {id}"),
                }
                .into());
            }
            Ok(())
        })
    }

    fn runs(&self, name: &str, most: usize) -> Result<Vec<WorkflowRun>> {
        // By workflow_run_by_name, which ends with the id.
        const SQL: &str = "SELECT id, name, began, ended, report, error FROM workflow_run
             WHERE name = ?1 ORDER BY id DESC LIMIT ?2";
        self.read("reading the runs of a workflow", |conn| {
            Ok(rows(conn, SQL, params![name, limit(most)], |row| {
                let mut c = Columns::of(row);
                Ok(WorkflowRun {
                    id: c.get()?,
                    name: c.get()?,
                    began: c.time()?,
                    ended: c.time_or_null()?,
                    report: c.get()?,
                    error: c.get()?,
                })
            })?)
        })
    }

    fn purge_log(&self, before: Timestamp, most: usize) -> Result<u64> {
        self.write("removing what is past retention", |tx| {
            let mut left = most;
            for id in past_retention(tx, before)? {
                if left == 0 {
                    break;
                }
                purge::keep_numbers(tx, id)?;
                let gone = purge::delivery_rows(tx, id, left)?;
                if gone < left {
                    forget_rest(tx, id)?;
                }
                left -= gone;
            }
            Ok(count(most - left))
        })
    }

    fn addresses_with_events_before(
        &self,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<(Channel, String)>> {
        // By event_by_time; snapshots are not in it.
        const SQL: &str = "SELECT DISTINCT channel, key FROM event
             WHERE snapshot = 0 AND at < ?1 LIMIT ?2";
        self.read("looking for old ledger events", |conn| {
            Ok(rows(conn, SQL, params![before.0, limit(most)], |row| {
                let mut c = Columns::of(row);
                Ok((c.code()?, c.get()?))
            })?)
        })
    }

    fn fold_events(
        &self,
        channel: Channel,
        key: &str,
        before: Timestamp,
        snapshot: &LedgerEvent,
    ) -> Result<u64> {
        // By event_by_key.
        const SQL: &str = "DELETE FROM event WHERE key = ?1 AND channel = ?2 AND at < ?3";
        self.write("folding old ledger events", |tx| {
            let gone = run(tx, SQL, params![key, channel.code(), before.0])?;
            if gone > 0 {
                addresses::add_event(tx, snapshot)?;
            }
            Ok(count(gone))
        })
    }
}

/// Ended deliveries that last changed before this moment and still have rows.
fn past_retention(conn: &Connection, before: Timestamp) -> Inner<Vec<DeliveryId>> {
    // By delivery_by_state: stopped, failed, finished.
    const SQL: &str = "SELECT id FROM delivery WHERE state IN (85, 87, 95) AND changed < ?1
         AND (first_log IS NOT NULL OR exclusions > 0) ORDER BY id";
    Ok(rows(conn, SQL, [before.0], |row| {
        row.get(0).map(DeliveryId)
    })?)
}

fn forget_rest(conn: &Connection, id: DeliveryId) -> rusqlite::Result<()> {
    const PARTS: &str = "DELETE FROM part WHERE delivery = ?1";
    const SPAN: &str = "UPDATE delivery SET first_log = NULL, last_log = NULL, exclusions = 0
         WHERE id = ?1";
    run(conn, PARTS, [id.0])?;
    run(conn, SPAN, [id.0]).map(|_| ())
}
