//! What has come in and is not yet understood: lines and the end of the content.
//!
//! Command lines may end with a bare LF. Content ends with CRLF.CRLF only (RFC 5321 §4.1.1.4):
//! a server that takes a bare LF there lets one mail be read as two.

use memchr::{memchr, memmem};

/// Bytes received and not yet consumed.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    at: usize,
}

/// A look for the next command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// A line that is longer than the limit; what there was of it is gone. Not ended: the rest of
    /// it is still to come.
    TooLong { ended: bool },
    /// More bytes are needed.
    Missing,
}

/// A look for the end of the content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// So many bytes of content, and then its end.
    End(usize),
    /// So many bytes of content, none of which can be part of the end.
    Some(usize),
}

impl Input {
    /// Where the driver puts what it reads. What was consumed is given back first.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.at >= self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..self.at);
        }
        self.at = 0;
        &mut self.bytes
    }

    /// Forgets everything (RFC 3207 §4.2: nothing from before TLS counts).
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.at = 0;
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes the next line of at most `limit` bytes.
    pub(super) fn line(&mut self, limit: usize) -> Line {
        let rest = self.rest();
        let Some(end) = memchr(b'\n', rest) else {
            if rest.len() <= limit {
                return Line::Missing;
            }
            self.clear();
            return Line::TooLong { ended: false };
        };
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        self.at += end + 1;
        if line.len() > limit {
            return Line::TooLong { ended: true };
        }
        Line::Whole(line)
    }

    /// Takes what is left of a line that was too long; true when its end was there.
    pub(super) fn skip_line(&mut self) -> bool {
        let end = memchr(b'\n', self.rest());
        match end {
            Some(end) => self.at += end + 1,
            None => self.clear(),
        }
        end.is_some()
    }

    /// How much content there is; `first` = at the very beginning, which counts as a line's.
    /// The answer is to be taken by [`Input::take`].
    pub(super) fn part(&self, first: bool) -> Part {
        const END: &[u8] = b"\r\n.\r\n";
        let rest = self.rest();
        if first && rest.starts_with(b".\r\n") {
            return Part::End(0);
        }
        if first && rest.len() < 3 {
            return Part::Some(0);
        }
        match memmem::find(rest, END) {
            Some(at) => Part::End(at + 2),
            None => Part::Some(rest.len().saturating_sub(END.len() - 1)),
        }
    }

    /// Takes `length` bytes of content, copied to `to` when given.
    pub(super) fn take(&mut self, length: usize, to: Option<&mut Vec<u8>>) {
        if let Some(to) = to {
            to.extend_from_slice(self.rest().get(..length).unwrap_or_default());
        }
        self.at += length;
    }
}

/// Removes the dot that the client put before each line that begins with one (RFC 5321 §4.5.2).
pub(super) fn unstuff(content: &mut Vec<u8>) {
    let stuffed: Vec<usize> = memmem::find_iter(content, b"\r\n.")
        .map(|at| at + 2)
        .collect();
    let first = content.first() == Some(&b'.');
    if stuffed.is_empty() && !first {
        return;
    }
    let mut plain = Vec::with_capacity(content.len());
    let mut from = usize::from(first);
    for at in stuffed {
        plain.extend_from_slice(content.get(from..at).unwrap_or_default());
        from = at + 1;
    }
    plain.extend_from_slice(content.get(from..).unwrap_or_default());
    *content = plain;
}
