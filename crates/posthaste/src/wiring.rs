//! The only place that constructs things: the store, the clock, importer, preparer, services.
//!
//! Verbs call the functions below and see traits only.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use posthaste_compose::list_headers::Unsubscribe;
use posthaste_compose::{Attributes, Identity, Mailbox, Template};
use posthaste_core::ids::{DeliveryId, LogId};
use posthaste_core::time::Timestamp;
use posthaste_desk::deliveries::spec_of;
use posthaste_engine::clock::{Clock, SystemClock};
use posthaste_engine::content::content_of;
use posthaste_engine::import::{ImportError, Importer, Options, Report};
use posthaste_engine::preparer::{PrepareError, Prepared, Preparer, Settings};
use posthaste_mail::token::Secret;
use posthaste_net::resolver::Answer;
use posthaste_net::system::{SystemResolver, SystemSettings};
use posthaste_store::rows::{Delivery, Recipient};
use posthaste_store::sqlite::SqliteStore;
use posthaste_store::{Store, StoreError};

use crate::config::Config;
use crate::delivery_file::Source;
use crate::exit::{Exit, Failure, Result};
use crate::output::counted;
use crate::verbs;
use crate::work_bar::WorkBar;

/// A store that several threads use.
pub type SharedStore = Arc<dyn Store>;

/// Name of the store's file in the data directory.
pub const STORE_FILE: &str = "posthaste.sqlite";

/// Creates an empty store.
pub fn create_store(path: &Path) -> Result<()> {
    SqliteStore::create(path)?;
    Ok(())
}

/// Opens the store of a configuration.
pub fn open_store(config: &Config) -> Result<SharedStore> {
    Ok(Arc::new(SqliteStore::open(config.store_file())?))
}

/// Now, by the system's clock.
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// A flag that becomes true with the first Ctrl-C or SIGTERM; the second one ends the process at
/// once.
pub fn cancelled_by_signals() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::file("starting the watch for signals", &e))?;
    let watched = Arc::clone(&flag);
    std::thread::spawn(move || {
        runtime.block_on(async {
            while interrupted().await {
                if watched.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(Exit::Interrupted as u8));
                }
            }
        });
    });
    Ok(flag)
}

/// Waits for a signal; false when signals cannot be watched.
async fn interrupted() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return false;
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
        told = terminate.recv() => told.is_some(),
    }
}

/// Imports a recipients file into a new list.
pub fn import_recipients(
    store: &SharedStore,
    source: &Source,
    list: &str,
    now: Timestamp,
) -> Result<Report> {
    let Source::File {
        path,
        charset,
        address_column,
        rename,
    } = source
    else {
        return Err(Failure::input("a stored list is not imported again"));
    };
    let doing = || format!("reading the recipients {}", path.display());
    let file = std::fs::File::open(path).map_err(|e| Failure::file(doing(), &e))?;
    let options = Options {
        charset: charset.clone(),
        address_column: address_column.clone(),
        rename: rename.clone(),
        ..Options::for_file(path, list)
    };
    let cancel = cancelled_by_signals()?;
    let importer = Importer::new(store.as_ref(), now, &cancel);
    let bar = WorkBar::counting("importing");
    importer
        .import(file, &options, &mut |at| bar.show(at.read))
        .map_err(|error| match error {
            ImportError::Store(exists @ StoreError::Exists { .. }) => {
                Failure::input(format!("{exists}; choose another name with --list"))
            }
            ImportError::Store(error) => error.into(),
            ImportError::Interrupted => Failure::new(Exit::Interrupted, error),
            ImportError::Read(_)
            | ImportError::Charset(_)
            | ImportError::Empty
            | ImportError::Header(_)
            | ImportError::DuplicateColumn(_)
            | ImportError::NoAddressColumn { .. }
            | ImportError::NoSuchColumn { .. }
            | ImportError::Rejects { .. } => Failure::input(format!("{}: {error}", path.display())),
        })
}

/// What an import rejected, in a sentence.
pub fn rejected(report: &Report) -> String {
    let mut text = format!("rejected: {}", counted(report.rejected, "line"));
    if let Some((line, why)) = report.first_rejects.first() {
        text.push_str(&format!("; the first is line {line}: {why}"));
    }
    if let Some(file) = &report.rejects_file {
        text.push_str(&format!("; all of them are in {}", file.display()));
    }
    text
}

/// Prepares a delivery in this process.
pub fn prepare(store: &SharedStore, config: &Config, id: DeliveryId) -> Result<Prepared> {
    let cancel = cancelled_by_signals()?;
    let settings = Settings {
        holder: format!("{} {}", config.instance, std::process::id()),
        list_unsubscribe: true,
        threads: 0,
    };
    let preparer = Preparer::new(store.as_ref(), &SystemClock, settings, &cancel);
    let bar = WorkBar::measured("preparing");
    preparer
        .prepare(id, &mut |at| bar.show_of(at.read, at.of))
        .map_err(|error| match error {
            PrepareError::Illegal { .. } | PrepareError::Held(_) | PrepareError::Changed(_) => {
                Failure::new(Exit::Illegal, error)
            }
            PrepareError::Interrupted(_) => Failure::new(Exit::Interrupted, error),
            PrepareError::Store(error) => error.into(),
            PrepareError::Spec { .. } | PrepareError::Content(_) => {
                Failure::new(Exit::Store, error)
            }
            PrepareError::NoControlList(_) => Failure::new(Exit::NotFound, error),
        })
}

/// A rendered message.
pub struct Preview {
    /// The subject.
    pub subject: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part; empty when there is none.
    pub text: String,
    /// The message, unsigned.
    pub eml: Vec<u8>,
}

/// Renders the message of one recipient as it would be sent, with a token of no row.
pub fn preview(
    store: &SharedStore,
    config: &Config,
    delivery: &Delivery,
    recipient: &Recipient,
) -> Result<Preview> {
    let spec = spec_of(delivery)?;
    let content = content_of(&spec, store.as_ref()).map_err(|e| Failure::new(Exit::Store, e))?;
    let template = Template::compile(&content).map_err(Failure::input)?;
    let parse = |text: &str| {
        posthaste_core::address::Address::parse(text)
            .map_err(|e| Failure::input(format!("\"{text}\" is not a mail address: {e}")))
    };
    let address = parse(&recipient.address)?;
    let attributes = Attributes::parse(&address, &recipient.attributes)
        .map_err(|e| Failure::new(Exit::Store, format!("the recipient's attributes: {e}")))?;
    let rendered = template.render(&attributes).map_err(|e| {
        Failure::input(format!(
            "line {} ({}): {e}",
            recipient.line, recipient.address
        ))
    })?;
    let secret = Secret::new(&config.secret()?).map_err(Failure::input)?;
    let way = Unsubscribe::new(
        &parse(&spec.error_address)?,
        config.unsubscribe_url.as_deref(),
    )
    .map_err(Failure::input)?;
    let from = Mailbox::parse(&spec.from).map_err(Failure::input)?;
    let row = LogId(0);
    let identity = Identity::new(&secret, row, from.address.domain(), delivery.created)
        .unsubscribed_by(&way, &secret, row);
    let eml = template
        .message(&identity, &attributes)
        .map_err(Failure::input)?;
    Ok(Preview {
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text.unwrap_or_default(),
        eml,
    })
}

/// The TXT records of a name; the inner error says why they could not be looked up.
pub fn look_up_txt(
    config: &Config,
    name: &str,
) -> Result<std::result::Result<Vec<String>, String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::file("starting the look-up", &e))?;
    let settings = SystemSettings {
        name_servers: config.dns.nameservers.clone(),
        timeout: config.dns.timeout,
        attempts: usize::try_from(config.dns.attempts).unwrap_or(2),
        ..SystemSettings::default()
    };
    runtime.block_on(async {
        let resolver = SystemResolver::new(&settings).map_err(Failure::input)?;
        Ok(match resolver.txt(name).await {
            Answer::Found { records, .. } => Ok(records),
            Answer::NoData { .. } | Answer::NoDomain { .. } => Ok(Vec::new()),
            Answer::Failed(why) => Err(format!("it could not be looked up: {why}")),
        })
    })
}

/// Runs pretend providers until told to stop: those of the demo, or one that accepts everything.
pub fn sandbox(args: &verbs::SandboxArgs) -> Result<Exit> {
    use posthaste_sandbox::{Config, demo, serve_process};
    let mut config = match (&args.config, args.fates.as_str()) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Failure::file(format!("reading {}", path.display()), &e))?;
            Config::from_toml(&text).map_err(Failure::input)?
        }
        (None, "accept") => Config::sink(),
        (None, "mixed") => demo::config(),
        (None, other) => {
            return Err(Failure::input(format!(
                "\"{other}\": write --fates mixed or accept"
            )));
        }
    };
    if config.providers.len() == 1 {
        for provider in &mut config.providers {
            provider.listen = args.listen;
        }
    }
    config.ledger.clone_from(&args.ledger);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::file("starting the pretend providers", &e))?;
    runtime
        .block_on(serve_process(config))
        .map_err(|e| Failure::new(Exit::Trouble, e))?;
    Ok(Exit::Done)
}
