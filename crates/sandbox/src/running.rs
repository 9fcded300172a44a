//! Starts the providers of a sandbox, and says where they are.

use std::net::SocketAddr;
use std::sync::Arc;

use posthaste_smtp::server::{Session, Tls, serve};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::config::{Config, Presence, StartTls};
use crate::ledger::Ledger;
use crate::site::{Site, Visit};
use crate::{Provider, SandboxError};

/// A provider and where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The provider's name.
    pub name: String,
    /// Its domains; `*` stands for all.
    pub domains: Vec<String>,
    /// Host names of its MX, best first.
    pub mx: Vec<String>,
    /// Where it listens, or would if it did.
    pub addr: SocketAddr,
}

/// A `[[route]]` entry of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The domains that go this way.
    pub domains: Vec<String>,
    /// Where they go: `host:port`.
    pub relay: String,
}

/// What a pretend DNS says about a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// The domain.
    pub domain: String,
    /// Preference and host name of each MX.
    pub mx: Vec<(u16, String)>,
    /// The address of each of these hosts; its port is the sandbox's, not 25.
    pub addr: SocketAddr,
}

/// A sandbox that runs; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    places: Vec<Place>,
    ledger: Arc<Ledger>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts the providers, on the current Tokio runtime.
///
/// # Errors
/// [`SandboxError`] when a provider cannot listen, the ledger's file cannot be opened, or a
/// certificate cannot be made.
pub async fn run(config: Config) -> Result<Running, SandboxError> {
    let ledger = Arc::new(Ledger::open(config.ledger.as_deref(), config.accept_all)?);
    let mut running = Running {
        places: Vec::new(),
        ledger: Arc::clone(&ledger),
        tasks: Vec::new(),
    };
    for provider in config.providers {
        let listener = listen(&provider).await?;
        let addr = listener
            .local_addr()
            .map_err(|source| SandboxError::Listen {
                provider: provider.name.clone(),
                addr: provider.listen,
                source,
            })?;
        running.places.push(Place {
            name: provider.name.clone(),
            domains: provider.domains.clone(),
            mx: match provider.mx.as_slice() {
                [] => vec![provider.host()],
                mx => mx.to_vec(),
            },
            addr,
        });
        if provider.presence == Presence::Closed {
            continue;
        }
        let tls = tls(&provider)?;
        let site = Site::new(
            provider,
            Arc::clone(&ledger),
            config.seed,
            config.accept_all,
        );
        running
            .tasks
            .push(tokio::spawn(accept(listener, Arc::new(site), tls)));
    }
    Ok(running)
}

impl Running {
    /// The providers and where they listen.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Where the provider of this name listens.
    #[must_use]
    pub fn addr(&self, name: &str) -> Option<SocketAddr> {
        self.places.iter().find(|p| p.name == name).map(|p| p.addr)
    }

    /// What was accepted.
    #[must_use]
    pub const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The `[[route]]` entries that lead the providers' domains here.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        let route = |place: &Place| Route {
            domains: place.domains.clone(),
            relay: place.addr.to_string(),
        };
        self.places.iter().map(route).collect()
    }

    /// The same as text for a configuration file.
    #[must_use]
    pub fn routes_toml(&self) -> String {
        #[derive(Serialize)]
        struct File {
            route: Vec<Route>,
        }
        let file = File {
            route: self.routes(),
        };
        toml::to_string(&file).unwrap_or_default()
    }

    /// What a pretend DNS says: each domain with its MX. Names that end with `*` are left out.
    #[must_use]
    pub fn zone(&self) -> Vec<Zone> {
        let mut zone = Vec::new();
        for place in &self.places {
            let mx: Vec<(u16, String)> = (1..).map(|n| n * 10).zip(place.mx.clone()).collect();
            for domain in place.domains.iter().filter(|d| !d.starts_with('*')) {
                zone.push(Zone {
                    domain: domain.clone(),
                    mx: mx.clone(),
                    addr: place.addr,
                });
            }
        }
        zone
    }

    /// Ends all providers and their connections.
    ///
    /// Cancel: they end even if this is not awaited to its end.
    pub async fn stop(mut self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in std::mem::take(&mut self.tasks) {
            // An aborted task says so; that is what was wanted.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(provider: &Provider) -> Result<TcpListener, SandboxError> {
    TcpListener::bind(provider.listen)
        .await
        .map_err(|source| SandboxError::Listen {
            provider: provider.name.clone(),
            addr: provider.listen,
            source,
        })
}

/// Takes connections for ever; they end with this task.
async fn accept(listener: TcpListener, site: Arc<Site>, tls: Tls) {
    let mut visits = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                visits.spawn(visit(stream, peer, Arc::clone(&site), tls.clone()));
            }
            // Out of files, as a rule: wait until some connections have ended.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
        while visits.try_join_next().is_some() {}
    }
}

async fn visit(stream: TcpStream, peer: SocketAddr, site: Arc<Site>, tls: Tls) {
    let settings = site.settings();
    let session = Session::new(settings, Visit::new(site, peer.ip()));
    // A client that breaks off is nothing to a pretend provider; its ledger has what counts.
    let _ = serve(stream, session, tls).await;
}

fn tls(provider: &Provider) -> Result<Tls, SandboxError> {
    match provider.starttls {
        StartTls::Off => Ok(Tls::Off),
        StartTls::Broken => Ok(Tls::Broken),
        StartTls::On => {
            let names = match provider.mx.as_slice() {
                [] => vec![provider.host()],
                mx => mx.to_vec(),
            };
            acceptor(names).map(Tls::On)
        }
    }
}

/// A TLS acceptor with a fresh certificate that it signed itself.
fn acceptor(names: Vec<String>) -> Result<TlsAcceptor, SandboxError> {
    let trouble = |why: &dyn std::fmt::Display| SandboxError::Certificate {
        why: why.to_string(),
    };
    let made = rcgen::generate_simple_self_signed(names).map_err(|why| trouble(&why))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|why| trouble(&why))?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .map_err(|why| trouble(&why))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
