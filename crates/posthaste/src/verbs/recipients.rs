//! `posthaste recipients`: stored lists and the profiles' denylist.

use std::path::PathBuf;

use clap::Subcommand;
use posthaste_core::ids::RecipientId;
use posthaste_core::log::Channel;
use posthaste_desk::quarantine::key_of;
use posthaste_desk::times::{json_of, minute};
use serde_json::json;

use crate::args::limit;
use crate::delivery_file::Source;
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, counted, cursor, number, page, remark_next};
use crate::wiring;

/// What to do with recipients.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Import a CSV or NDJSON file into a new list
    #[command(after_help = "Example:\n  posthaste recipients import people.csv --list customers")]
    Import(ImportArgs),
    /// List the stored lists
    #[command(after_help = "Example:\n  posthaste recipients list --json")]
    List,
    /// Show the recipients of a list
    #[command(after_help = "Example:\n  posthaste recipients show customers --limit 20")]
    Show {
        /// Name of the list
        list: String,
        /// Lines of the page
        #[arg(long, default_value = "50", value_parser = limit)]
        limit: usize,
        /// Begin after this recipient
        #[arg(long, value_name = "ID")]
        after: Option<i64>,
    },
    /// Put profiles on the denylist by address, take them off, or list them
    #[command(after_help = "Example:\n  posthaste recipients denylist jane@example.net")]
    Denylist(DenylistArgs),
}

/// Arguments of `recipients import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file: CSV, or NDJSON when its name ends in .ndjson or .jsonl
    file: PathBuf,
    /// Name of the new list [default: the file's name]
    #[arg(long)]
    list: Option<String>,
    /// Charset of the file, such as iso-8859-15 [default: UTF-8, or its byte order mark]
    #[arg(long)]
    charset: Option<String>,
    /// Column of the address [default: found by its name]
    #[arg(long, value_name = "NAME")]
    address_column: Option<String>,
    /// Take a column under another name, as in --rename "E-Mail=email"; may be repeated
    #[arg(long, value_name = "FROM=TO", value_parser = renaming)]
    rename: Vec<(String, String)>,
}

fn renaming(text: &str) -> std::result::Result<(String, String), String> {
    let pair = text
        .split_once('=')
        .map(|(from, to)| (from.trim(), to.trim()));
    match pair {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err("write the column's name, =, and its new name".to_owned()),
    }
}

/// Arguments of `recipients denylist`.
#[derive(Debug, clap::Args)]
pub struct DenylistArgs {
    /// The addresses; without any, the denylist is listed
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Take them off the denylist
    #[arg(long, requires = "addresses")]
    remove: bool,
    /// Lines of the page
    #[arg(long, default_value = "50", value_parser = limit)]
    limit: usize,
    /// Begin after this address
    #[arg(long)]
    after: Option<String>,
}

/// Carries out a verb on recipients.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::Import(args) => import(args, office),
        Verb::List => list(office),
        Verb::Show { list, limit, after } => show(&list, limit, after, office),
        Verb::Denylist(args) if args.addresses.is_empty() => listed(&args, office),
        Verb::Denylist(args) => denylist(&args, office),
    }
}

fn import(args: ImportArgs, office: &Office) -> Result<Exit> {
    let stem = args
        .file
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let name = args.list.unwrap_or(stem);
    let source = Source::File {
        path: args.file,
        charset: args.charset,
        address_column: args.address_column,
        rename: args.rename,
    };
    let store = office.store()?;
    let report = wiring::import_recipients(&store, &source, &name, office.now())?;
    office.answer(
        || json_of(&report),
        || {
            let imported = counted(report.imported, "recipient");
            let mut text = format!("Imported {imported} into \"{}\".", report.name);
            if report.rejected > 0 {
                text.push_str(&format!("\n{}", wiring::rejected(&report)));
            }
            text
        },
    )?;
    Ok(Exit::Done)
}

fn list(office: &Office) -> Result<Exit> {
    let rows = office.store()?.lists()?;
    if office.json() {
        output::say_json(&page(&rows, None))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&["name", "#recipients", "created"]);
    for row in &rows {
        table.row(vec![
            row.name.clone(),
            number(row.recipients),
            minute(row.created),
        ]);
    }
    output::say(table.text("There are no lists yet: posthaste recipients import FILE"))?;
    Ok(Exit::Done)
}

fn show(name: &str, limit: usize, after: Option<i64>, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    let list = store.list_named(name)?.ok_or_else(|| {
        let message = format!("there is no list named \"{name}\"; see `posthaste recipients list`");
        Failure::new(Exit::NotFound, message)
    })?;
    let rows = store.recipients(list.id, after.map(RecipientId), limit)?;
    let next = cursor(&rows, limit, |row| row.id.0);
    if office.json() {
        output::say_json(&page(&rows, next.as_ref()))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&[
        "#id",
        "#line",
        "address",
        "#quality",
        "denylisted",
        "attributes",
    ]);
    for row in &rows {
        table.row(vec![
            row.id.to_string(),
            row.line.to_string(),
            row.address.clone(),
            row.quality.map_or_else(String::new, |q| q.to_string()),
            if row.denylisted { "yes" } else { "" }.to_owned(),
            row.attributes.clone(),
        ]);
    }
    output::say(table.text("The list has no such recipients."))?;
    remark_next(next.as_ref());
    Ok(Exit::Done)
}

fn listed(args: &DenylistArgs, office: &Office) -> Result<Exit> {
    let keys = office
        .store()?
        .denylisted_profiles(args.after.as_deref(), args.limit)?;
    let next = cursor(&keys, args.limit, Clone::clone);
    if office.json() {
        output::say_json(&page(&keys, next.as_ref()))?;
        return Ok(Exit::Done);
    }
    let empty = "No profile is on the denylist.".to_owned();
    output::say(if keys.is_empty() {
        empty
    } else {
        keys.join("\n")
    })?;
    remark_next(next.as_ref());
    Ok(Exit::Done)
}

fn denylist(args: &DenylistArgs, office: &Office) -> Result<Exit> {
    let keys = args
        .addresses
        .iter()
        .map(|a| Ok(key_of(a)?))
        .collect::<Result<Vec<_>>>()?;
    let store = office.store()?;
    let mut changed = 0;
    for key in &keys {
        changed += store.set_profile_denylisted(Channel::Email, key, !args.remove)?;
    }
    let what = if args.remove { "Off" } else { "On" };
    office.answer(
        || json!({ "addresses": keys, "denylisted": !args.remove, "profiles_changed": changed }),
        || {
            format!(
                "{what} the denylist: {}; changed: {}.",
                counted(keys.len() as u64, "address"),
                counted(changed, "profile")
            )
        },
    )?;
    Ok(Exit::Done)
}
