//! Bounces: from the delivery status fields, from the text in a dialect, from any text.

use std::collections::HashSet;

use posthaste_core::failure::FailureReason;
use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::auto_reply;
use super::bare_names;
use super::delivery_status::{self, DeliveryStatus, Done, Group};
use super::dialects::{self, Dialect, Looks};
use super::evidence::{by_meaning, judged, only_address, sentence_of, understood, why_bounce};
use super::generic::{self, Around, Reading};
use super::judge::{Said, judge};
use super::lines::first_chars;
use super::local_names;
use super::notice::{self, Notice};
use super::original;
use super::outer::{Outer, is_conversation, quotes};
use super::placed::is_glue;
use super::report::{Kind, Report};
use super::said::by_program;
use super::structure::{PartKind, Structure};
use super::summary;
use super::unnamed;
use super::vocabulary::{self, Sign};

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
    if let Some(step) = why_none(mail, outer, text, &status) {
        report.steps.push(step.to_owned());
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
    add_told(outer, text, vocabulary);
    let told = original::recipients_told(&report.original).to_vec();
    let mut reading = whom(outer, text, &told, (dialect, rules));
    let named = !reading.named.is_empty();
    let denied = |one: &generic::Named| one.is_told() && !one.is_accepted();
    let another = reading.named.iter().any(denied);
    reading.named.retain(|named| {
        let accepted = another && named.is_accepted();
        !accepted && !got_it(named, text, vocabulary)
    });
    let confirmed = named && reading.named.is_empty();
    let refused = reading.named.iter().any(generic::Named::is_told);
    if status.groups.is_empty() && (confirmed || (succeeded(outer, text) && !refused)) {
        report
            .steps
            .push("subject or text confirm the delivery".to_owned());
        return true;
    }
    if read_fields(&status, text, (&reading, dialect, rules), report) {
        unnamed::complete(mail, report);
        return true;
    }
    read_text(mail, outer, text, (reading, dialect, rules), report)
}

/// Whom the text names as failed: in places where reports put it, by what is said, or as the only one.
fn whom(
    outer: &Outer,
    text: &Notice,
    recipients: &[String],
    (dialect, rules): (Option<&Dialect>, &RuleSet),
) -> Reading {
    let vocabulary = vocabulary::shipped();
    let mut bystanders = outer.bystanders.clone();
    bystanders.extend(vocabulary.labels.summary(text.before()).senders);
    let from = addresses::first(&outer.from).unwrap_or_default();
    let said = local_names::completed(text.before(), recipients, vocabulary);
    let around = around_of(&bystanders, from, recipients);
    let mut reading = generic::read(&said, around, vocabulary, dialect);
    if reading.named.is_empty() {
        reading.named = by_meaning(text.before(), &bystanders, vocabulary, rules);
    }
    if outer.robot && !reading.strong {
        // A program that answers under the name of the address that it speaks of.
        bystanders.retain(|b| !addresses::same(b, from));
        let mut named = by_meaning(text.before(), &bystanders, vocabulary, rules);
        if !reading.named.is_empty() {
            named.retain(|one| addresses::same(&one.address, from));
        }
        if !named.is_empty() {
            reading.named = named;
        }
    }
    if reading.named.is_empty() && outer.daemon {
        // The transcript may stand below the returned message.
        let below = generic::read(
            text.after(),
            around_of(&bystanders, from, recipients),
            vocabulary,
            dialect,
        );
        if below.strong {
            let named = below.named.into_iter();
            reading.named = named.filter(generic::Named::is_told).collect();
        }
    }
    if outer.daemon && (recipients.len() != 1 || !reading.named.is_empty()) {
        let more = named_at_host(text.before(), from, &reading.named);
        reading.named.extend(more);
    }
    if reading.named.is_empty() {
        let only = only_address(text, outer, &bystanders, rules);
        reading.named.extend(only);
    }
    reading
}

/// Recipients that are looked for in a list, and lines of one.
const MAX_LISTED: usize = 20;

/// Whom the reporting host names without a domain; beside others that stand in a list only those that stand there, too.
fn named_at_host(text: &str, from: &str, known: &[generic::Named]) -> Vec<generic::Named> {
    let host = from.rsplit_once('@').map_or("", |(_, host)| host);
    let mut named = bare_names::at_host(text, host, vocabulary::shipped());
    let others = || known.iter().flat_map(generic::Named::names);
    let mut first = others().take(MAX_LISTED);
    let listing =
        text.contains("(expanded from") || first.any(|other| bare_names::has_line(text, other));
    named.retain(|new| {
        (!listing || bare_names::is_listed(text, &new.address))
            && !others().any(|other| addresses::same_local(other, &new.address))
    });
    named
}

fn around_of<'a>(bystanders: &'a [String], from: &'a str, recipients: &'a [String]) -> Around<'a> {
    Around {
        bystanders,
        from,
        recipients,
    }
}

/// Whether the words beside an address, or those that lead to it on its line, say that this one got the mail.
fn got_it(named: &generic::Named, text: &Notice, vocabulary: &vocabulary::Vocabulary) -> bool {
    let bare = named.own.trim_start_matches('<');
    let own = bare.strip_prefix(named.address.as_str()).unwrap_or(bare);
    // Sendmail: `<jane@example.org>... Sent (Ok)`.
    let rest = own.trim_start_matches(['>', '.', ' ']);
    if rest == "Sent" || rest.starts_with("Sent (") {
        return true;
    }
    let first = own.split_whitespace().next();
    let first = first.unwrap_or_default().trim_end_matches([',', '.']);
    let is_first = |word: &String| first.eq_ignore_ascii_case(word);
    vocabulary.passed.iter().any(is_first)
        || (text.signs.has(Sign::Success) && is_told_delivered(named, text, vocabulary))
}

/// Whether the words beside an address, those that lead to it or its sentence confirm the delivery.
fn is_told_delivered(
    named: &generic::Named,
    text: &Notice,
    vocabulary: &vocabulary::Vocabulary,
) -> bool {
    let before = text.before();
    let at = before.find(&named.address).unwrap_or_default();
    let lead = before.get(..at).and_then(|b| b.rsplit('\n').next());
    let sentence = sentence_of(text, &named.address);
    // What is said in the next sentence may be said of others.
    let own = named.own.split(". ").next();
    let heading = Some(named.heading.as_str());
    let list = before.get(..at).and_then(heading_of_list);
    let list = list.filter(|_| !named.is_told());
    let mut told = [own, lead, heading, list, sentence.as_deref()]
        .into_iter()
        .flatten();
    told.any(|said| is_confirmed(said, vocabulary))
}

/// The line with a colon right above a list that a text ends in: `Sent and delivered OK:` and below it addresses.
fn heading_of_list(text: &str) -> Option<&str> {
    let item = |line: &&str| {
        let line = line.trim();
        line.starts_with('<') && (line.len() == 1 || line.ends_with('>'))
    };
    let mut above = text.lines().rev().take(MAX_LISTED).skip_while(item);
    above.next().filter(|line| line.trim_end().ends_with(':'))
}

/// Whether what is said beside an address confirms the delivery, and nothing else.
fn is_confirmed(own: &str, vocabulary: &vocabulary::Vocabulary) -> bool {
    let signs = vocabulary.text.signs(own);
    signs.has(Sign::Success) && !signs.has(Sign::Failure) && !signs.has(Sign::Delay)
}

/// Adds the sign of a failure where a mail system, or a mail of that subject, tells it in words of its own.
fn add_told(outer: &Outer, text: &mut Notice, vocabulary: &vocabulary::Vocabulary) {
    let signs = [Sign::Failure, Sign::Delay, Sign::Success];
    let known = signs.iter().any(|sign| text.signs.has(*sign));
    let subject = outer.subject_signs.has(Sign::Failure);
    if !known
        && (outer.daemon || outer.null_path || outer.robot || subject)
        && !outer.subject_signs.has(Sign::Success)
        && vocabulary.undelivered.is_told(text.before())
    {
        text.signs.add(Sign::Failure);
    }
}

/// Why a mail is no report at all: a person's words, or a summary for those who run the system.
fn why_none(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    status: &DeliveryStatus,
) -> Option<&'static str> {
    let forward = auto_reply::is_forward(&outer.subject);
    let with_fields = forward && !status.groups.is_empty();
    // Programs that answer do not say with what a person writes.
    let written =
        mail.headers.get("x-mailer").is_some() || mail.headers.get("user-agent").is_some();
    let passed_on = forward || written || is_conversation(mail) || quotes(text);
    if outer.answers() && !with_fields && passed_on {
        return Some("a person answers or forwards: no report of a mail system");
    }
    let own = text.signs.has(Sign::Routine) && !outer.null_path;
    // `Undeliverable: Welcome to …`: behind the word for a failure stands the subject of what came back.
    let titled = outer.subject_signs.has(Sign::Routine) && !outer.subject_signs.has(Sign::Failure);
    let routine = (own || titled) && status.groups.is_empty();
    routine
        .then_some("a report for those who run a mail system or a list, or on a reader's mailbox")
}

/// Reads the failed recipients of the delivery status fields; `false` when they name none.
fn read_fields(
    status: &DeliveryStatus,
    text: &Notice,
    (reading, dialect, rules): (&Reading, Option<&Dialect>, &RuleSet),
    report: &mut Report,
) -> bool {
    let mut known = HashSet::new();
    let failed: Vec<&Group> = status
        .groups
        .iter()
        .filter(|g| matches!(g.outcome(), Some(Done::Failed | Done::Delayed)))
        // Reports have given one recipient twice.
        .filter(|g| g.says().is_none_or(|says| known.insert(says)))
        .collect();
    if failed.is_empty() {
        return false;
    }
    report.kind = Kind::Bounce;
    report.dialect = Some(dialect.map_or("rfc3464", |d| d.name.as_str()).to_owned());
    report.steps.push(format!(
        "delivery status fields name {} failed recipients (RFC 3464)",
        failed.len()
    ));
    let single = failed.len() == 1;
    let known = &report.original.recipients;
    report.recipients = failed
        .iter()
        .map(|group| {
            let mut said = said_by_group(group, reading, text, single);
            if said.addresses.is_empty()
                && let Some(name) = &group.local_name
            {
                said.addresses.extend(local_names::address_of(name, known));
            }
            put_lead_first(&mut said.texts, dialect, &reading.before);
            let address = said.addresses.first().cloned().unwrap_or_default();
            put_program_first(&mut said.texts, dialect, (text.before(), &address), rules);
            judge(said, rules)
        })
        .collect();
    let more = left_out(status, reading, rules);
    report.recipients.extend(more.map(|named| {
        let said = Said {
            addresses: named.addresses(),
            texts: named.texts(),
            ..Said::default()
        };
        judge(said, rules)
    }));
    true
}

/// Recipients that the text lists as failed, with a reply or what is known to fail for each, beside those of the fields: reports have lost fields
/// on their way. Where no name of the text is in the fields, the two may call the same ones differently.
fn left_out<'a>(
    status: &'a DeliveryStatus,
    reading: &'a Reading,
    rules: &'a RuleSet,
) -> impl Iterator<Item = &'a generic::Named> {
    let in_fields = |named: &generic::Named| {
        let mut groups = status.groups.iter().flat_map(Group::addresses);
        let mut names = status
            .groups
            .iter()
            .filter_map(|group| group.local_name.as_deref());
        groups.any(|field| named.names().any(|name| addresses::alike(&field, name)))
            || names.any(|local| named.names().any(|name| is_local(name, local)))
    };
    let shared = reading.strong && reading.named.iter().any(in_fields);
    let told = |named: &generic::Named| {
        let replied = named.is_told() || super::reply::find(&named.mentions).is_some();
        replied || super::evidence::is_known_failure(&named.address, vec![named.own.clone()], rules)
    };
    let named = reading.named.iter().filter(move |_| shared);
    named.filter(move |named| !in_fields(named) && told(named))
}

/// Whether an address has this local part: `<jane>`, where fields name her without a domain.
fn is_local(address: &str, local: &str) -> bool {
    let (of, _) = address.rsplit_once('@').unwrap_or_default();
    let marks = ['<', '>', '"'];
    of.trim_matches(marks)
        .eq_ignore_ascii_case(local.trim_matches(marks))
}

/// Whether a report without fields confirms a delivery.
fn succeeded(outer: &Outer, text: &Notice) -> bool {
    let failure = text.signs.has(Sign::Failure) || text.signs.has(Sign::Delay);
    !failure && (outer.subject_signs.has(Sign::Success) || text.signs.has(Sign::Success))
}

/// The fields of all status parts, or of a text that has them.
fn status_of(mail: &Structure<'_>, outer: &Outer, text: &Notice) -> DeliveryStatus {
    let deep = outer.daemon || outer.null_path || outer.subject_signs.has(Sign::Failure);
    // Sent to subscribers (RFC 2369): what it shows of a report is an example.
    let shows = mail.headers.get("list-unsubscribe").is_some() && !outer.null_path;
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
    if all.groups.is_empty() && !shows && delivery_status::is_in(text.before()) {
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
    if leads.is_empty() {
        return;
    }
    let told = before.lines().map(str::trim).find(|line| {
        let line = line.to_lowercase();
        leads.iter().any(|lead| line.contains(lead.as_str()))
    });
    if let Some(line) = told {
        texts.insert(0, line.to_owned());
    }
}

/// Puts what a program said of a recipient in front, where the reply below it says nothing.
fn put_program_first(
    texts: &mut Vec<String>,
    dialect: Option<&Dialect>,
    (text, address): (&str, &str),
    rules: &RuleSet,
) {
    let hollow = dialect.map_or(&[][..], |d| d.hollow.as_slice());
    let said = by_program(text, address, hollow);
    // Of other troubles of a program the recipient knows as little as the sender.
    let full = |said: &String| {
        let judged = judged(address, vec![said.clone()], rules);
        judged.reason == FailureReason::MailboxFull
    };
    texts.splice(0..0, said.filter(full));
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
            for address in named.names() {
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
    (mut reading, dialect, rules): (Reading, Option<&Dialect>, &RuleSet),
    report: &mut Report,
) -> bool {
    let reported = mail.report_type.as_deref() == Some("delivery-status");
    let step = Some(())
        .filter(|()| !outer.answers())
        .and_then(|()| why_bounce(mail, outer, text, &reading, (dialect, reported)))
        .or_else(|| understood(mail, outer, text, &reading, rules));
    let stopped = summary::stopped(mail, outer, text, &vocabulary::shipped().labels);
    let by_filter = || "a filter sums up our message and says that it stopped it".to_owned();
    let step = step.or_else(|| (!stopped.is_empty()).then(by_filter));
    let Some(step) = step else {
        return false;
    };
    report.kind = Kind::Bounce;
    report.dialect = Some(dialect.map_or("generic", |d| d.name.as_str()).to_owned());
    report.steps.push(step);
    if reading.named.is_empty() {
        let named = stopped.iter().map(|address| generic::Named {
            address: address.clone(),
            ..generic::Named::default()
        });
        reading.named.extend(named);
    }
    let delayed = text.signs.has(Sign::Delay) || outer.subject_signs.has(Sign::Delay);
    let is_stopped = |address: &String| stopped.iter().any(|a| addresses::same(a, address));
    report.recipients = reading
        .named
        .iter()
        .map(|named| {
            let mut texts = texts_of(named, (&reading, outer, text), (dialect, rules));
            if is_stopped(&named.address) {
                texts.push("Message rejected by a content filter".to_owned());
            }
            judge(
                Said {
                    addresses: named.addresses(),
                    texts,
                    delayed,
                    ..Said::default()
                },
                rules,
            )
        })
        .collect();
    if !reading.strong && report.recipients.iter().any(|r| r.confidence > 0) {
        // Where addresses only occur, those of whom nothing is said are bystanders: a new address, a helper.
        report.recipients.retain(|r| r.confidence > 0);
    }
    if report.recipients.is_empty() {
        let mut texts = vec![first_chars(text.before(), 4_000).to_owned()];
        add_meaning(&mut texts, dialect);
        texts.extend([reading.before.clone(), outer.subject.clone()]);
        report.recipients = unnamed::recipients((mail, outer), report, &texts, delayed, rules);
    }
    unnamed::complete(mail, report);
    true
}

/// What a report says of one recipient, the nearest first.
fn texts_of(
    named: &generic::Named,
    (reading, outer, text): (&Reading, &Outer, &Notice),
    (dialect, rules): (Option<&Dialect>, &RuleSet),
) -> Vec<String> {
    let mut texts = named.texts();
    let whole = sentence_of(text, &named.address);
    match whole.map(|said| (others_in(&said, reading, &named.address), said)) {
        // Said of all of a list, and nearer than what follows.
        Some((Others::Listed, said)) => texts.insert(texts.len() - 1, said),
        Some((Others::None, said)) => texts.push(said),
        Some((Others::Apart, _)) | None => {}
    }
    add_meaning(&mut texts, dialect);
    texts.push(reading.before.clone());
    let alone = reading.named.len() == 1;
    // The subject may be about another one of several.
    if alone || !named.is_told() {
        texts.push(outer.subject.clone());
    }
    if alone {
        texts.push(first_chars(text.before(), 1_500).to_owned());
    }
    put_lead_first(&mut texts, dialect, &reading.before);
    put_program_first(&mut texts, dialect, (text.before(), &named.address), rules);
    texts
}

/// Adds, behind the nearest text, what a dialect means that does not tell it.
fn add_meaning(texts: &mut Vec<String>, dialect: Option<&Dialect>) {
    if let Some(means) = dialect.and_then(|d| d.means.clone()) {
        texts.insert(texts.len().min(1), means);
    }
}

/// Other recipients in a sentence that names one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    None,
    /// In one list with it: the sentence is said of all.
    Listed,
    /// What the sentence says may be said of them.
    Apart,
}

fn others_in(said: &str, reading: &Reading, address: &str) -> Others {
    let named = &reading.named;
    let other = |one: &&generic::Named| !addresses::alike(&one.address, address);
    if !named
        .iter()
        .filter(other)
        .any(|one| said.contains(&one.address))
    {
        return Others::None;
    }
    let spans = addresses::find(said);
    let mut between = spans.windows(2).filter_map(|pair| match pair {
        [one, next] => said.get(one.end..next.start),
        _ => None,
    });
    if between.all(is_glue) {
        Others::Listed
    } else {
        Others::Apart
    }
}
