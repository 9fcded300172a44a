//! The message a report answers: its headers, returned in a part or at the end of the text.

use super::addresses;
use super::charset;
use super::lines::{self, field_name};
use super::outer::Outer;
use super::report::Original;
use super::structure::{Headers, Part, PartKind, Structure};

/// References and recipients that are kept.
const MAX_KEPT: usize = 50;

/// Fields of a returned message by which a delivery names its recipient, the most telling first.
const ENVELOPE_FIELDS: &[&str] = &[
    "x-failed-recipients",
    "x-hmxmroriginalrecipient",
    "x-actual-recipient",
    "x-envelope-to",
    "envelope-to",
    "x-original-to",
    "delivered-to",
    "x-apparently-to",
    "x-rcpt-to",
    "apparently-to",
];

/// What the outer headers and the returned part say of the original.
pub(super) fn of(mail: &Structure<'_>) -> Original {
    let mut original = Original::default();
    for name in ["to", "delivered-to", "x-original-to", "envelope-to"] {
        for value in mail.headers.all(name) {
            push_addresses(&mut original.delivered_to, &value);
        }
    }
    for name in ["in-reply-to", "references", "x-original-message-id"] {
        for value in mail.headers.all(name) {
            push_ids(&mut original.references, &value);
        }
    }
    let returned = mail
        .parts
        .iter()
        .filter(|part| matches!(part.kind, PartKind::Message | PartKind::MessageHeaders))
        // The innermost one: a report inside a report returns the message itself.
        .max_by_key(|part| part.level);
    if let Some(part) = returned {
        add_part(&mut original, part);
    }
    original
}

fn add_part(original: &mut Original, part: &Part<'_>) {
    let encoding = part.encoding.as_deref();
    let body = part.body.get(..charset::MAX_TEXT).unwrap_or(part.body);
    let raw = charset::bytes(body, encoding);
    let trimmed = lines::without_mbox_line(raw.trim_ascii_start());
    let (headers, _) = Headers::parse(trimmed);
    add_headers(original, &headers);
}

/// Adds what the tail of a notification's text says, if headers stand there.
pub(super) fn add_text(original: &mut Original, tail: &str) {
    let mut block = String::new();
    let mut seen = false;
    let margin = margin_of(tail);
    for line in lines::of(tail).take(300) {
        let bare = line.strip_prefix(margin).unwrap_or(line);
        if field_name(bare.as_bytes()).is_some() {
            seen = true;
            block.push_str(bare);
            block.push('\n');
        } else if seen && bare.starts_with([' ', '\t']) {
            block.push_str(bare);
            block.push('\n');
        }
    }
    let (headers, _) = Headers::parse(block.as_bytes());
    add_headers(original, &headers);
}

/// The blanks before the first line that is a field: some reports indent the whole message.
fn margin_of(tail: &str) -> &str {
    let first = tail.lines().take(40).find(|line| {
        field_name(line.trim_start().as_bytes())
            .is_some_and(|name| name.first().is_some_and(u8::is_ascii_uppercase))
    });
    first
        .and_then(|line| line.get(..line.len() - line.trim_start().len()))
        .filter(|blanks| blanks.len() <= 12)
        .unwrap_or_default()
}

/// Adds what the headers say that a notification quotes (`> To: …`).
pub(super) fn add_quoted(original: &mut Original, text: &str) {
    if !text.starts_with("> ") && memchr::memmem::find(text.as_bytes(), b"\n> ").is_none() {
        return;
    }
    let quoted = text.lines().filter_map(|line| line.strip_prefix("> "));
    let block: Vec<&str> = quoted.take(100).collect();
    let is_head = |line: &&str| {
        line.get(..5)
            .is_some_and(|l| l.eq_ignore_ascii_case("from:"))
    };
    if block.iter().any(is_head) {
        add_text(original, &block.join("\n"));
    }
}

fn add_headers(original: &mut Original, headers: &Headers<'_>) {
    for (name, value) in headers.iter() {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let value = || super::structure::unfold(value);
        if is("message-id") && original.message_id.is_none() {
            original.message_id = Some(strip(&value()));
        } else if is("references") || is("in-reply-to") {
            push_ids(&mut original.references, &value());
        } else if (is("return-path") || is("x-envelope-from")) && original.return_path.is_none() {
            original.return_path = addresses::first(&value()).map(str::to_owned);
        }
    }
    for name in ENVELOPE_FIELDS.iter().chain(&["to", "cc"]) {
        for value in headers.all(name) {
            push_addresses(&mut original.recipients, &value);
            if ENVELOPE_FIELDS.contains(name) {
                push_addresses(&mut original.envelope, &value);
            } else {
                original.more_recipients |= names_without_domain(&value);
            }
        }
    }
}

fn strip(value: &str) -> String {
    value
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_owned()
}

fn push_ids(into: &mut Vec<String>, value: &str) {
    for id in value.split_whitespace() {
        let id = strip(id);
        if id.contains('@') && into.len() < MAX_KEPT && !into.contains(&id) {
            into.push(id);
        }
    }
}

fn push_addresses(into: &mut Vec<String>, value: &str) {
    for span in addresses::find(value) {
        if let Some(address) = value.get(span.start..span.end)
            && into.len() < MAX_KEPT
            && !into.iter().any(|have| addresses::same(have, address))
        {
            into.push(address.to_owned());
        }
    }
}

/// Whether a list of recipients holds names without a domain: `jane, far!bob, joe@example.org`.
fn names_without_domain(value: &str) -> bool {
    let mut items = value.split(',').map(str::trim).peekable();
    while let Some(item) = items.next() {
        let name = item.trim_matches(['<', '>']);
        let plain = !name.is_empty() && !name.contains(['@', ' ', ':', ';', '"', '(']);
        // `Doe, Jane <jane@example.org>`: half of a name.
        let half = items.peek().is_some_and(|next| next.contains('<'));
        if plain && !half {
            return true;
        }
    }
    false
}

/// The one recipient that the returned headers name, if they name exactly one.
///
/// Several names mean that the report does not tell which of them failed: nobody is blamed then.
pub(super) fn only_recipient(headers: &Headers<'_>, original: &Original) -> Vec<String> {
    let mut named = Vec::new();
    for value in headers.all("x-failed-recipients") {
        push_addresses(&mut named, &value);
    }
    if !named.is_empty() {
        return named;
    }
    sole(original).into_iter().cloned().collect()
}

/// The recipient for whom alone the returned message was.
pub(super) fn sole(original: &Original) -> Option<&String> {
    match recipients_told(original) {
        [one] if !original.more_recipients => Some(one),
        _ => None,
    }
}

/// The recipient in a field that a program made for it: `X-Undelivered-To`, `X-FC-Recipient`.
pub(super) fn in_own_field(headers: &Headers<'_>, original: &Original) -> Option<String> {
    let tells = |name: &[u8]| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let words = ["undeliver", "failed", "recipient"];
        name.starts_with("x-") && words.iter().any(|word| name.contains(word))
    };
    let mut named = Vec::new();
    for (_, value) in headers.iter().filter(|(name, _)| tells(name)) {
        push_addresses(&mut named, &super::structure::unfold(value));
    }
    let readers = &original.delivered_to;
    named.retain(|address| {
        !readers
            .iter()
            .any(|reader| addresses::same(reader, address))
    });
    if named.len() == 1 { named.pop() } else { None }
}

/// Whom the returned headers name as recipients; nobody where the message was for a list and those who run it read the
/// report: then any member may have failed, and the list itself did not.
pub(super) fn recipients_told(original: &Original) -> &[String] {
    let lists = original
        .delivered_to
        .iter()
        .filter_map(|reader| addresses::list_of(reader));
    let mut lists = lists.take(MAX_KEPT);
    let is_for = |list: &String| original.recipients.iter().any(|r| addresses::same(r, list));
    let Some(list) = lists.find(is_for) else {
        return &original.recipients;
    };
    // `Apparently-To: jane@…`: the delivery tells which member it was for.
    // An address of the list at another host is no member.
    let envelope = &original.envelope;
    let is_list = |r: &String| addresses::same_local(r, &list);
    if envelope.iter().any(is_list) {
        &[]
    } else {
        envelope
    }
}

/// The recipient whom a return path names that was made for one alone.
pub(super) fn of_return_path(original: &Original) -> Option<String> {
    let paths = original.delivered_to.iter().chain(&original.return_path);
    let mut named = paths.filter_map(|path| addresses::in_return_path(path));
    named.next()
}

/// The one address that the subject of a report names, if it is not the reader's.
pub(super) fn in_subject(outer: &Outer) -> Vec<String> {
    let mut named = Vec::new();
    push_addresses(&mut named, &outer.subject);
    named.retain(|address| {
        !outer.is_bystander(address)
            && !addresses::is_system(address)
            && !addresses::is_role(address)
    });
    if named.len() == 1 { named } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_domain_are_recipients_too() {
        for value in ["jane, joe@example.org", "far!jane", "joe@example.org,kim"] {
            assert!(names_without_domain(value), "{value}");
        }
        for value in [
            "joe@example.org",
            "Doe, Jane <jane@example.org>",
            "undisclosed-recipients:;",
            "The walkers <walkers@example.org>, joe@example.org",
            "",
        ] {
            assert!(!names_without_domain(value), "{value}");
        }
    }

    #[test]
    fn a_member_of_a_list_is_told_by_the_delivery() {
        let told = |to: &str, envelope: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>();
            let original = Original {
                delivered_to: vec!["walkers-request@example.net".to_owned()],
                recipients: [owned(envelope), owned(&[to])].concat(),
                envelope: owned(envelope),
                ..Original::default()
            };
            recipients_told(&original).to_vec()
        };
        let list = "walkers@example.net";
        assert_eq!(told(list, &["jane@example.org"]), ["jane@example.org"]);
        assert!(told(list, &[]).is_empty());
        assert!(told(list, &[list]).is_empty());
        assert!(told(list, &["walkers@hub.example.net"]).is_empty());
        assert_eq!(told("jane@example.org", &[]), ["jane@example.org"]);
    }
}
