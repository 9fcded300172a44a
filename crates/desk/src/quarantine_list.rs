//! Quarantine lists as CSV: read in by streaming, written out page by page.
//!
//! The columns are `address`, then optionally `status` and `reason` (slugs or numbers), in any
//! order; what `export` writes can be imported. A bad line is kept in a rejects file with its
//! number and why; nothing is dropped silently. An imported status adds and strengthens, it never
//! frees: the policy decides that, not this reader.

use std::io::{Read, Write};

use csv::StringRecord;
use posthaste_core::failure::FailureReason;
use posthaste_core::log::AddressStatus;
use posthaste_core::quarantine::Event;
use posthaste_store::rows::{AddressFilter, Page};
use posthaste_store::{Addresses, Recording};
use serde::Serialize;

use super::quarantine::{Hand, Setting, apply, key_of, usual_reason};
use super::times::rfc3339;
use super::{DeskError, Result};

/// Addresses written per transaction, read per page.
const SLICE: usize = 500;

/// What became of an imported list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Lines read, the header apart.
    pub read: u64,
    /// Entries that are new or changed by it.
    pub applied: u64,
    /// Entries that stayed as they were: already so, or stronger.
    pub unchanged: u64,
    /// Lines that were kept in the rejects file.
    pub rejected: u64,
}

/// Where the columns are.
struct Columns {
    address: usize,
    status: Option<usize>,
    reason: Option<usize>,
}

/// Imports a list. `status` is for lines that name none.
///
/// # Errors
/// When the header has no address column or an unknown or doubled one, the list cannot be read,
/// or the store cannot be written. Slices that were written before stay.
pub fn import<S: Recording + ?Sized>(
    store: &S,
    list: impl Read,
    status: AddressStatus,
    hand: Hand<'_>,
    rejects: &mut dyn Write,
) -> Result<Imported> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(list);
    let columns = columns(reader.byte_headers().map_err(|e| unreadable(&e))?)?;
    let mut report = Imported::default();
    let mut slice = Vec::with_capacity(SLICE);
    for record in reader.byte_records() {
        let record = record.map_err(|e| unreadable(&e))?;
        report.read += 1;
        let line = record.position().map_or(0, csv::Position::line);
        match setting(&record, &columns, status) {
            Ok(setting) => slice.push(setting),
            Err(why) => {
                report.rejected += 1;
                reject(rejects, line, &record, &why)?;
            }
        }
        if slice.len() == SLICE {
            write(store, &slice, hand, &mut report)?;
            slice.clear();
        }
    }
    write(store, &slice, hand, &mut report)?;
    Ok(report)
}

fn unreadable(error: &csv::Error) -> DeskError {
    DeskError::Input(format!("the list cannot be read as CSV: {error}"))
}

fn columns(header: &csv::ByteRecord) -> Result<Columns> {
    let header = StringRecord::from_byte_record_lossy(header.clone());
    let (mut address, mut status, mut reason) = (None, None, None);
    for (at, name) in header.iter().enumerate() {
        let name = name.trim_start_matches('\u{feff}').trim().to_lowercase();
        let place = match name.as_str() {
            "address" | "email" | "e-mail" => &mut address,
            "status" => &mut status,
            "reason" => &mut reason,
            // Columns that `export` adds and an import derives anew.
            "errors" | "since" | "text" => continue,
            other => {
                return Err(DeskError::Input(format!(
                    "the list has a column \"{other}\": it may have address, status and reason"
                )));
            }
        };
        if place.replace(at).is_some() {
            return Err(DeskError::Input(format!(
                "the list has two columns \"{name}\""
            )));
        }
    }
    let address = address.ok_or_else(|| {
        DeskError::Input(
            "the list has no address column: its first line must name the columns, \
             as in address,status,reason"
                .to_owned(),
        )
    })?;
    Ok(Columns {
        address,
        status,
        reason,
    })
}

fn setting(
    record: &csv::ByteRecord,
    columns: &Columns,
    usual: AddressStatus,
) -> std::result::Result<Setting, String> {
    let field = |at: Option<usize>| {
        let bytes = at.and_then(|at| record.get(at)).unwrap_or_default();
        std::str::from_utf8(bytes)
            .map(str::trim)
            .map_err(|_| "it is not UTF-8".to_owned())
    };
    let key = key_of(field(Some(columns.address))?).map_err(|e| e.to_string())?;
    let status = match field(columns.status)? {
        "" => usual,
        text => read_status(text).ok_or_else(|| format!("\"{text}\" is not a status"))?,
    };
    let reason = match field(columns.reason)? {
        "" => usual_reason(status),
        text => read_reason(text).ok_or_else(|| format!("\"{text}\" is not a reason"))?,
    };
    Ok(Setting {
        key,
        status,
        reason,
    })
}

fn read_status(text: &str) -> Option<AddressStatus> {
    let coded = || text.parse().ok().and_then(AddressStatus::from_code);
    AddressStatus::from_slug(text).or_else(coded)
}

fn read_reason(text: &str) -> Option<FailureReason> {
    let coded = || text.parse().ok().and_then(FailureReason::from_code);
    FailureReason::from_slug(text).or_else(coded)
}

fn reject(out: &mut dyn Write, line: u64, record: &csv::ByteRecord, why: &str) -> Result<()> {
    let mut row = csv::ByteRecord::new();
    row.push_field(line.to_string().as_bytes());
    row.push_field(why.as_bytes());
    row.extend(record.iter());
    let mut writer = csv::Writer::from_writer(out);
    writer
        .write_byte_record(&row)
        .map_err(std::io::Error::from)
        .and_then(|()| writer.flush())
        .map_err(|source| DeskError::Unreadable {
            doing: "writing the rejects file".to_owned(),
            source,
        })
}

fn write<S: Recording + ?Sized>(
    store: &S,
    slice: &[Setting],
    hand: Hand<'_>,
    report: &mut Imported,
) -> Result<()> {
    let mut changed = 0;
    store.record(&mut |tx| {
        changed = 0;
        for setting in slice {
            let event = Event::Imported {
                status: setting.status,
                reason: setting.reason,
            };
            let entry = apply(tx, &setting.key, &event, hand)?;
            changed += u64::from(entry.is_some_and(|e| e.changed == hand.at));
        }
        Ok(())
    })?;
    report.applied += changed;
    report.unchanged += slice.len() as u64 - changed;
    Ok(())
}

/// Writes the entries that the filter keeps as CSV, header first; returns how many.
///
/// # Errors
/// When the store cannot be read or `out` cannot be written.
pub fn export<S: Addresses + ?Sized>(
    store: &S,
    filter: &AddressFilter,
    out: &mut dyn Write,
) -> Result<u64> {
    let failed = |source: csv::Error| DeskError::Unreadable {
        doing: "writing the list".to_owned(),
        source: source.into(),
    };
    let mut writer = csv::Writer::from_writer(out);
    writer
        .write_record(["address", "status", "reason", "errors", "since", "text"])
        .map_err(failed)?;
    let (mut after, mut written) = (None, 0);
    loop {
        let page = store.addresses(
            filter,
            Page {
                after: after.clone(),
                limit: SLICE,
            },
        )?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        for row in &page {
            let entry = &row.entry;
            writer
                .write_record([
                    row.key.as_str(),
                    entry.status.slug(),
                    entry.reason.slug(),
                    &entry.errors.to_string(),
                    &rfc3339(entry.since),
                    &row.error_text,
                ])
                .map_err(failed)?;
            written += 1;
        }
    }
    writer.flush().map_err(|source| DeskError::Unreadable {
        doing: "writing the list".to_owned(),
        source,
    })?;
    Ok(written)
}
