//! Rejections by the recipient's own script (Sieve `reject`, RFC 5429 §2.1.1), told as a disposition notification.
//!
//! Cyrus, Dovecot and Pigeonhole accept a mail, then say in a `message/disposition-notification` (RFC 8098) that it was
//! deleted by an automatic action, and in the text beside it that it was rejected and why. To the sender this
//! is a delivery that failed. A notification that a person deleted a mail is none.

use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::judge::{Said, judge};
use super::notice::{self, Notice};
use super::outer::Outer;
use super::report::{Kind, Report};
use super::structure::{PartKind, Structure};
use super::vocabulary::Sign;

/// Reads such a rejection into the report; `false` when the notification is another one.
pub(super) fn read(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    rules: &RuleSet,
    report: &mut Report,
) -> bool {
    let Some(part) = mail
        .parts
        .iter()
        .find(|p| p.kind == PartKind::Disposition && p.level == 0)
    else {
        return false;
    };
    let fields = notice::text_of(part);
    let disposition = field(&fields, "disposition").unwrap_or_default();
    let deleted = disposition.to_ascii_lowercase();
    let automatic = deleted.contains("automatic-action")
        && ["deleted", "denied", "failed"]
            .iter()
            .any(|done| deleted.contains(done));
    let says = text.signs.has(Sign::Failure) || outer.subject_signs.has(Sign::Failure);
    // `was deleted without being read`: the reader's own doing.
    let unread = text.signs.has(Sign::Routine);
    if !automatic || !says || unread {
        return false;
    }
    let mut named: Vec<String> = Vec::new();
    for name in ["final-recipient", "original-recipient"] {
        let address = field(&fields, name).and_then(addresses::of_field);
        if let Some(address) = address
            && !named.iter().any(|have| addresses::same(have, &address))
        {
            named.push(address);
        }
    }
    report.kind = Kind::Bounce;
    report.dialect = Some("sieve-reject".to_owned());
    report
        .steps
        .push("the recipient's script rejected it (RFC 5429 §2.1.1)".to_owned());
    if named.is_empty() {
        return true;
    }
    let whole = text.before();
    let reason = whole.split_once(":\n").map_or("", |(_, reason)| reason);
    report.recipients = vec![judge(
        Said {
            addresses: named,
            texts: vec![
                reason.to_owned(),
                whole.to_owned(),
                "refused by recipient".to_owned(),
            ],
            ..Said::default()
        },
        rules,
    )];
    true
}

/// The value of the first field of that name.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}
