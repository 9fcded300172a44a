//! Asks the rules what a failure means, and normalises its text once.

use std::sync::Arc;

use posthaste_core::evidence::{Evidence, OutcomeKind, SaidBy};
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::log::{Channel, QualificationStatus};
use posthaste_core::qualify::{Question, RuleRef, Verdict, normalise};
use posthaste_store::rows::Qualification;

use crate::rules::LiveRules;

/// What the rules say about one failure.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The normalised text: the key of the delivery log qualification.
    pub text: String,
    /// The rules' verdict.
    pub verdict: Verdict,
}

/// Judges by the rules in use, whatever they are at the moment.
#[derive(Debug)]
pub struct Judge {
    rules: Arc<LiveRules>,
}

impl Judge {
    /// A judge by these rules, which may change while it judges.
    #[must_use]
    pub const fn new(rules: Arc<LiveRules>) -> Self {
        Self { rules }
    }

    /// Judges what was said, by rules alone.
    #[must_use]
    pub fn judge(&self, channel: Channel, outcome: OutcomeKind, evidence: &Evidence) -> Judged {
        let host = match &evidence.said_by {
            SaidBy::Remote(host) => Some(host.as_str()),
            SaidBy::Us => None,
        };
        let permanent = match outcome {
            OutcomeKind::Refused => Some(true),
            OutcomeKind::Deferred | OutcomeKind::Doubtful => Some(false),
            OutcomeKind::Delivered => None,
        };
        let question = Question {
            channel,
            host,
            said_by_us: host.is_none(),
            stage: Some(evidence.stage),
            code: evidence.code,
            enhanced: evidence.enhanced,
            permanent,
            text: &evidence.text,
        };
        Judged {
            text: normalise(&evidence.text),
            verdict: self.rules.now().replies.judge(&question),
        }
    }
}

/// The verdict once the delivery log qualification has been looked up: a person's word goes
/// before the rules'.
#[must_use]
pub fn with_person(rules: &Verdict, known: Option<&Qualification>) -> Verdict {
    let spoken =
        |entry: &&Qualification| entry.by_person && entry.status != QualificationStatus::ToQualify;
    let Some(entry) = known.filter(spoken) else {
        return rules.clone();
    };
    let ignored = entry.status == QualificationStatus::Ignore;
    Verdict {
        kind: if ignored {
            FailureType::Ignored
        } else {
            entry.kind
        },
        reason: entry.reason,
        party: entry.party,
        retry: false,
        confidence: 100,
        rule: RuleRef {
            name: Arc::from(format!("qualification-{}", entry.id)),
            version: 1,
        },
    }
}

/// The verdict for an address on the allowlist: its failure keeps its evidence and is ignored.
#[must_use]
pub fn allowlisted(verdict: &Verdict) -> Verdict {
    Verdict {
        kind: FailureType::Ignored,
        reason: FailureReason::ErrorIgnored,
        retry: false,
        ..verdict.clone()
    }
}

/// The verdict for a message that may have been accepted and was sent again often enough.
#[must_use]
pub fn doubtful(verdict: &Verdict) -> Verdict {
    Verdict {
        kind: FailureType::Soft,
        reason: FailureReason::Unreachable,
        party: Party::Path,
        retry: true,
        ..verdict.clone()
    }
}
