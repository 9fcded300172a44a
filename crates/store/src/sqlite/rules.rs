//! Rules of operators and packages, their history and their backups.

use posthaste_core::qualify::Place;
use posthaste_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codes::{Columns, Inner, count, limit, signed, unreadable};
use super::{SqliteStore, row, rows, run};
use crate::rules::{
    Origin, RuleBackup, RuleChange, RuleEdit, RuleHistory, RuleKind, RuleShelf, StoredRule,
};
use crate::{Result, Rules, StoreError};

fn read_rule(row: &Row<'_>) -> rusqlite::Result<StoredRule> {
    let mut c = Columns::of(row);
    let name = c.get()?;
    let kind: String = c.get()?;
    let package: Option<String> = c.get()?;
    let version: String = c.get()?;
    let place: String = c.get()?;
    Ok(StoredRule {
        name,
        kind: RuleKind::from_slug(&kind)
            .ok_or_else(|| unreadable(1, format!("{kind} is no kind of rule")))?,
        origin: package.map_or(Origin::User, |name| Origin::Package { name, version }),
        place: Place::try_from(place).map_err(|why| unreadable(4, why))?,
        position: c.get()?,
        active: c.get()?,
        version: c.get()?,
        changed: c.time()?,
        body: c.get()?,
    })
}

fn all(conn: &Connection) -> rusqlite::Result<Vec<StoredRule>> {
    const SQL: &str = "SELECT name, kind, package, package_version, place, position, active,
                version, changed, body FROM rule ORDER BY position, name";
    rows(conn, SQL, [], read_rule)
}

fn version(conn: &Connection) -> rusqlite::Result<u64> {
    const SQL: &str = "SELECT version FROM rule_set WHERE one = 1";
    conn.prepare_cached(SQL)?
        .query_row([], |row| Columns::of(row).unsigned())
}

fn put(conn: &Connection, rule: &StoredRule) -> rusqlite::Result<usize> {
    const SQL: &str = "INSERT OR REPLACE INTO rule (name, kind, package, package_version, place,
                position, active, version, changed, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let (package, package_version) = match &rule.origin {
        Origin::User => (None, ""),
        Origin::Package { name, version } => (Some(name), version.as_str()),
    };
    let params = params![
        rule.name,
        rule.kind.slug(),
        package,
        package_version,
        rule.place.to_string(),
        rule.position,
        rule.active,
        rule.version,
        rule.changed.0,
        rule.body
    ];
    run(conn, SQL, params)
}

fn as_json(rule: Option<&StoredRule>) -> Inner<Option<String>> {
    rule.map(serde_json::to_string)
        .transpose()
        .map_err(|error| corrupt("a rule", &error).into())
}

fn corrupt(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: error.to_string(),
    }
}

fn write_change(conn: &Connection, change: &RuleChange, edit: &RuleEdit, to: u64) -> Inner<()> {
    const REMOVE: &str = "DELETE FROM rule WHERE name = ?1";
    const NOTE: &str = "INSERT INTO rule_change (set_version, at, by, name, what, before, after)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Some(one) = change.after.as_ref().or(change.before.as_ref()) else {
        return Ok(());
    };
    match &change.after {
        Some(rule) => put(conn, rule)?,
        None => run(conn, REMOVE, [&one.name])?,
    };
    let (before, after) = (
        as_json(change.before.as_ref())?,
        as_json(change.after.as_ref())?,
    );
    let params = params![
        signed(to),
        edit.at.0,
        edit.by,
        one.name,
        change.what,
        before,
        after
    ];
    run(conn, NOTE, params)?;
    Ok(())
}

fn back_up(conn: &Connection, name: &str, edit: &RuleEdit) -> Inner<()> {
    const TAKEN: &str = "SELECT 1 FROM rule_backup WHERE name = ?1";
    const SQL: &str =
        "INSERT INTO rule_backup (name, at, by, count, rules) VALUES (?1, ?2, ?3, ?4, ?5)";
    if row(conn, TAKEN, [name], |_| Ok(()))?.is_some() {
        return Err(StoreError::Exists {
            what: format!("a backup of the rules named {name}"),
        }
        .into());
    }
    let rules = all(conn)?;
    let text = serde_json::to_string(&rules).map_err(|error| corrupt("a rule", &error))?;
    let n = signed(count(rules.len()));
    run(conn, SQL, params![name, edit.at.0, edit.by, n, text])?;
    Ok(())
}

fn read_history(row: &Row<'_>) -> rusqlite::Result<RuleHistory> {
    let mut c = Columns::of(row);
    let (set_version, at, by) = (c.unsigned()?, c.time()?, c.get()?);
    let (name, what) = (c.get()?, c.get()?);
    let mut rule = |column: usize| -> rusqlite::Result<Option<StoredRule>> {
        c.get::<Option<String>>()?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| unreadable(column, error.to_string()))
    };
    let (before, after) = (rule(5)?, rule(6)?);
    Ok(RuleHistory {
        set_version,
        at,
        by,
        name,
        change: RuleChange {
            what,
            before,
            after,
        },
    })
}

impl Rules for SqliteStore {
    fn rule_set_version(&self) -> Result<u64> {
        self.read("reading the version of the rules", |conn| {
            Ok(version(conn)?)
        })
    }

    fn rules(&self) -> Result<RuleShelf> {
        self.read("reading the rules", |conn| {
            Ok(RuleShelf {
                version: version(conn)?,
                rules: all(conn)?,
            })
        })
    }

    fn change_rules(&self, edit: &RuleEdit) -> Result<Option<u64>> {
        const RAISE: &str = "UPDATE rule_set SET version = ?1 WHERE one = 1";
        self.write("changing the rules", |tx| {
            if version(tx)? != edit.decided_on {
                return Ok(None);
            }
            if let Some(name) = &edit.backup {
                back_up(tx, name, edit)?;
            }
            let to = edit.decided_on.saturating_add(1);
            for change in &edit.changes {
                write_change(tx, change, edit, to)?;
            }
            run(tx, RAISE, [signed(to)])?;
            Ok(Some(to))
        })
    }

    fn rule_history(&self, name: Option<&str>, most: usize) -> Result<Vec<RuleHistory>> {
        // By rule_change_by_name, or by id from the end.
        const SQL: &str = "SELECT set_version, at, by, name, what, before, after FROM rule_change
             WHERE ?1 IS NULL OR name = ?1 ORDER BY id DESC LIMIT ?2";
        self.read("reading the history of the rules", |conn| {
            Ok(rows(conn, SQL, params![name, limit(most)], read_history)?)
        })
    }

    fn rule_backups(&self) -> Result<Vec<RuleBackup>> {
        const SQL: &str =
            "SELECT name, at, by, count FROM rule_backup ORDER BY at DESC, rowid DESC";
        self.read("reading the backups of the rules", |conn| {
            Ok(rows(conn, SQL, [], |row| {
                let mut c = Columns::of(row);
                Ok(RuleBackup {
                    name: c.get()?,
                    at: Timestamp(c.get()?),
                    by: c.get()?,
                    rules: c.unsigned()?,
                })
            })?)
        })
    }

    fn rule_backup(&self, name: &str) -> Result<Option<Vec<StoredRule>>> {
        const SQL: &str = "SELECT rules FROM rule_backup WHERE name = ?1";
        self.read("reading a backup of the rules", |conn| {
            let text: Option<String> = row(conn, SQL, [name], |row| row.get(0))?;
            let rules = text.map(|text| serde_json::from_str(&text)).transpose();
            Ok(rules.map_err(|error| corrupt("a backup of the rules", &error))?)
        })
    }
}
