//! The lock that lets one process run the services of a data directory.
//!
//! It is the operating system's lock on a file: it ends with the process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held for as long as it lives.
#[derive(Debug)]
pub struct ServicesLock {
    _file: File,
}

/// Why the services cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process runs them.
    #[error(
        "another process{} runs the services of {}: use that one (commands work while it runs), or stop it first",
        holder.as_deref().map_or_else(String::new, |pid| format!(" (pid {pid})")),
        directory.display()
    )]
    Held {
        /// The data directory.
        directory: PathBuf,
        /// Its process id, when the file tells.
        holder: Option<String>,
    },
    /// The lock file cannot be used.
    #[error("locking {}: {source}; check that the data directory exists and can be written", path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ServicesLock {
    /// Takes the lock of a data directory, without waiting.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it, [`LockError::File`] when there is no
    /// usable lock file.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        let path = directory.join("services.lock");
        let failed = |source| LockError::File {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The process id only helps the reader of the message.
                let holder = file
                    .read_to_string(&mut text)
                    .ok()
                    .map(|_| text.trim().to_owned());
                let directory = directory.to_owned();
                let holder = holder.filter(|pid| !pid.is_empty());
                return Err(LockError::Held { directory, holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let first = ServicesLock::take(directory.path()).unwrap();
        let refused = ServicesLock::take(directory.path())
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(first);
        assert!(ServicesLock::take(directory.path()).is_ok());
    }
}
