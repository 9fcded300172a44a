//! Many rules at once: import and export of packages, restoring a backup.

use posthaste_core::qualify::Place;
use posthaste_mail::read::{PackageHead, RuleFile};
use posthaste_store::Rules;
use posthaste_store::rules::{Origin, RuleKind, StoredRule};

use super::rules::{Done, Hand, Plan, change};
use super::rules_edit::{after_all, stored};
use super::{DeskError, Result, not_found};

/// Takes a package in: it replaces the rules of its earlier version; a user's own rules are
/// overwritten only where they bear the same name, unless `keep_user_rules`. All rules are backed
/// up first. A rule that the operator disabled or moved stays so.
///
/// # Errors
/// When the file is no package, another package has a rule of the same name, or a rule cannot be
/// used; nothing is changed then.
pub fn import<S: Rules + ?Sized>(
    store: &S,
    file: &RuleFile,
    keep_user_rules: bool,
    hand: Hand<'_>,
) -> Result<Done> {
    let Some(head) = &file.package else {
        return Err(DeskError::Input(
            "the file has no [package] with name and version; add them, or add its rules as your \
             own with `posthaste rules add`"
                .to_owned(),
        ));
    };
    let origin = Origin::Package {
        name: head.name.clone(),
        version: head.version.clone(),
    };
    let new = stored(file, &origin, &Place::First)?;
    change(store, hand, |rules| {
        let mut plan = merge(rules, &new, &head.name, keep_user_rules)?;
        plan.backup_before = Some(format!("import-of-{}-{}", head.name, head.version));
        Ok(plan)
    })
}

fn is_of(rule: &StoredRule, package: &str) -> bool {
    matches!(&rule.origin, Origin::Package { name, .. } if name == package)
}

fn merge(rules: &[StoredRule], new: &[StoredRule], package: &str, keep: bool) -> Result<Plan> {
    let mut kept = Vec::new();
    let mut all: Vec<StoredRule> = rules
        .iter()
        .filter(|rule| !is_of(rule, package))
        .cloned()
        .collect();
    for rule in new {
        let old = rules.iter().find(|one| one.name == rule.name);
        match old {
            Some(old) if old.origin == Origin::User && keep => {
                kept.push(rule.name.clone());
                continue;
            }
            Some(old) if old.origin != Origin::User && !is_of(old, package) => {
                return Err(DeskError::Input(format!(
                    "the rule {} belongs to the {}; remove it first, or rename the new one",
                    rule.name, old.origin
                )));
            }
            _ => all.retain(|one| one.name != rule.name),
        }
        let position = after_all(&all);
        all.push(match old {
            Some(old) if is_of(old, package) => StoredRule {
                place: old.place.clone(),
                position: old.position,
                active: old.active,
                version: if old.body == rule.body {
                    old.version
                } else {
                    0
                },
                ..rule.clone()
            },
            _ => StoredRule {
                position,
                ..rule.clone()
            },
        });
    }
    all.sort_by_key(|rule| rule.position);
    Ok(Plan {
        kept,
        ..Plan::new("imported", all)
    })
}

/// Makes all rules what they were when the backup was made. How they stand now is backed up first.
///
/// # Errors
/// When there is no such backup.
pub fn restore<S: Rules + ?Sized>(store: &S, backup: &str, hand: Hand<'_>) -> Result<Done> {
    let rules = store
        .rule_backup(backup)?
        .ok_or_else(|| not_found(format!("backup {backup}; see `posthaste rules backups`")))?;
    change(store, hand, |_| {
        Ok(Plan {
            backup_before: Some("restore".to_owned()),
            ..Plan::new("restored", rules.clone())
        })
    })
}

/// Which stored rules to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The users' own.
    User,
    /// Those of one package.
    Package(String),
}

/// A rule file with the stored rules, in their order, and how many they are.
///
/// # Errors
/// When the store cannot be read.
pub fn export<S: Rules + ?Sized>(
    store: &S,
    which: &Which,
    head: Option<&PackageHead>,
) -> Result<(String, usize)> {
    let wanted = |rule: &&StoredRule| match which {
        Which::All => true,
        Which::User => rule.origin == Origin::User,
        Which::Package(name) => is_of(rule, name),
    };
    let shelf = store.rules()?;
    let rules: Vec<&StoredRule> = shelf.rules.iter().filter(wanted).collect();
    let mut text = String::new();
    if let Some(head) = head {
        text.push_str(&format!(
            "[package]\nname = {:?}\nversion = {:?}\n\n",
            head.name, head.version
        ));
    }
    for rule in &rules {
        let section = match rule.kind {
            RuleKind::Reply => "rule",
            RuleKind::Mail => "mail_rule",
        };
        text.push_str(&format!("[[{section}]]\n{}\n", rule.body));
    }
    Ok((text, rules.len()))
}
