//! From the text of a delivery file to a checked [`DeliveryFile`].

use std::path::Path;

use posthaste_compose::Mailbox;
use posthaste_core::address::Address;
use posthaste_core::delivery::{ApprovalMode, Priority};
use posthaste_core::log::Channel;
use posthaste_desk::times::parse_rfc3339;
use posthaste_engine::import;
use posthaste_engine::spec::{Exclusions, Spec};
use toml::Table;

use super::content::{self, Content};
use super::{DeliveryFile, Source};
use crate::config::{self, Config};
use crate::section::{Problem, Problems, Section};

/// The largest batch quantity that can be asked for.
const MOST_IN_A_PART: u32 = 10_000;

/// Reads and checks the text of the delivery file at `path`; files in it are relative to it.
///
/// # Errors
/// All problems with their keys.
pub fn check(text: &str, path: &Path, config: &Config) -> Result<DeliveryFile, Vec<Problem>> {
    let table: Table = text.parse().map_err(|e| vec![config::not_toml(&e, text)])?;
    let problems = Problems::default();
    let file = read(Section::root(table, &problems), path, config);
    match problems.take() {
        none if none.is_empty() => Ok(file),
        some => Err(some),
    }
}

fn read(mut root: Section, path: &Path, config: &Config) -> DeliveryFile {
    let home = path.parent().unwrap_or(Path::new(""));
    let stem = path
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let label = root.text("label").unwrap_or(stem);
    let channel = root
        .word("channel", &[("email", Channel::Email)])
        .unwrap_or(Channel::Email);
    let source = source(&mut root, home);
    let from = from(&mut root);
    let error_address = error_address(&mut root, from.as_ref(), config);
    let reply_to = root.parsed("reply_to", mailbox).map(|(text, _)| text);
    let Content {
        subject,
        html,
        text,
        headers,
        attachments,
        blobs,
    } = content::read(
        &mut root,
        home,
        from.as_ref().map(|(text, _)| text.as_str()),
        columns(&source).as_deref(),
    );
    let spec = Spec {
        label,
        channel,
        list: String::new(),
        from: from.map_or_else(String::new, |(text, _)| text),
        reply_to,
        error_address,
        subject,
        html,
        text,
        headers,
        attachments,
        priority: root
            .word("priority", &words(Priority::ALL))
            .unwrap_or(Priority::Normal),
        contact_date: root.moment("contact_date", parse_rfc3339),
        validity: root
            .timeout("validity")
            .unwrap_or(config.deliveries.validity),
        retries: config::retries(root.section("retries"), &config.retries),
        batch_quantity: root
            .count("batch_quantity", 0..=MOST_IN_A_PART)
            .unwrap_or(0),
        exclusions: exclusions(root.section("exclusions")),
        approval: root
            .word("approval", &words(ApprovalMode::ALL))
            .unwrap_or(ApprovalMode::Manual),
        test_smtp: root.flag("test_smtp").unwrap_or(false),
    };
    root.done();
    DeliveryFile {
        spec,
        source,
        blobs,
    }
}

/// Values by their slugs.
fn words<T: Copy + std::fmt::Display>(all: &[T]) -> Vec<(String, T)> {
    all.iter()
        .map(|value| (value.to_string(), *value))
        .collect()
}

fn source(root: &mut Section, home: &Path) -> Source {
    let (file, list) = (root.text("recipients"), root.text("list"));
    let charset = root.text("charset");
    let address_column = root.text("address_column");
    let rename = root.pairs("rename_columns");
    if file.is_none() {
        for (key, given) in [
            ("charset", charset.is_some()),
            ("address_column", address_column.is_some()),
            ("rename_columns", !rename.is_empty()),
        ] {
            if given {
                root.wrong(
                    key,
                    "it belongs to a recipients file: give \"recipients\" too",
                );
            }
        }
    }
    match (file, list) {
        (Some(_), Some(_)) => {
            root.wrong(
                "list",
                "give \"recipients\" (a file) or \"list\" (a stored list), not both",
            );
            Source::List(String::new())
        }
        (Some(file), None) => {
            let path = home.join(file);
            if let Err(error) = std::fs::File::open(&path) {
                let shown = path.display();
                root.wrong(
                    "recipients",
                    format!("{shown} cannot be read: {error}; check the path"),
                );
            }
            Source::File {
                path,
                charset,
                address_column,
                rename,
            }
        }
        (None, Some(list)) => Source::List(list),
        (None, None) => {
            root.wrong(
                "recipients",
                "it is missing: name a CSV or NDJSON file, or a stored list with \"list\"",
            );
            Source::List(String::new())
        }
    }
}

/// The columns of a CSV file of recipients. What cannot be read here is reported by the import.
fn columns(source: &Source) -> Option<Vec<String>> {
    let Source::File {
        path,
        charset,
        address_column,
        rename,
    } = source
    else {
        return None;
    };
    let options = import::Options {
        charset: charset.clone(),
        address_column: address_column.clone(),
        rename: rename.clone(),
        ..import::Options::for_file(path, "")
    };
    let file = std::fs::File::open(path).ok()?;
    import::column_names(file, &options).ok().flatten()
}

/// A mailbox as it is written, and its address.
fn mailbox(text: &str) -> Result<(String, Address), String> {
    Mailbox::parse(text)
        .map(|mailbox| (text.trim().to_owned(), mailbox.address))
        .map_err(|why| {
            format!("\"{text}\" is not a mailbox: {why}; write address or Name <address>")
        })
}

fn from(root: &mut Section) -> Option<(String, Address)> {
    if !root.has("from") {
        root.wrong("from", "it is missing: write address or Name <address>");
    }
    root.parsed("from", mailbox)
}

fn error_address(root: &mut Section, from: Option<&(String, Address)>, config: &Config) -> String {
    let given = root.has("error_address");
    let own = root.parsed("error_address", |text| {
        Address::parse(text)
            .map(|address| address.original().to_owned())
            .map_err(|why| format!("\"{text}\" is not a mail address: {why}"))
    });
    let domain = from.map(|(_, address)| address.domain());
    let usual = domain
        .and_then(|d| config.domain(d))
        .and_then(|d| d.error_address.clone());
    let address = own.or(usual);
    if address.is_none() && !given {
        let table = domain.map_or_else(String::new, |d| format!(" of {d}"));
        root.wrong(
            "error_address",
            format!(
                "it is missing: bounces need an address; give it here, or for all deliveries in \
                 the [[domain]] table{table} of posthaste.toml"
            ),
        );
    }
    address.unwrap_or_default()
}

fn exclusions(mut section: Section) -> Exclusions {
    let usual = Exclusions::default();
    let exclusions = Exclusions {
        duplicates: section.flag("duplicates").unwrap_or(usual.duplicates),
        denylisted: section.flag("denylisted").unwrap_or(usual.denylisted),
        quarantined: section.flag("quarantined").unwrap_or(usual.quarantined),
        minimum_quality: section.number("minimum_quality"),
        control_percent: section
            .percent("control_percent")
            .unwrap_or(usual.control_percent),
        control_seed: section.text("control_seed").unwrap_or(usual.control_seed),
        control_list: section.text("control_list"),
    };
    section.done();
    exclusions
}
