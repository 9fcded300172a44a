//! What the words of a failure are said of: «unknown», «closed» or «expired» may be a server, a certificate or the
//! sender's account, and then no recipient is to blame.
//!
//! Nouns and the small words around them are data of `rules/subjects.toml`; how they stand to one another decides.

use std::collections::HashSet;

use serde::Deserialize;

use super::fold::fold;
use super::meaning::Meaning;
use super::pattern::bounded;

/// Most words between a preposition and the place it tells: «on our new mail server».
const MOST_BEFORE_PLACE: usize = 3;

/// Most words of a text of which one weak word is believed: «550 5.2.1 disabled by the administrator».
const MOST_WORDS: usize = 10;

/// Most bytes that are looked at around a noun.
const AROUND: usize = 40;

/// Where words stand in a text, in bytes.
pub(super) type Place = (usize, usize);

/// `rules/subjects.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    thing: Vec<String>,
    client: Vec<String>,
    domain: Vec<String>,
    sender: Vec<String>,
    of: Vec<String>,
    mail: Vec<String>,
    join: Vec<String>,
    place: Vec<String>,
    agent: Vec<String>,
    be: Vec<String>,
    act: Vec<String>,
    and: Vec<String>,
}

impl Words {
    /// Every noun, and what it names.
    pub(super) fn nouns(&self) -> impl Iterator<Item = (Other, &str)> {
        let lists = [
            (Other::Thing, &self.thing),
            (Other::Client, &self.client),
            (Other::Domain, &self.domain),
            (Other::Sender, &self.sender),
        ];
        let each = lists.into_iter();
        each.flat_map(|(other, list)| list.iter().map(move |word| (other, word.as_str())))
    }
}

/// What a noun names that is no recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// A thing of a mail system, or of the path to it.
    Thing,
    /// The address from which somebody connects.
    Client,
    /// A domain.
    Domain,
    /// Who sends, or what is the sender's.
    Sender,
}

impl Other {
    /// What a failure means of which words of blame are said of this, and how loudly they say it.
    pub(super) const fn means(self) -> (Meaning, i32) {
        match self {
            Self::Thing => (Meaning::System, 5),
            Self::Client => (Meaning::Reputation, 5),
            Self::Domain => (Meaning::DomainUnknown, 7),
            Self::Sender => (Meaning::SenderRejected, 7),
        }
    }
}

/// What words of blame are said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The recipient.
    Recipient,
    /// Something else, named by the noun that stands there.
    Other(Noun),
    /// Not the recipient, as far as can be told.
    Unclear,
}

impl From<Option<Noun>> for Subject {
    fn from(noun: Option<Noun>) -> Self {
        noun.map_or(Self::Recipient, Self::Other)
    }
}

/// A noun that is no recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noun {
    /// What it names.
    pub other: Other,
    /// Its number in the vocabulary.
    pub term: usize,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// The small words, folded.
#[derive(Debug)]
pub(super) struct Links {
    of: HashSet<String>,
    mail: HashSet<String>,
    join: HashSet<String>,
    place: HashSet<String>,
    agent: HashSet<String>,
    be: HashSet<String>,
    act: HashSet<String>,
    and: HashSet<String>,
}

impl Links {
    pub(super) fn new(words: &Words) -> Self {
        let folded = |list: &[String]| list.iter().map(|word| fold(word)).collect();
        Self {
            of: folded(&words.of),
            mail: folded(&words.mail),
            join: folded(&words.join),
            place: folded(&words.place),
            agent: folded(&words.agent),
            be: folded(&words.be),
            act: folded(&words.act),
            and: folded(&words.and),
        }
    }

    /// Whether what stands between two nouns makes the first one the second one's: small words, or one more that a
    /// preposition follows: «program of delivery for».
    fn joins(&self, gap: &str) -> bool {
        let gap = gap.trim_start_matches(bounded);
        if !is_plain(gap) {
            return false;
        }
        let small = |word: &&str| {
            *word == "s"
                || self.of.contains(*word)
                || self.mail.contains(*word)
                || self.join.contains(*word)
                || self.place.contains(*word)
        };
        let mut words = words(gap).skip_while(small);
        let more = words.next();
        let of = words.next().is_some_and(|word| self.of.contains(word));
        more.is_none() || (of && words.all(|word| small(&word)))
    }

    /// Whether what follows a noun belongs to it: «recipient host», «recipient's old host», «получателя почтовый сервер».
    fn attaches(&self, gap: &str) -> bool {
        let gap = gap.trim_start_matches(bounded);
        if matches!(
            gap,
            "" | " " | "'" | "' " | "-" | "의 " | "의" | "的" | "の"
        ) {
            return true;
        }
        if let Some(rest) = gap.strip_prefix("'s ") {
            return is_plain(rest) && words(rest).count() <= 2;
        }
        is_plain(gap) && words(gap).all(|word| self.mail.contains(word))
    }

    /// Whether nothing but «or» or «and» stands in a gap.
    fn adds(&self, gap: &str) -> bool {
        let mut words = words(gap);
        let is_and = words.next().is_some_and(|word| self.and.contains(word));
        is_and && words.all(|word| self.join.contains(word))
    }

    /// Whether a gap holds nothing but forms of «to be» and the like.
    fn links(&self, gap: &str) -> bool {
        let gap = gap.trim_start_matches(bounded);
        let small =
            |word| self.be.contains(word) || self.join.contains(word) || self.of.contains(word);
        is_plain(gap) && words(gap).all(small)
    }
}

/// A folded text with the nouns in it.
#[derive(Debug)]
pub(super) struct Sentence<'t> {
    /// The text.
    pub text: &'t str,
    /// Where recipients are named.
    pub whom: Vec<Place>,
    /// What else is named.
    pub nouns: Vec<Noun>,
    /// The small words.
    pub links: &'t Links,
}

impl Sentence<'_> {
    /// What words of blame are said of that stand near a recipient.
    pub(super) fn subject(&self, whom: Place, said: Place) -> Subject {
        if let Some(owner) = self.owner(whom) {
            return Subject::Other(owner);
        }
        if whom.1 <= said.0 {
            self.subject_behind(whom, said)
        } else {
            self.subject_before(whom, said)
        }
    }

    /// «Recipient … server unknown», «recipient … unknown signal», «recipient; … unknown».
    fn subject_behind(&self, whom: Place, said: Place) -> Subject {
        if self.between(whom.1, said.0).contains(';') {
            return Subject::Unclear;
        }
        let takes_over = |noun: &&Noun| {
            let within = whom.1 <= noun.start && noun.end <= said.0;
            let announces = self.between(noun.end, said.0).contains(':');
            let behind = said.1 <= noun.start && self.between(said.1, noun.start) == " ";
            // «User or domain disabled».
            let both = self.links.adds(self.between(whom.1, noun.start));
            behind || (within && !announces && !both && !self.is_place(noun))
        };
        self.nouns.iter().find(takes_over).copied().into()
    }

    /// «Unknown host of the recipient», «server not found, recipient …», «closed by the recipient».
    fn subject_before(&self, whom: Place, said: Place) -> Subject {
        let gap = self.between(said.1, whom.0);
        let by = words(gap.trim_start_matches(bounded)).next();
        let by = by.is_some_and(|word| self.links.agent.contains(word));
        let apart = gap.contains([';', ',', '、', '，', '；']);
        let acts = words(self.between(said.0, said.1)).next();
        let acts = acts.is_some_and(|word| self.links.act.contains(word));
        let is_meant = |noun: &&Noun| {
            let within = said.1 <= noun.start && noun.end <= whom.0;
            // «… unknown user»: said of what follows.
            let subject = !acts && gap != " " && self.is_subject(noun, said.0);
            subject || (within && !self.is_place(noun))
        };
        match self.nouns.iter().find(is_meant) {
            Some(noun) => Subject::Other(*noun),
            None if by || apart => Subject::Unclear,
            None => Subject::Recipient,
        }
    }

    /// What words are said of that blame by themselves: a noun before them, across them or right behind them. `weak` ones
    /// blame only in a short text that names nothing else before them.
    pub(super) fn subject_of_phrase(&self, said: Place, weak: bool) -> Subject {
        let within = |whom: &&Place| said.0 <= whom.0 && whom.1 <= said.1;
        let named = self.whom.iter().any(|whom| within(&whom));
        let is_meant = |noun: &&Noun| {
            let into = noun.start < said.1 && said.1 < noun.end && !self.is_place(noun);
            let crosses = into || (noun.start < said.0 && said.0 < noun.end);
            let behind = said.1 <= noun.start
                && self.links.attaches(self.between(said.1, noun.start))
                && !self.is_place(noun);
            // «The domain has no such user», «error: user unknown»: the words have a subject of their own.
            let subject = !named || noun.other == Other::Sender;
            crosses || behind || (subject && self.is_subject(noun, said.0))
        };
        let owner = || {
            let linked = |whom: &&Place| {
                let before = whom.1 <= said.0 && self.links.links(self.between(whom.1, said.0));
                before || within(whom)
            };
            let told = |whom: Place, noun: &Noun| {
                let next = noun.end <= whom.0 && self.between(noun.end, whom.0).trim().is_empty();
                !(named && next) || noun.other == Other::Sender
            };
            let mut linked = self.whom.iter().filter(linked);
            linked.find_map(|whom| self.owner(*whom).filter(|noun| told(*whom, noun)))
        };
        let found = self.nouns.iter().find(is_meant).copied().or_else(owner);
        match found {
            Some(noun) => Subject::Other(noun),
            None if weak && !self.is_told(said.0) => Subject::Unclear,
            None => Subject::Recipient,
        }
    }

    /// Whether a text is so short that a word may be all it says, and names nothing else before it.
    fn is_told(&self, said: usize) -> bool {
        let before = |noun: &Noun| noun.end <= said && !self.is_place(noun);
        words(self.text).nth(MOST_WORDS).is_none() && !self.nouns.iter().any(before)
    }

    /// The noun that words are said of which stand behind or before it: «the licence has expired», «unknown host».
    pub(super) fn noun_of(&self, said: Place) -> Option<Noun> {
        let is_meant = |noun: &&Noun| {
            let behind = said.1 <= noun.start && self.between(said.1, noun.start) == " ";
            behind || self.is_subject(noun, said.0)
        };
        self.nouns.iter().find(is_meant).copied()
    }

    /// Whether a noun is the subject of words that follow it: «the server is unknown».
    fn is_subject(&self, noun: &Noun, said: usize) -> bool {
        noun.end <= said && self.links.links(self.between(noun.end, said)) && !self.is_place(noun)
    }

    /// The noun for whose sake alone a recipient is named: «host of the recipient», «recipient's host», «host of the
    /// recipient's mailbox».
    fn owner(&self, whom: Place) -> Option<Noun> {
        let of = |whom: Place| {
            self.nouns
                .iter()
                .find(|noun| self.owns(noun, whom))
                .copied()
        };
        of(whom).or_else(|| {
            let attached = |first: &&Place| {
                first.1 <= whom.0 && self.links.attaches(self.between(first.1, whom.0))
            };
            self.whom
                .iter()
                .filter(attached)
                .find_map(|first| of(*first))
        })
    }

    fn owns(&self, noun: &Noun, whom: Place) -> bool {
        if noun.end <= whom.0 {
            return self.links.joins(self.between(noun.end, whom.0)) && !self.is_place(noun);
        }
        if whom.1 > noun.start {
            return false;
        }
        let gap = self.between(whom.1, noun.start);
        self.links.attaches(gap) || (noun.other == Other::Sender && self.links.joins(gap))
    }

    /// Whether a noun only says where: «on this server», «in our directory».
    fn is_place(&self, noun: &Noun) -> bool {
        let mut from = noun.start.saturating_sub(AROUND);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        let before = self.between(from, noun.start);
        let clause = before.rsplit(['.', ':', ';', ',', '!', '?', '(']).next();
        let last: Vec<&str> = words(clause.unwrap_or_default()).collect();
        let mut nearest = last.iter().rev().take(MOST_BEFORE_PLACE);
        nearest.any(|word| self.links.place.contains(*word))
    }

    fn between(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Whether nothing but words stands in a gap, and few of them.
fn is_plain(gap: &str) -> bool {
    gap.len() <= AROUND
        && !gap.contains(" - ")
        && gap
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\'' | '-'))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}
