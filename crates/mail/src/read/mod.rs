//! Reading what comes back: bounces, complaints, automatic answers.
//!
//! In go the bytes of a mail and the rules; out comes a [`Report`]. Structure is read first (RFC 3464,
//! RFC 6522, RFC 5965), then the text, in a known dialect or in none. Reading is total: it
//! never fails, never panics, and takes time and memory in proportion to at most 4 MB. Nothing here
//! knows a store or our signed tokens: [`Original`] carries what a caller matches them with.
//!
//! ```
//! use posthaste_core::qualify::RuleSet;
//! use posthaste_mail::read::{Kind, read};
//!
//! let mail = b"From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n\
//!     Hi. This is the qmail-send program at example.net.\n\n\
//!     <nobody@example.com>:\n192.0.2.1 does not like recipient.\n\
//!     Remote host said: 550 5.1.1 User unknown\n";
//! let report = read(mail, &RuleSet::shipped());
//! assert_eq!(report.kind, Kind::Bounce);
//! assert_eq!(report.recipients[0].address, "nobody@example.com");
//! ```

mod addresses;
mod auto_reply;
mod bare_names;
mod bounce;
mod charset;
mod delivery_status;
mod dialects;
mod evidence;
mod feedback;
mod generic;
mod gone;
mod judge;
mod lines;
mod local_names;
mod notice;
mod original;
mod outer;
mod own;
mod placed;
mod rejection;
mod reply;
mod report;
mod respell;
mod rule_file;
mod said;
mod samples;
mod ses;
mod stage;
mod structure;
mod summary;
mod undelivered;
mod unnamed;
mod vocabulary;

#[cfg(test)]
mod tests;

use posthaste_core::qualify::RuleSet;

use self::notice::Notice;
use self::outer::Outer;
use self::structure::{PartKind, Structure};
use self::vocabulary::Sign;
pub use dialects::{Description, descriptions};
pub use lines::MAX_BYTES;
pub use own::{MailAction, MailRule, MailRules, mail_rule_text, parse_mail_rules};
pub use report::{Action, FailedRecipient, Kind, Original, Problem, Report};
pub use rule_file::{PackageHead, RuleFile, parse_rule_file};
pub use samples::{Sample, samples};

/// Reads one mail: what it is, whom it is about, what it means.
#[must_use]
pub fn read(mail: &[u8], rules: &RuleSet) -> Report {
    read_with(mail, rules, &MailRules::default())
}

/// Reads one mail; inbound e-mail rules of one's own go before what the reading says.
#[must_use]
pub fn read_with(mail: &[u8], rules: &RuleSet, own: &MailRules) -> Report {
    let bytes = lines::normalise(mail);
    let structure = structure::parse(&bytes);
    let mut report = read_one(&structure, rules);
    if let Some(inner) = outer::passed_on(&structure, vocabulary::shipped()) {
        let inner = read_one(&structure::parse(&inner), rules);
        if matches!(inner.kind, Kind::Bounce | Kind::Feedback) && !inner.recipients.is_empty() {
            let outer = std::mem::replace(&mut report, inner).original;
            // Whom the mail came to may carry a signed name of ours.
            report.original.delivered_to.extend(outer.delivered_to);
            report.original.references.extend(outer.references);
            let step = "a report that is passed on in an attachment";
            report.steps.insert(0, step.to_owned());
        }
    }
    if mail.len() > lines::MAX_BYTES {
        report.problems.push(Problem::TooLarge(lines::MAX_BYTES));
    }
    if report.kind == Kind::Other
        && structure.headers.len() == 0
        && structure.parts.iter().all(|p| p.body.is_empty())
    {
        let why = "there are neither headers nor text in it".to_owned();
        report.problems.push(Problem::Unreadable(why));
    } else if report.kind == Kind::Other && !report.problems.is_empty() {
        let why = "nothing was recognised in the part within the limits".to_owned();
        report.problems.push(Problem::Unreadable(why));
    }
    own.apply(&structure, &mut report);
    report
}

/// Reads one level: the mail, or a mail that is attached to it.
fn read_one(structure: &Structure<'_>, rules: &RuleSet) -> Report {
    let mut report = Report {
        kind: Kind::Other,
        recipients: Vec::new(),
        feedback_type: None,
        original: original::of(structure),
        dialect: None,
        steps: Vec::new(),
        problems: structure.problems.clone(),
    };
    decide(structure, rules, &mut report);
    report
}

/// Decides what the mail is, in the order of how sure each sign is.
fn decide(mail: &Structure<'_>, rules: &RuleSet, report: &mut Report) {
    let vocabulary = vocabulary::shipped();
    if let Some(complaint) = feedback::arf(mail, &report.original) {
        return take_complaint(report, &complaint);
    }
    let outer = Outer::of(mail, vocabulary);
    let mut text = Notice::new(
        respell::whole(lines::unquote(&outer::text_of(mail, vocabulary)).into_owned()),
        vocabulary,
    );
    match ses::read(text.before(), rules, report) {
        Some(ses::Told::Bounce) => return,
        Some(ses::Told::Complaint(complaint)) => return take_complaint(report, &complaint),
        None => {}
    }
    original::add_text(&mut report.original, text.after());
    original::add_quoted(&mut report.original, text.before());
    let words = feedback::Outer {
        from: &outer.from,
        subject: &outer.subject,
    };
    if let Some(complaint) = feedback::passed_on(mail, words, &text, &report.original, vocabulary) {
        return take_complaint(report, &complaint);
    }
    if rejection::read(mail, &outer, &text, rules, report) {
        return;
    }
    if is_disposition(mail) {
        report
            .steps
            .push("a disposition notification (RFC 8098) is no failure report".to_owned());
        return;
    }
    if bounce::read(mail, &outer, &mut text, rules, report) {
        return;
    }
    let words_found = auto_reply::by_headers(&mail.headers).or_else(|| {
        auto_reply::by_words(
            &mail.headers,
            &outer.subject,
            outer.subject_signs,
            text.signs,
        )
    });
    let titled = vocabulary.text.signs(&outer.subject).has(Sign::Gone);
    if (words_found.is_some() || titled || outer.robot)
        && gone::read(
            &outer,
            &text,
            (titled, words_found.is_some()),
            rules,
            report,
        )
    {
        return;
    }
    if let Some(step) = words_found {
        report.kind = Kind::AutoReply;
        report.steps.push(step.to_owned());
        return;
    }
    if let Some(complaint) = feedback::opt_out(words, &text, vocabulary) {
        return take_complaint(report, &complaint);
    }
    report
        .steps
        .push("no sign of a failure, a complaint or an automatic answer".to_owned());
}

fn take_complaint(report: &mut Report, complaint: &feedback::Complaint) {
    report.kind = Kind::Feedback;
    report.recipients = feedback::recipients(complaint);
    report.feedback_type = Some(complaint.feedback_type.clone());
    report.dialect = Some(complaint.dialect.to_owned());
    report.steps.push(complaint.step.to_owned());
    if complaint.recipients.is_empty() {
        report.problems.push(Problem::NobodyNamed);
    }
}

fn is_disposition(mail: &Structure<'_>) -> bool {
    mail.report_type.as_deref() == Some("disposition-notification")
        || mail
            .parts
            .iter()
            .any(|p| p.kind == PartKind::Disposition && p.level == 0)
}
