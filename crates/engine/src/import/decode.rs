//! Turns a source in any charset into a stream of UTF-8.
//!
//! Bytes that mean nothing in the source's charset come out as 0xFF, which is nothing in UTF-8
//! either: whoever reads a record sees that it cannot be read, and no character is invented.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::ImportError;

const CHUNK: usize = 32 * 1024;
/// What is read at once to look for a byte order mark; readers also see line ends in it.
const START: u64 = 8 * 1024;

/// A source as UTF-8, without byte order mark.
pub(super) struct Utf8Stream<R> {
    source: R,
    /// `None`: the source is taken for UTF-8 as it is.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    decoded: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf8Stream<R> {
    /// Looks for a byte order mark, then for the declared charset.
    pub(super) fn open(mut source: R, charset: Option<&str>) -> Result<Self, ImportError> {
        let declared = match charset {
            None => UTF_8,
            Some(label) => Encoding::for_label(label.trim().as_bytes())
                .ok_or_else(|| ImportError::Charset(label.to_owned()))?,
        };
        let mut start = Vec::new();
        let mut first = Read::by_ref(&mut source).take(START);
        first.read_to_end(&mut start).map_err(ImportError::Read)?;
        let (encoding, mark) = match start.as_slice() {
            [0xEF, 0xBB, 0xBF, ..] => (UTF_8, 3),
            [0xFF, 0xFE, ..] => (UTF_16LE, 2),
            [0xFE, 0xFF, ..] => (UTF_16BE, 2),
            _ => (declared, 0),
        };
        start.drain(..mark);
        let mut stream = Self {
            source,
            decoder: (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling()),
            raw: vec![0; CHUNK],
            decoded: Vec::with_capacity(CHUNK * 3),
            given: 0,
            ended: false,
        };
        stream.take_in(&start, false);
        Ok(stream)
    }

    fn take_in(&mut self, bytes: &[u8], last: bool) {
        let Some(decoder) = &mut self.decoder else {
            self.decoded.extend_from_slice(bytes);
            return;
        };
        let mut rest = bytes;
        let mut piece = vec![0; CHUNK * 3];
        loop {
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut piece, last);
            self.decoded
                .extend_from_slice(piece.get(..written).unwrap_or_default());
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.decoded.push(0xFF),
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.given = 0;
        let mut raw = std::mem::take(&mut self.raw);
        let read = loop {
            match self.source.read(&mut raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let taken = read.map(|n| {
            self.ended = n == 0;
            self.take_in(raw.get(..n).unwrap_or_default(), n == 0);
        });
        self.raw = raw;
        taken
    }
}

impl<R: Read> Read for Utf8Stream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given >= self.decoded.len() && !self.ended {
            self.more()?;
        }
        let ready = self.decoded.get(self.given..).unwrap_or_default();
        let n = ready.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.given += n;
        Ok(n)
    }
}
