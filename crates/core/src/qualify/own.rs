//! Rules of one's own among the shipped ones: where each stands, and the set they make together.
//!
//! In go a base set and own rules in their order; out comes one set. A rule of one's own that
//! bears a shipped rule's name takes its place: where it is not active, neither is asked.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::load::{RuleProblem, parse_rules};
use super::rule::Rule;
use super::ruleset::RuleSet;

/// Where a rule of one's own is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Place {
    /// Before every shipped rule.
    #[default]
    First,
    /// Right before the shipped rule of this name; before all of them when it is shipped no more.
    Before(String),
    /// After every shipped rule, before text, status and code are weighed.
    Last,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Before(name) => write!(f, "before {name}"),
            Self::Last => f.write_str("last"),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            other => match other.strip_prefix("before ") {
                Some(name) => Ok(Self::Before(name.to_owned())),
                None => Err(format!(
                    "\"{other}\" is no place; write first, last or before NAME"
                )),
            },
        }
    }
}

/// A rule of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRule {
    /// The rule; its `order` is not looked at.
    pub rule: Rule,
    /// Where it is asked.
    pub place: Place,
    /// Whether it is asked at all.
    pub active: bool,
}

impl RuleSet {
    /// This set with rules of one's own, asked as they are given within each place.
    ///
    /// # Errors
    /// Whatever keeps a rule from being compiled. Samples are looked at by
    /// [`RuleSet::sample_problems`].
    pub fn with_own(&self, own: &[OwnRule]) -> Result<Self, Vec<RuleProblem>> {
        Self::compiled(in_order(self, own))
    }

    /// As [`RuleSet::with_own`], leaving out what cannot be compiled: what was accepted once must
    /// not stop a newer version of this program.
    #[must_use]
    pub fn with_own_leniently(&self, own: &[OwnRule]) -> (Self, Vec<RuleProblem>) {
        let mut kept = own.to_vec();
        let mut left_out = Vec::new();
        loop {
            match self.with_own(&kept) {
                Ok(set) => return (set, left_out),
                Err(problems) => {
                    let wrong: HashSet<&str> = problems.iter().map(|p| p.rule.as_str()).collect();
                    let before = kept.len();
                    kept.retain(|one| !wrong.contains(one.rule.name.as_str()));
                    let stuck = kept.len() == before;
                    left_out.extend(problems);
                    if stuck {
                        return (self.clone(), left_out);
                    }
                }
            }
        }
    }

    /// What is wrong with the samples of all rules of this set: one that its rule does not match,
    /// one that an earlier rule takes, one that must not match and does.
    #[must_use]
    pub fn sample_problems(&self) -> Vec<RuleProblem> {
        let names = self.rules().map(|rule| rule.name.clone()).collect();
        self.check_samples(&names)
    }
}

/// All rules in the order in which they are asked.
fn in_order(base: &RuleSet, own: &[OwnRule]) -> Vec<Rule> {
    let shipped: HashSet<&str> = base.rules().map(|rule| rule.name.as_str()).collect();
    let named: HashSet<&str> = own.iter().map(|one| one.rule.name.as_str()).collect();
    let mut first = Vec::new();
    let mut last = Vec::new();
    let mut before: HashMap<&str, Vec<&Rule>> = HashMap::new();
    for one in own.iter().filter(|one| one.active) {
        match &one.place {
            Place::Before(name) if shipped.contains(name.as_str()) => {
                before.entry(name).or_default().push(&one.rule);
            }
            Place::Last => last.push(&one.rule),
            Place::First | Place::Before(_) => first.push(&one.rule),
        }
    }
    let mut all = first;
    for rule in base.rules() {
        all.extend(before.remove(rule.name.as_str()).unwrap_or_default());
        all.extend((!named.contains(rule.name.as_str())).then_some(rule));
    }
    all.extend(last);
    (0..)
        .zip(all)
        .map(|(order, rule)| Rule {
            order,
            ..rule.clone()
        })
        .collect()
}

/// A rule as text, in the format of rule files; place and version are kept beside it.
///
/// # Errors
/// When it cannot be written, which no rule that was read leads to.
pub fn rule_text(rule: &Rule) -> Result<String, RuleProblem> {
    let wrong = |error: toml::ser::Error| {
        RuleProblem::of(
            &rule.name,
            format!("it cannot be written; simplify it: {error}"),
        )
    };
    let mut table = toml::Table::try_from(rule).map_err(wrong)?;
    table.remove("order");
    table.remove("version");
    toml::to_string(&table).map_err(wrong)
}

/// Reads what [`rule_text`] wrote.
///
/// # Errors
/// When it is no rule any more.
pub fn rule_from_text(text: &str, version: u32) -> Result<Rule, Vec<RuleProblem>> {
    let rules = parse_rules("", &format!("[[rule]]\n{text}"), 0)?;
    let rule = rules.into_iter().next();
    rule.map(|rule| Rule { version, ..rule }).ok_or_else(|| {
        vec![RuleProblem::of(
            "",
            "there is no rule in the text; write one",
        )]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qualify::Question;

    fn rule(name: &str, text: &str, sample: &str) -> Rule {
        Rule {
            text: vec![text.to_owned()],
            samples: vec![sample.to_owned()],
            ..rule_from_text(
                &format!("name = \"{name}\"\nmeans = \"busy\"\nsource = \"example.net\""),
                1,
            )
            .unwrap()
        }
    }

    fn own(rule: Rule, place: Place) -> OwnRule {
        OwnRule {
            rule,
            place,
            active: true,
        }
    }

    fn base() -> RuleSet {
        RuleSet::build(vec![
            rule("one", "alpha", "550 alpha"),
            rule("two", "beta", "550 beta"),
        ])
        .unwrap()
    }

    fn names(set: &RuleSet) -> Vec<&str> {
        set.rules().map(|r| r.name.as_str()).collect()
    }

    #[test]
    fn own_rules_stand_where_they_are_placed() {
        let new = |name| rule(name, "gamma", "550 gamma");
        let set = base()
            .with_own(&[
                own(new("z-last"), Place::Last),
                own(new("a-first"), Place::First),
                own(new("b-two"), Place::Before("two".to_owned())),
                own(new("c-two"), Place::Before("two".to_owned())),
                own(new("gone"), Place::Before("no-longer-shipped".to_owned())),
            ])
            .unwrap();
        assert_eq!(
            names(&set),
            ["a-first", "gone", "one", "b-two", "c-two", "two", "z-last"]
        );
    }

    #[test]
    fn a_rule_with_a_shipped_name_takes_its_place_and_silences_it_when_inactive() {
        let same = own(
            rule("two", "delta", "550 delta"),
            Place::Before("two".to_owned()),
        );
        let set = base().with_own(std::slice::from_ref(&same)).unwrap();
        assert_eq!(names(&set), ["one", "two"]);
        assert_eq!(&*set.judge(&Question::about("550 delta")).rule.name, "two");
        let silent = OwnRule {
            active: false,
            ..same
        };
        assert_eq!(names(&base().with_own(&[silent]).unwrap()), ["one"]);
    }

    #[test]
    fn shadowed_samples_are_told_and_broken_rules_left_out() {
        let shadow = own(rule("greedy", "beta", "550 beta"), Place::First);
        let set = base().with_own(&[shadow]).unwrap();
        let problems = set.sample_problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].what.contains("\"greedy\" takes its sample"));
        let broken = own(rule("broken", "re:(", "550 x"), Place::First);
        let fine = own(rule("fine", "gamma", "550 gamma"), Place::Last);
        let (set, left_out) = base().with_own_leniently(&[broken, fine]);
        assert_eq!(names(&set), ["one", "two", "fine"]);
        assert_eq!(left_out.len(), 1);
    }

    #[test]
    fn texts_lead_back_to_their_rules() {
        for shipped in RuleSet::shipped().rules() {
            let text = rule_text(shipped).unwrap();
            let back = rule_from_text(&text, shipped.version).unwrap();
            assert_eq!(
                back,
                Rule {
                    order: 0,
                    ..shipped.clone()
                }
            );
        }
        for place in ["first", "last", "before google-disabled"] {
            assert_eq!(
                Place::try_from(place.to_owned()).unwrap().to_string(),
                place
            );
        }
        assert!(Place::try_from("between".to_owned()).is_err());
    }
}
