//! Single rules: add, edit, disable, enable, order, remove.

use posthaste_core::qualify::{Place, RuleProblem, RuleSet, rule_text};
use posthaste_mail::read::{RuleFile, mail_rule_text, parse_rule_file};
use posthaste_store::Rules;
use posthaste_store::rules::{Origin, RuleKind, StoredRule};

use super::rules::{Done, GAP, Hand, Plan, change};
use super::{DeskError, Result, not_found};

/// Where a rule is to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// Right before the rule of this name.
    Before(String),
    /// Right after the rule of this name.
    After(String),
    /// Before every other rule.
    First,
    /// After every other rule.
    Last,
}

/// Reads a rule file for [`add`] and [`edit`], or for an import.
///
/// # Errors
/// Everything that cannot be read.
pub fn read_file(file: &str, text: &str) -> Result<RuleFile> {
    parse_rule_file(file, text).map_err(|problems| told(&problems))
}

fn told(problems: &[RuleProblem]) -> DeskError {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    DeskError::Input(lines.join("\n"))
}

/// The rules of a file as they would be stored; position 0, version not given yet.
pub(super) fn stored(file: &RuleFile, origin: &Origin, place: &Place) -> Result<Vec<StoredRule>> {
    let one = |name: &str, kind, body| StoredRule {
        name: name.to_owned(),
        kind,
        origin: origin.clone(),
        place: place.clone(),
        position: 0,
        active: true,
        version: 0,
        changed: posthaste_core::time::Timestamp(0),
        body,
    };
    let mut all = Vec::new();
    for rule in &file.rules {
        let body = rule_text(rule).map_err(|problem| told(&[problem]))?;
        all.push(one(&rule.name, RuleKind::Reply, body));
    }
    for rule in &file.mail_rules {
        let body = mail_rule_text(rule).map_err(|problem| told(&[problem]))?;
        all.push(one(&rule.name, RuleKind::Mail, body));
    }
    Ok(all)
}

/// The position after all others.
pub(super) fn after_all(rules: &[StoredRule]) -> i64 {
    let last = rules.iter().map(|rule| rule.position).max();
    last.map_or(0, |last| last.saturating_add(GAP))
}

/// Adds the rules of a file as a user's own, at `place`, after those that stand there.
///
/// # Errors
/// When a name is taken, or a rule cannot be used: the reason.
pub fn add<S: Rules + ?Sized>(
    store: &S,
    file: &RuleFile,
    place: &Place,
    hand: Hand<'_>,
) -> Result<Done> {
    if file.package.is_some() {
        return Err(DeskError::Input(
            "this is a package; take it in with `posthaste rules import`".to_owned(),
        ));
    }
    let new = stored(file, &Origin::User, place)?;
    change(store, hand, |rules| {
        let mut all = rules.to_vec();
        for rule in &new {
            if all.iter().any(|one| one.name == rule.name) || is_shipped(&rule.name) {
                return Err(DeskError::Input(format!(
                    "there is a rule {0} already; choose another name, or change it with \
                     `posthaste rules edit {0} FILE`",
                    rule.name
                )));
            }
            let position = after_all(&all);
            all.push(StoredRule {
                position,
                ..rule.clone()
            });
        }
        Ok(Plan::new("added", all))
    })
}

fn is_shipped(name: &str) -> bool {
    RuleSet::shipped().rules().any(|rule| rule.name == name)
}

/// Replaces a rule by the one of a file; it becomes a user's own. A shipped rule stays where it
/// is asked.
///
/// # Errors
/// When the file does not hold exactly that rule, there is no such rule, or it cannot be used.
pub fn edit<S: Rules + ?Sized>(
    store: &S,
    name: &str,
    file: &RuleFile,
    hand: Hand<'_>,
) -> Result<Done> {
    let new = stored(file, &Origin::User, &Place::Before(name.to_owned()))?;
    let [one] = new.as_slice() else {
        return Err(DeskError::Input(format!(
            "the file holds {} rules; give one with the rule {name} alone",
            new.len()
        )));
    };
    if one.name != name {
        return Err(DeskError::Input(format!(
            "the file holds the rule {}, not {name}; a rule keeps its name: correct it, or add a \
             new rule and remove the old one",
            one.name
        )));
    }
    change(store, hand, |rules| {
        let mut all = rules.to_vec();
        let position = after_all(&all);
        match all.iter_mut().find(|rule| rule.name == name) {
            Some(rule) if rule.kind != one.kind => {
                return Err(DeskError::Input(format!(
                    "the rule {name} is a {} rule; a rule keeps its kind",
                    rule.kind.slug()
                )));
            }
            Some(rule) if rule.body == one.body => {}
            Some(rule) => {
                rule.body.clone_from(&one.body);
                rule.version = 0;
                rule.origin = Origin::User;
            }
            None if is_shipped(name) => all.push(StoredRule {
                position,
                ..one.clone()
            }),
            None => return Err(unknown(name)),
        }
        Ok(Plan::new("edited", all))
    })
}

fn unknown(name: &str) -> DeskError {
    not_found(format!("rule {name}; see `posthaste rules list --all`"))
}

/// Asks a rule no more. A shipped one is silenced by an inactive copy.
///
/// # Errors
/// When there is no such rule, or it is disabled already.
pub fn disable<S: Rules + ?Sized>(store: &S, name: &str, hand: Hand<'_>) -> Result<Done> {
    change(store, hand, |rules| {
        let mut all = rules.to_vec();
        let position = after_all(&all);
        match all.iter_mut().find(|rule| rule.name == name) {
            Some(rule) => rule.active = false,
            None => all.push(StoredRule {
                active: false,
                position,
                ..copy_of_shipped(name)?
            }),
        }
        Ok(Plan::new("disabled", all))
    })
}

fn copy_of_shipped(name: &str) -> Result<StoredRule> {
    let shipped = RuleSet::shipped();
    let rule = shipped.rules().find(|rule| rule.name == name);
    let file = RuleFile {
        rules: vec![rule.ok_or_else(|| unknown(name))?.clone()],
        ..RuleFile::default()
    };
    let copies = stored(&file, &Origin::User, &Place::Before(name.to_owned()))?;
    copies.into_iter().next().ok_or_else(|| unknown(name))
}

/// Asks a rule again. The copy that silenced a shipped rule goes.
///
/// # Errors
/// When there is no such stored rule, it is enabled already, or it can no longer be used.
pub fn enable<S: Rules + ?Sized>(store: &S, name: &str, hand: Hand<'_>) -> Result<Done> {
    change(store, hand, |rules| {
        let mut all = rules.to_vec();
        let copy = copy_of_shipped(name).ok();
        let stored = all.iter_mut().find(|rule| rule.name == name);
        match stored {
            Some(rule) if copy.is_some_and(|copy| copy.body == rule.body) => {
                all.retain(|rule| rule.name != name);
            }
            Some(rule) => rule.active = true,
            None if is_shipped(name) => {}
            None => return Err(unknown(name)),
        }
        Ok(Plan::new("enabled", all))
    })
}

/// Removes a stored rule; the shipped one of that name, if any, is asked again.
///
/// # Errors
/// When there is no such stored rule.
pub fn remove<S: Rules + ?Sized>(store: &S, name: &str, hand: Hand<'_>) -> Result<Done> {
    change(store, hand, |rules| {
        let mut all = rules.to_vec();
        all.retain(|rule| rule.name != name);
        if all.len() < rules.len() {
            Ok(Plan::new("removed", all))
        } else if is_shipped(name) {
            Err(DeskError::Input(format!(
                "the rule {name} is shipped; silence it with `posthaste rules disable {name}`"
            )))
        } else {
            Err(unknown(name))
        }
    })
}

/// Moves a stored rule to another spot.
///
/// # Errors
/// When there is no such rule, it would stand before or after itself or a rule of another kind,
/// or a rule would be shadowed on its own sample.
pub fn order<S: Rules + ?Sized>(
    store: &S,
    name: &str,
    spot: &Spot,
    hand: Hand<'_>,
) -> Result<Done> {
    change(store, hand, |rules| {
        let mut all = rules.to_vec();
        let Some(at) = all.iter().position(|rule| rule.name == name) else {
            return Err(if is_shipped(name) {
                DeskError::Input(format!(
                    "the rule {name} is shipped and keeps its place; `posthaste rules edit {name} \
                     FILE` makes it your own"
                ))
            } else {
                unknown(name)
            });
        };
        let mut moved = all.remove(at);
        let (place, index) = target(&all, &moved, spot)?;
        moved.place = place;
        all.insert(index, moved);
        settle(&mut all, index);
        Ok(Plan::new("moved", all))
    })
}

/// Place and index among the other rules.
fn target(others: &[StoredRule], moved: &StoredRule, spot: &Spot) -> Result<(Place, usize)> {
    let (other, after) = match spot {
        Spot::First => return Ok((Place::First, 0)),
        Spot::Last => return Ok((Place::Last, others.len())),
        Spot::Before(other) => (other, false),
        Spot::After(other) => (other, true),
    };
    if *other == moved.name {
        return Err(DeskError::Input(format!(
            "a rule cannot stand beside itself: name another one than {other}"
        )));
    }
    if let Some(at) = others.iter().position(|rule| rule.name == *other) {
        let beside = others.get(at).ok_or_else(|| unknown(other))?;
        if beside.kind != moved.kind {
            return Err(DeskError::Input(format!(
                "{other} is a {} rule, {} a {} rule; each kind has an order of its own",
                beside.kind.slug(),
                moved.name,
                moved.kind.slug()
            )));
        }
        return Ok((beside.place.clone(), at + usize::from(after)));
    }
    let shipped = RuleSet::shipped();
    let mut rest = shipped.rules().skip_while(|rule| rule.name != *other);
    if rest.next().is_none() || moved.kind == RuleKind::Mail {
        return Err(unknown(other));
    }
    Ok(match (after, rest.next()) {
        (false, _) => (Place::Before(other.clone()), others.len()),
        (true, Some(next)) => (Place::Before(next.name.clone()), 0),
        (true, None) => (Place::Last, 0),
    })
}

/// Gives the rule at `index` a position between its neighbours; all get new ones when there is no
/// room.
fn settle(rules: &mut [StoredRule], index: usize) {
    let at = |i: Option<usize>| i.and_then(|i| rules.get(i)).map(|rule| rule.position);
    let position = match (at(index.checked_sub(1)), at(Some(index + 1))) {
        (None, None) => Some(0),
        (Some(before), None) => before.checked_add(GAP),
        (None, Some(after)) => after.checked_sub(GAP),
        (Some(before), Some(after)) => {
            let middle = before.midpoint(after);
            (before < middle && middle < after).then_some(middle)
        }
    };
    match (position, rules.get_mut(index)) {
        (Some(position), Some(rule)) => rule.position = position,
        _ => {
            for (rule, n) in rules.iter_mut().zip(0..) {
                rule.position = GAP.saturating_mul(n);
            }
        }
    }
}
