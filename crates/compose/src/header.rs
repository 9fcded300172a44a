//! Header fields: folding (RFC 5322 §2.2.3), encoded words (RFC 2047), parameters (RFC 2231), dates.
//!
//! Values come in checked (no CR, LF or NUL); whatever comes, no line break gets out that is not a fold.

use posthaste_core::address::Address;
use posthaste_core::time::Timestamp;

use super::encode::{base64, percent_encoded};

/// Lines aim at this length (RFC 5322 §2.1.1) and never exceed [`LONGEST`].
const AIM: usize = 78;
/// The longest word left unencoded; a line may have 998 octets.
const LONGEST: usize = 900;

/// Writes `Name: value` of an unstructured field (or a structured one of pure ASCII), folded.
pub(crate) fn write_unstructured(out: &mut Vec<u8>, name: &str, value: &str) {
    let plain = value
        .bytes()
        .all(|b| (0x20..0x7f).contains(&b) || b == b'\t')
        && !value.contains("=?")
        && value.split([' ', '\t']).all(|word| word.len() <= LONGEST);
    if plain {
        write_folded(out, name, value);
    } else {
        write_folded(out, name, &encoded_words(value, name.len() + 2));
    }
}

/// Writes an ASCII field whose words are separated by spaces, breaking lines at spaces only.
pub(crate) fn write_folded(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut line = name.len() + 2;
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let mut first = true;
    for word in value.split(' ') {
        // An empty word would make a line of white space alone (RFC 5322 §3.2.2 forbids it).
        let breaks = !first && !word.trim().is_empty() && line + 1 + word.len() > AIM;
        if breaks {
            out.extend_from_slice(b"\r\n");
            line = 0;
        }
        if !first {
            out.push(b' ');
            line += 1;
        }
        // Only what is checked elsewhere arrives here; a stray line break must not become a header.
        out.extend(word.bytes().filter(|b| !matches!(b, b'\r' | b'\n' | 0)));
        line += word.len();
        first = false;
    }
    out.extend_from_slice(b"\r\n");
}

/// RFC 2047 §2: words of at most 75 characters, split between characters; `used` columns are taken
/// on the first line. Control characters become spaces.
pub(crate) fn encoded_words(value: &str, used: usize) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut held = String::new();
    // 75 less `=?UTF-8?B?` and `?=` leaves 63: 15 groups of four, 45 bytes.
    let first_room = 75_usize.saturating_sub(used.max(1) + 12) / 4 * 3;
    let mut room = first_room.clamp(12, 45);
    for c in value.chars() {
        let c = if c.is_ascii_control() { ' ' } else { c };
        if held.len() + c.len_utf8() > room {
            words.push(format!("=?UTF-8?B?{}?=", base64(held.as_bytes())));
            held.clear();
            room = 45;
        }
        held.push(c);
    }
    if !held.is_empty() {
        words.push(format!("=?UTF-8?B?{}?=", base64(held.as_bytes())));
    }
    words.join(" ")
}

/// A mailbox of a header: `Name <address>` or `address`, as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, without quotes.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

impl Mailbox {
    /// Reads `Name <address>`, `"Name" <address>` or `address`.
    ///
    /// # Errors
    /// A sentence's end that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.contains(['\r', '\n', '\0']) {
            return Err("it holds a line break or a NUL character");
        }
        let (name, address) = match text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text),
        };
        let address = Address::parse(address).map_err(|e| e.why)?;
        let name = name
            .strip_prefix('"')
            .and_then(|n| n.strip_suffix('"'))
            .map_or_else(
                || name.to_owned(),
                |n| n.replace("\\\"", "\"").replace("\\\\", "\\"),
            );
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address,
        })
    }

    /// Writes the header field.
    pub(crate) fn write(&self, out: &mut Vec<u8>, field: &str) {
        let address = self.address.envelope();
        let Some(name) = &self.name else {
            return write_folded(out, field, &address);
        };
        write_folded(
            out,
            field,
            &format!("{} <{address}>", phrase(name, field.len() + 2)),
        );
    }
}

/// RFC 5322 §3.2.5: atoms as they are, other ASCII quoted, the rest as encoded words.
fn phrase(name: &str, used: usize) -> String {
    let printable = name.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !printable || name.contains("=?") || name.len() > LONGEST {
        return encoded_words(name, used);
    }
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~ ".contains(&b);
    if name.bytes().all(atom) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// One parameter with its leading `;`, on a line of its own; RFC 2231 §4 where it is not plain ASCII, §3 when long.
pub(crate) fn parameter(name: &str, value: &str) -> String {
    let plain = value
        .bytes()
        .all(|b| (0x20..0x7f).contains(&b) && !b"\"\\".contains(&b));
    if plain && value.len() + name.len() < 72 {
        return format!(";\r\n {name}=\"{value}\"");
    }
    let encoded = percent_encoded(value, b"-._~");
    let mut out = String::new();
    let mut rest = encoded.as_str();
    let mut index = 0;
    while !rest.is_empty() {
        // Never between the `%` and its two digits.
        let mut at = rest.len().min(50);
        while at < rest.len()
            && (rest.get(..at).is_some_and(|p| {
                p.ends_with('%') || p.len() >= 2 && p.as_bytes().get(at - 2) == Some(&b'%')
            }))
        {
            at -= 1;
        }
        let (piece, after) = rest.split_at(at);
        let charset = if index == 0 { "UTF-8''" } else { "" };
        let number = if index == 0 && after.is_empty() {
            String::new()
        } else {
            format!("*{index}")
        };
        out.push_str(&format!(";\r\n {name}{number}*={charset}{piece}"));
        rest = after;
        index += 1;
    }
    out
}

/// `Sat, 21 Nov 2026 21:40:58 +0000` (RFC 5322 §3.3).
pub(crate) fn date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = at.0.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let pick = |names: &[&'static str], i: i64| {
        usize::try_from(i)
            .ok()
            .and_then(|i| names.get(i).copied())
            .unwrap_or_default()
    };
    format!(
        "{}, {day} {} {year:04} {:02}:{:02}:{:02} +0000",
        pick(&DAYS, days.rem_euclid(7)),
        pick(&MONTHS, month - 1),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a day counted from 1970-01-01. Years are counted from March, so that the
/// leap day is the last of its year, within eras of 400 years (146,097 days).
const fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let in_era = from_march_0000.rem_euclid(146_097);
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let january_or_february = month >= 10;
    (
        era * 400 + year + january_or_february as i64,
        if january_or_february {
            month - 9
        } else {
            month + 3
        },
        day,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unstructured(name: &str, value: &str) -> String {
        let mut out = Vec::new();
        write_unstructured(&mut out, name, value);
        String::from_utf8(out).unwrap()
    }

    fn reread(header: &str) -> String {
        let mail = format!("{header}\r\nbody");
        let message = mail_parser::MessageParser::new()
            .parse(mail.as_bytes())
            .unwrap();
        message.subject().unwrap_or_default().to_owned()
    }

    #[test]
    fn subjects_of_all_kinds_are_read_back() {
        let long = "word ".repeat(60).trim().to_owned();
        let rows = [
            "Hello",
            "Grüße, Jörg: 20 % für Sie",
            "日本語の件名はとても長いので何行にも分かれます。それでも読めます。もっと長くします。",
            "looks =?UTF-8?B?like?= one",
            long.as_str(),
            "🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉",
        ];
        for value in rows {
            let header = unstructured("Subject", value);
            assert_eq!(reread(&header), value);
            for line in header.split("\r\n") {
                assert!(line.len() <= 78, "{line}");
            }
        }
    }

    #[test]
    fn mailboxes_are_read_and_written() {
        let rows = [
            ("news@example.com", "From: news@example.com\r\n"),
            (
                "Example News <news@example.com>",
                "From: Example News <news@example.com>\r\n",
            ),
            (
                "\"News, daily\" <news@example.com>",
                "From: \"News, daily\" <news@example.com>\r\n",
            ),
            ("Dr. A <a@b.example>", "From: \"Dr. A\" <a@b.example>\r\n"),
            (
                "Zoë <zoe@bücher.example>",
                "From: =?UTF-8?B?Wm/Dqw==?= <zoe@xn--bcher-kva.example>\r\n",
            ),
        ];
        for (text, expected) in rows {
            let mut out = Vec::new();
            Mailbox::parse(text).expect(text).write(&mut out, "From");
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        for text in [
            "",
            "Name",
            "A <a@b.example>\r\nBcc: x@y.example",
            "a@b.example, c@d.example",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_are_written_as_rfc_5322_asks() {
        let rows = [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_795_297_258_999, "Sat, 21 Nov 2026 21:40:58 +0000"),
            (4_107_542_399_000, "Sun, 28 Feb 2100 23:59:59 +0000"),
            (-1_000, "Wed, 31 Dec 1969 23:59:59 +0000"),
        ];
        for (ms, expected) in rows {
            assert_eq!(date(Timestamp(ms)), expected);
        }
    }

    #[test]
    fn parameters_are_quoted_or_extended() {
        assert_eq!(
            parameter("filename", "a b.pdf"),
            ";\r\n filename=\"a b.pdf\""
        );
        assert_eq!(
            parameter("filename", "ü.pdf"),
            ";\r\n filename*=UTF-8''%C3%BC.pdf"
        );
        let long = parameter("filename", &"ä".repeat(40));
        assert!(
            long.contains("filename*0*=UTF-8''") && long.contains("filename*4*="),
            "{long}"
        );
        assert!(
            long.split("\r\n")
                .all(|l| l.len() <= 78 && !l.ends_with('%')),
            "{long}"
        );
    }

    proptest! {
        #[test]
        fn no_value_makes_a_second_header(value in "(\\PC|[ \r\n\t\0]){0,200}") {
            let header = unstructured("X-Test", &value);
            prop_assert!(header.ends_with("\r\n"));
            for line in header.trim_end_matches("\r\n").split("\r\n").skip(1) {
                prop_assert!(line.starts_with(' '), "{:?}", header);
                prop_assert!(!line.trim().is_empty(), "{:?}", header);
            }
            prop_assert!(!header.replace("\r\n", "").contains(['\r', '\n', '\0']));
        }

        #[test]
        fn encoded_subjects_are_read_back(value in "[a-zäöü日本🎉]{1,120}ß") {
            prop_assert_eq!(reread(&unstructured("Subject", &value)), value);
        }
    }
}
