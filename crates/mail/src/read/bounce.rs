//! Bounces: from the delivery status fields, from the text in a dialect, from any text.

use posthaste_core::failure::{FailureType, Party};
use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::auto_reply;
use super::charset;
use super::delivery_status::{self, DeliveryStatus, Done, Group};
use super::dialects::{self, Dialect, Looks};
use super::generic::{self, Around, Reading};
use super::judge::{Said, judge};
use super::local_names;
use super::notice::{self, Notice};
use super::original;
use super::report::{FailedRecipient, Kind, Problem, Report};
use super::structure::{PartKind, Structure};
use super::vocabulary::{self, Sign, Signs, Vocabulary};

/// Percent from which what is said of an address is taken for a report.
const SURE: u8 = 58;
/// Lines with an address that are judged to find out who is meant.
const MAX_MEANT: usize = 40;
/// Bytes of the header block in which a dialect's marks are looked for.
const MAX_MARKS: usize = 8 << 10;

/// The outer headers, decoded once.
#[derive(Debug)]
pub(super) struct Outer {
    pub from: String,
    pub subject: String,
    pub subject_signs: Signs,
    /// A mail system sent it.
    daemon: bool,
    /// The return path is empty (RFC 5321 §4.5.5).
    null_path: bool,
    /// Addresses that are never blamed while others are there: whom it is from and to.
    bystanders: Vec<String>,
    header: Vec<u8>,
}

impl Outer {
    pub(super) fn of(mail: &Structure<'_>, vocabulary: &Vocabulary) -> Self {
        let decoded = |name: &str| {
            mail.headers
                .raw(name)
                .map(charset::header)
                .unwrap_or_default()
        };
        let from = decoded("from");
        let subject = decoded("subject");
        let mut subject_signs = vocabulary.subject.signs(&subject);
        for sign in [Sign::Failure, Sign::Delay] {
            if vocabulary.text.signs(&subject).has(sign) {
                subject_signs.add(sign);
            }
        }
        let path = mail.headers.get("return-path").unwrap_or_default();
        let mut bystanders = Vec::new();
        for text in [&from, &decoded("to")] {
            for span in addresses::find(text) {
                bystanders.extend(text.get(span.start..span.end).map(str::to_owned));
            }
        }
        let mut header = Vec::new();
        for (name, value) in mail.headers.iter() {
            // Programs name themselves in short fields of their own; traces and signatures are long.
            let own = name.len() < 24 && value.len() < 120;
            if header.len() > MAX_MARKS {
                break;
            }
            if !own
                || !name
                    .first()
                    .is_some_and(|b| matches!(b, b'x' | b'X' | b'u' | b'U'))
            {
                continue;
            }
            header.extend_from_slice(name);
            header.push(b':');
            header.extend_from_slice(value);
        }
        Self {
            daemon: vocabulary.is_daemon(&from)
                || addresses::is_system(&path)
                || from.trim() == "<>",
            null_path: path.trim() == "<>",
            subject_signs,
            from,
            subject,
            bystanders,
            header,
        }
    }

    /// Whether the subject is that of an answer or of a mail passed on, and no mail system sent it.
    fn answers(&self) -> bool {
        auto_reply::is_answer(&self.subject) && !self.daemon && !self.null_path
    }
}

/// Whether a mail belongs to a conversation or a list: most programs that report do not say so.
fn is_conversation(mail: &Structure<'_>) -> bool {
    ["in-reply-to", "references", "list-unsubscribe", "list-id"]
        .iter()
        .any(|name| mail.headers.get(name).is_some())
}

fn quotes(text: &Notice) -> bool {
    text.before().lines().any(|line| line.starts_with('>'))
}

/// Reads a bounce into the report; `false` when the mail is none.
pub(super) fn read(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &mut Notice,
    rules: &RuleSet,
    report: &mut Report,
) -> bool {
    let vocabulary = vocabulary::shipped();
    let status = status_of(mail, outer, text);
    let forwarded = auto_reply::is_forward(&outer.subject) && !status.groups.is_empty();
    if outer.answers() && !forwarded && (is_conversation(mail) || quotes(text)) {
        report
            .steps
            .push("a person answers or forwards: no report of a mail system".to_owned());
        return false;
    }
    report.original.envelope_id.clone_from(&status.envelope_id);
    if passed_only(&status) {
        report.steps.push(
            "every recipient was delivered, relayed or expanded (RFC 3464 §2.3.3)".to_owned(),
        );
        return true;
    }
    let dialect = dialects::shipped().know(Looks {
        from: &outer.from,
        subject: &outer.subject,
        header: &outer.header,
        text: text.before(),
    });
    if let Some(dialect) = dialect {
        text.end_by(dialect);
    }
    let around = Around {
        bystanders: &outer.bystanders,
        recipients: &report.original.recipients,
    };
    let said = local_names::completed(text.before(), around.recipients, vocabulary);
    let mut reading = generic::read(&said, around, vocabulary, dialect);
    if reading.named.is_empty() {
        reading.named = by_meaning(text.before(), &outer.bystanders, vocabulary, rules);
    }
    if status.groups.is_empty() && succeeded(outer, text) {
        report
            .steps
            .push("subject or text confirm the delivery".to_owned());
        return true;
    }
    let failed: Vec<&Group> = status
        .groups
        .iter()
        .filter(|g| matches!(g.outcome(), Some(Done::Failed | Done::Delayed)))
        .collect();
    if !failed.is_empty() {
        report.kind = Kind::Bounce;
        report.dialect = Some(dialect.map_or("rfc3464", |d| d.name.as_str()).to_owned());
        report.steps.push(format!(
            "delivery status fields name {} failed recipients (RFC 3464)",
            failed.len()
        ));
        let single = failed.len() == 1;
        report.recipients = failed
            .iter()
            .map(|group| {
                let mut said = said_by_group(group, &reading, text, single);
                if said.addresses.is_empty()
                    && let Some(name) = &group.local_name
                {
                    let known = &report.original.recipients;
                    said.addresses.extend(local_names::address_of(name, known));
                }
                put_lead_first(&mut said.texts, dialect, &reading.before);
                judge(said, rules)
            })
            .collect();
        name_nobody(mail, report);
        return true;
    }
    read_text(mail, outer, text, (reading, dialect, rules), report)
}

/// Whether a report without fields confirms a delivery.
fn succeeded(outer: &Outer, text: &Notice) -> bool {
    let failure = text.signs.has(Sign::Failure) || text.signs.has(Sign::Delay);
    !failure && (outer.subject_signs.has(Sign::Success) || text.signs.has(Sign::Success))
}

/// The fields of all status parts, or of a text that has them.
fn status_of(mail: &Structure<'_>, outer: &Outer, text: &Notice) -> DeliveryStatus {
    let deep = outer.daemon || outer.null_path || outer.subject_signs.has(Sign::Failure);
    let mut all = DeliveryStatus::default();
    let parts = mail
        .parts
        .iter()
        .filter(|p| p.kind == PartKind::DeliveryStatus && (p.level == 0 || deep));
    let mut level = None;
    for part in parts.take(20) {
        if *level.get_or_insert(part.level) != part.level {
            break;
        }
        merge(&mut all, delivery_status::parse(&notice::text_of(part)));
    }
    if all.groups.is_empty() && delivery_status::is_in(text.before()) {
        merge(&mut all, delivery_status::parse(text.before()));
    }
    if all.groups.is_empty() && deep && delivery_status::is_in(text.after()) {
        merge(&mut all, delivery_status::parse(text.after()));
    }
    all
}

fn merge(all: &mut DeliveryStatus, more: DeliveryStatus) {
    all.envelope_id = all.envelope_id.take().or(more.envelope_id);
    all.groups.extend(more.groups);
}

fn passed_only(status: &DeliveryStatus) -> bool {
    !status.groups.is_empty()
        && status
            .groups
            .iter()
            .all(|g| g.outcome() == Some(Done::Passed))
}

/// Puts the line in front that a dialect uses to say what its replies do not.
fn put_lead_first(texts: &mut Vec<String>, dialect: Option<&Dialect>, before: &str) {
    let leads = dialect.map_or(&[][..], |d| d.lead.as_slice());
    let told = before.lines().map(str::trim).find(|line| {
        let line = line.to_lowercase();
        leads.iter().any(|lead| line.contains(lead.as_str()))
    });
    if let Some(line) = told {
        texts.insert(0, line.to_owned());
    }
}

/// What a group says, and what the text says of the same recipient.
fn said_by_group(group: &Group, reading: &Reading, text: &Notice, single: bool) -> Said {
    let mut addresses = group.addresses();
    let mut texts: Vec<String> = group
        .diagnostic
        .iter()
        .chain(&group.comment)
        .cloned()
        .collect();
    let named = reading
        .named
        .iter()
        .find(|n| addresses.iter().any(|a| addresses::same(a, &n.address)))
        .or_else(|| {
            reading
                .named
                .first()
                .filter(|_| single && reading.named.len() == 1)
        });
    match named {
        Some(named) => {
            texts.push(named.own.clone());
            texts.push(named.mentions.clone());
            if single {
                texts.push(named.after.clone());
            }
            for address in named.also.iter().chain(std::iter::once(&named.address)) {
                if !addresses.iter().any(|a| addresses::same(a, address)) {
                    addresses.push(address.clone());
                }
            }
        }
        None if single => texts.push(text.before().to_owned()),
        None => {}
    }
    Said {
        addresses,
        texts,
        status: group.status,
        host: group.host.clone(),
        delayed: group.outcome() == Some(Done::Delayed),
    }
}

/// Reads a report that is text only.
fn read_text(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    (reading, dialect, rules): (Reading, Option<&Dialect>, &RuleSet),
    report: &mut Report,
) -> bool {
    let reported = mail.report_type.as_deref() == Some("delivery-status");
    let step = Some(())
        .filter(|()| !outer.answers())
        .and_then(|()| why_bounce(mail, outer, text, &reading, (dialect, reported)))
        .or_else(|| understood(mail, outer, text, &reading, rules));
    let Some(step) = step else {
        return false;
    };
    report.kind = Kind::Bounce;
    report.dialect = Some(dialect.map_or("generic", |d| d.name.as_str()).to_owned());
    report.steps.push(step);
    let delayed = text.signs.has(Sign::Delay) || outer.subject_signs.has(Sign::Delay);
    let means = dialect.and_then(|d| d.means.clone());
    let extra = |texts: &mut Vec<String>| {
        if let Some(means) = &means {
            texts.insert(texts.len().min(1), means.clone());
        }
        texts.push(reading.before.clone());
        texts.push(outer.subject.clone());
    };
    report.recipients = reading
        .named
        .iter()
        .map(|named| {
            let mut texts = named.texts();
            texts.extend(line_of(text, &named.address));
            extra(&mut texts);
            put_lead_first(&mut texts, dialect, &reading.before);
            let mut addresses = vec![named.address.clone()];
            addresses.extend(named.also.iter().cloned());
            judge(
                Said {
                    addresses,
                    texts,
                    delayed,
                    ..Said::default()
                },
                rules,
            )
        })
        .collect();
    if report.recipients.is_empty() {
        let mut texts = vec![text.before().chars().take(4_000).collect::<String>()];
        extra(&mut texts);
        report.recipients = unnamed(mail, report, &texts, delayed, rules);
    }
    name_nobody(mail, report);
    true
}

/// Recipients from the returned headers, where the text names nobody.
fn unnamed(
    mail: &Structure<'_>,
    report: &mut Report,
    texts: &[String],
    delayed: bool,
    rules: &RuleSet,
) -> Vec<FailedRecipient> {
    let mut addresses = original::only_recipient(&mail.headers, &report.original);
    report.steps.push(format!(
        "the text names nobody, the returned headers name {}",
        addresses.len()
    ));
    if addresses.is_empty() {
        addresses.push(String::new());
    }
    addresses
        .into_iter()
        .map(|address| {
            judge(
                Said {
                    addresses: vec![address],
                    texts: texts.to_vec(),
                    delayed,
                    ..Said::default()
                },
                rules,
            )
        })
        .collect()
}

/// Fills in an address that a report leaves out, where the returned headers name exactly one.
fn name_nobody(mail: &Structure<'_>, report: &mut Report) {
    if let [only] = report.recipients.as_mut_slice()
        && only.address.is_empty()
        && let [one] = original::only_recipient(&mail.headers, &report.original).as_slice()
    {
        only.address.clone_from(one);
    }
    report.recipients.retain(|r| !r.address.is_empty());
    if report.recipients.is_empty() {
        report.problems.push(Problem::NobodyNamed);
    }
}

/// Why a text is a bounce, if it is one.
fn why_bounce(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    reading: &Reading,
    (dialect, reported): (Option<&Dialect>, bool),
) -> Option<String> {
    let subject = outer.subject_signs.has(Sign::Failure) || outer.subject_signs.has(Sign::Delay);
    let says = text.signs.has(Sign::Failure) || text.signs.has(Sign::Delay);
    let system = outer.daemon || outer.null_path;
    let away =
        outer.subject_signs.has(Sign::AutoReply) || (text.signs.has(Sign::AutoReply) && !subject);
    let told = reading
        .named
        .iter()
        .any(|n| super::reply::find(&n.own).is_some() || super::reply::find(&n.after).is_some());
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
    if system && (says || subject) && (reading.strong || subject || told) {
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
    if subject && says && (reading.strong || told || !reading.named.is_empty()) {
        return Some(
            "subject and text speak of a failed delivery, and a recipient is named".to_owned(),
        );
    }
    let returned = mail
        .parts
        .iter()
        .any(|p| matches!(p.kind, PartKind::Message | PartKind::MessageHeaders))
        || text
            .after()
            .lines()
            .take(40)
            .any(|line| line.starts_with("To:"));
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

/// Whether a short mail that belongs to no conversation says of a third address what only a failure report
/// says: whatever its sender and its subject look like.
fn understood(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    reading: &Reading,
    rules: &RuleSet,
) -> Option<String> {
    let away = outer.subject_signs.has(Sign::AutoReply) || text.signs.has(Sign::AutoReply);
    let system = outer.daemon || outer.null_path;
    let most = if system { 600 } else { 150 };
    let words = text.before().split_whitespace().take(most + 1).count();
    if away || is_conversation(mail) || words > most {
        return None;
    }
    let named = reading.named.first()?;
    let line = text
        .before()
        .lines()
        .find(|line| line.contains(&named.address));
    let mut texts: Vec<String> = line.map(str::to_owned).into_iter().collect();
    texts.extend(named.texts());
    texts.push(reading.before.clone());
    let why = if system && reading.strong {
        judged(&named.address, texts, rules).confidence >= SURE
    } else {
        is_known_failure(&named.address, texts, rules)
    };
    why.then(|| "a short mail names an address and says why it cannot be reached".to_owned())
}

/// The line that names an address, whole.
fn line_of(text: &Notice, address: &str) -> Option<String> {
    let mut lines = text.before().lines();
    lines
        .find(|line| line.contains(address))
        .map(|line| line.trim().to_owned())
}

fn judged(address: &str, texts: Vec<String>, rules: &RuleSet) -> FailedRecipient {
    let said = Said {
        addresses: vec![address.to_owned()],
        texts,
        ..Said::default()
    };
    judge(said, rules)
}

/// Whether this says for sure that the recipient's address or mailbox cannot be reached.
fn is_known_failure(address: &str, texts: Vec<String>, rules: &RuleSet) -> bool {
    let failed = judged(address, texts, rules);
    failed.party == Party::Recipient
        && matches!(failed.kind, FailureType::Hard | FailureType::Soft)
        && failed.confidence >= SURE
}

/// Recipients whose own line is known as a failure, where nothing else shows who is meant.
fn by_meaning(
    text: &str,
    bystanders: &[String],
    vocabulary: &Vocabulary,
    rules: &RuleSet,
) -> Vec<generic::Named> {
    let lines = text
        .lines()
        .filter(|line| line.contains('@') && line.len() < 400);
    let mut named: Vec<generic::Named> = Vec::new();
    for line in lines.take(MAX_MEANT) {
        let [span] = addresses::find(line)[..] else {
            continue;
        };
        let address = line.get(span.start..span.end).unwrap_or_default();
        let known = |other: &String| addresses::same(other, address);
        if bystanders.iter().any(known)
            || named.iter().any(|n| known(&n.address))
            || addresses::is_system(address)
            || addresses::is_role(address)
            || vocabulary.speaks_of_contact(line)
        {
            continue;
        }
        if is_known_failure(address, vec![line.to_owned()], rules) {
            named.push(generic::Named {
                address: address.to_owned(),
                own: line.trim().to_owned(),
                ..generic::Named::default()
            });
        }
    }
    named
}

/// Reads a program's answer that the address itself is given up: the sender of the answer is the recipient.
pub(super) fn read_gone(
    outer: &Outer,
    text: &Notice,
    rules: &RuleSet,
    report: &mut Report,
) -> bool {
    let Some(address) = addresses::first(&outer.from).filter(|a| !addresses::is_system(a)) else {
        return false;
    };
    if !text.signs.has(Sign::Gone) || text.before().split_whitespace().take(121).count() > 120 {
        return false;
    }
    report.kind = Kind::Bounce;
    report.dialect = Some("gone".to_owned());
    report
        .steps
        .push("a program answers that the address itself is no longer in use".to_owned());
    let said = Said {
        addresses: vec![address.to_owned()],
        texts: vec![
            text.before().to_owned(),
            "The address is no longer valid".to_owned(),
        ],
        ..Said::default()
    };
    report.recipients = vec![judge(said, rules)];
    true
}

/// The text of the level that speaks: the mail itself, or a report of a mail system that is passed on
/// without a word.
pub(super) fn text_of(mail: &Structure<'_>, vocabulary: &Vocabulary) -> String {
    let outer = notice::gather(mail, 0);
    if outer.contains('@') || outer.split_whitespace().take(31).count() > 30 {
        return outer;
    }
    let inner = mail
        .parts
        .iter()
        .find(|part| part.kind == PartKind::Message && part.level == 0);
    let from = inner.and_then(|part| {
        let (headers, _) = super::structure::Headers::parse(part.body.trim_ascii_start());
        headers.raw("from").map(charset::header)
    });
    if from.is_some_and(|from| vocabulary.is_daemon(&from)) {
        notice::gather(mail, 1)
    } else {
        outer
    }
}
