//! Delivery status fields (RFC 3464 §2), wherever they stand.
//!
//! In a `message/delivery-status` part, in a part with a wrong type, in running text or quoted by a
//! person who forwards a report: the fields are the same. Groups are split at empty lines and where a
//! recipient field repeats without one.

use posthaste_core::enhanced::EnhancedStatus;

use super::addresses;
use super::lines;

/// Recipients that are read of one report.
const MAX_RECIPIENTS: usize = 1_000;

/// What the server says it did (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Failed,
    Delayed,
    /// Delivered, relayed, expanded: no failure.
    Passed,
}

/// One per-recipient group.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub final_recipient: Option<String>,
    pub original_recipient: Option<String>,
    pub actual_recipient: Option<String>,
    /// The final recipient, where it is a name without a domain.
    pub local_name: Option<String>,
    pub done: Option<Done>,
    pub status: Option<EnhancedStatus>,
    pub diagnostic: Option<String>,
    /// What stands in brackets behind the status.
    pub comment: Option<String>,
    pub host: Option<String>,
    touched: bool,
}

impl Group {
    /// Addresses in the order in which they should be believed.
    pub(super) fn addresses(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for address in [
            &self.final_recipient,
            &self.original_recipient,
            &self.actual_recipient,
        ] {
            if let Some(address) = address
                && !all.iter().any(|have| addresses::same(have, address))
            {
                all.push(address.clone());
            }
        }
        all
    }

    /// Of whom it says what: equal for fields that only repeat others. Nothing where nobody is named.
    pub(super) fn says(&self) -> Option<impl Eq + std::hash::Hash + use<>> {
        let address = self.addresses().into_iter().next()?;
        let address = address.trim_end_matches('.').to_ascii_lowercase();
        let done = self.done.map(|done| done as u8);
        let status = self.status.map(|status| status.to_string());
        Some((address, done, status, self.diagnostic.clone()))
    }

    /// What was done, from the field or else from the class of the status (RFC 3463 §3.1).
    pub(super) fn outcome(&self) -> Option<Done> {
        self.done.or_else(|| match self.status?.class {
            2 => Some(Done::Passed),
            4 | 5 => Some(Done::Failed),
            _ => None,
        })
    }
}

/// A report's fields.
#[derive(Debug, Clone, Default)]
pub(super) struct DeliveryStatus {
    pub envelope_id: Option<String>,
    pub groups: Vec<Group>,
}

/// Whether a text has delivery status fields at the start of lines.
pub(super) fn is_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    ["inal-Recipient:", "inal-recipient:"]
        .iter()
        .flat_map(|name| memchr::memmem::find_iter(bytes, name.as_bytes()))
        .any(|at| starts_line(bytes.get(..at).unwrap_or_default()))
}

/// Whether the text ends in the beginning of such a field at the start of a line, indented or quoted.
fn starts_line(before: &[u8]) -> bool {
    let name = [&b"F"[..], b"f", b"Orig", b"orig"]
        .iter()
        .find_map(|head| before.strip_suffix(*head));
    let Some(before) = name else { return false };
    let mark = |b: &&u8| matches!(**b, b' ' | b'\t' | b'>');
    let indent = before.iter().rev().take(5).take_while(mark).count();
    let edge = before.get(..before.len() - indent).unwrap_or_default();
    indent <= 4 && edge.last().is_none_or(|b| *b == b'\n')
}

/// Reads the fields of a text; lines that are no such fields are passed over.
pub(super) fn parse(text: &str) -> DeliveryStatus {
    let mut report = DeliveryStatus::default();
    let mut group = Group::default();
    let mut field: Option<(String, String)> = None;
    for line in lines::of(text).chain(std::iter::once("")) {
        let folded = line.starts_with([' ', '\t']) && field.is_some();
        if folded && !line.trim().is_empty() {
            if let Some((_, value)) = &mut field
                && value.len() < 8192
            {
                value.push('\n');
                value.push_str(line.trim());
            }
            continue;
        }
        if let Some((name, value)) = field.take() {
            put(&mut report, &mut group, &name, &value);
        }
        if line.trim().is_empty() {
            close(&mut report, &mut group);
            if report.groups.len() >= MAX_RECIPIENTS {
                break;
            }
            continue;
        }
        field = line.trim_start().split_once(':').and_then(|(name, value)| {
            let name = name.trim().to_ascii_lowercase();
            is_known(&name).then(|| (name, value.trim().to_owned()))
        });
    }
    report
}

fn is_known(name: &str) -> bool {
    matches!(
        name,
        "original-envelope-id"
            | "final-recipient"
            | "original-recipient"
            | "x-actual-recipient"
            | "action"
            | "status"
            | "diagnostic-code"
            | "remote-mta"
            | "reporting-mta"
            | "arrival-date"
            | "last-attempt-date"
    )
}

fn put(report: &mut DeliveryStatus, group: &mut Group, name: &str, value: &str) {
    let recipient_field = matches!(name, "final-recipient" | "original-recipient");
    let repeats = match name {
        "final-recipient" => group.final_recipient.is_some(),
        "original-recipient" => {
            let complete =
                group.done.is_some() && (group.status.is_some() || group.diagnostic.is_some());
            group.original_recipient.is_some() || (group.final_recipient.is_some() && complete)
        }
        _ => false,
    };
    if recipient_field && repeats {
        close(report, group);
    }
    match name {
        "original-envelope-id" => report.envelope_id = Some(value.to_owned()),
        "final-recipient" => {
            let value = flat(value);
            group.final_recipient = addresses::of_field(&value);
            let name = value.rsplit(';').next().unwrap_or_default().trim();
            group.local_name = (!name.is_empty()).then(|| name.to_owned());
        }
        "original-recipient" => group.original_recipient = addresses::of_field(&flat(value)),
        "x-actual-recipient" => group.actual_recipient = addresses::of_field(&flat(value)),
        "action" => group.done = action(value),
        "status" => {
            group.status = first_status(value);
            group.comment = comment(value);
        }
        "diagnostic-code" => group.diagnostic = Some(diagnostic(value)),
        "remote-mta" => group.host = host(value),
        _ => return,
    }
    group.touched |= name != "original-envelope-id";
}

fn close(report: &mut DeliveryStatus, group: &mut Group) {
    let group = std::mem::take(group);
    if !group.touched {
        return;
    }
    let named = !group.addresses().is_empty();
    // A blank line inside a group: what follows belongs to the recipient before.
    match report.groups.last_mut() {
        Some(last) if !named && last.done.is_none() && last.diagnostic.is_none() => {
            last.done = group.done;
            last.status = last.status.or(group.status);
            last.diagnostic = group.diagnostic;
            last.host = last.host.take().or(group.host);
        }
        Some(last) if !last.touched => {}
        _ if named || group.done.is_some() => report.groups.push(group),
        _ => {}
    }
}

fn flat(value: &str) -> String {
    value.replace('\n', "")
}

fn action(value: &str) -> Option<Done> {
    let word: String = value
        .trim()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    match word.as_str() {
        "failed" | "failure" | "expired" | "error" => Some(Done::Failed),
        "delayed" | "deferred" => Some(Done::Delayed),
        "delivered" | "relayed" | "expanded" | "deliverable" => Some(Done::Passed),
        _ => None,
    }
}

fn first_status(value: &str) -> Option<EnhancedStatus> {
    value
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find_map(EnhancedStatus::parse)
}

/// `4.0.0 (host name lookup failure)`: the words in brackets.
fn comment(value: &str) -> Option<String> {
    let (_, text) = value.split_once('(')?;
    let text = text.trim().trim_end_matches(')');
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text of a diagnostic without its type (`smtp; 550 …`, RFC 3464 §2.3.6).
fn diagnostic(value: &str) -> String {
    let (kind, text) = match value.split_once(';') {
        Some((kind, text)) if is_type(kind) => (kind.trim(), text),
        _ => ("", value),
    };
    // Domino folds in the middle of words; others fold between them.
    let joint = if kind.eq_ignore_ascii_case("x-notes") {
        ""
    } else {
        " "
    };
    text.trim().replace('\n', joint)
}

fn is_type(kind: &str) -> bool {
    let kind = kind.trim();
    !kind.is_empty()
        && kind.len() <= 24
        && kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// The host of `dns; mx.example.com (…)`.
fn host(value: &str) -> Option<String> {
    let name = value
        .rsplit_once(';')
        .map_or(value, |(_, name)| name)
        .trim();
    let name = name.split([' ', '(', '\n']).next().unwrap_or_default();
    let name = name.trim_matches(['[', ']', '<', '>', '.']);
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_each_alone() {
        let report = parse(
            "Reporting-MTA: dns; a.example\nOriginal-Envelope-Id: E1\n\n\
             Original-Recipient: rfc822;a@example.com\nFinal-Recipient: rfc822;b@example.com\n\
             Action: failed\nStatus: 5.1.1 (permanent)\nRemote-MTA: dns; MX.Example.com (x)\n\
             Diagnostic-Code: smtp; 550 5.1.1\n  no such user\n\n\
             Final-Recipient: rfc822; c@example.com\nAction: delivered\nStatus: 2.0.0\n",
        );
        assert_eq!(report.envelope_id.as_deref(), Some("E1"));
        assert_eq!(report.groups.len(), 2);
        let first = &report.groups[0];
        assert_eq!(first.addresses(), ["b@example.com", "a@example.com"]);
        assert_eq!(first.outcome(), Some(Done::Failed));
        assert_eq!(first.diagnostic.as_deref(), Some("550 5.1.1 no such user"));
        assert_eq!(first.host.as_deref(), Some("mx.example.com"));
        assert_eq!(report.groups[1].outcome(), Some(Done::Passed));
    }

    #[test]
    fn groups_without_an_empty_line_are_split() {
        let report = parse(
            "Final-Recipient: rfc822; a@example.com\nAction: failed\nFinal-Recipient: rfc822; b@example.com\nAction: delayed\n",
        );
        let done: Vec<_> = report.groups.iter().map(Group::outcome).collect();
        assert_eq!(done, [Some(Done::Failed), Some(Done::Delayed)]);
    }

    #[test]
    fn fields_are_seen_only_at_line_starts() {
        assert!(is_in("x\nFinal-Recipient: rfc822; a@example.com"));
        assert!(is_in("> Original-Recipient: rfc822; a@example.com"));
        assert!(!is_in("the words Final-Recipient: in a sentence"));
    }
}
