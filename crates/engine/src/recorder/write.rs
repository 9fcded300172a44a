//! Stores one outcome inside the recorder's transaction: attempt, delivery log row, ledger event,
//! quarantine entry, occurrence of its text.

use std::collections::HashMap;

use posthaste_core::evidence::{Evidence, Outcome, OutcomeKind, Stage};
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::QualificationId;
use posthaste_core::log::{AddressStatus, Channel, LogStatus, QualificationStatus};
use posthaste_core::qualify::{RuleRef, Verdict};
use posthaste_core::quarantine::{self, Event, Failed};
use posthaste_core::retry::{Retry, Tried, next_try};
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Address, Attempt, LedgerEvent, LogChange, LogRow, Qualification};
use posthaste_store::{RecordTx, Result};

use super::verdict::{Judge, Judged, allowlisted, doubtful, with_person};
use super::{Fact, Subject};
use crate::progress::Step;

/// The only channel that is recorded so far.
const CHANNEL: Channel = Channel::Email;

/// Verdicts no surer than this, in percent, rest on the code alone: the text is yet to be qualified.
const GUESSED: u8 = 25;

pub(super) struct Writer<'a> {
    tx: &'a mut dyn RecordTx,
    judge: &'a Judge,
    policy: &'a quarantine::Policy,
    /// Occurrences of this group, so that each text is written once per group.
    occurrences: HashMap<QualificationId, (u32, Timestamp)>,
}

/// An attempt as it was handed in.
struct Met<'a> {
    outcome: &'a Outcome,
    site_blocked: bool,
    tls: &'a str,
    took_ms: u32,
}

/// A failure, judged.
struct Weighed {
    verdict: Verdict,
    text: QualificationId,
    first_of_its_text: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        tx: &'a mut dyn RecordTx,
        judge: &'a Judge,
        policy: &'a quarantine::Policy,
    ) -> Self {
        Self {
            tx,
            judge,
            policy,
            occurrences: HashMap::new(),
        }
    }

    pub(super) fn write(
        &mut self,
        subject: &Subject,
        fact: &Fact,
        steps: &mut Vec<(posthaste_core::ids::DeliveryId, Step)>,
    ) -> Result<()> {
        let Some(row) = self.tx.log_row(subject.log)? else {
            // The row went with its delivery's retention; there is nothing left to report on.
            return Ok(());
        };
        let mut taken = Vec::new();
        match fact {
            Fact::Listed { denylisted, at } => {
                if row.status == LogStatus::Pending {
                    taken.push(self.listed(&row, *denylisted, *at)?);
                }
            }
            Fact::Attempted {
                outcome,
                site_blocked,
                tls,
                took_ms,
            } => {
                let met = Met {
                    outcome,
                    site_blocked: *site_blocked,
                    tls,
                    took_ms: *took_ms,
                };
                match outcome {
                    Outcome::Delivered(evidence) => {
                        taken.push(self.delivered(subject, &row, &met, evidence)?);
                    }
                    Outcome::Deferred(evidence)
                    | Outcome::Refused(evidence)
                    | Outcome::Doubtful(evidence) => {
                        // A row that has ended (stopped, expired) keeps its end: only a
                        // hand-over would be news.
                        if row.status == LogStatus::Pending {
                            self.failed(subject, &row, &met, evidence, &mut taken)?;
                        }
                    }
                }
            }
        }
        steps.extend(taken.into_iter().map(|step| (subject.delivery, step)));
        Ok(())
    }

    /// Writes what was gathered for the whole group.
    pub(super) fn finish(self) -> Result<()> {
        for (id, (n, at)) in self.occurrences {
            self.tx.add_occurrences(id, n, at)?;
        }
        Ok(())
    }

    fn delivered(
        &mut self,
        subject: &Subject,
        row: &LogRow,
        met: &Met<'_>,
        evidence: &Evidence,
    ) -> Result<Step> {
        let attempts = row.attempts.saturating_add(1);
        self.tx.add_attempt(&attempt(row, attempts, met, None))?;
        self.tx.change_log(&LogChange {
            status: LogStatus::Sent,
            kind: FailureType::NotDefined,
            reason: FailureReason::NotDefined,
            party: None,
            attempts,
            qualification: None,
            ..unchanged(row, evidence.at)
        })?;
        if let Some(address) = self.tx.address(CHANNEL, &subject.key)? {
            let event = Event::Delivered { log: row.id };
            let decision =
                quarantine::decide(self.policy, Some(&address.entry), &event, evidence.at);
            self.tx
                .add_event(&ledger(row, event, evidence.at, decision.because.slug()))?;
            if let Some(entry) = decision.entry.filter(|entry| *entry != address.entry) {
                self.tx.put_address(&Address {
                    entry,
                    changed: evidence.at,
                    ..address
                })?;
            }
        }
        Ok(Step::Sent)
    }

    fn failed(
        &mut self,
        subject: &Subject,
        row: &LogRow,
        met: &Met<'_>,
        evidence: &Evidence,
        taken: &mut Vec<Step>,
    ) -> Result<()> {
        let address = self.tx.address(CHANNEL, &subject.key)?;
        let is_allowed = address
            .as_ref()
            .is_some_and(|a| a.entry.status == AddressStatus::Allowlist);
        let weighed = self.weigh(met.outcome.kind(), evidence, is_allowed)?;
        let attempts = row.attempts.saturating_add(1);
        let is_doubtful = met.outcome.kind() == OutcomeKind::Doubtful;
        let doubtful = row.doubtful.saturating_add(u32::from(is_doubtful));
        let tried = Tried {
            attempts,
            doubtful,
            at: evidence.at,
            valid_until: subject.valid_until,
            spread: row.id.0.unsigned_abs(),
        };
        let verdict = &weighed.verdict;
        let kind = verdict.kind;
        let again = next_try(
            &subject.retries,
            met.outcome.kind(),
            kind,
            verdict.retry,
            tried,
        );
        let due = match again {
            Retry::At(due) => Some(due),
            Retry::Final | Retry::Exhausted | Retry::Expired => None,
        };
        let attempt = Attempt {
            verdict: Some(verdict.clone()),
            ..attempt(row, attempts, met, Some(weighed.text))
        };
        self.tx.add_attempt(&attempt)?;
        let quarantined = self.address_failed(row, address.as_ref(), met, &weighed, evidence)?;
        self.tx.change_log(&LogChange {
            status: if due.is_some() {
                LogStatus::Pending
            } else {
                LogStatus::Failed
            },
            kind,
            reason: verdict.reason,
            party: Some(verdict.party),
            attempts,
            doubtful,
            due,
            qualification: Some(weighed.text),
            possibly_duplicate: row.possibly_duplicate || is_doubtful,
            quarantined,
            ..unchanged(row, evidence.at)
        })?;
        taken.push(if due.is_some() {
            Step::Deferred
        } else {
            Step::Failed(verdict.reason)
        });
        taken.extend(quarantined.then_some(Step::Quarantined));
        Ok(())
    }

    /// Looks the text up, judges it, and notes its occurrence.
    fn weigh(
        &mut self,
        outcome: OutcomeKind,
        evidence: &Evidence,
        is_allowed: bool,
    ) -> Result<Weighed> {
        let judged = self.judge.judge(CHANNEL, outcome, evidence);
        let known = self.tx.qualification(CHANNEL, &judged.text)?;
        let mut verdict = with_person(&judged.verdict, known.as_ref());
        let first_of_its_text = known.is_none() && verdict.kind == FailureType::NotDefined;
        if outcome == OutcomeKind::Doubtful {
            verdict = doubtful(&verdict);
        }
        if is_allowed {
            verdict = allowlisted(&verdict);
        }
        let text = match known {
            Some(entry) => {
                self.judged_anew(&entry, &judged.verdict)?;
                let seen = self.occurrences.entry(entry.id).or_insert((0, evidence.at));
                *seen = (seen.0.saturating_add(1), evidence.at);
                entry.id
            }
            None => self.tx.add_qualification(&new_text(&judged, evidence))?,
        };
        Ok(Weighed {
            verdict,
            text,
            first_of_its_text,
        })
    }

    /// Keeps the list of texts in step with the rules: another one may judge this text by now.
    fn judged_anew(&mut self, entry: &Qualification, verdict: &Verdict) -> Result<()> {
        if entry.by_person || entry.rule == *verdict.rule.name {
            return Ok(());
        }
        self.tx
            .judge_qualification(entry.id, verdict, status_of(verdict))
    }

    /// Adds the failure to the ledger and moves the address's entry; returns whether this put the
    /// address into quarantine.
    fn address_failed(
        &mut self,
        row: &LogRow,
        address: Option<&Address>,
        met: &Met<'_>,
        weighed: &Weighed,
        evidence: &Evidence,
    ) -> Result<bool> {
        let verdict = &weighed.verdict;
        let is_doubtful = met.outcome.kind() == OutcomeKind::Doubtful;
        let event = Event::Failed(Failed {
            log: row.id,
            kind: verdict.kind,
            reason: verdict.reason,
            party: verdict.party,
            first_of_its_text: weighed.first_of_its_text,
            // A doubtful message is trouble of the path and never counts.
            site_blocked: met.site_blocked || is_doubtful,
            revokes_success: false,
        });
        let before = address.map(|a| &a.entry);
        let decision = quarantine::decide(self.policy, before, &event, evidence.at);
        self.tx.add_event(&LedgerEvent {
            evidence: Some(evidence.clone()),
            verdict: Some(verdict.clone()),
            qualification: Some(weighed.text),
            ..ledger(row, event, evidence.at, decision.because.slug())
        })?;
        let is_quarantined = |entry: Option<&quarantine::Entry>| {
            entry.is_some_and(|e| e.status == AddressStatus::Quarantine)
        };
        let was_quarantined = is_quarantined(before);
        let changed = before != decision.entry.as_ref();
        let Some(entry) = decision.entry.filter(|_| changed) else {
            return Ok(false);
        };
        let quarantined = is_quarantined(Some(&entry)) && !was_quarantined;
        self.tx.put_address(&Address {
            channel: CHANNEL,
            key: row.key.clone(),
            entry,
            error_text: evidence.text.clone(),
            log: Some(row.id),
            changed: evidence.at,
        })?;
        Ok(quarantined)
    }

    /// The address was listed between preparation and its turn.
    fn listed(&mut self, row: &LogRow, denylisted: bool, at: Timestamp) -> Result<Step> {
        let (reason, text) = if denylisted {
            (
                FailureReason::Denylisted,
                "the address was put on the denylist after preparation",
            )
        } else {
            (
                FailureReason::Quarantine,
                "the address went into quarantine after preparation",
            )
        };
        let outcome = Outcome::Refused(Evidence::ours(Stage::Claim, text, at));
        let met = Met {
            outcome: &outcome,
            site_blocked: false,
            tls: "",
            took_ms: 0,
        };
        let verdict = Verdict {
            kind: FailureType::Hard,
            reason,
            party: Party::Recipient,
            retry: false,
            confidence: 100,
            rule: RuleRef {
                name: "listed-after-preparation".into(),
                version: 1,
            },
        };
        let attempt = Attempt {
            verdict: Some(verdict),
            ..attempt(row, 0, &met, None)
        };
        self.tx.add_attempt(&attempt)?;
        self.tx.change_log(&LogChange {
            status: LogStatus::Failed,
            kind: FailureType::Hard,
            reason,
            party: Some(Party::Recipient),
            ..unchanged(row, at)
        })?;
        Ok(Step::Failed(reason))
    }
}

/// Qualified once a rule says what the text means, not when the code alone does.
fn status_of(verdict: &Verdict) -> QualificationStatus {
    if verdict.kind != FailureType::NotDefined && verdict.confidence > GUESSED {
        QualificationStatus::Keep
    } else {
        QualificationStatus::ToQualify
    }
}

fn new_text(judged: &Judged, evidence: &Evidence) -> Qualification {
    Qualification {
        id: QualificationId(0),
        channel: CHANNEL,
        first_text: evidence.text.clone(),
        text: judged.text.clone(),
        occurrences: 1,
        kind: judged.verdict.kind,
        reason: judged.verdict.reason,
        party: judged.verdict.party,
        status: status_of(&judged.verdict),
        by_person: false,
        rule: judged.verdict.rule.name.to_string(),
        first_seen: evidence.at,
        last_seen: evidence.at,
    }
}

fn attempt(row: &LogRow, number: u32, met: &Met<'_>, text: Option<QualificationId>) -> Attempt {
    Attempt {
        log: row.id,
        number,
        outcome: met.outcome.kind(),
        evidence: met.outcome.evidence().clone(),
        verdict: None,
        qualification: text,
        tls: met.tls.to_owned(),
        took_ms: met.took_ms,
    }
}

/// The row as it stands, with no due time.
fn unchanged(row: &LogRow, at: Timestamp) -> LogChange {
    LogChange {
        id: row.id,
        status: row.status,
        kind: row.kind,
        reason: row.reason,
        party: row.party,
        attempts: row.attempts,
        doubtful: row.doubtful,
        due: None,
        changed: at,
        qualification: row.qualification,
        possibly_duplicate: row.possibly_duplicate,
        complaint: row.complaint,
        quarantined: false,
    }
}

fn ledger(row: &LogRow, event: Event, at: Timestamp, because: &str) -> LedgerEvent {
    LedgerEvent {
        channel: CHANNEL,
        key: row.key.clone(),
        at,
        event,
        log: Some(row.id),
        delivery: Some(row.delivery),
        evidence: None,
        verdict: None,
        qualification: None,
        by: "recorder".to_owned(),
        because: because.to_owned(),
    }
}
