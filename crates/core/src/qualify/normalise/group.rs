//! What one group of letters, digits, dots and hyphens is: a word, or a variable part.

use crate::enhanced::EnhancedStatus;

/// Groups with digits that are names, not values (lower case).
const NAMES: [&str; 16] = [
    "ipv4", "ipv6", "utf-8", "utf8", "smtputf8", "8bitmime", "8bit", "7bit", "rfc822", "sha1",
    "sha256", "md5", "base64", "ed25519", "x509", "tls1",
];

/// Longest group without a digit that can be a word.
const LONGEST_WORD: usize = 48;

/// Top-level names beside those of two letters.
const TOP_LEVEL: [&str; 32] = [
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "name",
    "mobi",
    "local",
    "localdomain",
    "lan",
    "internal",
    "intern",
    "test",
    "example",
    "invalid",
    "arpa",
    "asia",
    "email",
    "cloud",
    "online",
    "site",
    "xyz",
    "shop",
    "app",
    "dev",
    "tech",
    "store",
    "pro",
];

/// Whether a group is a variable part.
pub fn is_variable(group: &str) -> bool {
    let digits = group.bytes().any(|b| b.is_ascii_digit());
    if !digits {
        let long = group.is_ascii() && group.len() > LONGEST_WORD;
        return long && !is_compound(group) || is_host(group);
    }
    !(EnhancedStatus::parse(group).is_some()
        || is_short_code(group)
        || NAMES.iter().any(|name| group.eq_ignore_ascii_case(name)))
}

/// `StorageException.MapiExceptionAccountDisabled`: words joined by capitals and dots, four letters each or more
/// on the whole. In what is drawn by lot, capitals come oftener.
fn is_compound(group: &str) -> bool {
    let bytes = group.as_bytes();
    let joints = bytes
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count();
    let letters = bytes.iter().all(|b| b.is_ascii_alphabetic() || *b == b'.');
    let longest = group.split('.').map(str::len).max().unwrap_or(0);
    letters && longest <= LONGEST_WORD && joints > 0 && (joints + 1) * 4 <= group.len()
}

/// `TSS04`, `OFR_506`, `IB607`, `LPN000_630`: one to six capitals, then one or two short numbers.
fn is_short_code(group: &str) -> bool {
    let letters = group.bytes().take_while(u8::is_ascii_uppercase).count();
    let tail = group.get(letters..).unwrap_or_default();
    let tail = tail.strip_prefix(['_', '-']).unwrap_or(tail);
    let numbers = tail.split(['_', '-']);
    (1..=6).contains(&letters)
        && tail.len() <= 9
        && numbers
            .clone()
            .all(|n| (1..=4).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
        && numbers.count() <= 2
}

/// A host name without digits: labels, the last one a top-level name.
fn is_host(group: &str) -> bool {
    let Some((front, last)) = group.rsplit_once('.') else {
        return false;
    };
    let top = last.len() == 2 && last.bytes().all(|b| b.is_ascii_alphabetic())
        || TOP_LEVEL.iter().any(|name| last.eq_ignore_ascii_case(name));
    let one_case = !(last.bytes().any(|b| b.is_ascii_lowercase())
        && last.bytes().any(|b| b.is_ascii_uppercase()));
    let abbreviation = front.len() == 1;
    top && one_case
        && !abbreviation
        && front
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-'))
}

/// Part of a date that is a word: a month, a day of the week, a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateWord {
    /// `Nov`, `November`.
    Month,
    /// `Thu`, `Thursday`.
    Weekday,
    /// `GMT`, `CEST`.
    Zone,
}

/// Which part of a date a word is.
pub fn date_word(word: &str) -> Option<DateWord> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    const ZONES: [&str; 12] = [
        "GMT", "UTC", "CET", "CEST", "EST", "EDT", "PST", "PDT", "JST", "MSK", "BST", "CST",
    ];
    let short_or_full = |name: &&str| {
        word.eq_ignore_ascii_case(name)
            || name
                .get(..3)
                .is_some_and(|short| word.eq_ignore_ascii_case(short))
    };
    let capital = word.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    if !capital || !(3..=9).contains(&word.len()) {
        return None;
    }
    if MONTHS.iter().any(&short_or_full) {
        Some(DateWord::Month)
    } else if DAYS.iter().any(short_or_full) {
        Some(DateWord::Weekday)
    } else {
        ZONES.contains(&word).then_some(DateWord::Zone)
    }
}
