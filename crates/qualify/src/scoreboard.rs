//! Counts how often answers are those that a corpus expects: overall, by reason, by dialect, by source.
//!
//! Pure: expected and given answers in, counts and misses out. What is counted, and against which
//! alternates, is what the corpus's own description says; a field that it leaves open is not counted.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use posthaste_core::failure::FailureType;
use posthaste_mail::read::Kind;
use serde::{Deserialize, Serialize};

use crate::answer::{QualifiedMail, QualifiedRecipient, QualifiedReply};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// A report of a failed delivery, or not.
    Detection,
    /// The exact kind.
    Kind,
    /// The address was found.
    Recipient,
    /// Nobody else was blamed.
    NoExtra,
    /// The type is the primary answer.
    Type,
    /// The type is the primary answer or an alternate.
    TypeAlt,
    /// The reason is the primary answer.
    Reason,
    /// The reason is the primary answer or an alternate.
    ReasonAlt,
    /// Type and reason are.
    BothAlt,
    /// The enhanced status.
    Status,
    /// The reply code.
    ReplyCode,
    /// The type of a feedback report.
    FeedbackType,
}

impl Metric {
    /// How people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Detection => "failure report or not",
            Self::Kind => "kind",
            Self::Recipient => "recipient found",
            Self::NoExtra => "nobody else blamed",
            Self::Type => "type, primary",
            Self::TypeAlt => "type, or alternate",
            Self::Reason => "reason, primary",
            Self::ReasonAlt => "reason, or alternate",
            Self::BothAlt => "type and reason, or alternates",
            Self::Status => "enhanced status",
            Self::ReplyCode => "reply code",
            Self::FeedbackType => "feedback type",
        }
    }
}

/// By what it is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Everything.
    All,
    /// The expected reason.
    Reason(String),
    /// The dialect that was recognised.
    Dialect(String),
    /// The kind of system that wrote, in the corpus's words.
    Module(String),
    /// The source of the corpus.
    Source(String),
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Right.
    pub right: u32,
    /// Counted.
    pub of: u32,
}

impl Count {
    /// Right in a hundred; 100 when nothing was counted.
    #[must_use]
    pub fn percent(self) -> f64 {
        if self.of == 0 {
            return 100.0;
        }
        100.0 * f64::from(self.right) / f64::from(self.of)
    }

    fn add(&mut self, right: bool) {
        self.right += u32::from(right);
        self.of += 1;
    }
}

/// An answer that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// What is wrong.
    pub what: &'static str,
    /// Which mail or reply.
    pub of: String,
    /// What was expected and what was given.
    pub how: String,
}

/// The counts.
#[derive(Debug, Default)]
pub struct Scoreboard {
    counts: BTreeMap<Group, BTreeMap<Metric, Count>>,
    misses: Vec<Miss>,
    scored: u32,
}

impl Scoreboard {
    /// A count; zero of zero when nothing was counted.
    #[must_use]
    pub fn count(&self, group: &Group, metric: Metric) -> Count {
        let counts = self.counts.get(group);
        counts
            .and_then(|c| c.get(&metric))
            .copied()
            .unwrap_or_default()
    }

    /// Every group with its counts, in order.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, &BTreeMap<Metric, Count>)> {
        self.counts.iter()
    }

    /// Every answer that is not as expected.
    #[must_use]
    pub fn misses(&self) -> &[Miss] {
        &self.misses
    }

    /// How many mails or replies were scored.
    #[must_use]
    pub const fn scored(&self) -> u32 {
        self.scored
    }

    /// Scores a mail; `got` is `None` when it could not be read.
    pub fn add_mail(&mut self, want: &ExpectedMail, got: Option<&QualifiedMail>) {
        self.scored += 1;
        let dialect = got.and_then(|g| g.dialect.clone());
        let mut groups = groups(&want.source, &want.module);
        groups.push(Group::Dialect(dialect.unwrap_or_else(|| "none".to_owned())));
        let mut mail = Mail {
            board: self,
            groups,
            want,
            kind: got.map_or(Kind::Other, |g| g.kind),
            got: got.map_or(&[], |g| g.recipients.as_slice()),
        };
        mail.score_kind();
        if let (Some(want), Some(got)) = (
            &want.feedback_type,
            got.and_then(|g| g.feedback_type.as_ref()),
        ) {
            mail.add(Metric::FeedbackType, slug(want) == slug(got));
        }
        mail.score_recipients();
    }

    /// Scores a reply.
    pub fn add_reply(&mut self, want: &ExpectedReply, got: &QualifiedReply) {
        self.scored += 1;
        let mut groups = groups(&want.source, &want.module);
        groups.push(Group::Reason(want.answer.reason.clone()));
        let given = Given::of(got.kind, got.reason.slug());
        if !self.add_answer(&groups, &want.answer, given) {
            self.miss("answer", &want.id, want.answer.unlike(given));
        }
    }

    fn add(&mut self, groups: &[Group], metric: Metric, right: bool) {
        for group in groups {
            let counts = self.counts.entry(group.clone()).or_default();
            counts.entry(metric).or_default().add(right);
        }
    }

    /// Counts type and reason; false when one of them is not even an alternate.
    fn add_answer(&mut self, groups: &[Group], want: &ExpectedAnswer, got: Given<'_>) -> bool {
        let (kind, kind_alt) = want.type_right(got.kind);
        let reason = got.reason == want.reason;
        let reason_alt = reason || want.reason_alt.iter().any(|r| r == got.reason);
        self.add(groups, Metric::Type, kind);
        self.add(groups, Metric::TypeAlt, kind_alt);
        self.add(groups, Metric::Reason, reason);
        self.add(groups, Metric::ReasonAlt, reason_alt);
        self.add(groups, Metric::BothAlt, kind_alt && reason_alt);
        kind_alt && reason_alt
    }

    fn miss(&mut self, what: &'static str, of: &str, how: String) {
        let of = of.to_owned();
        self.misses.push(Miss { what, of, how });
    }
}

fn groups(source: &str, module: &str) -> Vec<Group> {
    vec![
        Group::All,
        Group::Module(module.to_owned()),
        Group::Source(source.to_owned()),
    ]
}

/// Type and reason that were given; empty when nobody was found.
#[derive(Debug, Clone, Copy, Default)]
struct Given<'a> {
    kind: &'a str,
    reason: &'a str,
}

impl Given<'static> {
    const fn of(kind: FailureType, reason: &'static str) -> Self {
        Self {
            kind: kind.slug(),
            reason,
        }
    }
}

/// Type and reason that are expected.
#[derive(Debug, Clone, Deserialize)]
pub struct ExpectedAnswer {
    /// The primary type.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Types that are right too.
    #[serde(rename = "type_alt", default)]
    pub kind_alt: Vec<String>,
    /// The primary reason.
    #[serde(default)]
    pub reason: String,
    /// Reasons that are right too.
    #[serde(default)]
    pub reason_alt: Vec<String>,
}

impl ExpectedAnswer {
    /// Whether a type is the primary one, and whether it is that or an alternate.
    fn type_right(&self, kind: &str) -> (bool, bool) {
        let primary = kind == self.kind;
        (primary, primary || self.kind_alt.iter().any(|k| k == kind))
    }

    fn unlike(&self, got: Given<'_>) -> String {
        format!(
            "want {}/{} (or {}/{}), got {}/{}",
            self.kind,
            self.reason,
            self.kind_alt.join("|"),
            self.reason_alt.join("|"),
            got.kind,
            got.reason
        )
    }
}

/// What is expected of a reply.
#[derive(Debug, Clone, Deserialize)]
pub struct ExpectedReply {
    /// Its name.
    pub id: String,
    /// Where it comes from.
    pub source: String,
    /// The kind of system that said it.
    pub module: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: ExpectedAnswer,
}

/// What is expected of a mail.
#[derive(Debug, Clone, Deserialize)]
pub struct ExpectedMail {
    /// Its file.
    pub file: String,
    /// Where it comes from.
    pub source: String,
    /// The kind of system that wrote it.
    pub module: String,
    /// The kind.
    pub kind: Kind,
    /// Kinds that are right too.
    #[serde(default)]
    pub kind_alt: Vec<Kind>,
    /// Type of a feedback report.
    #[serde(default)]
    pub feedback_type: Option<String>,
    /// The failed recipients.
    #[serde(default)]
    pub recipients: Vec<ExpectedRecipient>,
    /// How many recipients there are cannot be told.
    #[serde(default)]
    pub open_recipients: bool,
}

/// What is expected of a recipient.
#[derive(Debug, Clone, Deserialize)]
pub struct ExpectedRecipient {
    /// The address.
    #[serde(default)]
    pub address: Option<String>,
    /// Addresses that are right too.
    #[serde(default)]
    pub address_alt: Vec<String>,
    /// The answer.
    #[serde(flatten)]
    pub answer: ExpectedAnswer,
    /// The enhanced status; not counted when there is none.
    #[serde(default)]
    pub status: Option<String>,
    /// The reply code; not counted when there is none.
    #[serde(default)]
    pub reply_code: Option<u16>,
    /// Whether the address counts.
    #[serde(default = "yes")]
    pub score_address: bool,
    /// Whether type and reason count.
    #[serde(default = "yes")]
    pub score_reason: bool,
    /// Whether the type counts although the reason does not.
    #[serde(default)]
    pub score_type: bool,
}

const fn yes() -> bool {
    true
}

impl ExpectedRecipient {
    fn is_named(&self, address: &str) -> bool {
        let address = bare(address);
        self.address
            .iter()
            .chain(&self.address_alt)
            .any(|a| !a.is_empty() && bare(a) == address)
    }

    fn has_name(&self) -> bool {
        self.address
            .iter()
            .chain(&self.address_alt)
            .any(|a| !a.is_empty())
    }
}

/// One mail that is being scored.
struct Mail<'a> {
    board: &'a mut Scoreboard,
    groups: Vec<Group>,
    want: &'a ExpectedMail,
    kind: Kind,
    got: &'a [QualifiedRecipient],
}

impl Mail<'_> {
    fn add(&mut self, metric: Metric, right: bool) {
        self.board.add(&self.groups, metric, right);
    }

    fn miss(&mut self, what: &'static str, how: String) {
        self.board.miss(what, &self.want.file, how);
    }

    fn score_kind(&mut self) {
        let want = self.want;
        let allowed = |kind: Kind| kind == want.kind || want.kind_alt.contains(&kind);
        // Where a bounce and something else are both right, there is nothing to detect.
        let others = want.kind_alt.iter().any(|kind| *kind != want.kind);
        if !(allowed(Kind::Bounce) && others) {
            let right = (self.kind == Kind::Bounce) == (want.kind == Kind::Bounce);
            self.add(Metric::Detection, right);
            if !right {
                self.miss(
                    "detection",
                    format!("want {:?}, got {:?}", want.kind, self.kind),
                );
            }
        }
        self.add(Metric::Kind, allowed(self.kind));
        if !allowed(self.kind) {
            self.miss("kind", format!("want {:?}, got {:?}", want.kind, self.kind));
        }
    }

    fn score_recipients(&mut self) {
        let want = self.want;
        let reports = matches!(want.kind, Kind::Bounce | Kind::Feedback);
        if reports && !want.recipients.is_empty() {
            let mut used = vec![false; self.got.len()];
            for recipient in &want.recipients {
                self.score_recipient(recipient, &mut used);
            }
            if !want.open_recipients {
                self.score_extra(self.got.len() <= want.recipients.len());
            }
        } else if want.kind == Kind::Other && want.kind_alt.is_empty() {
            let blamed =
                |r: &QualifiedRecipient| matches!(r.kind, FailureType::Hard | FailureType::Soft);
            self.score_extra(!self.got.iter().any(blamed));
        }
    }

    fn score_extra(&mut self, right: bool) {
        self.add(Metric::NoExtra, right);
        if !right {
            let (got, want) = (self.got.len(), self.want.recipients.len());
            self.miss("extra", format!("{got} recipients, want {want}"));
        }
    }

    fn score_recipient(&mut self, want: &ExpectedRecipient, used: &mut [bool]) {
        let all = self.got;
        let free = all
            .iter()
            .zip(used.iter())
            .position(|(r, used)| !used && want.is_named(&r.address));
        if want.score_address && want.has_name() {
            self.add(Metric::Recipient, free.is_some());
            if free.is_none() {
                let got: Vec<&str> = all.iter().take(4).map(|r| r.address.as_str()).collect();
                self.miss("recipient", format!("want {:?}, got {got:?}", want.address));
            }
        }
        // One and one: the answer is judged whatever the address.
        let alone = (self.want.recipients.len() == 1 && all.len() == 1).then_some(0);
        let at = free.or(alone);
        if let Some(used) = at.and_then(|at| used.get_mut(at)) {
            *used = true;
        }
        let found = at.and_then(|at| all.get(at));
        self.score_answer(want, found);
        self.score_codes(want, found);
    }

    fn score_answer(&mut self, want: &ExpectedRecipient, found: Option<&QualifiedRecipient>) {
        let given = found.map_or(Given::default(), |r| Given::of(r.kind, r.reason.slug()));
        if want.score_reason {
            let mut groups = self.groups.clone();
            groups.push(Group::Reason(want.answer.reason.clone()));
            if !self.board.add_answer(&groups, &want.answer, given) {
                self.miss("answer", want.answer.unlike(given));
            }
        } else if want.score_type {
            let (primary, alternate) = want.answer.type_right(given.kind);
            self.add(Metric::Type, primary);
            self.add(Metric::TypeAlt, alternate);
            if !alternate {
                self.miss("type", want.answer.unlike(given));
            }
        }
    }

    fn score_codes(&mut self, want: &ExpectedRecipient, found: Option<&QualifiedRecipient>) {
        if let Some(status) = want.status.as_deref().filter(|s| !s.is_empty()) {
            let got = found.and_then(|r| r.status).map(|s| s.to_string());
            let right = got.as_deref() == Some(status);
            self.add(Metric::Status, right);
            if !right {
                self.miss(
                    "status",
                    format!("want {status}, got {}", got.unwrap_or_default()),
                );
            }
        }
        if want.reply_code.is_some_and(|code| code != 0) {
            let right = found.and_then(|r| r.reply_code) == want.reply_code;
            self.add(Metric::ReplyCode, right);
        }
    }
}

/// An address as addresses are compared: no type, no brackets, no quotes, small letters.
fn bare(address: &str) -> String {
    let trimmed = |text: &str| text.trim().trim_matches(['<', '>']).trim().to_lowercase();
    let whole = trimmed(address).trim_matches('"').to_owned();
    let typed = ["rfc822;", "mailto:", "smtp:"]
        .iter()
        .find_map(|t| whole.strip_prefix(t));
    typed.map_or_else(|| whole.clone(), trimmed)
}

fn slug(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}
