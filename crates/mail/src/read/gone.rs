//! Answers of programs that say that the address itself is given up.

use posthaste_core::qualify::RuleSet;

use super::addresses;
use super::judge::{Said, judge};
use super::notice::Notice;
use super::outer::Outer;
use super::report::{Kind, Report};
use super::vocabulary::Sign;

/// Reads a program's answer that the address itself is given up: the sender of the answer is the recipient.
///
/// `titled`: the subject says so already.
pub(super) fn read(
    outer: &Outer,
    text: &Notice,
    titled: bool,
    rules: &RuleSet,
    report: &mut Report,
) -> bool {
    let Some(address) = addresses::first(&outer.from).filter(|a| !addresses::is_system(a)) else {
        return false;
    };
    let gone = titled
        || text.signs.has(Sign::Gone)
        || (text.signs.has(Sign::Left) && names(text, address));
    if !gone || text.before().split_whitespace().take(121).count() > 120 {
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

/// Whether the text speaks of the one who has the address: `Paul Ashby no longer works here`, from `paul.ashby@`.
fn names(text: &Notice, address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    let text = text.before().to_lowercase();
    local
        .split(['.', '_', '-', '+'])
        .filter(|piece| piece.len() > 2)
        .any(|piece| text.contains(&piece.to_lowercase()))
}
