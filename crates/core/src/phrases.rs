//! Many phrases looked for at once, in time that hardly depends on how many there are.
//!
//! A double array (Kanda and others, «Engineering faster double-array Aho-Corasick automata», 2023): half the time of
//! the usual automaton on texts as short as replies and notices, in as little memory.

use daachorse::{DoubleArrayAhoCorasick, DoubleArrayAhoCorasickBuilder};

/// Phrases, compiled. Letters are compared as they are: who looks for any case folds both sides.
#[derive(Default)]
pub struct Phrases {
    machine: Option<DoubleArrayAhoCorasick<u32>>,
    /// For each phrase the next one in the list with the same letters.
    next: Vec<Option<u32>>,
}

/// A phrase met in a text; places are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its number in the list.
    pub phrase: usize,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Phrases {
    /// Compiles a list. A phrase may stand in it several times: each number is found. Empty ones are never found.
    ///
    /// # Errors
    /// When they are too many for one machine (some hundred megabytes of text).
    pub fn new<S: AsRef<str>>(list: &[S]) -> Result<Self, String> {
        let mut first = std::collections::HashMap::new();
        let mut next = vec![None; list.len()];
        // From the last to the first, so that equal ones are found in the order of the list.
        for (number, phrase) in list.iter().enumerate().rev() {
            if phrase.as_ref().is_empty() {
                continue;
            }
            let value = u32::try_from(number).map_err(|_| too_many(&"over four billion"))?;
            if let Some(slot) = next.get_mut(number) {
                *slot = first.insert(phrase.as_ref(), value);
            }
        }
        let machine = (!first.is_empty())
            .then(|| {
                // A filter of pairs of letters would add 64 KB to each machine, and our texts have most pairs.
                let builder = DoubleArrayAhoCorasickBuilder::new().use_prefilter(false);
                builder.build_with_values(first)
            })
            .transpose()
            .map_err(|error| too_many(&error))?;
        Ok(Self { machine, next })
    }

    /// Every place where a phrase stands, also within another, in the order of where they end.
    pub fn find<'a, T: AsRef<[u8]> + ?Sized>(
        &'a self,
        text: &'a T,
    ) -> impl Iterator<Item = Found> + 'a {
        let machine = self.machine.as_ref();
        let mut hits = machine.map(|machine| machine.find_overlapping_iter(text));
        let mut same: Option<Found> = None;
        // By hand: iterators within iterators cost a third of the search itself.
        std::iter::from_fn(move || {
            let found = match same.take() {
                Some(found) => found,
                None => hits.as_mut()?.next().map(|hit| Found {
                    phrase: hit.value() as usize,
                    start: hit.start(),
                    end: hit.end(),
                })?,
            };
            let next = self.next.get(found.phrase).copied().flatten();
            same = next.map(|number| Found {
                phrase: number as usize,
                ..found
            });
            Some(found)
        })
    }

    /// Whether any phrase stands in a text.
    #[must_use]
    pub fn is_in<T: AsRef<[u8]> + ?Sized>(&self, text: &T) -> bool {
        let machine = self.machine.as_ref();
        machine.is_some_and(|machine| machine.find_iter(text).next().is_some())
    }
}

impl std::fmt::Debug for Phrases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phrases")
            .field("phrases", &self.next.len())
            .finish_non_exhaustive()
    }
}

fn too_many(why: &dyn std::fmt::Display) -> String {
    format!("the phrases are too many for one machine; drop some: {why}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_hand(list: &[String], text: &str) -> Vec<Found> {
        let mut all = Vec::new();
        for end in 0..=text.len() {
            for start in 0..end {
                for (phrase, words) in list.iter().enumerate() {
                    if text.get(start..end) == Some(words.as_str()) {
                        all.push(Found { phrase, start, end });
                    }
                }
            }
        }
        all
    }

    #[test]
    fn equal_phrases_are_all_found_and_empty_ones_never() {
        let phrases = Phrases::new(&["full", "", "mailbox full", "full"]).unwrap();
        let found: Vec<usize> = phrases.find("a mailbox full").map(|f| f.phrase).collect();
        assert_eq!(found, [2, 0, 3]);
        assert!(phrases.is_in("full"));
        assert!(!phrases.is_in("ful"));
        assert!(!Phrases::new(&[""]).unwrap().is_in("x"));
        assert!(!Phrases::default().is_in("x"));
    }

    proptest! {
        #[test]
        fn each_place_is_found(
            list in prop::collection::vec("[abé]{0,4}", 0..8),
            text in "[abcé]{0,40}",
        ) {
            let phrases = Phrases::new(&list).unwrap();
            let found: Vec<Found> = phrases.find(&text).collect();
            prop_assert_eq!(&found, &by_hand(&list, &text));
            prop_assert_eq!(phrases.is_in(&text), !found.is_empty());
        }
    }
}
