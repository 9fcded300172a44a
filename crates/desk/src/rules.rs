//! Rules of operators: how a change is decided, checked and written.
//!
//! A change is decided on the rules as they stand, tried beside all others, and refused with the
//! reason when a rule would not match its own sample, would be shadowed on it, or could never
//! match. It is written by compare-and-set with its history; the services take it up by themselves.

use std::collections::{BTreeSet, HashMap, HashSet};

use posthaste_core::qualify::{RuleProblem, RuleSet, rule_text};
use posthaste_core::time::Timestamp;
use posthaste_mail::read::MailRules;
use posthaste_store::Rules;
use posthaste_store::rules::{RuleChange, RuleEdit, RuleKind, StoredRule};
use serde::Serialize;

use super::{DeskError, Result, not_found};
use posthaste_engine::rules::{mail_rule, reply_rule};

/// Distance between the positions of neighbours, so that others fit between.
pub(super) const GAP: i64 = 1 << 20;
/// How often a change is decided anew because another one came first.
const TRIES: u32 = 5;
/// Lines of a rule's history that are looked at for its last version.
const HISTORY: usize = 10_000;

/// Who changes the rules, and when.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'a> {
    /// Who; kept in the history.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

/// A rule that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// What was done to it.
    pub what: String,
    /// Its version now; its last one when it is gone.
    pub version: u32,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Version of the rule set.
    pub version: u64,
    /// The rules that changed.
    pub changed: Vec<Changed>,
    /// Name of the backup that was made first.
    pub backup: Option<String>,
    /// Shipped rules whose samples a rule of one's own now takes.
    pub takes_over: Vec<String>,
    /// Rules of a package that were left out because a user's own bears the name.
    pub kept: Vec<String>,
}

/// What a command wants the rules to be.
pub(super) struct Plan {
    /// All stored rules; a rule whose text is new has version 0.
    pub rules: Vec<StoredRule>,
    /// What is done, for the history.
    pub what: &'static str,
    /// What the backup is made before; none when `None`.
    pub backup_before: Option<String>,
    /// Names for [`Done::kept`].
    pub kept: Vec<String>,
}

impl Plan {
    pub(super) const fn new(what: &'static str, rules: Vec<StoredRule>) -> Self {
        Self {
            rules,
            what,
            backup_before: None,
            kept: Vec::new(),
        }
    }
}

/// Decides a change on the rules as they stand, checks it and writes it.
pub(super) fn change<S: Rules + ?Sized>(
    store: &S,
    hand: Hand<'_>,
    decide: impl Fn(&[StoredRule]) -> Result<Plan>,
) -> Result<Done> {
    for _ in 0..TRIES {
        let shelf = store.rules()?;
        let mut plan = decide(&shelf.rules)?;
        give_versions(store, &mut plan.rules)?;
        let changes = differences(&shelf.rules, &plan.rules, &plan, hand.at);
        if changes.is_empty() && plan.backup_before.is_none() {
            return Err(DeskError::Input(
                "nothing would change: the rules are so already".to_owned(),
            ));
        }
        let takes_over = check(&shelf.rules, &plan.rules, &changes)?;
        let backup = plan
            .backup_before
            .as_ref()
            .map(|before| format!("v{}-before-{before}", shelf.version));
        let edit = RuleEdit {
            decided_on: shelf.version,
            changes,
            backup,
            by: hand.by.to_owned(),
            at: hand.at,
        };
        if let Some(version) = store.change_rules(&edit)? {
            return Ok(Done {
                version,
                changed: edit.changes.iter().filter_map(told).collect(),
                backup: edit.backup,
                takes_over,
                kept: plan.kept,
            });
        }
    }
    Err(DeskError::Input(
        "the rules are being changed by another process; look at them, then try again".to_owned(),
    ))
}

fn told(change: &RuleChange) -> Option<Changed> {
    let one = change.after.as_ref().or(change.before.as_ref())?;
    Some(Changed {
        name: one.name.clone(),
        what: change.what.clone(),
        version: one.version,
    })
}

/// A new text gets a version that no text of that name ever had.
fn give_versions<S: Rules + ?Sized>(store: &S, rules: &mut [StoredRule]) -> Result<()> {
    for rule in rules.iter_mut().filter(|rule| rule.version == 0) {
        let history = store.rule_history(Some(&rule.name), HISTORY)?;
        let stored = history
            .iter()
            .flat_map(|line| [&line.change.before, &line.change.after])
            .flatten()
            .map(|one| one.version)
            .max();
        let shipped = RuleSet::shipped();
        let shipped = shipped.rules().find(|one| one.name == rule.name);
        let last = stored.max(shipped.map(|one| one.version)).unwrap_or(0);
        rule.version = last.saturating_add(1);
    }
    Ok(())
}

/// What differs, apart from the moment of the last change.
fn differences(
    before: &[StoredRule],
    after: &[StoredRule],
    plan: &Plan,
    at: Timestamp,
) -> Vec<RuleChange> {
    let old: HashMap<&str, &StoredRule> = before.iter().map(|r| (r.name.as_str(), r)).collect();
    let kept: HashSet<&str> = after.iter().map(|r| r.name.as_str()).collect();
    let removed = before.iter().filter(|r| !kept.contains(r.name.as_str()));
    let mut changes: Vec<RuleChange> = removed
        .map(|rule| RuleChange {
            what: plan.what.to_owned(),
            before: Some(rule.clone()),
            after: None,
        })
        .collect();
    for rule in after {
        let was = old.get(rule.name.as_str()).copied();
        let same = was.is_some_and(|was| {
            *was == StoredRule {
                changed: was.changed,
                ..rule.clone()
            }
        });
        if !same {
            changes.push(RuleChange {
                what: plan.what.to_owned(),
                before: was.cloned(),
                after: Some(StoredRule {
                    changed: at,
                    ..rule.clone()
                }),
            });
        }
    }
    changes
}

/// Tries the rules as they would be; returns the shipped rules whose samples are newly taken.
fn check(
    before: &[StoredRule],
    after: &[StoredRule],
    changes: &[RuleChange],
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for rule in changes.iter().filter_map(|change| change.after.as_ref()) {
        wrong.extend(alone(rule));
    }
    refuse(&wrong)?;
    let (had, _) = tried(before);
    let (has, broken) = tried(after);
    refuse(&broken)?;
    let own: HashSet<&str> = after.iter().map(|rule| rule.name.as_str()).collect();
    let new: Vec<RuleProblem> = has.into_iter().filter(|one| !had.contains(one)).collect();
    let (own_wrong, shipped): (Vec<_>, Vec<_>) = new
        .into_iter()
        .partition(|problem| own.contains(problem.rule.as_str()));
    refuse(&own_wrong)?;
    let names: BTreeSet<String> = shipped.into_iter().map(|problem| problem.rule).collect();
    Ok(names.into_iter().collect())
}

/// What is wrong with a rule by itself, asked or not.
fn alone(stored: &StoredRule) -> Vec<RuleProblem> {
    match stored.kind {
        RuleKind::Reply => reply_rule(stored)
            .and_then(|own| RuleSet::build(vec![own.rule]))
            .err()
            .unwrap_or_default(),
        RuleKind::Mail => mail_rule(stored)
            .and_then(|rule| MailRules::compile(vec![rule]))
            .map_or_else(|problems| problems, |rules| rules.sample_problems()),
    }
}

/// What is wrong with the samples of all rules together, and what cannot be compiled.
fn tried(stored: &[StoredRule]) -> (Vec<RuleProblem>, Vec<RuleProblem>) {
    let of = |kind| stored.iter().filter(move |rule| rule.kind == kind);
    let own: Vec<_> = of(RuleKind::Reply)
        .filter_map(|rule| reply_rule(rule).ok())
        .collect();
    let (set, mut broken) = RuleSet::shipped().with_own_leniently(&own);
    let mut problems = set.sample_problems();
    let mails: Vec<_> = of(RuleKind::Mail)
        .filter(|rule| rule.active)
        .filter_map(|rule| mail_rule(rule).ok())
        .collect();
    match MailRules::compile(mails) {
        Ok(rules) => problems.extend(rules.sample_problems()),
        Err(more) => broken.extend(more),
    }
    (problems, broken)
}

fn refuse(problems: &[RuleProblem]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let mut text = "the rules stay as they were:".to_owned();
    for problem in problems {
        text.push_str(&format!("\n  {problem}"));
    }
    Err(DeskError::Input(text))
}

/// A rule as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Reply or mail.
    pub kind: RuleKind,
    /// `shipped`, `user`, or the package with its version.
    pub origin: String,
    /// Whether it is asked.
    pub active: bool,
    /// Where a stored rule stands: `first`, `last`, or before a shipped rule.
    pub place: Option<String>,
    /// Its version.
    pub version: u32,
    /// The rule itself, in TOML.
    pub body: String,
}

/// Every rule in the order in which they are asked: reply rules, stored and shipped, then inbound
/// e-mail rules; those that are not active come last.
///
/// # Errors
/// When the store cannot be read.
pub fn list<S: Rules + ?Sized>(store: &S) -> Result<Vec<Line>> {
    let stored = store.rules()?.rules;
    let by_name: HashMap<&str, &StoredRule> = stored
        .iter()
        .map(|rule| (rule.name.as_str(), rule))
        .collect();
    let own: Vec<_> = stored
        .iter()
        .filter(|rule| rule.kind == RuleKind::Reply)
        .filter_map(|rule| reply_rule(rule).ok())
        .collect();
    let (set, _) = RuleSet::shipped().with_own_leniently(&own);
    let mut lines = Vec::new();
    for rule in set.rules() {
        lines.push(match by_name.get(rule.name.as_str()) {
            Some(stored) => line(stored),
            None => Line {
                name: rule.name.clone(),
                kind: RuleKind::Reply,
                origin: "shipped".to_owned(),
                active: true,
                place: None,
                version: rule.version,
                body: rule_text(rule).map_err(|problem| DeskError::Input(problem.to_string()))?,
            },
        });
    }
    let seen: HashSet<String> = lines.iter().map(|line| line.name.clone()).collect();
    let mut rest: Vec<&StoredRule> = stored.iter().filter(|r| !seen.contains(&r.name)).collect();
    rest.sort_by_key(|rule| !rule.active);
    lines.extend(rest.into_iter().map(line));
    Ok(lines)
}

fn line(stored: &StoredRule) -> Line {
    Line {
        name: stored.name.clone(),
        kind: stored.kind,
        origin: stored.origin.to_string(),
        active: stored.active,
        place: Some(stored.place.to_string()),
        version: stored.version,
        body: stored.body.clone(),
    }
}

/// The rule of this name.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn find<S: Rules + ?Sized>(store: &S, name: &str) -> Result<Line> {
    let found = list(store)?.into_iter().find(|line| line.name == name);
    found.ok_or_else(|| not_found(format!("rule {name}; see `posthaste rules list --all`")))
}
