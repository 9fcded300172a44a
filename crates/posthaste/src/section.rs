//! Reads checked values out of TOML and collects everything that is wrong on the way.
//!
//! Each value is asked for by its key; a value of the wrong kind or out of range is noted as a
//! [`Problem`] with its path and replaced by its default, so that one run names all problems.
//! A key that nobody asked for is a problem too. Used for the configuration and delivery files.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever kind of TOML value is not the one asked for is wrong"
)]

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use posthaste_core::time::parse_duration;
use toml::{Table, Value};

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: the path of the key, as in `smtp.connect_timeout` or `route[1].relay`.
    pub path: String,
    /// What is wrong and what to do, as a sentence without its full stop.
    pub what: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// All problems found so far.
#[derive(Debug, Clone, Default)]
pub struct Problems(Rc<RefCell<Vec<Problem>>>);

impl Problems {
    /// Notes a problem.
    pub fn note(&self, path: impl Into<String>, what: impl Into<String>) {
        self.0.borrow_mut().push(Problem {
            path: path.into(),
            what: what.into(),
        });
    }

    /// The problems, in the order of the paths' discovery.
    pub fn take(&self) -> Vec<Problem> {
        self.0.take()
    }
}

/// A table of a TOML file: values are taken out of it.
#[derive(Debug)]
pub struct Section {
    path: String,
    values: Table,
    known: Vec<&'static str>,
    problems: Problems,
}

impl Section {
    /// The whole file.
    pub fn root(values: Table, problems: &Problems) -> Self {
        Self::at(String::new(), values, problems)
    }

    fn at(path: String, values: Table, problems: &Problems) -> Self {
        Self {
            path,
            values,
            known: Vec::new(),
            problems: problems.clone(),
        }
    }

    /// The path of one of this section's keys.
    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Notes a problem of one of this section's keys.
    pub fn wrong(&self, key: &str, what: impl Into<String>) {
        self.problems.note(self.path(key), what);
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.values.remove(key)
    }

    fn not_a(&self, key: &str, kind: &str, found: &Value) {
        self.wrong(key, format!("it must be {kind}, not {}", found.type_str()));
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                self.not_a(key, "a text in quotes", &other);
                None
            }
        }
    }

    /// A text that `read` understands; what it returns as error is noted.
    pub fn parsed<T, E: Display>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.wrong(key, why.to_string());
                None
            }
        }
    }

    /// One of a fixed set of words.
    pub fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(impl AsRef<str>, T)],
    ) -> Option<T> {
        self.parsed(key, |text| {
            let found = words.iter().find(|(word, _)| word.as_ref() == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let all: Vec<&str> = words.iter().map(|(word, _)| word.as_ref()).collect();
                format!("\"{text}\" is none of {}", all.join(", "))
            })
        })
    }

    /// A moment: a date with time and offset, as a text or as TOML writes it.
    pub fn moment<T, E: Display>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        if let Some(Value::Datetime(date)) = self.values.get(key) {
            let text = date.to_string();
            self.values.insert(key.to_owned(), Value::String(text));
        }
        self.parsed(key, read)
    }

    /// A duration such as `90s`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, parse_duration)
    }

    /// A duration above zero.
    pub fn timeout(&mut self, key: &'static str) -> Option<Duration> {
        let span = self.duration(key)?;
        if span.is_zero() {
            self.wrong(key, "it must be longer than zero");
            return None;
        }
        Some(span)
    }

    /// A whole number within a range.
    pub fn count(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        match self.take(key)? {
            Value::Integer(n) => {
                let fits = u32::try_from(n).ok().filter(|n| range.contains(n));
                if fits.is_none() {
                    let (low, high) = (range.start(), range.end());
                    self.wrong(key, format!("{n} is not between {low} and {high}"));
                }
                fits
            }
            other => {
                self.not_a(key, "a whole number", &other);
                None
            }
        }
    }

    /// A share from 0 to 100, with or without a fraction.
    pub fn percent(&mut self, key: &'static str) -> Option<f64> {
        let value = match self.take(key)? {
            Value::Float(share) => share,
            // Exact for every integer that passes the check below.
            Value::Integer(share) => i32::try_from(share).map_or(f64::NAN, f64::from),
            other => {
                self.not_a(key, "a number", &other);
                return None;
            }
        };
        if (0.0..=100.0).contains(&value) {
            return Some(value);
        }
        self.wrong(key, "it must be a share between 0 and 100");
        None
    }

    /// A number with a sign.
    pub fn number(&mut self, key: &'static str) -> Option<i64> {
        match self.take(key)? {
            Value::Integer(n) => Some(n),
            other => {
                self.not_a(key, "a whole number", &other);
                None
            }
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)? {
            Value::Boolean(flag) => Some(flag),
            other => {
                self.not_a(key, "true or false", &other);
                None
            }
        }
    }

    /// A list of texts, each of which `read` understands.
    pub fn texts<T, E: Display>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let items = match self.take(key)? {
            Value::Array(items) => items,
            other => {
                self.not_a(key, "a list of texts", &other);
                return None;
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let place = format!("{key}[{at}]");
            match item {
                Value::String(text) => match read(text) {
                    Ok(value) => values.push(value),
                    Err(why) => self.wrong(&place, why.to_string()),
                },
                other => self.not_a(&place, "a text in quotes", other),
            }
        }
        Some(values)
    }

    /// A table within this one; an empty one when the file has none.
    pub fn section(&mut self, key: &'static str) -> Self {
        let path = self.path(key);
        let values = match self.take(key) {
            None => Table::new(),
            Some(Value::Table(values)) => values,
            Some(other) => {
                self.not_a(key, &format!("a table ([{key}])"), &other);
                Table::new()
            }
        };
        Self::at(path, values, &self.problems)
    }

    /// A list of tables (`[[key]]`).
    pub fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.not_a(key, &format!("a list of tables ([[{key}]])"), &other);
                return Vec::new();
            }
        };
        let mut sections = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            let place = format!("{key}[{at}]");
            match item {
                Value::Table(values) => {
                    sections.push(Self::at(self.path(&place), values, &self.problems));
                }
                other => self.not_a(&place, &format!("a table ([[{key}]])"), &other),
            }
        }
        sections
    }

    /// A table whose keys are free and whose values are texts, in the order of the file.
    pub fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        let section = self.section(key);
        let mut pairs = Vec::new();
        for (name, value) in &section.values {
            match value {
                Value::String(text) => pairs.push((name.clone(), text.clone())),
                other => section.not_a(name, "a text in quotes", other),
            }
        }
        pairs
    }

    /// Whether the file gives this key.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Notes every key that nobody asked for. Call it when all others have been asked for.
    pub fn done(self) {
        for key in self.values.keys() {
            let near = self.known.iter().find(|known| alike(known, key));
            let advice = match near {
                Some(known) => format!("unknown key; is \"{known}\" meant?"),
                None => format!("unknown key; known here are {}", self.known.join(", ")),
            };
            self.wrong(key, advice);
        }
    }
}

/// Whether a key was probably meant: the same but for case, `-` and `_`, or one letter off.
fn alike(known: &str, key: &str) -> bool {
    let plain = |s: &str| s.to_lowercase().replace(['-', '_'], "");
    let (a, b) = (plain(known), plain(key));
    if a == b {
        return true;
    }
    let prefix = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let suffix = a
        .chars()
        .rev()
        .zip(b.chars().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let longer = a.chars().count().max(b.chars().count());
    longer > 3 && prefix + suffix + 1 >= longer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_named_with_their_path() {
        let table: Table = "
            conections = 3
            wait = 5
            [inner]
            share = 120
            [[route]]
            relay = true
        "
        .parse()
        .unwrap();
        let problems = Problems::default();
        let mut root = Section::root(table, &problems);
        assert_eq!(root.count("connections", 1..=9), None);
        assert_eq!(root.duration("wait"), None);
        let mut inner = root.section("inner");
        assert_eq!(inner.percent("share"), None);
        inner.done();
        for mut route in root.sections("route") {
            assert_eq!(route.text("relay"), None);
            route.done();
        }
        root.done();
        let said: Vec<String> = problems.take().iter().map(Problem::to_string).collect();
        assert_eq!(
            said,
            [
                "wait: it must be a text in quotes, not integer",
                "inner.share: it must be a share between 0 and 100",
                "route[0].relay: it must be a text in quotes, not boolean",
                "conections: unknown key; is \"connections\" meant?",
            ]
        );
    }

    #[test]
    fn keys_that_are_alike() {
        for (known, key, expected) in [
            ("reply_to", "reply-to", true),
            ("reply_to", "replyTo", true),
            ("subject", "subjct", true),
            ("html", "text", false),
            ("from", "list", false),
        ] {
            assert_eq!(alike(known, key), expected, "{known} {key}");
        }
    }
}
