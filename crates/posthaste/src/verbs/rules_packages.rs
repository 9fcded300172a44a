//! `posthaste rules import|export|restore`: many rules at once.

use std::path::PathBuf;

use posthaste_desk::rules_packages::{self, Which};
use posthaste_mail::read::PackageHead;
use serde_json::json;

use super::rules_edit::{change, rule_file};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output;

/// Arguments of `rules import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The package; `-` for standard input
    file: PathBuf,
    /// Leave your own rules as they are, also where the package has one of the same name
    #[arg(long)]
    keep_user_rules: bool,
}

/// Arguments of `rules export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// File to write; `-` for standard output
    file: PathBuf,
    /// Only of this origin: user, or the name of a package [default: all stored rules]
    #[arg(long)]
    origin: Option<String>,
    /// Write them as a package of this name
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Version of that package
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "1",
        requires = "package"
    )]
    package_version: String,
}

/// Arguments of `rules restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// Name of the backup
    backup: String,
}

/// Takes a package in.
pub fn import(args: &ImportArgs, office: &Office) -> Result<Exit> {
    let file = rule_file(&args.file)?;
    change(office, |store, hand| {
        rules_packages::import(store, &file, args.keep_user_rules, hand)
    })
}

/// Brings a backup back.
pub fn restore(args: &RestoreArgs, office: &Office) -> Result<Exit> {
    change(office, |store, hand| {
        rules_packages::restore(store, &args.backup, hand)
    })
}

/// Writes rules into a file.
pub fn export(args: &ExportArgs, office: &Office) -> Result<Exit> {
    let which = match args.origin.as_deref() {
        None => Which::All,
        Some("user") => Which::User,
        Some("shipped") => {
            return Err(Failure::input(
                "shipped rules come with the program: see one with `posthaste rules show NAME`",
            ));
        }
        Some(package) => Which::Package(package.to_owned()),
    };
    let head = args.package.as_ref().map(|name| PackageHead {
        name: name.clone(),
        version: args.package_version.clone(),
        about: String::new(),
    });
    let (text, n) = rules_packages::export(office.store()?.as_ref(), &which, head.as_ref())?;
    if n == 0 {
        return Err(Failure::new(
            Exit::NotFound,
            "there is no such rule to export; see `posthaste rules list`",
        ));
    }
    if args.file.as_os_str() == "-" {
        output::say_bytes(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    let shown = args.file.display().to_string();
    std::fs::write(&args.file, text).map_err(|e| Failure::file(format!("writing {shown}"), &e))?;
    office.answer(
        || json!({ "written": n, "file": shown }),
        || format!("{n} rules written to {shown}"),
    )?;
    Ok(Exit::Done)
}
