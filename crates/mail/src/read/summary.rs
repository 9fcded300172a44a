//! Notices that sum up the message they are about (`From:`, `To:`, `Subject:`) and say that it was stopped: filters write so
//! to the sender, often from an address and under a subject that show nothing.

use std::collections::HashMap;

use super::addresses;
use super::lines;
use super::notice::Notice;
use super::outer::{Outer, is_talk};
use super::structure::Structure;
use super::vocabulary::{AnyCase, SummaryWords};

/// Words of a notice of a filter, at most.
const MAX_WORDS: usize = 300;
/// Lines in which a summary is looked for.
const MAX_LINES: usize = 120;
/// Recipients that are taken.
const MAX_RECIPIENTS: usize = 50;
/// Bytes before the colon of a label.
const MAX_LABEL: usize = 100;
/// What may stand around a label.
const MARKS: &[char] = &[' ', '\t', '*', '-', '•', '|', '>', '.', '_', '\u{a0}', '：'];

/// The labels and words of `rules/reading.toml`, compiled.
#[derive(Debug)]
pub(super) struct Labels {
    known: HashMap<String, Label>,
    /// Bytes of the longest.
    longest: usize,
    stopped: AnyCase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    To,
    Subject,
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
        let lists = [
            (words.from, Label::From),
            (words.to, Label::To),
            (words.subject, Label::Subject),
        ];
        // Of a label in several lists the last one counts.
        let known: HashMap<String, Label> = lists
            .into_iter()
            .flat_map(|(list, label)| list.into_iter().map(move |word| (word, label)))
            .collect();
        Self {
            longest: known.keys().map(String::len).max().unwrap_or(0),
            stopped: AnyCase::new(&words.stopped),
            known,
        }
    }

    fn label(&self, words: &str) -> Option<Label> {
        let bare = words.trim_matches(MARKS);
        // Some letters are longer in lower case.
        let near = bare.len() <= self.longest + 8;
        near.then(|| self.known.get(&bare.to_lowercase()).copied())?
    }

    /// The summary in a text; empty where there is none.
    pub(super) fn summary(&self, text: &str) -> Summary {
        let mut found = Summary::default();
        let mut lines = lines::of(text).take(MAX_LINES).peekable();
        while let Some(line) = lines.next() {
            let Some((label, value)) = labelled(line) else {
                continue;
            };
            let Some(label) = self.label(label) else {
                continue;
            };
            // The value may stand below its label.
            let value = match lines.peek() {
                Some(below) if value.trim().is_empty() => below,
                _ => value,
            };
            match label {
                Label::Subject => found.has_subject = true,
                Label::To => push(&mut found.recipients, value),
                Label::From => {
                    let first = addresses::first(value).unwrap_or_default();
                    push(&mut found.senders, first);
                }
            }
        }
        found
    }
}

/// A line's label and value; a label is short.
fn labelled(line: &str) -> Option<(&str, &str)> {
    // Looking for one sign is a good deal faster than for two.
    let pair = if line.is_ascii() {
        line.split_once(':')
    } else {
        line.split_once([':', '：'])
    };
    pair.filter(|(label, _)| label.len() <= MAX_LABEL)
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
    let long = lines::is_longer(before, MAX_WORDS);
    let told = |text: &str| labels.stopped.is_in(text);
    if long || is_talk(mail, outer) || outer.answers() || !(told(before) || told(&outer.subject)) {
        return Vec::new();
    }
    let mut found = labels.summary(before);
    let from_us = found
        .senders
        .iter()
        .any(|sender| outer.is_bystander(sender));
    if !from_us && !(found.has_subject && (outer.daemon || outer.null_path)) {
        return Vec::new();
    }
    found
        .recipients
        .retain(|address| !outer.is_bystander(address) && !addresses::is_system(address));
    found.recipients
}
