//! `posthaste dkim`: making keys, and comparing them with what the DNS publishes.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use posthaste_compose::dkim::{PrivateKey, check, generate_ed25519, generate_rsa, record_name};
use posthaste_core::address::domain_key;
use serde_json::json;

use crate::config::{Config, DkimKey};
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output;
use crate::wiring;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a key, write it to a file, and say which DNS record to publish
    #[command(
        after_help = "Example:\n  posthaste dkim generate example.com s1 --output dkim-s1.pem"
    )]
    Generate(GenerateArgs),
    /// Compare the keys of the configuration with the published records
    #[command(after_help = "Example:\n  posthaste dkim check example.com")]
    Check {
        /// Only this domain
        domain: Option<String>,
    },
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// RSA with 2048 bits: understood everywhere
    Rsa,
    /// Ed25519 (RFC 8463): short and fast, not yet understood everywhere
    Ed25519,
}

/// Arguments of `dkim generate`.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    /// The From domain
    domain: String,
    /// The selector: a DNS label
    selector: String,
    /// Kind of key
    #[arg(long = "type", value_enum, default_value = "rsa")]
    kind: Kind,
    /// File of the private key [default: dkim-DOMAIN-SELECTOR.pem]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Carries out a verb on keys.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::Generate(args) => generate(&args, office),
        Verb::Check { domain } => check_all(domain.as_deref(), office),
    }
}

fn generate(args: &GenerateArgs, office: &Office) -> Result<Exit> {
    let wrong = |what: &str, text: &str, why: String| {
        Failure::input(format!("\"{text}\" cannot be a {what}: {why}"))
    };
    let domain =
        domain_key(&args.domain).map_err(|e| wrong("domain", &args.domain, e.to_string()))?;
    domain_key(&format!("{}.example", args.selector))
        .map_err(|e| wrong("selector", &args.selector, e.to_string()))?;
    let usual = || PathBuf::from(format!("dkim-{domain}-{}.pem", args.selector));
    let path = args.output.clone().unwrap_or_else(usual);
    let made = match args.kind {
        Kind::Rsa => generate_rsa(),
        Kind::Ed25519 => generate_ed25519(),
    };
    let pem = made.map_err(|e| Failure::new(Exit::Trouble, e))?;
    let key = PrivateKey::from_pem(&pem).map_err(|e| Failure::new(Exit::Trouble, e))?;
    write_key(&path, &pem)?;
    let (name, record) = (record_name(&args.selector, &domain), key.record());
    office.answer(
        || json!({ "file": path, "name": name, "type": "TXT", "record": record }),
        || {
            format!(
                "Wrote {}.\nPublish this TXT record (as one text, or several that are joined):\n\n\
                 {name}\n{record}\n\nThen add to [[domain]] of {domain} in posthaste.toml:\n\
                 dkim = [{{ selector = \"{}\", key_file = \"{}\" }}]",
                path.display(),
                args.selector,
                path.display()
            )
        },
    )?;
    Ok(Exit::Done)
}

fn write_key(path: &Path, pem: &str) -> Result<()> {
    let doing = format!("writing the key {}", path.display());
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(pem.as_bytes()))
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                Failure::input(format!(
                    "{doing}: it exists already and may be in use; choose another name with --output"
                ))
            } else {
                Failure::file(&doing, &error)
            }
        })
}

/// What became of the check of one key.
struct Checked {
    name: String,
    problem: Option<String>,
}

fn check_all(only: Option<&str>, office: &Office) -> Result<Exit> {
    let config = office.config()?;
    let mut checked = Vec::new();
    for domain in config
        .domains
        .iter()
        .filter(|d| only.is_none_or(|only| d.name == only))
    {
        for key in &domain.dkim {
            let name = record_name(&key.selector, &domain.name);
            let problem = problem_of(&config, key, &name)?;
            checked.push(Checked { name, problem });
        }
    }
    if checked.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            "the configuration names no such DKIM key: add dkim to a [[domain]] table",
        ));
    }
    tell(&checked, office)?;
    let good = checked.iter().all(|c| c.problem.is_none());
    Ok(if good { Exit::Done } else { Exit::Input })
}

fn problem_of(config: &Config, key: &DkimKey, name: &str) -> Result<Option<String>> {
    let doing = format!("reading the key {}", key.key_file.display());
    let pem = std::fs::read_to_string(&key.key_file).map_err(|e| Failure::file(&doing, &e))?;
    let private = match PrivateKey::from_pem(&pem) {
        Ok(private) => private,
        Err(error) => return Ok(Some(error.to_string())),
    };
    Ok(match wiring::look_up_txt(config, name)? {
        Err(why) => Some(why),
        Ok(records) => {
            let results: Vec<_> = records
                .iter()
                .map(|record| check(record, &private))
                .collect();
            if results.iter().any(std::result::Result::is_ok) {
                None
            } else {
                let first = results.into_iter().find_map(std::result::Result::err);
                Some(first.map_or_else(
                    || format!("nothing is published there; publish {}", private.record()),
                    |problem| problem.to_string(),
                ))
            }
        }
    })
}

fn tell(checked: &[Checked], office: &Office) -> Result<()> {
    if office.json() {
        let items: Vec<_> = checked
            .iter()
            .map(|c| json!({ "name": c.name, "good": c.problem.is_none(), "problem": c.problem }))
            .collect();
        return output::say_json(&json!({ "items": items, "next": null }));
    }
    for c in checked {
        match &c.problem {
            None => output::say(format!("{}: good", c.name))?,
            Some(problem) => output::say(format!("{}: {problem}", c.name))?,
        }
    }
    Ok(())
}
