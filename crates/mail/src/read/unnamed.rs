//! Whom a report is about that names nobody by an address: the returned headers tell it, a return path made for one
//! recipient, a summary, the subject, a name without a domain.

use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::bare_names;
use super::generic::Named;
use super::judge::{Said, judge};
use super::original;
use super::outer::Outer;
use super::report::{FailedRecipient, Problem, Report};
use super::structure::Structure;
use super::vocabulary;

/// The recipients of a report whose text names nobody.
pub(super) fn recipients(
    (mail, outer): (&Structure<'_>, &Outer),
    report: &mut Report,
    texts: &[String],
    delayed: bool,
    rules: &RuleSet,
) -> Vec<FailedRecipient> {
    let text = texts.first().map_or("", String::as_str);
    let mut named = returned(mail, report);
    if !named.is_empty() && named.iter().all(|one| is_near_reader(outer, &one.address)) {
        // `550 jane is not a known user` of another host: what the message was for led to her.
        let told = by_name((mail, outer), text, report);
        if !told.is_empty() {
            named = told;
        }
    }
    if named.is_empty() && original::recipients_told(&report.original).is_empty() {
        named = told(outer, text);
        if named.is_empty() {
            named = by_name((mail, outer), text, report);
        }
        named.extend(
            addresses::list_of(&outer.from)
                .filter(|_| named.is_empty())
                .map(whole),
        );
    }
    if named.is_empty() {
        named.push(Named::default());
    }
    let several = named.len() > 1;
    let judged = |named: Named| {
        let mut own = named.texts();
        own.retain(|text| !text.is_empty());
        let mixed = several && !own.is_empty();
        let said = Said {
            addresses: vec![named.address],
            // What the whole text says may be said of another one.
            texts: own
                .into_iter()
                .chain(texts.iter().filter(|_| !mixed).cloned())
                .collect(),
            delayed,
            ..Said::default()
        };
        judge(said, rules)
    };
    named.into_iter().map(judged).collect()
}

/// Whether an address is at the domain of the report's reader.
fn is_near_reader(outer: &Outer, address: &str) -> bool {
    let mut to = outer.addressees.iter();
    to.any(|reader| addresses::domain_of(reader) == addresses::domain_of(address))
}

fn whole(address: String) -> Named {
    Named {
        address,
        ..Named::default()
    }
}

/// Whom the return path or the returned headers name.
fn returned(mail: &Structure<'_>, report: &mut Report) -> Vec<Named> {
    let found = only_one(mail, report);
    report.steps.push(format!(
        "the text names nobody, the returned headers name {}",
        found.len()
    ));
    found.into_iter().map(whole).collect()
}

fn only_one(mail: &Structure<'_>, report: &Report) -> Vec<String> {
    let found = original::only_recipient(&mail.headers, &report.original);
    if !found.is_empty() {
        return found;
    }
    let own = original::in_own_field(&mail.headers, &report.original);
    if own.is_some() {
        return own.into_iter().collect();
    }
    original::of_return_path(&report.original)
        .into_iter()
        .collect()
}

/// Whom a summary of the message or the subject names.
fn told(outer: &Outer, text: &str) -> Vec<Named> {
    let labels = &vocabulary::shipped().labels;
    let mut found = labels.summary(text).recipients;
    found.retain(|address| !outer.is_bystander(address));
    if found.len() != 1 {
        found = original::in_subject(outer);
    }
    found.into_iter().map(whole).collect()
}

/// Whom the text tells by a name, as addresses at the host that reports. A server of the reader's own tells of others.
fn by_name((mail, outer): (&Structure<'_>, &Outer), text: &str, report: &mut Report) -> Vec<Named> {
    let host = addresses::first(&outer.from)
        .and_then(addresses::domain_of)
        .or_else(|| received_from(mail));
    let readers = &report.original.delivered_to;
    let foreign = host.filter(|host| {
        readers
            .iter()
            .all(|r| addresses::domain_of(r).as_ref() != Some(host))
    });
    let Some(host) = foreign else {
        return Vec::new();
    };
    let mut found = bare_names::told(text, &host, vocabulary::shipped());
    if found.is_empty() {
        found = bare_names::told(&outer.subject, &host, vocabulary::shipped());
    }
    if !found.is_empty() {
        let step = format!(
            "{} names without a domain, at the host that reports",
            found.len()
        );
        report.steps.push(step);
    }
    found
}

/// The host that handed the report over: what the topmost trace says (RFC 5321 §4.4).
fn received_from(mail: &Structure<'_>) -> Option<String> {
    let trace = mail.headers.get("received")?;
    let host = trace.trim_start().strip_prefix("from ")?;
    let host = host.split_whitespace().next()?.to_ascii_lowercase();
    let named = host.contains('.') && host.ends_with(|c: char| c.is_ascii_alphabetic());
    named.then_some(host)
}

/// Fills in an address that a report leaves out, where the returned headers name exactly one.
pub(super) fn complete(mail: &Structure<'_>, report: &mut Report) {
    if let [only] = report.recipients.as_slice()
        && only.address.is_empty()
        && let [one] = only_one(mail, report).as_slice()
        && let [only] = report.recipients.as_mut_slice()
    {
        only.address.clone_from(one);
    }
    report.recipients.retain(|r| !r.address.is_empty());
    if report.recipients.is_empty() {
        report.problems.push(Problem::NobodyNamed);
    }
}
