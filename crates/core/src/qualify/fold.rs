//! The form of a text that patterns are matched against.
//!
//! Lower case, Latin letters without accents, addresses as `*`, white space collapsed, the
//! repeated codes of a multi-line reply dropped. Hosts, numbers and URLs stay: rules may name a
//! provider's help page.

/// Most bytes of a text that are looked at.
pub const MAX_BYTES: usize = 4096;

/// Folds `text` into a new string.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// Folds `text` into `out`, whose former content is dropped.
pub fn fold_into(text: &str, out: &mut String) {
    out.clear();
    let mut state = Lines::default();
    for line in cut(text).split(['\r', '\n']) {
        for (index, word) in line.split_whitespace().enumerate() {
            if let Some(word) = state.keep(word, index == 0) {
                if !out.is_empty() {
                    out.push(' ');
                }
                push_word(word, out);
            }
        }
    }
}

/// The first [`MAX_BYTES`] bytes, at a character's bound.
#[must_use]
pub fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Knows the code that the reply began with, so that its repetition on later lines is dropped.
#[derive(Debug, Default)]
struct Lines<'a> {
    code: &'a str,
    status: &'a str,
    words: usize,
    after_code: bool,
}

impl<'a> Lines<'a> {
    fn keep(&mut self, word: &'a str, line_start: bool) -> Option<&'a str> {
        self.words += 1;
        if self.words == 1 {
            let (code, rest) = split_code(word);
            self.code = code;
            self.status = rest.trim_start_matches('-');
            self.after_code = !code.is_empty() && self.status.is_empty();
            return Some(word);
        }
        if self.words == 2 && self.after_code && is_status(word) {
            self.status = word;
            return Some(word);
        }
        let repeated = !self.code.is_empty() && word.starts_with(self.code);
        if repeated {
            let rest = word.get(self.code.len()..).unwrap_or_default();
            let tail = rest.trim_start_matches('-');
            if rest.is_empty() && !line_start {
                return Some(word);
            }
            if rest.is_empty() || tail == self.status || rest.starts_with('-') {
                self.after_code = true;
                return (!tail.is_empty() && tail != self.status).then_some(tail);
            }
        }
        let drop = self.after_code && word == self.status;
        self.after_code = false;
        (!drop).then_some(word)
    }
}

/// The reply code that a word starts with, and what follows it.
fn split_code(word: &str) -> (&str, &str) {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word.get(digits..).unwrap_or_default();
    if digits == 3 && (rest.is_empty() || rest.starts_with('-')) {
        (word.get(..3).unwrap_or_default(), rest)
    } else {
        ("", word)
    }
}

fn is_status(word: &str) -> bool {
    crate::enhanced::EnhancedStatus::parse(word).is_some()
}

fn push_word(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(at) = memchr::memchr(b'@', rest.as_bytes()) {
        let (before, after) = rest.split_at(at);
        let domain = after.get(1..).unwrap_or_default();
        let local = local_length(before);
        let host = host_length(domain);
        if local == 0 || host == 0 {
            push_folded(before, out);
            out.push('@');
            rest = domain;
            continue;
        }
        push_folded(before.get(..before.len() - local).unwrap_or_default(), out);
        out.push('*');
        rest = domain.get(host..).unwrap_or_default();
    }
    push_folded(rest, out);
}

fn local_length(before: &str) -> usize {
    let legal = |c: &char| c.is_alphanumeric() || "!#$%&*+/?^_`{|}~.-'\"=".contains(*c);
    let length: usize = before
        .chars()
        .rev()
        .take_while(legal)
        .map(char::len_utf8)
        .sum();
    let run = before.get(before.len() - length..).unwrap_or_default();
    run.trim_start_matches(['\'', '"', '/']).len()
}

fn host_length(after: &str) -> usize {
    let run: usize = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .map(char::len_utf8)
        .sum();
    after
        .get(..run)
        .unwrap_or_default()
        .trim_end_matches(['.', '-'])
        .len()
}

fn push_folded(text: &str, out: &mut String) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        if let Some(new) = out.get_mut(from..) {
            new.make_ascii_lowercase();
        }
        return;
    }
    for c in text.chars().flat_map(char::to_lowercase) {
        push_plain(c, out);
    }
}

/// One lower-case character, Latin accents removed.
fn push_plain(c: char, out: &mut String) {
    let plain = match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'ď' | 'đ' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ĝ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' | 'ĺ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' | 'ŕ' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        '‘' | '’' | '´' => '\'',
        '“' | '”' => '"',
        '\u{301}' | '\u{300}' | '\u{307}' | '\u{308}' | '\u{327}' => return,
        'ß' => {
            out.push_str("ss");
            return;
        }
        other => other,
    };
    out.push(plain);
}
