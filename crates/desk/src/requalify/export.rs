//! Recipients that could be sent again, as a CSV file that can be imported.
//!
//! Which columns there are is known only at the end, so the recipients wait in a file beside it,
//! one JSON line each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Result, Write};
use std::path::{Path, PathBuf};

/// Name of the address column.
const ADDRESS: &str = "email";

/// A CSV file that is being gathered; without [`CsvExport::finish`] nothing of it stays.
pub struct CsvExport {
    path: PathBuf,
    waiting: PathBuf,
    spool: BufWriter<File>,
    columns: Vec<String>,
    written: u64,
}

impl CsvExport {
    /// Begins a file.
    ///
    /// # Errors
    /// When a file beside it cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        let mut waiting = path.as_os_str().to_owned();
        waiting.push(".part");
        let waiting = PathBuf::from(waiting);
        Ok(Self {
            spool: BufWriter::new(File::create(&waiting)?),
            path: path.to_owned(),
            waiting,
            columns: Vec::new(),
            written: 0,
        })
    }

    /// Adds a recipient with its attributes, a JSON object of texts.
    pub(super) fn add(&mut self, address: &str, attributes: &str) -> Result<()> {
        let fields: BTreeMap<String, String> = serde_json::from_str(attributes).unwrap_or_default();
        for name in fields.keys() {
            let is_known = name.eq_ignore_ascii_case(ADDRESS) || self.columns.contains(name);
            if !is_known {
                self.columns.push(name.clone());
            }
        }
        serde_json::to_writer(&mut self.spool, &(address, &fields))?;
        self.spool.write_all(b"\n")?;
        self.written += 1;
        Ok(())
    }

    /// Writes the CSV file; returns how many recipients it has.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<u64> {
        self.spool.flush()?;
        let mut csv = csv::Writer::from_path(&self.path)?;
        csv.write_record(std::iter::once(ADDRESS).chain(self.columns.iter().map(String::as_str)))?;
        for line in BufReader::new(File::open(&self.waiting)?).lines() {
            let (address, fields): (String, BTreeMap<String, String>) =
                serde_json::from_str(&line?)?;
            let value = |name: &String| fields.get(name).map_or("", String::as_str);
            csv.write_record(
                std::iter::once(address.as_str()).chain(self.columns.iter().map(value)),
            )?;
        }
        csv.flush()?;
        Ok(self.written)
    }
}

impl Drop for CsvExport {
    fn drop(&mut self) {
        // A spool that cannot be removed does no harm, and there is nobody to be told.
        let _ = std::fs::remove_file(&self.waiting);
    }
}
