//! Judging: rules in order, then the evidence of status, text and code.

use std::cell::OnceCell;

use super::fold::fold;
use super::meaning::{Kind, Meaning, Sense};
use super::normalise::normalise;
use super::pattern::Haystack;
use super::question::{Question, RuleRef, Verdict};
use super::ruleset::{Compiled, Fit, Inner, RuleSet};
use super::scope::Stated;
use super::vocabulary::{Clue, Scores};
use super::{shipped, words};
use crate::failure::FailureType;

/// A verdict and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The verdict.
    pub verdict: Verdict,
    /// The steps taken, one sentence each.
    pub steps: Vec<String>,
}

/// Least evidence of the text that is trusted without a status or with one that disagrees.
const TRUSTED: i32 = 4;

/// Least weight of some words that condemn an address though the reply is transient.
const OUTRIGHT: i32 = 7;

/// A text in the forms that patterns look at.
struct Text<'a> {
    raw: &'a str,
    folded: String,
    normalised: OnceCell<String>,
}

impl<'a> Text<'a> {
    fn new(raw: &'a str) -> Self {
        Self {
            raw,
            folded: fold(raw),
            normalised: OnceCell::new(),
        }
    }
}

impl Haystack for Text<'_> {
    fn folded(&self) -> &str {
        &self.folded
    }

    fn normalised(&self) -> &str {
        self.normalised.get_or_init(|| fold(&normalise(self.raw)))
    }
}

impl RuleSet {
    /// What the failure means.
    #[must_use]
    pub fn judge(&self, question: &Question<'_>) -> Verdict {
        let stated = stated(question);
        let text = Text::new(question.text);
        match first_of(self.inner(), question, &stated, &text) {
            Some(rule) => by_rule(rule, &stated, &text.folded),
            None => weigh(self.inner(), question, &stated, &text.folded).0,
        }
    }

    /// What the failure means, and the steps that led there.
    #[must_use]
    pub fn judge_explained(&self, question: &Question<'_>) -> Explanation {
        let stated = stated(question);
        let text = Text::new(question.text);
        let mut steps = vec![
            format!("text looked at: \"{}\"", text.folded),
            say_stated(&stated),
        ];
        let inner = self.inner();
        let mut candidates = Vec::new();
        inner.matcher.candidates(&text.folded, &mut candidates);
        for rule in candidates
            .iter()
            .filter_map(|i| inner.rules.get(*i as usize))
        {
            let fit = rule.fit(question, &stated, &text);
            let always_asked = rule.rule.text.is_empty() || fit == Fit::OtherText;
            if fit == Fit::Applies || !always_asked {
                steps.push(say_fit(&rule.rule.name, fit));
            }
            if fit == Fit::Applies {
                let verdict = by_rule(rule, &stated, &text.folded);
                steps.push(say_verdict(&verdict));
                return Explanation { verdict, steps };
            }
        }
        steps.push("no rule applies: the text, the status and the code are weighed".to_owned());
        let (verdict, clues) = weigh(inner, question, &stated, &text.folded);
        steps.extend(clues.iter().map(|clue| {
            format!(
                "{}: +{} for {}",
                clue.seen(),
                clue.weight,
                clue.means.slug()
            )
        }));
        steps.push(say_verdict(&verdict));
        Explanation { verdict, steps }
    }
}

/// The first rule that applies.
pub(super) fn first<'i>(inner: &'i Inner, question: &Question<'_>) -> Option<&'i Compiled> {
    first_of(
        inner,
        question,
        &stated(question),
        &Text::new(question.text),
    )
}

/// Whether one rule applies.
pub(super) fn fit(rule: &Compiled, question: &Question<'_>) -> Fit {
    rule.fit(question, &stated(question), &Text::new(question.text))
}

fn first_of<'i>(
    inner: &'i Inner,
    question: &Question<'_>,
    stated: &Stated,
    text: &Text<'_>,
) -> Option<&'i Compiled> {
    let mut candidates = Vec::with_capacity(16);
    inner.matcher.candidates(&text.folded, &mut candidates);
    candidates
        .iter()
        .filter_map(|index| inner.rules.get(*index as usize))
        .find(|rule| rule.fit(question, stated, text) == Fit::Applies)
}

/// Code, status and permanence, from the question or else from the text.
///
/// A delayed message is transient whatever the code; else the code decides, else the status.
fn stated(question: &Question<'_>) -> Stated {
    let (code, status) = if question.said_by_us {
        (None, None)
    } else {
        words::codes(question.text)
    };
    let code = question.code.or(code);
    let status = question.enhanced.or(status);
    let permanent = match (question.permanent, code, status) {
        (Some(false), _, _) => false,
        (_, Some(code @ 400..=599), _) => code >= 500,
        (_, _, Some(status)) => status.class == 5,
        (given, _, None) => given.unwrap_or(true),
    };
    Stated {
        code,
        status,
        permanent,
    }
}

fn by_rule(rule: &Compiled, stated: &Stated, folded: &str) -> Verdict {
    answer(
        rule.sense,
        stated,
        folded,
        rule.rule.confidence,
        rule.reference.clone(),
    )
}

fn answer(sense: Sense, stated: &Stated, folded: &str, confidence: u8, rule: RuleRef) -> Verdict {
    // «Temporarily» in the text makes a suspension temporary whatever the code.
    let permanent = stated.permanent && !folded.contains("temporar");
    Verdict {
        kind: sense.kind.resolve(permanent),
        reason: sense.reason,
        party: sense.party,
        retry: sense.retry,
        confidence,
        rule,
    }
}

/// Weighs what text, status and code say when no rule applies.
fn weigh(
    inner: &Inner,
    question: &Question<'_>,
    stated: &Stated,
    folded: &str,
) -> (Verdict, Vec<Clue<'static>>) {
    let mut clues = inner.vocabulary.clues(folded);
    let text = Scores::of(&clues);
    let status = stated.status.and_then(|status| inner.statuses.clue(status));
    let from_status = status.is_some();
    clues.extend(status);
    clues.extend(shipped::code_clue(question.stage, stated.code));
    let all = Scores::of(&clues);
    let verdict = match all.best() {
        None => fallback("not-defined", Meaning::Unclear.sense(), stated, folded, 0),
        Some((meaning, score)) => {
            let name = if text.of_meaning(meaning) >= TRUSTED {
                "vocabulary"
            } else if from_status {
                "status-table"
            } else if text.of_meaning(meaning) > 0 {
                "vocabulary"
            } else {
                "code-class"
            };
            let sure = confidence(score, all.second(meaning), name);
            let said = text.heaviest(meaning) >= OUTRIGHT;
            fallback(name, cautious(meaning, stated, said), stated, folded, sure)
        }
    };
    (verdict, clues)
}

/// A transient reply condemns an address only where its words say so: a server that has not yet
/// looked an address up may well answer 450 4.1.1.
fn cautious(meaning: Meaning, stated: &Stated, said: bool) -> Sense {
    let sense = meaning.sense();
    if sense.kind == Kind::Hard && !stated.permanent && !said {
        return Sense {
            kind: Kind::Soft,
            ..sense
        };
    }
    sense
}

/// How sure a weighed verdict is: its weight, less what speaks for the next best.
fn confidence(best: i32, second: i32, name: &str) -> u8 {
    let most = match name {
        "vocabulary" => 90,
        "status-table" => 70,
        _ => 25,
    };
    let sure = 35 + 6 * best - 3 * second;
    u8::try_from(sure.clamp(10, most)).unwrap_or(10)
}

fn fallback(name: &str, sense: Sense, stated: &Stated, folded: &str, sure: u8) -> Verdict {
    let rule = RuleRef {
        name: name.into(),
        version: shipped::VERSION,
    };
    answer(sense, stated, folded, sure, rule)
}

fn say_stated(stated: &Stated) -> String {
    let code = stated
        .code
        .map_or_else(|| "no code".to_owned(), |c| format!("code {c}"));
    let status = stated.status.map_or_else(
        || "no enhanced status".to_owned(),
        |s| format!("status {s}"),
    );
    let lasting = if stated.permanent {
        "permanent"
    } else {
        "transient"
    };
    format!("{code}, {status}: {lasting}")
}

fn say_fit(name: &str, fit: Fit) -> String {
    let what = match fit {
        Fit::Applies => "applies",
        Fit::OutOfScope => "is out of scope",
        Fit::OtherText => "has another text",
        Fit::Excepted => "is excepted by its `unless`",
    };
    format!("rule \"{name}\" {what}")
}

fn say_verdict(verdict: &Verdict) -> String {
    let kind = match verdict.kind {
        FailureType::NotDefined => "not defined",
        FailureType::Ignored => "ignored",
        FailureType::Soft => "soft",
        FailureType::Hard => "hard",
    };
    format!(
        "{kind}, {}, trouble of {}, {} % sure, by \"{}\"",
        verdict.reason, verdict.party, verdict.confidence, verdict.rule.name
    )
}
