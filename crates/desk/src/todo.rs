//! The work list of the delivery log qualification: texts that nobody has qualified, similar ones
//! together, most harmful first, each with a suggestion; and the step from a text to a rule.

use std::collections::{BTreeMap, HashMap};

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::QualificationId;
use posthaste_core::log::QualificationStatus;
use posthaste_core::qualify::{
    Kind, Place, Question, Rule, RuleSet, Words, cluster, codes, nearest, pattern_of,
};
use posthaste_mail::read::RuleFile;
use posthaste_store::rows::{AtRisk, Qualification, ToldBy};
use posthaste_store::{Qualifications, Rules};
use serde::Serialize;

use super::provider::by_provider;
use super::qualifications::find;
use super::rules::{Done, Hand};
use super::{DeskError, Result, rules_edit};

/// Unqualified texts that are looked at, most frequent first.
const TEXTS: usize = 2_000;
/// Qualified texts that suggestions are taken from, most frequent first.
const KNOWN: usize = 2_000;
/// From this many percent on, a known text says more than the rules' guess.
const TELLING: u8 = 40;

/// A known text that is near.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Near {
    /// The text.
    pub text: String,
    /// How alike both are, in percent.
    pub alike: u8,
    /// The rule whose sample it is, or the qualification.
    pub of: String,
}

/// What a text probably means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FailureType,
    /// Its reason.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
    /// How sure, in percent.
    pub confidence: u8,
}

/// Similar texts that are to be qualified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The most frequent of the texts.
    pub id: QualificationId,
    /// It, normalised.
    pub text: String,
    /// The other texts.
    pub also: Vec<QualificationId>,
    /// How often all were met.
    pub occurrences: u64,
    /// Addresses whose last failure has one of the texts.
    pub addresses: u64,
    /// How many of them are one counted error away from quarantine.
    pub near_quarantine: u64,
    /// Addresses by domain, most first.
    pub domains: Vec<(String, u64)>,
    /// Addresses by the provider that said it, most first.
    pub providers: Vec<(String, u64)>,
    /// Occurrences times addresses at risk: what the list is sorted by.
    pub harm: u64,
    /// What it probably means; `None` when nothing known is near.
    pub suggestion: Option<Suggestion>,
    /// The nearest known text.
    pub nearest: Option<Near>,
}

/// The work list. `max_errors` is the counted error that quarantines.
///
/// # Errors
/// When the store cannot be read.
pub fn todo<S: Qualifications + ?Sized>(
    store: &S,
    rules: &RuleSet,
    max_errors: u32,
) -> Result<Vec<Task>> {
    let open = store.qualifications(Some(QualificationStatus::ToQualify), TEXTS)?;
    let ids: Vec<QualificationId> = open.iter().map(|entry| entry.id).collect();
    let risks = store.at_risk(&ids, max_errors.saturating_sub(1))?;
    let told = store.told_by(&ids)?;
    let qualified = store.qualifications(Some(QualificationStatus::Keep), KNOWN)?;
    let known = Known::new(rules, qualified);
    let words: Vec<Words> = open.iter().map(|entry| Words::of(&entry.text)).collect();
    let mut tasks: Vec<Task> = cluster(&words)
        .into_iter()
        .filter_map(|members| {
            let entries: Vec<&Qualification> = members
                .iter()
                .filter_map(|&index| open.get(index))
                .collect();
            task(&entries, (&risks, &told), &known)
        })
        .collect();
    tasks.sort_by_key(|task| std::cmp::Reverse((task.harm, task.occurrences)));
    Ok(tasks)
}

fn task(
    entries: &[&Qualification],
    (risks, told): (&[AtRisk], &[ToldBy]),
    known: &Known<'_>,
) -> Option<Task> {
    let (first, rest) = entries.split_first()?;
    let occurrences = entries
        .iter()
        .map(|entry| u64::from(entry.occurrences))
        .sum::<u64>();
    let mut domains: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut addresses, mut near_quarantine) = (0, 0);
    let is_ours = |id: QualificationId| entries.iter().any(|entry| entry.id == id);
    for risk in risks.iter().filter(|risk| is_ours(risk.qualification)) {
        addresses += risk.addresses;
        near_quarantine += risk.near_quarantine;
        *domains.entry(&risk.domain).or_default() += risk.addresses;
    }
    let mut domains: Vec<(String, u64)> = domains
        .into_iter()
        .map(|(name, n)| (name.to_owned(), n))
        .collect();
    domains.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let (suggestion, nearest) = known.suggest(first);
    Some(Task {
        id: first.id,
        text: first.text.clone(),
        also: rest.iter().map(|entry| entry.id).collect(),
        occurrences,
        addresses,
        near_quarantine,
        domains,
        providers: by_provider(told.iter().filter(|one| is_ours(one.qualification))),
        harm: occurrences.saturating_mul(addresses.max(1)),
        suggestion,
        nearest,
    })
}

/// Texts whose meaning is known.
struct Known<'a> {
    rules: &'a RuleSet,
    words: Vec<Words>,
    texts: Vec<(String, String)>,
    entries: HashMap<usize, Qualification>,
}

impl<'a> Known<'a> {
    fn new(rules: &'a RuleSet, qualified: Vec<Qualification>) -> Self {
        let mut texts: Vec<(String, String)> = rules
            .rules()
            .flat_map(|rule| {
                let of = format!("rule {}", rule.name);
                rule.samples
                    .iter()
                    .map(move |sample| (sample.clone(), of.clone()))
            })
            .collect();
        let mut entries = HashMap::new();
        for entry in qualified {
            texts.push((entry.text.clone(), format!("qualification {}", entry.id)));
            entries.insert(texts.len() - 1, entry);
        }
        let words = texts.iter().map(|(text, _)| Words::of(text)).collect();
        Self {
            rules,
            words,
            texts,
            entries,
        }
    }

    fn suggest(&self, entry: &Qualification) -> (Option<Suggestion>, Option<Near>) {
        let guess = self.by_rules(&entry.first_text, 100);
        let Some((index, alike)) = nearest(&Words::of(&entry.text), &self.words) else {
            return (guess, None);
        };
        let (text, of) = self.texts.get(index).cloned().unwrap_or_default();
        let from_near = match self.entries.get(&index) {
            Some(known) => Some(Suggestion {
                kind: known.kind,
                reason: known.reason,
                party: known.party,
                confidence: alike,
            }),
            None => self.by_rules(&text, alike),
        };
        let suggestion = if alike >= TELLING { from_near } else { guess };
        (suggestion, Some(Near { text, alike, of }))
    }

    /// What the rules make of a text, no surer than `most`.
    fn by_rules(&self, text: &str, most: u8) -> Option<Suggestion> {
        let verdict = self.rules.judge(&Question::about(text));
        (verdict.kind != FailureType::NotDefined).then_some(Suggestion {
            kind: verdict.kind,
            reason: verdict.reason,
            party: verdict.party,
            confidence: verdict.confidence.min(most),
        })
    }
}

/// What a rule made from a text is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says {
    /// The type.
    pub kind: FailureType,
    /// The reason.
    pub reason: FailureReason,
    /// Whose trouble it is; the entry's own when `None`.
    pub party: Option<Party>,
    /// Name of the rule; derived from the entry's id when `None`.
    pub name: Option<String>,
}

/// Makes a rule of an entry: its text is the sample, the parts of it that vary are gaps. The rule
/// is asked after the shipped ones, or before them where one of those takes its sample.
///
/// # Errors
/// When there is no such entry, its text says nothing but codes, or the rule cannot be used.
pub fn to_rule<S: Qualifications + Rules + ?Sized>(
    store: &S,
    id: QualificationId,
    says: &Says,
    hand: Hand<'_>,
) -> Result<(Qualification, Done)> {
    let entry = find(store, id)?;
    let rule = rule_of(&entry, says)?;
    let file = RuleFile {
        rules: vec![rule.clone()],
        ..RuleFile::default()
    };
    let done = match rules_edit::add(store, &file, &Place::Last, hand) {
        Err(DeskError::Input(_)) => rules_edit::add(store, &file, &Place::First, hand)?,
        other => other?,
    };
    let judged = Qualification {
        kind: says.kind,
        reason: says.reason,
        party: says.party.unwrap_or(entry.party),
        status: QualificationStatus::Keep,
        by_person: false,
        rule: rule.name,
        ..entry
    };
    store.set_qualification(&judged, hand.at)?;
    Ok((judged, done))
}

fn rule_of(entry: &Qualification, says: &Says) -> Result<Rule> {
    let kind = match says.kind {
        FailureType::Hard => Kind::Hard,
        FailureType::Soft => Kind::Soft,
        FailureType::Ignored => Kind::Ignored,
        FailureType::NotDefined => {
            return Err(DeskError::Input(
                "a rule says what a text means: give hard, soft or ignored".to_owned(),
            ));
        }
    };
    let pattern = pattern_of(&entry.text).ok_or_else(|| {
        DeskError::Input(format!(
            "the text of qualification {} says little but codes and variable parts, and a rule \
             from it would match too much; write one by hand and add it with `posthaste rules add`",
            entry.id
        ))
    })?;
    let (code, _) = codes(&entry.first_text);
    Ok(Rule {
        name: says
            .name
            .clone()
            .unwrap_or_else(|| format!("own-text-{}", entry.id)),
        order: 0,
        version: 1,
        channel: entry.channel,
        host: Vec::new(),
        stage: Vec::new(),
        code: code.map(|code| code.to_string()).into_iter().collect(),
        enhanced: Vec::new(),
        said_by: None,
        text: vec![pattern],
        unless: Vec::new(),
        means: None,
        kind: Some(kind),
        reason: Some(says.reason),
        party: Some(says.party.unwrap_or(entry.party)),
        retry: None,
        confidence: 95,
        source: format!(
            "met by this instance: delivery log qualification {}",
            entry.id
        ),
        samples: vec![entry.first_text.clone()],
        not_samples: Vec::new(),
    })
}
