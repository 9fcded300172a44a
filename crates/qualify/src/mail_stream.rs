//! Takes single mails out of a stream: one mail, or an mbox.
//!
//! An mbox begins with a `From ` line; each further mail begins with one that follows an empty line and
//! bears a time and a year (RFC 4155). `>From` loses one `>`. Memory is bounded: of each mail at most one
//! byte more is kept than the reader looks at, so that it knows that there was more; lines are read in
//! pieces, so that a mail of one endless line does no harm either.

use std::io::{self, BufRead, Chain, Cursor, Read};

use posthaste_mail::read::MAX_BYTES;

/// Bytes of a line that are looked at as one piece.
const PIECE: u64 = 64 * 1024;

/// One mail of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its number within an mbox of several, from 1; `None` when it is the only one.
    pub number: Option<usize>,
    /// Its bytes, at most [`MAX_BYTES`] and one more.
    pub mail: &'a [u8],
}

/// A stream that gives mails.
#[derive(Debug)]
pub struct MailStream<R> {
    reader: Chain<Cursor<Vec<u8>>, R>,
    mbox: bool,
    ended: bool,
    given: usize,
    mail: Vec<u8>,
    line: Vec<u8>,
}

impl<R: BufRead> MailStream<R> {
    /// Begins to read. `single` = it is one mail even if it begins like an mbox.
    ///
    /// # Errors
    /// What reading says.
    pub fn open(mut reader: R, single: bool) -> io::Result<Self> {
        let mut head = Vec::with_capacity(5);
        reader.by_ref().take(5).read_to_end(&mut head)?;
        Ok(Self {
            mbox: !single && head == b"From ",
            reader: Cursor::new(head).chain(reader),
            ended: false,
            given: 0,
            mail: Vec::new(),
            line: Vec::new(),
        })
    }

    /// The next mail; `None` at the end. An empty stream is one empty mail.
    ///
    /// # Errors
    /// What reading says.
    pub fn read_mail(&mut self) -> io::Result<Option<Piece<'_>>> {
        if self.ended {
            return Ok(None);
        }
        self.mail.clear();
        if self.mbox {
            self.read_until_separator()?;
        } else {
            let most = MAX_BYTES as u64 + 1;
            self.reader
                .by_ref()
                .take(most)
                .read_to_end(&mut self.mail)?;
            self.ended = true;
        }
        self.given += 1;
        let only = self.ended && self.given == 1;
        Ok(Some(Piece {
            number: (!only).then_some(self.given),
            mail: &self.mail,
        }))
    }

    /// Reads up to the next separator, which is taken and dropped, or to the end.
    fn read_until_separator(&mut self) -> io::Result<()> {
        // The very first line is a separator: that made it an mbox.
        let mut first = self.given == 0;
        let (mut after_empty, mut whole) = (false, true);
        loop {
            self.line.clear();
            let mut piece = self.reader.by_ref().take(PIECE);
            if piece.read_until(b'\n', &mut self.line)? == 0 {
                self.ended = true;
                return Ok(());
            }
            let starts = std::mem::replace(&mut whole, self.line.ends_with(b"\n"));
            if first {
                first = !whole;
                continue;
            }
            if starts && after_empty && is_separator(&self.line) {
                return Ok(());
            }
            after_empty = starts && matches!(self.line.as_slice(), b"\n" | b"\r\n");
            self.keep(starts);
        }
    }

    fn keep(&mut self, starts: bool) {
        let escaped = starts && is_escaped(&self.line);
        let line = self.line.get(usize::from(escaped)..).unwrap_or_default();
        let room = (MAX_BYTES + 1).saturating_sub(self.mail.len());
        self.mail
            .extend_from_slice(line.get(..room.min(line.len())).unwrap_or_default());
    }
}

/// `From sender date`, with a time and a year in the date.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let mut words = rest
        .split(u8::is_ascii_whitespace)
        .filter(|w| !w.is_empty());
    let is_time =
        |word: &&[u8]| word.len() <= 8 && word.iter().filter(|b| **b == b':').count() >= 1;
    let is_year = |word: &&[u8]| word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    words.clone().any(|w| is_time(&w)) && words.any(|w| is_year(&w))
}

/// `>From `, `>>From ` …
fn is_escaped(line: &[u8]) -> bool {
    let bare = line.iter().take_while(|b| **b == b'>').count();
    bare > 0
        && line
            .get(bare..)
            .is_some_and(|rest| rest.starts_with(b"From "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mails(stream: &[u8], single: bool) -> Vec<(Option<usize>, String)> {
        let mut stream = MailStream::open(stream, single).unwrap();
        let mut found = Vec::new();
        while let Some(piece) = stream.read_mail().unwrap() {
            found.push((
                piece.number,
                String::from_utf8_lossy(piece.mail).into_owned(),
            ));
        }
        found
    }

    #[test]
    fn an_mbox_is_split_at_its_separators_only() {
        let mbox = b"From a@example.com Sat Nov 21 10:00:00 2026\nSubject: 1\n\nFrom here on\n>From b\n>>From c\n\
            From x@example.com Sat Nov 21 10:00:00 2026\n\nFrom MAILER-DAEMON Sat Nov 21 10:00:01 2026\nSubject: 2\n\nend\n";
        let found = mails(mbox, false);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].0, Some(1));
        assert!(found[0].1.starts_with("Subject: 1\n"));
        assert!(
            found[0].1.contains("\nFrom b\n>From c\nFrom x@"),
            "{found:?}"
        );
        assert_eq!(found[1], (Some(2), "Subject: 2\n\nend\n".to_owned()));
    }

    #[test]
    fn an_mbox_of_one_mail_is_that_mail() {
        let mbox = b"From a Sat Nov 21 10:00:00 2026\r\nSubject: 1\r\n\r\nx\r\n";
        assert_eq!(
            mails(mbox, false),
            [(None, "Subject: 1\r\n\r\nx\r\n".to_owned())]
        );
        assert_eq!(mails(mbox, true).len(), 1);
        assert!(mails(mbox, true)[0].1.starts_with("From a"));
    }

    #[test]
    fn what_is_no_mbox_is_one_mail() {
        for text in [
            "",
            "x",
            "From:a\n\nFrom b 10:00 2026\n",
            "Subject: x\n\nFrom a 1:00 2026\n",
        ] {
            assert_eq!(mails(text.as_bytes(), false), [(None, text.to_owned())]);
        }
    }

    #[test]
    fn of_a_huge_mail_only_the_beginning_is_kept() {
        let mut huge = b"From a Sat Nov 21 10:00:00 2026\n".to_vec();
        huge.resize(3 * MAX_BYTES, b'x');
        huge.extend_from_slice(b"\n\nFrom b Sat Nov 21 10:00:00 2026\nSubject: 2\n");
        let found = mails(&huge, false);
        assert_eq!(found[0].1.len(), MAX_BYTES + 1);
        assert_eq!(found[1], (Some(2), "Subject: 2\n".to_owned()));
        assert_eq!(mails(&huge, true)[0].1.len(), MAX_BYTES + 1);
    }
}
