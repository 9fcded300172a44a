//! The embedded store: one SQLite file, which several processes may open at once.
//!
//! One connection writes, in short transactions that take the lock at once (`BEGIN IMMEDIATE`) and
//! are on the disk when they end (WAL, `synchronous = FULL`). A few connections read; none holds a
//! transaction from one page to the next. One file per trait; the tables are in `migrations/`.

mod addresses;
mod codes;
mod connection;
mod deliveries;
mod gather;
mod ledger;
mod log;
mod migrations;
mod preparing;
mod purge;
mod qualifications;
mod queue;
mod recipients;
mod recording;
mod requalifying;
mod rules;
#[cfg(test)]
mod tests;
mod workflows;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::codes::{Inner, named};
use self::connection::{Gate, Lane, data_version, lock};
use crate::{Result, StoreError};

/// Idle reading connections that are kept.
const IDLE_READERS: usize = 3;
/// What slow writers leave free between two slices while another process writes too.
const ROOM_FOR_OTHERS: Duration = Duration::from_millis(3);

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    gate: Gate,
    readers: Mutex<Vec<Connection>>,
    watcher: Mutex<Connection>,
    /// The last field, so that it closes last: only a connection that writes can copy the
    /// write-ahead log into the file and remove it.
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    conn: Connection,
    /// Others' writes, as last seen.
    seen: u64,
}

impl SqliteStore {
    /// Creates a store in a file that does not exist yet.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is something at this path.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.exists() {
            return Err(StoreError::Exists {
                what: format!("the store {}", path.display()),
            });
        }
        Self::start(path, true)
    }

    /// Opens a store, and upgrades it when it is of an older version.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Newer`], or what the database reports.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(StoreError::Missing {
                path: path.to_owned(),
            });
        }
        Self::start(path, false)
    }

    /// Opens a store, or creates it when there is none.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], [`StoreError::Missing`] apart.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        Self::start(path.as_ref(), true)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn start(path: &Path, create: bool) -> Result<Self> {
        let doing = format!("opening the store {}", path.display());
        let mut conn =
            connection::open_writer(path, create).map_err(|error| named(error, &doing))?;
        migrations::apply(&mut conn, path)?;
        let watcher = connection::open_reader(path).map_err(|error| named(error, &doing))?;
        let seen = data_version(&conn).map_err(|error| named(error, &doing))?;
        Ok(Self {
            path: path.to_owned(),
            gate: Gate::default(),
            writer: Mutex::new(Writer { conn, seen }),
            readers: Mutex::default(),
            watcher: Mutex::new(watcher),
        })
    }

    /// One write transaction; rolled back when `work` fails.
    fn write<T>(&self, doing: &str, work: impl FnOnce(&Transaction) -> Inner<T>) -> Result<T> {
        self.write_in(Lane::Rest, doing, work)
    }

    fn write_in<T>(
        &self,
        lane: Lane,
        doing: &str,
        work: impl FnOnce(&Transaction) -> Inner<T>,
    ) -> Result<T> {
        let _turn = self.gate.enter(lane);
        let mut writer = lock(&self.writer);
        writer
            .transaction(lane, work)
            .map_err(|trouble| trouble.while_doing(doing))
    }

    /// One read; whatever `work` queries sees the same state of the store.
    fn read<T>(&self, doing: &str, work: impl FnOnce(&Connection) -> Inner<T>) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => connection::open_reader(&self.path).map_err(|error| named(error, doing))?,
        };
        let result = read_once(&mut conn, work).map_err(|trouble| trouble.while_doing(doing));
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(conn);
        }
        result
    }

    fn others_have_written(&self) -> Result<u64> {
        data_version(&lock(&self.watcher))
            .map_err(|error| named(error, "looking for changes of the store"))
    }

    /// Caps the file at this many pages, so that a test can fill the disk.
    #[cfg(test)]
    pub(crate) fn cap_pages(&self, pages: i64) {
        lock(&self.writer)
            .conn
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .expect("a cap");
    }
}

impl Writer {
    fn transaction<T>(
        &mut self,
        lane: Lane,
        work: impl FnOnce(&Transaction) -> Inner<T>,
    ) -> Inner<T> {
        if lane == Lane::Rest {
            let seen = data_version(&self.conn)?;
            if seen != self.seen {
                self.seen = seen;
                std::thread::sleep(ROOM_FOR_OTHERS);
            }
        }
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        tx.commit()?;
        Ok(value)
    }
}

fn read_once<T>(conn: &mut Connection, work: impl FnOnce(&Connection) -> Inner<T>) -> Inner<T> {
    let tx = conn.transaction()?;
    let value = work(&tx)?;
    tx.commit()?;
    Ok(value)
}

/// All rows of a query, each read by `read`.
fn rows<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    conn.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// The first row of a query, if any.
fn row<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    use rusqlite::OptionalExtension;
    conn.prepare_cached(sql)?.query_row(params, read).optional()
}

/// Runs a statement; returns how many rows it changed.
fn run(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(params)
}

/// Takes `n` ids that were never used; returns the first.
fn take_ids(conn: &Connection, counter: &str, n: usize) -> rusqlite::Result<i64> {
    const SQL: &str = "UPDATE counter SET next = next + ?2 WHERE name = ?1 RETURNING next - ?2";
    conn.prepare_cached(SQL)?
        .query_row((counter, codes::limit(n)), |row| row.get(0))
}
