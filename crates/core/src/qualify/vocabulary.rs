//! Understanding a text that no rule knows: words that say something, alone or in pairs.
//!
//! A *phrase* says one thing by itself («over quota»). A *concept* is a set of words in several
//! languages («mailbox», «Postfach», «ящик»); two concepts near one another make a *pair* that says
//! something («mailbox … full»). Each brings a weight to a [`Meaning`]; weights of the status table
//! and of the code are added, and the heaviest meaning wins. Weights range from 1 (a hint) to 10
//! (says it outright); statuses weigh at most 6, so that an outspoken text overrules a status that lies.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::fold::fold;
use super::meaning::Meaning;
use super::pattern::{bounded, stands_alone};
use super::subjects::{Links, Noun, Other, Sentence, Subject, Words};
use crate::failure::FailureReason;
use crate::phrases::Phrases;

/// Most bytes between the two concepts of a pair.
const NEAR: usize = 48;

/// Weight of words that blame only where nothing else is spoken of.
const WEAK: i32 = 4;

/// Weight of words that say something of other nouns, too.
const OUTSPOKEN: i32 = 7;

/// Most words that are looked at in one text.
const MOST_HITS: usize = 160;

/// Most that further clues of the same kind add to the heaviest one.
const MOST_EXTRA: i32 = 2;

/// Where a clue comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The words of the text.
    Text,
    /// The enhanced status.
    Status,
    /// The reply code.
    Code,
}

/// One thing that speaks for a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clue<'v> {
    /// What it speaks for.
    pub means: Meaning,
    /// How loudly.
    pub weight: i32,
    /// What was seen, in up to two parts.
    pub because: [&'v str; 2],
    /// Where it was seen.
    pub origin: Origin,
}

impl Clue<'_> {
    /// What was seen, for people.
    pub fn seen(&self) -> String {
        self.because.join(" ").trim_end().to_owned()
    }
}

/// What all clues together say.
#[derive(Debug, Default)]
pub struct Scores(BTreeMap<Meaning, [i32; 3]>);

impl Scores {
    /// Adds clues up: for each meaning the heaviest of the text with a little for further ones,
    /// and the status, and the code.
    pub fn of(clues: &[Clue<'_>]) -> Self {
        let mut scores = Self::default();
        for clue in clues {
            let [best, extra, outside] = scores.0.entry(clue.means).or_default();
            if clue.origin != Origin::Text {
                *outside += clue.weight;
            } else if *best == 0 {
                *best = clue.weight;
            } else {
                *best = (*best).max(clue.weight);
                *extra = (*extra + 1).min(MOST_EXTRA);
            }
        }
        scores
    }

    /// The score of one meaning.
    pub fn of_meaning(&self, meaning: Meaning) -> i32 {
        self.0.get(&meaning).map_or(0, |parts| parts.iter().sum())
    }

    /// The weight of the heaviest words for one meaning.
    pub fn heaviest(&self, meaning: Meaning) -> i32 {
        self.0.get(&meaning).map_or(0, |[best, _, _]| *best)
    }

    /// The heaviest meaning; among equals the one that stands first in the list of meanings.
    pub fn best(&self) -> Option<(Meaning, i32)> {
        let totals = self
            .0
            .iter()
            .map(|(m, parts)| (*m, parts.iter().sum::<i32>()));
        totals.fold(None, |best, next| match best {
            Some((_, score)) if score >= next.1 => best,
            _ => Some(next),
        })
    }

    /// The heaviest score of another verdict than `meaning`'s.
    pub fn second(&self, meaning: Meaning) -> i32 {
        let reason = meaning.sense().reason;
        let others = self.0.iter().filter(|(m, _)| m.sense().reason != reason);
        others
            .map(|(_, parts)| parts.iter().sum())
            .max()
            .unwrap_or(0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Boilerplate that says nothing: what it covers is not looked at.
    mute: Vec<String>,
    concept: BTreeMap<String, Vec<String>>,
    pair: Vec<Pair>,
    phrase: Vec<Phrase>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    /// First concepts.
    a: Vec<String>,
    /// Second concepts.
    b: Vec<String>,
    means: Meaning,
    weight: i32,
    /// The first must stand before the second.
    #[serde(default)]
    ordered: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrase {
    means: Meaning,
    weight: i32,
    text: Vec<String>,
}

/// Concepts that name a recipient.
const WHOM: &[&str] = &[
    "user",
    "mailbox",
    "account",
    "them",
    "member",
    "phone_number",
];

/// Concepts that are said of other nouns, too.
const SAID: &[&str] = &["unknown", "vanished", "disabled", "removed"];

/// What a word stands for.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Concept(u16),
    /// A noun that is no recipient.
    Noun(Other),
    Phrase(Meaning, i32),
    Mute,
}

/// A word or phrase as it is looked for.
#[derive(Debug)]
struct Term {
    text: String,
    open_start: bool,
    open_end: bool,
    signs: Vec<Sign>,
}

/// The compiled vocabulary.
#[derive(Debug)]
pub struct Vocabulary {
    phrases: Phrases,
    terms: Vec<Term>,
    pairs: Pairs,
    /// Numbers of the concepts that name a recipient.
    whom: Vec<u16>,
    /// Numbers of the concepts that are said of other nouns, too.
    said: Vec<u16>,
    links: Links,
}

/// What two concepts near one another say: for each first one, what it says with each second one.
#[derive(Debug)]
struct Pairs(Vec<Vec<Vec<(Meaning, i32)>>>);

impl Pairs {
    fn new(concepts: usize) -> Self {
        Self(vec![vec![Vec::new(); concepts]; concepts])
    }

    fn add(&mut self, first: u16, second: u16, means: Meaning, weight: i32) {
        let of_first = self.0.get_mut(usize::from(first));
        if let Some(both) = of_first.and_then(|list| list.get_mut(usize::from(second))) {
            both.push((means, weight));
        }
    }

    fn of(&self, first: u16, second: u16) -> &[(Meaning, i32)] {
        let of_first = self.0.get(usize::from(first));
        of_first
            .and_then(|list| list.get(usize::from(second)))
            .map_or(&[], Vec::as_slice)
    }
}

static SHIPPED: LazyLock<Vocabulary> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the shipped file is part of the build and tested"
    )]
    let vocabulary = Vocabulary::parse(super::shipped::VOCABULARY, super::shipped::SUBJECTS)
        .expect("the vocabulary is correct");
    vocabulary
});

/// A term met in a text.
struct Hit {
    sign: Sign,
    term: usize,
    start: usize,
    end: usize,
}

/// What stands at a place of a text.
#[derive(Clone, Copy)]
enum Is {
    Concept(u16),
    Noun(Other),
}

/// A concept met in a text, or another noun.
struct Met {
    is: Is,
    term: usize,
    start: usize,
    end: usize,
}

impl Met {
    fn of(hit: &Hit) -> Option<Self> {
        let is = match hit.sign {
            Sign::Concept(concept) => Is::Concept(concept),
            Sign::Noun(other) => Is::Noun(other),
            Sign::Phrase(..) | Sign::Mute => return None,
        };
        Some(Self {
            is,
            term: hit.term,
            start: hit.start,
            end: hit.end,
        })
    }

    /// A noun with the end of its word: `ip-adress…` in «ip-adressen».
    fn whole_word(mut self, text: &str) -> Self {
        if let Is::Noun(_) = self.is {
            let rest = text.get(self.end..).unwrap_or_default();
            self.end += rest.len() - rest.trim_start_matches(bounded).len();
        }
        self
    }

    const fn place(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    /// The concept, if it is one.
    const fn concept(&self) -> Option<u16> {
        match self.is {
            Is::Concept(concept) => Some(concept),
            Is::Noun(_) => None,
        }
    }

    /// The noun that is no recipient, if it is one.
    const fn noun(&self) -> Option<Noun> {
        match self.is {
            Is::Concept(_) => None,
            Is::Noun(other) => Some(Noun {
                other,
                term: self.term,
                start: self.start,
                end: self.end,
            }),
        }
    }
}

impl Vocabulary {
    /// The vocabulary shipped with the product.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    fn parse(text: &str, subjects: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let others: Words = toml::from_str(subjects).map_err(|error| error.to_string())?;
        let mut terms = Terms::default();
        let mut numbers = HashMap::new();
        for text in &file.mute {
            terms.add(text, Sign::Mute)?;
        }
        for (number, (name, words)) in (0_u16..).zip(&file.concept) {
            numbers.insert(name.as_str(), number);
            for word in words {
                terms.add(word, Sign::Concept(number))?;
            }
        }
        for phrase in &file.phrase {
            for text in &phrase.text {
                terms.add(text, Sign::Phrase(phrase.means, phrase.weight))?;
            }
        }
        for (other, word) in others.nouns() {
            terms.add(word, Sign::Noun(other))?;
        }
        let mut pairs = Pairs::new(numbers.len());
        let number = |name: &String| {
            let found = numbers.get(name.as_str()).copied();
            found.ok_or_else(|| format!("the concept \"{name}\" is not defined"))
        };
        for pair in &file.pair {
            for (a, b) in pair
                .a
                .iter()
                .flat_map(|a| pair.b.iter().map(move |b| (a, b)))
            {
                let (a, b) = (number(a)?, number(b)?);
                pairs.add(a, b, pair.means, pair.weight);
                if !pair.ordered {
                    pairs.add(b, a, pair.means, pair.weight);
                }
            }
        }
        let texts: Vec<&str> = terms.list.iter().map(|term| term.text.as_str()).collect();
        let named = |names: &[&str]| {
            let found = names.iter().map(|name| number(&(*name).to_owned()));
            found.collect::<Result<Vec<u16>, String>>()
        };
        Ok(Self {
            whom: named(WHOM)?,
            said: named(SAID)?,
            phrases: Phrases::new(&texts)?,
            terms: terms.list,
            pairs,
            links: Links::new(&others),
        })
    }

    /// What the words of a folded text speak for.
    pub fn clues(&self, folded: &str) -> Vec<Clue<'_>> {
        let hits = self.hits(folded);
        let muted: Vec<(usize, usize)> = hits
            .iter()
            .filter(|hit| matches!(hit.sign, Sign::Mute))
            .map(|hit| (hit.start, hit.end))
            .collect();
        let heard = |hit: &&Hit| !muted.iter().any(|m| m.0 <= hit.start && hit.end <= m.1);
        let met = hits.iter().filter(heard).filter_map(Met::of);
        // `mx.example.net` holds neither a network nor an exchanger.
        let met = met.filter(|m| m.noun().is_none() || !is_of_host(folded, m.place()));
        let met: Vec<Met> = met.map(|m| m.whole_word(folded)).collect();
        let whole = self.outermost(&met);
        let sentence = self.sentence(folded, &whole);
        let mut clues = Vec::new();
        for hit in hits.iter().filter(heard) {
            let Sign::Phrase(means, weight) = hit.sign else {
                continue;
            };
            let of = if blames(means) {
                sentence.subject_of_phrase((hit.start, hit.end), weight <= WEAK)
            } else {
                Subject::Recipient
            };
            clues.extend(self.clue(of, (means, weight), [Some(hit.term), None]));
        }
        self.pair_clues(&sentence, &whole, &mut clues);
        for met in whole {
            if met.concept().is_none_or(|c| !self.said.contains(&c)) {
                continue;
            }
            if let Some(noun) = sentence.noun_of(met.place()) {
                let of = Subject::Other(noun);
                clues.extend(self.clue(of, noun.other.means(), [Some(met.term), None]));
            }
        }
        clues
    }

    /// What stands within nothing longer, in order: «IP address» is no «address». A server that other words know as well
    /// («mail server») stays the noun it is.
    fn outermost<'m>(&self, met: &'m [Met]) -> Vec<&'m Met> {
        let mut sorted: Vec<&Met> = met.iter().collect();
        sorted.sort_by_key(|m| (m.start, std::cmp::Reverse(m.end)));
        let mut whole: Vec<&Met> = Vec::with_capacity(sorted.len());
        // How far what began before reaches: anything, and what hides a noun.
        let (mut any, mut noun) = (0, 0);
        for same in sorted.chunk_by(|a, b| a.place() == b.place()) {
            let hidden = |m: &Met| m.end <= if m.noun().is_some() { noun } else { any };
            whole.extend(same.iter().copied().filter(|m| !hidden(m)));
            let end = same.first().map_or(0, |m| m.end);
            any = any.max(end);
            if same.iter().any(|m| m.noun().is_some() || self.is_whom(m)) {
                noun = noun.max(end);
            }
        }
        whole.sort_by_key(|m| m.place());
        whole
    }

    /// The nouns of a text.
    fn sentence<'t>(&'t self, text: &'t str, met: &[&Met]) -> Sentence<'t> {
        let whom = met.iter().filter(|m| self.is_whom(m));
        Sentence {
            text,
            whom: whom.map(|m| m.place()).collect(),
            nouns: met.iter().filter_map(|m| m.noun()).collect(),
            links: &self.links,
        }
    }

    fn is_whom(&self, met: &Met) -> bool {
        met.concept().is_some_and(|c| self.whom.contains(&c))
    }

    /// The clue of words that are said of a subject.
    fn clue(
        &self,
        of: Subject,
        says: (Meaning, i32),
        seen: [Option<usize>; 2],
    ) -> Option<Clue<'_>> {
        let word = |term: Option<usize>| term.map_or("", |term| self.word(term));
        let ((means, weight), because) = match of {
            Subject::Recipient => (says, seen.map(word)),
            Subject::Other(_) if blames(says.0) && says.1 < OUTSPOKEN => return None,
            Subject::Other(noun) => {
                let said = seen.into_iter().flatten().next_back();
                (noun.other.means(), [self.word(noun.term), word(said)])
            }
            Subject::Unclear => return None,
        };
        Some(Clue {
            means,
            weight,
            because,
            origin: Origin::Text,
        })
    }

    fn word(&self, term: usize) -> &str {
        self.terms.get(term).map_or("", |t| t.text.as_str())
    }

    /// Every term of the vocabulary that stands in the text as whole words.
    fn hits(&self, folded: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        for found in self.phrases.find(folded) {
            if hits.len() >= MOST_HITS {
                break;
            }
            let index = found.phrase;
            let Some(term) = self.terms.get(index) else {
                continue;
            };
            let (starts, ends) = stands_alone(folded, found.start, found.end);
            if (starts || term.open_start) && (ends || term.open_end) {
                hits.extend(term.signs.iter().map(|&sign| Hit {
                    sign,
                    term: index,
                    start: found.start,
                    end: found.end,
                }));
            }
        }
        hits
    }

    fn pair_clues<'v>(&'v self, sentence: &Sentence<'_>, met: &[&Met], clues: &mut Vec<Clue<'v>>) {
        for (place, first) in met.iter().enumerate() {
            for second in met.iter().skip(place + 1) {
                if second.start > first.end + NEAR {
                    break;
                }
                let Some(between) = sentence.text.get(first.end..second.start) else {
                    continue;
                };
                let found = self.pairs_of(first, second);
                if found.is_empty() || between.contains(". ") {
                    continue;
                }
                let blamed = found.iter().any(|&(means, _)| blames(means));
                let of = if blamed {
                    self.subject(sentence, first, second)
                } else {
                    Subject::Recipient
                };
                clues.extend(found.iter().filter_map(|&says| {
                    let of = if blames(says.0) {
                        of
                    } else {
                        Subject::Recipient
                    };
                    self.clue(of, says, [Some(first.term), Some(second.term)])
                }));
            }
        }
    }

    fn pairs_of(&self, first: &Met, second: &Met) -> &[(Meaning, i32)] {
        match (first.concept(), second.concept()) {
            (Some(first), Some(second)) => self.pairs.of(first, second),
            _ => &[],
        }
    }

    /// Of what the words of a pair are said, one of which names a recipient.
    fn subject(&self, sentence: &Sentence<'_>, first: &Met, second: &Met) -> Subject {
        if self.is_whom(first) {
            sentence.subject(first.place(), second.place())
        } else if self.is_whom(second) {
            sentence.subject(second.place(), first.place())
        } else {
            Subject::Recipient
        }
    }
}

/// Whether words stand within the name of a host: a dot, and right behind it or before it a letter or digit.
fn is_of_host(text: &str, place: (usize, usize)) -> bool {
    let mut before = text.get(..place.0).unwrap_or_default().chars().rev();
    let mut after = text.get(place.1..).unwrap_or_default().chars();
    let dotted =
        |a: Option<char>, b: Option<char>| a == Some('.') && b.is_some_and(char::is_alphanumeric);
    dotted(before.next(), before.next()) || dotted(after.next(), after.next())
}

/// Whether a meaning is the recipient's own fault: the address is not there, or closed.
fn blames(means: Meaning) -> bool {
    matches!(
        means.sense().reason,
        FailureReason::UserUnknown | FailureReason::AccountDisabled
    )
}

/// Terms while they are collected, each text once.
#[derive(Default)]
struct Terms {
    list: Vec<Term>,
    by_text: HashMap<(String, bool, bool), usize>,
}

impl Terms {
    fn add(&mut self, source: &str, sign: Sign) -> Result<(), String> {
        let open_start = source.starts_with('…');
        let open_end = source.ends_with('…');
        let text = fold(source.trim_matches('…'));
        if text.is_empty() {
            return Err(format!("\"{source}\" holds no word"));
        }
        let list = &mut self.list;
        let index = *self
            .by_text
            .entry((text.clone(), open_start, open_end))
            .or_insert_with(|| {
                list.push(Term {
                    open_start: open_start || !text.starts_with(super::pattern::bounded),
                    open_end: open_end || !text.ends_with(super::pattern::bounded),
                    text,
                    signs: Vec::new(),
                });
                list.len() - 1
            });
        if let Some(term) = self.list.get_mut(index) {
            term.signs.push(sign);
        }
        Ok(())
    }
}
