//! Patterns for whoever matches texts beside the rules: the same phrases with gaps and regular
//! expressions, compared with a text folded once.

use std::cell::OnceCell;

use super::fold::fold;
use super::normalise::normalise;
use super::pattern::{Haystack, Pattern};

/// A pattern as rule files write it: a phrase in whole words, ` … ` for a gap, or `re:…`.
#[derive(Debug, Clone)]
pub struct Phrase(Pattern);

/// A text in the forms that patterns look at; at most its first 4 KB count.
#[derive(Debug)]
pub struct Folded<'a> {
    raw: &'a str,
    folded: String,
    normalised: OnceCell<String>,
}

impl<'a> Folded<'a> {
    /// Folds a text.
    #[must_use]
    pub fn new(raw: &'a str) -> Self {
        Self {
            raw,
            folded: fold(raw),
            normalised: OnceCell::new(),
        }
    }
}

impl Haystack for Folded<'_> {
    fn folded(&self) -> &str {
        &self.folded
    }

    fn normalised(&self) -> &str {
        self.normalised.get_or_init(|| fold(&normalise(self.raw)))
    }
}

impl Phrase {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it and what to do.
    pub fn parse(source: &str) -> Result<Self, String> {
        Pattern::parse(source)
            .map(Self)
            .map_err(|what| format!("\"{source}\": {what}"))
    }

    /// Whether the text holds it.
    #[must_use]
    pub fn is_in(&self, text: &Folded<'_>) -> bool {
        self.0.is_in(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_whole_words_without_capitals_and_accents() {
        let phrase = Phrase::parse("boîte … pleine").unwrap();
        assert!(phrase.is_in(&Folded::new("La Boite de réception est PLEINE.")));
        assert!(!phrase.is_in(&Folded::new("La boite est pleinement utilisable")));
        assert!(Phrase::parse("re:(").unwrap_err().contains("re:("));
    }
}
