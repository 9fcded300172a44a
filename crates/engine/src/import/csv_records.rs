//! Records of delimited text (RFC 4180, with any of three delimiters).
//!
//! A quoted field may hold line ends. A quote that is never closed must not swallow the rest of
//! the file: its line alone is rejected, and reading goes on with the next one.

use std::io::Read;

use posthaste_store::Recipients;

use super::columns::Columns;
use super::lines::{LONGEST, Line, Lines};
use super::rejects::Rejects;
use super::row::Row;
use super::writer::ListWriter;
use super::{ImportError, Options};

/// Imports a CSV source.
pub(super) fn import<S: Recipients + ?Sized>(
    source: impl Read,
    options: &Options,
    writer: &mut ListWriter<'_, S>,
    rejects: &mut Rejects,
) -> Result<(), ImportError> {
    let mut lines = Lines::new(source);
    let (columns, delimiter) = header(&mut lines, options)?;
    while let Some(record) = next_record(&mut lines, delimiter)? {
        let row = record
            .fields
            .and_then(|fields| columns.row(&fields))
            .and_then(Row::into_recipient);
        match row {
            Ok(recipient) => writer.add(record.line, recipient)?,
            Err(why) => {
                rejects.add(record.line, &why, &record.raw)?;
                writer.rejected()?;
            }
        }
    }
    Ok(())
}

/// The names of the columns.
pub(super) fn column_names(
    source: impl Read,
    options: &Options,
) -> Result<Vec<String>, ImportError> {
    header(&mut Lines::new(source), options).map(|(columns, _)| columns.into_names())
}

fn header<R: Read>(lines: &mut Lines<R>, options: &Options) -> Result<(Columns, u8), ImportError> {
    loop {
        let Some(line) = lines.next_line()? else {
            return Err(ImportError::Empty);
        };
        if line.is_blank() {
            continue;
        }
        let delimiter = options
            .delimiter
            .unwrap_or_else(|| find_delimiter(&line.bytes));
        lines.give_back(std::iter::once(line));
        let Some(record) = next_record(lines, delimiter)? else {
            return Err(ImportError::Empty);
        };
        let names = record.fields.map_err(|why| {
            ImportError::Header(format!(
                "cannot be read: {why}; correct it and import again"
            ))
        })?;
        return Ok((Columns::new(&names, options)?, delimiter));
    }
}

/// The delimiter that stands most often in the header, outside quotes.
fn find_delimiter(header: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for &byte in header {
        quoted ^= byte == b'"';
        let count = counts.iter_mut().find(|(delimiter, _)| *delimiter == byte);
        if let (Some((_, count)), false) = (count, quoted) {
            *count += 1;
        }
    }
    // The first of equals, so that a header of one column is read with commas.
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    best.map_or(b',', |(delimiter, _)| *delimiter)
}

/// A record, or why it cannot be read.
pub(super) struct Record {
    /// Number of its first line.
    pub(super) line: u64,
    /// Its bytes.
    pub(super) raw: Vec<u8>,
    /// Its fields.
    pub(super) fields: Result<Vec<String>, String>,
}

/// The next record; blank lines between records are passed over.
fn next_record<R: Read>(
    lines: &mut Lines<R>,
    delimiter: u8,
) -> Result<Option<Record>, ImportError> {
    let first = loop {
        match lines.next_line()? {
            None => return Ok(None),
            Some(line) if line.is_blank() && !line.bytes.contains(&delimiter) => {}
            Some(line) => break line,
        }
    };
    let number = first.number;
    if first.too_long {
        let why = format!("the line is longer than {LONGEST} bytes");
        return Ok(Some(broken(first, why)));
    }
    let mut state = State::FieldStart;
    let mut open = scan(&first.bytes, delimiter, &mut state);
    let mut size = first.bytes.len();
    let mut record = vec![first];
    while open {
        let next = lines.next_line()?;
        size += next.as_ref().map_or(0, |line| line.bytes.len());
        let Some(line) = next.filter(|line| size <= LONGEST && !line.too_long) else {
            return Ok(Some(unclosed(lines, record, size)));
        };
        open = scan(&line.bytes, delimiter, &mut state);
        record.push(line);
    }
    let mut raw = Vec::with_capacity(size);
    record
        .iter()
        .for_each(|line| raw.extend_from_slice(&line.bytes));
    let fields = split(trim_end(&raw), delimiter);
    Ok(Some(Record {
        line: number,
        raw,
        fields,
    }))
}

fn broken(line: Line, why: String) -> Record {
    Record {
        line: line.number,
        raw: line.bytes,
        fields: Err(why),
    }
}

/// Rejects the line where the quote was opened, and gives the others back.
fn unclosed<R: Read>(lines: &mut Lines<R>, record: Vec<Line>, size: usize) -> Record {
    let mut record = record.into_iter();
    let first = record.next().unwrap_or_default();
    lines.give_back(record);
    let why = if size > LONGEST {
        format!("a quote that opens here is not closed within {LONGEST} bytes")
    } else {
        "a quote that opens here is never closed".to_owned()
    };
    broken(first, why)
}

/// Where in a record we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// Right after a quote inside a quoted field: its end, or half of a doubled quote.
    QuoteSeen,
}

/// Follows the quotes of one more line; whether a quoted field is still open at its end.
fn scan(bytes: &[u8], delimiter: u8, state: &mut State) -> bool {
    for &byte in bytes {
        *state = match (*state, byte) {
            (State::FieldStart | State::QuoteSeen, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteSeen,
            (State::Quoted, _) => State::Quoted,
            (_, byte) if byte == delimiter => State::FieldStart,
            _ => State::Plain,
        };
    }
    *state == State::Quoted
}

fn trim_end(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

/// The fields of a whole record.
fn split(record: &[u8], delimiter: u8) -> Result<Vec<String>, String> {
    let mut fields = Vec::with_capacity(8);
    let mut field = Vec::new();
    let mut state = State::FieldStart;
    for &byte in record {
        let next = match (state, byte) {
            (State::FieldStart, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteSeen,
            (State::QuoteSeen, b'"') => {
                field.push(b'"');
                State::Quoted
            }
            (State::Quoted, byte) => {
                field.push(byte);
                State::Quoted
            }
            (_, byte) if byte == delimiter => {
                fields.push(text(std::mem::take(&mut field), fields.len())?);
                State::FieldStart
            }
            (State::QuoteSeen, _) => {
                let n = fields.len() + 1;
                return Err(format!("text follows the closing quote of field {n}"));
            }
            (State::FieldStart | State::Plain, byte) => {
                field.push(byte);
                State::Plain
            }
        };
        state = next;
    }
    fields.push(text(field, fields.len())?);
    Ok(fields)
}

fn text(bytes: Vec<u8>, before: usize) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| {
        let n = before + 1;
        format!("field {n} is not text in the charset of the file; declare its charset")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_split_at_delimiters_outside_quotes() {
        let rows: [(&str, &[&str]); 9] = [
            ("a,b,c", &["a", "b", "c"]),
            ("a,,", &["a", "", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"say \"\"hi\"\"\",c", &["say \"hi\"", "c"]),
            ("\"two\nlines\",c", &["two\nlines", "c"]),
            ("5\" pipe,c", &["5\" pipe", "c"]),
            ("\"\",c", &["", "c"]),
            (" a , b ", &[" a ", " b "]),
            ("", &[""]),
        ];
        for (record, expected) in rows {
            assert_eq!(
                split(record.as_bytes(), b',').unwrap(),
                expected,
                "{record}"
            );
        }
        assert!(split(b"\"a\"b,c", b',').is_err());
        assert!(split(b"a\xFF,c", b',').is_err());
    }

    #[test]
    fn the_delimiter_is_found_in_the_header() {
        let rows = [
            ("email,name", b','),
            ("email;name;city", b';'),
            ("email\tname", b'\t'),
            ("email", b','),
            ("\"a,b,c\";email", b';'),
        ];
        for (header, delimiter) in rows {
            assert_eq!(find_delimiter(header.as_bytes()), delimiter, "{header}");
        }
    }
}
