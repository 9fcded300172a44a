//! Connections to the file: one that writes, a few that read, one that watches for changes.
//!
//! Within a process writers take turns at a [`Gate`], outcomes before everything else. Between
//! processes SQLite's own lock decides; whoever waits for it asks again every millisecond or two.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Size of a page in bytes; decided when the file is created.
const PAGE_SIZE: i64 = 4096;
/// Page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
/// Page cache of each reading connection, in KiB.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// Pages in the write-ahead log after which it is copied into the file.
const CHECKPOINT_PAGES: i64 = 8_000;
/// What the write-ahead log is cut back to, in bytes.
const WAL_LIMIT_BYTES: i64 = 64 << 20;
/// How often a busy file is asked again, and how long between: about ten seconds in all.
const BUSY_TRIES: i32 = 6_600;
const BUSY_WAIT: Duration = Duration::from_micros(1_500);
/// Prepared statements kept per connection.
const STATEMENTS: usize = 128;

fn wait_while_busy(tries: i32) -> bool {
    std::thread::sleep(BUSY_WAIT);
    tries < BUSY_TRIES
}

/// Opens the connection that writes.
pub(super) fn open_writer(path: &Path, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_handler(Some(wait_while_busy))?;
    if create {
        conn.pragma_update(None, "page_size", PAGE_SIZE)?;
    }
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_LIMIT_BYTES, |_| Ok(()))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_handler(Some(wait_while_busy))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// A number that changes when another connection, of whatever process, has written.
pub(super) fn data_version(conn: &Connection) -> rusqlite::Result<u64> {
    let mut statement = conn.prepare_cached("PRAGMA data_version")?;
    let version: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(version.unsigned_abs())
}

/// Takes a lock whose holder may have panicked: what it guards is a connection, and SQLite has
/// rolled back whatever was unfinished.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Outcomes: they go before everything else.
    Outcomes,
    /// Commands, claims, preparation, import, clean-up.
    Rest,
}

#[derive(Debug, Default)]
struct Queue {
    busy: bool,
    outcomes_waiting: u32,
}

/// Lets one writer in at a time, outcomes first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    queue: Mutex<Queue>,
    freed: Condvar,
}

/// The right to write, until it is dropped.
pub(super) struct Turn<'a>(&'a Gate);

impl Gate {
    /// Waits for a turn.
    pub(super) fn enter(&self, lane: Lane) -> Turn<'_> {
        let mut queue = lock(&self.queue);
        if lane == Lane::Outcomes {
            queue.outcomes_waiting += 1;
        }
        while queue.busy || (lane == Lane::Rest && queue.outcomes_waiting > 0) {
            queue = self
                .freed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if lane == Lane::Outcomes {
            queue.outcomes_waiting -= 1;
        }
        queue.busy = true;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.0.queue).busy = false;
        self.0.freed.notify_all();
    }
}
