//! Runs the engine's services for `send`, `delivery proof` and `serve`: builds them from the
//! configuration, takes the lock of the data directory, listens for signals, shows progress.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use posthaste_compose::dkim::{PrivateKey, Signer};
use posthaste_core::delivery::{DeliveryEvent, DeliveryState};
use posthaste_core::ids::DeliveryId;
use posthaste_core::qualify::RuleSet;
use posthaste_core::shaping::Limits;
use posthaste_desk::deliveries;
use posthaste_engine::clock::{Clock, SystemClock};
use posthaste_engine::lock::{LockError, ServicesLock};
use posthaste_engine::progress::{Board, Progress};
use posthaste_engine::sender::{Identities, SenderSettings};
use posthaste_engine::services::{self, Services, Until};
use posthaste_mail::token::Secret;
use posthaste_net::plan::{PlanSettings, Router};
use posthaste_net::resolver::Resolver;
use posthaste_net::system::{SystemResolver, SystemSettings};
use posthaste_net::tls::TlsClient;
use posthaste_smtp::client::ClientSettings;
use posthaste_smtp::stages::Timeouts;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Domain};
use crate::exit::{Exit, Failure, Result};
use crate::output;
use crate::progress_bar::Watch;
use crate::wiring::{SharedStore, cancelled_by_signals};

/// How often progress is shown and signals are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Takes the lock of the data directory; the inner error says that another process has it.
pub fn lock(config: &Config) -> Result<std::result::Result<ServicesLock, Failure>> {
    match ServicesLock::take(&config.data_dir) {
        Ok(lock) => Ok(Ok(lock)),
        Err(held @ LockError::Held { .. }) => Ok(Err(Failure::new(Exit::Occupied, held))),
        Err(file @ LockError::File { .. }) => Err(Failure::new(Exit::Store, file)),
    }
}

/// Runs the services until the delivery has ended or is paused; when another process runs them
/// already, waits until that one has sent it. Returns whether a signal interrupted it.
pub fn until_ended(
    store: &SharedStore,
    config: &Config,
    id: DeliveryId,
    watch: &dyn Watch,
) -> Result<bool> {
    watch.begin(deliveries::find(store.as_ref(), id)?.to_send);
    let cancel = cancelled_by_signals()?;
    match lock(config)? {
        Ok(_lock) => {
            let make = || services(store, config, &own_way(config)?);
            drive(make, Until::Ended(vec![id]), &cancel, |board| {
                watch.show(&board.of(id));
            })?;
        }
        Err(_) => follow(store, id, &cancel, watch)?,
    }
    Ok(cancel.load(Ordering::Relaxed))
}

/// Whether a process runs the services of this data directory.
pub fn is_served(config: &Config) -> bool {
    matches!(lock(config), Ok(Err(_)))
}

/// Makes sure that the services could start: secret, DKIM keys, settings. Asked before anything is
/// written, since a delivery that is confirmed is sent by whichever services run next.
pub fn check(config: &Config) -> Result<()> {
    identities(config)?;
    sender_settings(config)?;
    Ok(())
}

/// Runs the services until a signal comes.
pub fn serve(store: &SharedStore, config: &Config) -> Result<()> {
    let cancel = cancelled_by_signals()?;
    let _lock = lock(config)??;
    tracing::info!(instance = %config.instance, "the services run; SIGTERM drains them");
    output::remark(format!(
        "Running the services of {}; SIGTERM or Ctrl-C finishes what is on the wire and ends.",
        config.data_dir.display()
    ));
    drive(
        || services(store, config, &own_way(config)?),
        Until::Told,
        &cancel,
        |_| {},
    )
}

/// Another process sends it: shows its numbers until it is at rest.
fn follow(
    store: &SharedStore,
    id: DeliveryId,
    cancel: &AtomicBool,
    watch: &dyn Watch,
) -> Result<()> {
    let mut paused = false;
    loop {
        let state = deliveries::find(store.as_ref(), id)?.state;
        if state.has_ended() || state == DeliveryState::Paused {
            return Ok(());
        }
        if cancel.load(Ordering::Relaxed) && !paused {
            paused = true;
            deliveries::act(store.as_ref(), id, DeliveryEvent::Pause, SystemClock.now())?;
        }
        let tally = store.tally(id)?;
        watch.show(&Progress {
            sent: tally.sent,
            ..Progress::default()
        });
        std::thread::sleep(LOOK);
    }
}

/// Runs the services that `make` makes, showing progress, until they end or `cancel` is set.
pub fn drive(
    make: impl FnOnce() -> Result<Services>,
    until: Until,
    cancel: &AtomicBool,
    mut show: impl FnMut(&Board),
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::file("starting the services", &e))?;
    runtime.block_on(async {
        let services = make()?;
        let board = Arc::clone(&services.board);
        let stop = CancellationToken::new();
        let mut running = tokio::spawn(services::run(services, until, stop.clone()));
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                ended = &mut running => {
                    return match ended {
                        Ok(result) => result.map_err(Failure::from),
                        Err(crash) => Err(Failure::new(Exit::Trouble, format!("the services: {crash}"))),
                    };
                }
                _ = look.tick() => show(&board),
            }
            if cancel.load(Ordering::Relaxed) {
                stop.cancel();
            }
        }
    })
}

/// Which clock and which names the services go by.
pub struct Way {
    /// Policy time.
    pub clock: Arc<dyn Clock>,
    /// Where names are looked up.
    pub resolver: Arc<dyn Resolver>,
}

/// The real clock, and DNS as configured. To be called where a runtime runs.
fn own_way(config: &Config) -> Result<Way> {
    let resolver = SystemResolver::new(&SystemSettings {
        name_servers: config.dns.nameservers.clone(),
        timeout: config.dns.timeout,
        attempts: count(config.dns.attempts),
        smtp_port: config.sending.port,
        ..SystemSettings::default()
    })
    .map_err(|e| Failure::new(Exit::Trouble, e))?;
    Ok(Way {
        clock: Arc::new(SystemClock),
        resolver: Arc::new(resolver),
    })
}

/// Everything the services need, from the configuration.
pub fn services(store: &SharedStore, config: &Config, way: &Way) -> Result<Services> {
    let plans = PlanSettings {
        routes: config.routes.clone(),
        own_names: vec![config.ehlo_name.clone()],
        ..PlanSettings::default()
    };
    Ok(Services {
        store: Arc::clone(store),
        clock: Arc::clone(&way.clock),
        owner: format!(
            "{} {} {}",
            config.instance,
            std::process::id(),
            SystemClock.now().0
        ),
        rules: Arc::new(RuleSet::shipped()),
        policy: config.quarantine.clone(),
        retention: config.cleanup.log_retention,
        cleanup_hour: config.cleanup.hour,
        router: Arc::new(Router::new(Arc::clone(&way.resolver), plans)),
        identities: Arc::new(identities(config)?),
        settings: sender_settings(config)?,
        board: Arc::new(Board::default()),
    })
}

fn identities(config: &Config) -> Result<Identities> {
    let mut signers = HashMap::new();
    for domain in &config.domains {
        signers.insert(domain.name.clone(), signers_of(domain)?);
    }
    Ok(Identities {
        secret: Secret::new(&config.secret()?).map_err(Failure::input)?,
        signers,
        unsubscribe_endpoint: config.unsubscribe_url.clone(),
    })
}

fn signers_of(domain: &Domain) -> Result<Vec<Arc<Signer>>> {
    let mut signers = Vec::with_capacity(domain.dkim.len());
    for key in &domain.dkim {
        let shown = key.key_file.display();
        let pem = std::fs::read_to_string(&key.key_file)
            .map_err(|e| Failure::file(format!("reading the DKIM key {shown}"), &e))?;
        let wrong = |why: &dyn std::fmt::Display| Failure::input(format!("{shown}: {why}"));
        let private = PrivateKey::from_pem(&pem).map_err(|e| wrong(&e))?;
        let signer = Signer::new(private, &domain.name, &key.selector).map_err(|e| wrong(&e))?;
        signers.push(Arc::new(signer));
    }
    Ok(signers)
}

fn sender_settings(config: &Config) -> Result<SenderSettings> {
    let (smtp, sending) = (&config.smtp, &config.sending);
    let tls = TlsClient::new(Vec::new()).map_err(|e| Failure::new(Exit::Trouble, e))?;
    let held = count(sending.recipients_held);
    Ok(SenderSettings {
        client: ClientSettings {
            ehlo_name: config.ehlo_name.clone(),
            timeouts: Timeouts {
                connect: smtp.connect,
                greeting: smtp.greeting,
                ehlo: smtp.ehlo,
                starttls: smtp.starttls,
                auth: smtp.auth,
                mail: smtp.mail,
                rcpt: smtp.rcpt,
                data: smtp.data,
                content: smtp.content,
                final_dot: smtp.final_dot,
                quit: smtp.quit,
            },
            source: config.source_address,
            tls: Arc::new(tls),
        },
        limits: Limits {
            connections: sending.connections_per_site,
            messages_per_connection: sending.messages_per_connection,
            ..Limits::default()
        },
        connections: count(sending.connections),
        held,
        held_per_site: (held * 3).div_ceil(4),
        idle: smtp.idle,
        lease: Duration::from_hours(1),
        overflow_wait: Duration::from_secs(10),
        lookups: 256,
    })
}

fn count(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
