//! Object approval: subject and sender free of characters that trouble mail programs. Error.

use super::{Finding, Summary, without_placeholders};
use crate::address::Address;

/// Whether a character has no place in a header that people read: controls, characters that turn
/// the direction of what follows, line separators, and what stands for an unreadable character.
fn is_troublesome(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFD}' | '\u{FEFF}')
        || matches!(c, '\u{E000}'..='\u{F8FF}')
}

/// Names the first troublesome character of a text, if there is one.
fn trouble_in(what: &str, text: &str) -> Option<Finding> {
    let found = text.chars().find(|&c| is_troublesome(c))?;
    let code = u32::from(found);
    Some(Finding::error(format!(
        "object approval: {what} contains the character U+{code:04X}, which troubles mail \
         programs; remove it"
    )))
}

/// The subject.
pub(super) fn subject(summary: &Summary<'_>) -> Vec<Finding> {
    let text = without_placeholders(summary.subject);
    let mut findings: Vec<Finding> = trouble_in("the subject", &text).into_iter().collect();
    if text.trim().is_empty() {
        findings.push(Finding::warning(
            "object approval: the subject is empty; write one",
        ));
    }
    findings
}

/// From and Reply-To.
pub(super) fn sender(summary: &Summary<'_>) -> Vec<Finding> {
    let from = check_mailbox("the From address", summary.from);
    let reply_to = summary
        .reply_to
        .and_then(|text| check_mailbox("the Reply-To address", text));
    from.into_iter().chain(reply_to).collect()
}

fn check_mailbox(what: &str, mailbox: &str) -> Option<Finding> {
    let mailbox = without_placeholders(mailbox);
    if let Some(finding) = trouble_in(what, &mailbox) {
        return Some(finding);
    }
    let address = mailbox
        .rsplit_once('<')
        .map_or(mailbox.as_str(), |(_, rest)| {
            rest.trim_end().trim_end_matches('>')
        });
    match Address::parse(address) {
        Err(wrong) => Some(Finding::error(format!(
            "object approval: {what} {address:?} is not a mail address: {wrong}; correct it"
        ))),
        Ok(address) => odd_local_part(what, &address),
    }
}

/// Valid by syntax, but refused or mangled by programs on the way: quoted parts, old routing
/// marks, and letters that need SMTPUTF8 at every recipient.
fn odd_local_part(what: &str, address: &Address) -> Option<Finding> {
    let (local, _) = address.original().rsplit_once('@')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-+='&#~".contains(c);
    let odd = local.chars().find(|&c| !fits(c))?;
    Some(Finding::error(format!(
        "object approval: {what} has {odd:?} before the @, which troubles mail programs; use \
         letters, digits, dots and hyphens"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::tests::SOUND;
    use super::*;
    use crate::delivery::Level;

    #[test]
    fn subjects() {
        let rows = [
            ("Grüße, {{ name }} 🎉", None),
            ("{{ subject }}", None),
            ("two\r\nlines", Some(Level::Error)),
            ("a tab\there", Some(Level::Error)),
            ("turned \u{202E}around", Some(Level::Error)),
            ("broken \u{FFFD}", Some(Level::Error)),
            ("  ", Some(Level::Warning)),
            ("{{ a\n }} b", None),
        ];
        for (text, level) in rows {
            let findings = subject(&Summary {
                subject: text,
                ..SOUND
            });
            assert_eq!(findings.first().map(|f| f.level), level, "{text:?}");
        }
    }

    #[test]
    fn senders() {
        let rows = [
            ("news@example.com", true),
            ("Shop <o'brien+news@example.com>", true),
            ("\"Shop, Inc.\" <news@example.com>", true),
            ("Grüße <news@bücher.example>", true),
            ("nobody", false),
            ("Shop <news@example>", false),
            ("Shop\r\nBcc: x <news@example.com>", false),
            ("Shop <\"a b\"@example.com>", false),
            ("Shop <relay%other@example.com>", false),
            ("Shop <jörg@example.com>", false),
        ];
        for (from, good) in rows {
            let findings = sender(&Summary { from, ..SOUND });
            assert_eq!(findings.is_empty(), good, "{from:?} {findings:?}");
        }
        let reply = Summary {
            reply_to: Some("nobody"),
            ..SOUND
        };
        assert_eq!(sender(&reply).len(), 1);
    }
}
