//! What a delivery is made of, checked and resolved: the form that is stored with it.
//!
//! The delivery file (TOML) is one way to write it; defaults of the configuration are already
//! filled in, files are already read, so a stored delivery does not depend on either.

use std::time::Duration;

use posthaste_core::delivery::{ApprovalMode, Priority};
use posthaste_core::log::Channel;
use posthaste_core::retry::RetryPolicy;
use posthaste_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A delivery as it is stored (JSON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Its label.
    pub label: String,
    /// Its channel.
    pub channel: Channel,
    /// Name of the recipient list it is sent to.
    pub list: String,
    /// The From address, as in a header: `Name <address>` or `address`.
    pub from: String,
    /// The Reply-To address.
    pub reply_to: Option<String>,
    /// The error address: base of the signed return path.
    pub error_address: String,
    /// Template of the subject.
    pub subject: String,
    /// Template of the HTML part.
    pub html: Option<String>,
    /// Template of the text part; made from the HTML when there is none.
    pub text: Option<String>,
    /// Extra headers, name and template, in order.
    pub headers: Vec<(String, String)>,
    /// Attachments and inline images, by hash.
    pub attachments: Vec<Attachment>,
    /// Its priority.
    pub priority: Priority,
    /// Start no earlier than this.
    pub contact_date: Option<Timestamp>,
    /// How long it may be sent after its start.
    pub validity: Duration,
    /// When failed recipients are tried again.
    pub retries: RetryPolicy,
    /// Recipients of a part; 0 = by the size of the message.
    pub batch_quantity: u32,
    /// Who is excluded.
    pub exclusions: Exclusions,
    /// Who lets it start.
    pub approval: ApprovalMode,
    /// Connect, MAIL, RCPT, then quit before DATA.
    pub test_smtp: bool,
}

/// A file that goes with every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// File name shown to the recipient.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// SHA-256 of its bytes (hex): the key in the store.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Content-ID of an inline image (`<img src="cid:…">`); `None` for an attachment.
    pub content_id: Option<String>,
}

/// Exclusion options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusions {
    /// Exclude an address that is already in this delivery (reason 10).
    pub duplicates: bool,
    /// Exclude denylisted profiles and addresses (reason 8).
    pub denylisted: bool,
    /// Exclude addresses in quarantine (reason 9).
    pub quarantined: bool,
    /// Exclude recipients whose numeric quality is below this (reason 14).
    pub minimum_quality: Option<i64>,
    /// Share of the target that is not contacted (reason 127), in percent; stable: the same
    /// addresses for the same seed.
    pub control_percent: f64,
    /// What the choice of the control group depends on besides the address.
    pub control_seed: String,
    /// Name of a stored list whose addresses are the control group (reason 127).
    pub control_list: Option<String>,
}

impl Default for Exclusions {
    fn default() -> Self {
        Self {
            duplicates: true,
            denylisted: true,
            quarantined: true,
            minimum_quality: None,
            control_percent: 0.0,
            control_seed: String::new(),
            control_list: None,
        }
    }
}
