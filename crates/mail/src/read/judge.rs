//! Asking the rules what one recipient's failure means.
//!
//! A report often says the same thing several times: in a field, in a paragraph beside the address, in a
//! transcript. The most exact place is asked first; the others only while no rule has recognised anything.

use posthaste_core::enhanced::EnhancedStatus;
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::log::Channel;
use posthaste_core::qualify::{Question, RuleSet, Verdict, normalise};

use super::lines::fold;
use super::reply;
use super::report::{Action, FailedRecipient};
use super::stage;

/// Bytes of a diagnostic that are judged and kept.
const MAX_DIAGNOSTIC: usize = 2_000;

/// Texts that are asked, the nearest first.
const MAX_TEXTS: usize = 9;

/// What a report says of one recipient.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Its addresses, the most telling first.
    pub addresses: Vec<String>,
    /// What is said, the most exact first.
    pub texts: Vec<String>,
    /// The `Status` field.
    pub status: Option<EnhancedStatus>,
    /// The host that spoke.
    pub host: Option<String>,
    /// Delayed rather than failed.
    pub delayed: bool,
}

/// The texts in one line each, those with letters or digits; most mails are understood from the first.
struct Texts<'a> {
    rest: std::slice::Iter<'a, String>,
    folded: Vec<String>,
}

impl<'a> Texts<'a> {
    fn new(texts: &'a [String]) -> Self {
        Self {
            rest: texts.iter(),
            folded: Vec::with_capacity(texts.len()),
        }
    }

    fn get(&mut self, number: usize) -> Option<&str> {
        while self.folded.len() <= number {
            let text = fold(self.rest.next()?, MAX_DIAGNOSTIC);
            if text.chars().any(char::is_alphanumeric) {
                self.folded.push(text);
            }
        }
        self.folded.get(number).map(String::as_str)
    }

    /// What is found in the first text that has something, of those in a range.
    fn find<T>(
        &mut self,
        numbers: std::ops::Range<usize>,
        look: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        for number in numbers {
            let found = look(self.get(number)?);
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// Judges one recipient.
pub(super) fn judge(said: Said, rules: &RuleSet) -> FailedRecipient {
    let mut texts = Texts::new(&said.texts);
    let found = texts.find(0..4, reply::find);
    let status = choose_status(said.status, found, &mut texts);
    let told = texts.find(0..3, stage::find);
    let ask = |text: &str| {
        rules.judge(&Question {
            channel: Channel::Email,
            host: said.host.as_deref(),
            said_by_us: false,
            stage: told,
            code: found.map(|r| r.code),
            enhanced: status,
            permanent: permanence(&said, found, status),
            text,
        })
    };
    let (mut verdict, text) = best(&mut texts, ask);
    if said.delayed && verdict.kind == FailureType::NotDefined {
        // A delay without a reason: the way is troubled, and it is being tried again.
        verdict.kind = FailureType::Soft;
        verdict.reason = FailureReason::Unreachable;
        verdict.party = Party::Path;
        verdict.rule.name = "delayed".into();
    }
    let mut addresses = said.addresses.into_iter();
    FailedRecipient {
        address: addresses.next().unwrap_or_default(),
        also: addresses.collect(),
        kind: if said.delayed && verdict.kind == FailureType::Hard {
            FailureType::Soft
        } else {
            verdict.kind
        },
        reason: verdict.reason,
        party: verdict.party,
        status,
        reply_code: found.map(|r| r.code),
        action: if said.delayed {
            Action::Delayed
        } else {
            Action::Failed
        },
        host: said.host,
        normalised: normalise(&text),
        diagnostic: text,
        rule: verdict.rule.name,
        version: verdict.rule.version,
        confidence: verdict.confidence,
    }
}

fn permanence(
    said: &Said,
    found: Option<reply::Reply>,
    status: Option<EnhancedStatus>,
) -> Option<bool> {
    if said.delayed {
        return Some(false);
    }
    match (found, status) {
        (Some(r), _) => Some(r.code >= 500),
        (None, Some(s)) => Some(s.class == 5),
        (None, None) => None,
    }
}

/// The first text that a rule recognises; otherwise the surest of what the others give.
///
/// A server's words, from its reply code on, are asked before what a reporter puts around them.
fn best(texts: &mut Texts<'_>, ask: impl Fn(&str) -> Verdict) -> (Verdict, String) {
    let mut weak: Option<(Verdict, String)> = None;
    for number in 0..MAX_TEXTS {
        let Some(text) = texts.get(number) else { break };
        let words = reply::find(text)
            .and_then(|r| text.get(r.at..))
            .unwrap_or(text);
        for said in [words, text] {
            let verdict = ask(said);
            if !is_fallback(&verdict) {
                return (verdict, said.to_owned());
            }
            let better = weak
                .as_ref()
                .is_none_or(|(have, _)| verdict.confidence > have.confidence);
            if better {
                weak = Some((verdict, said.to_owned()));
            }
            if words.len() == text.len() {
                break;
            }
        }
    }
    weak.unwrap_or_else(|| (ask(""), String::new()))
}

fn is_fallback(verdict: &Verdict) -> bool {
    matches!(
        &*verdict.rule.name,
        "status-table" | "code-class" | "not-defined"
    )
}

/// The status that applies: a server's own words before the reporter's field, the exact before the generic.
fn choose_status(
    field: Option<EnhancedStatus>,
    code: Option<reply::Reply>,
    texts: &mut Texts<'_>,
) -> Option<EnhancedStatus> {
    let stated = |text: &str| {
        let reply = reply::find(text);
        reply.and_then(|r| r.status).or_else(|| reply::status(text))
    };
    let spoken = texts.find(0..1, stated);
    let mut elsewhere = || texts.find(1..usize::MAX, stated);
    match (field, spoken) {
        (Some(field), Some(spoken)) => {
            let exact = !reply::is_generic(spoken) && spoken.class != 2;
            let near = spoken.class == field.class || reply::is_generic(field);
            Some(if exact && near { spoken } else { field })
        }
        (Some(field), None) if reply::is_generic(field) => elsewhere()
            .filter(|s| s.class == field.class)
            .or(Some(field)),
        (Some(field), None) => Some(field),
        (None, Some(spoken)) => Some(spoken),
        // Of another attempt, when it contradicts the code (RFC 3463 §2).
        (None, None) => {
            elsewhere().filter(|s| code.is_none_or(|c| c.code / 100 == u16::from(s.class)))
        }
    }
}
