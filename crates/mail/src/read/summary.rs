//! Notices that sum up the message they are about (`From:`, `To:`, `Subject:`) and say that it was stopped: filters write so
//! to the sender, often from an address and under a subject that show nothing.

use aho_corasick::AhoCorasick;

use super::addresses;
use super::notice::Notice;
use super::outer::{Outer, is_talk};
use super::structure::Structure;
use super::vocabulary::{SummaryWords, machine};

/// Words of a notice of a filter, at most.
const MAX_WORDS: usize = 300;
/// Lines in which a summary is looked for.
const MAX_LINES: usize = 120;
/// Recipients that are taken.
const MAX_RECIPIENTS: usize = 50;
/// What may stand around a label.
const MARKS: &[char] = &[' ', '\t', '*', '-', '•', '|', '>', '.', '_', '\u{a0}', '：'];

/// The labels and words of `rules/reading.toml`, compiled.
#[derive(Debug)]
pub(super) struct Labels {
    from: Vec<String>,
    to: Vec<String>,
    subject: Vec<String>,
    stopped: Option<AhoCorasick>,
}

/// What a notice sums up of the message.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub recipients: Vec<String>,
    pub senders: Vec<String>,
    has_subject: bool,
}

impl Labels {
    pub(super) fn new(words: SummaryWords) -> Self {
        let stopped: Vec<&str> = words.stopped.iter().map(String::as_str).collect();
        Self {
            stopped: machine(&stopped),
            from: words.from,
            to: words.to,
            subject: words.subject,
        }
    }

    /// The summary in a text; empty where there is none.
    pub(super) fn summary(&self, text: &str) -> Summary {
        let mut found = Summary::default();
        let mut lines = text.lines().take(MAX_LINES).peekable();
        while let Some(line) = lines.next() {
            let Some((label, value)) = line.split_once([':', '：']) else {
                continue;
            };
            let label = label.trim_matches(MARKS).to_lowercase();
            let is = |list: &[String]| list.contains(&label);
            // The value may stand below its label.
            let mut below = || lines.peek().copied().unwrap_or_default();
            if is(&self.subject) {
                found.has_subject = true;
            } else if is(&self.to) {
                let value = if value.trim().is_empty() {
                    below()
                } else {
                    value
                };
                push(&mut found.recipients, value);
            } else if is(&self.from) {
                let value = if value.trim().is_empty() {
                    below()
                } else {
                    value
                };
                let first = addresses::first(value).unwrap_or_default();
                push(&mut found.senders, first);
            }
        }
        found
    }
}

fn push(into: &mut Vec<String>, value: &str) {
    for span in addresses::find(value) {
        let address = value.get(span.start..span.end).unwrap_or_default();
        if into.len() < MAX_RECIPIENTS && !into.iter().any(|have| addresses::same(have, address)) {
            into.push(address.to_owned());
        }
    }
}

/// For whom the message was that a filter stopped, when the notice sums it up.
pub(super) fn stopped(
    mail: &Structure<'_>,
    outer: &Outer,
    text: &Notice,
    labels: &Labels,
) -> Vec<String> {
    let before = text.before();
    let long = before.split_whitespace().take(MAX_WORDS + 1).count() > MAX_WORDS;
    let told = |text: &str| labels.stopped.as_ref().is_some_and(|m| m.is_match(text));
    if long || is_talk(mail, outer) || outer.answers() || !(told(before) || told(&outer.subject)) {
        return Vec::new();
    }
    let mut found = labels.summary(before);
    let ours = |address: &String| outer.bystanders.iter().any(|b| addresses::same(b, address));
    let from_us = found.senders.iter().any(ours);
    if !from_us && !(found.has_subject && (outer.daemon || outer.null_path)) {
        return Vec::new();
    }
    found
        .recipients
        .retain(|address| !ours(address) && !addresses::is_system(address));
    found.recipients
}
