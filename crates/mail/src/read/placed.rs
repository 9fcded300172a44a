//! Where an address stands on its line, and what that says of it: named as failed, another name of somebody, or merely
//! there.

use super::addresses::{self, Span};
use super::dialects::Dialect;
use super::reply;
use super::vocabulary::Vocabulary;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    Weak,
    Strong,
    Alias,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub line: usize,
    pub span: Span,
    pub strength: Strength,
    /// The line is a reply: all of it is said.
    pub whole: bool,
    /// The words before it, or before the list in which it stands: where they begin and end in the line.
    pub head: (usize, usize),
    /// These words speak of a failure.
    pub sentence: bool,
    /// The line speaks of a failure.
    pub fails: bool,
}

/// What may stand around an address without meaning anything.
pub(super) const MARKS: &[char] = &[
    ' ', '\t', '<', '>', '"', '\'', '`', '[', ']', '(', ')', '{', '}', '*', '-', '•', '·', ':',
    '=', '|', ',', '.', '~', ';', '：', '「', '」', '『', '』', '・', '◆', '■', '\u{3000}',
    '\u{a0}',
];

pub(super) fn classify(
    number: usize,
    line: &str,
    vocabulary: &Vocabulary,
    dialect: Option<&Dialect>,
    hits: &mut Vec<Hit>,
) {
    let spans = addresses::find(line);
    let listed = is_list(line, &spans);
    let mut fails = None;
    let mut floor = 0;
    let mut last: Option<Hit> = None;
    for (index, span) in spans.iter().copied().enumerate() {
        let head = line.get(floor..span.start).unwrap_or_default();
        let next = spans.get(index + 1).map_or(line.len(), |next| next.start);
        let apart = head.trim() == "(" || head.contains("=>") || head.contains("->");
        let glued = last.filter(|_| is_glue(head) && !apart);
        let place = Place {
            before: unrouted(unnumbered(head, floor == 0)),
            after: line.get(span.end..).unwrap_or_default(),
            until_next: line.get(span.end..next).unwrap_or_default(),
            first: floor == 0,
            follows: last.is_some_and(|hit| hit.strength == Strength::Strong),
        };
        let found = match glued {
            _ if listed && !apart => Some((Strength::Strong, false)),
            Some(hit) if hit.strength == Strength::Strong => Some((Strength::Strong, hit.whole)),
            _ => {
                strength(place, vocabulary, dialect).or_else(|| weak(line, span, head, vocabulary))
            }
        };
        floor = span.end;
        let Some((strength, whole)) = found else {
            last = None;
            continue;
        };
        let own = (span.start - head.len(), span.start);
        let hit = Hit {
            line: number,
            span,
            strength,
            whole,
            head: glued.map_or(own, |hit| hit.head),
            sentence: glued.map_or_else(|| vocabulary.speaks_of_failure(head), |hit| hit.sentence),
            fails: *fails.get_or_insert_with(|| vocabulary.speaks_of_failure(line)),
        };
        hits.push(hit);
        last = Some(hit);
    }
}

/// Whether what stands between two addresses only lists them.
pub(super) fn is_glue(between: &str) -> bool {
    let bare = between.trim().trim_matches(MARKS);
    [
        "", "and", "or", "und", "et", "y", "e", "en", "og", "och", "i", "и", "&", "ja", "a",
    ]
    .contains(&bare)
}

/// What stands before an address, without the number of an item: `1. jane@…`, `(2) jane@…`.
fn unnumbered(before: &str, first: bool) -> &str {
    let bare = before.trim_start().trim_start_matches(['(', '#']);
    let rest = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = bare.len() - rest.len();
    match rest.strip_prefix(['.', ')']) {
        Some(rest) if first && (1..=3).contains(&digits) && rest.starts_with(' ') => rest,
        None if first && digits > 0 && before.trim_start().starts_with('#') => rest,
        _ => before,
    }
}

/// What stands before an address, without its source route (RFC 5321 appendix C): `@relay.example.net,@far.example.com:`.
fn unrouted(before: &str) -> &str {
    let Some(route) = before.strip_suffix(':') else {
        return before;
    };
    let start = route.rfind(['<', ' ', '"', '\t']).map_or(0, |at| at + 1);
    let hosts = route.get(start..).unwrap_or_default();
    if hosts.starts_with('@') && !hosts.contains(':') {
        before.get(..start).unwrap_or_default()
    } else {
        before
    }
}

/// Whether a line holds nothing but addresses, or one address and what marks it.
pub(super) fn is_list(line: &str, spans: &[Span]) -> bool {
    let mut at = 0;
    for span in spans {
        let between = unrouted(line.get(at..span.start).unwrap_or_default());
        if !between.trim_matches(MARKS).is_empty() {
            return false;
        }
        at = span.end;
    }
    line.get(at..)
        .unwrap_or_default()
        .trim_matches(MARKS)
        .is_empty()
}

/// What stands around an address on its line.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    /// From the address before, or from the start of the line.
    before: &'a str,
    after: &'a str,
    until_next: &'a str,
    /// No other address stands before.
    first: bool,
    /// The address before it is that of a recipient.
    follows: bool,
}

fn strength(
    place: Place<'_>,
    vocabulary: &Vocabulary,
    dialect: Option<&Dialect>,
) -> Option<(Strength, bool)> {
    let Place {
        before,
        after,
        first,
        ..
    } = place;
    let bare = before.trim_matches(MARKS);
    let bare = bare
        .strip_suffix("mailto")
        .map_or(bare, |head| head.trim_matches(MARKS));
    if bare.is_empty() && first {
        // `<jane@…>へご連絡ください`: a particle says to whom.
        let rest = after.trim_start_matches(['>', '"', ' ']);
        if rest.starts_with(['へ', 'ま', 'に']) {
            return None;
        }
        return stands_first(after, vocabulary).then_some((Strength::Strong, false));
    }
    if first && (is_reply_prefix(bare) || is_pointing_reply(before) || is_named_reply(place)) {
        return (!is_of_sender(after)).then_some((Strength::Strong, true));
    }
    let lower = bare.to_lowercase();
    // `Recipient(s):`, `Ontvanger(s):`, `Empfänger(n):`
    let lower = lower
        .strip_suffix(')')
        .and_then(|open| open.rsplit_once('('))
        .map_or(lower.as_str(), |(word, _)| word);
    // `Recipient: Jane Doe <`: the label counts, whatever the name.
    let label = label_before_name(before).map(str::to_lowercase);
    if first && is_item(before) && after.trim_matches(MARKS).is_empty() {
        return Some((Strength::Strong, false));
    }
    let lower = label.as_deref().unwrap_or(lower);
    let ends = |list: &[String]| list.iter().any(|tag| ends_with_word(lower, tag));
    // `a@… (b@…)`: two names of one recipient.
    let arrow = ["=>", "->", "→"].iter().any(|sign| before.contains(sign));
    if place.follows && arrow && before.trim().len() < 8 {
        return Some((Strength::Alias, false));
    }
    let bracketed = matches!(before.trim(), "(" | "> (" | "[") && after.starts_with([')', ']']);
    if place.follows && bracketed {
        return Some((Strength::Alias, false));
    }
    if dialect.is_some_and(|d| ends(&d.recipient)) {
        return Some((Strength::Strong, false));
    }
    if ends(&vocabulary.alias) {
        return Some((Strength::Alias, false));
    }
    // `a@…: reason, b@…: reason`, `a@… (reason), b@… (reason)`
    let another = place.follows
        && before.trim_end().ends_with([',', ';', '|'])
        && after.trim_start().starts_with([':', '(']);
    let another = another || (place.follows && is_next_name(before));
    if another && !vocabulary.speaks_of_contact(before) {
        return Some((Strength::Strong, false));
    }
    // `Delivery failed 20 attempts: address`: the reason, a colon, and nothing behind the address or addresses.
    let reason = ends_with_colon(before)
        && (place.until_next.trim_matches(MARKS).is_empty() || after.starts_with(" ("))
        && vocabulary.speaks_of_failure(before);
    ((ends(&vocabulary.recipient) || reason) && !vocabulary.speaks_of_contact(before))
        .then_some((Strength::Strong, false))
}

/// Whether a mark of a list, a name of up to four words and an opening bracket stand before an address.
fn is_item(before: &str) -> bool {
    let marked = before
        .trim_start()
        .strip_prefix(['•', '·', '-', '*', '–', '●']);
    let name = marked.and_then(|rest| rest.strip_suffix(['<', '(', '[']));
    name.is_some_and(|name| {
        name.starts_with(' ')
            && (1..=4).contains(&name.split_whitespace().count())
            && !name.contains([':', '<', '>', '@'])
    })
}

/// Whether a list of names and addresses goes on: `<jane@…>, Joe Public <`.
fn is_next_name(before: &str) -> bool {
    let name = before
        .trim_start_matches(['>', ' '])
        .strip_prefix([',', ';']);
    let name = name.and_then(|rest| rest.strip_suffix('<'));
    name.is_some_and(|name| {
        (1..=4).contains(&name.split_whitespace().count()) && !name.contains([':', '=', '>', '@'])
    })
}

/// The label, where a label, a name of up to four words and an opening bracket stand before an address.
fn label_before_name(before: &str) -> Option<&str> {
    let (label, name) = before.strip_suffix(['<', '(', '['])?.rsplit_once(": ")?;
    let words = name.split_whitespace().count();
    let said = name.contains(['<', '>', '@', ';', '=']);
    ((1..=4).contains(&words) && !said && label.len() < 60).then(|| label.trim_matches(MARKS))
}

/// Whether a reply speaks of the sender's address: `554 <jane@…>: Sender address rejected`.
fn is_of_sender(after: &str) -> bool {
    let said = after.trim_start_matches(MARKS);
    said.get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("sender"))
}

/// Whether what stands behind an address at the start of a line fits a report.
fn stands_first(after: &str, vocabulary: &Vocabulary) -> bool {
    let marked = after.trim_start_matches(['>', '"', '\'', ']', ')']);
    let bare = marked.trim();
    bare.is_empty()
        || marked.starts_with([':', ';', ',', '(', '[', '.', '=', '<'])
        || bare.starts_with(['(', '[', '-', ':', ';', '=', '|'])
        || bare.starts_with("on ")
        // `<jane@example.org #5.1.1>`: Exchange's code behind the address.
        || (marked.starts_with(" #") && bare.as_bytes().get(1).is_some_and(u8::is_ascii_digit))
        || bare.starts_with("...")
        || vocabulary.speaks_of_failure(bare)
        || reply::find(bare).is_some()
}

/// `550 5.1.1 <`, `<<< 550 <`, `554-`: only a failing reply code stands before the address.
pub(super) fn is_reply_prefix(bare: &str) -> bool {
    bare.starts_with(['4', '5'])
        && bare.len() <= 24
        && bare
            .chars()
            .all(|c| c.is_ascii_digit() || ". -#".contains(c))
        && reply::find(bare).is_some()
}

/// `550 5.1.1 unknown mailbox --> <`: a reply, and an arrow to whom it is about.
fn is_pointing_reply(before: &str) -> bool {
    let bare = before.trim_end_matches(['<', '"', '\'', ' ', '\t']);
    bare.ends_with("->")
        && before.trim_start().starts_with(['4', '5'])
        && reply::find(before).is_some()
}

/// `550 Jane Doe <jane@example.org>... User unknown`: a reply, a name, and the address that Sendmail's dots follow.
fn is_named_reply(place: Place<'_>) -> bool {
    let named = place.before.trim_start().strip_suffix('<');
    let named = named.filter(|_| place.after.starts_with(">... "));
    named.is_some_and(|named| {
        let from = named.find(|c: char| c.is_alphabetic() || c == '"');
        let (code, name) = named.split_at(from.unwrap_or(named.len()));
        is_reply_prefix(code.trim_matches(MARKS)) && name.split_whitespace().count() <= 4
    })
}

/// Whether a text ends with a label, as a word of its own where it is one of an alphabet that parts words.
pub(super) fn ends_with_word(text: &str, tag: &str) -> bool {
    text.strip_suffix(tag).is_some_and(|head| {
        head.chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() || !tag.is_ascii())
    })
}

fn weak(line: &str, span: Span, before: &str, vocabulary: &Vocabulary) -> Option<(Strength, bool)> {
    let address = line.get(span.start..span.end)?;
    let rest = line.get(span.end..)?.trim_matches(MARKS);
    let placed = is_name(before) && rest.split_whitespace().count() <= 12;
    let blamed = !addresses::is_system(address)
        && !addresses::is_role(address)
        && !vocabulary.speaks_of_contact(before)
        && !vocabulary.speaks_of_contact(rest)
        && (placed || vocabulary.speaks_of_failure(line));
    blamed.then_some((Strength::Weak, false))
}

/// Whether what stands before an address may be the recipient's name: nothing, `To`, up to four words.
fn is_name(before: &str) -> bool {
    let bare = before.trim_matches(MARKS);
    bare.split_whitespace().count() <= 4 && !bare.contains([':', '=', '>', '/'])
}

/// Whether words announce with a colon what follows them.
pub(super) fn ends_with_colon(head: &str) -> bool {
    head.trim_end_matches(['<', '"', '\'', ' ']).ends_with(':')
}
