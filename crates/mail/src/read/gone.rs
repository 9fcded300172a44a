//! Answers of programs that say that the address itself is given up.

use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::evidence::{is_known_failure, sentence_of};
use super::judge::{Said, judge};
use super::lines::is_longer;
use super::notice::Notice;
use super::original;
use super::outer::Outer;
use super::report::{Kind, Report};
use super::vocabulary::Sign;

/// Reads a program's answer that the address itself is given up: the sender of the answer is the recipient.
///
/// `titled`: the subject says so already. `answered`: the mail is an automatic answer.
pub(super) fn read(
    outer: &Outer,
    text: &Notice,
    (titled, answered): (bool, bool),
    rules: &RuleSet,
    report: &mut Report,
) -> bool {
    let Some(address) = addresses::first(&outer.from).filter(|a| !addresses::is_system(a)) else {
        return false;
    };
    let other = of_another(outer, address, text, rules);
    let told =
        || sentence_of(text, address).is_some_and(|s| is_known_failure(address, vec![s], rules));
    let own = titled || text.signs.has(Sign::Gone) || told();
    let left = text.signs.has(Sign::Left) && (other.is_some() || names(text, address));
    if let Some(address) = of_original(outer, text, rules, report).filter(|_| answered) {
        let step = "a program answers that the message did not reach whom it was for";
        tell(
            report,
            step,
            &address,
            vec![text.before().to_owned()],
            rules,
        );
        return true;
    }
    if !(own || left) || is_longer(text.before(), 120) {
        return false;
    }
    let address = other.as_deref().unwrap_or(address);
    let texts = vec![
        text.before().to_owned(),
        "The address is no longer valid".to_owned(),
    ];
    let step = "a program answers that the address itself is no longer in use";
    tell(report, step, address, texts, rules);
    true
}

/// Makes it a bounce of one recipient.
fn tell(report: &mut Report, step: &str, address: &str, texts: Vec<String>, rules: &RuleSet) {
    report.kind = Kind::Bounce;
    report.dialect = Some("gone".to_owned());
    report.steps.push(step.to_owned());
    let said = Said {
        addresses: vec![address.to_owned()],
        texts,
        ..Said::default()
    };
    report.recipients = vec![judge(said, rules)];
}

/// Whom the quoted message was for, when the answer says that it could not reach that one.
fn of_original(outer: &Outer, text: &Notice, rules: &RuleSet, report: &Report) -> Option<String> {
    let one = original::sole(&report.original)?;
    let said = text.before();
    let short = !is_longer(said, 80);
    (short
        && text.signs.has(Sign::Failure)
        && !outer.is_bystander(one)
        && is_known_failure(one, vec![said.to_owned()], rules))
    .then(|| one.clone())
}

/// Local parts of desks: who answers from one is not the one who left.
const DESKS: &[&str] = &[
    "post",
    "info",
    "office",
    "kontakt",
    "contact",
    "mail",
    "support",
    "service",
    "help",
    "sales",
    "hello",
    "team",
    "admin",
    "noreply",
    "no-reply",
    "it",
    "hr",
    "kundeservice",
    "sekretariat",
];

/// Whether the text speaks of the one who has the address: `Paul Ashby no longer works here`, from `paul.ashby@`.
fn names(text: &Notice, address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    if DESKS.contains(&local.as_str()) {
        return false;
    }
    let text = text.before().to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| word.len() > 2 && local.split(['.', '_', '-', '+']).any(|piece| piece == word))
}

/// An address of the same domain of which the text itself says that it is given up: robots answer for those who left.
fn of_another(outer: &Outer, own: &str, text: &Notice, rules: &RuleSet) -> Option<String> {
    let domain = own.rsplit('@').next()?;
    let near = |address: &str| {
        address
            .rsplit('@')
            .next()
            .is_some_and(|other| other.eq_ignore_ascii_case(domain))
    };
    let whole = text.before();
    addresses::find(whole)
        .iter()
        .filter_map(|span| whole.get(span.start..span.end))
        .filter(|address| near(address) && !addresses::same(address, own))
        .filter(|address| !outer.is_bystander(address))
        .find(|address| {
            sentence_of(text, address)
                .is_some_and(|said| is_known_failure(address, vec![said], rules))
        })
        .map(str::to_owned)
}
