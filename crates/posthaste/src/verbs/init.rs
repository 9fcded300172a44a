//! `posthaste init`: configuration, secret, store. Nothing is ever overwritten.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::config::{FILE_NAME, TEMPLATE};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::{secret_file, wiring};

const EXAMPLE: &str = "Example:\n  posthaste init /srv/posthaste";

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Directory to write into; it is created when it does not exist
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Writes the three files and says so.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    let chosen = args.dir.as_ref().or(office.global().data.as_ref());
    let dir = chosen.map_or_else(|| PathBuf::from("."), Clone::clone);
    let [configuration, secret, store] = &write(&dir)?;
    office.answer(
        || json!({ "configuration": configuration, "secret": secret, "store": store }),
        || {
            format!(
                "Wrote {}, {} (keep a copy) and {}.\nNext: set ehlo_name and a [[domain]] in {}, \
                 then `posthaste send DELIVERY.toml`.",
                configuration.display(),
                secret.display(),
                store.display(),
                configuration.display()
            )
        },
    )?;
    Ok(Exit::Done)
}

/// Writes configuration, secret and store into a directory, after it has seen that none is there.
pub fn write(dir: &Path) -> Result<[PathBuf; 3]> {
    let files = [FILE_NAME, "posthaste.secret", wiring::STORE_FILE].map(|name| dir.join(name));
    for file in &files {
        if file.exists() {
            return Err(Failure::input(format!(
                "{} exists already, nothing was written: choose another directory, or move it away",
                file.display()
            )));
        }
    }
    let [configuration, secret, store] = &files;
    std::fs::create_dir_all(dir)
        .map_err(|e| Failure::file(format!("creating the directory {}", dir.display()), &e))?;
    secret_file::create(secret)?;
    wiring::create_store(store)?;
    write_configuration(configuration)?;
    Ok(files)
}

fn write_configuration(path: &Path) -> Result<()> {
    let doing = format!("writing the configuration {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|e| Failure::file(&doing, &e))?;
    file.write_all(TEMPLATE.as_bytes())
        .map_err(|e| Failure::file(&doing, &e))
}
