//! What a re-qualification does, as text for people.

use std::path::Path;

use posthaste_core::quarantine::Entry;
use posthaste_desk::requalify::{Moved, Survey};
use posthaste_desk::times::rfc3339;
use posthaste_store::requalifying::RequalifiedAddress;

use crate::output::{Columns, number};

/// The numbers, the first lines of each kind, the domains, and what to do next.
pub fn survey_text(survey: &Survey, apply: bool, export: Option<(&Path, u64)>) -> String {
    let mut text = vec![headline(survey, apply), numbers(survey)];
    let first = &survey.first;
    for (title, lines) in [
        ("Leave quarantine", &first.leave_quarantine),
        ("Enter quarantine", &first.enter_quarantine),
        ("Counters that move", &first.counters_moved),
    ] {
        if !lines.is_empty() {
            text.push(format!("{title}, the first ones:\n{}", moved(lines)));
        }
    }
    if !survey.domains.is_empty() {
        text.push(domains(survey));
    }
    if survey.send_again > 0 {
        text.push(send_again(survey, export));
    }
    if !apply && survey.verdicts_changed > 0 {
        text.push("This is a preview; nothing was changed. Add --apply to do it.".to_owned());
    }
    text.join("\n\n")
}

fn headline(survey: &Survey, apply: bool) -> String {
    let since = survey
        .from
        .map_or_else(|| "the beginning".to_owned(), rfc3339);
    let range = format!("between {since} and {}", rfc3339(survey.to));
    match survey.id {
        Some(id) => format!(
            "Re-qualification {id} is applied to failures {range}. It can be taken back: \
             posthaste requalify undo {id}"
        ),
        None if apply => {
            format!("No verdict changes among the failures {range}; nothing was done.")
        }
        None => format!("Failures {range}:"),
    }
}

fn numbers(survey: &Survey) -> String {
    let mut table = Columns::new(&["what", "#number"]);
    for (what, n) in [
        ("failures selected", survey.failures),
        ("verdicts that change", survey.verdicts_changed),
        ("addresses", survey.addresses),
        ("leave quarantine", survey.leave_quarantine),
        ("enter quarantine", survey.enter_quarantine),
        ("error counters that move", survey.counters_moved),
        ("delivery log rows", survey.log_rows),
        ("could be sent again", survey.send_again),
    ] {
        table.row(vec![what.to_owned(), number(n)]);
    }
    table.text("")
}

fn moved(lines: &[Moved]) -> String {
    let mut table = Columns::new(&["address", "before", "after"]);
    for line in lines {
        let (before, after) = (said(line.before.as_ref()), said(line.after.as_ref()));
        table.row(vec![line.address.clone(), before, after]);
    }
    table.text("")
}

fn said(entry: Option<&Entry>) -> String {
    entry.map_or_else(
        || "not listed".to_owned(),
        |e| format!("{} {}, errors {}", e.status, e.reason, e.errors),
    )
}

fn domains(survey: &Survey) -> String {
    let mut table = Columns::new(&["domain", "#failures", "#leave", "#enter", "#again"]);
    for one in &survey.domains {
        table.row(vec![
            one.domain.clone(),
            number(one.failures),
            number(one.leave_quarantine),
            number(one.enter_quarantine),
            number(one.send_again),
        ]);
    }
    table.text("")
}

fn send_again(survey: &Survey, export: Option<(&Path, u64)>) -> String {
    let mut table = Columns::new(&["address", "#delivery"]);
    for one in &survey.first.send_again {
        table.row(vec![one.address.clone(), one.delivery.to_string()]);
    }
    let next = match export {
        Some((file, n)) => format!(
            "Wrote {} recipients to {file}. To send to them again:\n  \
             posthaste recipients import {file} --list again\nthen name list = \"again\" in a \
             delivery file, and: posthaste send DELIVERY.toml",
            number(n),
            file = file.display()
        ),
        None => "Add --export FILE.csv to write them as CSV, ready for import.".to_owned(),
    };
    format!(
        "Could be sent again, the first ones:\n{}\n{next}",
        table.text("")
    )
}

/// Addresses of a stored re-qualification.
pub fn addresses_text(addresses: &[RequalifiedAddress]) -> String {
    let mut table = Columns::new(&["address", "before", "after"]);
    for one in addresses {
        table.row(vec![
            one.key.clone(),
            said(one.before.as_ref().map(|a| &a.entry)),
            said(one.after.as_ref().map(|a| &a.entry)),
        ]);
    }
    table.text("There are no more addresses.")
}
