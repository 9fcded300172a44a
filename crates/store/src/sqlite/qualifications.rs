//! The delivery log qualification: what each normalised text means.

use posthaste_core::ids::QualificationId;
use posthaste_core::log::{AddressStatus, Channel, QualificationStatus};
use posthaste_core::qualify::Verdict;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codes::{Columns, limit};
use super::{SqliteStore, row, rows, run};
use crate::rows::{AtRisk, MAX_OCCURRENCES, Qualification, ToldBy};
use crate::{Qualifications, Result, StoreError};

macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT id, channel, first_text, text, occurrences, kind, reason, party, status,
                    by_person, rule, first_seen, last_seen
             FROM qualification ",
            $rest
        )
    };
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<Qualification> {
    let mut c = Columns::of(row);
    Ok(Qualification {
        id: QualificationId(c.get()?),
        channel: c.code()?,
        first_text: c.get()?,
        text: c.get()?,
        occurrences: c.get()?,
        kind: c.code()?,
        reason: c.code()?,
        party: c.code()?,
        status: c.code()?,
        by_person: c.get()?,
        rule: c.get()?,
        first_seen: c.time()?,
        last_seen: c.time()?,
    })
}

/// The entry of a normalised text, by `qualification_by_text`.
pub(super) fn by_text(
    conn: &Connection,
    channel: Channel,
    text: &str,
) -> rusqlite::Result<Option<Qualification>> {
    let sql = entries!("WHERE text = ?1 AND channel = ?2");
    row(conn, sql, params![text, channel.code()], read_entry)
}

/// Adds an entry; its id is the store's.
pub(super) fn add(conn: &Connection, new: &Qualification) -> rusqlite::Result<QualificationId> {
    const SQL: &str = "INSERT INTO qualification (channel, first_text, text, occurrences, kind,
                reason, party, status, by_person, rule, first_seen, last_seen)
         VALUES (?1, ?2, ?3, min(?4, ?5), ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let params = params![
        new.channel.code(),
        new.first_text,
        new.text,
        new.occurrences,
        MAX_OCCURRENCES,
        new.kind.code(),
        new.reason.code(),
        new.party.code(),
        new.status.code(),
        new.by_person,
        new.rule,
        new.first_seen.0,
        new.last_seen.0
    ];
    conn.prepare_cached(SQL)?
        .insert(params)
        .map(QualificationId)
}

/// Stores how the rules judge a text now.
pub(super) fn judge(
    conn: &Connection,
    id: QualificationId,
    verdict: &Verdict,
    status: QualificationStatus,
) -> rusqlite::Result<()> {
    const SQL: &str = "UPDATE qualification SET kind = ?2, reason = ?3, party = ?4, status = ?5,
                rule = ?6
         WHERE id = ?1 AND by_person = 0";
    let params = params![
        id.0,
        verdict.kind.code(),
        verdict.reason.code(),
        verdict.party.code(),
        status.code(),
        &*verdict.rule.name
    ];
    run(conn, SQL, params).map(|_| ())
}

impl Qualifications for SqliteStore {
    fn qualifications(
        &self,
        status: Option<QualificationStatus>,
        most: usize,
    ) -> Result<Vec<Qualification>> {
        let sql = entries!(
            "WHERE ?1 IS NULL OR status = ?1 ORDER BY occurrences DESC, last_seen DESC, id LIMIT ?2"
        );
        self.read("reading the qualifications", |conn| {
            let params = params![status.map(QualificationStatus::code), limit(most)];
            Ok(rows(conn, sql, params, read_entry)?)
        })
    }

    fn qualification_by_id(&self, id: QualificationId) -> Result<Option<Qualification>> {
        self.read("reading a qualification", |conn| {
            Ok(row(conn, entries!("WHERE id = ?1"), [id.0], read_entry)?)
        })
    }

    fn set_qualification(&self, entry: &Qualification, at: Timestamp) -> Result<()> {
        const SQL: &str =
            "UPDATE qualification SET kind = ?2, reason = ?3, party = ?4, status = ?5,
                    occurrences = min(?6, ?7), by_person = ?8, rule = ?9,
                    last_seen = max(last_seen, ?10)
             WHERE id = ?1";
        let params = params![
            entry.id.0,
            entry.kind.code(),
            entry.reason.code(),
            entry.party.code(),
            entry.status.code(),
            entry.occurrences,
            MAX_OCCURRENCES,
            entry.by_person,
            entry.rule,
            at.0
        ];
        self.write("setting a qualification", |tx| {
            if run(tx, SQL, params)? == 0 {
                return Err(not_found(entry.id).into());
            }
            Ok(())
        })
    }

    fn at_risk(&self, texts: &[QualificationId], errors: u32) -> Result<Vec<AtRisk>> {
        // One pass over the delivery log, which has no index on the text: it would cost a page
        // with every failure, and this is asked by people only.
        const SQL: &str = "SELECT l.qualification, d.name,
                    count(DISTINCT coalesce(f.key, f.address)),
                    count(DISTINCT CASE WHEN a.status = ?2 AND a.errors >= ?3 THEN a.key END)
             FROM log l
             JOIN frozen f ON f.log = l.id
             JOIN domain d ON d.id = l.domain
             LEFT JOIN address a ON a.key = coalesce(f.key, f.address) AND a.channel = 0
             WHERE l.qualification IN (SELECT value FROM json_each(?1))
             GROUP BY 1, 2 ORDER BY 3 DESC, 2, 1";
        let ids = as_json(texts)?;
        self.read("counting the addresses at risk", |conn| {
            let params = params![ids, AddressStatus::WithErrors.code(), errors];
            Ok(rows(conn, SQL, params, |row| {
                let mut c = Columns::of(row);
                Ok(AtRisk {
                    qualification: QualificationId(c.get()?),
                    domain: c.get()?,
                    addresses: c.unsigned()?,
                    near_quarantine: c.unsigned()?,
                })
            })?)
        })
    }

    fn told_by(&self, texts: &[QualificationId]) -> Result<Vec<ToldBy>> {
        // One pass over the delivery log, as above; attempts by their primary key.
        const SQL: &str = "SELECT l.qualification, t.said_by,
                    count(DISTINCT coalesce(f.key, f.address))
             FROM log l
             JOIN frozen f ON f.log = l.id
             JOIN attempt t ON t.log = l.id AND t.number = l.attempts
             WHERE l.qualification IN (SELECT value FROM json_each(?1))
                   AND t.said_by IS NOT NULL
             GROUP BY 1, 2 ORDER BY 3 DESC, 2, 1";
        let ids = as_json(texts)?;
        self.read("counting the hosts that said a text", |conn| {
            Ok(rows(conn, SQL, [ids], |row| {
                let mut c = Columns::of(row);
                Ok(ToldBy {
                    qualification: QualificationId(c.get()?),
                    host: c.get()?,
                    addresses: c.unsigned()?,
                })
            })?)
        })
    }
}

fn as_json(texts: &[QualificationId]) -> Result<String> {
    let ids: Vec<i64> = texts.iter().map(|id| id.0).collect();
    serde_json::to_string(&ids).map_err(|error| StoreError::Corrupt {
        what: "a list of qualifications".to_owned(),
        why: error.to_string(),
    })
}

fn not_found(id: QualificationId) -> StoreError {
    StoreError::NotFound {
        what: format!("qualification {id}"),
    }
}
