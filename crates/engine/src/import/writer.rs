//! Writes recipients to the list, slice by slice, and counts.

use std::sync::atomic::{AtomicBool, Ordering};

use posthaste_core::ids::ListId;
use posthaste_core::time::Timestamp;
use posthaste_store::Recipients;
use posthaste_store::rows::NewRecipient;

use super::{ImportError, Progress};
use crate::slices::Slices;

/// Rejected records between two looks at the cancel flag.
const LOOK_EVERY: u64 = 1_000;

/// Collects recipients and stores them.
pub(super) struct ListWriter<'a, S: Recipients + ?Sized> {
    store: &'a S,
    list: ListId,
    now: Timestamp,
    cancel: &'a AtomicBool,
    progress: &'a mut dyn FnMut(Progress),
    waiting: Vec<NewRecipient>,
    slices: Slices,
    done: Progress,
}

impl<'a, S: Recipients + ?Sized> ListWriter<'a, S> {
    pub(super) fn new(
        store: &'a S,
        list: ListId,
        now: Timestamp,
        cancel: &'a AtomicBool,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self {
            store,
            list,
            now,
            cancel,
            progress,
            waiting: Vec::new(),
            slices: Slices::new(),
            done: Progress::default(),
        }
    }

    /// Takes one recipient in.
    pub(super) fn add(&mut self, line: u64, recipient: NewRecipient) -> Result<(), ImportError> {
        self.done.read += 1;
        self.waiting.push(NewRecipient { line, ..recipient });
        if self.waiting.len() >= self.slices.rows() {
            self.write()?;
        }
        Ok(())
    }

    /// Counts one record that was rejected.
    pub(super) fn rejected(&mut self) -> Result<(), ImportError> {
        self.done.read += 1;
        self.done.rejected += 1;
        if self.done.rejected.is_multiple_of(LOOK_EVERY) {
            self.look()?;
        }
        Ok(())
    }

    /// Writes what waits, and says what was done.
    pub(super) fn finish(mut self) -> Result<Progress, ImportError> {
        self.write()?;
        Ok(self.done)
    }

    fn write(&mut self) -> Result<(), ImportError> {
        if !self.waiting.is_empty() {
            let (store, list, waiting, now) = (self.store, self.list, &self.waiting, self.now);
            self.slices
                .run(|| store.add_recipients(list, waiting, now))?;
            self.done.imported += self.waiting.len() as u64;
            self.waiting.clear();
        }
        self.look()
    }

    fn look(&mut self) -> Result<(), ImportError> {
        (self.progress)(self.done);
        if self.cancel.load(Ordering::Relaxed) {
            return Err(ImportError::Interrupted);
        }
        Ok(())
    }
}
