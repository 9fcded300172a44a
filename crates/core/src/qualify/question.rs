//! What is asked of the rules, and what they answer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::enhanced::EnhancedStatus;
use crate::evidence::Stage;
use crate::failure::{FailureReason, FailureType, Party};
use crate::log::Channel;

/// What is asked of the rules: one failure, as far as a judgement needs it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The channel.
    pub channel: Channel,
    /// Host that spoke (MX or relay), lower case; `None` when unknown or when we spoke ourselves.
    pub host: Option<&'a str>,
    /// Whether the text is our own (DNS, connection, time-out), not a server's.
    pub said_by_us: bool,
    /// Where it was met, if known.
    pub stage: Option<Stage>,
    /// The reply code, if any.
    pub code: Option<u16>,
    /// The enhanced status, if any.
    pub enhanced: Option<EnhancedStatus>,
    /// Whether the attempt was final: a refusal, a bounce. `None` when unknown.
    pub permanent: Option<bool>,
    /// The text as said, code included where there was one.
    pub text: &'a str,
}

impl<'a> Question<'a> {
    /// A question about a text of which nothing else is known: an e-mail reply, said by a server.
    #[must_use]
    pub const fn about(text: &'a str) -> Self {
        Self {
            channel: Channel::Email,
            host: None,
            said_by_us: false,
            stage: None,
            code: None,
            enhanced: None,
            permanent: None,
            text,
        }
    }
}

/// Which rule judged, so that the verdict can be explained and taken back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuleRef {
    /// The rule's name; `vocabulary`, `status-table`, `code-class` and `not-defined` name the
    /// fallbacks.
    pub name: Arc<str>,
    /// Version of the rule (rises with each edit); the rule set's version for fallbacks.
    pub version: u32,
}

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How final it is.
    pub kind: FailureType,
    /// Why.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
    /// Even a refusal is worth another try (the rule says so).
    pub retry: bool,
    /// How sure, in percent.
    pub confidence: u8,
    /// Which rule said so.
    pub rule: RuleRef,
}
