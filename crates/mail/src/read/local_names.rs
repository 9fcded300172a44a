//! Names without a domain: `550 jane... User unknown`, `<jane>:`, `User "jane" is not known`.
//!
//! A server that delivers locally often tells the name alone. Where the returned message was for exactly one address
//! with that local part, the name stands for it; any other word stays what it is.

use std::borrow::Cow;

use super::addresses;
use super::lines;
use super::placed::{ends_with_word, is_reply_prefix};
use super::reply;
use super::vocabulary::Vocabulary;

/// Recipients of the original whose names are looked for.
const MAX_KNOWN: usize = 50;
/// What may stand around a name without meaning anything.
pub(super) const MARKS: &[char] = &[
    ' ', '\t', '\n', '<', '>', '"', '\'', '`', '[', ']', '(', ')', '*', '-', ':', '.', ',',
];

/// The text with names of the original's recipients written as whole addresses.
pub(super) fn completed<'a>(
    text: &'a str,
    recipients: &[String],
    vocabulary: &Vocabulary,
) -> Cow<'a, str> {
    let known = known(recipients);
    let encoded = memchr::memmem::find(text.as_bytes(), b"(a)").is_some();
    if !encoded && !known.iter().any(|(local, _)| occurs(text, local)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    for line in lines::whole(text) {
        if let Some((start, end)) = encoded.then(|| encoded_sign(line)).flatten() {
            out.push_str(text.get(copied..at + start).unwrap_or_default());
            out.push('@');
            copied = at + end;
        } else if known.iter().any(|(local, _)| occurs(line, local))
            && !line.contains('@')
            && let Some((start, end, address)) = name_in(line, &known, vocabulary)
        {
            out.push_str(text.get(copied..at + start).unwrap_or_default());
            out.push_str(address);
            copied = at + end;
        }
        at += line.len();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where an `@` is written `(a)`, as in addresses within those of X.400 (RFC 2156 §3.3): `DDA:RFC-822=jane(a)example.org`.
fn encoded_sign(line: &str) -> Option<(usize, usize)> {
    let at = line.find("(a)").filter(|_| !line.contains('@'))?;
    let name = line
        .get(..at)?
        .ends_with(|c: char| c.is_ascii_alphanumeric());
    let host: &str = line.get(at + 3..)?.split(['/', ';', ' ', '>']).next()?;
    (name && host.contains('.') && line.contains('=')).then_some((at, at + 3))
}

/// Whether a name stands in a line, alone or within a word, whatever the case of its letters.
fn occurs(line: &str, name: &str) -> bool {
    let (line, name) = (line.as_bytes(), name.as_bytes());
    let Some(first) = name.first() else {
        return false;
    };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, line).any(|at| {
        let here = line.get(at..at + name.len());
        here.is_some_and(|word| word.eq_ignore_ascii_case(name))
    })
}

/// The address that a name without a domain stands for, if exactly one of the recipients has it.
pub(super) fn address_of(name: &str, recipients: &[String]) -> Option<String> {
    let known = known(recipients);
    let found = known
        .iter()
        .find(|(local, _)| local.eq_ignore_ascii_case(name.trim_matches(MARKS)));
    found.map(|(_, address)| (*address).to_owned())
}

/// Local parts that one recipient has and no other, with its address.
fn known(recipients: &[String]) -> Vec<(&str, &str)> {
    let all: Vec<(&str, &str)> = recipients
        .iter()
        .take(MAX_KNOWN)
        .filter(|address| !addresses::is_system(address))
        .filter_map(|address| Some((address.rsplit_once('@')?.0, address.as_str())))
        .filter(|(local, _)| local.len() > 1)
        .collect();
    let once = |local: &str| {
        all.iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(local))
            .count()
            == 1
    };
    all.iter()
        .filter(|(local, _)| once(local))
        .copied()
        .collect()
}

/// Where a known name stands in a line as the one of whom it speaks, and its address.
fn name_in<'k>(
    line: &str,
    known: &[(&str, &'k str)],
    vocabulary: &Vocabulary,
) -> Option<(usize, usize, &'k str)> {
    for (start, end) in words(line) {
        let word = line.get(start..end)?;
        let Some((_, address)) = known
            .iter()
            .find(|(local, _)| local.eq_ignore_ascii_case(word))
        else {
            continue;
        };
        let (before, after) = (line.get(..start)?, line.get(end..)?);
        if is_blamed(before, after, line, vocabulary) {
            return Some((start, end, address));
        }
    }
    None
}

fn is_blamed(before: &str, after: &str, line: &str, vocabulary: &Vocabulary) -> bool {
    let head = before.trim_matches(MARKS);
    let first = head.is_empty() || is_reply_prefix(head);
    let alone = after.trim_matches(MARKS).is_empty();
    if first && (alone || after.starts_with("...")) {
        return true;
    }
    // `jane (user not found)`, `JANE   - no such user here`
    let marked = after.trim_start_matches(['>', '"', '\'', ' ', '\t']);
    if first && marked.starts_with(['(', '-', '[']) && vocabulary.speaks_of_failure(marked) {
        return true;
    }
    // `jane mailbox is full`: the name, and what is said of it.
    if first && after.starts_with(' ') && vocabulary.speaks_of_failure(after) {
        return true;
    }
    let lower = head.to_lowercase();
    let enclosed = before.ends_with(['<', '"', '\'', '`']) && after.starts_with(['>', '"', '\'']);
    let named = || {
        vocabulary
            .recipient
            .iter()
            .any(|tag| ends_with_word(&lower, tag))
    };
    (enclosed || (first && after.starts_with(':')) || named())
        && (vocabulary.speaks_of_failure(line) || reply::find(line).is_some())
        && !vocabulary.speaks_of_contact(before)
}

/// The words of a line, in bytes, as local parts are written: no dots at the ends.
pub(super) fn words(line: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let apart = |c: char| !(c.is_alphanumeric() || "._-+=/&#$%".contains(c));
    let mut at = 0;
    line.split_inclusive(apart).filter_map(move |piece| {
        let begin = at;
        at += piece.len();
        let edge = |c: char| apart(c) || ".-=/".contains(c);
        let start = begin + (piece.len() - piece.trim_start_matches(edge).len());
        let end = begin + piece.trim_end_matches(edge).len();
        (start < end).then_some((start, end))
    })
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::shipped;
    use super::*;

    #[test]
    fn a_name_that_one_recipient_has_is_completed() {
        let rows = [
            (
                "550 jane... User unknown\n",
                "550 jane@example.org... User unknown\n",
            ),
            ("jane\nother\n", "jane@example.org\nother\n"),
            ("<jane>:\nno mailbox", "<jane@example.org>:\nno mailbox"),
            ("user JANE unknown", "user jane@example.org unknown"),
            (
                "No such mailbox 'jane' here",
                "No such mailbox 'jane@example.org' here",
            ),
            ("jane: user unknown", "jane@example.org: user unknown"),
            // Two have this name; a greeting; another word; a whole address.
            ("550 bob... User unknown", "550 bob... User unknown"),
            ("Dear jane,\nhow do you do", "Dear jane,\nhow do you do"),
            ("janet: user unknown", "janet: user unknown"),
            ("<jane@example.net>: unknown", "<jane@example.net>: unknown"),
        ];
        let recipients = [
            "jane@example.org".to_owned(),
            "bob@example.org".to_owned(),
            "bob@example.net".to_owned(),
        ];
        for (text, want) in rows {
            assert_eq!(completed(text, &recipients, shipped()), want);
        }
        assert_eq!(
            address_of("<Jane>", &recipients).as_deref(),
            Some("jane@example.org")
        );
        assert_eq!(address_of("bob", &recipients), None);
    }
}
