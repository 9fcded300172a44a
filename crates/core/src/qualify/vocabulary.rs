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
use super::pattern::stands_alone;
use crate::phrases::Phrases;

/// Most bytes between the two concepts of a pair.
const NEAR: usize = 48;

/// Most words that are looked at in one text.
const MOST_HITS: usize = 96;

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

/// What a word stands for.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Concept(u16),
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
    let vocabulary =
        Vocabulary::parse(super::shipped::VOCABULARY).expect("the vocabulary is correct");
    vocabulary
});

/// A term met in a text.
struct Hit {
    sign: Sign,
    term: usize,
    start: usize,
    end: usize,
}

/// A concept met in a text.
struct Met {
    concept: u16,
    term: usize,
    start: usize,
    end: usize,
}

impl Met {
    /// Whether this one is longer and covers the other: «IP address» is no «address».
    const fn holds(&self, other: &Self) -> bool {
        self.start <= other.start
            && other.end <= self.end
            && self.end - self.start > other.end - other.start
    }
}

impl Vocabulary {
    /// The vocabulary shipped with the product.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
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
        let mut pairs = Pairs::new(numbers.len());
        let number = |name: &String| {
            let found = numbers.get(name.as_str()).copied();
            found.ok_or_else(|| format!("the pair's concept \"{name}\" is not defined"))
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
        Ok(Self {
            phrases: Phrases::new(&texts)?,
            terms: terms.list,
            pairs,
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
        let mut clues = Vec::new();
        let mut met: Vec<Met> = Vec::new();
        for hit in hits.iter().filter(heard) {
            match hit.sign {
                Sign::Mute => {}
                Sign::Concept(concept) => met.push(Met {
                    concept,
                    term: hit.term,
                    start: hit.start,
                    end: hit.end,
                }),
                Sign::Phrase(means, weight) => clues.push(Clue {
                    means,
                    weight,
                    because: [self.word(hit.term), ""],
                    origin: Origin::Text,
                }),
            }
        }
        let inner = |m: &Met| met.iter().any(|other| other.holds(m));
        let mut whole: Vec<&Met> = met.iter().filter(|m| !inner(m)).collect();
        whole.sort_by_key(|m| (m.start, m.end));
        self.pair_clues(folded, &whole, &mut clues);
        clues
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

    fn pair_clues<'v>(&'v self, folded: &str, met: &[&Met], clues: &mut Vec<Clue<'v>>) {
        for (place, first) in met.iter().enumerate() {
            for second in met.iter().skip(place + 1) {
                if second.start > first.end + NEAR {
                    break;
                }
                let Some(between) = folded.get(first.end..second.start) else {
                    continue;
                };
                let found = self.pairs.of(first.concept, second.concept);
                if found.is_empty() || between.contains(". ") {
                    continue;
                }
                clues.extend(found.iter().map(|&(means, weight)| Clue {
                    means,
                    weight,
                    because: [self.word(first.term), self.word(second.term)],
                    origin: Origin::Text,
                }));
            }
        }
    }
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
