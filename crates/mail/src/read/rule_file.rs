//! Files with rules of one's own and packages of rules: reply rules and inbound e-mail rules.

use posthaste_core::qualify::{Rule, RuleProblem, parse_rules};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::own::{MailRule, parse_mail_rules};

/// The head of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageHead {
    /// Its name: rules of an earlier version are known by it.
    pub name: String,
    /// Its version, in its own notation.
    pub version: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

/// What a rule file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFile {
    /// The head, when it is a package.
    pub package: Option<PackageHead>,
    /// Reply rules (`[[rule]]`), by their `order`, then as they stand.
    pub rules: Vec<Rule>,
    /// Inbound e-mail rules (`[[mail_rule]]`), as they stand.
    pub mail_rules: Vec<MailRule>,
}

/// Reads a rule file.
///
/// # Errors
/// Everything that cannot be read, with the rule's name where there is one.
pub fn parse_rule_file(file: &str, text: &str) -> Result<RuleFile, Vec<RuleProblem>> {
    let whole = |what: String| vec![RuleProblem::of("", what).in_file(file)];
    let mut table: Table = text
        .parse()
        .map_err(|error| whole(format!("this is no rule file; correct it: {error}")))?;
    let package = table
        .remove("package")
        .map(Value::try_into::<PackageHead>)
        .transpose()
        .map_err(|error| whole(format!("[package] cannot be read; correct it: {error}")))?;
    let mut section = |key: &str| -> Result<String, Vec<RuleProblem>> {
        let mut one = Table::new();
        if let Some(value) = table.remove(key) {
            one.insert(key.to_owned(), value);
        }
        toml::to_string(&one).map_err(|error| whole(format!("[[{key}]]: {error}")))
    };
    let mut rules = parse_rules(file, &section("rule")?, 0)?;
    rules.sort_by_key(|rule| rule.order);
    let mail_rules = parse_mail_rules(file, &section("mail_rule")?).map_err(|one| vec![one])?;
    if let Some(key) = table.keys().next() {
        return Err(whole(format!(
            "\"{key}\" is no key of a rule file; write [package], [[rule]] or [[mail_rule]]"
        )));
    }
    if rules.is_empty() && mail_rules.is_empty() {
        return Err(whole(
            "there is no rule in it; write one under [[rule]] or [[mail_rule]]".to_owned(),
        ));
    }
    Ok(RuleFile {
        package,
        rules,
        mail_rules,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_both_kinds_are_read_in_order() {
        let text = "[package]\nname = \"acme\"\nversion = \"3\"\n\
            [[rule]]\nname = \"b\"\nsource = \"s\"\n[[rule]]\nname = \"a\"\norder = -1\nsource = \"s\"\n\
            [[mail_rule]]\nname = \"m\"\nkind = \"other\"\nbody = [\"x y\"]\nsource = \"s\"\n";
        let file = parse_rule_file("p.toml", text).unwrap();
        assert_eq!(file.package.map(|p| p.name).as_deref(), Some("acme"));
        let names: Vec<&str> = file.rules.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(file.mail_rules.len(), 1);
    }

    #[test]
    fn what_is_no_rule_file_is_refused_with_the_reason() {
        let rows = [
            ("x =", "no rule file"),
            ("", "there is no rule"),
            ("[package]\nname = \"a\"", "[package]"),
            ("[[rules]]\nname = \"a\"", "\"rules\" is no key"),
            (
                "[[rule]]\nname = \"a\"\nsource = \"s\"\nwhy = 1",
                "rule \"a\"",
            ),
            ("[[mail_rule]]\nname = \"a\"\nwhy = 1", "why"),
        ];
        for (text, said) in rows {
            let problems = parse_rule_file("p.toml", text).unwrap_err();
            let told = problems[0].to_string();
            assert!(
                told.contains(said) && told.contains("p.toml"),
                "{text}: {told}"
            );
        }
    }
}
