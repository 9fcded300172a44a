//! Sentences that say that a delivery failed, in whatever words: delivery, and in the same breath a denial or trouble.

use super::vocabulary::{AnyCase, SentenceWords};

/// Bytes of a text that are looked at.
const MAX_TEXT: usize = 8 << 10;
/// Bytes of one sentence; what is longer is no sentence.
const MAX_SENTENCE: usize = 400;

/// The words of `rules/reading.toml`, compiled.
#[derive(Debug)]
pub(super) struct Undelivered {
    deliver: AnyCase,
    not: Vec<String>,
    fail: AnyCase,
    aside: AnyCase,
}

impl Undelivered {
    pub(super) fn new(words: SentenceWords) -> Self {
        let mut not = words.not;
        not.sort();
        Self {
            deliver: AnyCase::new(&words.deliver),
            not,
            fail: AnyCase::new(&words.fail),
            aside: AnyCase::new(&words.aside),
        }
    }

    /// Whether one of the sentences says that a delivery failed.
    pub(super) fn is_told(&self, text: &str) -> bool {
        let end = text.floor_char_boundary(MAX_TEXT);
        let text = text.get(..end).unwrap_or_default().to_lowercase();
        paragraphs(&text).iter().any(|paragraph| {
            paragraph
                .split_inclusive(['.', '!', '?', '。', '！', '；', ';'])
                .any(|sentence| sentence.len() < MAX_SENTENCE && self.is_one(sentence))
        })
    }

    fn is_one(&self, sentence: &str) -> bool {
        let named = self.deliver.find_in(sentence).any(|found| {
            let begins = sentence
                .get(..found.start)
                .and_then(|before| before.chars().next_back())
                .is_none_or(|c| !c.is_alphabetic() || !is_spaced(c));
            begins && !self.is_aside(sentence, found.start)
        });
        named && (self.fail.find_in(sentence).next().is_some() || self.denies(sentence))
    }

    fn denies(&self, sentence: &str) -> bool {
        sentence
            .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’'))
            .any(|word| {
                self.not
                    .binary_search_by(|not| not.as_str().cmp(word))
                    .is_ok()
            })
    }

    fn is_aside(&self, sentence: &str, at: usize) -> bool {
        let mut asides = self.aside.find_in(sentence);
        asides.any(|found| (found.start..found.end).contains(&at))
    }
}

/// Whether the script of a letter puts blanks between words.
fn is_spaced(letter: char) -> bool {
    !matches!(letter, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// Lines put together up to the next blank one; quoted lines are left out.
fn paragraphs(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || line.starts_with('>') {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(bare);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::shipped;

    #[test]
    fn a_denied_delivery_is_told_in_any_words() {
        let rows = [
            ("We have not been able\nto deliver your mail.", true),
            ("Delivery to the following recipients failed.", true),
            ("Bezorging aan de volgende geadresseerden is mislukt.", true),
            ("Doručení následujícím příjemcům se nezdařilo", true),
            ("传递到以下收件人失败", true),
            ("메일 전송에 실패하였습니다", true),
            ("Échec de la remise aux destinataires suivants", true),
            ("Your mail was delivered. Do not reply.", false),
            ("We do not send delivery reports.", false),
            ("A clever problem", false),
            ("> it was not delivered", false),
        ];
        for (text, want) in rows {
            assert_eq!(shipped().undelivered.is_told(text), want, "{text}");
        }
    }
}
