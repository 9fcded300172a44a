//! The facts that go into the store and come out of it.

use posthaste_core::delivery::{DeliveryState, Level, Priority};
use posthaste_core::evidence::{Evidence, OutcomeKind};
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::{DeliveryId, ListId, LogId, PartId, QualificationId, RecipientId};
use posthaste_core::log::{AddressStatus, Channel, LogStatus, QualificationStatus};
use posthaste_core::qualify::Verdict;
use posthaste_core::quarantine::{Entry, Event};
use posthaste_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A stored list of recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct List {
    /// Its id.
    pub id: ListId,
    /// Its name.
    pub name: String,
    /// How many recipients it has.
    pub recipients: u64,
    /// When it was created.
    pub created: Timestamp,
}

/// A recipient to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecipient {
    /// The address as it was given; empty when there is none.
    pub address: String,
    /// The key it is compared by; empty when the address has no valid syntax.
    pub key: String,
    /// All columns, as a JSON object of texts.
    pub attributes: String,
    /// Number of the line it came from.
    pub line: u64,
    /// A numeric quality, if the source has one.
    pub quality: Option<i64>,
    /// On the denylist of the e-mail channel.
    pub denylisted: bool,
}

/// A stored recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// Its id.
    pub id: RecipientId,
    /// Its list.
    pub list: ListId,
    /// The address as given.
    pub address: String,
    /// The key it is compared by; empty when the address has no valid syntax.
    pub key: String,
    /// All columns, as a JSON object of texts.
    pub attributes: String,
    /// Number of the line it came from.
    pub line: u64,
    /// A numeric quality, if the source has one.
    pub quality: Option<i64>,
    /// On the denylist of the e-mail channel: its own mark, or its address is in the table of
    /// denylisted profiles.
    pub denylisted: bool,
}

/// A delivery to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its label.
    pub label: String,
    /// Its channel.
    pub channel: Channel,
    /// The list it is sent to.
    pub list: ListId,
    /// Everything the delivery file says, checked, as JSON.
    pub spec: String,
    /// Its priority.
    pub priority: Priority,
    /// Start no earlier than this.
    pub contact_date: Option<Timestamp>,
    /// Whether it is a proof.
    pub proof: bool,
}

/// A stored delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Its label.
    pub label: String,
    /// Its channel.
    pub channel: Channel,
    /// The list it is sent to.
    pub list: ListId,
    /// Its state.
    pub state: DeliveryState,
    /// Everything the delivery file says, checked, as JSON.
    pub spec: String,
    /// Its priority.
    pub priority: Priority,
    /// Start no earlier than this.
    pub contact_date: Option<Timestamp>,
    /// End of validity, once confirmed.
    pub valid_until: Option<Timestamp>,
    /// Whether it is a proof.
    pub proof: bool,
    /// Recipients of the target, once prepared.
    pub target: u64,
    /// Recipients that were kept, once prepared.
    pub to_send: u64,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed its state.
    pub changed: Timestamp,
    /// When it first was in progress.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// A line of a delivery's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalLine {
    /// When.
    pub at: Timestamp,
    /// How grave.
    pub level: Level,
    /// What.
    pub text: String,
}

/// A recipient that preparation keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenRecipient {
    /// The part it goes to: numbered from 0 within the delivery by the preparer.
    pub part: u32,
    /// Domain of all recipients of that part; `None` for a mixed part.
    pub part_domain: Option<String>,
    /// The recipient of the list.
    pub recipient: RecipientId,
    /// The address as given.
    pub address: String,
    /// The key it is compared by.
    pub key: String,
    /// Its domain (A-label form, lower case).
    pub domain: String,
    /// Its attributes, frozen, as JSON.
    pub attributes: String,
}

/// A recipient that preparation excludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExclusionRow {
    /// Its number within the delivery, from 1; chosen by the store when written.
    pub id: i64,
    /// The recipient of the list.
    pub recipient: RecipientId,
    /// Line of the source it came from.
    pub line: u64,
    /// The address as given; may be empty.
    pub address: String,
    /// Why.
    pub reason: FailureReason,
    /// More about it: what is wrong with the syntax, since when in quarantine…
    pub detail: String,
}

/// A recipient that a sender has leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedRecipient {
    /// Its row in the delivery log.
    pub log: LogId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its part.
    pub part: PartId,
    /// The address as given.
    pub address: String,
    /// The key it is compared by.
    pub key: String,
    /// Its domain.
    pub domain: String,
    /// Its frozen attributes, as JSON.
    pub attributes: String,
    /// Attempts made so far.
    pub attempts: u32,
    /// How its address stands in the quarantine list now; `None` when it is not listed.
    pub standing: Option<AddressStatus>,
}

/// A row of the delivery log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogRow {
    /// Its id.
    pub id: LogId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its part.
    pub part: PartId,
    /// The recipient of the list.
    pub recipient: RecipientId,
    /// The address as given.
    pub address: String,
    /// The key it is compared by.
    pub key: String,
    /// Its domain.
    pub domain: String,
    /// Its status.
    pub status: LogStatus,
    /// Type of its last failure.
    pub kind: FailureType,
    /// Reason of its last failure.
    pub reason: FailureReason,
    /// Whose trouble the last failure was.
    pub party: Option<Party>,
    /// Attempts made so far.
    pub attempts: u32,
    /// How many of them were doubtful.
    pub doubtful: u32,
    /// When it will be tried again.
    pub due: Option<Timestamp>,
    /// Its last event.
    pub changed: Timestamp,
    /// The text of its last failure.
    pub qualification: Option<QualificationId>,
    /// It may have been delivered more than once.
    pub possibly_duplicate: bool,
    /// Its owner complained.
    pub complaint: bool,
}

/// New values of a delivery log row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChange {
    /// The row.
    pub id: LogId,
    /// Its status.
    pub status: LogStatus,
    /// Type of its last failure.
    pub kind: FailureType,
    /// Reason of its last failure.
    pub reason: FailureReason,
    /// Whose trouble the last failure was.
    pub party: Option<Party>,
    /// Attempts made so far.
    pub attempts: u32,
    /// How many of them were doubtful.
    pub doubtful: u32,
    /// When it will be tried again.
    pub due: Option<Timestamp>,
    /// When.
    pub changed: Timestamp,
    /// The text of its last failure.
    pub qualification: Option<QualificationId>,
    /// It may have been delivered more than once.
    pub possibly_duplicate: bool,
    /// Its owner complained.
    pub complaint: bool,
    /// This failure put the address into quarantine (counted by [`LogTotals::quarantined_new`]).
    pub quarantined: bool,
}

/// One attempt to deliver to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The delivery log row.
    pub log: LogId,
    /// Number of the attempt, from 1; 0 for what was decided without one (listed when claimed).
    pub number: u32,
    /// Its outcome.
    pub outcome: OutcomeKind,
    /// What was said.
    pub evidence: Evidence,
    /// How it was judged; `None` for a success.
    pub verdict: Option<Verdict>,
    /// The normalised text.
    pub qualification: Option<QualificationId>,
    /// How the stream was protected: empty, or the TLS version and cipher suite.
    pub tls: String,
    /// How long the attempt took, in milliseconds.
    pub took_ms: u32,
}

/// An entry of the quarantine list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The channel.
    pub channel: Channel,
    /// The key it is compared by.
    pub key: String,
    /// Status, counter and times.
    pub entry: Entry,
    /// Text of the failure that moved it last.
    pub error_text: String,
    /// The delivery log row that moved it last.
    pub log: Option<LogId>,
    /// When the row last changed.
    pub changed: Timestamp,
}

/// An event of the address ledger: added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEvent {
    /// The channel.
    pub channel: Channel,
    /// The key of the address.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// The delivery log row, if any.
    pub log: Option<LogId>,
    /// The delivery, if any.
    pub delivery: Option<DeliveryId>,
    /// What was said, for failures.
    pub evidence: Option<Evidence>,
    /// How it was judged, for failures.
    pub verdict: Option<Verdict>,
    /// The normalised text, for failures.
    pub qualification: Option<QualificationId>,
    /// Who or what caused it: `recorder`, `operator`, a workflow's or a file's name; with a
    /// comment where one was given.
    pub by: String,
    /// The line of the policy that decided.
    pub because: String,
}

/// The entry and the ledger of one address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AddressHistory {
    /// The entry; `None` when the address is not listed.
    pub address: Option<Address>,
    /// Its events, oldest first.
    pub events: Vec<LedgerEvent>,
}

/// An entry of the delivery log qualification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Qualification {
    /// Its id.
    pub id: QualificationId,
    /// The channel.
    pub channel: Channel,
    /// The text of the first occurrence, as said.
    pub first_text: String,
    /// The normalised text: the key.
    pub text: String,
    /// How often it was met; stops at 100,000.
    pub occurrences: u32,
    /// Its type.
    pub kind: FailureType,
    /// Its reason.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
    /// To qualify, keep or ignore.
    pub status: QualificationStatus,
    /// A person set it: its word goes before the rules'.
    pub by_person: bool,
    /// Name of the rule that judged it last.
    pub rule: String,
    /// When it was first met.
    pub first_seen: Timestamp,
    /// When it was last met.
    pub last_seen: Timestamp,
}

/// Addresses of one domain that failed with one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtRisk {
    /// The text.
    pub qualification: QualificationId,
    /// The domain.
    pub domain: String,
    /// How many addresses failed with it.
    pub addresses: u64,
    /// How many of them are one counted error away from quarantine.
    pub near_quarantine: u64,
}

/// Addresses whose last failure is one text, by the host that said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldBy {
    /// The text.
    pub qualification: QualificationId,
    /// The host, as it is called in the evidence.
    pub host: String,
    /// How many addresses.
    pub addresses: u64,
}

/// The most occurrences that are counted.
pub const MAX_OCCURRENCES: u32 = 100_000;

/// A run of a technical workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkflowRun {
    /// Its id.
    pub id: i64,
    /// Name of the workflow.
    pub name: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; `None` while it runs, or when it was cut off.
    pub ended: Option<Timestamp>,
    /// Its report (JSON).
    pub report: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// A page: what comes after `after`, at most `limit` rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Last key of the page before.
    pub after: Option<K>,
    /// The most rows.
    pub limit: usize,
}

/// Which rows of the delivery log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Of this delivery.
    pub delivery: Option<DeliveryId>,
    /// With this status.
    pub status: Option<LogStatus>,
    /// With this type of failure.
    pub kind: Option<FailureType>,
    /// With this reason.
    pub reason: Option<FailureReason>,
    /// Of this domain.
    pub domain: Option<String>,
    /// With this address key.
    pub key: Option<String>,
}

/// Which entries of the quarantine list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressFilter {
    /// With this status.
    pub status: Option<AddressStatus>,
    /// With this reason.
    pub reason: Option<FailureReason>,
    /// Of this domain.
    pub domain: Option<String>,
    /// Whose key contains this.
    pub contains: Option<String>,
}

/// Totals of a delivery log, for reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTotals {
    /// Rows by status, type and reason.
    pub by_failure: Vec<(LogStatus, FailureType, FailureReason, u64)>,
    /// Per domain: (domain, sent, failed, pending), most recipients first, at most 50.
    pub by_domain: Vec<(String, u64, u64, u64)>,
    /// Addresses that this delivery put into quarantine.
    pub quarantined_new: u64,
    /// Rows that may have been delivered more than once.
    pub possibly_duplicate: u64,
    /// Rows that needed more than one attempt.
    pub retried: u64,
}
