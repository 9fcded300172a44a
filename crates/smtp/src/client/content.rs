//! How a message is put on the wire: CRLF line ends, dots doubled, the final dot (RFC 5321
//! §4.5.2).
//!
//! A message that needs no change, the usual case, is sent as it is, without a copy.

use std::borrow::Cow;

use memchr::memchr_iter;

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
    if !is_clean(content)? {
        let body = rewritten(content);
        return Ok(OnWire {
            end: end_of(&body),
            body: Cow::Owned(body),
        });
    }
    Ok(OnWire {
        end: end_of(content),
        body: Cow::Borrowed(content),
    })
}

fn end_of(body: &[u8]) -> &'static [u8] {
    if body.is_empty() || body.ends_with(b"\r\n") {
        b".\r\n"
    } else {
        b"\r\n.\r\n"
    }
}

/// Whether every line ends in CRLF, no other CR occurs, and no line begins with a dot.
fn is_clean(content: &[u8]) -> Result<bool, LongLine> {
    let mut clean = content.first() != Some(&b'.');
    let mut start = 0;
    let mut lines = 0;
    for at in memchr_iter(b'\n', content) {
        let crlf = at > start && content.get(at - 1) == Some(&b'\r');
        lines += 1;
        if at - start > MAX_LINE + usize::from(crlf) {
            return Err(LongLine { line: lines });
        }
        clean &= crlf && content.get(at + 1) != Some(&b'.');
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
