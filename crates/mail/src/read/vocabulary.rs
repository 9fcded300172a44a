//! The words by which reports, complaints and automatic answers are known: data of `rules/reading.toml`.

use std::sync::LazyLock;

use posthaste_core::phrases::{Found, Phrases as Machine};
use serde::Deserialize;

use super::addresses;
use super::summary::Labels;
use super::undelivered::Undelivered;

/// What a phrase is a sign of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The delivery failed.
    Failure,
    /// The delivery is late.
    Delay,
    /// The delivery succeeded.
    Success,
    /// A person or a program answers by itself.
    AutoReply,
    /// A complaint.
    Complaint,
    /// A wish to leave a list.
    OptOut,
    /// The original message follows.
    End,
    /// The address itself is given up.
    Gone,
    /// The person left.
    Left,
    /// A report for those who run a mail system or a list, or to a reader about the own mailbox.
    Routine,
    /// A person writes.
    Person,
    /// What is delivered are goods.
    Goods,
}

/// The phrases found, one bit for each sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signs(u16);

impl Signs {
    pub(super) const fn has(self, sign: Sign) -> bool {
        self.0 & (1 << sign as u16) != 0
    }

    pub(super) const fn add(&mut self, sign: Sign) {
        self.0 |= 1 << sign as u16;
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    subject: Phrases,
    text: Phrases,
    line: LinePhrases,
    sentence: SentenceWords,
    summary: SummaryWords,
    sender: SenderPhrases,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Phrases {
    failure: Vec<String>,
    delay: Vec<String>,
    success: Vec<String>,
    auto_reply: Vec<String>,
    complaint: Vec<String>,
    opt_out: Vec<String>,
    end: Vec<String>,
    gone: Vec<String>,
    left: Vec<String>,
    routine: Vec<String>,
    person: Vec<String>,
    goods: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LinePhrases {
    recipient: Vec<String>,
    alias: Vec<String>,
    failure: Vec<String>,
    contact: Vec<String>,
    passed: Vec<String>,
    person: Vec<String>,
    ordinary: Vec<String>,
    preposition: Vec<String>,
    yours: Vec<String>,
}

/// Words that together say that a delivery failed.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SentenceWords {
    pub deliver: Vec<String>,
    pub not: Vec<String>,
    pub fail: Vec<String>,
    pub aside: Vec<String>,
}

/// Labels of a notice's summary, and the words of filters.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SummaryWords {
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub subject: Vec<String>,
    pub stopped: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SenderPhrases {
    daemon: Vec<String>,
    complaint: Vec<String>,
    reports_to: Vec<String>,
}

/// Phrases compiled for one kind of text.
#[derive(Debug)]
pub(super) struct Finder {
    all: Phrasebook,
    /// Those in ASCII only: a smaller machine for most texts.
    ascii: Phrasebook,
}

#[derive(Debug)]
struct Phrasebook {
    phrases: AnyCase,
    signs: Vec<Sign>,
}

impl Phrasebook {
    fn new<'a>(phrases: impl Iterator<Item = (Sign, &'a str)>) -> Self {
        let (signs, texts): (Vec<Sign>, Vec<&str>) = phrases.unzip();
        Self {
            phrases: AnyCase::new(&texts),
            signs,
        }
    }
}

impl Finder {
    fn new(phrases: &Phrases) -> Self {
        let lists = [
            (&phrases.failure, Sign::Failure),
            (&phrases.delay, Sign::Delay),
            (&phrases.success, Sign::Success),
            (&phrases.auto_reply, Sign::AutoReply),
            (&phrases.complaint, Sign::Complaint),
            (&phrases.opt_out, Sign::OptOut),
            (&phrases.end, Sign::End),
            (&phrases.gone, Sign::Gone),
            (&phrases.left, Sign::Left),
            (&phrases.routine, Sign::Routine),
            (&phrases.person, Sign::Person),
            (&phrases.goods, Sign::Goods),
        ];
        let each = || {
            lists
                .iter()
                .flat_map(|(list, sign)| list.iter().map(|phrase| (*sign, phrase.as_str())))
        };
        Self {
            all: Phrasebook::new(each()),
            ascii: Phrasebook::new(each().filter(|(_, phrase)| phrase.is_ascii())),
        }
    }

    /// Calls `seen` with each phrase's sign and where it ends; the text's ASCII letters are in lower case.
    ///
    /// A success that begins within a failure is none: `Undelivered:`, `Non remis :`.
    pub(super) fn each(&self, lower: &str, mut seen: impl FnMut(Sign, usize)) {
        let book = if lower.is_ascii() {
            &self.ascii
        } else {
            &self.all
        };
        let mut failure = 0..0;
        for found in book.phrases.find_in(lower) {
            let Some(sign) = book.signs.get(found.phrase) else {
                continue;
            };
            let is_within = failure.start < found.start && found.start < failure.end;
            if *sign == Sign::Failure {
                failure = found.start..found.end;
            } else if *sign == Sign::Success && is_within {
                continue;
            }
            seen(*sign, found.end);
        }
    }

    /// The signs that are in a text.
    pub(super) fn signs(&self, text: &str) -> Signs {
        let mut signs = Signs::default();
        self.each(&text.to_ascii_lowercase(), |sign, _| signs.add(sign));
        signs
    }
}

/// Phrases found whatever the case of their ASCII letters.
#[derive(Debug, Default)]
pub(super) struct AnyCase(Machine);

impl AnyCase {
    pub(super) fn new<S: AsRef<str>>(phrases: &[S]) -> Self {
        let lower: Vec<String> = phrases
            .iter()
            .map(|phrase| phrase.as_ref().to_ascii_lowercase())
            .collect();
        Self(Machine::new(&lower).unwrap_or_default())
    }

    /// Whether one of them stands in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_in(&text.to_ascii_lowercase())
    }

    /// Where they stand in a text whose ASCII letters are in lower case.
    pub(super) fn find_in<'a, T: AsRef<[u8]> + ?Sized>(
        &'a self,
        lower: &'a T,
    ) -> impl Iterator<Item = Found> + 'a {
        self.0.find(lower)
    }
}

/// Everything of `rules/reading.toml`, compiled.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub subject: Finder,
    pub text: Finder,
    /// Words right before a failed address.
    pub recipient: Vec<String>,
    /// Words right before another address of the same recipient.
    pub alias: Vec<String>,
    /// Words right behind an address to which the mail was delivered.
    pub passed: Vec<String>,
    /// Words right before the name of a user, without a domain.
    pub person: Vec<String>,
    /// Words of reports that are no names.
    pub ordinary: Vec<String>,
    /// Words that say to whom.
    pub preposition: Vec<String>,
    /// Sentences that say in any words that a delivery failed.
    pub undelivered: Undelivered,
    /// How a notice sums up the message it is about.
    pub labels: Labels,
    /// Words in the local part of an address to which reports are sent.
    reports_to: Vec<String>,
    failure: AnyCase,
    contact: AnyCase,
    yours: AnyCase,
    daemon: AnyCase,
    complaint_sender: AnyCase,
}

impl Vocabulary {
    fn new(file: File) -> Self {
        Self {
            subject: Finder::new(&file.subject),
            text: Finder::new(&file.text),
            failure: AnyCase::new(&[file.line.failure, file.text.failure.clone()].concat()),
            contact: AnyCase::new(&file.line.contact),
            yours: AnyCase::new(&file.line.yours),
            reports_to: file.sender.reports_to,
            daemon: AnyCase::new(&file.sender.daemon),
            complaint_sender: AnyCase::new(&file.sender.complaint),
            undelivered: Undelivered::new(file.sentence),
            labels: Labels::new(file.summary),
            recipient: file.line.recipient,
            alias: file.line.alias,
            passed: file.line.passed,
            person: file.line.person,
            ordinary: file.line.ordinary,
            preposition: file.line.preposition,
        }
    }

    /// Whether a line speaks of a failure.
    pub(super) fn speaks_of_failure(&self, line: &str) -> bool {
        self.failure.is_in(line)
    }

    /// Whether a line says whom to ask.
    pub(super) fn speaks_of_contact(&self, line: &str) -> bool {
        self.contact.is_in(line)
    }

    /// Whether a text speaks of the mail that its reader sent.
    pub(super) fn speaks_of_yours(&self, text: &str) -> bool {
        self.yours.is_in(text)
    }

    /// Whether an address takes reports on what was sent in its name: `garden-bounces@`, `err+42@`.
    pub(super) fn takes_reports(&self, to: &str) -> bool {
        let local = addresses::first(to).and_then(|address| address.split('@').next());
        let mut words = local.unwrap_or_default().split(['-', '+', '.', '_', '=']);
        words.any(|word| {
            self.reports_to
                .iter()
                .any(|known| known.eq_ignore_ascii_case(word))
        })
    }

    /// Whether a sender is a mail system rather than a person.
    pub(super) fn is_daemon(&self, from: &str) -> bool {
        self.daemon.is_in(from)
    }

    /// Whether a sender is a desk that passes complaints on.
    pub(super) fn passes_complaints(&self, from: &str) -> bool {
        self.complaint_sender.is_in(from)
    }
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let file = toml::from_str(include_str!("../../../../rules/reading.toml"));
    Vocabulary::new(file.unwrap_or_default())
});

/// The vocabulary shipped with the product. A test checks that it can be read.
pub(super) fn shipped() -> &'static Vocabulary {
    &VOCABULARY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_vocabulary_can_be_read() {
        let file: Result<File, _> = toml::from_str(include_str!("../../../../rules/reading.toml"));
        if let Err(error) = &file {
            panic!("{error}");
        }
        assert!(
            shipped()
                .subject
                .signs("Undelivered Mail Returned to Sender")
                .has(Sign::Failure)
        );
        assert!(shipped().is_daemon("MAILER-DAEMON@example.com"));
        assert!(!shipped().is_daemon("Jo Public <jo@example.com>"));
    }

    #[test]
    fn ascii_phrases_are_in_lower_case() {
        let file: File = toml::from_str(include_str!("../../../../rules/reading.toml")).unwrap();
        for phrase in file.line.recipient.iter().chain(&file.line.alias) {
            assert_eq!(phrase, &phrase.to_lowercase());
        }
    }
    #[test]
    fn no_phrase_stands_twice_in_a_list() {
        let file: toml::Table =
            toml::from_str(include_str!("../../../../rules/reading.toml")).unwrap();
        for (section, lists) in file {
            for (list, words) in lists.as_table().unwrap() {
                let words: Vec<&str> = words
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(toml::Value::as_str)
                    .collect();
                let once: std::collections::BTreeSet<&str> = words.iter().copied().collect();
                assert_eq!(once.len(), words.len(), "{section}.{list}");
            }
        }
    }
}
