//! The scanner: words to chunks to groups, each written or replaced.

use super::group::{DateWord, date_word, is_variable};
use super::{CUT, MAX_OUTPUT, MESSAGE, VARIABLE};
use crate::enhanced::EnhancedStatus;
use crate::qualify::address;
use crate::qualify::words::{MAX_BYTES, Words};

/// Writes one normalised text.
pub struct Scan<'o> {
    out: &'o mut String,
    /// End of the last placeholder in `out`.
    placeholder: Option<usize>,
    /// Length of `out` before the current word.
    word_start: usize,
    /// A status report of an SMS centre (`stat:` was seen).
    report: bool,
}

impl<'o> Scan<'o> {
    /// A scanner that writes to an empty string.
    pub fn new(out: &'o mut String) -> Self {
        Self {
            out,
            placeholder: None,
            word_start: 0,
            report: false,
        }
    }

    /// Scans the whole text.
    pub fn run(mut self, text: &str) {
        let mut words = Words::new(text).peekable();
        let mut index = 0;
        // Where the word before begins, if it stays only because of the status behind it.
        let mut leaning = None;
        while let Some(word) = words.next() {
            self.word_start = self.out.len();
            if index > 0 {
                self.out.push(' ');
            }
            let next = words.peek().copied().unwrap_or_default();
            if self.is_message_tail(word) {
                self.out.push_str("text:");
                self.out.push_str(MESSAGE);
                return;
            }
            let code = is_code(word, next, index);
            if code || self.report && begins(word, "err:") {
                self.out.push_str(word);
            } else {
                self.word(word, next);
            }
            if self.out.len() > MAX_OUTPUT - 16 {
                self.word_start = leaning.unwrap_or(self.word_start);
                return self.cut();
            }
            leaning = (code && index > 0).then_some(self.word_start);
            index += 1;
        }
        if text.len() > MAX_BYTES {
            self.word_start = self.out.len();
            self.cut();
        }
    }

    /// Drops the current word and marks the cut.
    fn cut(self) {
        self.out.truncate(self.word_start);
        if self.out.is_empty() {
            self.out.push_str(CUT.trim_start());
        } else if !self.out.ends_with(CUT) {
            self.out.push_str(CUT);
        }
    }

    /// `text:` after `stat:`, as in the receipts of SMPP 3.4, appendix B.
    fn is_message_tail(&mut self, word: &str) -> bool {
        self.report |= begins(word, "stat:");
        self.report && begins(word, "text:")
    }

    fn word(&mut self, word: &str, next: &str) {
        if self.is_date(word, next) {
            let tail = if word.ends_with(',') { "," } else { "" };
            self.variable();
            // The comma after a weekday belongs to the date.
            if !next.starts_with(|c: char| c.is_ascii_digit()) {
                self.out.push_str(tail);
            }
            return;
        }
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let taken = self.step(rest, first);
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    fn is_date(&self, word: &str, next: &str) -> bool {
        let after_value = self.placeholder.is_some_and(|end| {
            self.out
                .get(end..)
                .is_some_and(|t| t.trim_start_matches(',') == " ")
        });
        let before_number = next.starts_with(|c: char| c.is_ascii_digit());
        match date_word(word.trim_end_matches(',').trim_matches(['(', ')'])) {
            None => false,
            Some(DateWord::Month) => after_value || before_number,
            Some(DateWord::Weekday) => {
                before_number || date_word(next.trim_end_matches(',')) == Some(DateWord::Month)
            }
            Some(DateWord::Zone) => after_value,
        }
    }

    /// Writes what `rest` begins with; answers how many bytes that was.
    fn step(&mut self, rest: &str, first: char) -> usize {
        if rest.starts_with(VARIABLE) {
            self.variable();
            return VARIABLE.len();
        }
        if rest.starts_with(MESSAGE) {
            self.out.push_str(MESSAGE);
            return MESSAGE.len();
        }
        if let Some(taken) = self.url(rest) {
            return taken;
        }
        if !in_chunk(first) {
            self.out.push(first);
            return first.len_utf8();
        }
        let end = rest.find(|c| !in_chunk(c)).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // Beside a placeholder stands what is left of something else, never a whole IP address.
        let beside = self.placeholder == Some(self.out.len()) || after.starts_with(VARIABLE);
        if !beside && is_ipv6(chunk) {
            self.variable();
        } else {
            self.chunk(chunk);
        }
        chunk.len()
    }

    /// A web address: scheme, host and the first words of its path stay.
    fn url(&mut self, rest: &str) -> Option<usize> {
        let scheme = ["http://", "https://"]
            .into_iter()
            .find(|scheme| begins(rest, scheme))?;
        let stop = |c: char| "<>\"'()[]{}|,;`".contains(c);
        let end = rest.find(stop).unwrap_or(rest.len());
        let whole = rest.get(..end)?.trim_end_matches(['.', ':', '!', '?']);
        self.out.push_str(scheme);
        let place = whole.get(scheme.len()..)?;
        if place.starts_with(VARIABLE) {
            self.variable();
            return Some(scheme.len() + VARIABLE.len());
        }
        let fixed = place.split(['?', '#', '&', '=']).next().unwrap_or_default();
        for (index, segment) in fixed.split('/').enumerate() {
            let digits = segment.bytes().any(|b| b.is_ascii_digit());
            let odd = digits || segment.len() > 32 || segment.contains(['@', '*', '%', ':']);
            let nameless = !segment.contains(|c: char| c.is_alphanumeric());
            if index == 0 && (odd || nameless) {
                self.variable();
                break;
            }
            if odd || segment.is_empty() {
                break;
            }
            if index > 0 {
                self.out.push('/');
            }
            self.out.push_str(segment);
        }
        let written = self.out.trim_end_matches(['.', ':', '!', '?', '/']).len();
        self.out.truncate(written);
        Some(whole.len())
    }

    fn chunk(&mut self, chunk: &str) {
        let mut rest = chunk;
        while let Some((start, end)) = address::find(rest) {
            self.groups(rest.get(..start).unwrap_or_default());
            self.out.push('*');
            rest = rest.get(end..).unwrap_or_default();
        }
        self.groups(rest);
    }

    fn groups(&mut self, chunk: &str) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let end = rest.find(|c| !in_group(c)).unwrap_or(rest.len());
            let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            self.group(run);
            let other = after.find(in_group).unwrap_or(after.len());
            let (between, next) = after.split_at_checked(other).unwrap_or((after, ""));
            self.out.push_str(between);
            rest = next;
        }
    }

    /// A run of letters, digits and joints; leading and trailing joints stay outside.
    fn group(&mut self, run: &str) {
        let joint = |c: char| matches!(c, '.' | '-' | '_' | '~' | '+');
        let tail = run.trim_start_matches(joint);
        let body = tail.trim_end_matches(joint);
        self.out
            .push_str(run.get(..run.len() - tail.len()).unwrap_or_default());
        if is_variable(body) {
            self.variable();
        } else {
            self.out.push_str(body);
        }
        self.out
            .push_str(tail.get(body.len()..).unwrap_or_default());
    }

    /// Writes a placeholder; one that follows another, with nothing but joints between, joins it.
    fn variable(&mut self) {
        let joined = self.placeholder.filter(|end| {
            self.out.get(*end..).is_some_and(|between| {
                between.len() <= 3
                    && between.bytes().all(|b| {
                        matches!(
                            b,
                            b' ' | b':' | b'/' | b'=' | b'.' | b',' | b'-' | b'_' | b'+'
                        )
                    })
            })
        });
        match joined {
            Some(end) => {
                self.out.truncate(end);
                self.word_start = self.word_start.min(end);
            }
            None => {
                self.out.push_str(VARIABLE);
                self.placeholder = Some(self.out.len());
            }
        }
    }
}

/// Whether `text` begins with `start`, capitals or not.
fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(start))
}

/// The reply code in front, or one that is followed by a status.
fn is_code(word: &str, next: &str, index: usize) -> bool {
    let code = word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    code && (index == 0 || EnhancedStatus::parse(next).is_some())
}

/// Characters that can be part of an address, an id or a host.
fn in_chunk(c: char) -> bool {
    !matches!(
        c,
        '(' | ')' | '<' | '>' | '[' | ']' | '{' | '}' | '"' | '\'' | ',' | ';' | '|' | '`' | '#'
    )
}

fn in_group(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '+')
}

fn is_ipv6(chunk: &str) -> bool {
    chunk.bytes().filter(|b| *b == b':').count() >= 2
        && chunk.bytes().any(|b| b.is_ascii_digit())
        && chunk
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
}
