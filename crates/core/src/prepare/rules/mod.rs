//! Control rules: what is checked on a delivery as a whole, and how grave it is.
//!
//! Each rule is one function over a [`Summary`] and writes lines for the delivery's journal; an
//! error blocks sending. Two of the usual rules are not here: labels of tracked links, as nothing
//! is tracked yet, and whether remote images can be fetched, as preparation does not use the
//! network. A check of waves comes with waves.

mod object;
mod proof;
mod sizes;
mod unsubscription;
mod urls;
mod validity;

use std::time::Duration;

use crate::delivery::Level;

/// When a rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the target is read.
    StartOfTargeting,
    /// When every recipient of the target has been decided on.
    AfterTargeting,
    /// At the very end, when the messages are known to be sound.
    EndOfAnalysis,
}

/// What is known about a delivery. Contents are templates, as they were written.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    /// The From address, as in a header.
    pub from: &'a str,
    /// The Reply-To address.
    pub reply_to: Option<&'a str>,
    /// The subject.
    pub subject: &'a str,
    /// The HTML content.
    pub html: Option<&'a str>,
    /// The text content.
    pub text: Option<&'a str>,
    /// Attachments and inline images: name, size in bytes.
    pub files: &'a [(&'a str, u64)],
    /// Size of one message in bytes, files included.
    pub message_bytes: u64,
    /// Whether each message carries a List-Unsubscribe header (RFC 2369 §3.2).
    pub list_unsubscribe: bool,
    /// Whether it is a proof.
    pub proof: bool,
    /// Recipients that were kept; 0 before the target is read.
    pub to_send: u64,
    /// How long it may be sent after its start.
    pub validity: Duration,
    /// From the first attempt to the last retry.
    pub retry_schedule: Duration,
}

/// A line for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How grave.
    pub level: Level,
    /// What, and what to do about it.
    pub text: String,
}

impl Finding {
    fn error(text: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            text: text.into(),
        }
    }

    fn warning(text: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            text: text.into(),
        }
    }
}

type Rule = fn(&Summary<'_>) -> Vec<Finding>;

/// Every rule with its phase, in the order of execution.
const RULES: &[(Phase, Rule)] = &[
    (Phase::StartOfTargeting, object::subject),
    (Phase::StartOfTargeting, object::sender),
    (Phase::StartOfTargeting, urls::syntax),
    (Phase::StartOfTargeting, sizes::files),
    (Phase::StartOfTargeting, sizes::message),
    (Phase::StartOfTargeting, unsubscription::link),
    (Phase::AfterTargeting, proof::size),
    (Phase::EndOfAnalysis, validity::long_enough),
];

/// What the rules of this phase have to say.
#[must_use]
pub fn check(phase: Phase, summary: &Summary<'_>) -> Vec<Finding> {
    RULES
        .iter()
        .filter(|(of, _)| *of == phase)
        .flat_map(|(_, rule)| rule(summary))
        .collect()
}

/// The text without what a template engine puts values into: each `{{ … }}` and `{# … #}` becomes
/// `x`, each `{% … %}` goes.
fn without_placeholders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (close, instead) = match from.as_bytes().get(1) {
            Some(b'{') => ("}}", "x"),
            Some(b'%') => ("%}", ""),
            Some(b'#') => ("#}", ""),
            _ => {
                out.push('{');
                rest = from.get(1..).unwrap_or_default();
                continue;
            }
        };
        out.push_str(instead);
        rest = from
            .find(close)
            .and_then(|end| from.get(end + 2..))
            .unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A delivery that every rule is content with.
    pub(in crate::prepare) const SOUND: Summary<'static> = Summary {
        from: "Example Shop <news@example.com>",
        reply_to: None,
        subject: "Hello {{ name }}",
        html: Some("<p>Hi</p><a href=\"https://example.com/unsubscribe?u={{ id }}\">bye</a>"),
        text: None,
        files: &[],
        message_bytes: 20_000,
        list_unsubscribe: true,
        proof: false,
        to_send: 1_000,
        validity: Duration::from_hours(120),
        retry_schedule: Duration::from_hours(101),
    };

    #[test]
    fn a_sound_delivery_gets_no_line() {
        for phase in [
            Phase::StartOfTargeting,
            Phase::AfterTargeting,
            Phase::EndOfAnalysis,
        ] {
            assert_eq!(check(phase, &SOUND), []);
        }
    }

    #[test]
    fn each_rule_speaks_in_its_phase_only() {
        let wrong = Summary {
            subject: "a\u{7}",
            proof: true,
            to_send: 101,
            validity: Duration::ZERO,
            ..SOUND
        };
        assert_eq!(check(Phase::StartOfTargeting, &wrong).len(), 1);
        assert_eq!(check(Phase::AfterTargeting, &wrong).len(), 1);
        assert_eq!(check(Phase::EndOfAnalysis, &wrong).len(), 1);
    }

    #[test]
    fn placeholders_are_taken_out() {
        let rows = [
            ("plain", "plain"),
            ("a {{ b }} c", "a x c"),
            ("{% if a %}b{% endif %}", "b"),
            ("{# note\n#}b", "b"),
            ("{ not one }", "{ not one }"),
            ("open {{ b", "open x"),
            ("ends in {", "ends in {"),
        ];
        for (text, expected) in rows {
            assert_eq!(without_placeholders(text), expected, "{text}");
        }
    }
}
