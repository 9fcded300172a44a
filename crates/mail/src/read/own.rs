//! Inbound e-mail rules of one's own: what an operator says about a whole mail goes before what
//! the shipped reading says.
//!
//! A mail is read as usual first, so that its recipients, status and diagnostic are known; then the
//! rules are asked in their order, and the first that applies replaces kind and verdict. The
//! addresses stay those that the reading found: a rule blames nobody whom the mail does not name.

use std::collections::HashSet;
use std::sync::Arc;

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::qualify::{Folded, Meaning, Phrase, RuleProblem};
use serde::{Deserialize, Serialize};

use super::charset;
use super::notice;
use super::report::{Action, FailedRecipient, Kind, Report};
use super::structure::{self, Structure};

/// Header fields that are looked at.
const MAX_FIELDS: usize = 200;

/// What becomes of a mail that a rule takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailAction {
    /// It is recorded with the rule's verdict.
    #[default]
    Record,
    /// It is set aside as an ordinary mail: nothing is recorded against anybody.
    Ignore,
}

/// An inbound e-mail rule, as in a rule file.
///
/// Each list that is given must be met by one of its patterns; `unless` by none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailRule {
    /// Unique name in kebab-case; stored with each verdict.
    pub name: String,
    /// Rises with each edit; kept beside the rule, not in its text.
    #[serde(skip, default = "one")]
    pub version: u32,
    /// Patterns for the subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
    /// Patterns for the `From` field, address included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Patterns for any header field, written as `name: value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<String>,
    /// Patterns for the first 4 KB of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<String>,
    /// Patterns for the diagnostic of a recipient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostic: Vec<String>,
    /// Enhanced statuses such as `5.1.1`, or their beginnings such as `5.7.`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Patterns of which none may be in subject, header or text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<String>,
    /// What the mail is: `bounce`, `feedback`, `auto_reply`, `other`.
    pub kind: Kind,
    /// The verdict on each recipient, by meaning; for bounces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<Meaning>,
    /// The type: hard, soft, ignored. With `reason` and `party`, in place of `means`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureType>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// Whose trouble it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// What becomes of the mail.
    #[serde(default)]
    pub action: MailAction,
    /// Which provider or product writes so.
    pub source: String,
    /// Whole mails that must match; at least one.
    #[serde(default)]
    pub samples: Vec<String>,
}

const fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailRuleFile {
    #[serde(default)]
    mail_rule: Vec<MailRule>,
}

/// Reads the inbound e-mail rules of one file in TOML.
///
/// # Errors
/// What cannot be read, with the place.
pub fn parse_mail_rules(file: &str, text: &str) -> Result<Vec<MailRule>, RuleProblem> {
    toml::from_str::<MailRuleFile>(text)
        .map(|read| read.mail_rule)
        .map_err(|error| {
            RuleProblem::of("", format!("this is no rule file; correct it: {error}")).in_file(file)
        })
}

/// A rule as text, in the format of rule files.
///
/// # Errors
/// When it cannot be written, which no rule that was read leads to.
pub fn mail_rule_text(rule: &MailRule) -> Result<String, RuleProblem> {
    toml::to_string(rule).map_err(|error| {
        RuleProblem::of(
            &rule.name,
            format!("it cannot be written; simplify it: {error}"),
        )
    })
}

/// The verdict of a rule.
#[derive(Debug, Clone, Copy)]
struct Says {
    kind: FailureType,
    reason: FailureReason,
    party: Party,
}

#[derive(Debug)]
struct Compiled {
    rule: MailRule,
    name: Arc<str>,
    says: Option<Says>,
    subject: Vec<Phrase>,
    from: Vec<Phrase>,
    header: Vec<Phrase>,
    body: Vec<Phrase>,
    diagnostic: Vec<Phrase>,
    unless: Vec<Phrase>,
}

/// Inbound e-mail rules, compiled; asked in the order in which they were given.
#[derive(Debug, Default)]
pub struct MailRules(Vec<Compiled>);

impl MailRules {
    /// Compiles rules.
    ///
    /// # Errors
    /// Everything that keeps one from being compiled: form, patterns, a verdict that is missing or
    /// has no use. Samples are looked at by [`MailRules::sample_problems`].
    pub fn compile(rules: Vec<MailRule>) -> Result<Self, Vec<RuleProblem>> {
        let mut names = HashSet::new();
        let mut done = Vec::with_capacity(rules.len());
        let mut problems = Vec::new();
        for rule in rules {
            if !names.insert(rule.name.clone()) {
                let what = "another rule has this name; choose a unique one";
                problems.push(RuleProblem::of(&rule.name, what));
            }
            let name = rule.name.clone();
            match compile(rule) {
                Ok(compiled) => done.push(compiled),
                Err(what) => problems.push(RuleProblem::of(&name, what)),
            }
        }
        if problems.is_empty() {
            Ok(Self(done))
        } else {
            Err(problems)
        }
    }

    /// What is wrong with the samples of all rules: one that its rule does not match, one that an
    /// earlier rule takes.
    #[must_use]
    pub fn sample_problems(&self) -> Vec<RuleProblem> {
        let mut problems = Vec::new();
        for compiled in &self.0 {
            for sample in &compiled.rule.samples {
                let shown: String = sample.chars().take(60).collect();
                let told = |what: String| RuleProblem::of(&compiled.rule.name, what);
                let looks = Looks::at(sample.as_bytes());
                if !compiled.applies(&looks) {
                    problems.push(told(format!(
                        "it does not match its own sample that begins \"{shown}\"; correct its \
                         patterns, or the sample"
                    )));
                } else if let Some(first) = self.first(&looks)
                    && first.name != compiled.name
                {
                    problems.push(told(format!(
                        "the earlier rule \"{}\" takes its sample that begins \"{shown}\"; put \
                         this rule before it or narrow the other",
                        first.name
                    )));
                }
            }
        }
        problems
    }

    /// How many rules there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn first(&self, looks: &Looks) -> Option<&Compiled> {
        self.0.iter().find(|rule| rule.applies(looks))
    }

    /// Lets the first rule that applies replace what the reading says.
    pub(super) fn apply(&self, mail: &Structure<'_>, report: &mut Report) {
        if self.is_empty() {
            return;
        }
        let looks = Looks::of(mail, report);
        if let Some(rule) = self.first(&looks) {
            rule.rewrite(report);
        }
    }
}

fn compile(rule: MailRule) -> Result<Compiled, String> {
    let parse = |list: &[String]| -> Result<Vec<Phrase>, String> {
        list.iter().map(|pattern| Phrase::parse(pattern)).collect()
    };
    let kebab = !rule.name.is_empty()
        && rule.name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
    if !kebab {
        return Err("its name is not in kebab-case; use small letters, digits and hyphens".into());
    }
    let lists = [
        &rule.subject,
        &rule.from,
        &rule.header,
        &rule.body,
        &rule.diagnostic,
        &rule.status,
    ];
    if lists.iter().all(|list| list.is_empty()) {
        return Err("it has no pattern and would match every mail; add one".into());
    }
    if rule.source.trim().is_empty() {
        return Err("it has no source; say which provider or product writes so".into());
    }
    if rule.samples.is_empty() {
        return Err("it has no sample; add at least one whole mail that it must match".into());
    }
    Ok(Compiled {
        says: says(&rule)?,
        name: rule.name.as_str().into(),
        subject: parse(&rule.subject)?,
        from: parse(&rule.from)?,
        header: parse(&rule.header)?,
        body: parse(&rule.body)?,
        diagnostic: parse(&rule.diagnostic)?,
        unless: parse(&rule.unless)?,
        rule,
    })
}

/// The verdict, where the rule needs one.
fn says(rule: &MailRule) -> Result<Option<Says>, String> {
    let base = rule.means.map(Meaning::sense);
    let kind = rule.failure.or(base.map(|b| b.kind.resolve(true)));
    let reason = rule.reason.or(base.map(|b| b.reason));
    let party = rule.party.or(base.map(|b| b.party));
    let wanted = rule.kind == Kind::Bounce && rule.action == MailAction::Record;
    match (wanted, kind, reason, party) {
        (true, Some(kind), Some(reason), Some(party)) => Ok(Some(Says {
            kind,
            reason,
            party,
        })),
        (true, ..) => Err(
            "a bounce needs a whole verdict; write `means`, or `type`, `reason` and `party`".into(),
        ),
        (false, None, None, None) => Ok(None),
        (false, ..) => Err(
            "only a bounce that is recorded has a verdict; drop `means`, `type`, `reason` and \
             `party`, or write kind = \"bounce\""
                .into(),
        ),
    }
}

/// What patterns are compared with.
struct Looks {
    subject: String,
    from: String,
    header: Vec<String>,
    body: String,
    diagnostics: Vec<String>,
    statuses: Vec<String>,
}

impl Looks {
    /// At a sample: a whole mail, read as any other.
    fn at(mail: &[u8]) -> Self {
        let bytes = super::lines::normalise(mail);
        let structure = structure::parse(&bytes);
        let report = super::read(mail, &posthaste_core::qualify::RuleSet::shipped());
        Self::of(&structure, &report)
    }

    fn of(mail: &Structure<'_>, report: &Report) -> Self {
        let decoded = |name: &str| {
            let raw = mail.headers.raw(name);
            raw.map(charset::header).unwrap_or_default()
        };
        let header = mail.headers.iter().take(MAX_FIELDS).map(|(name, value)| {
            let name = String::from_utf8_lossy(name);
            format!("{}: {}", name.trim(), charset::header(value).trim())
        });
        let each = || report.recipients.iter();
        Self {
            subject: decoded("subject"),
            from: decoded("from"),
            header: header.collect(),
            body: notice::gather(mail, 0),
            diagnostics: each().map(|one| one.diagnostic.clone()).collect(),
            statuses: each()
                .filter_map(|one| one.status)
                .map(|s| s.to_string())
                .collect(),
        }
    }
}

/// Whether one of the patterns is in one of the texts; no pattern asks for nothing.
fn met<'t>(patterns: &[Phrase], texts: impl IntoIterator<Item = &'t String>) -> bool {
    patterns.is_empty() || one_in(patterns, texts)
}

fn one_in<'t>(patterns: &[Phrase], texts: impl IntoIterator<Item = &'t String>) -> bool {
    texts.into_iter().any(|text| {
        let folded = Folded::new(text);
        patterns.iter().any(|pattern| pattern.is_in(&folded))
    })
}

impl Compiled {
    fn applies(&self, looks: &Looks) -> bool {
        met(&self.subject, [&looks.subject])
            && address_met(&self.from, &self.rule.from, &looks.from)
            && met(&self.header, &looks.header)
            && met(&self.body, [&looks.body])
            && met(&self.diagnostic, &looks.diagnostics)
            && self.status_met(&looks.statuses)
            && !one_in(&self.unless, [&looks.subject, &looks.body])
            && !one_in(&self.unless, &looks.header)
    }

    fn status_met(&self, statuses: &[String]) -> bool {
        let fits = |status: &String| {
            self.rule
                .status
                .iter()
                .any(|wanted| match wanted.strip_suffix('.') {
                    Some(_) => status.starts_with(wanted.as_str()),
                    None => status == wanted,
                })
        };
        self.rule.status.is_empty() || statuses.iter().any(fits)
    }

    fn rewrite(&self, report: &mut Report) {
        report
            .steps
            .push(format!("the rule \"{}\" of one's own applies", self.name));
        if self.rule.action == MailAction::Ignore {
            report.kind = Kind::Other;
            report.recipients.clear();
            return;
        }
        report.kind = self.rule.kind;
        match (self.rule.kind, self.says) {
            (Kind::Bounce, Some(says)) => self.judge(says, report),
            (Kind::Feedback, _) => {
                for one in &mut report.recipients {
                    one.kind = FailureType::Hard;
                    one.reason = FailureReason::Refused;
                    one.party = Party::Recipient;
                    one.action = Action::Complained;
                    self.sign(one);
                }
            }
            (Kind::Bounce | Kind::AutoReply | Kind::Other, _) => report.recipients.clear(),
        }
    }

    fn judge(&self, says: Says, report: &mut Report) {
        for one in &mut report.recipients {
            one.kind = says.kind;
            one.reason = says.reason;
            one.party = says.party;
            if one.action == Action::Complained {
                one.action = Action::Failed;
            }
            self.sign(one);
        }
    }

    fn sign(&self, one: &mut FailedRecipient) {
        one.rule = Arc::clone(&self.name);
        one.version = self.rule.version;
        one.confidence = 100;
    }
}

/// `From` is compared twice: as a text, where addresses are `*`, and as it stands, for patterns
/// that name an address or a part of one.
fn address_met(patterns: &[Phrase], written: &[String], from: &str) -> bool {
    let plain = from.to_lowercase();
    patterns.is_empty()
        || one_in(patterns, [&from.to_owned()])
        || written
            .iter()
            .any(|w| w.contains('@') && plain.contains(&w.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{read, read_with};
    use posthaste_core::qualify::RuleSet;

    const MAIL: &str = "From: Gate <gate@filter.example.net>\nSubject: Message held\n\
        X-Gate: verdict=parked\n\nYour message to <ann@example.com> was parked for review.\n\
        550 5.1.1 <ann@example.com>: user unknown\n";

    fn rule(more: &str) -> MailRule {
        let text = format!(
            "[[mail_rule]]\nname = \"gate-parked\"\nsource = \"example.net's gate\"\n\
             samples = ['''\n{MAIL}''']\n{more}"
        );
        parse_mail_rules("own.toml", &text).unwrap().remove(0)
    }

    #[test]
    fn every_given_list_must_be_met_and_unless_by_none() {
        let says = "kind = \"other\"\n";
        let rows = [
            ("subject = [\"message held\"]", true),
            ("subject = [\"message sent\"]", false),
            ("from = [\"gate@filter.example.net\"]", true),
            ("from = [\"@filter.example.net\"]", true),
            ("from = [\"@filter.example.org\"]", false),
            ("header = [\"x-gate: verdict=parked\"]", true),
            ("body = [\"parked for review\"]\nsubject = [\"held\"]", true),
            (
                "body = [\"parked for review\"]\nsubject = [\"lost\"]",
                false,
            ),
            ("body = [\"parked\"]\nunless = [\"for review\"]", false),
            ("diagnostic = [\"user unknown\"]", true),
            ("status = [\"5.1.1\"]", true),
            ("status = [\"5.1.\"]", true),
            ("status = [\"4.\"]", false),
        ];
        for (given, expected) in rows {
            let rules = MailRules::compile(vec![rule(&format!("{says}{given}"))]).unwrap();
            let matched = rules.sample_problems().is_empty();
            assert_eq!(matched, expected, "{given}");
        }
    }

    #[test]
    fn an_own_rule_goes_before_the_reading_and_blames_who_is_named() {
        let shipped = RuleSet::shipped();
        assert_eq!(
            read(MAIL.as_bytes(), &shipped).recipients[0].reason,
            FailureReason::UserUnknown
        );
        let own = MailRule {
            version: 4,
            ..rule("kind = \"bounce\"\nmeans = \"filtered\"\nbody = [\"parked for review\"]")
        };
        let own = MailRules::compile(vec![own]).unwrap();
        let report = read_with(MAIL.as_bytes(), &shipped, &own);
        let one = &report.recipients[0];
        assert_eq!(one.address, "ann@example.com");
        assert_eq!(
            (one.kind, one.reason),
            (FailureType::Soft, FailureReason::Refused)
        );
        assert_eq!((&*one.rule, one.version), ("gate-parked", 4));
        let ignored = rule("kind = \"bounce\"\naction = \"ignore\"\nbody = [\"parked\"]");
        let ignored = MailRules::compile(vec![ignored]).unwrap();
        let report = read_with(MAIL.as_bytes(), &shipped, &ignored);
        assert_eq!((report.kind, report.recipients.len()), (Kind::Other, 0));
    }

    #[test]
    fn rules_that_cannot_be_used_are_refused_with_the_reason() {
        let rows = [
            ("kind = \"other\"", "no pattern"),
            ("kind = \"bounce\"\nbody = [\"parked\"]", "whole verdict"),
            (
                "kind = \"other\"\nmeans = \"busy\"\nbody = [\"parked\"]",
                "only a bounce",
            ),
            ("kind = \"other\"\nbody = [\"re:(\"]", "does not compile"),
        ];
        for (given, said) in rows {
            let problems = MailRules::compile(vec![rule(given)]).unwrap_err();
            assert!(problems[0].what.contains(said), "{given}: {problems:?}");
        }
        let same = rule("kind = \"other\"\nbody = [\"parked\"]");
        let later = MailRule {
            name: "later".to_owned(),
            ..same.clone()
        };
        let both = MailRules::compile(vec![same.clone(), later]).unwrap();
        let problems = both.sample_problems();
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0]
                .what
                .contains("\"gate-parked\" takes its sample")
        );
        let text = mail_rule_text(&same).unwrap();
        let back = parse_mail_rules("", &format!("[[mail_rule]]\n{text}")).unwrap();
        assert_eq!(back, [same]);
    }
}
