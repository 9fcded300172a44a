//! The notification: what a report says to a person, without the message it returns.

use super::charset;
use super::dialects::Dialect;
use super::lines::{self, field_name};
use super::structure::{Part, PartKind, Structure};
use super::vocabulary::{Sign, Signs, Vocabulary};

/// Bytes of notification that are looked at.
const MAX_NOTICE: usize = 64 << 10;
/// Lines between an announcement and what it announces, at most.
const MAX_GAP: usize = 20;
/// Text parts that are put together.
const MAX_TEXT_PARTS: usize = 4;

/// A notification's text, and where the returned message begins in it.
#[derive(Debug, Default)]
pub(super) struct Notice {
    text: String,
    cut: usize,
    /// Phrases before the cut.
    pub signs: Signs,
}

impl Notice {
    /// Reads a text and finds where the returned message begins.
    pub(super) fn new(text: String, vocabulary: &Vocabulary) -> Self {
        // Below the headers of the returned message no phrase counts.
        let most = find_cut(&text, &[]);
        let mut phrases = phrases_in(text.get(..most).unwrap_or_default(), vocabulary);
        let ends: Vec<usize> = phrases
            .iter()
            .filter(|(sign, _)| *sign == Sign::End)
            .map(|(_, end)| *end)
            .collect();
        let mut cut = if ends.is_empty() {
            most
        } else {
            find_cut(&text, &ends)
        };
        if !is_some(&text, cut) {
            // Nothing would be left to read.
            cut = text.len();
            if most < cut {
                phrases = phrases_in(&text, vocabulary);
            }
        }
        let mut signs = Signs::default();
        for (sign, end) in phrases {
            if end <= cut {
                signs.add(sign);
            }
        }
        Self { text, cut, signs }
    }

    /// Ends the notification where the dialect says so, if that is earlier.
    pub(super) fn end_by(&mut self, dialect: &Dialect) {
        if dialect.end.is_empty() {
            return;
        }
        let lower = self.before().to_lowercase();
        let seen = lower.find('@');
        let earliest = dialect
            .end
            .iter()
            .filter_map(|phrase| memchr::memmem::find(lower.as_bytes(), phrase.as_bytes()))
            // An end before any address would leave nothing to read.
            .filter(|at| seen.is_some_and(|address| address < *at))
            .min();
        // Lengths can differ between the cases of a letter: only a place that is one in both counts.
        if let Some(at) =
            earliest.filter(|&at| lower.len() == self.cut && self.text.is_char_boundary(at))
        {
            self.cut = at;
        }
    }

    /// What the report says.
    pub(super) fn before(&self) -> &str {
        self.text.get(..self.cut).unwrap_or_default()
    }

    /// What it returns of the original.
    pub(super) fn after(&self) -> &str {
        self.text.get(self.cut..).unwrap_or_default()
    }
}

/// The phrases of a text, and where each ends.
fn phrases_in(text: &str, vocabulary: &Vocabulary) -> Vec<(Sign, usize)> {
    let mut phrases = Vec::new();
    let folded = Folded::of(text);
    vocabulary.text.each(&folded.text, |sign, end| {
        if phrases.len() < 2_000 {
            phrases.push((sign, folded.place(end)));
        }
    });
    phrases
}

/// Whether more than a few letters stand before a cut.
fn is_some(text: &str, cut: usize) -> bool {
    let before = text.get(..cut).unwrap_or_default();
    before
        .chars()
        .filter(|c| c.is_alphanumeric())
        .nth(10)
        .is_some()
}

/// A text in one line and in lower case, so that phrases are found that are folded over two; what is quoted (`> `) is
/// left out.
struct Folded {
    text: String,
    /// Where each piece begins, in this text and in the one it is made of.
    pieces: Vec<(usize, usize)>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut folded = Self {
            text: String::with_capacity(text.len()),
            pieces: Vec::new(),
        };
        let mut at = 0;
        for line in lines::whole(text) {
            let begun = line.trim_start();
            let bare = begun.trim_end();
            if !bare.is_empty() && !line.starts_with("> ") {
                let indent = line.len() - begun.len();
                if !folded.text.is_empty() {
                    folded.text.push(' ');
                }
                folded.pieces.push((folded.text.len(), at + indent));
                folded.text.push_str(bare);
            }
            at += line.len();
        }
        folded.text.make_ascii_lowercase();
        folded
    }

    /// Where the end of something in this text is in the other one.
    fn place(&self, end: usize) -> usize {
        let after = self.pieces.partition_point(|(here, _)| *here < end);
        let piece = after.checked_sub(1).and_then(|i| self.pieces.get(i));
        piece.map_or(0, |(here, there)| there + (end - here))
    }
}

/// The text parts of one level, put together; HTML only where there is no plain text.
pub(super) fn gather(mail: &Structure<'_>, level: u8) -> String {
    let plain = gather_kind(mail, level, PartKind::Text);
    if plain
        .chars()
        .filter(|c| c.is_alphanumeric())
        .nth(11)
        .is_some()
    {
        return plain;
    }
    let page = gather_kind(mail, level, PartKind::Html);
    if page.is_empty() {
        plain
    } else {
        plain + &charset::html(&page)
    }
}

fn gather_kind(mail: &Structure<'_>, level: u8, kind: PartKind) -> String {
    let mut out = String::new();
    let parts = mail
        .parts
        .iter()
        .filter(|part| part.level == level && part.kind == kind);
    for part in parts.take(MAX_TEXT_PARTS) {
        if out.len() > MAX_NOTICE {
            break;
        }
        out.push_str(&text_of(part));
        out.push('\n');
    }
    out
}

/// The text of one part.
pub(super) fn text_of<'a>(part: &Part<'a>) -> std::borrow::Cow<'a, str> {
    charset::text(part.body, part.encoding.as_deref(), part.charset.as_deref())
}

/// Where the returned message begins: after an announcement, or where its headers stand.
fn find_cut(text: &str, ends: &[usize]) -> usize {
    let mut at = 0;
    let mut addressed = false;
    let mut written = false;
    let mut run = Run::default();
    let mut ends = ends.iter().peekable();
    for line in lines::whole(text) {
        let stop = at + line.len();
        if let Some(start) = run.take(at, line)
            && written
        {
            return start;
        }
        let mut announced = false;
        while ends.next_if(|end| **end <= stop).is_some() {
            announced = true;
        }
        let rest = text.get(stop..).unwrap_or_default();
        if announced && announces(line.trim(), rest, addressed) {
            return stop;
        }
        addressed = addressed || memchr::memchr(b'@', line.as_bytes()).is_some() || replies(line);
        written = written || run.length == 0 && !line.trim().is_empty();
        at = stop;
    }
    text.len()
}

/// Whether a line begins with the code of a refusal: `550 jane is not a known user`.
fn replies(line: &str) -> bool {
    let code = line.as_bytes().get(..4);
    matches!(code, Some([b'4' | b'5', a, b, b' ' | b'-']) if a.is_ascii_digit() && b.is_ascii_digit())
}

/// Whether a line that speaks of the original message is followed by it.
fn announces(line: &str, rest: &str, addressed: bool) -> bool {
    let mut following = rest
        .lines()
        .take(MAX_GAP)
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.chars().all(|c| "-=_*#. ".contains(c)));
    let Some(next) = following.next() else {
        return true;
    };
    let dashed = line.starts_with("---")
        || line.starts_with("===")
        || line.starts_with("***")
        || line.starts_with("___");
    let closing = line.ends_with([':', '.', '-', '=', '*', '。', '：']);
    let header = field_name(next.as_bytes()).is_some() || next.starts_with("From ");
    // A summary of the original (From, To, Subject) may stand before the failed addresses as well.
    let telling = || {
        rest.lines()
            .take(8)
            .filter_map(|l| field_name(l.as_bytes()))
            .any(|name| weight(name) > 0)
    };
    (dashed && (addressed || header)) || (closing && header && (addressed || telling()))
}

/// A run of header lines.
#[derive(Default)]
struct Run {
    start: usize,
    length: u32,
    telling: u32,
}

impl Run {
    /// Takes a line; gives the start of the run once it is sure to be a message's headers.
    fn take(&mut self, at: usize, line: &str) -> Option<usize> {
        if line.starts_with([' ', '\t']) && self.length > 0 && !line.trim().is_empty() {
            return None;
        }
        let Some(name) = field_name(line.as_bytes()) else {
            *self = Self::default();
            return None;
        };
        if self.length == 0 {
            self.start = at;
        }
        self.length += 1;
        self.telling += weight(name);
        (self.telling >= 3 && self.length >= 2).then_some(self.start)
    }
}

/// How telling a field is of a message's own headers. Summaries in reports have From, To, Subject, Date.
fn weight(name: &[u8]) -> u32 {
    let is = |list: &[&str]| list.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
    if is(&[
        "received",
        "return-path",
        "mime-version",
        "dkim-signature",
        "content-type",
        "x-received",
        "content-transfer-encoding",
        "delivered-to",
    ]) {
        3
    } else if is(&[
        "message-id",
        "x-mailer",
        "user-agent",
        "references",
        "in-reply-to",
        "x-priority",
        "domainkey-signature",
        "list-unsubscribe",
        "precedence",
    ]) {
        2
    } else {
        0
    }
}
