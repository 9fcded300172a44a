//! Judging: rules in order, then what the status and the code say.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::fold::fold;
use super::meaning::{Meaning, Sense};
use super::pattern::Pattern;
use super::question::{Question, RuleRef, Verdict};
use super::rule::{Rule, Speaker};
use crate::enhanced::EnhancedStatus;

/// Something wrong with a rule, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: rule \"{rule}\": {what}")]
pub struct RuleProblem {
    /// File that the rule stands in; empty for rules given directly.
    pub file: String,
    /// Name of the rule.
    pub rule: String,
    /// What is wrong, and what to do.
    pub what: String,
}

/// Rules, compiled; cheap to clone and to share.
#[derive(Debug, Clone)]
pub struct RuleSet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    rule: Rule,
    reference: RuleRef,
    sense: Sense,
    text: Vec<Pattern>,
    unless: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<Rule>,
}

static SHIPPED: LazyLock<RuleSet> = LazyLock::new(|| {
    let rules = shipped_rules().unwrap_or_default();
    RuleSet::build(rules).unwrap_or_else(|_| RuleSet(Arc::new(Inner { rules: Vec::new() })))
});

fn shipped_rules() -> Result<Vec<Rule>, RuleProblem> {
    let text = include_str!("../../../../rules/reply-basic.toml");
    let file: RuleFile = toml::from_str(text).map_err(|error| RuleProblem {
        file: "reply-basic.toml".to_owned(),
        rule: String::new(),
        what: error.to_string(),
    })?;
    Ok(file.rule)
}

impl RuleSet {
    /// The rules shipped with the product.
    #[must_use]
    pub fn shipped() -> Self {
        SHIPPED.clone()
    }

    /// Compiles rules, in their order.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn build(mut rules: Vec<Rule>) -> Result<Self, Vec<RuleProblem>> {
        rules.sort_by_key(|rule| rule.order);
        let mut problems = Vec::new();
        let compiled = rules
            .into_iter()
            .filter_map(|rule| {
                let name = rule.name.clone();
                compile(rule)
                    .map_err(|what| {
                        problems.push(RuleProblem {
                            file: String::new(),
                            rule: name,
                            what,
                        });
                    })
                    .ok()
            })
            .collect();
        if problems.is_empty() {
            Ok(Self(Arc::new(Inner { rules: compiled })))
        } else {
            Err(problems)
        }
    }

    /// What the failure means.
    #[must_use]
    pub fn judge(&self, question: &Question<'_>) -> Verdict {
        let folded = fold(question.text);
        let (code, status) = codes(question);
        let permanent = match (question.permanent, code, status) {
            (Some(false), _, _) => false,
            (_, Some(code), _) => code >= 500,
            (_, None, Some(status)) => status.class == 5,
            (given, None, None) => given.unwrap_or(true),
        };
        let found = self.0.rules.iter().find(|c| c.matches(question, &folded));
        match found {
            Some(c) => answer(c.sense, permanent, c.rule.confidence, c.reference.clone()),
            None => fallback(code, status, permanent),
        }
    }
}

fn compile(rule: Rule) -> Result<Compiled, String> {
    let parse = |list: &[String]| -> Result<Vec<Pattern>, String> {
        list.iter().map(|p| Pattern::parse(p)).collect()
    };
    Ok(Compiled {
        sense: rule
            .sense()
            .ok_or("say what it means: `means`, or `type`, `reason` and `party`")?,
        text: parse(&rule.text)?,
        unless: parse(&rule.unless)?,
        reference: RuleRef {
            name: rule.name.as_str().into(),
            version: rule.version,
        },
        rule,
    })
}

impl Compiled {
    fn matches(&self, question: &Question<'_>, folded: &str) -> bool {
        let speaker = match self.rule.said_by {
            None => true,
            Some(Speaker::Us) => question.said_by_us,
            Some(Speaker::Remote) => !question.said_by_us,
        };
        let stage = self.rule.stage.is_empty()
            || question.stage.is_some_and(|s| self.rule.stage.contains(&s));
        speaker
            && stage
            && self.text.iter().any(|p| p.is_in(folded))
            && !self.unless.iter().any(|p| p.is_in(folded))
    }
}

fn codes(question: &Question<'_>) -> (Option<u16>, Option<EnhancedStatus>) {
    let text = question.text.trim_start();
    let digits: String = text.chars().take(3).filter(char::is_ascii_digit).collect();
    let code = (digits.len() == 3).then(|| digits.parse().ok()).flatten();
    let status = EnhancedStatus::split_from(
        text.get(digits.len()..)
            .unwrap_or_default()
            .trim_start_matches('-'),
    )
    .0;
    (question.code.or(code), question.enhanced.or(status))
}

fn answer(sense: Sense, permanent: bool, confidence: u8, rule: RuleRef) -> Verdict {
    Verdict {
        kind: sense.kind.resolve(permanent),
        reason: sense.reason,
        party: sense.party,
        retry: sense.retry,
        confidence,
        rule,
    }
}

fn fallback(code: Option<u16>, status: Option<EnhancedStatus>, permanent: bool) -> Verdict {
    let named = |name: &str| RuleRef {
        name: name.into(),
        version: 1,
    };
    let by_status = status.and_then(|s| match (s.subject, s.detail) {
        (1, 1 | 6 | 10) => Some(Meaning::UserUnknown),
        (1, 2) => Some(Meaning::DomainUnknown),
        (2, 1) => Some(Meaning::Disabled),
        (2, 2) => Some(Meaning::MailboxFull),
        (2 | 3, 4) | (2, 3) => Some(Meaning::TooBig),
        (3, _) => Some(Meaning::System),
        (4, 7) => Some(Meaning::Expired),
        (4, _) => Some(Meaning::Network),
        (7, _) => Some(Meaning::Policy),
        _ => None,
    });
    if let Some(meaning) = by_status {
        return answer(meaning.sense(), permanent, 60, named("status-table"));
    }
    match code {
        Some(400..=499) => answer(Meaning::System.sense(), false, 30, named("code-class")),
        _ => answer(Meaning::Unclear.sense(), permanent, 0, named("not-defined")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_sample_is_judged_by_its_rule() {
        let rules = shipped_rules().unwrap();
        assert!(rules.len() > 20);
        let set = RuleSet::build(rules.clone()).unwrap();
        for rule in rules {
            for sample in &rule.samples {
                let mut question = Question::about(sample);
                question.said_by_us = rule.said_by == Some(Speaker::Us);
                question.stage = rule.stage.first().copied();
                let verdict = set.judge(&question);
                assert_eq!(&*verdict.rule.name, rule.name, "{sample}");
            }
        }
    }
}
