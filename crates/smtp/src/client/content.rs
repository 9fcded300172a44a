//! How a message is put on the wire: CRLF line ends, dots doubled, the final dot (RFC 5321
//! §4.5.2).
//!
//! A message that needs no change, the usual case, is sent as it is, without a copy.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

/// Octets of a line without its line end (RFC 5321 §4.5.3.1.6: 1000 with it).
pub const MAX_LINE: usize = 998;

/// A line that no server needs to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the message is longer than {MAX_LINE} octets (RFC 5321 §4.5.3.1.6)")]
pub struct LongLine {
    /// Its number, from 1.
    pub line: usize,
}

/// What of a message is sent before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnWire<'a> {
    /// The lines, dots doubled.
    pub body: Cow<'a, [u8]>,
    /// The line end that is missing, if any, and the final dot.
    pub end: &'static [u8],
}

/// Prepares a message for the wire.
///
/// # Errors
/// [`LongLine`] when a line is too long.
pub fn on_wire(content: &[u8]) -> Result<OnWire<'_>, LongLine> {
    let clean = has_usual_lines(content) || is_clean(content)?;
    let body = match (clean, has_dots(content)) {
        (true, false) => Cow::Borrowed(content),
        (true, true) => Cow::Owned(doubled(content)),
        (false, _) => Cow::Owned(rewritten(content)),
    };
    Ok(OnWire {
        end: end_of(&body),
        body,
    })
}

fn end_of(body: &[u8]) -> &'static [u8] {
    if body.is_empty() || body.ends_with(b"\r\n") {
        b".\r\n"
    } else {
        b"\r\n.\r\n"
    }
}

/// Octets in which the usual message has a line end.
const BLOCK: usize = MAX_LINE / 2;

/// Whether every line ends in CRLF, no other CR or LF occurs, and lines are surely not too long. Looked at
/// without an early end, which compilers do many at once.
fn has_usual_lines(content: &[u8]) -> bool {
    let next = content.get(1..).unwrap_or_default();
    let pairs = content.iter().zip(next);
    let lone = pairs.fold(false, |any, (a, b)| any | ((*a == b'\r') != (*b == b'\n')));
    let short = |block: &[u8]| memchr(b'\n', block).is_some() || block.len() < BLOCK;
    let begins = !content.starts_with(b"\n");
    begins && !content.ends_with(b"\r") && !lone && content.chunks(BLOCK).all(short)
}

/// Whether a line begins with a dot, after whatever line end.
fn has_dots(content: &[u8]) -> bool {
    let next = content.get(1..).unwrap_or_default();
    let pairs = content.iter().zip(next);
    let begins = |a: u8| (a == b'\n') | (a == b'\r');
    let dots = pairs.fold(false, |any, (a, b)| any | (begins(*a) & (*b == b'.')));
    dots || content.starts_with(b".")
}

/// Dots that begin a line, after LF, are doubled.
fn doubled(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 32 + 16);
    if content.starts_with(b".") {
        out.push(b'.');
    }
    let mut copied = 0;
    for at in memmem::find_iter(content, b"\n.") {
        out.extend_from_slice(content.get(copied..=at).unwrap_or_default());
        out.push(b'.');
        copied = at + 1;
    }
    out.extend_from_slice(content.get(copied..).unwrap_or_default());
    out
}

/// Whether every line ends in CRLF and no other CR or LF occurs.
fn is_clean(content: &[u8]) -> Result<bool, LongLine> {
    let (mut clean, mut start, mut lines) = (true, 0, 0);
    for at in memchr_iter(b'\n', content) {
        let crlf = at > start && content.get(at - 1) == Some(&b'\r');
        lines += 1;
        if at - start > MAX_LINE + usize::from(crlf) {
            return Err(LongLine { line: lines });
        }
        clean &= crlf;
        start = at + 1;
    }
    if content.len() - start > MAX_LINE {
        return Err(LongLine { line: lines + 1 });
    }
    Ok(clean && memchr_iter(b'\r', content).count() == lines)
}

/// Every CR, LF or CRLF becomes CRLF, dots that begin a line are doubled.
fn rewritten(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 32 + 16);
    let mut rest = content;
    while !rest.is_empty() {
        let at = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(at);
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        rest = match after {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => {
                out.extend_from_slice(b"\r\n");
                rest
            }
            [] => after,
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(content: &[u8]) -> Vec<u8> {
        let wire = on_wire(content).unwrap();
        [&wire.body, wire.end].concat()
    }

    #[test]
    fn messages_and_what_is_sent() {
        let rows: [(&str, &str); 9] = [
            ("", ".\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".a\r\n.\r\n", "..a\r\n..\r\n.\r\n"),
            ("a\nb\n", "a\r\nb\r\n.\r\n"),
            ("a\rb", "a\r\nb\r\n.\r\n"),
            ("a\r", "a\r\n.\r\n"),
            ("a\r\n\r\n.b", "a\r\n\r\n..b\r\n.\r\n"),
            ("a.b\r\n", "a.b\r\n.\r\n"),
        ];
        for (content, expected) in rows {
            assert_eq!(
                String::from_utf8(wire(content.as_bytes())).unwrap(),
                expected,
                "{content:?}"
            );
        }
    }

    #[test]
    fn a_line_may_have_998_octets() {
        let fits = format!("a\r\n{}\r\n", "x".repeat(MAX_LINE));
        assert!(
            matches!(on_wire(fits.as_bytes()), Ok(wire) if matches!(wire.body, Cow::Borrowed(_)))
        );
        let long = format!("a\r\n{}\r\n", "x".repeat(MAX_LINE + 1));
        assert_eq!(on_wire(long.as_bytes()), Err(LongLine { line: 2 }));
        let open = "x".repeat(MAX_LINE + 1);
        assert_eq!(on_wire(open.as_bytes()), Err(LongLine { line: 1 }));
    }

    proptest! {
        #[test]
        fn a_line_is_too_long_wherever_it_stands(lengths in prop::collection::vec(prop_oneof![0..90_usize, 940..1050_usize], 0..9)) {
            let lines: Vec<String> = lengths.iter().map(|n| "x".repeat(*n) + "\r\n").collect();
            let long = lengths.iter().position(|n| *n > MAX_LINE);
            let said = on_wire(lines.concat().as_bytes()).err().map(|long| long.line);
            prop_assert_eq!(said, long.map(|at| at + 1));
        }

        #[test]
        fn the_server_gets_back_the_lines_and_no_early_end(content in "[a.\r\n]{0,60}") {
            let wire = wire(content.as_bytes());
            let wire = String::from_utf8(wire).unwrap();
            let body = wire.strip_suffix(".\r\n").unwrap();
            prop_assert!(body.is_empty() || body.ends_with("\r\n"));
            let sent: Vec<&str> = body.split_terminator("\r\n").collect();
            prop_assert!(sent.iter().all(|l| *l != "." && !l.contains(['\r', '\n'])));
            let undotted: Vec<&str> = sent.iter().map(|l| l.strip_prefix('.').unwrap_or(l)).collect();
            let plain = content.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(undotted, plain.split_terminator('\n').collect::<Vec<_>>());
        }
    }
}
