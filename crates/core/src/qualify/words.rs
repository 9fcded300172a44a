//! The words of a reply: white space collapsed, a multi-line reply joined.
//!
//! `550-5.1.1 The account⏎550 5.1.1 is gone` gives `550`, `5.1.1`, `The`, `account`, `is`, `gone`:
//! the code and the status that a reply repeats on each line stay only in front.

use crate::enhanced::EnhancedStatus;

/// Most bytes of a text that are looked at.
pub const MAX_BYTES: usize = 16_384;

/// The first [`MAX_BYTES`] bytes, at a character's bound.
#[must_use]
pub fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Iterator over the words.
///
/// Its words, put together with spaces, give the same words again: what could be taken for a repetition
/// once another is gone, is one.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    rest: &'a str,
    /// Comes before what `rest` begins with.
    pending: Option<&'a str>,
    code: &'a str,
    status: &'a str,
    /// Words given.
    given: usize,
    /// The code again, within a line: a repetition if the status follows, else a word.
    held: bool,
    /// A repetition of the code was dropped last.
    after_code: bool,
}

impl<'a> Words<'a> {
    /// The words of `text`, as far as [`MAX_BYTES`] go.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: cut(text),
            pending: None,
            code: "",
            status: "",
            given: 0,
            held: false,
            after_code: false,
        }
    }

    /// The next run without white space, and whether a line begins with it.
    fn raw(&mut self) -> Option<(&'a str, bool)> {
        let trimmed = self.rest.trim_start();
        let gap = self.rest.get(..self.rest.len() - trimmed.len())?;
        let line_start = gap.contains(['\n', '\r']);
        let end = word_end(trimmed);
        let (word, rest) = trimmed.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some((word, line_start))
    }

    /// The reply code that the text begins with.
    fn first(&mut self, word: &'a str) -> &'a str {
        let Some((code, tail)) = split_code(word) else {
            return word;
        };
        self.code = code;
        self.pending = (!tail.is_empty()).then_some(tail);
        code
    }

    /// A later word without the code's repetition; `None` when nothing is left of it.
    fn later(&mut self, word: &'a str, line_start: bool) -> Option<&'a str> {
        if self.code.is_empty() {
            return Some(word);
        }
        let mut tail = word;
        while let Some(again) = repeated(self.code, tail) {
            tail = again;
        }
        let again = tail == self.code;
        if tail.is_empty() || again && (line_start || self.held || self.given == 1) {
            self.after_code = true;
            return None;
        }
        if again {
            self.held = true;
            return None;
        }
        let repeats = std::mem::take(&mut self.after_code) || tail.len() < word.len();
        if self.given == 1 && EnhancedStatus::parse(tail).is_some() {
            self.status = tail;
            return Some(tail);
        }
        let held = std::mem::take(&mut self.held);
        if tail == self.status && (repeats || held) {
            return None;
        }
        if held {
            self.pending = Some(tail);
            return Some(self.code);
        }
        Some(tail)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let next = match self.pending.take() {
                Some(word) => Some((word, false)),
                None => self.raw(),
            };
            let Some((word, line_start)) = next else {
                // The code stands last: a word after all.
                return std::mem::take(&mut self.held).then_some(self.code);
            };
            let kept = if self.given == 0 {
                Some(self.first(word))
            } else {
                self.later(word, line_start)
            };
            if kept.is_some() {
                self.given += 1;
                return kept;
            }
        }
    }
}

fn word_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ascii = bytes
        .iter()
        .position(|b| matches!(b, b' ' | 9..=13) || *b >= 0x80)
        .unwrap_or(bytes.len());
    if bytes.get(ascii).is_none_or(|b| *b < 0x80) {
        return ascii;
    }
    text.find(char::is_whitespace).unwrap_or(text.len())
}

/// `550-rest` or `550` alone.
fn split_code(word: &str) -> Option<(&str, &str)> {
    let (code, rest) = word.split_at_checked(3)?;
    let plain = code.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return None;
    }
    if rest.is_empty() {
        return Some((code, rest));
    }
    rest.strip_prefix('-').map(|tail| (code, tail))
}

/// What follows the repeated code in `550-rest`.
fn repeated<'a>(code: &str, word: &'a str) -> Option<&'a str> {
    word.strip_prefix(code)?.strip_prefix('-')
}

/// The reply code and the enhanced status that a text states: in front, or after `said:` and the
/// like when the text reports what another server said.
#[must_use]
pub fn codes(text: &str) -> (Option<u16>, Option<EnhancedStatus>) {
    let mut code = None;
    let mut status = None;
    let mut introduced = true;
    for word in Words::new(text).take(40) {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if code.is_none() && introduced && status.is_none() {
            code = reply_code(bare);
        }
        if status.is_none() {
            status = EnhancedStatus::parse(bare).filter(|s| s.class != 2);
        }
        introduced = word.ends_with([':', ';']) || word.eq_ignore_ascii_case("error");
    }
    (code, status)
}

fn reply_code(word: &str) -> Option<u16> {
    if word.len() != 3 {
        return None;
    }
    word.parse().ok().filter(|code| (200..600).contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multi_line_replies_are_joined() {
        let rows = [
            (
                "550-5.1.1 The account\r\n550 5.1.1 is gone",
                "550 5.1.1 The account is gone",
            ),
            ("550 5.1.1 one 550 5.1.1 two", "550 5.1.1 one two"),
            (
                "550-5.1.1 The account 550-5.1.1 that\n550 5.1.1 b",
                "550 5.1.1 The account that b",
            ),
            ("550-one\n550-two\n550 three", "550 one two three"),
            ("550 one\ttwo", "550 one two"),
            ("421-\n421 4.7.0 later", "421 4.7.0 later"),
            ("limit 550 550-x", "limit 550 550-x"),
            ("550 5.1.1 see 5.1.1", "550 5.1.1 see 5.1.1"),
            ("", ""),
        ];
        for (text, expected) in rows {
            let got: Vec<&str> = Words::new(text).collect();
            assert_eq!(got.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn codes_are_found_where_they_are_stated() {
        let rows = [
            ("550 5.1.1 unknown", Some(550), Some("5.1.1")),
            ("550-5.1.1 unknown", Some(550), Some("5.1.1")),
            (
                "host mx.example.com said: 550 5.2.2 full",
                Some(550),
                Some("5.2.2"),
            ),
            ("smtp; 452 4.2.2 full", Some(452), Some("4.2.2")),
            ("no user (#5.1.1)", None, Some("5.1.1")),
            ("more than 500 messages", None, None),
            ("450 from 5.1.1.1", Some(450), None),
        ];
        for (text, code, status) in rows {
            let (got, found) = codes(text);
            assert_eq!(
                (got, found.map(|s| s.to_string()).as_deref()),
                (code, status),
                "{text}"
            );
        }
    }
}
