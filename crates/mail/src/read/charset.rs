//! Text of a part, whatever it says it is written in.
//!
//! The label is believed when the bytes agree with it; otherwise the bytes decide: escape sequences
//! mean ISO-2022-JP, valid UTF-8 is UTF-8, and so on. Nothing fails: what cannot be decoded shows
//! as the replacement character.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};
use mail_parser::decoders::html::html_to_text;

use crate::entity::split_entity;

/// Bytes of one part that are decoded; what says why comes early.
pub(super) const MAX_TEXT: usize = 256 << 10;

/// Bytes that are looked at to find out the encoding.
const MAX_DETECTED: usize = 2 << 10;

/// The text of a part: transfer encoding (RFC 2045 §6) and charset taken off.
pub(super) fn text<'a>(
    body: &'a [u8],
    encoding: Option<&str>,
    charset: Option<&str>,
) -> Cow<'a, str> {
    let body = body.get(..MAX_TEXT).unwrap_or(body);
    match bytes(body, encoding) {
        Cow::Borrowed(raw) => to_text(raw, charset),
        Cow::Owned(raw) => Cow::Owned(to_text(&raw, charset).into_owned()),
    }
}

/// The bytes of a part without their transfer encoding.
pub(super) fn bytes<'a>(body: &'a [u8], encoding: Option<&str>) -> Cow<'a, [u8]> {
    let encoding = encoding.unwrap_or_default().trim();
    if encoding.eq_ignore_ascii_case("base64") {
        return Cow::Owned(base64(body));
    }
    if encoding.eq_ignore_ascii_case("quoted-printable")
        || (encoding.is_empty() && looks_quoted(body))
    {
        return Cow::Owned(quoted_printable(body, false));
    }
    Cow::Borrowed(body)
}

/// Whether a body that names no encoding is quoted-printable all the same: soft line breaks.
fn looks_quoted(body: &[u8]) -> bool {
    let head = body.get(..4096).unwrap_or(body);
    memchr::memmem::find_iter(head, b"=\n").take(2).count() == 2
}

fn to_text<'a>(raw: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let escaped = memchr::memchr(0x1b, raw).is_some();
    let label = charset.unwrap_or_default().trim();
    if label.eq_ignore_ascii_case("utf-7") || label.eq_ignore_ascii_case("unicode-1-1-utf-7") {
        return Cow::Owned(utf7(raw));
    }
    if !escaped && raw.is_ascii() {
        return lossy(raw);
    }
    let (text, wrong) = of(raw, label).decode_without_bom_handling(raw);
    if !wrong {
        return text;
    }
    guess(raw)
}

/// UTF-8 as it stands; what is not shows as the replacement character.
pub(super) fn lossy(raw: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed)
}

/// The encoding to try first.
fn of(raw: &[u8], label: &str) -> &'static Encoding {
    if memchr::memmem::find(raw, b"\x1b$").is_some() {
        return ISO_2022_JP;
    }
    match Encoding::for_label(label.as_bytes()) {
        // Undeclared or plain: eight-bit text is more often UTF-8 than the Latin its label means.
        None => UTF_8,
        Some(found) if found == WINDOWS_1252 && std::str::from_utf8(raw).is_ok() => UTF_8,
        // What is mostly beyond ASCII is no Latin text.
        Some(found) if found == WINDOWS_1252 && is_mostly_high(raw) => detected(raw),
        Some(found) => found,
    }
}

/// Whether a third of the letters are beyond ASCII.
fn is_mostly_high(raw: &[u8]) -> bool {
    let high = raw.iter().filter(|b| !b.is_ascii()).count();
    let low = raw.iter().filter(|b| b.is_ascii_alphabetic()).count();
    high > 8 && high > low / 2
}

fn guess(raw: &[u8]) -> Cow<'_, str> {
    detected(raw).decode_without_bom_handling(raw).0
}

/// The encoding that the bytes look like: those of the first lines that are not plain ASCII, as the others tell nothing.
fn detected(raw: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (mut seen, mut whole) = (0, true);
    for line in raw.split_inclusive(|b| *b == b'\n') {
        if line.is_ascii() {
            continue;
        }
        let part = line.get(..MAX_DETECTED - seen).unwrap_or(line);
        detector.feed(part, false);
        seen += part.len();
        whole = part.len() == line.len();
        if seen >= MAX_DETECTED {
            break;
        }
    }
    // A character that is cut in two would speak against the right encoding.
    if whole {
        detector.feed(&[], true);
    }
    detector.guess(None, Utf8Detection::Allow)
}

/// RFC 2045 §6.7, lenient: a stray `=` stays. With `word`, `_` is a blank (RFC 2047 §4.2).
fn quoted_printable(body: &[u8], word: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    let blank = if word { b'_' } else { b'=' };
    while let Some(at) = memchr::memchr2(b'=', blank, rest) {
        let (plain, marked) = rest.split_at(at);
        out.extend_from_slice(plain);
        let after = marked.get(1..).unwrap_or_default();
        rest = after;
        if marked.starts_with(b"_") {
            out.push(b' ');
            continue;
        }
        let soft = after.iter().position(|c| !matches!(c, b' ' | b'\t'));
        if let Some(end) = soft.filter(|&end| after.get(end) == Some(&b'\n')) {
            rest = after.get(end + 1..).unwrap_or_default();
        } else if let (Some(high), Some(low)) = (hex(after.first()), hex(after.get(1))) {
            out.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(b'=');
        }
    }
    out.extend_from_slice(rest);
    out
}

fn hex(b: Option<&u8>) -> Option<u8> {
    match *b? {
        d @ b'0'..=b'9' => Some(d - b'0'),
        d @ b'A'..=b'F' => Some(d - b'A' + 10),
        d @ b'a'..=b'f' => Some(d - b'a' + 10),
        _ => None,
    }
}

/// RFC 2045 §6.8, lenient: what is not of the alphabet is passed over, text after padding too.
fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut count = 0_u8;
    for &b in body {
        let Some(value) = sextet(b) else {
            if b == b'=' {
                count = 0;
                bits = 0;
            }
            continue;
        };
        bits = (bits << 6 | u32::from(value)) & 0x00ff_ffff;
        count += 1;
        match count {
            2 => out.push((bits >> 4 & 0xff) as u8),
            3 => out.push((bits >> 2 & 0xff) as u8),
            4 => {
                out.push((bits & 0xff) as u8);
                count = 0;
                bits = 0;
            }
            _ => {}
        }
    }
    out
}

const fn sextet(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// RFC 2152: `+…-` holds UTF-16 in base64, `+-` is a plus sign.
fn utf7(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'+', rest) {
        out.push_str(&String::from_utf8_lossy(rest.get(..at).unwrap_or_default()));
        rest = rest.get(at + 1..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|&b| sextet(b).is_none())
            .unwrap_or(rest.len());
        if end == 0 {
            out.push('+');
        } else {
            let pairs = base64(rest.get(..end).unwrap_or_default());
            let units = pairs
                .as_chunks::<2>()
                .0
                .iter()
                .map(|pair| u16::from_be_bytes(*pair));
            out.extend(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')));
        }
        rest = rest.get(end..).unwrap_or_default();
        rest = rest.strip_prefix(b"-").unwrap_or(rest);
    }
    out.push_str(&String::from_utf8_lossy(rest));
    out
}

/// A header's text with its encoded words decoded (RFC 2047), raw eight-bit text guessed.
pub(super) fn header(raw: &[u8]) -> String {
    let raw = raw.get(..8192).unwrap_or(raw);
    let line = super::structure::unfold(raw);
    let line = if raw.is_ascii() && !raw.contains(&0x1b) {
        line
    } else {
        Cow::Owned(
            to_text(raw, None)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    if memchr::memchr(b'?', line.as_bytes()).is_none() {
        return line.into_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut rest: &str = &line;
    while let Some(at) = rest.find("=?") {
        let (plain, tail) = rest.split_at(at);
        match word(tail) {
            Some((text, after)) => {
                // White space between two encoded words is not text (RFC 2047 §6.2).
                if out.is_empty() || !plain.trim().is_empty() {
                    out.push_str(plain);
                }
                out.push_str(&text);
                rest = after;
            }
            None => {
                out.push_str(plain);
                out.push_str("=?");
                rest = tail.get(2..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// One encoded word at the start of the text, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let (charset, after) = text.get(2..)?.split_once('?')?;
    let (method, after) = after.split_once('?')?;
    let (encoded, after) = after.split_once("?=")?;
    let raw = match method {
        "B" | "b" => base64(encoded.as_bytes()),
        "Q" | "q" => quoted_printable(encoded.as_bytes(), true),
        _ => return None,
    };
    let label = charset.split('*').next().unwrap_or_default();
    Some((to_text(&raw, Some(label)).into_owned(), after))
}

/// The readable text of an HTML part: tags out, blocks as lines.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 2);
    let mut rest = text;
    let mut link: Option<(usize, String)> = None;
    while let Some(at) = rest.find('<') {
        push_entities(&mut out, rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some(close) = rest.find('>') else {
            return out;
        };
        let tag = rest.get(..close).unwrap_or_default();
        let name_end = tag
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '/')
            .unwrap_or(tag.len());
        let name = tag.get(..name_end).unwrap_or_default().to_ascii_lowercase();
        // A bare address in angle brackets is no tag.
        if tag.contains('@') && !tag.contains(' ') {
            out.push_str(tag);
        }
        rest = rest.get(close + 1..).unwrap_or_default();
        match name.as_str() {
            "a" => link = mailto(tag).map(|address| (out.len(), address)),
            "/a" => {
                if let Some((begun, address)) = link.take() {
                    push_linked(&mut out, begun, &address);
                }
            }
            "style" | "script" => {
                let end = rest.find("</").unwrap_or(rest.len());
                rest = rest.get(end..).unwrap_or_default();
            }
            "br" | "br/" | "p" | "/p" | "div" | "/div" | "tr" | "/tr" | "li" | "/li" | "h1"
            | "h2" | "h3" | "/h1" | "/h2" | "/h3" | "pre" | "/pre" | "hr" | "/table" | "/td" => {
                out.push('\n');
            }
            _ => {}
        }
    }
    push_entities(&mut out, rest);
    out
}

/// The address of a link that writes a mail (RFC 6068), from the tag that opens it.
fn mailto(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let begin = lower.find("mailto:")? + "mailto:".len();
    let end = |c: char| matches!(c, '"' | '\'' | '?' | ' ' | '>');
    let address = tag.get(begin..)?.split(end).next()?;
    Some(address.replace("%40", "@"))
}

/// Adds the address behind the words that link to it, where they are its local part or nothing.
fn push_linked(out: &mut String, begun: usize, address: &str) {
    let shown = out.get(begun..).unwrap_or_default().trim();
    let local = address.split('@').next().unwrap_or_default();
    if !address.contains('@') || !(shown.is_empty() || shown.eq_ignore_ascii_case(local)) {
        return;
    }
    out.truncate(begun);
    out.push_str(address);
}

fn push_entities(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        match split_entity(rest) {
            Some((entity, after)) => {
                out.push_str(&html_to_text(entity).replace('\u{a0}', " "));
                rest = after;
            }
            None => {
                out.push('&');
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_decoded_whatever_they_say() {
        type Row = (
            &'static [u8],
            Option<&'static str>,
            Option<&'static str>,
            &'static str,
        );
        let rows: [Row; 9] = [
            (b"plain", None, None, "plain"),
            (
                b"a=20b=\nc=3D=zz",
                Some("quoted-printable"),
                None,
                "a bc==zz",
            ),
            (b"w7x0\nZQ==", Some("BASE64"), Some("utf-8"), "\u{fc}te"),
            (b"\x1b$B%a!<%k\x1b(B", None, Some("us-ascii"), "メール"),
            (b"m\xfcll", None, Some("utf-8"), "müll"),
            (b"m\xc3\xbcll", None, Some("iso-8859-1"), "müll"),
            (
                b"\xa5\xe1\xa1\xbc\xa5\xeb",
                None,
                Some("iso-2022-jp"),
                "メール",
            ),
            (b"Hi Mom +Jjo-!+-", None, Some("utf-7"), "Hi Mom ☺!+"),
            (b"one =\ntwo =\nthree", None, None, "one two three"),
        ];
        for (body, encoding, charset, want) in rows {
            assert_eq!(text(body, encoding, charset), want);
        }
    }

    #[test]
    fn undeclared_bytes_are_told_by_how_they_look() {
        let rows: [(&[u8], Option<&str>, &str); 4] = [
            // A single letter in Latin 1 is no half-width katakana.
            (b"Jane Roe ist au\xdfer Haus.", None, "Jane Roe ist außer Haus."),
            (b"\xd0\xcf\xde\xd4\xcf\xd7\xd9\xca \xd1\xdd\xc9\xcb \xd0\xc5\xd2\xc5\xd0\xcf\xcc\xce\xc5\xce", None, "почтовый ящик переполнен"),
            (b"\xd0\xcf\xde\xd4\xcf\xd7\xd9\xca \xd1\xdd\xc9\xcb \xd0\xc5\xd2\xc5\xd0\xcf\xcc\xce\xc5\xce", Some("iso-8859-1"), "почтовый ящик переполнен"),
            (b"Bo\xeete pleine, d\xe9sol\xe9", Some("iso-8859-1"), "Boîte pleine, désolé"),
        ];
        for (raw, label, want) in rows {
            assert_eq!(text(raw, None, label), want);
        }
    }

    #[test]
    fn encoded_words_are_decoded() {
        let rows: [(&[u8], &str); 6] = [
            (b" plain", "plain"),
            (b"=?utf-8?Q?a_b?= c", "a b c"),
            (b"=?utf-8?B?YQ==?=\n =?utf-8?B?Yg==?=", "ab"),
            (b"=?broken", "=?broken"),
            (b"=?iso-8859-1*de?q?=FC?=", "ü"),
            (b"r\xc3\xa9ponse", "réponse"),
        ];
        for (raw, want) in rows {
            assert_eq!(header(raw), want);
        }
    }

    #[test]
    fn links_that_show_a_name_give_the_address() {
        let rows = [
            (
                "to <a href=\"mailto:jane@example.org\">jane</a>.",
                "to jane@example.org.",
            ),
            (
                "to <a href='mailto:jane%40example.org?subject=x'></a>.",
                "to jane@example.org.",
            ),
            (
                "<a href=\"mailto:help@example.org\">write to us</a>",
                "write to us",
            ),
            ("<a href=\"https://example.org\">jane</a>", "jane"),
        ];
        for (text, want) in rows {
            assert_eq!(html(text), want);
        }
    }

    #[test]
    fn html_becomes_lines() {
        assert_eq!(
            html("d&eacute;j&#224;&nbsp;&lt;a&gt; &x R&D").trim(),
            "déjà <a> &x R&D"
        );
        let page = "<style>x{}</style><p>To <a href=\"mailto:u@example.com\">u@example.com</a></p>1 &lt; 2<br>end";
        assert_eq!(html(page).trim(), "To u@example.com\n1 < 2\nend");
    }
}
