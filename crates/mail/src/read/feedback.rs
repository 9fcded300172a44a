//! Complaints: feedback reports (RFC 5965) and the formats that came before or beside them.

use posthaste_core::failure::{FailureReason, FailureType, Party};

use super::addresses;
use super::evidence;
use super::lines::{field_name, is_longer};
use super::notice::{self, Notice};
use super::report::{Action, FailedRecipient, Original};
use super::structure::{Headers, PartKind, Structure};
use super::vocabulary::{Sign, Vocabulary};

/// Complaining recipients of one report, at most.
const MAX_RECIPIENTS: usize = 1_000;

/// A complaint as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub feedback_type: String,
    pub recipients: Vec<String>,
    pub dialect: &'static str,
    pub step: &'static str,
}

/// The outer headers, decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outer<'a> {
    pub from: &'a str,
    pub subject: &'a str,
}

/// A feedback report by its part (RFC 5965 §2), if there is one.
pub(super) fn arf(mail: &Structure<'_>, original: &Original) -> Option<Complaint> {
    let part = mail
        .parts
        .iter()
        .find(|p| p.kind == PartKind::Feedback && p.level == 0);
    let text = match part {
        Some(part) => notice::text_of(part).into_owned(),
        // The type is said, but the part has another one.
        None if mail.report_type.as_deref() == Some("feedback-report") => notice::gather(mail, 0),
        None => return None,
    };
    let mut fields = Fields::default();
    for line in text.lines().take(2_000) {
        fields.take(line);
    }
    let recipients = fields.recipients(original);
    Some(Complaint {
        feedback_type: fields.kind.unwrap_or_else(|| "abuse".to_owned()),
        recipients,
        dialect: "rfc5965",
        step: "a feedback report part says of which type the report is and whom it is about",
    })
}

#[derive(Default)]
struct Fields {
    kind: Option<String>,
    original: Vec<String>,
    removal: Vec<String>,
}

impl Fields {
    fn take(&mut self, line: &str) {
        let Some(name) = field_name(line.as_bytes()) else {
            return;
        };
        let value = line.get(name.len()..).unwrap_or_default();
        let value = value.trim_start().trim_start_matches(':').trim();
        let is = |n: &str| name.eq_ignore_ascii_case(n.as_bytes());
        if is("feedback-type") && self.kind.is_none() {
            let word = value.split([' ', ';', '\t']).next().unwrap_or_default();
            self.kind = (!word.is_empty()).then(|| word.to_ascii_lowercase());
        } else if is("original-rcpt-to") && self.original.len() < MAX_RECIPIENTS {
            self.original.extend(addresses::of_field(value));
        } else if (is("removal-recipient") || is("x-hmxmroriginalrecipient"))
            && self.removal.len() < MAX_RECIPIENTS
        {
            self.removal.extend(addresses::of_field(value));
        }
    }

    /// Original-Rcpt-To, else Removal-Recipient, else whom the returned message was to.
    fn recipients(&mut self, original: &Original) -> Vec<String> {
        let stated = if self.original.is_empty() {
            &mut self.removal
        } else {
            &mut self.original
        };
        if stated.is_empty() {
            only_one(original)
        } else {
            std::mem::take(stated)
        }
    }
}

fn only_one(original: &Original) -> Vec<String> {
    match original.recipients.as_slice() {
        [one] if !original.more_recipients => vec![one.clone()],
        // The most telling field comes first; when it differs from To, it is the one that complained.
        [first, ..] if first.contains('@') => vec![first.clone()],
        _ => Vec::new(),
    }
}

/// A complaint that is no feedback report: the message is passed on by a provider's desk.
pub(super) fn passed_on(
    mail: &Structure<'_>,
    outer: Outer<'_>,
    text: &Notice,
    original: &Original,
    vocabulary: &Vocabulary,
) -> Option<Complaint> {
    let reporter = hotmail_recipient(mail);
    let subject = vocabulary.subject.signs(outer.subject);
    let returned = mail
        .parts
        .iter()
        .any(|p| matches!(p.kind, PartKind::Message | PartKind::MessageHeaders));
    let complains = subject.has(Sign::Complaint) || text.signs.has(Sign::Complaint);
    let desk = vocabulary.passes_complaints(outer.from);
    let is_complaint =
        reporter.is_some() || (complains && (returned || desk || original.message_id.is_some()));
    let told = || Some(only_one(original)).filter(|one| !one.is_empty());
    is_complaint.then(|| Complaint {
        feedback_type: "abuse".to_owned(),
        recipients: reporter
            .map(|address| vec![address])
            .or_else(told)
            .unwrap_or_else(|| summed_up(mail, outer, text, vocabulary)),
        dialect: "complaint",
        step: "a provider's desk passes a complaint on, without a feedback report part",
    })
}

/// For whom the message was as the desk sums it up, where it names one that the mail is not from or to.
fn summed_up(
    mail: &Structure<'_>,
    outer: Outer<'_>,
    text: &Notice,
    vocabulary: &Vocabulary,
) -> Vec<String> {
    let to = mail.headers.get("to").unwrap_or_default();
    let aside = |address: &String| {
        [outer.from, &*to]
            .iter()
            .filter_map(|field| addresses::first(field))
            .any(|own| addresses::same(own, address))
    };
    let mut named = vocabulary.labels.summary(text.before()).recipients;
    if named.is_empty() {
        let all = evidence::thirds(text.before(), &[]);
        named.extend(all.into_iter().map(|(address, _)| address.to_owned()));
    }
    named.retain(|address| !aside(address) && !addresses::is_role(address));
    named.dedup();
    if named.len() == 1 { named } else { Vec::new() }
}

/// Whom Microsoft's programme says the message was for.
fn hotmail_recipient(mail: &Structure<'_>) -> Option<String> {
    mail.parts
        .iter()
        .filter(|p| p.kind == PartKind::Message)
        .find_map(|part| {
            let (headers, _) = Headers::parse(part.body.trim_ascii_start());
            let value = headers.get("x-hmxmroriginalrecipient")?;
            addresses::of_field(&value)
        })
}

/// A wish to leave the list, sent by a mail program's unsubscribe button (RFC 2369 §3.2).
pub(super) fn opt_out(
    outer: Outer<'_>,
    text: &Notice,
    vocabulary: &Vocabulary,
) -> Option<Complaint> {
    let subject = outer.subject.trim().to_lowercase();
    let asked = vocabulary.subject.signs(&subject).has(Sign::OptOut)
        && subject.split_whitespace().count() <= 3
        && subject.starts_with(|c: char| c.is_alphanumeric());
    let short = !is_longer(text.before(), 60);
    let reply = subject.starts_with("re:") || subject.starts_with("fw");
    // A list's own program tells what it did.
    let routine =
        vocabulary.subject.signs(&subject).has(Sign::Routine) || text.signs.has(Sign::Routine);
    (asked && short && !reply && !routine).then(|| Complaint {
        feedback_type: "opt-out".to_owned(),
        recipients: addresses::first(outer.from)
            .map(str::to_owned)
            .into_iter()
            .collect(),
        dialect: "unsubscribe",
        step: "a short mail whose subject asks to be taken off the list",
    })
}

/// The complaining recipients as failures: hard, refused (decisions C20); other feedback is ignored.
pub(super) fn recipients(complaint: &Complaint) -> Vec<FailedRecipient> {
    let complains = !matches!(
        complaint.feedback_type.as_str(),
        "auth-failure" | "not-spam" | "dmarc"
    );
    let mut addresses = complaint.recipients.clone();
    if addresses.is_empty() && complains {
        addresses.push(String::new());
    }
    let diagnostic = format!("Feedback report of type {}", complaint.feedback_type);
    addresses
        .into_iter()
        .map(|address| FailedRecipient {
            address,
            also: Vec::new(),
            kind: if complains {
                FailureType::Hard
            } else {
                FailureType::Ignored
            },
            reason: FailureReason::Refused,
            party: if complains {
                Party::Recipient
            } else {
                Party::Sender
            },
            status: None,
            reply_code: None,
            action: Action::Complained,
            host: None,
            normalised: diagnostic.clone(),
            diagnostic: diagnostic.clone(),
            rule: "feedback-report".into(),
            version: 1,
            confidence: 95,
        })
        .collect()
}
