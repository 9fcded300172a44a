//! The rule data shipped with the product, part of the binary.

use super::load::{RuleProblem, parse_rules};
use super::meaning::Meaning;
use super::rule::Rule;
use super::vocabulary::{Clue, Origin};
use crate::evidence::Stage;

/// Version of the shipped data; stored with each verdict that no rule gave.
pub const VERSION: u32 = 1;

/// The table of enhanced status codes.
pub const STATUS: &str = include_str!("../../../../rules/status.toml");

/// The vocabulary.
pub const VOCABULARY: &str = include_str!("../../../../rules/vocabulary.toml");

/// The nouns that are no recipients.
pub const SUBJECTS: &str = include_str!("../../../../rules/subjects.toml");

/// The rule files, in the order in which they are asked.
const FILES: [(&str, &str); 8] = [
    (
        "reply-own.toml",
        include_str!("../../../../rules/reply-own.toml"),
    ),
    (
        "reply-google.toml",
        include_str!("../../../../rules/reply-google.toml"),
    ),
    (
        "reply-microsoft.toml",
        include_str!("../../../../rules/reply-microsoft.toml"),
    ),
    (
        "reply-yahoo.toml",
        include_str!("../../../../rules/reply-yahoo.toml"),
    ),
    (
        "reply-mailboxes.toml",
        include_str!("../../../../rules/reply-mailboxes.toml"),
    ),
    (
        "reply-filters.toml",
        include_str!("../../../../rules/reply-filters.toml"),
    ),
    (
        "reply-lists.toml",
        include_str!("../../../../rules/reply-lists.toml"),
    ),
    (
        "reply-servers.toml",
        include_str!("../../../../rules/reply-servers.toml"),
    ),
];

/// The shipped rules. The first file's have `order` 1,000 and more, the next 2,000 and more …
///
/// # Errors
/// Every rule that cannot be read.
pub fn rules() -> Result<Vec<Rule>, Vec<RuleProblem>> {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (first, (file, text)) in (1_000..).step_by(1_000).zip(FILES) {
        match parse_rules(file, text, first) {
            Ok(more) => rules.extend(more),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(problems)
    }
}

/// What a reply code says by itself (RFC 5321 §4.2.3, RFC 7504 §2). Never that an address does not
/// exist: that takes a word or a status.
pub fn code_clue(stage: Option<Stage>, code: Option<u16>) -> Option<Clue<'static>> {
    let content = matches!(stage, Some(Stage::Content | Stage::FinalDot));
    let (means, because) = match code? {
        421 | 450 => (Meaning::Busy, "not now"),
        452 => (Meaning::SystemFull, "insufficient system storage"),
        454 if stage == Some(Stage::StartTls) => (Meaning::Tls, "TLS not available"),
        400..=499 => (Meaning::System, "transient failure"),
        500..=504 | 555 => (Meaning::Protocol, "command refused"),
        521 | 556 => (Meaning::DomainUnknown, "host or domain takes no mail"),
        523 => (Meaning::TooBig, "size limit"),
        530..=539 => (Meaning::Security, "authentication demanded"),
        541 => (Meaning::Spam, "refused by a filter"),
        552 if content => (Meaning::TooBig, "storage allocation exceeded"),
        552 => (Meaning::MailboxFull, "storage allocation exceeded"),
        505..=599 => (Meaning::Policy, "refused"),
        _ => return None,
    };
    Some(Clue {
        means,
        weight: 1,
        because: ["code alone:", because],
        origin: Origin::Code,
    })
}
