//! The rules in use: the shipped ones and those of the store, taken up anew when these change.
//!
//! Whoever judges asks for the rules each time; the services call [`LiveRules::refresh`] every
//! turn, which reads one number unless something has changed. A stored rule that this version of
//! the program cannot use any more is left out and told in the log, never a reason to stop.

use std::sync::{Arc, PoisonError, RwLock};

use posthaste_core::qualify::{OwnRule, RuleProblem, RuleSet, rule_from_text};
use posthaste_mail::read::{MailRule, MailRules, parse_mail_rules};
use posthaste_store::rules::{RuleKind, RuleShelf, StoredRule};
use posthaste_store::{Rules, StoreError};

/// The rules of one moment.
#[derive(Debug)]
pub struct InUse {
    /// Version of the stored rules.
    pub version: u64,
    /// For replies.
    pub replies: RuleSet,
    /// For whole mails: inbound e-mail rules.
    pub mails: MailRules,
}

/// The rules in use, as they change.
#[derive(Debug)]
pub struct LiveRules {
    base: RuleSet,
    current: RwLock<Arc<InUse>>,
}

impl LiveRules {
    /// The base rules with those of the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load<S: Rules + ?Sized>(base: &RuleSet, store: &S) -> Result<Self, StoreError> {
        let current = assemble(base, &store.rules()?);
        Ok(Self {
            base: base.clone(),
            current: RwLock::new(Arc::new(current)),
        })
    }

    /// The rules now.
    #[must_use]
    pub fn now(&self) -> Arc<InUse> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes up the stored rules when they have changed; returns whether they had.
    ///
    /// # Errors
    /// When the store cannot be read; the rules in use stay.
    pub fn refresh<S: Rules + ?Sized>(&self, store: &S) -> Result<bool, StoreError> {
        if store.rule_set_version()? == self.now().version {
            return Ok(false);
        }
        let next = Arc::new(assemble(&self.base, &store.rules()?));
        tracing::info!(version = next.version, "the rules have changed");
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }
}

/// The set that stored rules make with the base rules; what cannot be used is left out.
fn assemble(base: &RuleSet, shelf: &RuleShelf) -> InUse {
    let mut problems = Vec::new();
    let mut own = Vec::new();
    let mut mails = Vec::new();
    for stored in &shelf.rules {
        let read = match stored.kind {
            RuleKind::Reply => reply_rule(stored).map(|rule| own.push(rule)),
            RuleKind::Mail if !stored.active => Ok(()),
            RuleKind::Mail => mail_rule(stored).map(|rule| mails.push(rule)),
        };
        problems.extend(read.err().unwrap_or_default());
    }
    let (replies, left_out) = base.with_own_leniently(&own);
    problems.extend(left_out);
    let mut usable = Vec::new();
    for rule in mails {
        match MailRules::compile(vec![rule.clone()]) {
            Ok(_) => usable.push(rule),
            Err(more) => problems.extend(more),
        }
    }
    let mails = MailRules::compile(usable).unwrap_or_else(|more| {
        problems.extend(more);
        MailRules::default()
    });
    for problem in problems {
        tracing::error!(%problem, "a stored rule is left out");
    }
    InUse {
        version: shelf.version,
        replies,
        mails,
    }
}

/// A stored reply rule as the rule set takes it.
///
/// # Errors
/// When its text is no rule any more.
pub fn reply_rule(stored: &StoredRule) -> Result<OwnRule, Vec<RuleProblem>> {
    Ok(OwnRule {
        rule: rule_from_text(&stored.body, stored.version)?,
        place: stored.place.clone(),
        active: stored.active,
    })
}

/// A stored inbound e-mail rule.
///
/// # Errors
/// When its text is no rule any more.
pub fn mail_rule(stored: &StoredRule) -> Result<MailRule, Vec<RuleProblem>> {
    let rules = parse_mail_rules("", &format!("[[mail_rule]]\n{}", stored.body))
        .map_err(|one| vec![one])?;
    let rule = rules.into_iter().next();
    rule.map(|rule| MailRule {
        version: stored.version,
        ..rule
    })
    .ok_or_else(|| {
        vec![RuleProblem::of(
            &stored.name,
            "its text is empty; restore a backup",
        )]
    })
}
