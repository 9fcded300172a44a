//! Tries the message on every recipient that is kept, on threads beside the reading.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use posthaste_compose::{Attributes, Template};
use posthaste_core::address::Address;
use posthaste_store::rows::FrozenRecipient;

use super::target::Page;

/// After so many recipients whose message cannot be made, preparation stops.
pub(super) const ENOUGH: usize = 20;

/// Recipients whose message cannot be made: line of the source, and the whole sentence.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    found: Mutex<Vec<(u64, String)>>,
    enough: AtomicBool,
}

impl Trouble {
    /// Whether so many were found that the rest need not be tried.
    pub(super) fn is_enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }

    fn add(&self, line: u64, text: String) {
        let mut found = lock(&self.found);
        if found.len() < ENOUGH {
            found.push((line, text));
        }
        if found.len() >= ENOUGH {
            self.enough.store(true, Ordering::Relaxed);
        }
    }

    /// What was found, in the order of lines.
    pub(super) fn into_found(self) -> Vec<(u64, String)> {
        let mut found = self
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        found.sort();
        found
    }
}

/// A thread's work: takes pages until there are no more, and tries each kept recipient.
pub(super) fn check_pages(
    pages: &Mutex<Receiver<Arc<Page>>>,
    template: &Template,
    trouble: &Trouble,
) {
    loop {
        let next = lock(pages).recv();
        let Ok(page) = next else { return };
        for (recipient, line) in page.kept.iter().zip(&page.lines) {
            if trouble.is_enough() {
                break;
            }
            if let Err(what) = check_one(template, recipient) {
                let address = &recipient.address;
                trouble.add(*line, format!("line {line}, recipient {address}: {what}"));
            }
        }
    }
}

fn check_one(template: &Template, recipient: &FrozenRecipient) -> Result<(), String> {
    let address = Address::parse(&recipient.address).map_err(|wrong| wrong.to_string())?;
    let attributes =
        Attributes::parse(&address, &recipient.attributes).map_err(|wrong| wrong.to_string())?;
    template
        .check(&attributes)
        .map_err(|wrong| wrong.to_string())
}

/// Nothing is left half-written in what these locks guard, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
