//! The address ledger with the verdicts that are in force.

use posthaste_core::ids::{EventId, RequalificationId};
use posthaste_core::log::Channel;
use posthaste_core::qualify::Verdict;
use posthaste_core::quarantine::Event;
use posthaste_core::quarantine::requalify::Ruling;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codes::{Columns, limit, unreadable};
use super::{row, rows};
use crate::requalifying::{HeldEvent, Span};
use crate::rows::{LedgerEvent, Page};

/// Events with the newest verdict that was given to them and not undone, ?1 left out: by
/// `requalified_event_by_event`, one seek an event.
macro_rules! held {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.payload, q.requalification, q.new FROM event e
             LEFT JOIN requalified_event q ON q.event = e.id AND q.requalification =
                (SELECT max(n.requalification) FROM requalified_event n
                 JOIN requalification d ON d.id = n.requalification
                 WHERE n.event = e.id AND d.undone IS NULL
                   AND (?1 IS NULL OR n.requalification <> ?1))
             WHERE ",
            $rest
        )
    };
}

fn read_held(row: &Row<'_>) -> rusqlite::Result<HeldEvent> {
    let mut c = Columns::of(row);
    let id = EventId(c.get()?);
    let payload: String = c.get()?;
    let mut event: LedgerEvent = serde_json::from_str(&payload)
        .map_err(|e| unreadable(1, format!("a ledger event: {e}")))?;
    let by = c.get::<Option<i64>>()?.map(RequalificationId);
    if let (Some(by), Some(verdict)) = (by, c.get::<Option<String>>()?) {
        let verdict = serde_json::from_str(&verdict)
            .map_err(|e| unreadable(3, format!("the verdict of re-qualification {by}: {e}")))?;
        put_verdict(&mut event, verdict, by);
    }
    Ok(HeldEvent { id, event, by })
}

fn put_verdict(event: &mut LedgerEvent, verdict: Verdict, by: RequalificationId) {
    if let Event::Failed(failed) = &mut event.event {
        let ruling = Ruling {
            kind: verdict.kind,
            reason: verdict.reason,
            party: verdict.party,
        };
        *failed = ruling.applied_to(failed);
        event.verdict = Some(verdict);
        event.by = format!("{}, then re-qualification {by}", event.by);
    }
}

/// The ledger of an address, oldest first, by `event_by_key`.
pub(super) fn of_address(
    conn: &Connection,
    channel: Channel,
    key: &str,
    without: Option<RequalificationId>,
) -> rusqlite::Result<Vec<HeldEvent>> {
    let sql = held!("e.key = ?2 AND e.channel = ?3 ORDER BY e.at, e.id");
    let params = params![without.map(|id| id.0), key, channel.code()];
    rows(conn, sql, params, read_held)
}

/// One page of the ledger, oldest first: the rest of the moment the last page ended in, then what
/// comes after it.
pub(super) fn page(
    conn: &Connection,
    span: Span,
    page: &Page<(Timestamp, EventId)>,
    without: Option<RequalificationId>,
) -> rusqlite::Result<Vec<HeldEvent>> {
    // Both by event_by_time, which ends with the id.
    let same = held!("e.snapshot = 0 AND e.at = ?2 AND e.id > ?3 ORDER BY e.id LIMIT ?4");
    let later = held!("e.snapshot = 0 AND e.at >= ?2 AND e.at <= ?3 ORDER BY e.at, e.id LIMIT ?4");
    let out = without.map(|id| id.0);
    let mut found = Vec::new();
    let mut from = span.from.0;
    if let Some((at, id)) = page.after {
        found = rows(
            conn,
            same,
            params![out, at.0, id.0, limit(page.limit)],
            read_held,
        )?;
        from = at.0.saturating_add(1);
    }
    let left = page.limit.saturating_sub(found.len());
    if left > 0 {
        let params = params![out, from, span.to.0, limit(left)];
        found.extend(rows(conn, later, params, read_held)?);
    }
    Ok(found)
}

/// Up to when events were folded, by `event_folded`.
pub(super) fn folded_until(conn: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    const SQL: &str = "SELECT max(at) FROM event WHERE snapshot = 1";
    let found = row(conn, SQL, [], |row| row.get::<_, Option<i64>>(0))?;
    Ok(found.flatten().map(Timestamp))
}
