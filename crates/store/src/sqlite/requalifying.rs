//! Past failures judged again: verdicts beside the ledger, in one transaction, undone and listed.

use posthaste_core::ids::{EventId, LogId, RequalificationId};
use posthaste_core::log::Channel;
use posthaste_core::qualify::Verdict;
use posthaste_core::quarantine::requalify::Ruling;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codes::{Columns, limit, named, unreadable};
use super::{SqliteStore, addresses, ledger, log, row, rows, run};
use crate::requalifying::{
    HeldEvent, LedgerReads, NewRequalification, Requalification, RequalifiedAddress, RequalifyTx,
    Requalifying, Span,
};
use crate::rows::{Address, LogRow, Page};
use crate::{Result, StoreError};

const READING: &str = "reading the ledger";
const WRITING: &str = "writing a re-qualification";

macro_rules! requalifications {
    ($rest:literal) => {
        concat!(
            "SELECT id, at, by, comment, selection, verdict, numbers, undone, undone_by
             FROM requalification ",
            $rest
        )
    };
}

impl Requalifying for SqliteStore {
    fn ledger(&self) -> Box<dyn LedgerReads + '_> {
        Box::new(Apart(self))
    }

    fn requalify(&self, work: &mut dyn FnMut(&mut dyn RequalifyTx) -> Result<()>) -> Result<()> {
        self.write(WRITING, |tx| {
            work(&mut Open { conn: tx })?;
            Ok(())
        })
    }

    fn folded_until(&self) -> Result<Option<Timestamp>> {
        self.read(READING, |conn| Ok(ledger::folded_until(conn)?))
    }

    fn requalifications(&self, most: usize) -> Result<Vec<Requalification>> {
        let sql = requalifications!("ORDER BY id DESC LIMIT ?1");
        self.read("reading the re-qualifications", |conn| {
            Ok(rows(conn, sql, [limit(most)], read_requalification)?)
        })
    }

    fn requalification(&self, id: RequalificationId) -> Result<Option<Requalification>> {
        self.read("reading a re-qualification", |conn| Ok(by_id(conn, id)?))
    }

    fn requalified_addresses(
        &self,
        id: RequalificationId,
        page: Page<String>,
    ) -> Result<Vec<RequalifiedAddress>> {
        self.read("reading a re-qualification", |conn| {
            Ok(addresses_of(conn, id, &page)?)
        })
    }
}

fn read_requalification(row: &Row<'_>) -> rusqlite::Result<Requalification> {
    let mut c = Columns::of(row);
    Ok(Requalification {
        id: RequalificationId(c.get()?),
        at: c.time()?,
        by: c.get()?,
        comment: c.get()?,
        selection: c.get()?,
        verdict: c.get()?,
        numbers: c.get()?,
        undone: c.time_or_null()?,
        undone_by: c.get()?,
    })
}

fn by_id(conn: &Connection, id: RequalificationId) -> rusqlite::Result<Option<Requalification>> {
    row(
        conn,
        requalifications!("WHERE id = ?1"),
        [id.0],
        read_requalification,
    )
}

/// By the primary key, where no key is empty.
fn addresses_of(
    conn: &Connection,
    id: RequalificationId,
    page: &Page<String>,
) -> rusqlite::Result<Vec<RequalifiedAddress>> {
    const SQL: &str = "SELECT channel, key, before, after FROM requalified_address
         WHERE requalification = ?1 AND key > ?2 ORDER BY key, channel LIMIT ?3";
    rows(
        conn,
        SQL,
        params![
            id.0,
            page.after.as_deref().unwrap_or_default(),
            limit(page.limit)
        ],
        |row| {
            let mut c = Columns::of(row);
            Ok(RequalifiedAddress {
                channel: c.code()?,
                key: c.get()?,
                before: of_json(2, c.get()?)?,
                after: of_json(3, c.get()?)?,
            })
        },
    )
}

fn of_json<T: DeserializeOwned>(
    column: usize,
    text: Option<String>,
) -> rusqlite::Result<Option<T>> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| unreadable(column, format!("an entry of a re-qualification: {e}")))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Database {
        doing: "writing a re-qualification as JSON".to_owned(),
        source: error.into(),
    })
}

fn frozen_attributes(conn: &Connection, id: LogId) -> rusqlite::Result<Option<String>> {
    const SQL: &str = "SELECT attributes FROM frozen WHERE log = ?1";
    row(conn, SQL, [id.0], |row| row.get(0))
}

/// Reads, each on its own.
struct Apart<'a>(&'a SqliteStore);

impl LedgerReads for Apart<'_> {
    fn events_in(
        &mut self,
        span: Span,
        page: Page<(Timestamp, EventId)>,
        without: Option<RequalificationId>,
    ) -> Result<Vec<HeldEvent>> {
        let read = |conn: &Connection| Ok(ledger::page(conn, span, &page, without)?);
        self.0.read(READING, read)
    }

    fn held_events(
        &mut self,
        channel: Channel,
        key: &str,
        without: Option<RequalificationId>,
    ) -> Result<Vec<HeldEvent>> {
        let read = |conn: &Connection| Ok(ledger::of_address(conn, channel, key, without)?);
        self.0.read(READING, read)
    }

    fn entry(&mut self, channel: Channel, key: &str) -> Result<Option<Address>> {
        let read = |conn: &Connection| Ok(addresses::by_key(conn, channel, key)?);
        self.0.read(READING, read)
    }

    fn row(&mut self, id: LogId) -> Result<Option<LogRow>> {
        self.0.read(READING, |conn| Ok(log::by_id(conn, id)?))
    }

    fn attributes(&mut self, id: LogId) -> Result<Option<String>> {
        self.0
            .read(READING, |conn| Ok(frozen_attributes(conn, id)?))
    }
}

/// Reads and writes inside the transaction.
struct Open<'a> {
    conn: &'a Connection,
}

fn read<T>(result: rusqlite::Result<T>) -> Result<T> {
    result.map_err(|error| named(error, READING))
}

fn written(result: rusqlite::Result<usize>) -> Result<()> {
    result.map(|_| ()).map_err(|error| named(error, WRITING))
}

impl LedgerReads for Open<'_> {
    fn events_in(
        &mut self,
        span: Span,
        page: Page<(Timestamp, EventId)>,
        without: Option<RequalificationId>,
    ) -> Result<Vec<HeldEvent>> {
        read(ledger::page(self.conn, span, &page, without))
    }

    fn held_events(
        &mut self,
        channel: Channel,
        key: &str,
        without: Option<RequalificationId>,
    ) -> Result<Vec<HeldEvent>> {
        read(ledger::of_address(self.conn, channel, key, without))
    }

    fn entry(&mut self, channel: Channel, key: &str) -> Result<Option<Address>> {
        read(addresses::by_key(self.conn, channel, key))
    }

    fn row(&mut self, id: LogId) -> Result<Option<LogRow>> {
        read(log::by_id(self.conn, id))
    }

    fn attributes(&mut self, id: LogId) -> Result<Option<String>> {
        read(frozen_attributes(self.conn, id))
    }
}

impl RequalifyTx for Open<'_> {
    fn begin(&mut self, new: &NewRequalification) -> Result<RequalificationId> {
        const SQL: &str = "INSERT INTO requalification (at, by, comment, selection, verdict,
             numbers) VALUES (?1, ?2, ?3, ?4, ?5, '{}')";
        let params = params![new.at.0, new.by, new.comment, new.selection, new.verdict];
        let added = (|| self.conn.prepare_cached(SQL)?.insert(params))();
        added
            .map(RequalificationId)
            .map_err(|error| named(error, WRITING))
    }

    fn requalify_event(
        &mut self,
        id: RequalificationId,
        event: EventId,
        old: &Verdict,
        new: &Verdict,
    ) -> Result<()> {
        const SQL: &str = "INSERT INTO requalified_event (requalification, event, old, new)
             VALUES (?1, ?2, ?3, ?4)";
        let params = params![id.0, event.0, to_json(old)?, to_json(new)?];
        written(run(self.conn, SQL, params))
    }

    fn requalify_address(&mut self, id: RequalificationId, to: &RequalifiedAddress) -> Result<()> {
        const SQL: &str = "INSERT INTO requalified_address
             (requalification, key, channel, before, after) VALUES (?1, ?2, ?3, ?4, ?5)";
        let json = |entry: &Option<Address>| entry.as_ref().map(to_json).transpose();
        let (before, after) = (json(&to.before)?, json(&to.after)?);
        let params = params![id.0, to.key, to.channel.code(), before, after];
        written(run(self.conn, SQL, params))?;
        if to.before == to.after {
            return Ok(());
        }
        self.set_entry(to.channel, &to.key, to.after.as_ref())
    }

    fn rejudge_row(&mut self, id: LogId, ruling: Ruling) -> Result<()> {
        const SQL: &str = "UPDATE log SET kind = ?2, reason = ?3, party = ?4 WHERE id = ?1";
        let (kind, reason) = (ruling.kind.code(), ruling.reason.code());
        let params = params![id.0, kind, reason, ruling.party.code()];
        written(run(self.conn, SQL, params))
    }

    fn end(&mut self, id: RequalificationId, numbers: &str) -> Result<()> {
        const SQL: &str = "UPDATE requalification SET numbers = ?2 WHERE id = ?1";
        written(run(self.conn, SQL, params![id.0, numbers]))
    }

    fn set_entry(&mut self, channel: Channel, key: &str, entry: Option<&Address>) -> Result<()> {
        const REMOVE: &str = "DELETE FROM address WHERE key = ?1 AND channel = ?2";
        match entry {
            Some(address) => written(addresses::put(self.conn, address).map(|()| 1)),
            None => written(run(self.conn, REMOVE, params![key, channel.code()])),
        }
    }

    fn find(&mut self, id: RequalificationId) -> Result<Option<Requalification>> {
        read(by_id(self.conn, id))
    }

    fn addresses_of(
        &mut self,
        id: RequalificationId,
        page: Page<String>,
    ) -> Result<Vec<RequalifiedAddress>> {
        read(addresses_of(self.conn, id, &page))
    }

    fn is_folded(&mut self, id: RequalificationId) -> Result<bool> {
        // By the primary keys of both.
        const SQL: &str = "SELECT 1 FROM requalified_event q WHERE q.requalification = ?1
             AND NOT EXISTS (SELECT 1 FROM event e WHERE e.id = q.event) LIMIT 1";
        let found: Option<i64> = read(row(self.conn, SQL, [id.0], |row| row.get(0)))?;
        Ok(found.is_some())
    }

    fn undo(&mut self, id: RequalificationId, at: Timestamp, by: &str) -> Result<()> {
        const SQL: &str = "UPDATE requalification SET undone = ?2, undone_by = ?3 WHERE id = ?1";
        written(run(self.conn, SQL, params![id.0, at.0, by]))
    }
}
