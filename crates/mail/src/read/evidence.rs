//! What makes a mail a report of a failure: its sender, subject and words, or what it says of an address.

use posthaste_core::failure::{FailureType, Party};
use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::bare_names;
use super::dialects::Dialect;
use super::generic::{self, Reading};
use super::judge::{Said, judge};
use super::lines::{self, first_chars, is_longer};
use super::notice::Notice;
use super::outer::{Outer, is_conversation, is_talk};
use super::report::FailedRecipient;
use super::structure::{PartKind, Structure};
use super::vocabulary::{Sign, Vocabulary, shipped};

/// Percent from which what is said of an address is taken for a report.
const SURE: u8 = 58;

/// Percent from which what is said of an address is something, in a mail that can hardly be anything but a report.
const FAIR: u8 = 50;

/// Percent from which words beside an address are those of a server, whoever sent them.
const CERTAIN: u8 = 85;

/// Lines with an address that are judged to find out who is meant.
const MAX_MEANT: usize = 40;

/// Words of a notice that says little else than that a delivery failed.
const MAX_TERSE: usize = 150;

/// Bytes of a sentence.
const MAX_SENTENCE: usize = 600;

/// Bytes before an address that lead to it.
const MAX_LEAD: usize = 250;

/// Why a text is a bounce, if it is one.
pub(super) fn why_bounce(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    reading: &Reading,
    (dialect, reported): (Option<&Dialect>, bool),
) -> Option<String> {
    let subject = outer.subject_signs.has(Sign::Failure) || outer.subject_signs.has(Sign::Delay);
    let says = text.signs.has(Sign::Failure) || text.signs.has(Sign::Delay);
    let system = outer.daemon || outer.null_path;
    let away = is_away(outer, text, reading, says);
    let precedence = mail.headers.get("precedence").unwrap_or_default();
    let from_list = precedence.eq_ignore_ascii_case("list") && !outer.null_path;
    if from_list && dialect.is_none() {
        return None;
    }
    let told = is_answered(reading);
    let success = text.signs.has(Sign::Success) || outer.subject_signs.has(Sign::Success);
    let failed_header = mail.headers.get("x-failed-recipients").is_some();
    if let Some(dialect) = dialect
        && (system || subject || reading.strong)
        && !away
    {
        return Some(format!("written in the dialect {}", dialect.name));
    }
    if (reported || failed_header) && (says || subject || reading.strong) {
        return Some("the headers say that it reports a failure".to_owned());
    }
    if away {
        return None;
    }
    let returned = returns_message(mail, text);
    let titled = || !super::original::in_subject(outer).is_empty();
    let whom = !reading.named.is_empty() || returned || (system && subject && titled());
    let told_well = reading.strong || subject || told || returned;
    // A warning that a mailbox fills up names its reader; a report names another, or a name alone.
    let speaks_of_others = whom || !text.before().contains('@');
    let terse = || says && speaks_of_others && is_terse(mail, outer, text);
    if system && (says || (subject && whom)) && (told_well || terse()) {
        return Some("a mail system sent it, and it speaks of a failed delivery".to_owned());
    }
    let with_status = |text: &str| super::reply::find(text).is_some_and(|r| r.status.is_some());
    let told_why = |n: &generic::Named| with_status(&n.own) || with_status(&n.after);
    if system && !success && reading.named.iter().any(told_why) {
        return Some("a mail system names a recipient with a failing status code".to_owned());
    }
    if mail.headers.get("list-unsubscribe").is_some() {
        // Sent to subscribers (RFC 2369): it may speak of failures, it reports none.
        return None;
    }
    if tells_undelivered(mail) && !success {
        return Some("a field of its own tells to whom it was not delivered".to_owned());
    }
    if is_of_goods(outer, text) {
        return None;
    }
    if subject && says && (reading.strong || told || !reading.named.is_empty()) {
        return Some(
            "subject and text speak of a failed delivery, and a recipient is named".to_owned(),
        );
    }
    if subject && told && !success && !is_conversation(mail) {
        return Some(
            "the subject speaks of a failed delivery, and a recipient is named with a reply"
                .to_owned(),
        );
    }
    if subject && says && returned {
        return Some(
            "subject and text speak of a failed delivery, and the message is returned".to_owned(),
        );
    }
    let answers = ["in-reply-to", "references"]
        .iter()
        .any(|name| mail.headers.get(name).is_some());
    if says && reading.strong && told && !answers {
        return Some("a recipient is named with the reply of a server".to_owned());
    }
    None
}

/// Whether a server's reply stands beside some recipient, or behind it.
fn is_answered(reading: &Reading) -> bool {
    let replies = |text: &str| super::reply::find(text).is_some();
    let mut named = reading.named.iter();
    named.any(|n| replies(&n.own) || replies(&n.after))
}

/// Whether it is an automatic answer rather than a report: a mail system may call its report an automatic answer too.
fn is_away(outer: &Outer, text: &Notice, reading: &Reading, says: bool) -> bool {
    let subject = outer.subject_signs.has(Sign::Failure) || outer.subject_signs.has(Sign::Delay);
    let reports = (outer.daemon || outer.null_path) && says && reading.strong;
    outer.subject_signs.has(Sign::AutoReply)
        || (text.signs.has(Sign::AutoReply) && !subject && !reports)
}

/// Whether what could not be delivered are goods.
fn is_of_goods(outer: &Outer, text: &Notice) -> bool {
    let system = outer.daemon || outer.null_path;
    text.signs.has(Sign::Goods) && !system
}

/// Whether a mail system wrote a few words of its own to nobody's question.
fn is_terse(mail: &Structure<'_>, outer: &Outer, text: &Notice) -> bool {
    outer.daemon && !is_longer(text.before(), MAX_TERSE) && !is_talk(mail, outer)
}

/// Whether the message, or its headers, came back.
fn returns_message(mail: &Structure<'_>, text: &Notice) -> bool {
    mail.parts
        .iter()
        .any(|p| matches!(p.kind, PartKind::Message | PartKind::MessageHeaders))
        || text
            .after()
            .lines()
            .take(40)
            .any(|line| line.starts_with("To:"))
}

/// Whether a short mail that belongs to no conversation says of a third address what only a failure report
/// says: whatever its sender and its subject look like.
pub(super) fn understood(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    reading: &Reading,
    rules: &RuleSet,
) -> Option<String> {
    let system = outer.daemon || outer.null_path;
    let says = text.signs.has(Sign::Failure) || text.signs.has(Sign::Delay);
    let away = is_away(outer, text, reading, says);
    // Who says that a mail failed may add a page on why one should not worry.
    let told = says && reading.strong && !outer.answers();
    let most = if system || told { 600 } else { 150 };
    let person = text.signs.has(Sign::Person) && !system && !outer.robot;
    let Some(named) = reading.named.first() else {
        return names_nobody(outer, text);
    };
    let silent = outer.answers() && !says && !is_near(outer, &named.address);
    if person
        || silent
        || is_of_goods(outer, text)
        || away
        || is_conversation(mail)
        || is_longer(text.before(), most)
    {
        return None;
    }
    if is_near(outer, &named.address) && is_expected(outer, text) {
        let failed = judged(&named.address, named.texts(), rules);
        if says || failed.confidence >= FAIR {
            let why = "a short mail to an address for reports speaks of one of its sender's own";
            return Some(why.to_owned());
        }
    }
    let told_of = |named: &generic::Named| why_failed(outer, text, reading, (named, told), rules);
    let why = reading.named.iter().take(MAX_MEANT).find_map(told_of);
    why.map(str::to_owned)
}

/// Whether a program put the recipient into a field that says it: `X-Undelivered-To: jane@example.org`.
fn tells_undelivered(mail: &Structure<'_>) -> bool {
    let fields = [
        "x-undelivered-to",
        "x-undeliverable-to",
        "x-undelivered-recipient",
    ];
    let mut told = fields.iter().filter_map(|name| mail.headers.get(name));
    told.any(|value| addresses::first(&value).is_some())
}

/// Whether a short mail of a program or a desk came to an address that only takes reports, and speaks of the reader's mail
/// as one: nobody else writes there.
pub(super) fn is_expected(outer: &Outer, text: &Notice) -> bool {
    let other = [
        Sign::AutoReply,
        Sign::Success,
        Sign::Routine,
        Sign::Person,
        Sign::Complaint,
        Sign::Goods,
    ];
    let is_other = other
        .iter()
        .any(|sign| text.signs.has(*sign) || outer.subject_signs.has(*sign));
    outer.expected
        && !outer.answers()
        && !is_other
        && !is_longer(text.before(), MAX_TERSE)
        && shipped().speaks_of_yours(text.before())
}

/// Why a short mail to an address for reports is one that names nobody by an address.
fn names_nobody(outer: &Outer, text: &Notice) -> Option<String> {
    let system = (outer.daemon || outer.null_path)
        && (outer.subject_signs.has(Sign::Failure) || outer.subject_signs.has(Sign::Delay));
    let named = (system || is_expected(outer, text))
        && !is_longer(text.before(), MAX_TERSE)
        && !bare_names::told(text.before(), "host.invalid", shipped()).is_empty();
    named.then(|| "a short report names a user without a domain".to_owned())
}

/// Why a short mail is understood to say that one address failed.
fn why_failed(
    outer: &Outer,
    text: &Notice,
    reading: &Reading,
    (named, told): (&generic::Named, bool),
    rules: &RuleSet,
) -> Option<&'static str> {
    let system = outer.daemon || outer.null_path;
    let direct = reading.strong && !outer.answers();
    if direct && is_led(text, &named.address) {
        return Some("a short mail says that a delivery failed, and names the recipient");
    }
    let beside = judged(&named.address, vec![named.own.clone()], rules);
    // Of a sender anything may be said; a rule knows the words of a server.
    let servers = beside.party != Party::Sender || &*beside.rule != "vocabulary";
    if direct && servers && beside.confidence >= CERTAIN {
        return Some("a short mail says beside an address what only a server says");
    }
    let mut lines = lines::of(text.before());
    let line = lines.find(|line| line.contains(&named.address));
    let mut texts: Vec<String> = line.map(str::to_owned).into_iter().collect();
    texts.extend(named.texts());
    texts.push(reading.before.clone());
    let failed = judged(&named.address, texts, rules);
    let mishap = matches!(failed.party, Party::Recipient | Party::Path);
    let sure = failed.confidence >= SURE && failed.kind != FailureType::Ignored;
    let known = (told || (system && reading.strong)) && (system || mishap) && sure;
    let mut words = text.before().split_whitespace();
    // Who asks does not report.
    let asks = !system && !reading.strong && words.any(|word| word.ends_with('?'));
    (!asks && (known || is_believed(outer, text, &failed)))
        .then_some("a short mail names an address and says why it cannot be reached")
}

/// Whether a sender is believed that a delivery failed: about a recipient anyone, about the way whoever is near the
/// address. Whoever is near may also deny the delivery, in any words; then any reason will do.
fn is_believed(outer: &Outer, text: &Notice, failed: &FailedRecipient) -> bool {
    let near = is_near(outer, &failed.address);
    let denied =
        near && !text.signs.has(Sign::Success) && shipped().undelivered.is_told(text.before());
    let sure = failed.confidence >= SURE && failed.kind != FailureType::Ignored;
    let theirs = failed.party == Party::Recipient || (near && failed.party == Party::Path);
    denied || (theirs && sure)
}

/// Whether the words that lead to an address say that a delivery failed.
fn is_led(text: &Notice, address: &str) -> bool {
    let before = text.before();
    let Some(at) = before.find(address) else {
        return false;
    };
    let end = before.get(at..).and_then(|rest| rest.find('\n'));
    let end = end.map_or(before.len(), |length| at + length);
    let begin = before.floor_char_boundary(at.saturating_sub(MAX_LEAD));
    let lead = before.get(begin..end).unwrap_or_default();
    let vocabulary = shipped();
    vocabulary.text.signs(lead).has(Sign::Failure) || vocabulary.undelivered.is_told(lead)
}

/// The sentence that names an address, from full stop to full stop, over folded lines.
pub(super) fn sentence_of(text: &Notice, address: &str) -> Option<String> {
    let text = text.before();
    let at = text.find(address)?;
    let end = at + address.len();
    let stops = |pair: &[u8]| matches!(pair, b"\n\n" | b". " | b".\n" | b"! " | b"? ");
    // What is longer is no sentence: its ends need not be looked for.
    let lowest = text.floor_char_boundary(at.saturating_sub(MAX_SENTENCE));
    let before = text.as_bytes().get(lowest..at)?;
    let begin = before.windows(2).rposition(stops).map(|i| lowest + i + 2);
    let highest = text.ceil_char_boundary(end + MAX_SENTENCE);
    let after = text.as_bytes().get(end..highest)?;
    let stop = after.windows(2).position(stops).map(|i| end + i);
    text.get(begin.unwrap_or(0)..stop.unwrap_or(text.len()))
        .filter(|sentence| sentence.len() < MAX_SENTENCE)
        .map(|sentence| sentence.trim().to_owned())
}

pub(super) fn judged(address: &str, texts: Vec<String>, rules: &RuleSet) -> FailedRecipient {
    let said = Said {
        addresses: vec![address.to_owned()],
        texts,
        ..Said::default()
    };
    judge(said, rules)
}

/// Whether this says for sure that the recipient's address or mailbox cannot be reached.
pub(super) fn is_known_failure(address: &str, texts: Vec<String>, rules: &RuleSet) -> bool {
    let failed = judged(address, texts, rules);
    failed.party == Party::Recipient
        && matches!(failed.kind, FailureType::Hard | FailureType::Soft)
        && failed.confidence >= SURE
}

/// Whether the mail comes from the domain of an address, or from a program that shows that it is one.
pub(super) fn is_near(outer: &Outer, address: &str) -> bool {
    let within = |a: &str, b: &str| a == b || a.strip_suffix(b).is_some_and(|h| h.ends_with('.'));
    let from = addresses::first(&outer.from).and_then(addresses::domain_of);
    let of = addresses::domain_of(address);
    from.zip(of)
        .is_some_and(|(a, b)| within(&a, &b) || within(&b, &a))
        || outer.robot
}

/// Addresses that are nobody's who wrote or runs the mail, each with its line, in the order of the text.
pub(super) fn thirds<'a>(text: &'a str, bystanders: &[String]) -> Vec<(&'a str, &'a str)> {
    let lines = lines::of(text).filter(|line| line.contains('@') && !lines::is_quoted(line));
    let all = lines.take(MAX_MEANT).flat_map(|line| {
        let spans = addresses::find(line).into_iter();
        spans.filter_map(move |span| Some((line.get(span.start..span.end)?, line)))
    });
    all.filter(|(address, _)| {
        !bystanders.iter().any(|b| addresses::same(b, address))
            && !addresses::is_system(address)
            && !addresses::is_role(address)
    })
    .collect()
}

/// Recipients whose own line is known as a failure, where nothing else shows who is meant.
pub(super) fn by_meaning(
    text: &str,
    bystanders: &[String],
    vocabulary: &Vocabulary,
    rules: &RuleSet,
) -> Vec<generic::Named> {
    let all = thirds(text, bystanders);
    let mut named: Vec<generic::Named> = Vec::new();
    for (address, line) in &all {
        let on_line = all.iter().filter(|(_, other)| std::ptr::eq(*other, *line));
        if on_line.count() > 1
            || line.len() >= 400
            || named.iter().any(|n| addresses::same(&n.address, address))
            || vocabulary.speaks_of_contact(line)
        {
            continue;
        }
        if is_known_failure(address, vec![(*line).to_owned()], rules) {
            named.push(generic::Named {
                address: (*address).to_owned(),
                own: line.trim().to_owned(),
                ..generic::Named::default()
            });
        }
    }
    named
}

/// The recipient, where a report names one address and no other, in its text or in its subject alone.
pub(super) fn only_address(
    text: &Notice,
    outer: &Outer,
    bystanders: &[String],
    rules: &RuleSet,
) -> Option<generic::Named> {
    let vocabulary = shipped();
    let said = text.before();
    let all = thirds(said, bystanders);
    let Some(&(address, line)) = all.first() else {
        return in_subject_only(text, outer, rules);
    };
    if all
        .iter()
        .any(|(other, _)| !addresses::same(other, address))
    {
        return None;
    }
    let sentence = sentence_of(text, address).unwrap_or_default();
    if vocabulary.speaks_of_contact(line) || vocabulary.speaks_of_contact(&sentence) {
        return None;
    }
    let named = generic::Named {
        address: address.to_owned(),
        own: line.trim().to_owned(),
        mentions: sentence,
        after: first_chars(said, 4_000).to_owned(),
        ..generic::Named::default()
    };
    let told = || {
        let failed = judged(address, named.texts(), rules);
        !is_longer(said, MAX_TERSE) && is_believed(outer, text, &failed)
    };
    let says = text.signs.has(Sign::Failure) || text.signs.has(Sign::Delay);
    let expected = || is_near(outer, address) && is_expected(outer, text);
    (says || told() || expected()).then_some(named)
}

/// The recipient whom the subject alone names, where subject or text say why it failed.
fn in_subject_only(text: &Notice, outer: &Outer, rules: &RuleSet) -> Option<generic::Named> {
    if text.before().contains('@') || is_longer(text.before(), 60) || outer.answers() {
        return None;
    }
    let address = super::original::in_subject(outer).pop()?;
    let named = generic::Named {
        own: outer.subject.replace(&address, "*"),
        after: text.before().to_owned(),
        address,
        ..generic::Named::default()
    };
    is_known_failure(&named.address, named.texts(), rules).then_some(named)
}
