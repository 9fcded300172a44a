//! The instance's secret: 32 random bytes in a file of its own that only its owner may read.
//!
//! It signs the tokens of return paths; who has it can forge bounces of this instance.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::exit::{Exit, Failure, Result};

/// Writes a new secret; refuses to overwrite one.
pub fn create(path: &Path) -> Result<()> {
    let mut secret = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut secret)
        .map_err(|_| Failure::new(Exit::Trouble, "the system gives no random bytes; try again"))?;
    let doing = format!("writing the secret {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Failure::file(&doing, &e))?;
    file.write_all(&secret)
        .and_then(|()| file.sync_all())
        .map_err(|e| Failure::file(&doing, &e))
}

/// Reads the secret.
///
/// # Errors
/// When the file cannot be read, others than its owner may read it, or it is not 32 bytes long.
pub fn read(path: &Path) -> Result<[u8; 32]> {
    let doing = format!("reading the secret {}", path.display());
    let found = std::fs::metadata(path).map_err(|e| Failure::file(&doing, &e))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::input(format!(
            "{doing}: others may read it (mode {mode:03o}): make it yours alone with chmod 600"
        )));
    }
    let bytes = std::fs::read(path).map_err(|e| Failure::file(&doing, &e))?;
    <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
        Failure::input(format!(
            "{doing}: it has {} bytes instead of 32: restore it from a backup, since bounces of \
             what was sent before carry its signature",
            bytes.len()
        ))
    })
}
