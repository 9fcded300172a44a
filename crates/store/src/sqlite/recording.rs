//! The recorder's transaction: up to a few hundred outcomes, all or none.

use posthaste_core::evidence::SaidBy;
use posthaste_core::failure::Party;
use posthaste_core::ids::{EventId, LogId, QualificationId};
use posthaste_core::log::{Channel, QualificationStatus};
use posthaste_core::qualify::Verdict;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, params};

use super::codes::{named, signed};
use super::connection::Lane;
use super::{SqliteStore, addresses, log, qualifications, run};
use crate::rows::{
    Address, Attempt, LedgerEvent, LogChange, LogRow, MAX_OCCURRENCES, Qualification,
};
use crate::{RecordTx, Recording, Result, StoreError};

impl Recording for SqliteStore {
    fn record(&self, work: &mut dyn FnMut(&mut dyn RecordTx) -> Result<()>) -> Result<()> {
        self.write_in(Lane::Outcomes, "writing outcomes", |tx| {
            work(&mut Open { conn: tx })?;
            Ok(())
        })
    }
}

struct Open<'a> {
    conn: &'a Connection,
}

fn said<T>(result: rusqlite::Result<T>, doing: &str) -> Result<T> {
    result.map_err(|error| named(error, doing))
}

impl RecordTx for Open<'_> {
    fn log_row(&mut self, id: LogId) -> Result<Option<LogRow>> {
        said(log::by_id(self.conn, id), "reading a delivery log row")
    }

    fn change_log(&mut self, change: &LogChange) -> Result<()> {
        let changed = said(change_log(self.conn, change), "changing a delivery log row")?;
        if changed == 0 {
            return Err(StoreError::NotFound {
                what: format!("delivery log row {}", change.id),
            });
        }
        Ok(())
    }

    fn add_attempt(&mut self, attempt: &Attempt) -> Result<()> {
        said(add_attempt(self.conn, attempt), "adding an attempt")
    }

    fn address(&mut self, channel: Channel, key: &str) -> Result<Option<Address>> {
        let found = addresses::by_key(self.conn, channel, key);
        said(found, "reading a quarantine entry")
    }

    fn put_address(&mut self, address: &Address) -> Result<()> {
        let put = addresses::put(self.conn, address);
        said(put, "writing a quarantine entry")
    }

    fn add_event(&mut self, event: &LedgerEvent) -> Result<EventId> {
        addresses::add_event(self.conn, event)
            .map_err(|trouble| trouble.while_doing("adding to the address ledger"))
    }

    fn events(&mut self, channel: Channel, key: &str) -> Result<Vec<LedgerEvent>> {
        let found = addresses::events(self.conn, channel, key);
        said(found, "reading the address ledger")
    }

    fn qualification(&mut self, channel: Channel, text: &str) -> Result<Option<Qualification>> {
        let found = qualifications::by_text(self.conn, channel, text);
        said(found, "reading a qualification")
    }

    fn add_qualification(&mut self, new: &Qualification) -> Result<QualificationId> {
        let added = qualifications::add(self.conn, new);
        said(added, "adding a qualification")
    }

    fn judge_qualification(
        &mut self,
        id: QualificationId,
        verdict: &Verdict,
        status: QualificationStatus,
    ) -> Result<()> {
        let done = qualifications::judge(self.conn, id, verdict, status);
        said(done, "storing how a text is judged")
    }

    fn add_occurrences(&mut self, id: QualificationId, n: u32, at: Timestamp) -> Result<()> {
        const SQL: &str = "UPDATE qualification SET occurrences = min(occurrences + ?2, ?3),
                    last_seen = max(last_seen, ?4) WHERE id = ?1";
        let done = run(self.conn, SQL, params![id.0, n, MAX_OCCURRENCES, at.0]);
        said(done, "counting a qualification").map(|_| ())
    }
}

fn change_log(conn: &Connection, change: &LogChange) -> rusqlite::Result<usize> {
    // By the primary key; of the indexes only log_due can be touched, by rows that have a due time.
    const SQL: &str = "UPDATE log SET status = ?2, kind = ?3, reason = ?4, party = ?5,
                attempts = ?6, doubtful = ?7, due = ?8, changed = ?9, qualification = ?10,
                flags = ?11 | (flags & 4)
         WHERE id = ?1";
    let flags = flag(change.possibly_duplicate, log::POSSIBLY_DUPLICATE)
        | flag(change.complaint, log::COMPLAINT)
        | flag(change.quarantined, log::QUARANTINED);
    let params = params![
        change.id.0,
        change.status.code(),
        change.kind.code(),
        change.reason.code(),
        change.party.map(Party::code),
        change.attempts,
        change.doubtful,
        change.due.map(|due| due.0),
        change.changed.0,
        change.qualification.map(|id| id.0),
        flags
    ];
    run(conn, SQL, params)
}

const fn flag(set: bool, bit: i64) -> i64 {
    if set { bit } else { 0 }
}

fn add_attempt(conn: &Connection, attempt: &Attempt) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT OR REPLACE INTO attempt (log, number, outcome, said_by, stage, code,
                enhanced, text, at, tls, took_ms, qualification, rule, rule_version, kind, reason,
                party, retry, confidence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                 ?19)";
    let said = &attempt.evidence;
    let host = match &said.said_by {
        SaidBy::Remote(host) => Some(host),
        SaidBy::Us => None,
    };
    let verdict = attempt.verdict.as_ref();
    let params = params![
        attempt.log.0,
        attempt.number,
        attempt.outcome.code(),
        host,
        said.stage.code(),
        said.code,
        said.enhanced.map(|status| status.to_string()),
        said.text,
        said.at.0,
        attempt.tls,
        signed(attempt.took_ms.into()),
        attempt.qualification.map(|id| id.0),
        verdict.map(|v| &*v.rule.name),
        verdict.map(|v| v.rule.version),
        verdict.map(|v| v.kind.code()),
        verdict.map(|v| v.reason.code()),
        verdict.map(|v| v.party.code()),
        verdict.map(|v| v.retry),
        verdict.map(|v| v.confidence)
    ];
    run(conn, SQL, params).map(|_| ())
}
