//! What preparation writes: the frozen target, in slices.

use std::collections::HashMap;

use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::ids::DeliveryId;
use posthaste_core::log::{Channel, LogStatus};
use posthaste_core::part::PartState;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, params};

use super::codes::{Inner, hash, key_unless_same, limit, signed};
use super::{SqliteStore, addresses, deliveries, log, purge, row, run, take_ids};
use crate::rows::{Address, ExclusionRow, FrozenRecipient};
use crate::{Preparing, Result};

impl Preparing for SqliteStore {
    fn hold_preparation(
        &self,
        id: DeliveryId,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool> {
        const SQL: &str = "UPDATE delivery SET holder = ?2, held_until = ?4
             WHERE id = ?1 AND (holder IS NULL OR holder = ?2 OR held_until <= ?3)";
        self.write("holding a preparation", |tx| {
            if run(tx, SQL, params![id.0, holder, now.0, until.0])? == 1 {
                return Ok(true);
            }
            deliveries::must_exist(tx, id)?;
            Ok(false)
        })
    }

    fn clear_preparation(&self, id: DeliveryId) -> Result<()> {
        const RESET: &str = "UPDATE delivery SET target = 0, to_send = 0, exclusions = 0,
                    first_log = NULL, last_log = NULL WHERE id = ?1";
        let doing = "clearing an earlier preparation";
        while self.write(doing, |tx| Ok(purge::delivery_rows(tx, id, purge::SLICE)?))? > 0 {}
        self.write(doing, |tx| {
            purge::parts_and_journal(tx, id)?;
            run(tx, RESET, [id.0])?;
            Ok(())
        })
    }

    fn add_prepared(
        &self,
        id: DeliveryId,
        kept: &[FrozenRecipient],
        excluded: &[ExclusionRow],
    ) -> Result<()> {
        self.write("writing a slice of the target", |tx| {
            add_kept(tx, id, kept)?;
            add_excluded(tx, id, excluded)
        })
    }

    fn end_preparation(&self, id: DeliveryId, target: u64, to_send: u64) -> Result<()> {
        const FREEZE: &str = "UPDATE delivery SET target = ?2, to_send = ?3, holder = NULL,
                held_until = NULL WHERE id = ?1";
        // By part_open.
        const FILLED: &str =
            "UPDATE part SET state = ?2 WHERE state = ?3 AND state <> 3 AND delivery = ?1";
        self.write("ending a preparation", |tx| {
            deliveries::must_exist(tx, id)?;
            run(tx, FREEZE, params![id.0, signed(target), signed(to_send)])?;
            let (ready, filling) = (PartState::Ready.code(), PartState::Filling.code());
            run(tx, FILLED, params![id.0, ready, filling])?;
            Ok(())
        })
    }

    fn standing(&self, channel: Channel, keys: &[&str]) -> Result<Vec<Address>> {
        self.read("reading the standing of addresses", |conn| {
            let mut found = Vec::new();
            for key in keys {
                found.extend(addresses::by_key(conn, channel, key)?);
            }
            Ok(found)
        })
    }

    fn put_blob(&self, sha256: &[u8; 32], bytes: &[u8]) -> Result<()> {
        const SQL: &str =
            "INSERT INTO blob (sha256, bytes) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING";
        self.write("storing a file", |tx| {
            run(tx, SQL, params![sha256, bytes])?;
            Ok(())
        })
    }

    fn blob(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        const SQL: &str = "SELECT bytes FROM blob WHERE sha256 = ?1";
        self.read("reading a stored file", |conn| {
            Ok(row(conn, SQL, [sha256], |row| row.get(0))?)
        })
    }
}

fn add_kept(conn: &Connection, id: DeliveryId, kept: &[FrozenRecipient]) -> Inner<()> {
    const LOG: &str =
        "INSERT INTO log (id, delivery, status, reason, kind, domain, part, recipient,
                attempts, doubtful, flags, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, 0, 0)";
    const FROZEN: &str =
        "INSERT INTO frozen (log, hash, address, key, attributes) VALUES (?1, ?2, ?3, ?4, ?5)";
    const SPAN: &str = "UPDATE delivery SET first_log = coalesce(first_log, ?2), last_log = ?3
         WHERE id = ?1";
    if kept.is_empty() {
        return Ok(());
    }
    let first = take_ids(conn, "log", kept.len())?;
    let domains = domain_ids(conn, kept)?;
    let parts = part_ids(conn, id, kept, &domains)?;
    let mut add_log = conn.prepare_cached(LOG)?;
    let mut add_frozen = conn.prepare_cached(FROZEN)?;
    for (log, one) in (first..).zip(kept) {
        add_log.execute(params![
            log,
            id.0,
            LogStatus::Pending.code(),
            FailureReason::NotDefined.code(),
            FailureType::NotDefined.code(),
            domains.get(one.domain.as_str()),
            parts.get(&one.part),
            one.recipient.0
        ])?;
        let key = key_unless_same(&one.key, &one.address);
        let hash = hash(&one.key);
        add_frozen.execute(params![log, hash, one.address, key, one.attributes])?;
    }
    let last = first + limit(kept.len()) - 1;
    if run(conn, SPAN, params![id.0, first, last])? == 0 {
        deliveries::must_exist(conn, id)?;
    }
    Ok(())
}

/// Ids of all domains of a slice, of new ones too.
fn domain_ids<'a>(
    conn: &Connection,
    kept: &'a [FrozenRecipient],
) -> rusqlite::Result<HashMap<&'a str, i64>> {
    const ADD: &str = "INSERT INTO domain (name) VALUES (?1)";
    let mut ids = HashMap::new();
    let names = kept.iter().map(|one| Some(one.domain.as_str()));
    let names = names.chain(kept.iter().map(|one| one.part_domain.as_deref()));
    for name in names.flatten() {
        if ids.contains_key(name) {
            continue;
        }
        let id = match log::domain_named(conn, name)? {
            Some(id) => id,
            None => conn.prepare_cached(ADD)?.insert([name])?,
        };
        ids.insert(name, id);
    }
    Ok(ids)
}

/// Ids of all parts of a slice; a part that is named for the first time is created.
fn part_ids(
    conn: &Connection,
    id: DeliveryId,
    kept: &[FrozenRecipient],
    domains: &HashMap<&str, i64>,
) -> rusqlite::Result<HashMap<u32, i64>> {
    // By part_by_number.
    const SQL: &str = "INSERT INTO part (delivery, number, domain, state, recipients)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (delivery, number) DO UPDATE SET recipients = recipients + excluded.recipients
         RETURNING id";
    let mut sizes: HashMap<u32, (Option<&str>, i64)> = HashMap::new();
    for one in kept {
        let size = sizes
            .entry(one.part)
            .or_insert((one.part_domain.as_deref(), 0));
        size.1 += 1;
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_unstable();
    let mut statement = conn.prepare_cached(SQL)?;
    let filling = PartState::Filling.code();
    sizes
        .into_iter()
        .map(|(number, (domain, size))| {
            let domain = domain.and_then(|name| domains.get(name));
            let params = params![id.0, number, domain, filling, size];
            Ok((number, statement.query_row(params, |row| row.get(0))?))
        })
        .collect()
}

fn add_excluded(conn: &Connection, id: DeliveryId, excluded: &[ExclusionRow]) -> Inner<()> {
    const NUMBER: &str = "UPDATE delivery SET exclusions = exclusions + ?2 WHERE id = ?1
         RETURNING exclusions - ?2";
    const ADD: &str = "INSERT INTO exclusion (delivery, number, recipient, line, reason, address,
                detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    if excluded.is_empty() {
        return Ok(());
    }
    let params = params![id.0, limit(excluded.len())];
    let Some(before) = row(conn, NUMBER, params, |row| row.get::<_, i64>(0))? else {
        return Err(deliveries::not_found(id).into());
    };
    let mut add = conn.prepare_cached(ADD)?;
    for (number, one) in (before + 1..).zip(excluded) {
        add.execute(params![
            id.0,
            number,
            one.recipient.0,
            signed(one.line),
            one.reason.code(),
            one.address,
            one.detail
        ])?;
    }
    Ok(())
}
