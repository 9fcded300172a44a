//! Brings a file of recipients (CSV or NDJSON) into a stored list, by streaming.
//!
//! Any column is an attribute. A line that cannot be read goes to the rejects file with its number
//! and the reason; an empty or misspelled address is no such line: preparation excludes it, so that
//! it is counted. The list is filled under a temporary name and gets its own at the very end, so a
//! failed or killed import leaves no list that looks whole: an error removes the temporary list,
//! and what a crash left is removed by the next import of the same name.

mod columns;
mod csv_records;
mod decode;
mod lines;
mod ndjson;
mod rejects;
mod row;
#[cfg(test)]
mod tests;
mod writer;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use posthaste_core::ids::ListId;
use posthaste_core::time::Timestamp;
use posthaste_store::{Recipients, StoreError};
use serde::Serialize;

use rejects::Rejects;
use writer::ListWriter;

/// The form of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with a header line.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// By the name of the file: `.ndjson`, `.jsonl` and `.json` are NDJSON, anything else CSV.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" | "json" => Self::Ndjson,
            _ => Self::Csv,
        }
    }
}

/// What an import is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the list to create.
    pub list: String,
    /// The form of the source.
    pub format: Format,
    /// Name of the source's charset (WHATWG label); UTF-8 when there is none. A byte order mark
    /// goes before it.
    pub charset: Option<String>,
    /// The delimiter of a CSV source; found in its header when not given.
    pub delimiter: Option<u8>,
    /// The column that holds the address; recognised by its name when not given.
    pub address_column: Option<String>,
    /// New names for columns: from, to.
    pub rename: Vec<(String, String)>,
    /// Where bad lines go.
    pub rejects: PathBuf,
}

impl Options {
    /// The usual: form by the file's name, everything else found out, bad lines to
    /// `NAME.rejects.csv` beside the file.
    #[must_use]
    pub fn for_file(path: &Path, list: &str) -> Self {
        let mut name = path.file_stem().unwrap_or_default().to_os_string();
        name.push(".rejects.csv");
        Self {
            list: list.to_owned(),
            format: Format::of_path(path),
            charset: None,
            delimiter: None,
            address_column: None,
            rename: Vec::new(),
            rejects: path.with_file_name(name),
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records read.
    pub read: u64,
    /// Recipients stored.
    pub imported: u64,
    /// Records rejected.
    pub rejected: u64,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The list.
    pub list: ListId,
    /// Its name.
    pub name: String,
    /// Records read, the header not counted.
    pub read: u64,
    /// Recipients stored.
    pub imported: u64,
    /// Records rejected; read = imported + rejected.
    pub rejected: u64,
    /// The first of them: number of the line, and the reason.
    pub first_rejects: Vec<(u64, String)>,
    /// Where all of them are; `None` when there are none.
    pub rejects_file: Option<PathBuf>,
}

/// Why an import failed. Nothing of it is left in the store.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source cannot be read.
    #[error("reading the recipients: {0}: nothing was imported; check the file and import again")]
    Read(#[source] std::io::Error),
    /// No such charset.
    #[error(
        "the charset \"{0}\" is not known: use a name such as utf-8, iso-8859-15, windows-1252 \
         or shift_jis"
    )]
    Charset(String),
    /// There is nothing in the source.
    #[error("the file of recipients is empty: it needs a header line, and a line per recipient")]
    Empty,
    /// The header line cannot be read.
    #[error("the header line of the recipients {0}")]
    Header(String),
    /// Two columns have one name.
    #[error("the column \"{0}\" is there twice: rename one of them in the header line")]
    DuplicateColumn(String),
    /// No column holds addresses.
    #[error(
        "no column holds addresses among {columns}: name one \"email\", or say which one it is"
    )]
    NoAddressColumn {
        /// The columns there are.
        columns: String,
    },
    /// A column that was named is not there.
    #[error("there is no column \"{name}\": the columns are {columns}")]
    NoSuchColumn {
        /// What was named.
        name: String,
        /// The columns there are.
        columns: String,
    },
    /// The rejects file cannot be written.
    #[error(
        "writing the rejected lines to {path}: {source}: nothing was imported; make room or allow writing there"
    )]
    Rejects {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody interrupted it.
    #[error("the import was interrupted: nothing was imported; start it again")]
    Interrupted,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The names of the columns of a source, as templates use them; `None` when its form has no
/// columns, since each line of NDJSON names its own attributes. Reads no further than the header.
///
/// # Errors
/// What [`Importer::import`] says about the charset and the header.
pub fn column_names(
    source: impl Read,
    options: &Options,
) -> Result<Option<Vec<String>>, ImportError> {
    if options.format == Format::Ndjson {
        return Ok(None);
    }
    let decoded = decode::Utf8Stream::open(source, options.charset.as_deref())?;
    csv_records::column_names(decoded, options).map(Some)
}

/// What the name of a list ends with while it is being filled.
const UNFINISHED: &str = " (unfinished import)";

/// Whether a list of this name is being imported, or was when its import was cut off.
#[must_use]
pub fn is_unfinished(list: &str) -> bool {
    list.ends_with(UNFINISHED)
}

/// Imports files of recipients.
pub struct Importer<'a, S: Recipients + ?Sized> {
    store: &'a S,
    now: Timestamp,
    cancel: &'a AtomicBool,
}

impl<'a, S: Recipients + ?Sized> Importer<'a, S> {
    /// An importer into this store; it gives up soon after `cancel` becomes true.
    pub const fn new(store: &'a S, now: Timestamp, cancel: &'a AtomicBool) -> Self {
        Self { store, now, cancel }
    }

    /// Reads the whole source into a new list. Blocks until it is done; writes in slices of at
    /// most 1,000 rows or about 50 ms.
    ///
    /// # Errors
    /// [`ImportError`]; the list is not there then.
    pub fn import(
        &self,
        source: impl Read,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, ImportError> {
        if self.store.list_named(&options.list)?.is_some() {
            let what = format!("a list named \"{}\"", options.list);
            return Err(StoreError::Exists { what }.into());
        }
        let unfinished = format!("{}{UNFINISHED}", options.list);
        if let Some(left) = self.store.list_named(&unfinished)? {
            self.store.delete_list(left.id)?;
        }
        let decoded = decode::Utf8Stream::open(source, options.charset.as_deref())?;
        let list = self.store.create_list(&unfinished, self.now)?;
        let filled = self
            .fill(list, decoded, options, progress)
            .and_then(|report| {
                Ok(self
                    .store
                    .rename_list(list, &options.list)
                    .map(|()| report)?)
            });
        if filled.is_err() {
            // The reason of the failure is worth more than that of a failed removal; the next
            // import of the same name removes what is left.
            let _ = self.store.delete_list(list);
        }
        filled
    }

    fn fill(
        &self,
        list: ListId,
        source: impl Read,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, ImportError> {
        let mut rejects = Rejects::new(&options.rejects);
        let mut writer = ListWriter::new(self.store, list, self.now, self.cancel, progress);
        match options.format {
            Format::Csv => csv_records::import(source, options, &mut writer, &mut rejects)?,
            Format::Ndjson => ndjson::import(source, options, &mut writer, &mut rejects)?,
        }
        let done = writer.finish()?;
        let (first_rejects, rejects_file) = rejects.finish()?;
        Ok(Report {
            list,
            name: options.list.clone(),
            read: done.read,
            imported: done.imported,
            rejected: done.rejected,
            first_rejects,
            rejects_file,
        })
    }
}
