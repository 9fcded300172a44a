//! Facts in, facts out.
//!
//! One trait per need, blocking; every method is one transaction unless it says otherwise. No
//! decision is taken here: where a write depends on what is stored, the caller's closure decides
//! inside the transaction ([`Recording`]). The embedded implementation is [`sqlite`]; another one
//! must pass the same conformance suite.

#[cfg(test)]
mod conformance;
pub mod requalifying;
pub mod rows;
pub mod rules;
pub mod sqlite;

use std::path::PathBuf;

use posthaste_core::delivery::{DeliveryState, Level};
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::{
    DeliveryId, EventId, ListId, LogId, PartId, QualificationId, RecipientId,
};
use posthaste_core::log::{Channel, QualificationStatus};
use posthaste_core::qualify::Verdict;
use posthaste_core::tally::Tally;
use posthaste_core::time::Timestamp;

use crate::rows::{
    Address, AddressFilter, AddressHistory, AtRisk, Attempt, ClaimedRecipient, Delivery,
    ExclusionRow, FrozenRecipient, JournalLine, LedgerEvent, List, LogChange, LogFilter, LogRow,
    LogTotals, NewDelivery, NewRecipient, Page, Qualification, Recipient, ToldBy, WorkflowRun,
};

pub use requalifying::Requalifying;
pub use rules::Rules;

/// Our own trouble with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was written by a newer version of this program.
    #[error(
        "the store {path} has schema version {found}, this program knows up to {known}: \
         use a newer posthaste, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest version this program knows.
        known: usize,
    },
    /// There is no store at this place.
    #[error("there is no store at {path}: create one with `posthaste init`")]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The disk is full, or a quota is used up.
    #[error("{doing}: the disk is full; nothing was written; make room, then do it again")]
    DiskFull {
        /// What was being done.
        doing: String,
    },
    /// Another process held the store for too long.
    #[error("{doing}: the store was busy for too long; try again")]
    Busy {
        /// What was being done.
        doing: String,
    },
    /// A row that should be there is not.
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for, with its name.
        what: String,
    },
    /// A name is already taken.
    #[error("{what} exists already")]
    Exists {
        /// What exists, with its name.
        what: String,
    },
    /// Anything else the database reports.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done.
        doing: String,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored value that cannot be read.
    #[error("{what} in the store cannot be read: {why}")]
    Corrupt {
        /// Which value.
        what: String,
        /// Why.
        why: String,
    },
}

/// Result of a store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Everything a process needs of the store.
pub trait Store:
    Recipients
    + Deliveries
    + Preparing
    + Queue
    + Recording
    + Addresses
    + Qualifications
    + Workflows
    + Requalifying
    + Rules
{
}

impl<T> Store for T where
    T: Recipients
        + Deliveries
        + Preparing
        + Queue
        + Recording
        + Addresses
        + Qualifications
        + Workflows
        + Requalifying
        + Rules
        + ?Sized
{
}

/// Lists of recipients and the profiles' denylist.
pub trait Recipients: Send + Sync {
    /// Creates an empty list.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken.
    fn create_list(&self, name: &str, at: Timestamp) -> Result<ListId>;
    /// The list with this name.
    fn list_named(&self, name: &str) -> Result<Option<List>>;
    /// Every list, by name, with its number of recipients.
    fn lists(&self) -> Result<Vec<List>>;
    /// Gives a list another name: an import fills a list under a temporary one.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken.
    fn rename_list(&self, list: ListId, name: &str) -> Result<()>;
    /// Deletes a list and its recipients, in slices.
    fn delete_list(&self, list: ListId) -> Result<()>;
    /// Appends one slice of recipients to a list.
    fn add_recipients(&self, list: ListId, slice: &[NewRecipient], at: Timestamp) -> Result<()>;
    /// Recipients of a list after `after`, in the order of their ids; at most `limit`.
    fn recipients(
        &self,
        list: ListId,
        after: Option<RecipientId>,
        limit: usize,
    ) -> Result<Vec<Recipient>>;
    /// Recipients (profiles) with this address key, in all lists; at most `limit`.
    fn recipients_with(&self, key: &str, limit: usize) -> Result<Vec<Recipient>>;
    /// Puts every profile with this address key on the channel's denylist, or takes it off.
    /// Returns how many profiles changed.
    fn set_profile_denylisted(&self, channel: Channel, key: &str, denylisted: bool) -> Result<u64>;
    /// Keys of denylisted profiles, in order, after `after`.
    fn denylisted_profiles(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>>;
}

/// Deliveries, their states, journals and numbers.
pub trait Deliveries: Send + Sync {
    /// Stores a delivery in state *edited*.
    fn create_delivery(&self, new: &NewDelivery, at: Timestamp) -> Result<DeliveryId>;
    /// Removes a delivery that was never prepared (*edited*, *preparation failed*), with its journal
    /// and exclusions; `false`, and nothing is removed, when it is in another state or not there.
    fn remove_delivery(&self, id: DeliveryId) -> Result<bool>;
    /// The delivery with this id.
    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>>;
    /// Deliveries, newest first.
    fn deliveries(&self, limit: usize) -> Result<Vec<Delivery>>;
    /// Deliveries in one of these states.
    fn deliveries_in(&self, states: &[DeliveryState]) -> Result<Vec<Delivery>>;
    /// Compare-and-set of the state; `false` when it is no longer `from`. Stamps started (on
    /// entering *in progress* for the first time), ended, and the last change.
    fn move_delivery(
        &self,
        id: DeliveryId,
        from: DeliveryState,
        to: DeliveryState,
        at: Timestamp,
    ) -> Result<bool>;
    /// Sets the contact date and the end of validity, both at confirmation.
    fn set_schedule(
        &self,
        id: DeliveryId,
        contact_date: Option<Timestamp>,
        valid_until: Timestamp,
    ) -> Result<()>;
    /// Adds lines to the journal of a delivery.
    fn journal(&self, id: DeliveryId, lines: &[JournalLine]) -> Result<()>;
    /// The journal of a delivery, oldest first.
    fn journal_of(&self, id: DeliveryId) -> Result<Vec<JournalLine>>;
    /// The numbers of a delivery, counted from exclusions and delivery log by
    /// [`Tally::from_counts`].
    fn tally(&self, id: DeliveryId) -> Result<Tally>;
    /// Failures by type and reason, by domain, and new quarantines: for reports.
    fn totals(&self, id: DeliveryId) -> Result<LogTotals>;
    /// One page of the delivery log, in the order of ids.
    fn log_page(&self, filter: &LogFilter, page: Page<LogId>) -> Result<Vec<LogRow>>;
    /// The rows of this address in all deliveries, newest first.
    fn log_of_address(&self, key: &str, limit: usize) -> Result<Vec<LogRow>>;
    /// One row.
    fn log_row(&self, id: LogId) -> Result<Option<LogRow>>;
    /// The attempts of one row, oldest first.
    fn attempts(&self, id: LogId) -> Result<Vec<Attempt>>;
    /// One page of the exclusions of a delivery, optionally of one reason.
    fn exclusions(
        &self,
        id: DeliveryId,
        reason: Option<FailureReason>,
        page: Page<i64>,
    ) -> Result<Vec<ExclusionRow>>;
    /// The moment something of this store falls due next, after `now`: a retry of a delivery in
    /// progress, a contact date, an end of validity.
    fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>>;
    /// A number that changes whenever any process has written to the store.
    fn change_mark(&self) -> Result<u64>;
}

/// What preparation writes.
pub trait Preparing: Send + Sync {
    /// Takes (or renews) the right to prepare a delivery until `until`; `false` when somebody
    /// else holds it.
    fn hold_preparation(
        &self,
        id: DeliveryId,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool>;
    /// Removes what an earlier preparation left (log rows, parts, exclusions, journal); in slices.
    fn clear_preparation(&self, id: DeliveryId) -> Result<()>;
    /// One slice of the target: kept recipients with their part, and the excluded.
    /// Parts named here for the first time are created in state *filling*.
    fn add_prepared(
        &self,
        id: DeliveryId,
        kept: &[FrozenRecipient],
        excluded: &[ExclusionRow],
    ) -> Result<()>;
    /// Ends preparation: freezes the target's size and makes all filling parts ready.
    fn end_preparation(&self, id: DeliveryId, target: u64, to_send: u64) -> Result<()>;
    /// Quarantine and denylist standing of these keys; keys that are not listed are left out.
    fn standing(&self, channel: Channel, keys: &[&str]) -> Result<Vec<Address>>;
    /// Stores bytes under their SHA-256 (attachments, frozen templates).
    fn put_blob(&self, sha256: &[u8; 32], bytes: &[u8]) -> Result<()>;
    /// The bytes stored under this SHA-256.
    fn blob(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>>;
}

/// The queue: the delivery log and its parts.
pub trait Queue: Send + Sync {
    /// Leases ready parts of deliveries in progress to `owner`, higher priority first, then older,
    /// until about `recipients` recipients are taken, and returns their recipients that still wait
    /// (pending, no due time). Parts of a domain in `skip_domains` are passed over. A part that
    /// has nobody waiting is closed at once.
    fn claim(
        &self,
        owner: &str,
        lease_until: Timestamp,
        recipients: usize,
        skip_domains: &[String],
    ) -> Result<Vec<ClaimedRecipient>>;
    /// Gathers recipients that are due (`due <= now`, delivery in progress) into new ready parts,
    /// by delivery and domain, at most `limit`. Returns how many. Their due time is cleared.
    fn gather_due(&self, now: Timestamp, limit: usize) -> Result<u64>;
    /// Gives recipients back without an attempt, due at `due`; their parts are not touched.
    fn give_back(&self, recipients: &[LogId], due: Timestamp) -> Result<()>;
    /// Closes leased parts whose every recipient has an outcome or a due time, or gives a leased
    /// part back (ready) when somebody in it still waits.
    fn settle_parts(&self, parts: &[PartId]) -> Result<()>;
    /// Gives back all parts leased by anyone but `owner`, or whose lease ended before `now`.
    /// Returns how many.
    fn release_leases(&self, owner: &str, now: Timestamp) -> Result<u64>;
    /// Whether nobody of this delivery waits any more: every part closed, no due time left.
    fn is_drained(&self, id: DeliveryId) -> Result<bool>;
    /// Ends the recipients of a delivery that still wait, at most `limit` per call: those never
    /// tried become *cancelled*; those tried become *failed* with their last failure when
    /// `tried_fail`, else *cancelled*. Leased parts are left alone unless `leased_too`.
    /// Returns how many; call until 0.
    fn end_waiting(
        &self,
        id: DeliveryId,
        tried_fail: bool,
        leased_too: bool,
        at: Timestamp,
        limit: usize,
    ) -> Result<u64>;
}

/// The recorder's transaction.
pub trait Recording: Send + Sync {
    /// Runs `work` in one write transaction; it is committed when `work` returns `Ok`.
    /// `work` may run again from the start when the database was busy.
    fn record(&self, work: &mut dyn FnMut(&mut dyn RecordTx) -> Result<()>) -> Result<()>;
}

/// What can be read and written inside the recorder's transaction.
pub trait RecordTx {
    /// The row as it stands now.
    fn log_row(&mut self, id: LogId) -> Result<Option<LogRow>>;
    /// Changes a row.
    fn change_log(&mut self, change: &LogChange) -> Result<()>;
    /// Adds an attempt.
    fn add_attempt(&mut self, attempt: &Attempt) -> Result<()>;
    /// The quarantine entry of an address.
    fn address(&mut self, channel: Channel, key: &str) -> Result<Option<Address>>;
    /// Writes the quarantine entry of an address.
    fn put_address(&mut self, address: &Address) -> Result<()>;
    /// Adds an event to the ledger.
    fn add_event(&mut self, event: &LedgerEvent) -> Result<EventId>;
    /// The whole ledger of an address, oldest first.
    fn events(&mut self, channel: Channel, key: &str) -> Result<Vec<LedgerEvent>>;
    /// The delivery log qualification of a normalised text.
    fn qualification(&mut self, channel: Channel, text: &str) -> Result<Option<Qualification>>;
    /// Adds a qualification; its id is chosen by the store.
    fn add_qualification(&mut self, new: &Qualification) -> Result<QualificationId>;
    /// Stores how the rules judge a text now, unless a person has set it.
    fn judge_qualification(
        &mut self,
        id: QualificationId,
        verdict: &Verdict,
        status: QualificationStatus,
    ) -> Result<()>;
    /// Adds occurrences, never past 100,000.
    fn add_occurrences(&mut self, id: QualificationId, n: u32, at: Timestamp) -> Result<()>;
}

/// The quarantine list, for people.
pub trait Addresses: Send + Sync {
    /// One page of the quarantine list, in the order of keys.
    fn addresses(&self, filter: &AddressFilter, page: Page<String>) -> Result<Vec<Address>>;
    /// The entry and the ledger of one address.
    fn address_history(&self, channel: Channel, key: &str) -> Result<AddressHistory>;
    /// Deletes entries with status *valid* whose last change is before `before`, at most `limit`.
    fn remove_valid(&self, before: Timestamp, limit: usize) -> Result<u64>;
}

/// The delivery log qualification, for people.
pub trait Qualifications: Send + Sync {
    /// Entries, most frequent first, optionally of one status; at most `limit`.
    fn qualifications(
        &self,
        status: Option<QualificationStatus>,
        limit: usize,
    ) -> Result<Vec<Qualification>>;
    /// One entry.
    fn qualification_by_id(&self, id: QualificationId) -> Result<Option<Qualification>>;
    /// Replaces type, reason, party, status, occurrences and the mark that a person set it.
    fn set_qualification(&self, entry: &Qualification, at: Timestamp) -> Result<()>;
    /// Addresses whose last failure in a delivery has one of these texts, by text and domain;
    /// most addresses first. Near quarantine are those listed with errors that have at least
    /// `errors` of them.
    fn at_risk(&self, texts: &[QualificationId], errors: u32) -> Result<Vec<AtRisk>>;
    /// Addresses whose last failure has one of these texts, by text and by the host that said it at the
    /// last attempt; most first.
    fn told_by(&self, texts: &[QualificationId]) -> Result<Vec<ToldBy>>;
}

/// Runs of technical workflows, and what only they do.
pub trait Workflows: Send + Sync {
    /// Stores the start of a run; returns its id.
    fn begin_run(&self, name: &str, at: Timestamp) -> Result<i64>;
    /// Stores the end of a run: its report (JSON) or its error.
    fn end_run(
        &self,
        id: i64,
        at: Timestamp,
        result: std::result::Result<&str, &str>,
    ) -> Result<()>;
    /// Last runs of a workflow, newest first.
    fn runs(&self, name: &str, limit: usize) -> Result<Vec<WorkflowRun>>;
    /// Deletes log rows, attempts and exclusions of ended deliveries last changed before `before`,
    /// at most `limit` rows; returns how many went.
    fn purge_log(&self, before: Timestamp, limit: usize) -> Result<u64>;
    /// Keys of addresses that have ledger events older than `before`, at most `limit`.
    fn addresses_with_events_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Channel, String)>>;
    /// Replaces the events of an address older than `before` by one snapshot event.
    fn fold_events(
        &self,
        channel: Channel,
        key: &str,
        before: Timestamp,
        snapshot: &LedgerEvent,
    ) -> Result<u64>;
}

/// How grave the worst line of a journal is; `None` when it is empty.
#[must_use]
pub fn worst(lines: &[JournalLine]) -> Option<Level> {
    lines.iter().map(|line| line.level).max()
}
