//! The delivery file: TOML that says what is sent to whom, and how.
//!
//! Reading it resolves everything: files are read and hashed, defaults of the configuration filled
//! in, templates parsed. All problems are reported at once with the key and what to do. The keys
//! are described in docs/delivery-file.md; what comes out is a [`Spec`] that depends on no file.

mod content;
mod read;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use posthaste_engine::spec::Spec;

use crate::config::Config;
use crate::exit::{Failure, Result};

/// Where the recipients come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file that is imported into a list of its own.
    File {
        /// The file.
        path: PathBuf,
        /// Its charset, where it says one.
        charset: Option<String>,
        /// Column of the address, where it is not found by its name.
        address_column: Option<String>,
        /// New names for columns: from, to.
        rename: Vec<(String, String)>,
    },
    /// A stored list.
    List(String),
}

/// What a delivery file comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryFile {
    /// Its content; `list` is empty until the recipients have been imported.
    pub spec: Spec,
    /// Where the recipients come from.
    pub source: Source,
    /// The bytes of attachments by SHA-256.
    pub blobs: Vec<([u8; 32], Vec<u8>)>,
}

/// Reads a delivery file and everything it names.
///
/// # Errors
/// When the file cannot be read, or with all problems in it.
pub fn load(path: &Path, config: &Config) -> Result<DeliveryFile> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::file(format!("reading the delivery file {shown}"), &e))?;
    read::check(&text, path, config).map_err(|problems| Failure::problems(shown, &problems))
}
