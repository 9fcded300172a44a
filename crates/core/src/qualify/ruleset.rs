//! A set of rules, compiled and checked.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::judge;
use super::load::{RuleProblem, check_form};
use super::matcher::Matcher;
use super::meaning::Sense;
use super::pattern::{Haystack, Pattern};
use super::question::{Question, RuleRef};
use super::rule::Rule;
use super::scope::{Scope, Stated};
use super::shipped;
use super::status::StatusTable;
use super::vocabulary::Vocabulary;

/// Rules, compiled; cheap to clone and to share.
#[derive(Debug, Clone)]
pub struct RuleSet(Arc<Inner>);

/// What a rule set consists of.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) rules: Vec<Compiled>,
    pub(super) matcher: Matcher,
    pub(super) statuses: &'static StatusTable,
    pub(super) vocabulary: &'static Vocabulary,
}

/// One compiled rule.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) rule: Rule,
    pub(super) reference: RuleRef,
    pub(super) sense: Sense,
    scope: Scope,
    text: Vec<Pattern>,
    unless: Vec<Pattern>,
}

/// Why a rule did not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Applies,
    OutOfScope,
    OtherText,
    Excepted,
}

impl Compiled {
    fn new(rule: Rule) -> Result<Self, String> {
        let parse = |list: &[String]| -> Result<Vec<Pattern>, String> {
            let told = |p: &String| Pattern::parse(p).map_err(|what| format!("\"{p}\": {what}"));
            list.iter().map(told).collect()
        };
        let scope = Scope::parse(&rule)?;
        if rule.text.is_empty() && scope.is_open() {
            return Err(
                "it has neither text nor scope and would match everything; add one".to_owned(),
            );
        }
        Ok(Self {
            sense: rule.sense().ok_or("it has no whole verdict")?,
            scope,
            text: parse(&rule.text)?,
            unless: parse(&rule.unless)?,
            reference: RuleRef {
                name: rule.name.as_str().into(),
                version: rule.version,
            },
            rule,
        })
    }

    /// Whether the rule applies, and if not, why.
    pub(super) fn fit(
        &self,
        question: &Question<'_>,
        stated: &Stated,
        text: &impl Haystack,
    ) -> Fit {
        if !self.scope.holds(question, stated) {
            Fit::OutOfScope
        } else if !self.text.is_empty() && !self.text.iter().any(|p| p.is_in(text)) {
            Fit::OtherText
        } else if self.unless.iter().any(|p| p.is_in(text)) {
            Fit::Excepted
        } else {
            Fit::Applies
        }
    }
}

static SHIPPED: LazyLock<RuleSet> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the shipped files are part of the build and tested"
    )]
    let set = shipped::rules()
        .and_then(RuleSet::build)
        .expect("the shipped rules are correct");
    set
});

impl RuleSet {
    /// The rules shipped with the product.
    #[must_use]
    pub fn shipped() -> Self {
        SHIPPED.clone()
    }

    /// Compiles and checks rules; they are asked by `order`, then as given.
    ///
    /// # Errors
    /// Everything that is wrong with any of them: form, patterns that cannot match, a sample that
    /// the rule does not match, a sample that an earlier rule takes away.
    pub fn build(rules: Vec<Rule>) -> Result<Self, Vec<RuleProblem>> {
        let all = rules.iter().map(|rule| rule.name.clone()).collect();
        Self::checked(rules, &all)
    }

    /// This set with further rules; one that bears the name of a rule in the set replaces it.
    /// Rules of `order` below 1,000 are asked before the shipped ones.
    ///
    /// # Errors
    /// As [`RuleSet::build`], for the further rules. They may take away texts of the rules of this set:
    /// that is what rules of one's own are for.
    pub fn with(&self, further: &[Rule]) -> Result<Self, Vec<RuleProblem>> {
        let names: HashSet<String> = further.iter().map(|rule| rule.name.clone()).collect();
        let kept = self.rules().filter(|rule| !names.contains(&rule.name));
        let rules = kept.chain(further).cloned().collect();
        Self::checked(rules, &names)
    }

    /// The rules, in the order in which they are asked.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.0.rules.iter().map(|compiled| &compiled.rule)
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    fn checked(rules: Vec<Rule>, names: &HashSet<String>) -> Result<Self, Vec<RuleProblem>> {
        let set = Self::compiled(rules)?;
        let problems = set.check_samples(names);
        if problems.is_empty() {
            Ok(set)
        } else {
            Err(problems)
        }
    }

    /// Compiles rules without looking at their samples.
    pub(super) fn compiled(mut rules: Vec<Rule>) -> Result<Self, Vec<RuleProblem>> {
        let mut problems = check_form(&rules);
        rules.sort_by_key(|rule| rule.order);
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            let name = rule.name.clone();
            match Compiled::new(rule) {
                Ok(done) => compiled.push(done),
                Err(what) => problems.push(RuleProblem::of(&name, what)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let matcher = Matcher::build(compiled.iter().map(|c| c.text.as_slice()))
            .map_err(|what| vec![RuleProblem::of("", what)])?;
        Ok(Self(Arc::new(Inner {
            rules: compiled,
            matcher,
            statuses: StatusTable::shipped(),
            vocabulary: Vocabulary::shipped(),
        })))
    }

    pub(super) fn check_samples(&self, names: &HashSet<String>) -> Vec<RuleProblem> {
        let checked = self.0.rules.iter().filter(|c| names.contains(&c.rule.name));
        checked.flat_map(|c| self.check_rule(c)).collect()
    }

    fn check_rule(&self, compiled: &Compiled) -> Vec<RuleProblem> {
        let mut problems = Vec::new();
        let mut tell = |what: String| problems.push(RuleProblem::of(&compiled.rule.name, what));
        let host = compiled.scope.example_host();
        for sample in &compiled.rule.samples {
            let question = compiled.scope.example(sample, &host);
            if judge::fit(compiled, &question) != Fit::Applies {
                tell(format!(
                    "it does not match its own sample \"{sample}\"; correct its text or scope, or the sample"
                ));
                continue;
            }
            let first = judge::first(self.inner(), &question);
            let Some(first) = first.filter(|f| f.rule.name != compiled.rule.name) else {
                continue;
            };
            tell(format!(
                "the earlier rule \"{}\" takes its sample \"{sample}\"; give this rule a lower `order` or narrow the other",
                first.rule.name
            ));
        }
        for sample in &compiled.rule.not_samples {
            let question = compiled.scope.example(sample, &host);
            if judge::fit(compiled, &question) == Fit::Applies {
                tell(format!(
                    "it matches \"{sample}\", which it must not; narrow its text or add an `unless`"
                ));
            }
        }
        problems
    }
}
