//! `posthaste quarantine`: the quarantine list.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use posthaste_core::failure::FailureReason;
use posthaste_core::log::{AddressStatus, Channel};
use posthaste_desk::quarantine::{Hand, Setting, key_of, set, usual_reason};
use posthaste_desk::quarantine_list;
use posthaste_desk::times::{json_of, minute};
use posthaste_engine::words;
use posthaste_store::rows::{Address, AddressFilter, AddressHistory, Page};
use serde_json::json;

use crate::args::{address_status, limit, reason};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, cursor, number, page, remark_next};

/// Who is named in the ledger for what is done here.
const OPERATOR: &str = "operator";

/// What to do with the list.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List entries in the order of their addresses
    #[command(
        after_help = "Example:\n  posthaste quarantine list --status quarantine --domain example.com"
    )]
    List {
        #[command(flatten)]
        filter: Filter,
        /// Lines of the page
        #[arg(long, default_value = "50", value_parser = limit)]
        limit: usize,
        /// Begin after this address
        #[arg(long, value_name = "ADDRESS")]
        after: Option<String>,
    },
    /// Show the entry of an address and its ledger
    #[command(after_help = "Example:\n  posthaste quarantine show jane@example.net")]
    Show {
        /// The address
        address: String,
    },
    /// Set the status of addresses by hand
    #[command(
        after_help = "Example:\n  posthaste quarantine set jane@example.net valid --comment \"asked by mail\""
    )]
    Set(SetArgs),
    /// Import a CSV list with the columns address, status, reason
    #[command(after_help = "Example:\n  posthaste quarantine import traps.csv --status denylist")]
    Import(ImportArgs),
    /// Write the list as CSV
    #[command(
        after_help = "Example:\n  posthaste quarantine export --status denylist -o denylist.csv"
    )]
    Export {
        #[command(flatten)]
        filter: Filter,
        /// File to write; standard output when left out
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which entries.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only this status: with_errors, valid, quarantine, denylist, allowlist
    #[arg(long, value_parser = address_status)]
    status: Option<AddressStatus>,
    /// Only this reason, as slug or number
    #[arg(long, value_parser = reason)]
    reason: Option<FailureReason>,
    /// Only addresses of this domain
    #[arg(long)]
    domain: Option<String>,
    /// Only addresses that contain this text
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
}

impl Filter {
    fn checked(self) -> Result<AddressFilter> {
        let domain = self
            .domain
            .as_deref()
            .map(posthaste_core::address::domain_key);
        Ok(AddressFilter {
            status: self.status,
            reason: self.reason,
            domain: domain
                .transpose()
                .map_err(|why| Failure::input(format!("--domain: {why}")))?,
            contains: self.contains.map(|text| text.to_lowercase()),
        })
    }
}

/// Arguments of `quarantine set`.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// The addresses, then the status: valid, quarantine, denylist, allowlist, with_errors
    #[arg(value_name = "ADDRESS… STATUS", num_args = 2.., required = true)]
    words: Vec<String>,
    /// The reason, as slug or number [default: the status's own]
    #[arg(long, value_parser = reason)]
    reason: Option<FailureReason>,
    /// Why; kept in the ledger
    #[arg(long)]
    comment: Option<String>,
}

/// Arguments of `quarantine import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The CSV file; `-` for standard input
    file: PathBuf,
    /// Status of lines that name none
    #[arg(long, default_value = "denylist", value_parser = address_status)]
    status: AddressStatus,
    /// File for the lines that cannot be used [default: FILE.rejects.csv]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// Carries out a verb on the list.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::List {
            filter,
            limit,
            after,
        } => list(filter, Page { after, limit }, office),
        Verb::Show { address } => show(&address, office),
        Verb::Set(args) => set_by_hand(&args, office),
        Verb::Import(args) => import(&args, office),
        Verb::Export { filter, output } => export(filter, output.as_deref(), office),
    }
}

fn list(filter: Filter, wanted: Page<String>, office: &Office) -> Result<Exit> {
    let limit = wanted.limit;
    let rows = office.store()?.addresses(&filter.checked()?, wanted)?;
    let next = cursor(&rows, limit, |row| row.key.clone());
    if office.json() {
        output::say_json(&page(&rows, next.as_ref()))?;
    } else {
        output::say(table(&rows).text("The quarantine list has no such entry."))?;
        remark_next(next.as_ref());
    }
    Ok(Exit::Done)
}

fn table(rows: &[Address]) -> Columns {
    let mut table = Columns::new(&["address", "status", "reason", "#errors", "since", "text"]);
    for row in rows {
        table.row(vec![
            row.key.clone(),
            row.entry.status.to_string(),
            row.entry.reason.to_string(),
            row.entry.errors.to_string(),
            minute(row.entry.since),
            row.error_text.clone(),
        ]);
    }
    table
}

fn show(address: &str, office: &Office) -> Result<Exit> {
    let key = key_of(address)?;
    let history = office.store()?.address_history(Channel::Email, &key)?;
    if history.address.is_none() && history.events.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format!("{key} is not in the quarantine list and never was"),
        ));
    }
    office.answer(|| json_of(&history), || shown(&key, &history))?;
    Ok(Exit::Done)
}

fn shown(key: &str, history: &AddressHistory) -> String {
    let mut table = Columns::new(&["when", "what", "decided by", "by", "said"]);
    for event in &history.events {
        let said = event
            .evidence
            .as_ref()
            .map_or_else(String::new, |e| e.text.clone());
        table.row(vec![
            minute(event.at),
            what(&event.event),
            event.because.clone(),
            event.by.clone(),
            said,
        ]);
    }
    let standing = history.address.as_ref().map_or_else(
        || "not listed".to_owned(),
        |a| {
            format!(
                "{} since {}",
                words::standing(a.entry.status),
                minute(a.entry.since)
            )
        },
    );
    format!(
        "{key} is {standing}.\n\n{}",
        table.text("Its ledger is empty.")
    )
}

fn what(event: &posthaste_core::quarantine::Event) -> String {
    use posthaste_core::quarantine::Event as E;
    match event {
        E::Failed(failed) => format!("failed: {} {}", failed.kind, failed.reason),
        E::Delivered { log } => format!("delivered (row {log})"),
        E::Complained => "complaint".to_owned(),
        E::Set { status, reason } => format!("set: {status} {reason}"),
        E::Imported { status, reason } => format!("imported: {status} {reason}"),
        E::Lifted => "lifted".to_owned(),
        E::Snapshot(_) => "older events folded".to_owned(),
    }
}

fn set_by_hand(args: &SetArgs, office: &Office) -> Result<Exit> {
    let Some((status, addresses)) = args.words.split_last() else {
        return Err(Failure::new(Exit::Usage, "give addresses and a status"));
    };
    let status = address_status(status).map_err(|known| {
        Failure::new(
            Exit::Usage,
            format!("\"{status}\" is not a status (it stands last): {known}"),
        )
    })?;
    let reason = args.reason.unwrap_or_else(|| usual_reason(status));
    let mut settings = Vec::with_capacity(addresses.len());
    for address in addresses {
        settings.push(Setting {
            key: key_of(address)?,
            status,
            reason,
        });
    }
    let (config, store) = office.open()?;
    let by = match &args.comment {
        Some(comment) => format!("{OPERATOR}: {comment}"),
        None => OPERATOR.to_owned(),
    };
    let hand = Hand {
        policy: &config.quarantine,
        by: &by,
        at: office.now(),
    };
    let rows = set(store.as_ref(), &settings, hand)?;
    office.answer(
        || json!({ "items": json_of(&rows) }),
        || table(&rows).text(""),
    )?;
    Ok(Exit::Done)
}

fn import(args: &ImportArgs, office: &Office) -> Result<Exit> {
    let (config, store) = office.open()?;
    let stdin = args.file == Path::new("-");
    let input: Box<dyn Read> = if stdin {
        Box::new(std::io::stdin().lock())
    } else {
        let doing = format!("reading the list {}", args.file.display());
        Box::new(BufReader::new(
            File::open(&args.file).map_err(|e| Failure::file(doing, &e))?,
        ))
    };
    let path = args.rejects.clone().unwrap_or_else(|| {
        let name = if stdin {
            "stdin".into()
        } else {
            args.file.display().to_string()
        };
        PathBuf::from(format!("{name}.rejects.csv"))
    });
    let mut rejects = RejectsFile { path, file: None };
    let by = format!("import {}", args.file.display());
    let hand = Hand {
        policy: &config.quarantine,
        by: &by,
        at: office.now(),
    };
    let report = quarantine_list::import(store.as_ref(), input, args.status, hand, &mut rejects)?;
    let kept = rejects.file.is_some().then_some(&rejects.path);
    office.answer(
        || {
            let mut json = json_of(&report);
            if let serde_json::Value::Object(fields) = &mut json {
                fields.insert("rejects".to_owned(), json!(kept));
            }
            json
        },
        || {
            let mut text = format!(
                "Read {} lines: {} new or changed, {} as before, {} rejected.",
                number(report.read),
                number(report.applied),
                number(report.unchanged),
                number(report.rejected)
            );
            if let Some(path) = kept {
                text.push_str(&format!("\nThe rejected lines are in {}.", path.display()));
            }
            text
        },
    )?;
    Ok(Exit::Done)
}

/// A file that is created when the first rejected line is written.
struct RejectsFile {
    path: PathBuf,
    file: Option<File>,
}

impl Write for RejectsFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => self.file.insert(File::create(&self.path)?).write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

fn export(filter: Filter, path: Option<&Path>, office: &Office) -> Result<Exit> {
    let store = office.store()?;
    let filter = filter.checked()?;
    let Some(path) = path else {
        let mut out = std::io::stdout().lock();
        quarantine_list::export(store.as_ref(), &filter, &mut out)?;
        return Ok(Exit::Done);
    };
    let doing = format!("writing the list {}", path.display());
    let file = File::create(path).map_err(|e| Failure::file(doing, &e))?;
    let written = quarantine_list::export(store.as_ref(), &filter, &mut BufWriter::new(file))?;
    office.answer(
        || json!({ "written": written, "file": path }),
        || format!("Wrote {} entries to {}.", number(written), path.display()),
    )?;
    Ok(Exit::Done)
}
