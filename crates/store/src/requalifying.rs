//! Past failures judged again: what is read for it and what is written, undone and listed.
//!
//! The ledger is never changed. A re-qualification adds verdicts beside the events; whoever reads
//! the ledger of an address (here, [`crate::Addresses`], [`crate::RecordTx`]) gets its events with
//! the effective ones: those of the newest re-qualification that was not undone.

use posthaste_core::ids::{EventId, LogId, RequalificationId};
use posthaste_core::log::Channel;
use posthaste_core::qualify::Verdict;
use posthaste_core::quarantine::requalify::Ruling;
use posthaste_core::time::Timestamp;
use serde::Serialize;

use crate::Result;
use crate::rows::{Address, LedgerEvent, LogRow, Page};

/// An event of the ledger with its id and its effective verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldEvent {
    /// Its id.
    pub id: EventId,
    /// The event as it is held now.
    pub event: LedgerEvent,
    /// The re-qualification whose verdict is in force; `None` for the verdict of its own.
    pub by: Option<RequalificationId>,
}

/// From when to when, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub to: Timestamp,
}

/// A re-qualification to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequalification {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why; may be empty.
    pub comment: String,
    /// Which failures were selected, as JSON.
    pub selection: String,
    /// Which verdict they got, as JSON.
    pub verdict: String,
}

/// A stored re-qualification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requalification {
    /// Its id.
    pub id: RequalificationId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why; may be empty.
    pub comment: String,
    /// Which failures were selected, as JSON.
    pub selection: String,
    /// Which verdict they got, as JSON.
    pub verdict: String,
    /// What came of it, as JSON.
    pub numbers: String,
    /// When it was undone.
    pub undone: Option<Timestamp>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

/// An address whose failures were judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequalifiedAddress {
    /// The channel.
    pub channel: Channel,
    /// Its key.
    pub key: String,
    /// Its quarantine entry before; `None` when it was not listed.
    pub before: Option<Address>,
    /// Its quarantine entry after; `None` when it was not listed.
    pub after: Option<Address>,
}

/// What is read to judge past failures again. `without` leaves the verdicts of one
/// re-qualification out, as if it had not been.
pub trait LedgerReads {
    /// One page of the ledger (snapshots apart), oldest first; several events may share a moment.
    fn events_in(
        &mut self,
        span: Span,
        page: Page<(Timestamp, EventId)>,
        without: Option<RequalificationId>,
    ) -> Result<Vec<HeldEvent>>;
    /// The whole ledger of an address, oldest first.
    fn held_events(
        &mut self,
        channel: Channel,
        key: &str,
        without: Option<RequalificationId>,
    ) -> Result<Vec<HeldEvent>>;
    /// The quarantine entry of an address.
    fn entry(&mut self, channel: Channel, key: &str) -> Result<Option<Address>>;
    /// A delivery log row.
    fn row(&mut self, id: LogId) -> Result<Option<LogRow>>;
    /// The attributes that preparation froze for a row, as JSON.
    fn attributes(&mut self, id: LogId) -> Result<Option<String>>;
}

/// What a re-qualification reads and writes, all in one transaction.
pub trait RequalifyTx: LedgerReads {
    /// Adds a re-qualification.
    fn begin(&mut self, new: &NewRequalification) -> Result<RequalificationId>;
    /// Adds the new verdict of an event.
    fn requalify_event(
        &mut self,
        id: RequalificationId,
        event: EventId,
        old: &Verdict,
        new: &Verdict,
    ) -> Result<()>;
    /// Adds an address with its entries before and after, and writes the entry after (`None`
    /// removes it) when they differ.
    fn requalify_address(&mut self, id: RequalificationId, to: &RequalifiedAddress) -> Result<()>;
    /// Gives a delivery log row another type, reason and party; nothing else of it changes.
    fn rejudge_row(&mut self, id: LogId, ruling: Ruling) -> Result<()>;
    /// Writes what came of a re-qualification, as JSON.
    fn end(&mut self, id: RequalificationId, numbers: &str) -> Result<()>;
    /// Writes a quarantine entry, or removes it.
    fn set_entry(&mut self, channel: Channel, key: &str, entry: Option<&Address>) -> Result<()>;
    /// The re-qualification with this id.
    fn find(&mut self, id: RequalificationId) -> Result<Option<Requalification>>;
    /// One page of its addresses, in the order of keys.
    fn addresses_of(
        &mut self,
        id: RequalificationId,
        page: Page<String>,
    ) -> Result<Vec<RequalifiedAddress>>;
    /// Whether some of its events were folded into snapshots since.
    fn is_folded(&mut self, id: RequalificationId) -> Result<bool>;
    /// Marks it as undone: its verdicts are no longer in force.
    fn undo(&mut self, id: RequalificationId, at: Timestamp, by: &str) -> Result<()>;
}

/// Past failures judged again.
pub trait Requalifying: Send + Sync {
    /// Reads, each call on its own: no transaction is held between two of them.
    fn ledger(&self) -> Box<dyn LedgerReads + '_>;
    /// Runs `work` once in one write transaction; it is committed when `work` returns `Ok`. It may
    /// be long, and everybody else who writes waits.
    fn requalify(&self, work: &mut dyn FnMut(&mut dyn RequalifyTx) -> Result<()>) -> Result<()>;
    /// Up to when events were folded into snapshots; `None` when none ever was.
    fn folded_until(&self) -> Result<Option<Timestamp>>;
    /// Re-qualifications, newest first.
    fn requalifications(&self, limit: usize) -> Result<Vec<Requalification>>;
    /// The re-qualification with this id.
    fn requalification(&self, id: RequalificationId) -> Result<Option<Requalification>>;
    /// One page of the addresses of a re-qualification, in the order of keys.
    fn requalified_addresses(
        &self,
        id: RequalificationId,
        page: Page<String>,
    ) -> Result<Vec<RequalifiedAddress>>;
}
