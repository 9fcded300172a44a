//! The demo's recipients: more than 5,000 on its eight providers, and some lines that
//! preparation has to leave out.

use std::fmt::Write;

use super::providers::SEED;
use crate::fate::mix;

/// Well-formed recipients.
const RECIPIENTS: u64 = 5_200;

/// Domains and how many of 100 recipients have them.
const DOMAINS: [(&str, u64); 11] = [
    ("gmail.example", 34),
    ("outlook.example", 10),
    ("hotmail.example", 8),
    ("icloud.example", 9),
    ("orange.example", 8),
    ("wanadoo.example", 4),
    ("free.example", 9),
    ("gmx.example", 6),
    ("web.example", 3),
    ("mail-ru.example", 6),
    ("atelier.example", 3),
];

const FIRST_NAMES: [&str; 24] = [
    "Ada", "Amélie", "Ben", "Chloé", "Dora", "Elias", "Emma", "Félix", "Greta", "Hugo", "Inès",
    "Jonas", "Karin", "Léa", "Lukas", "Mila", "Noé", "Olga", "Paul", "Rosa", "Søren", "Theo",
    "Vera", "Zoë",
];

const CITIES: [&str; 12] = [
    "Lyon", "Nantes", "Lille", "Köln", "Bremen", "Graz", "Genève", "Porto", "Gent", "Malmö",
    "Turin", "Brno",
];

const LANGUAGES: [&str; 3] = ["fr", "de", "en"];

/// The file of recipients as CSV: UTF-8, LF, one header line.
///
/// Columns: `email`, `first_name`, `city`, `language`, `points`, `denylisted`.
#[must_use]
pub fn recipients_csv() -> String {
    let mut csv = String::from("email,first_name,city,language,points,denylisted\n");
    for number in 0..RECIPIENTS {
        let lot = mix(SEED ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let name = pick(&FIRST_NAMES, lot >> 8);
        let email = format!("{}{number}@{}", plain(name), domain(lot % 100));
        let denylisted = if lot.is_multiple_of(97) { "yes" } else { "" };
        line(&mut csv, &email, lot, denylisted);
        if let Some(odd) = odd_line(number, &email) {
            line(&mut csv, &odd, mix(lot), "");
        }
    }
    csv
}

/// Now and then a further line that is not like the others: a double, a wrong address, none, or
/// a domain that does not exist.
fn odd_line(number: u64, email: &str) -> Option<String> {
    match number % 300 {
        17 | 170 => Some(email.to_uppercase()),
        40 => Some(email.replace('@', " at ")),
        90 => Some(email.replace('@', "..@")),
        120 | 240 => Some(String::new()),
        200 => Some(format!("reader{number}@unknown.invalid")),
        _ => None,
    }
}

fn line(csv: &mut String, email: &str, lot: u64, denylisted: &str) {
    let (name, city) = (pick(&FIRST_NAMES, lot >> 8), pick(&CITIES, lot >> 16));
    let language = pick(&LANGUAGES, lot >> 24);
    let points = (lot >> 32) % 500;
    // Writing to a String cannot fail.
    let _ = writeln!(
        csv,
        "{email},{name},{city},{language},{points},{denylisted}"
    );
}

fn pick<'a>(list: &[&'a str], lot: u64) -> &'a str {
    let at = lot % list.len().max(1) as u64;
    list.get(at as usize).copied().unwrap_or_default()
}

fn domain(lot: u64) -> &'static str {
    let mut lot = lot;
    for (domain, share) in DOMAINS {
        match lot.checked_sub(share) {
            Some(rest) => lot = rest,
            None => return domain,
        }
    }
    "gmail.example"
}

/// A name as the local part of an address: ASCII, lower case.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        'é' | 'è' | 'ë' => 'e',
        'ø' => 'o',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::{Fate, demo};

    #[test]
    fn the_shipped_file_is_the_one_that_is_made_here() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/recipients.csv");
        let made = recipients_csv();
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let shipped = std::fs::read_to_string(path).unwrap();
        assert!(
            shipped == made,
            "make it again: UPDATE_EXAMPLES=1 cargo test -p posthaste-sandbox"
        );
        assert!(shipped.len() <= 600_000);
    }

    #[test]
    fn five_thousand_people_on_eight_providers_meet_every_kind_of_fate() {
        let config = demo::config();
        assert_eq!(config.providers.len(), 8);
        let csv = recipients_csv();
        let mut fates: HashMap<(&str, Fate), u32> = HashMap::new();
        let mut seen = HashSet::new();
        for address in csv.lines().skip(1).filter_map(|l| l.split(',').next()) {
            let Some(p) = config.providers.iter().find(|p| p.takes(address)) else {
                continue;
            };
            if seen.insert(address.to_lowercase()) {
                let fate = p.shares.fate(config.seed, &address.to_lowercase());
                *fates.entry((&p.name, fate)).or_default() += 1;
            }
        }
        assert!(seen.len() >= 5_000, "{}", seen.len());
        for (name, fate) in [
            ("gmail", Fate::UserUnknown),
            ("outlook", Fate::SpamBlocked),
            ("icloud", Fate::Accepted),
            ("orange", Fate::AccountDisabled),
            ("free", Fate::Greylisted),
            ("gmx", Fate::MailboxFull),
            ("mail-ru", Fate::DroppedInContent),
            ("mail-ru", Fate::DroppedAfterDot),
            ("mail-ru", Fate::ContentRefused),
            ("atelier", Fate::Novel),
        ] {
            assert!(
                fates.contains_key(&(name, fate)),
                "{name} {fate:?}: {fates:?}"
            );
        }
        for (what, needle) in [
            ("denylisted", ",yes\n"),
            ("no address", "\n,"),
            ("bad syntax", " at "),
            ("unknown domain", "@unknown.invalid,"),
        ] {
            assert!(csv.matches(needle).count() >= 10, "{what}");
        }
    }
}
