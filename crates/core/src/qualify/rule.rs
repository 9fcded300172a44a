//! A rule as people write it: scope, texts, verdict, source and samples.

use serde::{Deserialize, Serialize};

use super::meaning::{Kind, Meaning, Sense};
use crate::evidence::Stage;
use crate::failure::{FailureReason, Party};
use crate::log::Channel;

/// Who must have spoken for a rule to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// This program.
    Us,
    /// A remote server.
    Remote,
}

/// One rule, as in a rule file.
///
/// The verdict is `means` (see [`Meaning`]), or `type`, `reason` and `party` in full; each of
/// these three, and `retry`, also overrides what `means` brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique name in kebab-case; stored with each verdict.
    pub name: String,
    /// Place in the list: lower is asked first. Shipped rules have 1,000 and more; equal places
    /// keep the order in which they were given.
    #[serde(default)]
    pub order: i32,
    /// Rises with each edit.
    #[serde(default = "one")]
    pub version: u32,
    /// The channel; e-mail if not said.
    #[serde(default = "email")]
    pub channel: Channel,
    /// Masks of the host that spoke, such as `*.example.net`; any host if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<String>,
    /// Stages; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stage: Vec<Stage>,
    /// Reply codes such as `550`, or classes such as `5yz`, `55z`; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<String>,
    /// Enhanced statuses such as `5.1.1`, with `*` for a field; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enhanced: Vec<String>,
    /// Who must have spoken; anyone if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_by: Option<Speaker>,
    /// Patterns of which one must be in the text; any text if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Patterns of which none may be in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<String>,
    /// The verdict, by meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<Meaning>,
    /// The type: `hard`, `soft`, `ignored`, `by_code`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// Whose trouble it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// Worth another try even after a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<bool>,
    /// How sure, in percent; 95 if not said.
    #[serde(default = "sure")]
    pub confidence: u8,
    /// Which provider or product writes so, or which RFC.
    pub source: String,
    /// Texts that must match; at least one.
    #[serde(default)]
    pub samples: Vec<String>,
    /// Texts that must not match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_samples: Vec<String>,
}

const fn one() -> u32 {
    1
}

const fn email() -> Channel {
    Channel::Email
}

const fn sure() -> u8 {
    95
}

impl Rule {
    /// The verdict in full; `None` when the rule leaves type, reason or party open.
    #[must_use]
    pub fn sense(&self) -> Option<Sense> {
        let base = self.means.map(Meaning::sense);
        Some(Sense {
            kind: self.kind.or(base.map(|b| b.kind))?,
            reason: self.reason.or(base.map(|b| b.reason))?,
            party: self.party.or(base.map(|b| b.party))?,
            retry: self.retry.unwrap_or(base.is_some_and(|b| b.retry)),
        })
    }
}
