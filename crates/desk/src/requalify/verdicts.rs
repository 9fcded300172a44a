//! The new verdict of a failure: the one that was given, or that of the rules of now.

use std::collections::HashMap;
use std::sync::Arc;

use posthaste_core::evidence::{Evidence, OutcomeKind, Stage};
use posthaste_core::failure::FailureReason;
use posthaste_core::ids::{LogId, QualificationId};
use posthaste_core::qualify::{RuleRef, Verdict};
use posthaste_core::quarantine::Failed;
use posthaste_store::Store;
use posthaste_store::rows::{LedgerEvent, Qualification};

use super::{NewVerdict, Stored};
use posthaste_engine::recorder::{Judge, doubtful, with_person};
use posthaste_engine::rules::LiveRules;

/// Qualifications that are remembered.
const TEXTS: usize = 10_000;

/// Gives verdicts.
pub(super) struct Verdicts<'a> {
    store: &'a dyn Store,
    wanted: NewVerdict,
    judge: Judge,
    rule: RuleRef,
    known: HashMap<QualificationId, Option<Qualification>>,
}

impl<'a> Verdicts<'a> {
    pub(super) fn new(store: &'a dyn Store, wanted: NewVerdict, rules: &Arc<LiveRules>) -> Self {
        Self {
            store,
            wanted,
            judge: Judge::new(Arc::clone(rules)),
            rule: RuleRef {
                name: "requalification".into(),
                version: 1,
            },
            known: HashMap::new(),
        }
    }

    /// The new verdict of a failure.
    pub(super) fn of(&mut self, event: &LedgerEvent, old: &Verdict) -> Stored<Verdict> {
        match self.wanted {
            NewVerdict::Given {
                kind,
                reason,
                party,
            } => Ok(Verdict {
                kind,
                reason,
                party: party.unwrap_or(old.party),
                retry: old.retry,
                confidence: 100,
                rule: self.rule.clone(),
            }),
            NewVerdict::ByRules => self.by_rules(event, old),
        }
    }

    /// What the rules say now. What an allowlist ignored stays ignored; a report that came back
    /// by mail stays as it was read, since the mail itself is not in the ledger.
    fn by_rules(&mut self, event: &LedgerEvent, old: &Verdict) -> Stored<Verdict> {
        let evidence = event
            .evidence
            .as_ref()
            .filter(|e| e.stage != Stage::Inbound && old.reason != FailureReason::ErrorIgnored);
        let Some(evidence) = evidence else {
            return Ok(old.clone());
        };
        let outcome = self.outcome(event.log, evidence)?;
        let judged = self.judge.judge(event.channel, outcome, evidence);
        let known = match event.qualification {
            Some(id) => self.qualification(id)?,
            None => None,
        };
        let verdict = with_person(&judged.verdict, known.as_ref());
        Ok(if outcome == OutcomeKind::Doubtful {
            doubtful(&verdict)
        } else {
            verdict
        })
    }

    /// The outcome that the evidence came with: its attempt says it; once that is purged, the code.
    fn outcome(&self, log: Option<LogId>, evidence: &Evidence) -> Stored<OutcomeKind> {
        let attempts = match log {
            Some(log) => self.store.attempts(log)?,
            None => Vec::new(),
        };
        let attempt = attempts.iter().find(|a| a.evidence == *evidence);
        Ok(attempt.map_or_else(|| outcome_by_code(evidence), |a| a.outcome))
    }

    fn qualification(&mut self, id: QualificationId) -> Stored<Option<Qualification>> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found = self.store.qualification_by_id(id)?;
        if self.known.len() >= TEXTS {
            self.known.clear();
        }
        self.known.insert(id, found.clone());
        Ok(found)
    }
}

fn outcome_by_code(evidence: &Evidence) -> OutcomeKind {
    match evidence.code {
        Some(500..) => OutcomeKind::Refused,
        None if evidence.stage == Stage::FinalDot => OutcomeKind::Doubtful,
        Some(_) | None => OutcomeKind::Deferred,
    }
}

/// The verdict that is in force for a failure.
pub(super) fn verdict_of(event: &LedgerEvent, failed: &Failed) -> Verdict {
    event.verdict.clone().unwrap_or_else(|| Verdict {
        kind: failed.kind,
        reason: failed.reason,
        party: failed.party,
        retry: false,
        confidence: 100,
        rule: RuleRef {
            name: "unknown".into(),
            version: 1,
        },
    })
}
