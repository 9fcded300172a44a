//! The rejects file: line, reason and text of every record that could not be read.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::ImportError;

/// How many rejects the report itself names.
const NAMED: usize = 10;

/// Writes the rejects file; it is created with the first reject.
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<csv::Writer<File>>,
    first: Vec<(u64, String)>,
}

impl Rejects {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            first: Vec::new(),
        }
    }

    /// Writes one reject.
    pub(super) fn add(&mut self, line: u64, why: &str, raw: &[u8]) -> Result<(), ImportError> {
        if self.first.len() < NAMED {
            self.first.push((line, why.to_owned()));
        }
        let raw = String::from_utf8_lossy(raw);
        let raw = raw.trim_end_matches(['\r', '\n']);
        self.write(&[&line.to_string(), why, raw])
            .map_err(|source| self.failed(source))
    }

    fn write(&mut self, fields: &[&str; 3]) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = csv::Writer::from_writer(File::create(&self.path)?);
                file.write_record(["line", "reason", "raw"])?;
                self.file.insert(file)
            }
        };
        Ok(file.write_record(fields)?)
    }

    fn failed(&self, source: std::io::Error) -> ImportError {
        ImportError::Rejects {
            path: self.path.clone(),
            source,
        }
    }

    /// Closes the file: the first rejects, and where all of them are.
    #[expect(
        clippy::type_complexity,
        reason = "two halves of the report, taken apart at once"
    )]
    pub(super) fn finish(mut self) -> Result<(Vec<(u64, String)>, Option<PathBuf>), ImportError> {
        let Some(mut file) = self.file.take() else {
            return Ok((self.first, None));
        };
        file.flush().map_err(|source| self.failed(source))?;
        Ok((self.first, Some(self.path)))
    }
}
