//! Bodies on the wire: which transfer encoding a part gets, and the encodings (RFC 2045 §6).
//!
//! In comes text with any line ends or bytes, out come lines with CRLF, none longer than 78
//! characters. Boundaries begin with `=_`, which no quoted-printable or base64 body contains (RFC 2045 §6.7).

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// How a text is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is: ASCII in short lines.
    SevenBit,
    /// Mostly ASCII.
    QuotedPrintable,
    /// Mostly something else.
    Base64,
}

impl Encoding {
    /// Its name in Content-Transfer-Encoding.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    /// The shortest encoding that is safe for this text. Lines that begin with `From `, or end in white
    /// space, are encoded: some servers change them, which would break a signature.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let high = high_bytes(bytes);
        // Three characters for one byte against four for three.
        if high.saturating_mul(6) > bytes.len() {
            return Self::Base64;
        }
        let plain = high == 0
            && lines(bytes).all(|line| {
                line.len() <= 78
                    && !line.starts_with(b"From ")
                    && !matches!(line.last(), Some(b' ' | b'\t'))
                    && line.iter().all(|b| (0x20..0x7f).contains(b) || *b == b'\t')
            });
        if plain {
            Self::SevenBit
        } else {
            Self::QuotedPrintable
        }
    }
}

/// How many bytes are not ASCII. Counted in bytes, 255 at a time, which compilers do many at once.
fn high_bytes(bytes: &[u8]) -> usize {
    let counts = bytes
        .chunks(255)
        .map(|chunk| chunk.iter().map(|b| b >> 7).sum::<u8>());
    counts.map(usize::from).sum()
}

/// Writes a text in the chosen encoding; ends with CRLF unless it is empty.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str, encoding: Encoding) {
    match encoding {
        Encoding::SevenBit => {
            for line in lines(text.as_bytes()) {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
        }
        Encoding::QuotedPrintable => {
            for line in lines(text.as_bytes()) {
                write_quoted_line(out, line);
            }
        }
        Encoding::Base64 => {
            // RFC 2046 §4.1.1: the canonical form of text has CRLF at each line's end.
            let mut canonical = Vec::with_capacity(text.len() + text.len() / 16);
            for line in lines(text.as_bytes()) {
                canonical.extend_from_slice(line);
                canonical.extend_from_slice(b"\r\n");
            }
            write_base64(out, &canonical);
        }
    }
}

/// The lines of a text, whether they end in CRLF, LF or CR; a last line end makes no empty line.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(at) = memchr::memchr2(b'\r', b'\n', rest) else {
            return Some(std::mem::take(&mut rest));
        };
        let (line, after) = rest.split_at(at);
        rest = after
            .strip_prefix(b"\r\n")
            .unwrap_or_else(|| after.get(1..).unwrap_or_default());
        Some(line)
    })
}

/// One line in quoted-printable, with soft breaks so that none exceeds 76 characters (RFC 2045 §6.7).
fn write_quoted_line(out: &mut Vec<u8>, line: &[u8]) {
    let mut start = out.len();
    let mut rest = line;
    if let Some(after) = line.strip_prefix(b"From ") {
        out.extend_from_slice(b"=46rom ");
        rest = after;
    }
    let mut run = plain_run(rest);
    while let Some((first, after)) = rest.split_first() {
        // Runs of plain characters are copied at once, up to the column where a soft break is due.
        let room = 75_usize.saturating_sub(out.len() - start);
        let here = run.min(room);
        if here > 0 {
            let (plain, next) = rest.split_at(here);
            out.extend_from_slice(plain);
            rest = next;
            run -= here;
            if rest.is_empty() {
                escape_last_space(out);
            }
        } else if run > 0 || room < 3 {
            out.extend_from_slice(b"=\r\n");
            start = out.len();
        } else {
            push_escaped(out, *first);
            rest = after;
            run = plain_run(rest);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// How many characters at the start are plain. Looked at in blocks without an early end, which compilers
/// do many at once.
fn plain_run(bytes: &[u8]) -> usize {
    let plain = |block: &&[u8]| block.iter().fold(true, |all, b| all & is_plain(*b));
    let whole = bytes.chunks_exact(32).take_while(plain).count() * 32;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|b| is_plain(**b)).count()
}

const fn is_plain(b: u8) -> bool {
    matches!(b, b' '..=b'<' | b'>'..=b'~' | b'\t')
}

fn push_escaped(out: &mut Vec<u8>, b: u8) {
    out.push(b'=');
    for half in [b >> 4, b & 15] {
        out.extend(HEX.get(usize::from(half)));
    }
}

/// White space at a line's end must be written as `=20` or `=09`; the line is then at most 78 long
/// and is broken before it when it would exceed 76.
fn escape_last_space(out: &mut Vec<u8>) {
    let Some(last @ (b' ' | b'\t')) = out.last().copied() else {
        return;
    };
    out.pop();
    let column = out.len() - memchr::memrchr(b'\n', out).map_or(0, |at| at + 1);
    if column > 73 {
        out.extend_from_slice(b"=\r\n");
    }
    push_escaped(out, last);
}

/// Base64 in lines of 76 characters (RFC 2045 §6.8).
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() / 57 * 78 + 80);
    for line in bytes.chunks(57) {
        push_base64(out, line);
        out.extend_from_slice(b"\r\n");
    }
}

/// Base64 without line breaks.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() / 3 * 4 + 4);
    push_base64(&mut out, bytes);
    out.into_iter().map(char::from).collect()
}

fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let sign = |shift: u32| {
            let index = usize::try_from(bits >> shift & 63).unwrap_or(0);
            BASE64.get(index).copied().unwrap_or(b'=')
        };
        out.push(sign(18));
        out.push(sign(12));
        out.push(if group.len() > 1 { sign(6) } else { b'=' });
        out.push(if group.len() > 2 { sign(0) } else { b'=' });
    }
}

/// Reads base64, ignoring white space; `None` for anything else that is not base64.
pub(crate) fn read_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits, mut padding) = (0_u32, 0_u32, 0);
    for c in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        if c == b'=' {
            padding += 1;
            continue;
        }
        let value = BASE64.iter().position(|b| *b == c)?;
        if padding > 0 {
            return None;
        }
        held = held << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    (padding <= 2 && bits < 6).then_some(out)
}

/// Percent-encodes all but ASCII letters, digits and `also` (RFC 3986 §2.1).
pub(crate) fn percent_encoded(text: &str, also: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || also.contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str, encoding: Encoding) -> String {
        let mut out = Vec::new();
        write_text(&mut out, text, encoding);
        String::from_utf8(out).unwrap()
    }

    /// A plain reading of RFC 2045 §6.7, independent of the writer.
    fn unquoted(text: &str) -> Vec<u8> {
        let joined = text.replace("=\r\n", "");
        let mut out = Vec::new();
        let mut bytes = joined.bytes();
        while let Some(b) = bytes.next() {
            if b == b'=' {
                let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
                let hex = std::str::from_utf8(&pair).unwrap();
                out.push(u8::from_str_radix(hex, 16).unwrap());
            } else {
                out.push(b);
            }
        }
        out
    }

    #[test]
    fn the_encoding_fits_the_text() {
        let long = "x".repeat(79);
        let rows = [
            ("", Encoding::SevenBit),
            ("Hello\nthere\tyou\r\n", Encoding::SevenBit),
            ("From here\n", Encoding::QuotedPrintable),
            ("trailing \nspace", Encoding::QuotedPrintable),
            ("nul\0", Encoding::QuotedPrintable),
            (long.as_str(), Encoding::QuotedPrintable),
            (
                "Herzliche Grüße aus dem Süden des Landes",
                Encoding::QuotedPrintable,
            ),
            ("日本語のお知らせ", Encoding::Base64),
        ];
        for (text, encoding) in rows {
            assert_eq!(Encoding::of(text), encoding, "{text:?}");
        }
    }

    #[test]
    fn quoted_printable_of_known_texts() {
        let rows = [
            ("a=b", "a=3Db\r\n"),
            ("é\nx", "=C3=A9\r\nx\r\n"),
            ("end \r", "end=20\r\n"),
            ("From me", "=46rom me\r\n"),
        ];
        for (text, expected) in rows {
            assert_eq!(
                encoded(text, Encoding::QuotedPrintable),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn base64_of_known_texts() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
            assert_eq!(read_base64(expected).unwrap(), text.as_bytes());
        }
        assert_eq!(read_base64("Zg==Zg"), None);
        assert_eq!(read_base64("a!b"), None);
    }

    proptest! {
        #[test]
        fn every_text_survives_and_every_line_is_short(text in "(\\PC|[ \t\r\n=]|\0){0,300}") {
            let canonical: Vec<u8> = lines(text.as_bytes()).flat_map(|l| [l, b"\r\n"].concat()).collect();
            let quoted = encoded(&text, Encoding::QuotedPrintable);
            prop_assert_eq!(&unquoted(&quoted), &canonical);
            let sixty_four = encoded(&text, Encoding::Base64);
            prop_assert_eq!(&read_base64(&sixty_four).unwrap(), &canonical);
            for line in quoted.split("\r\n").chain(sixty_four.split("\r\n")) {
                prop_assert!(line.len() <= 76, "{}", line);
                prop_assert!(!line.contains(['\r', '\n']));
                prop_assert!(!line.ends_with([' ', '\t']));
                prop_assert!(!line.contains("=_"));
            }
        }
    }
}
