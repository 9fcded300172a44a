//! The columns of a CSV source: their names, and which of them mean something to us.

use super::row::{Row, is_named_like_an_address};
use super::{ImportError, Options};

/// The columns, and how their names are written in JSON.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<String>,
    /// The names as JSON writes them.
    keys: Vec<String>,
    address: usize,
    quality: Option<usize>,
    denylisted: Option<usize>,
}

impl Columns {
    /// Reads a header.
    pub(super) fn new(header: &[String], options: &Options) -> Result<Self, ImportError> {
        for (from, _) in &options.rename {
            if !header.iter().any(|name| same(name.trim(), from.trim())) {
                return Err(no_such(from, header));
            }
        }
        let names: Vec<String> = header
            .iter()
            .enumerate()
            .map(|(at, name)| column_name(at, name, options))
            .collect();
        for (at, name) in names.iter().enumerate() {
            if names.iter().take(at).any(|earlier| same(earlier, name)) {
                return Err(ImportError::DuplicateColumn(name.clone()));
            }
        }
        let find = |wanted: &str| names.iter().position(|name| same(name, wanted));
        let address = match &options.address_column {
            Some(given) => {
                let given = renamed(given.trim(), options);
                find(given).ok_or_else(|| no_such(given, &names))?
            }
            None => address_column(&names)?,
        };
        Ok(Self {
            address,
            quality: find("quality"),
            denylisted: find("denylisted"),
            keys: names.iter().map(|name| json_text(name)).collect(),
            names,
        })
    }

    /// Their names, as templates use them.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }

    /// The row that these fields make.
    pub(super) fn row(&self, fields: &[String]) -> Result<Row, String> {
        if fields.len() != self.keys.len() {
            return Err(format!(
                "the line has {} fields, the header has {}",
                fields.len(),
                self.keys.len()
            ));
        }
        let mut attributes = String::with_capacity(fields.iter().map(|f| f.len() + 16).sum());
        for (key, field) in self.keys.iter().zip(fields) {
            attributes.push(if attributes.is_empty() { '{' } else { ',' });
            attributes.push_str(key);
            attributes.push(':');
            attributes.push_str(&json_text(field));
        }
        attributes.push('}');
        let field = |at: Option<usize>| at.and_then(|at| fields.get(at)).cloned();
        Ok(Row {
            address: field(Some(self.address)).unwrap_or_default(),
            quality: field(self.quality),
            denylisted: field(self.denylisted),
            attributes,
        })
    }
}

/// A text as JSON writes it, quotes included.
pub(super) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The name of a column after renaming; a nameless one is called by its place.
fn column_name(at: usize, name: &str, options: &Options) -> String {
    match name.trim() {
        "" => format!("column_{}", at + 1),
        name => renamed(name, options).to_owned(),
    }
}

/// The new name of a column, or its own.
pub(super) fn renamed<'n>(name: &'n str, options: &'n Options) -> &'n str {
    let rule = options
        .rename
        .iter()
        .find(|(from, _)| same(from.trim(), name));
    rule.map_or(name, |(_, to)| to.as_str())
}

/// Two columns whose names differ only in case could not be told apart by a reader.
fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn address_column(names: &[String]) -> Result<usize, ImportError> {
    let best = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| is_named_like_an_address(name).map(|rank| (rank, at)))
        .min();
    best.map(|(_, at)| at)
        .ok_or_else(|| ImportError::NoAddressColumn {
            columns: names.join(", "),
        })
}

fn no_such(name: &str, names: &[String]) -> ImportError {
    ImportError::NoSuchColumn {
        name: name.to_owned(),
        columns: names.join(", "),
    }
}
