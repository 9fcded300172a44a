//! The queue: parts are claimed, recipients come due, parts are closed.
//!
//! A recipient waits when its status is pending and it has no due time.

use std::collections::HashSet;

use posthaste_core::ids::{DeliveryId, LogId, PartId};
use posthaste_core::log::LogStatus;
use posthaste_core::part::PartState;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codes::{Columns, Inner, count, limit};
use super::gather::{Due, split};
use super::{SqliteStore, deliveries, log, row, rows, run};
use crate::rows::ClaimedRecipient;
use crate::{Queue, Result};

/// The condition of [`is_waiting`] and its like; status 6 is pending.
macro_rules! waiting {
    () => {
        "l.status = 6 AND l.due IS NULL"
    };
}

/// Deliveries in progress (55), who is claimed first at the front.
const SENDING: &str = "SELECT id FROM delivery WHERE state = 55 ORDER BY priority DESC, id";

impl Queue for SqliteStore {
    fn claim(
        &self,
        owner: &str,
        lease_until: Timestamp,
        recipients: usize,
        skip_domains: &[String],
    ) -> Result<Vec<ClaimedRecipient>> {
        let doing = "claiming recipients";
        let wanted = |conn: &Connection| -> Inner<bool> {
            let skip = domain_ids(conn, skip_domains)?;
            Ok(!candidates(conn, 1, &skip)?.is_empty())
        };
        if recipients == 0 || !self.read(doing, wanted)? {
            return Ok(Vec::new());
        }
        self.write(doing, |tx| {
            let skip = domain_ids(tx, skip_domains)?;
            let mut claimed = Vec::new();
            while claimed.len() < recipients {
                let parts = candidates(tx, recipients - claimed.len(), &skip)?;
                if parts.is_empty() {
                    break;
                }
                for part in parts {
                    claim_part(tx, part, (owner, lease_until), &mut claimed)?;
                }
            }
            Ok(claimed)
        })
    }

    fn gather_due(&self, now: Timestamp, most: usize) -> Result<u64> {
        let doing = "gathering recipients that are due";
        let any = |conn: &Connection| -> Inner<bool> {
            for id in rows(conn, SENDING, [], |row| row.get(0))? {
                if !due_of(conn, DeliveryId(id), now, 1)?.is_empty() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if !self.read(doing, any)? {
            return Ok(0);
        }
        self.write(doing, |tx| {
            let mut gathered = 0;
            for id in rows(tx, SENDING, [], |row| row.get(0))? {
                let id = DeliveryId(id);
                let due = due_of(tx, id, now, most.saturating_sub(gathered))?;
                gathered += due.len();
                for (domain, members) in split(due) {
                    put_into_new_part(tx, id, domain, &members)?;
                }
            }
            Ok(count(gathered))
        })
    }

    fn give_back(&self, recipients: &[LogId], due: Timestamp) -> Result<()> {
        const SQL: &str = "UPDATE log SET due = ?2 WHERE id = ?1 AND status = 6";
        self.write("giving recipients back", |tx| {
            for id in recipients {
                run(tx, SQL, params![id.0, due.0])?;
            }
            Ok(())
        })
    }

    fn settle_parts(&self, parts: &[PartId]) -> Result<()> {
        const SQL: &str = "UPDATE part SET state = ?2, owner = NULL, lease_until = NULL
             WHERE id = ?1 AND state = ?3";
        self.write("settling parts", |tx| {
            for part in parts {
                let to = if is_waiting(tx, part.0)? {
                    PartState::Ready
                } else {
                    PartState::Closed
                };
                run(
                    tx,
                    SQL,
                    params![part.0, to.code(), PartState::Leased.code()],
                )?;
            }
            Ok(())
        })
    }

    fn release_leases(&self, owner: &str, now: Timestamp) -> Result<u64> {
        // By part_open.
        const ANY: &str = "SELECT 1 FROM part WHERE state = 2 AND state <> 3
             AND (owner <> ?1 OR lease_until < ?2) LIMIT 1";
        const RELEASE: &str = "UPDATE part SET state = 1, owner = NULL, lease_until = NULL
             WHERE state = 2 AND state <> 3 AND (owner <> ?1 OR lease_until < ?2)";
        let doing = "releasing leases";
        let any = self.read(doing, |conn| {
            Ok(row(conn, ANY, params![owner, now.0], |_| Ok(()))?)
        })?;
        if any.is_none() {
            return Ok(0);
        }
        self.write(doing, |tx| {
            Ok(count(run(tx, RELEASE, params![owner, now.0])?))
        })
    }

    fn is_drained(&self, id: DeliveryId) -> Result<bool> {
        // By part_open and log_due: no row of the log is read.
        const SQL: &str = "SELECT NOT EXISTS (SELECT 1 FROM part
                        WHERE state IN (0, 1, 2) AND state <> 3 AND delivery = ?1)
                AND NOT EXISTS (SELECT 1 FROM log WHERE delivery = ?1 AND due IS NOT NULL)";
        self.read("looking whether a delivery is drained", |conn| {
            Ok(row(conn, SQL, [id.0], |row| row.get(0))?.unwrap_or(true))
        })
    }

    fn end_waiting(
        &self,
        id: DeliveryId,
        tried_fail: bool,
        leased_too: bool,
        at: Timestamp,
        most: usize,
    ) -> Result<u64> {
        self.write("ending recipients that wait", |tx| {
            deliveries::must_exist(tx, id)?;
            let end = End { tried_fail, at };
            let mut left = most;
            for part in open_parts(tx, id, leased_too)? {
                if left == 0 {
                    break;
                }
                let ended = end.rows(tx, &waiting_in(tx, part, left)?)?;
                left -= ended;
                if left > 0 || !is_waiting(tx, part)? {
                    close(tx, part)?;
                }
            }
            let due = due_of(tx, id, Timestamp(i64::MAX), left)?;
            let due: Vec<LogId> = due.into_iter().map(|due| due.log).collect();
            left -= end.rows(tx, &due)?;
            Ok(count(most - left))
        })
    }
}

fn domain_ids(conn: &Connection, names: &[String]) -> rusqlite::Result<HashSet<i64>> {
    let mut ids = HashSet::new();
    for name in names {
        ids.extend(log::domain_named(conn, name)?);
    }
    Ok(ids)
}

/// A part that can be claimed.
#[derive(Clone, Copy)]
struct Candidate {
    part: i64,
    delivery: DeliveryId,
}

/// Ready parts, first come first, that together hold about `wanted` recipients. By part_open.
fn candidates(
    conn: &Connection,
    wanted: usize,
    skip: &HashSet<i64>,
) -> rusqlite::Result<Vec<Candidate>> {
    const READY: &str = "SELECT id, domain, recipients FROM part
         WHERE state = 1 AND state <> 3 AND delivery = ?1 ORDER BY id";
    let mut found = Vec::new();
    let (mut held, wanted) = (0, limit(wanted));
    for delivery in rows(conn, SENDING, [], |row| row.get::<_, i64>(0))? {
        let mut statement = conn.prepare_cached(READY)?;
        let mut parts = statement.query([delivery])?;
        while let Some(row) = parts.next()? {
            if held >= wanted {
                return Ok(found);
            }
            let domain: Option<i64> = row.get(1)?;
            if domain.is_some_and(|id| skip.contains(&id)) {
                continue;
            }
            held += row.get::<_, i64>(2)?;
            found.push(Candidate {
                part: row.get(0)?,
                delivery: DeliveryId(delivery),
            });
        }
    }
    Ok(found)
}

/// Leases a part and loads who waits in it; closes it when nobody does.
fn claim_part(
    conn: &Connection,
    part: Candidate,
    (owner, until): (&str, Timestamp),
    claimed: &mut Vec<ClaimedRecipient>,
) -> rusqlite::Result<()> {
    const LEASE: &str = "UPDATE part SET state = 2, owner = ?2, lease_until = ?3 WHERE id = ?1";
    // By log_by_part, then by primary keys.
    const MEMBERS: &str = concat!(
        "SELECT l.id, l.delivery, l.part, f.address, coalesce(f.key, f.address), n.name,
                f.attributes, l.attempts, a.status
         FROM log l CROSS JOIN frozen f ON f.log = l.id CROSS JOIN domain n ON n.id = l.domain
              LEFT JOIN address a ON a.key = coalesce(f.key, f.address)
                   AND a.channel = (SELECT channel FROM delivery WHERE id = ?2)
         WHERE l.part = ?1 AND ",
        waiting!(),
        " ORDER BY l.id"
    );
    let before = claimed.len();
    claimed.extend(rows(
        conn,
        MEMBERS,
        [part.part, part.delivery.0],
        read_claimed,
    )?);
    if claimed.len() == before {
        return close(conn, part.part);
    }
    run(conn, LEASE, params![part.part, owner, until.0]).map(|_| ())
}

fn read_claimed(row: &Row<'_>) -> rusqlite::Result<ClaimedRecipient> {
    let mut c = Columns::of(row);
    Ok(ClaimedRecipient {
        log: LogId(c.get()?),
        delivery: DeliveryId(c.get()?),
        part: PartId(c.get()?),
        address: c.get()?,
        key: c.get()?,
        domain: c.get()?,
        attributes: c.get()?,
        attempts: c.get()?,
        standing: c.code_or_null()?,
    })
}

fn close(conn: &Connection, part: i64) -> rusqlite::Result<()> {
    const SQL: &str = "UPDATE part SET state = 3, owner = NULL, lease_until = NULL WHERE id = ?1";
    run(conn, SQL, [part]).map(|_| ())
}

/// Whether somebody in this part waits. By log_by_part.
fn is_waiting(conn: &Connection, part: i64) -> rusqlite::Result<bool> {
    Ok(!waiting_in(conn, part, 1)?.is_empty())
}

/// Who waits in this part. By log_by_part.
fn waiting_in(conn: &Connection, part: i64, most: usize) -> rusqlite::Result<Vec<LogId>> {
    const SQL: &str = concat!(
        "SELECT l.id FROM log l WHERE l.part = ?1 AND ",
        waiting!(),
        " LIMIT ?2"
    );
    rows(conn, SQL, [part, limit(most)], |row| row.get(0).map(LogId))
}

/// Parts of a delivery that are not closed. By part_open.
fn open_parts(conn: &Connection, id: DeliveryId, leased: bool) -> rusqlite::Result<Vec<i64>> {
    const SQL: &str = "SELECT id FROM part WHERE state IN (0, 1, CASE WHEN ?2 THEN 2 ELSE 1 END)
         AND state <> 3 AND delivery = ?1";
    rows(conn, SQL, params![id.0, leased], |row| row.get(0))
}

/// Recipients of a delivery that are due, the longest due first. By log_due.
fn due_of(
    conn: &Connection,
    id: DeliveryId,
    now: Timestamp,
    most: usize,
) -> rusqlite::Result<Vec<Due>> {
    const SQL: &str = "SELECT id, domain FROM log
         WHERE delivery = ?1 AND due IS NOT NULL AND due <= ?2 ORDER BY due LIMIT ?3";
    rows(conn, SQL, params![id.0, now.0, limit(most)], |row| {
        Ok(Due {
            log: LogId(row.get(0)?),
            domain: row.get(1)?,
        })
    })
}

fn put_into_new_part(
    conn: &Connection,
    id: DeliveryId,
    domain: Option<i64>,
    members: &[LogId],
) -> rusqlite::Result<()> {
    const PART: &str =
        "INSERT INTO part (delivery, domain, state, recipients) VALUES (?1, ?2, ?3, ?4)";
    const MOVE: &str = "UPDATE log SET due = NULL, part = ?2 WHERE id = ?1";
    let params = params![id.0, domain, PartState::Ready.code(), limit(members.len())];
    let part = conn.prepare_cached(PART)?.insert(params)?;
    for log in members {
        run(conn, MOVE, [log.0, part])?;
    }
    Ok(())
}

/// How recipients that wait are ended.
struct End {
    tried_fail: bool,
    at: Timestamp,
}

impl End {
    /// Ends these rows; returns how many.
    fn rows(&self, conn: &Connection, rows: &[LogId]) -> rusqlite::Result<usize> {
        const SQL: &str = "UPDATE log SET due = NULL, changed = ?2,
                    status = CASE WHEN ?3 AND attempts > 0 THEN ?4 ELSE ?5 END
             WHERE id = ?1 AND status = 6";
        let (failed, cancelled) = (LogStatus::Failed.code(), LogStatus::Cancelled.code());
        let mut ended = 0;
        for id in rows {
            let params = params![id.0, self.at.0, self.tried_fail, failed, cancelled];
            ended += run(conn, SQL, params)?;
        }
        Ok(ended)
    }
}
