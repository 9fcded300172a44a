//! The delivery log, read: rows, pages, the rows of an address, attempts, and counts.

use std::collections::HashMap;

use posthaste_core::enhanced::EnhancedStatus;
use posthaste_core::evidence::{Evidence, SaidBy};
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::ids::{DeliveryId, LogId, PartId, QualificationId, RecipientId};
use posthaste_core::log::LogStatus;
use posthaste_core::qualify::{RuleRef, Verdict};
use rusqlite::{Connection, Row, params};

use super::codes::{Coded, Columns, Inner, hash, limit, unreadable};
use super::{row, rows};
use crate::rows::{Attempt, LogFilter, LogRow, LogTotals, Page};

/// Flags of a row.
pub(super) const POSSIBLY_DUPLICATE: i64 = 1;
pub(super) const COMPLAINT: i64 = 2;
pub(super) const QUARANTINED: i64 = 4;

/// Domains that totals name.
const DOMAINS_NAMED: usize = 50;

/// The columns of [`read_row`]; `CROSS JOIN` keeps the order: log first, the others by their ids.
macro_rules! log_rows {
    ($where:literal) => {
        concat!(
            "SELECT l.id, l.delivery, l.part, l.recipient, f.address, coalesce(f.key, f.address),
                    n.name, l.status, l.kind, l.reason, l.party, l.attempts, l.doubtful, l.due,
                    l.changed, l.qualification, l.flags
             FROM log l CROSS JOIN frozen f ON f.log = l.id CROSS JOIN domain n ON n.id = l.domain
             WHERE ",
            $where
        )
    };
}

pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    let mut c = Columns::of(row);
    let mut log = LogRow {
        id: LogId(c.get()?),
        delivery: DeliveryId(c.get()?),
        part: PartId(c.get()?),
        recipient: RecipientId(c.get()?),
        address: c.get()?,
        key: c.get()?,
        domain: c.get()?,
        status: c.code()?,
        kind: c.code()?,
        reason: c.code()?,
        party: c.code_or_null()?,
        attempts: c.get()?,
        doubtful: c.get()?,
        due: c.time_or_null()?,
        changed: c.time()?,
        qualification: c.get::<Option<i64>>()?.map(QualificationId),
        possibly_duplicate: false,
        complaint: false,
    };
    let flags: i64 = c.get()?;
    log.possibly_duplicate = flags & POSSIBLY_DUPLICATE != 0;
    log.complaint = flags & COMPLAINT != 0;
    Ok(log)
}

/// One row, by its id.
pub(super) fn by_id(conn: &Connection, id: LogId) -> rusqlite::Result<Option<LogRow>> {
    row(conn, log_rows!("l.id = ?1"), [id.0], read_row)
}

/// The ids that enclose a delivery's rows, if it has any.
pub(super) fn span(conn: &Connection, id: DeliveryId) -> rusqlite::Result<Option<(i64, i64)>> {
    const SQL: &str =
        "SELECT first_log, last_log FROM delivery WHERE id = ?1 AND first_log IS NOT NULL";
    row(conn, SQL, [id.0], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// One page of the log, in the order of ids.
pub(super) fn page(
    conn: &Connection,
    filter: &LogFilter,
    page: &Page<LogId>,
) -> Inner<Vec<LogRow>> {
    let after = page.after.map_or(i64::MIN, |id| id.0);
    if let Some(key) = &filter.key {
        let mut ids = ids_of_key(conn, key, usize::MAX)?;
        ids.retain(|id| id.0 > after);
        ids.sort_unstable();
        return rows_where(conn, &ids, page.limit, |row| matches(filter, row));
    }
    let (first, last) = match filter.delivery {
        None => (i64::MIN, i64::MAX),
        Some(id) => match span(conn, id)? {
            Some(span) => span,
            None => return Ok(Vec::new()),
        },
    };
    let domain = match &filter.domain {
        None => None,
        Some(name) => match domain_named(conn, name)? {
            Some(id) => Some(id),
            None => return Ok(Vec::new()),
        },
    };
    // By the primary key; the rest is compared on the way.
    let sql = log_rows!(
        "l.id > ?1 AND l.id BETWEEN ?2 AND ?3
           AND (?4 IS NULL OR l.delivery = ?4) AND (?5 IS NULL OR l.status = ?5)
           AND (?6 IS NULL OR l.kind = ?6) AND (?7 IS NULL OR l.reason = ?7)
           AND (?8 IS NULL OR l.domain = ?8)
         ORDER BY l.id LIMIT ?9"
    );
    let params = params![
        after,
        first,
        last,
        filter.delivery.map(|id| id.0),
        filter.status.map(LogStatus::code),
        filter.kind.map(FailureType::code),
        filter.reason.map(FailureReason::code),
        domain,
        limit(page.limit)
    ];
    Ok(rows(conn, sql, params, read_row)?)
}

fn matches(filter: &LogFilter, row: &LogRow) -> bool {
    filter.delivery.is_none_or(|id| row.delivery == id)
        && filter.status.is_none_or(|status| row.status == status)
        && filter.kind.is_none_or(|kind| row.kind == kind)
        && filter.reason.is_none_or(|reason| row.reason == reason)
        && filter
            .domain
            .as_ref()
            .is_none_or(|name| row.domain == *name)
}

fn rows_where(
    conn: &Connection,
    ids: &[LogId],
    limit: usize,
    wanted: impl Fn(&LogRow) -> bool,
) -> Inner<Vec<LogRow>> {
    let mut found = Vec::new();
    for &id in ids {
        if found.len() >= limit {
            break;
        }
        found.extend(by_id(conn, id)?.filter(&wanted));
    }
    Ok(found)
}

/// The rows of an address, newest first.
pub(super) fn of_address(conn: &Connection, key: &str, limit: usize) -> Inner<Vec<LogRow>> {
    let ids = ids_of_key(conn, key, limit)?;
    rows_where(conn, &ids, limit, |_| true)
}

/// Ids of the rows of an address, newest first: one seek in `frozen_by_hash` per block of ids.
fn ids_of_key(conn: &Connection, key: &str, limit: usize) -> rusqlite::Result<Vec<LogId>> {
    const ENDS: &str = "SELECT coalesce((SELECT min(log) FROM frozen), 0) >> 14,
                               coalesce((SELECT max(log) FROM frozen), -1) >> 14";
    const IN_BLOCK: &str = "SELECT log FROM frozen
         WHERE log >> 14 = ?1 AND hash = ?2 AND coalesce(key, address) = ?3 ORDER BY log DESC";
    let ends = row(conn, ENDS, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    let (first, last) = ends.unwrap_or((0, -1));
    let hash = hash(key);
    let mut statement = conn.prepare_cached(IN_BLOCK)?;
    let mut ids = Vec::new();
    for block in (first..=last).rev() {
        let found = statement.query_map(params![block, hash, key], |row| row.get(0))?;
        for id in found {
            ids.push(LogId(id?));
        }
        if ids.len() >= limit {
            ids.truncate(limit);
            break;
        }
    }
    Ok(ids)
}

/// The id of a domain that was met before.
pub(super) fn domain_named(conn: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    const SQL: &str = "SELECT id FROM domain WHERE name = ?1";
    row(conn, SQL, [name], |row| row.get(0))
}

/// The attempts of one row, oldest first.
pub(super) fn attempts(conn: &Connection, id: LogId) -> rusqlite::Result<Vec<Attempt>> {
    const SQL: &str = "SELECT log, number, outcome, said_by, stage, code, enhanced, text, at,
                rule, rule_version, kind, reason, party, retry, confidence,
                qualification, tls, took_ms
         FROM attempt WHERE log = ?1 ORDER BY number";
    rows(conn, SQL, [id.0], |row| {
        let mut c = Columns::of(row);
        Ok(Attempt {
            log: LogId(c.get()?),
            number: c.get()?,
            outcome: c.code()?,
            evidence: read_evidence(&mut c)?,
            verdict: read_verdict(&mut c)?,
            qualification: c.get::<Option<i64>>()?.map(QualificationId),
            tls: c.get()?,
            took_ms: c.get()?,
        })
    })
}

fn read_evidence(c: &mut Columns<'_, '_>) -> rusqlite::Result<Evidence> {
    Ok(Evidence {
        said_by: c
            .get::<Option<String>>()?
            .map_or(SaidBy::Us, SaidBy::Remote),
        stage: c.code()?,
        code: c.get()?,
        enhanced: c
            .get::<Option<String>>()?
            .as_deref()
            .and_then(EnhancedStatus::parse),
        text: c.get()?,
        at: c.time()?,
    })
}

fn read_verdict(c: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Verdict>> {
    let rule: Option<String> = c.get()?;
    let version: Option<u32> = c.get()?;
    let kind = c.code_or_null()?;
    let reason = c.code_or_null()?;
    let party = c.code_or_null()?;
    let retry: Option<bool> = c.get()?;
    let confidence: Option<u8> = c.get()?;
    let Some(rule) = rule else {
        return Ok(None);
    };
    let (Some(version), Some(kind), Some(reason), Some(party), Some(retry), Some(confidence)) =
        (version, kind, reason, party, retry, confidence)
    else {
        return Err(unreadable(9, "a verdict that is not complete"));
    };
    Ok(Some(Verdict {
        kind,
        reason,
        party,
        retry,
        confidence,
        rule: RuleRef {
            name: rule.into(),
            version,
        },
    }))
}

/// Rows of a delivery by status, type and reason: one scan.
pub(super) fn count(
    conn: &Connection,
    id: DeliveryId,
) -> rusqlite::Result<Vec<(LogStatus, FailureType, FailureReason, u64)>> {
    // A scan by the primary key; grouping in the database would sort all rows.
    const SQL: &str = "SELECT status, kind, reason FROM log
         WHERE id BETWEEN ?1 AND ?2 AND delivery = ?3";
    let Some((first, last)) = span(conn, id)? else {
        return Ok(Vec::new());
    };
    let mut counts: HashMap<(u8, u8, u8), u64> = HashMap::new();
    let mut statement = conn.prepare_cached(SQL)?;
    let mut found = statement.query(params![first, last, id.0])?;
    while let Some(row) = found.next()? {
        let what = (row.get(0)?, row.get(1)?, row.get(2)?);
        *counts.entry(what).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    counts
        .into_iter()
        .map(|((status, kind, reason), n)| Ok((decode(status)?, decode(kind)?, decode(reason)?, n)))
        .collect()
}

fn decode<T: Coded>(code: u8) -> rusqlite::Result<T> {
    T::of(code).ok_or_else(|| unreadable(0, format!("{code} is no {}", T::WHAT)))
}

#[derive(Default)]
struct DomainCount {
    sent: u64,
    failed: u64,
    pending: u64,
    other: u64,
}

/// Totals of a delivery for reports: two scans.
pub(super) fn totals(conn: &Connection, id: DeliveryId) -> rusqlite::Result<LogTotals> {
    const SQL: &str = "SELECT domain, status, flags, attempts FROM log
         WHERE id BETWEEN ?1 AND ?2 AND delivery = ?3";
    let mut totals = LogTotals {
        by_failure: count(conn, id)?,
        ..LogTotals::default()
    };
    let Some((first, last)) = span(conn, id)? else {
        return Ok(totals);
    };
    let mut domains: HashMap<i64, DomainCount> = HashMap::new();
    let mut statement = conn.prepare_cached(SQL)?;
    let mut found = statement.query(params![first, last, id.0])?;
    while let Some(row) = found.next()? {
        let mut c = Columns::of(row);
        let domain = domains.entry(c.get()?).or_default();
        *match c.code()? {
            LogStatus::Sent | LogStatus::TakenIntoAccount | LogStatus::ReceivedOnMobile => {
                &mut domain.sent
            }
            LogStatus::Failed => &mut domain.failed,
            LogStatus::Pending | LogStatus::Prepared => &mut domain.pending,
            LogStatus::Ignored | LogStatus::Cancelled => &mut domain.other,
        } += 1;
        let flags: i64 = c.get()?;
        totals.quarantined_new += u64::from(flags & QUARANTINED != 0);
        totals.possibly_duplicate += u64::from(flags & POSSIBLY_DUPLICATE != 0);
        totals.retried += u64::from(c.get::<i64>()? > 1);
    }
    totals.by_domain = largest(conn, domains)?;
    Ok(totals)
}

fn largest(
    conn: &Connection,
    domains: HashMap<i64, DomainCount>,
) -> rusqlite::Result<Vec<(String, u64, u64, u64)>> {
    const SQL: &str = "SELECT name FROM domain WHERE id = ?1";
    let mut domains: Vec<_> = domains.into_iter().collect();
    domains.sort_unstable_by_key(|(id, n)| {
        (
            std::cmp::Reverse(n.sent + n.failed + n.pending + n.other),
            *id,
        )
    });
    domains.truncate(DOMAINS_NAMED);
    domains
        .into_iter()
        .map(|(id, n)| {
            let name = row(conn, SQL, [id], |row| row.get(0))?.unwrap_or_default();
            Ok((name, n.sent, n.failed, n.pending))
        })
        .collect()
}
