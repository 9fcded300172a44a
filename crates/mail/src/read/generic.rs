//! Finding failed recipients in running text, whoever wrote it.
//!
//! A line names a failed recipient *strongly* when the address stands where reports put it: alone or
//! first on its line, behind a reply code, or behind a word such as `Recipient:`. It names one *weakly* when the
//! line speaks of a failure somewhere. Weak lines count only where there are no strong ones. Addresses of
//! the sender and of help desks never count.
//!
//! What is said about a recipient is looked for in widening circles: behind the address and in the lines
//! that follow; in other lines with the same address; in all that follows; in what stands before.

use super::addresses;
use super::dialects::Dialect;
use super::lines::{self, first_chars};
use super::placed::{self, Hit, MARKS, Strength, classify, is_list};
use super::reply;
use super::said::{aliases, heading, paragraph, sentence, what_follows};
use super::vocabulary::Vocabulary;

/// Lines of a notification that are read.
pub(super) const MAX_LINES: usize = 800;
/// Recipients of one notification.
const MAX_RECIPIENTS: usize = 500;
/// Lines that are taken as one paragraph.
pub(super) const MAX_PARAGRAPH: usize = 12;
/// Other names of one recipient.
const MAX_ALSO: usize = 4;
/// Bytes of what follows that are kept for each recipient.
pub(super) const MAX_AFTER: usize = 4_000;

/// A recipient that the text names, with what it says in widening circles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub address: String,
    pub also: Vec<String>,
    /// Right beside and below the address.
    pub own: String,
    /// Other lines with the same address.
    pub mentions: String,
    /// The line with a colon above one or several addresses, where nothing stands beside or below them.
    pub heading: String,
    /// Words before the address on its own line, when they speak of a failure.
    pub sentence: String,
    /// All that follows, up to the next recipient.
    pub after: String,
    /// Only lines of a dialogue with another host name it.
    pub echo: bool,
}

impl Named {
    /// Its addresses: other names of it, and its own.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.also.iter().chain(std::iter::once(&self.address))
    }

    /// Its addresses, its own first.
    pub(super) fn addresses(&self) -> Vec<String> {
        std::iter::once(&self.address)
            .chain(&self.also)
            .cloned()
            .collect()
    }

    /// Whether a server's reply stands beside it.
    pub(super) fn is_told(&self) -> bool {
        reply::find(&self.own).is_some()
    }

    /// Whether the command that names it was accepted, in a dialogue that is shown: `<- 250 jane ok`.
    pub(super) fn is_accepted(&self) -> bool {
        let reply = self.own.trim_start_matches(['\n', ' ', '<', '>', '-']);
        reply.starts_with("250 ")
    }

    /// What is said, the nearest first.
    pub(super) fn texts(&self) -> Vec<String> {
        vec![
            self.own.clone(),
            self.mentions.clone(),
            self.heading.clone(),
            self.sentence.clone(),
            self.after.clone(),
        ]
    }
}

/// What the text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub named: Vec<Named>,
    /// What stands before the first recipient.
    pub before: String,
    /// Whether the recipients stand where reports put them.
    pub strong: bool,
}

/// Whom the report is from and to, and whom the returned message was for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    /// Addresses that are not blamed …
    pub bystanders: &'a [String],
    /// The sender of the report, …
    pub from: &'a str,
    /// … unless the message was for them: the sender wrote to itself.
    pub recipients: &'a [String],
}

/// Reads a notification's text.
pub(super) fn read(
    text: &str,
    around: Around<'_>,
    vocabulary: &Vocabulary,
    dialect: Option<&Dialect>,
) -> Reading {
    let lines: Vec<&str> = lines::of(text).take(MAX_LINES).collect();
    let mut hits = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        // What is quoted of another mail (`> `) is not said by this one.
        if memchr::memchr(b'@', line.as_bytes()).is_some()
            && !lines::is_quoted(line)
            && hits.len() < MAX_RECIPIENTS * 2
        {
            let from = hits.len();
            classify(number, line, vocabulary, dialect, &mut hits);
            if hits.get(from).is_some_and(|hit| is_first(line, *hit))
                && is_folded_contact(&lines, number, vocabulary)
            {
                // `For further assistance, please contact`, and the address on the next line.
                hits.remove(from);
            }
            // `<address> (expanded from`, and the other address on the next line.
            let above = lines.get(..number).unwrap_or_default().iter().rev();
            let above = above.take(2).find(|line| !line.trim().is_empty());
            if above.is_some_and(|above| announces_alias(above, vocabulary))
                && let Some(first) = hits.get_mut(from)
            {
                first.strength = Strength::Alias;
            }
        }
    }
    own_by_program(&lines, &mut hits);
    join_folded(&lines, &mut hits);
    let begin = dialect.and_then(|d| begin_of(&lines, d));
    let chosen = choose(&hits, &lines, around, begin);
    let Some(first) = chosen.first() else {
        return Reading {
            before: first_chars(text, 2_000).to_owned(),
            ..Reading::default()
        };
    };
    let before = lines.get(..first.line).unwrap_or_default();
    let skipped = before.len().saturating_sub(20);
    Reading {
        before: before.get(skipped..).unwrap_or_default().join("\n"),
        strong: first.strength == Strength::Strong,
        named: collect(&lines, &hits, &chosen),
    }
}

/// Whether nothing stands before an address on its line.
fn is_first(line: &str, hit: Hit) -> bool {
    let before = line.get(..hit.span.start).unwrap_or_default();
    before.trim_matches(MARKS).is_empty()
}

/// Whether the line above goes on with this one, and says whom to ask or what else the address is.
fn is_folded_contact(lines: &[&str], number: usize, vocabulary: &Vocabulary) -> bool {
    let above = number.checked_sub(1).and_then(|n| lines.get(n));
    let above = above.map_or("", |line| line.trim());
    let begun = above.rsplit(". ").next().unwrap_or_default();
    let goes_on = !above.is_empty() && !above.ends_with(['.', '!', '?']) && !above.contains('@');
    goes_on && vocabulary.speaks_of_contact(begun)
}

/// `"|/usr/bin/filter"` and below it `(expanded from: <address>)`: what failed is no address, the alias is whom
/// the message was for. A reason in parentheses may stand between them.
fn own_by_program(lines: &[&str], hits: &mut [Hit]) {
    for hit in hits.iter_mut().filter(|h| h.strength == Strength::Alias) {
        let above = lines.get(..hit.line).unwrap_or_default();
        let mut above = above.iter().rev().take(3);
        let bare = above
            .find(|line| !line.trim_start().starts_with("(reason"))
            .map_or("", |line| line.trim_matches(MARKS));
        let starts = [":include:", "pipe to |", "save to /"];
        let program =
            bare.starts_with(['|', '/']) || starts.iter().any(|start| bare.starts_with(start));
        let name = !bare.is_empty() && !bare.contains(char::is_whitespace);
        // `  (generated from jane@…)` with nothing above it: the address that failed is not shown.
        let line = lines.get(hit.line).map_or("", |line| line.trim_start());
        let first = bare.is_empty() && line.starts_with('(');
        if (program || name || first) && !bare.contains('@') {
            hit.strength = Strength::Strong;
        }
    }
}

/// Addresses in one sentence, folded: `to a@…, b@… and` and on the next line `c@…, because`. All are named like one another.
fn join_folded(lines: &[&str], hits: &mut [Hit]) {
    let mut group = 0;
    for next in 1..hits.len() {
        let (Some(one), Some(other)) = (hits.get(next - 1).copied(), hits.get(next).copied())
        else {
            return;
        };
        let line = |hit: Hit| lines.get(hit.line).copied().unwrap_or_default();
        let behind = line(one).get(one.span.end..).unwrap_or_default();
        let same = one.line == other.line
            && placed::is_glue(
                line(one)
                    .get(one.span.end..other.span.start)
                    .unwrap_or_default(),
            );
        let folded = one.line + 1 == other.line
            && !behind.trim().is_empty()
            && placed::is_glue(behind)
            && is_first(line(other), other);
        if !(same || folded) {
            group = next;
        } else if folded && other.strength == Strength::Strong && one.strength == Strength::Weak {
            for hit in hits.get_mut(group..next).unwrap_or_default() {
                hit.strength = Strength::Strong;
            }
        }
    }
}

/// Whether a line announces another address of the recipient on the next one: `(expanded from`, `has this forwarding address:`.
fn announces_alias(line: &str, vocabulary: &Vocabulary) -> bool {
    let bare = line.trim_end().trim_end_matches([':', ',']);
    if line.contains('@') && !bare.ends_with("from") {
        return false;
    }
    let lower = bare.to_lowercase();
    let ends = |tag: &String| lower.ends_with(tag.as_str());
    let forwards = || line.trim_end().ends_with(':') && lower.contains("forwarding address");
    forwards() || vocabulary.alias.iter().any(ends)
}

/// The line that announces the failed addresses.
fn begin_of(lines: &[&str], dialect: &Dialect) -> Option<usize> {
    if dialect.begin.is_empty() {
        return None;
    }
    lines.iter().position(|line| {
        let lower = line.to_lowercase();
        dialect
            .begin
            .iter()
            .any(|phrase| lower.contains(phrase.as_str()))
    })
}

pub(super) fn address_at<'a>(lines: &[&'a str], hit: Hit) -> &'a str {
    lines
        .get(hit.line)
        .and_then(|line| line.get(hit.span.start..hit.span.end))
        .unwrap_or_default()
}

/// The hits that count: strong ones, behind the dialect's beginning, no bystanders.
fn choose(hits: &[Hit], lines: &[&str], around: Around<'_>, begin: Option<usize>) -> Vec<Hit> {
    for strength in [Strength::Strong, Strength::Weak, Strength::Alias] {
        let all: Vec<Hit> = hits
            .iter()
            .filter(|h| h.strength == strength)
            .copied()
            .collect();
        let later: Vec<Hit> = all
            .iter()
            .filter(|h| begin.is_none_or(|b| h.line >= b))
            .copied()
            .collect();
        let all = if later.is_empty() { all } else { later };
        let blamed: Vec<Hit> = all
            .iter()
            .filter(|h| {
                let address = address_at(lines, **h);
                let among = |list: &[String]| list.iter().any(|b| addresses::same(b, address));
                // Who wrote to others and to itself as well is told like the others.
                let aside = among(around.bystanders) || addresses::is_role(address);
                !aside || (strength == Strength::Strong && among(around.recipients))
            })
            .copied()
            .collect();
        if !blamed.is_empty() {
            let strong = strength == Strength::Strong;
            let more = strong.then(|| listed_with(&all, &blamed, lines));
            return more.unwrap_or(blamed);
        }
    }
    let written_to = |hit: &&Hit| {
        let address = address_at(lines, **hit);
        let line = lines.get(hit.line).copied().unwrap_or_default();
        let told = || reply::find(line).is_some();
        // Below a line that announces those who failed, or in a reply: the sender wrote to itself.
        let listed = || is_list(line, &[hit.span]) && is_announced(lines, hits, **hit);
        hit.strength == Strength::Strong
            && (around
                .recipients
                .iter()
                .any(|r| addresses::same(r, address))
                // A recipient's own script reports under the recipient's name.
                || (addresses::same(around.from, address) && (hit.fails || told()))
                || (hit.whole && told())
                || (!addresses::is_system(address) && !addresses::is_role(address) && listed()))
    };
    hits.iter().filter(written_to).copied().collect()
}

/// The blamed ones, and those that would be nobody's but stand in one list with them: who wrote, or the address of a
/// list, each alone on its line.
fn listed_with(all: &[Hit], blamed: &[Hit], lines: &[&str]) -> Vec<Hit> {
    let is_blamed = |hit: &Hit| {
        blamed
            .iter()
            .any(|b| (b.line, b.span) == (hit.line, hit.span))
    };
    let alone = |hit: &Hit| {
        is_list(
            lines.get(hit.line).copied().unwrap_or_default(),
            &[hit.span],
        )
    };
    let on = |number: usize| all.get(all.partition_point(|h| h.line < number));
    let on = |number: usize| on(number).filter(|h| h.line == number && alone(h));
    let reaches = |hit: &Hit, next: fn(usize, usize) -> Option<usize>| {
        (1..MAX_PARAGRAPH)
            .map_while(|step| next(hit.line, step).and_then(on))
            .any(is_blamed)
    };
    let listed: Vec<&str> = all
        .iter()
        .filter(|hit| !is_blamed(hit) && alone(hit))
        .filter(|hit| reaches(hit, usize::checked_sub) || reaches(hit, usize::checked_add))
        .map(|hit| address_at(lines, *hit))
        .collect();
    let counts = |hit: &&Hit| {
        let address = address_at(lines, **hit);
        is_blamed(hit) || listed.iter().any(|one| addresses::same(one, address))
    };
    all.iter().filter(counts).copied().collect()
}

fn collect(lines: &[&str], hits: &[Hit], chosen: &[Hit]) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::new();
    for hit in chosen {
        let address = address_at(lines, *hit);
        let own = paragraph(lines, chosen, *hit);
        let line = lines.get(hit.line).map_or("", |line| line.trim_start());
        let echo =
            line.starts_with(">>>") || line.starts_with("<<<") || is_quoted_reply(lines, *hit);
        let is = |n: &&mut Named| n.names().any(|name| addresses::alike(name, address));
        if let Some(known) = named.iter_mut().find(is) {
            known.echo &= echo;
            let new = !known.names().any(|name| addresses::same(name, address));
            if new && known.also.len() < MAX_ALSO {
                known.also.push(address.to_owned());
            }
            let into = if has_letters(&known.own) {
                &mut known.mentions
            } else {
                &mut known.own
            };
            if into.len() < MAX_AFTER {
                into.push('\n');
                into.push_str(&own);
            }
            continue;
        }
        if named.len() >= MAX_RECIPIENTS {
            break;
        }
        let heading = if has_letters(&own) {
            String::new()
        } else {
            heading(lines, chosen, *hit)
        };
        named.push(Named {
            address: address.to_owned(),
            also: aliases(lines, hits, *hit),
            heading,
            own,
            mentions: String::new(),
            sentence: sentence(lines, *hit),
            after: what_follows(lines, chosen, *hit),
            echo,
        });
    }
    without_echoes(named)
}

/// Whether it stands in a folded reply of another host: `… said: 552` and below it, indented, `<jane@inner.example.org>... full`.
fn is_quoted_reply(lines: &[&str], hit: Hit) -> bool {
    let line = lines.get(hit.line).copied().unwrap_or_default();
    let above = hit.line.checked_sub(1).and_then(|n| lines.get(n));
    let above = above.copied().unwrap_or_default();
    let indent = |line: &str| line.len() - line.trim_start().len();
    indent(line) > indent(above) && (above.contains(" said:") || above.contains(" says:"))
}

/// Recipients without those that only another host's part of a transcript names: `<<< 550 <jane@inner.example.org>` is what
/// became of `jane@example.org`, another name of the same one.
fn without_echoes(named: Vec<Named>) -> Vec<Named> {
    let (echoes, mut told): (Vec<Named>, Vec<Named>) = named.into_iter().partition(|one| one.echo);
    let mut others = Vec::new();
    for echo in echoes {
        let known = told
            .iter_mut()
            .find(|one| addresses::same_local(&one.address, &echo.address));
        match known {
            Some(one) if one.also.len() < MAX_ALSO => {
                one.also.push(echo.address);
                one.mentions.push('\n');
                one.mentions.push_str(&echo.own);
            }
            _ => others.push(echo),
        }
    }
    told.extend(others);
    told
}

/// Whether the line above an address, or above several in a row, announces them: with a colon, or between dashes.
fn is_announced(lines: &[&str], hits: &[Hit], hit: Hit) -> bool {
    let above = lines.get(..hit.line).unwrap_or_default();
    let found = above
        .iter()
        .enumerate()
        .rev()
        .take(MAX_PARAGRAPH)
        .find(|(number, line)| !line.trim().is_empty() && !hits.iter().any(|h| h.line == *number));
    found.is_some_and(|(_, line)| {
        let bare = line.trim_end();
        bare.ends_with(':') || bare.ends_with("---")
    })
}

pub(super) fn has_letters(text: &str) -> bool {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .nth(2)
        .is_some()
}
