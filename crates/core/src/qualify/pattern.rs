//! The patterns of rules: phrases with gaps, and regular expressions.
//!
//! A pattern is matched against the *folded* text (see `fold`): lower case, accents removed,
//! addresses as `*`, white space collapsed. A phrase matches whole words; `…` between blanks is a
//! gap of up to [`MAX_GAP`] bytes, `…` glued to a word lets the word go on. A phrase that holds
//! `#xxx#` is matched against the normalised text instead. A pattern that starts with `re:` is a
//! regular expression, written in lower case.

use regex::Regex;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

use super::fold::fold;
use super::normalise::{MESSAGE, VARIABLE};

/// Widest gap, in bytes, that ` … ` in a phrase may span.
pub const MAX_GAP: usize = 80;

/// Shortest literal that is worth looking for beforehand.
const MIN_LITERAL: usize = 3;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Pieces that must follow one another.
    Phrase {
        /// The pieces.
        pieces: Vec<Piece>,
        /// Matched against the normalised text.
        normalised: bool,
    },
    /// A regular expression, and a literal that it cannot match without.
    Regex {
        /// The expression.
        regex: Regex,
        /// Longest literal that each match holds.
        literal: Option<String>,
    },
}

/// One piece of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The literal text, folded.
    pub text: String,
    /// A letter or digit may stand right before it.
    open_start: bool,
    /// A letter or digit may stand right after it.
    open_end: bool,
}

/// The two forms of a text that patterns look at.
pub trait Haystack {
    /// The folded text.
    fn folded(&self) -> &str;
    /// The normalised text, folded.
    fn normalised(&self) -> &str;
}

impl Pattern {
    /// Compiles one pattern as rule files write it.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it and what to do.
    pub fn parse(source: &str) -> Result<Self, String> {
        match source.strip_prefix("re:") {
            Some(regex) => regular(regex),
            None => Ok(Self::Phrase {
                pieces: phrase(source)?,
                normalised: source.contains(VARIABLE) || source.contains(MESSAGE),
            }),
        }
    }

    /// A literal that every text with this pattern holds; `None` when there is no good one.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        let best = match self {
            Self::Regex { literal, .. } => literal.as_deref(),
            Self::Phrase { pieces, normalised } => pieces
                .iter()
                .flat_map(|p| {
                    if *normalised {
                        split_placeholders(&p.text)
                    } else {
                        vec![p.text.as_str()]
                    }
                })
                .max_by_key(|text| text.len()),
        };
        best.filter(|literal| literal.len() >= MIN_LITERAL)
    }

    /// Whether the text holds it.
    #[must_use]
    pub fn is_in(&self, text: &impl Haystack) -> bool {
        match self {
            Self::Regex { regex, .. } => regex.is_match(text.folded()),
            Self::Phrase {
                pieces,
                normalised: false,
            } => phrase_in(pieces, text.folded()),
            Self::Phrase {
                pieces,
                normalised: true,
            } => phrase_in(pieces, text.normalised()),
        }
    }
}

fn split_placeholders(text: &str) -> Vec<&str> {
    text.split(VARIABLE)
        .flat_map(|part| part.split("#message#"))
        .map(str::trim)
        .collect()
}

fn regular(source: &str) -> Result<Pattern, String> {
    let regex = Regex::new(source)
        .map_err(|error| format!("the regular expression does not compile; correct it: {error}"))?;
    let hir = regex_syntax::parse(source)
        .map_err(|error| format!("the regular expression does not compile; correct it: {error}"))?;
    if demands_upper_case(&hir) {
        return Err(
            "the regular expression asks for a capital or accented letter and could never match, \
             because texts are folded first; write it in plain lower case"
                .to_owned(),
        );
    }
    if regex.is_match("") {
        return Err(
            "the regular expression matches the empty text; make it ask for something".to_owned(),
        );
    }
    let mut longest = String::new();
    required(&hir, &mut longest);
    Ok(Pattern::Regex {
        regex,
        literal: (!longest.is_empty()).then_some(longest),
    })
}

/// Whether a literal in the expression would be changed by folding.
fn demands_upper_case(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            text.chars().any(char::is_uppercase)
                || text
                    .chars()
                    .any(|c| c.is_alphabetic() && fold(&c.to_string()) != c.to_string())
        }
        HirKind::Concat(parts) => parts.iter().any(demands_upper_case),
        HirKind::Alternation(parts) => parts.iter().all(demands_upper_case),
        HirKind::Capture(capture) => demands_upper_case(&capture.sub),
        HirKind::Repetition(repetition) => {
            repetition.min > 0 && demands_upper_case(&repetition.sub)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// Keeps in `longest` the longest literal that each match must hold.
fn required(hir: &Hir, longest: &mut String) {
    let mut offer = |text: &str| {
        if text.len() > longest.len() {
            longest.clear();
            longest.push_str(text);
        }
    };
    match hir.kind() {
        HirKind::Literal(literal) => offer(&String::from_utf8_lossy(&literal.0)),
        HirKind::Concat(parts) => parts.iter().for_each(|part| required(part, longest)),
        HirKind::Capture(capture) => required(&capture.sub, longest),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub, longest),
        HirKind::Alternation(_) => {
            let sequence = Extractor::new().extract(hir);
            if let Some(prefix) = sequence.longest_common_prefix() {
                offer(&String::from_utf8_lossy(prefix));
            }
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => {}
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
            open_start: text.starts_with(|c| !bounded(c)) || index > 0 && !part.starts_with(' '),
            open_end: text.ends_with(|c| !bounded(c)) || index < last && !part.ends_with(' '),
            text,
        });
    }
    if pieces.is_empty() {
        return Err(
            "the phrase is empty and could never match; write the words to look for".to_owned(),
        );
    }
    Ok(pieces)
}

/// Scripts that write no blanks between words have no word bounds.
pub fn bounded(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{0E00}'
}

/// Whether nothing of a word stands right before `start` or right after `end`.
pub fn stands_alone(text: &str, start: usize, end: usize) -> (bool, bool) {
    let before = text.get(..start).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    (!before.is_some_and(bounded), !after.is_some_and(bounded))
}

fn phrase_in(pieces: &[Piece], text: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return false;
    };
    let mut from = 0;
    // Each start of the first piece is tried a bounded number of times: linear in the text.
    for _ in 0..32 {
        let Some((start, end)) = find(first, text, from, text.len()) else {
            return false;
        };
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
        let at = from + memchr::memmem::find(text.as_bytes().get(from..)?, piece.text.as_bytes())?;
        if at > latest {
            return None;
        }
        let end = at + piece.text.len();
        let (starts, ends) = stands_alone(text, at, end);
        if (piece.open_start || starts) && (piece.open_end || ends) {
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Both(String, String);

    impl Haystack for Both {
        fn folded(&self) -> &str {
            &self.0
        }
        fn normalised(&self) -> &str {
            &self.1
        }
    }

    fn holds(pattern: &str, text: &str) -> bool {
        let both = Both(fold(text), fold(&super::super::normalise(text)));
        Pattern::parse(pattern).unwrap().is_in(&both)
    }

    #[test]
    fn phrases_match_whole_words_with_gaps() {
        let rows = [
            ("user unknown", "550 User  Unknown.", true),
            ("user unknown", "550 superuser unknown", false),
            ("quota…", "552 quotas", true),
            ("quota", "552 quotas", false),
            (
                "user … unknown",
                "550 user <jane@example.com> is unknown",
                true,
            ),
            ("user … unknown", "550 unknown user", false),
            ("…limit…", "552 overlimited", true),
            ("boîte pleine", "552 Boite pleine", true),
            ("用户不存在", "550 该用户不存在。", true),
            ("id #xxx# over", "550 id 4XkQ2b1Zz over", true),
            ("re:too many \\w+", "421 Too many things", true),
            ("<*>: rejected", "550 <a@example.com>: Rejected", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(holds(pattern, text), expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn literals_are_found_for_the_first_look() {
        let rows = [
            ("user … is unknown", Some("is unknown")),
            ("re:too (many|much) mail", Some(" mail")),
            ("re:(over quota|over limit)x*", Some("over ")),
            ("re:[0-9]+", None),
        ];
        for (pattern, literal) in rows {
            assert_eq!(
                Pattern::parse(pattern).unwrap().literal(),
                literal,
                "{pattern}"
            );
        }
    }

    #[test]
    fn patterns_that_cannot_match_are_refused() {
        for (pattern, word) in [
            ("re:User", "lower case"),
            ("re:(a", "does not compile"),
            ("re:a*", "empty text"),
            (" … ", "empty"),
        ] {
            let problem = Pattern::parse(pattern).unwrap_err();
            assert!(problem.contains(word), "{pattern}: {problem}");
        }
    }
}
