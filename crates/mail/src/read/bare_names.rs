//! Names without a domain that belong to nobody of whom the returned message speaks: addresses at the host that reports.
//!
//! Where the message was for none or for several, what a host's own reply names is an address at that host:
//! `550 jane... User unknown`. Where a report names nobody at all, so is what stands where names stand: `User unknown: jane`,
//! `there is no user named "jane"`, a list below `could not be delivered to these users:`.

use super::addresses;
use super::generic::Named;
use super::lines;
use super::local_names::{MARKS, words};
use super::placed::ends_with_word;
use super::reply;
use super::vocabulary::Vocabulary;

/// Names that are taken.
const MAX_NAMES: usize = 50;
/// Lines in which names are looked for.
const MAX_LINES: usize = 100;
/// Bytes of a line that tells a name.
const MAX_LINE: usize = 200;

/// What opens a name in quotes, and what closes it.
const OPENING: &[char] = &[
    '<', '"', '\'', '`', '“', '„', '«', '‘', '「', '『', '〈', '(', '[',
];
const CLOSING: &[char] = &[
    '>', '"', '\'', '”', '“', '»', '’', '」', '』', '〉', ')', ']',
];

/// Recipients that a host's own replies name without a domain, as addresses at that host: `550 jane... User unknown`.
///
/// The dots are Sendmail's. A path (`550 relay!far!jane... Host unknown`) tells its host itself (RFC 976 §2.1).
pub(super) fn at_host(text: &str, host: &str, vocabulary: &Vocabulary) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    let queues = has(") (queue: ");
    if !queues && !has("... ") && !has("expanded from") {
        return found;
    }
    let mut lines = lines::of(text).peekable();
    while let Some(line) = lines.next() {
        let bare = line.trim();
        let owner = program_for(line, lines.peek().copied());
        let owner = owner.and_then(|name| placed_at(name, host));
        if found.len() >= MAX_NAMES {
            break;
        }
        add(
            &mut found,
            owner.map(|address| Named {
                address,
                own: said_of(text, bare).to_owned(),
                ..Named::default()
            }),
        );
        if queues {
            add(&mut found, in_queue(bare, lines.peek().copied()));
        }
        let said = reply::find(bare).filter(|reply| reply.at == 0);
        let Some((head, reason)) = bare.split_once("... ") else {
            continue;
        };
        let head = head.trim_end();
        let name = head.rsplit(' ').next().unwrap_or_default();
        let alone = head.len() == name.len() || said.is_some();
        let name = name.trim_matches(['<', '>', '"']);
        // A host that is late, a program's option.
        let other = (name.contains('.') && bare.starts_with('4')) || head.contains('|');
        let alone = alone && !other;
        let Some(address) = alone.then(|| placed_at(name, host)).flatten() else {
            continue;
        };
        let fails = said.is_some() || vocabulary.speaks_of_failure(reason);
        add(
            &mut found,
            fails.then(|| Named {
                address,
                own: bare.to_owned(),
                ..Named::default()
            }),
        );
    }
    found
}

/// MMDF: `'jane (host: mx.example.org) (queue: local)' for the following` and on the next line the reason.
fn in_queue(line: &str, next: Option<&str>) -> Option<Named> {
    let (name, rest) = line.trim_start_matches('\'').split_once(" (host: ")?;
    let (host, _) = rest.split_once(") (queue: ")?;
    let plain = !name.contains([' ', '@', '<']);
    Some(Named {
        address: placed_at(name, host).filter(|_| plain)?,
        own: format!("{line}\n{}", next.unwrap_or_default()),
        ..Named::default()
    })
}

/// Adds one that is not there yet.
fn add(found: &mut Vec<Named>, new: Option<Named>) {
    let known = |new: &Named| {
        found
            .iter()
            .any(|n| addresses::same(&n.address, &new.address))
    };
    let new = new.filter(|new| found.len() < MAX_NAMES && !known(new));
    found.extend(new);
}

/// What a transcript says of a program: `554 |/usr/bin/filter... unknown mailer error 1`.
fn said_of<'a>(text: &'a str, program: &'a str) -> &'a str {
    let program = program.split("  (").next().unwrap_or(program);
    let mut lines = lines::of(text).map(str::trim);
    lines
        .find(|line| line.contains(program) && line.contains("... "))
        .unwrap_or(program)
}

/// Whether the local part of an address stands alone on a line, and not as what another name leads to.
pub(super) fn is_listed(text: &str, address: &str) -> bool {
    let (local, _) = address.rsplit_once('@').unwrap_or_default();
    let mut lines = lines::of(text).peekable();
    while let Some(line) = lines.next() {
        // `jane  (unrecoverable error)`, `jane ... can't create …`
        let bare = line.trim_start().trim_start_matches(['<', '"', '\'']);
        // The path of UUCP before it.
        let bare = bare.rsplit_once('!').map_or(bare, |(_, end)| end);
        let said = bare
            .strip_prefix(local)
            .map(|rest| rest.trim_start_matches(['>', '"', ' ']));
        if line.trim_matches(MARKS) == local
            || said.is_some_and(|s| s.starts_with('(') || s.starts_with("... "))
        {
            // `(expanded from: <jane@example.org>)`: that is whom the message was for.
            return lines.peek().is_none_or(|next| {
                !next.trim_start().starts_with("(expanded") || !next.contains('@')
            });
        }
        if program_for(line, lines.peek().copied()) == Some(local) {
            return true;
        }
    }
    false
}

/// Whether an address stands alone on a line, but for what is said of it in parentheses.
pub(super) fn has_line(text: &str, address: &str) -> bool {
    lines::of(text).any(|line| {
        let bare = line.trim().trim_start_matches(MARKS);
        let rest = bare
            .strip_prefix(address)
            .map(|rest| rest.trim_end_matches('>'));
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .trim_start_matches(['>', '"', ' ', '\t'])
                    .starts_with('(')
        })
    })
}

/// The name for which a program runs: `|/usr/bin/filter` and below it `(expanded from: jane)`.
fn program_for<'a>(line: &str, next: Option<&'a str>) -> Option<&'a str> {
    let bare = line.trim_start().trim_start_matches(['<', '"']);
    let next = next.filter(|_| bare.starts_with('|') || bare.starts_with(":include:"))?;
    let (head, name) = next.trim().trim_matches(['(', ')']).split_once(':')?;
    let name = name.trim_matches(MARKS);
    (head == "expanded from" && !name.contains([' ', '@'])).then_some(name)
}

/// Recipients that a report tells by their names alone, as addresses at the host that reports.
pub(super) fn told(text: &str, host: &str, vocabulary: &Vocabulary) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    let mut listing = Listing::None;
    // The last name, and how far its line is indented: what stands below it and further in goes on with it.
    let mut last: Option<(usize, usize)> = None;
    let mut lines = lines::of(text).take(MAX_LINES).peekable();
    while let Some(line) = lines.next() {
        let rule = line.trim().chars().all(|c| "-=_+| ".contains(c));
        if rule {
            continue;
        }
        let deep = |next: &&str| !next.trim().is_empty() && indent(next) > indent(line);
        let explained = lines.peek().is_some_and(deep);
        let name = name_on(line, (listing, explained), vocabulary);
        if let (None, Some((number, of))) = (name, last)
            && indent(line) > of
        {
            if let Some(named) = found.get_mut(number) {
                named.own.push('\n');
                named.own.push_str(line.trim());
            }
            continue;
        }
        listing = match (announced(line, vocabulary), name.is_some()) {
            // Below the first one of a list the others need no reason.
            (Listing::None, true) if listing == Listing::Reasons => Listing::Names,
            (Listing::None, true) => listing,
            (announced, _) => announced,
        };
        let address = name.and_then(|name| placed_at(name, host));
        let number = address.map(|address| put(&mut found, address, line));
        last = number.map(|number| (number, indent(line)));
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name that a line tells.
fn name_on<'a>(
    line: &'a str,
    listing: (Listing, bool),
    vocabulary: &Vocabulary,
) -> Option<&'a str> {
    if line.len() > MAX_LINE || line.contains('@') {
        return None;
    }
    named_in(line, vocabulary).or_else(|| listed_in(line, listing, vocabulary))
}

/// Adds a recipient, or another line that names it; its number.
fn put(found: &mut Vec<Named>, address: String, line: &str) -> usize {
    let known = found
        .iter()
        .position(|n| addresses::same(&n.address, &address));
    if let Some(named) = known.and_then(|number| found.get_mut(number)) {
        named.mentions = line.trim().to_owned();
    } else if found.len() < MAX_NAMES {
        found.push(Named {
            address,
            own: line.trim().to_owned(),
            ..Named::default()
        });
    }
    known.unwrap_or(found.len().saturating_sub(1))
}

/// What may stand in the lines below one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    /// Nobody is announced.
    None,
    /// Names with the reason beside each: `undeliverable to the following:`.
    Reasons,
    /// Names: `could not be delivered to the following users:`.
    Names,
}

fn announced(line: &str, vocabulary: &Vocabulary) -> Listing {
    let bare = line.trim_end();
    // `User        Result`: the head of a table.
    let head = bare.trim_start().split("  ").next().unwrap_or_default();
    if bare.trim_start().len() > head.len()
        && !bare.contains(':')
        && vocabulary.person.iter().any(|p| head.to_lowercase() == *p)
    {
        return Listing::Names;
    }
    if !(bare.ends_with(':') || bare.ends_with("---")) {
        return Listing::None;
    }
    let lower = bare.to_lowercase();
    if vocabulary.person.iter().any(|word| lower.contains(word))
        || ends_with_one(bare, &vocabulary.recipient)
    {
        Listing::Names
    } else if vocabulary.speaks_of_failure(bare) {
        Listing::Reasons
    } else {
        Listing::None
    }
}

/// The name that stands first on a line of a list, alone or apart from what is said of it.
///
/// `explained`: the line below it is indented, and goes on with it.
fn listed_in<'a>(
    line: &'a str,
    (listing, explained): (Listing, bool),
    vocabulary: &Vocabulary,
) -> Option<&'a str> {
    let marked = line.trim_start().starts_with("***");
    let bare = line.trim().trim_start_matches(['<', '"', '*', '-', ' ']);
    let end = bare.find(|c: char| !is_of_name(c)).unwrap_or(bare.len());
    let (name, after) = bare.split_at_checked(end)?;
    let after = after.trim_start_matches(['>', '"']);
    if after.trim() == ":" && !explained {
        return None;
    }
    let server = [" at ", " on "].iter().any(|word| after.starts_with(word));
    let alone = after.trim().is_empty() || (explained && after.trim() == ":") || (marked && server);
    let apart = [":", "  ", "\t", " (", " -", "..."]
        .iter()
        .any(|mark| after.starts_with(mark));
    let fits = match listing {
        Listing::Names => alone || apart,
        Listing::Reasons => {
            (apart && vocabulary.speaks_of_failure(after)) || (alone && (marked || explained))
        }
        // A line of its own, far in: `        s0418822`.
        Listing::None => {
            alone && (marked || (indent(line) >= 4 && name.contains(|c: char| c.is_ascii_digit())))
        }
    };
    let number = listing == Listing::Names && apart && is_number(name);
    (fits && (number || is_name(name, vocabulary))).then_some(name)
}

/// The name of which a line says that it failed: behind the word for a user, in quotes or behind a colon or before what is
/// said of it.
fn named_in<'a>(line: &'a str, vocabulary: &Vocabulary) -> Option<&'a str> {
    words(line).find_map(|(start, end)| {
        let name = line.get(start..end)?;
        let (head, after) = (line.get(..start)?, line.get(end..)?);
        if head.trim_matches(MARKS).is_empty()
            || after.starts_with('!')
            || !is_name(name, vocabulary)
        {
            return None;
        }
        // `far!jane`: the path is the name (RFC 976 §2.1).
        let path = head
            .ends_with('!')
            .then(|| head.rfind(' ').map_or(0, |at| at + 1));
        let before = path.map_or(head, |at| head.get(..at).unwrap_or_default());
        let name = path.map_or(name, |at| line.get(at..end).unwrap_or_default());
        let fails = || vocabulary.speaks_of_failure(line) || denies(before);
        let rest = without_honour(after.trim_matches(MARKS));
        let person = || ends_with_one(before, &vocabulary.person);
        let quoted = before.ends_with(OPENING) && after.starts_with(CLOSING);
        let labelled = before.trim_end().ends_with(':') && (rest.is_empty() || rest.contains(' '));
        // `your mailbox. Undelivered …`: a sentence ends between them.
        let word = before.trim_end_matches(' ');
        let spaced = word.len() < before.len() && word.ends_with(char::is_alphanumeric);
        let said = spaced && vocabulary.speaks_of_failure(rest);
        let denied = spaced && (rest.is_empty() && fails() || denies(before));
        let whom = || ends_with_one(before, &vocabulary.recipient);
        let told = (quoted && (person() || (fails() && whom())))
            || (labelled && (rest.is_empty() || fails()) && person())
            || (labelled && rest.is_empty() && fails() && whom())
            || (quoted && fails() && ends_with_one(before, &vocabulary.preposition))
            || (said && (person() || whom()))
            || (denied && person());
        told.then_some(name)
    })
}

/// What follows a name, without the word that honours it: `minji 님`.
fn without_honour(rest: &str) -> &str {
    let honours = ["님", "様", "さま", "さん", "先生", "女士"];
    honours
        .iter()
        .find_map(|word| rest.strip_prefix(word))
        .unwrap_or(rest)
}

/// Whether the words before a name say that there is none: `there is no user`.
fn denies(before: &str) -> bool {
    let mut words = before.split_whitespace();
    words.any(|word| {
        ["no", "kein", "aucun", "ningún", "nessun", "geen", "nenhum"]
            .iter()
            .any(|no| word.eq_ignore_ascii_case(no))
    })
}

fn ends_with_one(before: &str, words: &[String]) -> bool {
    let lower = before
        .trim_end_matches(OPENING)
        .trim_matches(MARKS)
        .to_lowercase();
    words.iter().any(|word| ends_with_word(&lower, word))
}

/// Whether a word may be the name of a mailbox, and is none that reports use.
fn is_name(word: &str, vocabulary: &Vocabulary) -> bool {
    let begins = |c: char| c.is_ascii_alphanumeric();
    (2..=40).contains(&word.len())
        && word.chars().all(is_of_name)
        && word.starts_with(begins)
        && word.ends_with(begins)
        && word.contains(|c: char| c.is_ascii_alphabetic())
        && !vocabulary
            .ordinary
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a subscriber has this number: `0525388712-0001`.
fn is_number(name: &str) -> bool {
    name.len() >= 6 && name.chars().all(|c| c.is_ascii_digit() || c == '-')
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-+".contains(c)
}

/// A local part at a host, or the end of a path as an address; `None` for anything else.
fn placed_at(name: &str, host: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-+!".contains(c);
    if !name.chars().all(fits)
        || !(is_number(name) || name.contains(|c: char| c.is_ascii_alphabetic()))
    {
        return None;
    }
    let Some((before, user)) = name.rsplit_once('!') else {
        return host.contains('.').then(|| format!("{name}@{host}"));
    };
    let far = before.rsplit('!').next().unwrap_or_default();
    let network = if far.contains('.') { "" } else { ".uucp" };
    (!user.is_empty() && !far.is_empty()).then(|| format!("{user}@{far}{network}"))
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::shipped;
    use super::*;

    #[test]
    fn names_are_told_where_names_stand() {
        let rows: &[(&str, &[&str])] = &[
            ("User unknown: jdoe", &["jdoe"]),
            ("There is no user named \"jdoe\" at this site.", &["jdoe"]),
            ("no mailbox `j.doe' here, rejected", &["j.doe"]),
            ("User jdoe not known at this site", &["jdoe"]),
            ("Mailbox jdoe2 is full", &["jdoe2"]),
            ("Your mail could not be delivered to: jdoe", &["jdoe"]),
            (
                "the message you sent to jdoe could not be delivered",
                &["jdoe"],
            ),
            (
                "Undeliverable to these users:\n\n  jdoe\n  aroe  (mailbox full)\n\nbye now",
                &["jdoe", "aroe"],
            ),
            (
                "--- addresses that failed ---\njdoe  (unrecoverable error)\n",
                &["jdoe"],
            ),
            (
                "Error in delivery to user BJONES:\n%MAIL-E-NOSUCHUSR, no such user BJONES",
                &["BJONES"],
            ),
            (
                "could not be delivered to:\nAddressee: HOLMQUIST\n",
                &["HOLMQUIST"],
            ),
            (
                "undeliverable to the following:\n\tjdoe (mailbox full)\n\taroe (no recipients found)",
                &["jdoe", "aroe"],
            ),
            (
                "problems while delivering:\n*** s9412077\nUser not known at this site.",
                &["s9412077"],
            ),
            ("User Roe_Jane is not defined", &["Roe_Jane"]),
            (
                "Your mail to far!jdoe is undeliverable.",
                &["jdoe@far.uucp"],
            ),
            ("TO:     4471902 / CARRIER ID: 447-1902", &[]),
            (
                "Error during local delivery:\n  JDOE:\n    %MAIL-E, error opening\n  AROE:\n    quota exceeded",
                &["JDOE", "AROE"],
            ),
            (
                "We failed:\n*** VANWYK at server BIOLAB\n  Error: no longer exists",
                &["VANWYK"],
            ),
            ("To go on reply with, or fail:\nUsername:\nPassword:", &[]),
            ("will have your account permanently disabled", &[]),
            ("The user does not exist", &[]),
            ("User unknown", &[]),
            ("Reason: mailbox full", &[]),
            ("Error: user unknown", &[]),
            ("The mailbox is over quota", &[]),
            (
                "the message you sent to the list could not be delivered",
                &[],
            ),
            (
                "It was not delivered for the following reason:\nRejected",
                &[],
            ),
            ("user jdoe@example.org is not known", &[]),
        ];
        for (text, want) in rows {
            let found = told(text, "mail.example.org", shipped());
            let whole = |n: &&str| match n.contains('@') {
                true => (*n).to_owned(),
                false => format!("{n}@mail.example.org"),
            };
            let want: Vec<String> = want.iter().map(whole).collect();
            let found: Vec<String> = found.into_iter().map(|n| n.address).collect();
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn a_hosts_reply_names_its_own() {
        let rows = [
            ("550 jane... User unknown", Some("jane@mx.example.org")),
            ("jane... User unknown", Some("jane@mx.example.org")),
            ("550 relay!far!jane... Host unknown", Some("jane@far.uucp")),
            ("550 <far.example!jane>... no", Some("jane@far.example")),
            ("550 jane@example.org... User unknown", None),
            ("554 |/usr/bin/filter... unknown mailer error 1", None),
            ("please wait... the user is unknown", None),
            ("jane... is our dearest reader", None),
        ];
        for (text, want) in rows {
            let found = at_host(text, "mx.example.org", shipped());
            let found: Vec<&str> = found.iter().map(|n| n.address.as_str()).collect();
            assert_eq!(found, want.into_iter().collect::<Vec<_>>(), "{text}");
        }
    }
}
