//! What is written on standard output: lines, tables, JSON.
//!
//! Tables are plain columns, numbers to the right, no colours; JSON is one value per command.

use std::io::{ErrorKind, Write};

use comfy_table::{CellAlignment, Table, presets};
use posthaste_desk::times::json_of;
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure, Result};

/// Writes a line. A reader that has closed the pipe ends the command quietly.
pub fn say(text: impl std::fmt::Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| closed(&error))
}

/// A closed pipe is no failure: the reader has seen enough.
fn closed(error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        Failure::new(Exit::Done, "")
    } else {
        Failure::file("writing to standard output", error)
    }
}

/// Writes bytes as they are.
pub fn say_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| closed(&error))
}

/// Writes a remark for people to standard error, so that it never stands among results.
pub fn remark(text: impl std::fmt::Display) {
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes a value as JSON.
pub fn say_json(value: &Value) -> Result<()> {
    say(value)
}

/// Stored rows as a page of JSON: `{"items": […], "next": …}`; `next` is what `--after` takes, or
/// null when nothing follows.
pub fn page<T: Serialize>(rows: &[T], next: Option<&Value>) -> Value {
    let items: Vec<Value> = rows.iter().map(json_of).collect();
    json!({ "items": items, "next": next })
}

/// The cursor of the next page: the key of the last row, when the page is full.
pub fn cursor<T, K: Into<Value>>(rows: &[T], limit: usize, key: impl Fn(&T) -> K) -> Option<Value> {
    let full = rows.len() >= limit;
    rows.last().filter(|_| full).map(|row| key(row).into())
}

/// Tells people how to see the next page.
pub fn remark_next(next: Option<&Value>) {
    if let Some(next) = next {
        let next = next
            .as_str()
            .map_or_else(|| next.to_string(), str::to_owned);
        remark(format!("more: add --after {next}"));
    }
}

/// A table; a column whose head begins with `#` has numbers and stands to the right.
pub struct Columns {
    table: Table,
    rows: usize,
}

impl Columns {
    /// An empty table with these heads.
    pub fn new(heads: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(heads.iter().map(|head| head.trim_start_matches('#')));
        for (at, head) in heads.iter().enumerate() {
            if let (true, Some(column)) = (head.starts_with('#'), table.column_mut(at)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { table, rows: 0 }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.table
            .add_row(cells.into_iter().map(|cell| printable(&cell)));
        self.rows += 1;
    }

    /// The table as text; `empty` when it has no row.
    pub fn text(&self, empty: &str) -> String {
        if self.rows == 0 {
            return empty.to_owned();
        }
        self.table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Text from outside must not move the cursor or change colours of a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A number with groups of thousands, in plain ASCII so that it can be searched for: `1,234,567`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 line`, `1,204 lines`, `2 addresses`.
pub fn counted(n: u64, thing: &str) -> String {
    let ending = match (n, thing.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {thing}{ending}", number(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_plain_columns_with_numbers_to_the_right() {
        let mut table = Columns::new(&["reason", "#rows"]);
        table.row(vec!["double".to_owned(), number(7)]);
        table.row(vec!["bad\u{1b}[31m".to_owned(), number(1_234_567)]);
        let expected = [
            " reason         rows",
            " double            7",
            " bad [31m  1,234,567",
        ];
        assert_eq!(table.text("none").lines().collect::<Vec<_>>(), expected);
        assert_eq!(Columns::new(&["a"]).text("none"), "none");
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12345, "12,345")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!(counted(1, "line"), "1 line");
        assert_eq!(counted(0, "address"), "0 addresses");
        assert_eq!(counted(1204, "line"), "1,204 lines");
    }

    #[test]
    fn a_page_names_what_follows_only_when_it_is_full() {
        let rows = [1, 2];
        assert_eq!(cursor(&rows, 2, |n| *n), Some(json!(2)));
        assert_eq!(cursor(&rows, 3, |n| *n), None);
    }
}
