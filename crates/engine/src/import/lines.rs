//! Lines of a source, with their numbers and bounded in length.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};

use super::ImportError;

/// The longest line or record, in bytes: what is longer is rejected, not read into memory.
pub(super) const LONGEST: usize = 1024 * 1024;

/// One line with its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Its number in the source, from 1.
    pub(super) number: u64,
    /// Its bytes; only the first [`LONGEST`] of a longer one.
    pub(super) bytes: Vec<u8>,
    /// Whether it is longer than [`LONGEST`].
    pub(super) too_long: bool,
}

impl Line {
    /// Whether there is nothing but white space in it.
    pub(super) fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }
}

/// The lines of a source.
pub(super) struct Lines<R> {
    source: BufReader<R>,
    end: Option<u8>,
    read: u64,
    given_back: VecDeque<Line>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: BufReader::with_capacity(64 * 1024, source),
            end: None,
            read: 0,
            given_back: VecDeque::new(),
        }
    }

    /// Lines that will be read again, the first of them first.
    pub(super) fn give_back(&mut self, lines: impl DoubleEndedIterator<Item = Line>) {
        lines
            .rev()
            .for_each(|line| self.given_back.push_front(line));
    }

    /// The next line; `None` at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, ImportError> {
        if let Some(line) = self.given_back.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Line {
            number: self.read + 1,
            ..Line::default()
        };
        let mut any = false;
        loop {
            let end = self.line_end()?;
            let ready = self.source.fill_buf().map_err(ImportError::Read)?;
            if ready.is_empty() {
                break;
            }
            any = true;
            let found = ready.iter().position(|&byte| byte == end);
            let taken = found.map_or(ready.len(), |at| at + 1);
            let room = LONGEST.saturating_sub(line.bytes.len());
            line.too_long |= taken > room;
            line.bytes.extend(ready.iter().take(taken.min(room)));
            self.source.consume(taken);
            if found.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.read += 1;
        Ok(Some(line))
    }

    /// What ends a line: LF, or CR in a source that has no LF at its start.
    fn line_end(&mut self) -> Result<u8, ImportError> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        let start = self.source.fill_buf().map_err(ImportError::Read)?;
        let end = if !start.contains(&b'\n') && start.contains(&b'\r') {
            b'\r'
        } else {
            b'\n'
        };
        self.end = Some(end);
        Ok(end)
    }
}
