//! Reads rule files, and checks rules: every problem at once, with what to do about it.

use std::collections::HashSet;

use serde::Deserialize;

use super::rule::Rule;

/// Something wrong with a rule, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}rule \"{rule}\": {what}", place(file))]
pub struct RuleProblem {
    /// File that the rule stands in; empty for rules that were given directly.
    pub file: String,
    /// Name of the rule; empty when the file as a whole is meant.
    pub rule: String,
    /// What is wrong, and what to do.
    pub what: String,
}

fn place(file: &str) -> String {
    if file.is_empty() {
        String::new()
    } else {
        format!("{file}: ")
    }
}

impl RuleProblem {
    /// A problem of a rule that was given directly.
    #[must_use]
    pub fn of(rule: &str, what: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            rule: rule.to_owned(),
            what: what.into(),
        }
    }

    /// The same, with its file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<toml::Table>,
}

/// Reads the rules of one file in TOML. `order` becomes `first + position` where the rule does not
/// say one.
///
/// # Errors
/// Every rule that cannot be read, with the reason.
pub fn parse_rules(file: &str, text: &str, first: i32) -> Result<Vec<Rule>, Vec<RuleProblem>> {
    let whole = |what: String| vec![RuleProblem::of("", what).in_file(file)];
    let raw: RuleFile = toml::from_str(text)
        .map_err(|error| whole(format!("this is no rule file; correct it: {error}")))?;
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (place, table) in (first..).zip(raw.rule) {
        let name = table
            .get("name")
            .and_then(|name| name.as_str())
            .unwrap_or("(without a name)")
            .to_owned();
        let says_order = table.contains_key("order");
        match table.try_into::<Rule>() {
            Ok(rule) if says_order => rules.push(rule),
            Ok(rule) => rules.push(Rule {
                order: place,
                ..rule
            }),
            Err(error) => problems.push(
                RuleProblem::of(&name, format!("it cannot be read; correct it: {error}"))
                    .in_file(file),
            ),
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(problems)
    }
}

/// What is wrong with the rules on paper, before any is compiled.
pub fn check_form(rules: &[Rule]) -> Vec<RuleProblem> {
    let mut names = HashSet::new();
    let mut problems = Vec::new();
    for rule in rules {
        let mut tell = |what: &str| problems.push(RuleProblem::of(&rule.name, what));
        if !is_kebab_case(&rule.name) {
            tell("its name is not in kebab-case; use small letters, digits and single hyphens");
        }
        if !names.insert(rule.name.as_str()) {
            tell("another rule has this name; choose a unique one");
        }
        if rule.source.trim().is_empty() {
            tell("it has no source; say which provider or product writes so, or which RFC");
        }
        if rule.samples.is_empty() {
            tell("it has no sample; add at least one text that it must match");
        }
        if !(1..=100).contains(&rule.confidence) {
            tell("its confidence is not within 1 to 100 percent; correct it");
        }
        if rule.sense().is_none() {
            tell("it has no whole verdict; write `means`, or `type`, `reason` and `party`");
        }
    }
    problems
}

fn is_kebab_case(name: &str) -> bool {
    !name.is_empty()
        && name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}
