//! The patterns of rules: phrases with gaps, and regular expressions.
//!
//! A pattern is matched against the *folded* text (see `fold`): lower case, accents removed,
//! addresses as `*`, white space collapsed. A phrase matches whole words; `…` between blanks is a
//! gap of up to [`MAX_GAP`] bytes, `…` glued to a word lets the word go on. A pattern that starts
//! with `re:` is a regular expression.

use regex::Regex;

use super::fold::fold;

/// Widest gap, in bytes, that ` … ` in a phrase may span.
pub const MAX_GAP: usize = 80;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Pieces that must follow one another.
    Phrase(Vec<Piece>),
    /// A regular expression.
    Regex(Regex),
}

/// One piece of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The literal text, folded.
    pub text: String,
    /// A letter or digit may stand right before it.
    pub open_start: bool,
    /// A letter or digit may stand right after it.
    pub open_end: bool,
}

impl Pattern {
    /// Compiles one pattern as rule files write it.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        match source.strip_prefix("re:") {
            Some(regex) => Regex::new(regex)
                .map(Self::Regex)
                .map_err(|error| format!("the regular expression does not compile: {error}")),
            None => phrase(source).map(Self::Phrase),
        }
    }

    /// Whether the folded text holds it.
    #[must_use]
    pub fn is_in(&self, folded: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(folded),
            Self::Phrase(pieces) => phrase_in(pieces, folded),
        }
    }
}

fn phrase(source: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let parts: Vec<&str> = source.split('…').collect();
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.iter().enumerate() {
        let text = fold(part.trim());
        if text.is_empty() {
            continue;
        }
        pieces.push(Piece {
            open_start: starts_open(&text) || index > 0 && !part.starts_with(' '),
            open_end: ends_open(&text) || index < last && !part.ends_with(' '),
            text,
        });
    }
    if pieces.is_empty() {
        return Err("the phrase is empty".to_owned());
    }
    Ok(pieces)
}

/// Scripts that write no blanks between words have no word bounds.
fn bounded(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{0E00}'
}

fn starts_open(text: &str) -> bool {
    text.chars().next().is_none_or(|c| !bounded(c))
}

fn ends_open(text: &str) -> bool {
    text.chars().next_back().is_none_or(|c| !bounded(c))
}

fn phrase_in(pieces: &[Piece], text: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return false;
    };
    let mut from = 0;
    while let Some((start, end)) = find(first, text, from, text.len()) {
        if rest_follows(rest, text, end) {
            return true;
        }
        from = start + first_width(text, start);
    }
    false
}

fn rest_follows(pieces: &[Piece], text: &str, mut from: usize) -> bool {
    for piece in pieces {
        match find(piece, text, from, from + MAX_GAP) {
            Some((_, end)) => from = end,
            None => return false,
        }
    }
    true
}

/// First place of `piece` that starts at `from` or later, and not after `latest`.
fn find(piece: &Piece, text: &str, mut from: usize, latest: usize) -> Option<(usize, usize)> {
    loop {
        let at = from + text.get(from..)?.find(piece.text.as_str())?;
        if at > latest {
            return None;
        }
        let end = at + piece.text.len();
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(end..).and_then(|t| t.chars().next());
        let starts = piece.open_start || !before.is_some_and(bounded);
        let ends = piece.open_end || !after.is_some_and(bounded);
        if starts && ends {
            return Some((at, end));
        }
        from = at + first_width(text, at);
    }
}

fn first_width(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|t| t.chars().next())
        .map_or(1, char::len_utf8)
}
