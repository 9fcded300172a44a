//! Versions of the store's file: each migration is a file of SQL, applied once and in order.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::{Result, StoreError};

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001_first.sql")),
    M::up(include_str!("migrations/0002_rules.sql")),
    M::up(include_str!("migrations/0003_requalification.sql")),
];

/// Brings the file to the newest version this program knows.
///
/// # Errors
/// [`StoreError::Newer`] when the file is newer already; else what the database reports.
pub(super) fn apply(conn: &mut Connection, path: &Path) -> Result<()> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Database {
        doing: format!("upgrading the store {}", path.display()),
        source,
    };
    let found: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|e| failed(e.into()))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > STEPS.len() {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: STEPS.len(),
        });
    }
    if found == STEPS.len() {
        return Ok(());
    }
    Migrations::from_slice(STEPS)
        .to_latest(conn)
        .map_err(|e| failed(e.into()))
}
