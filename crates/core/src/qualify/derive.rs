//! A pattern from one text: what varies becomes a gap, what stays must be said.

use super::normalise::{CUT, VARIABLE};
use super::words;

/// The pattern for texts like this normalised one: reply code and status in front are dropped,
/// variable parts become gaps. `None` when nothing but codes and variables would be left.
///
/// ```
/// use posthaste_core::qualify::pattern_of;
/// assert_eq!(
///     pattern_of("550 5.1.1 <*>: gone since #xxx#, ticket(#xxx#) closed").as_deref(),
///     Some("<*>: gone since … ticket(… closed")
/// );
/// assert_eq!(pattern_of("550 5.1.1"), None);
/// ```
#[must_use]
pub fn pattern_of(normalised: &str) -> Option<String> {
    let text = normalised.strip_suffix(CUT).unwrap_or(normalised);
    let text = without_codes(text);
    let mut pattern = String::new();
    let mut glued = false;
    for piece in text.split(VARIABLE) {
        let words = piece.trim();
        let telling = words.chars().any(char::is_alphanumeric);
        if telling {
            if !pattern.is_empty() {
                // `…` glued to a word lets the word go on.
                pattern.push_str(if glued { "… " } else { " … " });
            }
            pattern.push_str(
                words
                    .trim_start_matches([',', ';', ')', ']', '>', '.'])
                    .trim_start(),
            );
            glued = !piece.ends_with(char::is_whitespace);
        }
    }
    let letters = pattern.chars().filter(|c| c.is_alphabetic()).count();
    let unsafe_start = pattern.starts_with("re:") || text.contains('…');
    (letters >= 3 && !unsafe_start).then_some(pattern)
}

fn without_codes(text: &str) -> &str {
    let (code, status) = words::codes(text);
    let mut rest = text.trim_start();
    for word in [code.map(|c| c.to_string()), status.map(|s| s.to_string())]
        .into_iter()
        .flatten()
    {
        if let Some(after) = rest.strip_prefix(&word)
            && after.chars().next().is_none_or(|c| matches!(c, ' ' | '-'))
        {
            rest = after.trim_start_matches([' ', '-']);
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qualify::{Folded, Phrase, normalise};

    #[test]
    fn the_pattern_matches_the_text_it_came_from_and_its_like() {
        let rows = [
            (
                "550 5.7.1 queue id 4XkQ2b1Zz9 says no thanks",
                "550 5.7.1 queue id 5YlR3c2Ab1 says no thanks",
                "550 5.7.1 queue is full, no thanks",
            ),
            (
                "451 <ann@example.com> moon phase wrong (since 14 Nov 2024)",
                "451 <bo@example.org> moon phase wrong (since 2 Dec 2025)",
                "451 <bo@example.org> sun phase wrong",
            ),
        ];
        for (text, alike, other) in rows {
            let pattern = pattern_of(&normalise(text)).unwrap();
            let phrase = Phrase::parse(&pattern).unwrap();
            assert!(phrase.is_in(&Folded::new(text)), "{pattern} in {text}");
            assert!(phrase.is_in(&Folded::new(alike)), "{pattern} in {alike}");
            assert!(!phrase.is_in(&Folded::new(other)), "{pattern} in {other}");
        }
    }

    #[test]
    fn texts_without_words_give_no_pattern() {
        for text in [
            "",
            "550",
            "550 5.1.1",
            "550 #xxx#",
            "550 #xxx# (#xxx#)",
            "a…b",
        ] {
            assert_eq!(pattern_of(text), None, "{text}");
        }
    }
}
