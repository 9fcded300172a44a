//! Streams the target: reads pages, decides, and hands them on to be checked and written.
//!
//! ```text
//!           ┌─► checkers: try the message on each kept recipient
//! reader ───┤
//!           └─► writer: store kept and excluded, in slices
//! ```
//!
//! Both channels are short, so memory is a few pages whatever the size of the target.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use posthaste_compose::Template;
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::DeliveryId;
use posthaste_core::prepare::{
    Candidate, Excluded, KeySet, Options, Splitter, Standing, Verdict, decide,
};
use posthaste_store::rows::{Delivery, ExclusionRow, FrozenRecipient, Recipient};
use posthaste_store::{Preparing, StoreError};

use super::messages::{Trouble, check_pages};
use super::{PrepareError, PrepareStore, Progress};
use crate::slices::Slices;

/// Recipients read at once.
const PAGE: usize = 1_000;
/// Pages that may wait for a checker, and for the writer.
const WAITING: usize = 3;

/// One page, decided on.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Those who are kept.
    pub(super) kept: Vec<FrozenRecipient>,
    /// The lines they came from, in the same order.
    pub(super) lines: Vec<u64>,
    /// Those who are excluded.
    pub(super) excluded: Vec<ExclusionRow>,
}

/// What the target came to.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) target: u64,
    pub(super) kept: u64,
    pub(super) excluded: BTreeMap<FailureReason, u64>,
    /// Recipients whose message cannot be made.
    pub(super) trouble: Vec<(u64, String)>,
    /// Names in the templates that no recipient has; their troubles are not in `trouble` any more.
    pub(super) unknown: Vec<String>,
    /// Whether the rest of the target was not read because of them.
    pub(super) cut_short: bool,
}

impl Counts {
    /// Says once what is wrong with every recipient: names that are none of `columns`.
    pub(super) fn name_unknown_variables(
        &mut self,
        template: &Template,
        columns: &BTreeSet<String>,
    ) {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        for unknown in template.unknown_variables(&columns) {
            let said = format!("\"{}\" is not defined", unknown.name);
            self.trouble.retain(|(_, text)| !text.contains(&said));
            self.unknown.push(unknown.to_string());
        }
    }
}

/// What is needed to read a target.
pub(super) struct Target<'a, S: PrepareStore + ?Sized> {
    pub(super) store: &'a S,
    pub(super) delivery: &'a Delivery,
    pub(super) options: &'a Options,
    pub(super) template: &'a Template,
    pub(super) threads: usize,
    /// Flags that end the reading: the user's, and that of a lost lease.
    pub(super) stop: [&'a AtomicBool; 2],
}

/// What the reader remembers from page to page.
struct Reading {
    seen: KeySet,
    splitter: Splitter,
    counts: Counts,
}

impl<S: PrepareStore + ?Sized> Target<'_, S> {
    /// Reads the whole target into parts of at most `quantity` recipients.
    pub(super) fn read(
        &self,
        quantity: u32,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Counts, PrepareError> {
        let trouble = Trouble::default();
        let (to_check, checked) = sync_channel(WAITING);
        let checked = Mutex::new(checked);
        let (to_write, written) = sync_channel(WAITING);
        let mut counts = thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| check_pages(&checked, self.template, &trouble));
            }
            let writer = scope.spawn(|| write_pages(self.store, self.delivery.id, written));
            let outlets = (to_check, to_write);
            let read = self.pages(quantity, &outlets, &trouble, progress);
            drop(outlets);
            let wrote = writer.join().unwrap_or_else(|_| Err(writer_died()));
            wrote.map_err(PrepareError::from).and(read)
        })?;
        counts.cut_short = trouble.is_enough();
        counts.trouble = trouble.into_found();
        Ok(counts)
    }

    fn pages(
        &self,
        quantity: u32,
        (to_check, to_write): &(SyncSender<Arc<Page>>, SyncSender<Arc<Page>>),
        trouble: &Trouble,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Counts, PrepareError> {
        let mut reading = Reading {
            seen: KeySet::new(),
            splitter: Splitter::new(quantity),
            counts: Counts::default(),
        };
        let lists = self.store.lists()?;
        let list = lists.iter().find(|list| list.id == self.delivery.list);
        let of = list.map_or(0, |list| list.recipients);
        let mut after = None;
        while !trouble.is_enough() {
            let rows = self.store.recipients(self.delivery.list, after, PAGE)?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            self.look_at_flags()?;
            let page = Arc::new(self.page(rows, &mut reading)?);
            // A channel closes early only when its thread has failed, which `read` reports.
            if to_check.send(Arc::clone(&page)).is_err() || to_write.send(page).is_err() {
                break;
            }
            progress(Progress {
                of,
                read: reading.counts.target,
                kept: reading.counts.kept,
            });
        }
        Ok(reading.counts)
    }

    fn look_at_flags(&self) -> Result<(), PrepareError> {
        let [cancelled, lost] = self.stop.map(|flag| flag.load(Ordering::Relaxed));
        if lost {
            return Err(PrepareError::Changed(self.delivery.id));
        }
        if cancelled {
            return Err(PrepareError::Interrupted(self.delivery.id));
        }
        Ok(())
    }

    /// Decides on one page of recipients.
    fn page(&self, rows: Vec<Recipient>, reading: &mut Reading) -> Result<Page, PrepareError> {
        let keys: Vec<&str> = rows
            .iter()
            .map(|row| row.key.as_str())
            .filter(|key| !key.is_empty())
            .collect();
        let listed = self.store.standing(self.delivery.channel, &keys)?;
        let standing: HashMap<&str, Standing> = listed
            .iter()
            .map(|address| (address.key.as_str(), standing(&address.entry)))
            .collect();
        let mut page = Page::default();
        for row in rows {
            let candidate = Candidate {
                address: &row.address,
                key: &row.key,
                quality: row.quality,
                denylisted: row.denylisted,
                standing: standing.get(row.key.as_str()).copied(),
            };
            let verdict = decide(&candidate, self.options, &mut reading.seen);
            reading.take(row, verdict, &mut page);
        }
        Ok(page)
    }
}

impl Reading {
    fn take(&mut self, row: Recipient, verdict: Verdict, page: &mut Page) {
        self.counts.target += 1;
        match verdict {
            Verdict::Keep => {
                self.counts.kept += 1;
                page.lines.push(row.line);
                page.kept.push(self.freeze(row));
            }
            Verdict::Exclude(Excluded { reason, detail }) => {
                *self.counts.excluded.entry(reason).or_default() += 1;
                page.excluded.push(ExclusionRow {
                    id: 0,
                    recipient: row.id,
                    line: row.line,
                    address: row.address,
                    reason,
                    detail,
                });
            }
        }
    }

    fn freeze(&mut self, row: Recipient) -> FrozenRecipient {
        let domain = row.key.rsplit_once('@').map_or("", |(_, domain)| domain);
        let domain = domain.to_owned();
        let assigned = self.splitter.assign(&domain);
        FrozenRecipient {
            part: assigned.part,
            part_domain: assigned.of_one_domain.then(|| domain.clone()),
            recipient: row.id,
            address: row.address,
            key: row.key,
            domain,
            attributes: row.attributes,
        }
    }
}

const fn standing(entry: &posthaste_core::quarantine::Entry) -> Standing {
    Standing {
        status: entry.status,
        reason: entry.reason,
        since: entry.since,
    }
}

/// The writer's work: stores pages, in slices, until there are no more.
fn write_pages<S: Preparing + ?Sized>(
    store: &S,
    id: DeliveryId,
    pages: Receiver<Arc<Page>>,
) -> Result<(), StoreError> {
    let mut slices = Slices::new();
    for page in pages {
        let mut kept = page.kept.as_slice();
        let mut excluded = page.excluded.as_slice();
        while !kept.is_empty() || !excluded.is_empty() {
            let (now_kept, later) = kept.split_at(slices.rows().min(kept.len()));
            let room = slices.rows() - now_kept.len();
            let (now_excluded, rest) = excluded.split_at(room.min(excluded.len()));
            slices.run(|| store.add_prepared(id, now_kept, now_excluded))?;
            (kept, excluded) = (later, rest);
        }
    }
    Ok(())
}

fn writer_died() -> StoreError {
    StoreError::Database {
        doing: "storing the prepared recipients".to_owned(),
        source: "the thread that writes them ended early; prepare again".into(),
    }
}
