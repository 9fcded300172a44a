//! Deliveries: their states, journals, exclusions and numbers.

use posthaste_core::delivery::DeliveryState;
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::{DeliveryId, ListId, LogId, RecipientId};
use posthaste_core::log::LogStatus;
use posthaste_core::tally::{Counted, Tally};
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codes::{Columns, Inner, limit};
use super::{SqliteStore, log, purge, row, rows, run};
use crate::rows::{
    Attempt, Delivery, ExclusionRow, JournalLine, LogFilter, LogRow, LogTotals, NewDelivery, Page,
};
use crate::{Deliveries, Result, StoreError};

macro_rules! deliveries {
    ($rest:literal) => {
        concat!(
            "SELECT id, label, channel, list, state, spec, priority, contact_date, valid_until,
                    proof, target, to_send, created, changed, started, ended
             FROM delivery ",
            $rest
        )
    };
}

fn read_delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let mut c = Columns::of(row);
    Ok(Delivery {
        id: DeliveryId(c.get()?),
        label: c.get()?,
        channel: c.code()?,
        list: ListId(c.get()?),
        state: c.code()?,
        spec: c.get()?,
        priority: c.code()?,
        contact_date: c.time_or_null()?,
        valid_until: c.time_or_null()?,
        proof: c.get()?,
        target: c.unsigned()?,
        to_send: c.unsigned()?,
        created: c.time()?,
        changed: c.time()?,
        started: c.time_or_null()?,
        ended: c.time_or_null()?,
    })
}

/// That there is no such delivery.
pub(super) fn not_found(id: DeliveryId) -> StoreError {
    StoreError::NotFound {
        what: format!("delivery {id}"),
    }
}

/// Fails when there is no such delivery.
pub(super) fn must_exist(conn: &Connection, id: DeliveryId) -> Inner<()> {
    const SQL: &str = "SELECT 1 FROM delivery WHERE id = ?1";
    match row(conn, SQL, [id.0], |_| Ok(()))? {
        Some(()) => Ok(()),
        None => Err(not_found(id).into()),
    }
}

impl Deliveries for SqliteStore {
    fn create_delivery(&self, new: &NewDelivery, at: Timestamp) -> Result<DeliveryId> {
        const SQL: &str = "INSERT INTO delivery (label, channel, list, state, spec, priority,
                    contact_date, proof, created, changed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)";
        let params = params![
            new.label,
            new.channel.code(),
            new.list.0,
            DeliveryState::Edited.code(),
            new.spec,
            new.priority.code(),
            new.contact_date.map(|at| at.0),
            new.proof,
            at.0
        ];
        self.write("creating a delivery", |tx| {
            Ok(DeliveryId(tx.prepare_cached(SQL)?.insert(params)?))
        })
    }

    fn remove_delivery(&self, id: DeliveryId) -> Result<bool> {
        const STATE: &str = "SELECT 1 FROM delivery WHERE id = ?1 AND state IN (?2, ?3)";
        const SQL: &str = "DELETE FROM delivery WHERE id = ?1";
        let (edited, failed) = (DeliveryState::Edited, DeliveryState::PreparationFailed);
        // Each slice looks at the state again: somebody may have begun to prepare it.
        loop {
            let removed = self.write("removing a delivery", |tx| {
                let may = params![id.0, edited.code(), failed.code()];
                if row(tx, STATE, may, |_| Ok(()))?.is_none() {
                    return Ok(Some(false));
                }
                if purge::delivery_rows(tx, id, purge::SLICE)? > 0 {
                    return Ok(None);
                }
                purge::parts_and_journal(tx, id)?;
                run(tx, SQL, [id.0])?;
                Ok(Some(true))
            })?;
            if let Some(removed) = removed {
                return Ok(removed);
            }
        }
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        self.read("reading a delivery", |conn| {
            Ok(row(
                conn,
                deliveries!("WHERE id = ?1"),
                [id.0],
                read_delivery,
            )?)
        })
    }

    fn deliveries(&self, most: usize) -> Result<Vec<Delivery>> {
        self.read("reading the deliveries", |conn| {
            let sql = deliveries!("ORDER BY id DESC LIMIT ?1");
            Ok(rows(conn, sql, [limit(most)], read_delivery)?)
        })
    }

    fn deliveries_in(&self, states: &[DeliveryState]) -> Result<Vec<Delivery>> {
        self.read("reading the deliveries by state", |conn| {
            let mut found = Vec::new();
            for &state in states {
                let sql = deliveries!("WHERE state = ?1");
                found.extend(rows(conn, sql, [state.code()], read_delivery)?);
            }
            found.sort_by_key(|delivery| delivery.id);
            found.dedup_by_key(|delivery| delivery.id);
            Ok(found)
        })
    }

    fn move_delivery(
        &self,
        id: DeliveryId,
        from: DeliveryState,
        to: DeliveryState,
        at: Timestamp,
    ) -> Result<bool> {
        const SQL: &str = "UPDATE delivery SET state = ?3, changed = ?4,
                    started = CASE WHEN ?5 THEN coalesce(started, ?4) ELSE started END,
                    ended = CASE WHEN ?6 THEN ?4 ELSE ended END
             WHERE id = ?1 AND state = ?2";
        let params = params![
            id.0,
            from.code(),
            to.code(),
            at.0,
            to.is_sending(),
            to.has_ended()
        ];
        self.write("moving a delivery", |tx| {
            if run(tx, SQL, params)? == 1 {
                return Ok(true);
            }
            must_exist(tx, id)?;
            Ok(false)
        })
    }

    fn set_schedule(
        &self,
        id: DeliveryId,
        contact_date: Option<Timestamp>,
        valid_until: Timestamp,
    ) -> Result<()> {
        const SQL: &str = "UPDATE delivery SET contact_date = ?2, valid_until = ?3 WHERE id = ?1";
        self.write("scheduling a delivery", |tx| {
            let params = params![id.0, contact_date.map(|at| at.0), valid_until.0];
            if run(tx, SQL, params)? == 0 {
                return Err(not_found(id).into());
            }
            Ok(())
        })
    }

    fn journal(&self, id: DeliveryId, lines: &[JournalLine]) -> Result<()> {
        const SQL: &str = "INSERT INTO journal (delivery, at, level, text) VALUES (?1, ?2, ?3, ?4)";
        self.write("writing the journal of a delivery", |tx| {
            must_exist(tx, id)?;
            for line in lines {
                run(
                    tx,
                    SQL,
                    params![id.0, line.at.0, line.level.code(), line.text],
                )?;
            }
            Ok(())
        })
    }

    fn journal_of(&self, id: DeliveryId) -> Result<Vec<JournalLine>> {
        const SQL: &str = "SELECT at, level, text FROM journal WHERE delivery = ?1 ORDER BY id";
        self.read("reading the journal of a delivery", |conn| {
            Ok(rows(conn, SQL, [id.0], |row| {
                let mut c = Columns::of(row);
                Ok(JournalLine {
                    at: c.time()?,
                    level: c.code()?,
                    text: c.get()?,
                })
            })?)
        })
    }

    fn tally(&self, id: DeliveryId) -> Result<Tally> {
        self.read(
            "counting the numbers of a delivery",
            |conn| match purge::kept_numbers(conn, id)? {
                Some(kept) => Ok(kept.tally),
                None => tally(conn, id),
            },
        )
    }

    fn totals(&self, id: DeliveryId) -> Result<LogTotals> {
        self.read(
            "counting the totals of a delivery",
            |conn| match purge::kept_numbers(conn, id)? {
                Some(kept) => Ok(kept.totals),
                None => Ok(log::totals(conn, id)?),
            },
        )
    }

    fn log_page(&self, filter: &LogFilter, page: Page<LogId>) -> Result<Vec<LogRow>> {
        self.read("reading the delivery log", |conn| {
            log::page(conn, filter, &page)
        })
    }

    fn log_of_address(&self, key: &str, most: usize) -> Result<Vec<LogRow>> {
        self.read("reading the delivery log of an address", |conn| {
            log::of_address(conn, key, most)
        })
    }

    fn log_row(&self, id: LogId) -> Result<Option<LogRow>> {
        self.read("reading a delivery log row", |conn| {
            Ok(log::by_id(conn, id)?)
        })
    }

    fn attempts(&self, id: LogId) -> Result<Vec<Attempt>> {
        self.read("reading attempts", |conn| Ok(log::attempts(conn, id)?))
    }

    fn exclusions(
        &self,
        id: DeliveryId,
        reason: Option<FailureReason>,
        page: Page<i64>,
    ) -> Result<Vec<ExclusionRow>> {
        // By the primary key.
        const SQL: &str = "SELECT number, recipient, line, address, reason, detail FROM exclusion
             WHERE delivery = ?1 AND number > ?2 AND (?3 IS NULL OR reason = ?3)
             ORDER BY number LIMIT ?4";
        let params = params![
            id.0,
            page.after.unwrap_or(0),
            reason.map(FailureReason::code),
            limit(page.limit)
        ];
        self.read("reading the exclusions of a delivery", |conn| {
            Ok(rows(conn, SQL, params, |row| {
                let mut c = Columns::of(row);
                Ok(ExclusionRow {
                    id: c.get()?,
                    recipient: RecipientId(c.get()?),
                    line: c.unsigned()?,
                    address: c.get()?,
                    reason: c.code()?,
                    detail: c.get()?,
                })
            })?)
        })
    }

    fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.read("looking for what is due next", |conn| {
            Ok(next_due(conn, now)?)
        })
    }

    fn change_mark(&self) -> Result<u64> {
        self.others_have_written()
    }
}

/// The numbers of a delivery, counted: exclusions by reason, rows by status.
pub(super) fn tally(conn: &Connection, id: DeliveryId) -> Inner<Tally> {
    const TARGET: &str = "SELECT target FROM delivery WHERE id = ?1";
    // By the primary key.
    const EXCLUDED: &str =
        "SELECT reason, count(*) FROM exclusion WHERE delivery = ?1 GROUP BY reason";
    let Some(target) = row(conn, TARGET, [id.0], |row| Columns::of(row).unsigned())? else {
        return Err(not_found(id).into());
    };
    let excluded = rows(conn, EXCLUDED, [id.0], |row| {
        let mut c = Columns::of(row);
        Ok(Counted {
            status: LogStatus::Ignored,
            reason: c.code()?,
            rows: c.unsigned()?,
        })
    })?;
    let logged = log::count(conn, id)?
        .into_iter()
        .map(|(status, _, reason, rows)| Counted {
            status,
            reason: if status == LogStatus::Failed || status == LogStatus::Ignored {
                reason
            } else {
                FailureReason::NotDefined
            },
            rows,
        });
    Ok(Tally::from_counts(
        target,
        excluded.into_iter().chain(logged),
    ))
}

fn next_due(conn: &Connection, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
    // By delivery_by_state: all that may still do something.
    const ACTIVE: &str = "SELECT id, state, contact_date, valid_until FROM delivery
         WHERE state IN (51, 55, 71, 75)";
    // By log_due.
    const RETRY: &str =
        "SELECT min(due) FROM log WHERE delivery = ?1 AND due IS NOT NULL AND due > ?2";
    let active = rows(conn, ACTIVE, [], |row| {
        let mut c = Columns::of(row);
        let id: i64 = c.get()?;
        let state: DeliveryState = c.code()?;
        Ok((id, state, c.time_or_null()?, c.time_or_null()?))
    })?;
    let mut moments = Vec::new();
    for (id, state, contact_date, valid_until) in active {
        moments.extend(valid_until);
        if state == DeliveryState::StartPending {
            moments.extend(contact_date);
        }
        if state.is_sending() {
            let due = row(conn, RETRY, [id, now.0], |row| row.get::<_, Option<i64>>(0))?;
            moments.extend(due.flatten().map(Timestamp));
        }
    }
    Ok(moments.into_iter().filter(|&at| at > now).min())
}
