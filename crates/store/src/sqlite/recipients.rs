//! Lists of recipients, and which profiles are on the denylist.

use posthaste_core::ids::{ListId, RecipientId};
use posthaste_core::log::Channel;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, ErrorCode, Row, params};

use super::codes::{Columns, Inner, Trouble, count, hash, key_unless_same, limit, signed};
use super::{SqliteStore, row, rows, run, take_ids};
use crate::rows::{List, NewRecipient, Recipient};
use crate::{Recipients, Result, StoreError};

/// Recipients deleted in one transaction.
const SLICE: usize = 2_000;

macro_rules! lists {
    ($rest:literal) => {
        concat!("SELECT id, name, recipients, created FROM list ", $rest)
    };
}

/// The table of denylisted profiles is looked up by its primary key, channel 0 (e-mail).
macro_rules! recipients {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.list, r.address, coalesce(r.key, r.address), r.attributes, r.line,
                    r.quality, r.denylisted = 1 OR d.key IS NOT NULL
             FROM recipient r
                  LEFT JOIN denylisted_profile d ON d.key = coalesce(r.key, r.address)
                       AND d.channel = 0 ",
            $rest
        )
    };
}

fn read_list(row: &Row<'_>) -> rusqlite::Result<List> {
    let mut c = Columns::of(row);
    Ok(List {
        id: ListId(c.get()?),
        name: c.get()?,
        recipients: c.unsigned()?,
        created: c.time()?,
    })
}

fn read_recipient(row: &Row<'_>) -> rusqlite::Result<Recipient> {
    let mut c = Columns::of(row);
    Ok(Recipient {
        id: RecipientId(c.get()?),
        list: ListId(c.get()?),
        address: c.get()?,
        key: c.get()?,
        attributes: c.get()?,
        line: c.unsigned()?,
        quality: c.get()?,
        denylisted: c.get()?,
    })
}

impl Recipients for SqliteStore {
    fn create_list(&self, name: &str, at: Timestamp) -> Result<ListId> {
        const SQL: &str = "INSERT INTO list (name, created) VALUES (?1, ?2)";
        self.write("creating a list", |tx| {
            let added = tx.prepare_cached(SQL)?.insert(params![name, at.0]);
            Ok(ListId(added.map_err(|error| taken(error, name))?))
        })
    }

    fn list_named(&self, name: &str) -> Result<Option<List>> {
        self.read("reading a list", |conn| {
            Ok(row(conn, lists!("WHERE name = ?1"), [name], read_list)?)
        })
    }

    fn lists(&self) -> Result<Vec<List>> {
        self.read("reading the lists", |conn| {
            Ok(rows(conn, lists!("ORDER BY name"), [], read_list)?)
        })
    }

    fn rename_list(&self, list: ListId, name: &str) -> Result<()> {
        const SQL: &str = "UPDATE list SET name = ?2 WHERE id = ?1";
        self.write("renaming a list", |tx| {
            let renamed = run(tx, SQL, params![list.0, name]).map_err(|e| taken(e, name))?;
            if renamed == 0 {
                return Err(not_found(list).into());
            }
            Ok(())
        })
    }

    fn delete_list(&self, list: ListId) -> Result<()> {
        // By recipient_by_list.
        const ROWS: &str = "DELETE FROM recipient WHERE id IN
             (SELECT id FROM recipient WHERE list = ?1 LIMIT ?2)";
        const COUNT: &str = "UPDATE list SET recipients = recipients - ?2 WHERE id = ?1";
        const LIST: &str = "DELETE FROM list WHERE id = ?1";
        loop {
            let gone = self.write("deleting a list", |tx| {
                let gone = run(tx, ROWS, params![list.0, limit(SLICE)])?;
                run(tx, COUNT, params![list.0, limit(gone)])?;
                if gone == 0 {
                    run(tx, LIST, [list.0])?;
                }
                Ok(gone)
            })?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    fn add_recipients(&self, list: ListId, slice: &[NewRecipient], _at: Timestamp) -> Result<()> {
        const SQL: &str = "INSERT INTO recipient (id, list, line, hash, denylisted, quality,
                    address, key, attributes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        const COUNT: &str = "UPDATE list SET recipients = recipients + ?2 WHERE id = ?1";
        self.write("adding recipients to a list", |tx| {
            if run(tx, COUNT, params![list.0, limit(slice.len())])? == 0 {
                return Err(not_found(list).into());
            }
            let first = take_ids(tx, "recipient", slice.len())?;
            let mut add = tx.prepare_cached(SQL)?;
            for (id, new) in (first..).zip(slice) {
                add.execute(params![
                    id,
                    list.0,
                    signed(new.line),
                    hash(&new.key),
                    new.denylisted,
                    new.quality,
                    new.address,
                    key_unless_same(&new.key, &new.address),
                    new.attributes
                ])?;
            }
            Ok(())
        })
    }

    fn recipients(
        &self,
        list: ListId,
        after: Option<RecipientId>,
        most: usize,
    ) -> Result<Vec<Recipient>> {
        // By recipient_by_list, which ends with the id.
        let sql = recipients!("WHERE r.list = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3");
        let after = after.map_or(i64::MIN, |id| id.0);
        self.read("reading recipients of a list", |conn| {
            Ok(rows(
                conn,
                sql,
                [list.0, after, limit(most)],
                read_recipient,
            )?)
        })
    }

    fn recipients_with(&self, key: &str, most: usize) -> Result<Vec<Recipient>> {
        self.read("looking for profiles of an address", |conn| {
            profiles(conn, key, most)
        })
    }

    fn set_profile_denylisted(&self, channel: Channel, key: &str, denylisted: bool) -> Result<u64> {
        const ON: &str = "INSERT OR IGNORE INTO denylisted_profile (key, channel) VALUES (?1, ?2)";
        const OFF: &str = "DELETE FROM denylisted_profile WHERE key = ?1 AND channel = ?2";
        const UNMARK: &str = "UPDATE recipient SET denylisted = 0 WHERE id = ?1";
        self.write("changing the denylist", |tx| {
            let profiles = profiles(tx, key, usize::MAX)?;
            let others = profiles.iter().filter(|one| one.denylisted != denylisted);
            let changed = others.count();
            let sql = if denylisted { ON } else { OFF };
            let in_table = run(tx, sql, params![key, channel.code()])?;
            if channel != Channel::Email {
                return Ok(count(if in_table == 0 { 0 } else { profiles.len() }));
            }
            if !denylisted {
                for one in &profiles {
                    run(tx, UNMARK, [one.id.0])?;
                }
            }
            Ok(count(changed))
        })
    }

    fn denylisted_profiles(&self, after: Option<&str>, most: usize) -> Result<Vec<String>> {
        // By the primary key and by recipient_denylisted.
        const SQL: &str = "SELECT key FROM denylisted_profile WHERE key > ?1
             UNION
             SELECT coalesce(key, address) FROM recipient
             WHERE denylisted = 1 AND coalesce(key, address) > ?1
             ORDER BY 1 LIMIT ?2";
        self.read("reading the denylist", |conn| {
            let after = after.unwrap_or_default();
            Ok(rows(conn, SQL, params![after, limit(most)], |row| {
                row.get(0)
            })?)
        })
    }
}

fn not_found(list: ListId) -> StoreError {
    StoreError::NotFound {
        what: format!("list {list}"),
    }
}

/// A name that is taken already is said in words.
fn taken(error: rusqlite::Error, name: &str) -> Trouble {
    if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
        return Trouble::Said(StoreError::Exists {
            what: format!("the list \"{name}\""),
        });
    }
    Trouble::Sql(error)
}

/// Profiles with this address: one seek in `recipient_by_hash` per block of ids.
fn profiles(conn: &Connection, key: &str, most: usize) -> Inner<Vec<Recipient>> {
    const ENDS: &str = "SELECT coalesce((SELECT min(id) FROM recipient), 0) >> 14,
                               coalesce((SELECT max(id) FROM recipient), -1) >> 14";
    let in_block = recipients!(
        "WHERE r.id >> 14 = ?1 AND r.hash = ?2 AND coalesce(r.key, r.address) = ?3 ORDER BY r.id"
    );
    let ends = row(conn, ENDS, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    let (first, last) = ends.unwrap_or((0, -1));
    let mut found = Vec::new();
    for block in first..=last {
        if found.len() >= most {
            break;
        }
        let params = params![block, hash(key), key];
        found.extend(rows(conn, in_block, params, read_recipient)?);
    }
    found.truncate(most);
    Ok(found)
}
