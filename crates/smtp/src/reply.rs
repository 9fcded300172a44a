//! Replies of a server, read incrementally and within bounds (RFC 5321 §4.2).
//!
//! Comes in: bytes as they arrive, in any pieces. Goes out: a [`Reply`], or [`NotAReply`], which
//! becomes evidence. Tolerated: bare LF, missing text, changing codes within a reply (the last
//! one counts). Cut: lines after [`MAX_LINE`] octets, replies after [`MAX_LINES`] lines.

use posthaste_core::enhanced::EnhancedStatus;

/// Octets of a line that are kept. RFC 5321 §4.5.3.1.5 allows 512.
pub const MAX_LINE: usize = 2048;
/// Lines of a reply that are kept.
pub const MAX_LINES: usize = 100;
/// Octets after which something that has no line end, or never ends, is no reply.
const MAX_OCTETS: usize = 256 * 1024;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three-digit code, 200 to 599.
    pub code: u16,
    /// The enhanced status code that the first line's text starts with (RFC 2034 §4).
    pub enhanced: Option<EnhancedStatus>,
    lines: String,
}

impl Reply {
    /// The texts of the lines, without codes.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.split('\n')
    }

    /// The whole reply as one line: the code, then the texts joined by one space. An enhanced
    /// status code that is repeated on every line is kept once.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = self.code.to_string();
        for (n, line) in self.lines().enumerate() {
            let line = match EnhancedStatus::split_from(line) {
                (Some(status), rest) if n > 0 && Some(status) == self.enhanced => rest,
                _ => line,
            };
            let line = line.trim();
            if !line.is_empty() {
                out.push(' ');
                out.push_str(line);
            }
        }
        out
    }

    /// 2yz: done.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.code / 100 == 2
    }

    /// 3yz: go on.
    #[must_use]
    pub const fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// 5yz: no (RFC 5321 §4.2.1).
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }
}

/// Something else than a reply was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server sent \"{line}\", which is no SMTP reply,")]
pub struct NotAReply {
    /// The first characters of the line, without control characters.
    pub line: String,
}

/// Puts replies together from bytes.
#[derive(Debug, Default)]
pub struct ReplyParser {
    line: Vec<u8>,
    texts: Vec<u8>,
    lines: usize,
    octets: usize,
}

impl ReplyParser {
    /// Takes bytes up to the end of the next reply. Answers with the number of bytes taken, and
    /// the reply if it is whole; what was not taken belongs to the next one.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Result<Reply, NotAReply>>) {
        let mut taken = 0;
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(at);
            self.take(line);
            taken += at + 1;
            rest = after.get(1..).unwrap_or_default();
            if let Some(end) = self.end_line() {
                return (taken, Some(end));
            }
        }
        self.take(rest);
        taken += rest.len();
        let end = (self.octets > MAX_OCTETS).then(|| Err(self.refuse()));
        (taken, end)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.octets = self.octets.saturating_add(bytes.len() + 1);
        let room = (MAX_LINE + 1).saturating_sub(self.line.len());
        self.line
            .extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    fn refuse(&mut self) -> NotAReply {
        let line: String = String::from_utf8_lossy(&self.line)
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect();
        *self = Self::default();
        NotAReply { line }
    }

    /// The line is whole: the reply may be, too.
    fn end_line(&mut self) -> Option<Result<Reply, NotAReply>> {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        self.line.truncate(MAX_LINE);
        let Some((code, last, text)) = split_line(&self.line) else {
            return Some(Err(self.refuse()));
        };
        if self.lines < MAX_LINES {
            if self.lines > 0 {
                self.texts.push(b'\n');
            }
            self.texts.extend_from_slice(text);
        }
        self.lines += 1;
        if !last {
            if self.octets > MAX_OCTETS {
                return Some(Err(self.refuse()));
            }
            self.line.clear();
            return None;
        }
        let lines = printable(&self.texts);
        self.line.clear();
        self.texts.clear();
        self.lines = 0;
        self.octets = 0;
        let first = lines.split('\n').next().unwrap_or_default();
        let enhanced = EnhancedStatus::split_from(first).0;
        Some(Ok(Reply {
            code,
            enhanced,
            lines,
        }))
    }
}

/// Code, whether it is the last line, and text. RFC 5321 §4.2.1: a hyphen after the code means
/// that more lines follow.
fn split_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if !(200..600).contains(&code) {
        return None;
    }
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ' | b'\t', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

/// Valid UTF-8 with each control character but the line feed replaced by a space.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.chars().any(|c| c.is_control() && c != '\n') {
        text.chars()
            .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
            .collect()
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(pieces: &[&[u8]]) -> Vec<Result<Reply, NotAReply>> {
        let mut parser = ReplyParser::default();
        let mut out = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let (taken, end) = parser.feed(rest);
                out.extend(end);
                rest = &rest[taken..];
            }
        }
        out
    }

    fn one(bytes: &str) -> Reply {
        let mut replies = all(&[bytes.as_bytes()]);
        assert_eq!(replies.len(), 1, "{bytes:?}");
        replies.remove(0).expect(bytes)
    }

    #[test]
    fn replies_and_their_texts() {
        let rows = [
            ("250 OK\r\n", 250, None, "250 OK"),
            ("250\r\n", 250, None, "250"),
            ("250 \n", 250, None, "250"),
            (
                "550 5.1.1 No such user\r\n",
                550,
                Some("5.1.1"),
                "550 5.1.1 No such user",
            ),
            (
                "550-5.1.1 No such\r\n550 5.1.1 user here\r\n",
                550,
                Some("5.1.1"),
                "550 5.1.1 No such user here",
            ),
            ("220-a\n550 b\n", 550, None, "550 a b"),
            (
                "421 4.3.2\tclosing\r\n",
                421,
                Some("4.3.2"),
                "421 4.3.2 closing",
            ),
            ("250-\r\n250 x\r\n", 250, None, "250 x"),
        ];
        for (bytes, code, enhanced, text) in rows {
            let reply = one(bytes);
            let got = reply.enhanced.map(|e| e.to_string());
            assert_eq!(
                (reply.code, got.as_deref(), reply.text().as_str()),
                (code, enhanced, text),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn other_lines_are_no_replies() {
        for bytes in [
            "hello\r\n",
            "\r\n",
            "25\r\n",
            "150 x\r\n",
            "999 x\r\n",
            "250x\r\n",
            "HTTP/1.1 400 Bad\r\n",
        ] {
            assert!(
                matches!(all(&[bytes.as_bytes()])[..], [Err(_)]),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn long_lines_and_long_replies_are_cut() {
        let reply = one(&format!("250 {}\r\n", "x".repeat(100_000)));
        assert_eq!(reply.text().len(), MAX_LINE);
        let reply = one(&format!("{}250 end\r\n", "250-more\r\n".repeat(500)));
        assert_eq!(reply.lines().count(), MAX_LINES);
    }

    #[test]
    fn what_never_ends_is_no_reply() {
        let endless = vec![b'x'; 2 * MAX_OCTETS];
        assert!(all(&[&endless]).iter().any(Result::is_err));
        let lines = "250-more\r\n".repeat(MAX_OCTETS / 5);
        assert!(all(&[lines.as_bytes()]).iter().any(Result::is_err));
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_replies(
            bytes in "([2-5][0-9]{2}[ -]?|[a-z]{0,3})(\\PC{0,12}|5\\.1\\.1 x)(\r\n|\n)([2-5]50[ -]x\r\n){0,3}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let bytes = bytes.as_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(all(&pieces), all(&[bytes]));
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_no_text_holds_a_line_end(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            for reply in all(&[&bytes]).into_iter().flatten() {
                prop_assert!(!reply.text().contains(['\r', '\n', '\0']));
            }
        }
    }
}
