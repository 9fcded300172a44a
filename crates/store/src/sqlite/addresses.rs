//! The quarantine list and the address ledger.

use posthaste_core::failure::FailureReason;
use posthaste_core::ids::{EventId, LogId};
use posthaste_core::log::{AddressStatus, Channel};
use posthaste_core::quarantine::{Entry, Event};
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codes::{Columns, Inner, count, limit};
use super::{SqliteStore, ledger, row, rows, run};
use crate::rows::{Address, AddressFilter, AddressHistory, LedgerEvent, Page};
use crate::{Addresses, Result, StoreError};

macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT channel, key, status, reason, errors, last_counted, since, error_text, log,
                    changed
             FROM address ",
            $rest
        )
    };
}

fn read_address(row: &Row<'_>) -> rusqlite::Result<Address> {
    let mut c = Columns::of(row);
    Ok(Address {
        channel: c.code()?,
        key: c.get()?,
        entry: Entry {
            status: c.code()?,
            reason: c.code()?,
            errors: c.get()?,
            last_counted: c.time_or_null()?,
            since: c.time()?,
        },
        error_text: c.get()?,
        log: c.get::<Option<i64>>()?.map(LogId),
        changed: c.time()?,
    })
}

/// The entry of an address, by the primary key.
pub(super) fn by_key(
    conn: &Connection,
    channel: Channel,
    key: &str,
) -> rusqlite::Result<Option<Address>> {
    let sql = entries!("WHERE key = ?1 AND channel = ?2");
    row(conn, sql, params![key, channel.code()], read_address)
}

/// Writes the entry of an address.
pub(super) fn put(conn: &Connection, address: &Address) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO address (channel, key, status, reason, errors, last_counted,
                since, error_text, log, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (key, channel) DO UPDATE SET status = excluded.status,
                reason = excluded.reason, errors = excluded.errors,
                last_counted = excluded.last_counted, since = excluded.since,
                error_text = excluded.error_text, log = excluded.log, changed = excluded.changed";
    let entry = &address.entry;
    let params = params![
        address.channel.code(),
        address.key,
        entry.status.code(),
        entry.reason.code(),
        entry.errors,
        entry.last_counted.map(|at| at.0),
        entry.since.0,
        address.error_text,
        address.log.map(|id| id.0),
        address.changed.0
    ];
    run(conn, SQL, params).map(|_| ())
}

/// Adds an event to the ledger.
pub(super) fn add_event(conn: &Connection, event: &LedgerEvent) -> Inner<EventId> {
    const SQL: &str =
        "INSERT INTO event (channel, snapshot, at, key, payload) VALUES (?1, ?2, ?3, ?4, ?5)";
    let payload = serde_json::to_string(event).map_err(|error| StoreError::Database {
        doing: "writing a ledger event as JSON".to_owned(),
        source: error.into(),
    })?;
    let snapshot = matches!(event.event, Event::Snapshot(_));
    let params = params![
        event.channel.code(),
        snapshot,
        event.at.0,
        event.key,
        payload
    ];
    Ok(EventId(conn.prepare_cached(SQL)?.insert(params)?))
}

/// The ledger of an address with the verdicts in force, oldest first.
pub(super) fn events(
    conn: &Connection,
    channel: Channel,
    key: &str,
) -> rusqlite::Result<Vec<LedgerEvent>> {
    let held = ledger::of_address(conn, channel, key, None)?;
    Ok(held.into_iter().map(|held| held.event).collect())
}

impl Addresses for SqliteStore {
    fn addresses(&self, filter: &AddressFilter, page: Page<String>) -> Result<Vec<Address>> {
        // By the primary key, where no key is empty; the rest is compared on the way.
        let sql = entries!(
            "WHERE key > ?1 AND (?2 IS NULL OR status = ?2)
               AND (?3 IS NULL OR reason = ?3)
               AND (?4 IS NULL OR substr(key, -(length(?4) + 1)) = '@' || ?4)
               AND (?5 IS NULL OR instr(key, ?5) > 0)
             ORDER BY key, channel LIMIT ?6"
        );
        let params = params![
            page.after.unwrap_or_default(),
            filter.status.map(AddressStatus::code),
            filter.reason.map(FailureReason::code),
            filter.domain,
            filter.contains,
            limit(page.limit)
        ];
        self.read("reading the quarantine list", |conn| {
            Ok(rows(conn, sql, params, read_address)?)
        })
    }

    fn address_history(&self, channel: Channel, key: &str) -> Result<AddressHistory> {
        self.read("reading the history of an address", |conn| {
            Ok(AddressHistory {
                address: by_key(conn, channel, key)?,
                events: events(conn, channel, key)?,
            })
        })
    }

    fn remove_valid(&self, before: Timestamp, most: usize) -> Result<u64> {
        // By address_valid.
        const SQL: &str = "DELETE FROM address WHERE (key, channel) IN
             (SELECT key, channel FROM address WHERE status = 2 AND changed < ?1
              ORDER BY changed LIMIT ?2)";
        self.write("removing valid addresses from the quarantine list", |tx| {
            Ok(count(run(tx, SQL, params![before.0, limit(most)])?))
        })
    }
}
