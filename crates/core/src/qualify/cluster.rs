//! Which texts say the same in other words: similarity by their words, groups of similar texts.

use std::collections::HashSet;

/// From this many percent on, two texts are taken for one.
pub const ALIKE: u8 = 60;

/// The words of a text that tell: letters only, without capitals; codes, numbers and placeholders
/// tell nothing. Scripts without blanks are taken two characters at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(HashSet<String>);

impl Words {
    /// The words of a normalised text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let plain = text
            .replace("#xxx#", " ")
            .replace("#MESSAGE#", " ")
            .to_lowercase();
        let mut words = HashSet::new();
        for word in plain.split(|c: char| !c.is_alphabetic()) {
            if word.chars().any(|c| c >= '\u{0E00}') {
                let letters: Vec<char> = word.chars().collect();
                words.extend(
                    letters
                        .windows(2)
                        .map(|pair| pair.iter().collect::<String>()),
                );
            } else if word.chars().count() > 1 {
                words.insert(word.to_owned());
            }
        }
        Self(words)
    }

    /// How alike two texts are: shared words of all words, in percent; 0 when one has no words.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> u8 {
        let shared = self.0.intersection(&other.0).count();
        let all = self.0.len() + other.0.len() - shared;
        if shared == 0 {
            return 0;
        }
        u8::try_from(shared * 100 / all).unwrap_or(100)
    }
}

/// Groups texts: each joins the first group whose first text is [`ALIKE`], else begins one.
/// Groups and their members keep the order of `texts`; each number is an index into it.
///
/// ```
/// use posthaste_core::qualify::{cluster, Words};
/// let texts = ["550 mailbox of #xxx# is on the moon", "550 the mailbox of * is on the moon", "451 come back"];
/// let words: Vec<Words> = texts.iter().map(|text| Words::of(text)).collect();
/// assert_eq!(cluster(&words), [vec![0, 1], vec![2]]);
/// ```
#[must_use]
pub fn cluster(texts: &[Words]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(&Words, Vec<usize>)> = Vec::new();
    for (index, words) in texts.iter().enumerate() {
        let near = groups
            .iter_mut()
            .find(|(leader, _)| leader.similarity(words) >= ALIKE);
        match near {
            Some((_, members)) => members.push(index),
            None => groups.push((words, vec![index])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// The most similar of the known texts and how alike it is in percent; the first among equals,
/// `None` when no word is shared with any.
#[must_use]
pub fn nearest(text: &Words, known: &[Words]) -> Option<(usize, u8)> {
    let mut best: Option<(usize, u8)> = None;
    for (index, words) in known.iter().enumerate() {
        let alike = text.similarity(words);
        if alike > best.map_or(0, |(_, most)| most) {
            best = Some((index, alike));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_counts_shared_words() {
        let rows = [
            ("550 user unknown", "551 User Unknown!", 100),
            ("550 user unknown", "550 5.1.1 unknown", 50),
            ("mailbox full", "user unknown", 0),
            ("550 #xxx#", "550 #xxx#", 0),
            ("用户不存在", "用户不存在。", 100),
            ("a b c", "a b c", 0),
        ];
        for (a, b, expected) in rows {
            assert_eq!(
                Words::of(a).similarity(&Words::of(b)),
                expected,
                "{a} / {b}"
            );
            assert_eq!(
                Words::of(b).similarity(&Words::of(a)),
                expected,
                "{b} / {a}"
            );
        }
    }

    #[test]
    fn every_text_is_in_one_group_and_leaders_are_not_alike() {
        let texts = [
            "550 your host is on the moon list",
            "451 quota of planet exceeded",
            "550 host is on the moon list now",
            "421 planet quota exceeded",
            "550",
        ];
        let words: Vec<Words> = texts.iter().map(|t| Words::of(t)).collect();
        assert_eq!(cluster(&words), [vec![0, 2], vec![1, 3], vec![4]]);
        assert_eq!(cluster(&[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn the_nearest_text_is_the_first_of_the_most_similar() {
        let known: Vec<Words> = ["user unknown", "mailbox full", "full mailbox"]
            .iter()
            .map(|t| Words::of(t))
            .collect();
        let near = |text: &str| nearest(&Words::of(text), &known);
        assert_eq!(near("552 mailbox is full"), Some((1, 66)));
        assert_eq!(near("552 sunshine"), None);
    }
}
