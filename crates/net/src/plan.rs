//! Where the mail of a domain goes: the site, its hosts in order, their addresses; or why nowhere.
//!
//! Comes in: a domain. Goes out: a [`Plan`], or [`Unroutable`], which becomes evidence. Both are
//! kept by domain ([`crate::cache`]). A route goes before MX. The order among equal hosts is not
//! part of what is kept: [`Plan::in_order`] takes a seed.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use posthaste_core::evidence::{Evidence, Outcome, Stage};
use posthaste_core::time::Timestamp;

use crate::cache::Cache;
use crate::mx::{self, Exchange, Exchanges};
use crate::resolver::{Answer, Resolver};
use crate::route::{Credentials, Route, first_match};
use crate::site::SiteKey;
use crate::tls::TlsPolicy;

/// A host with its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, lower case.
    pub name: String,
    /// Its preference: lower is tried first.
    pub preference: u16,
    /// Its addresses; never empty.
    pub addresses: Vec<SocketAddr>,
}

/// Where the mail of a domain goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The site whose pace and connections it shares.
    pub site: SiteKey,
    /// Its hosts by preference and name; never empty.
    pub hosts: Vec<Host>,
    /// How the stream is to be protected.
    pub tls: TlsPolicy,
    /// Who we are to the host, for a relay.
    pub auth: Option<Arc<Credentials>>,
}

impl Plan {
    /// The hosts in the order of trying: by preference, equals by `seed`.
    #[must_use]
    pub fn in_order(&self, seed: u64) -> Vec<&Host> {
        let mut hosts: Vec<&Host> = self.hosts.iter().collect();
        mx::spread(&mut hosts, seed, |h| h.preference, |h| h.name.as_str());
        hosts
    }
}

/// Why the mail of a domain goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable {
    /// A sentence: `DNS: the domain example.com does not exist (NXDOMAIN)`.
    pub why: String,
    /// Whether that is final.
    pub permanent: bool,
}

impl Unroutable {
    /// The outcome of every recipient of that domain.
    #[must_use]
    pub fn outcome(&self, at: Timestamp) -> Outcome {
        let evidence = Evidence::ours(Stage::Dns, self.why.as_str(), at);
        if self.permanent {
            Outcome::Refused(evidence)
        } else {
            Outcome::Deferred(evidence)
        }
    }
}

/// What is known about a domain. Cheap to clone.
pub type Planned = Result<Arc<Plan>, Arc<Unroutable>>;

/// How plans are made and kept.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// Routes that override MX; the first match counts.
    pub routes: Vec<Route>,
    /// Our own host names, lower case: mail is not sent to ourselves in a loop.
    pub own_names: Vec<String>,
    /// How streams to MX hosts are protected.
    pub tls: TlsPolicy,
    /// At most so many hosts of a domain are tried.
    pub most_hosts: usize,
    /// At most so many addresses of a host are tried.
    pub most_addresses: usize,
    /// A plan is kept at least and at most so long, whatever its TTL.
    pub keep: (Duration, Duration),
    /// A domain that cannot be reached is kept as such at least and at most so long.
    pub keep_failure: (Duration, Duration),
    /// At most so many domains are kept.
    pub capacity: usize,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            own_names: Vec::new(),
            tls: TlsPolicy::Opportunistic,
            most_hosts: 10,
            most_addresses: 4,
            keep: (Duration::from_secs(60), Duration::from_secs(3600)),
            keep_failure: (Duration::from_secs(30), Duration::from_secs(900)),
            capacity: 20_000,
        }
    }
}

/// Makes plans, and keeps them.
pub struct Router {
    resolver: Arc<dyn Resolver>,
    settings: PlanSettings,
    kept: Mutex<Cache<Planned>>,
}

/// A plan or a failure, and how long the names it rests on may be kept.
struct Made {
    planned: Result<Plan, Unroutable>,
    ttl: Duration,
}

impl Made {
    fn failed(why: String, permanent: bool, ttl: Duration) -> Self {
        Self {
            planned: Err(Unroutable { why, permanent }),
            ttl,
        }
    }
}

impl Router {
    /// A router over a resolver.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>, settings: PlanSettings) -> Self {
        let kept = Mutex::new(Cache::new(settings.capacity));
        Self {
            resolver,
            settings,
            kept,
        }
    }

    /// Where the mail of a domain (A-label form, lower case) goes. `now_ms` is the time of any
    /// clock that does not go back, in milliseconds.
    ///
    /// # Errors
    /// [`Unroutable`] when it goes nowhere, now or for good.
    ///
    /// # Cancel
    /// Safe: nothing is kept before the whole answer is there.
    pub async fn plan(&self, domain: &str, now_ms: u64) -> Planned {
        if let Some(planned) = self.kept().get(domain, now_ms) {
            return planned;
        }
        let made = match first_match(&self.settings.routes, domain) {
            Some(route) => self.through_relay(route).await,
            None => self.through_mx(domain).await,
        };
        let (least, most) = if made.planned.is_ok() {
            self.settings.keep
        } else {
            self.settings.keep_failure
        };
        let ttl = made.ttl.max(least).min(most);
        let until_ms = now_ms.saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        let planned = made.planned.map(Arc::new).map_err(Arc::new);
        self.kept().keep(domain, planned.clone(), until_ms);
        planned
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Cache<Planned>> {
        // A cache is whole after every step: a panic elsewhere cannot have broken it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn through_relay(&self, route: &Route) -> Made {
        let site = SiteKey::named(&format!("{}:{}", route.host, route.port));
        let (addresses, ttl) = match route.host.parse::<IpAddr>() {
            Ok(ip) => (vec![SocketAddr::new(ip, route.port)], self.settings.keep.1),
            Err(_) => match self.resolver.addresses(&route.host).await {
                Answer::Found { records, ttl } => (self.cut(records, Some(route.port)), ttl),
                Answer::NoDomain { ttl } | Answer::NoData { ttl } => {
                    let why = format!("DNS: the relay {} has no address", route.host);
                    return Made::failed(why, false, ttl);
                }
                Answer::Failed(trouble) => {
                    let why = format!("DNS: no answer for the relay {} ({trouble})", route.host);
                    return Made::failed(why, false, Duration::ZERO);
                }
            },
        };
        let host = Host {
            name: route.host.clone(),
            preference: 0,
            addresses,
        };
        Made {
            planned: Ok(Plan {
                site,
                hosts: vec![host],
                tls: route.tls,
                auth: route.auth.clone(),
            }),
            ttl,
        }
    }

    async fn through_mx(&self, domain: &str) -> Made {
        let answer = self.resolver.mx(domain).await;
        let ttl = match &answer {
            Answer::Found { ttl, .. } | Answer::NoDomain { ttl } | Answer::NoData { ttl } => *ttl,
            Answer::Failed(_) => Duration::ZERO,
        };
        let own = &self.settings.own_names;
        match mx::exchanges(domain, &answer, own, self.settings.most_hosts) {
            Exchanges::Listed(list) => self.through_hosts(domain, list, ttl).await,
            Exchanges::Implicit => self.through_itself(domain, ttl).await,
            Exchanges::None { why, permanent } => Made::failed(why, permanent, ttl),
        }
    }

    async fn through_hosts(&self, domain: &str, list: Vec<Exchange>, mut ttl: Duration) -> Made {
        let names: Vec<&str> = list.iter().map(|e| e.host.as_str()).collect();
        let site = SiteKey::of_hosts(&names);
        let mut hosts = Vec::with_capacity(list.len());
        let mut trouble = None;
        for Exchange { host, preference } in list {
            match self.resolver.addresses(&host).await {
                Answer::Found { records, ttl: own } => {
                    ttl = ttl.min(own);
                    hosts.push(Host {
                        name: host,
                        preference,
                        addresses: self.cut(records, None),
                    });
                }
                Answer::NoDomain { .. } | Answer::NoData { .. } => {}
                Answer::Failed(what) => trouble = Some((host, what)),
            }
        }
        match trouble {
            _ if !hosts.is_empty() => self.mx_plan(site, hosts, ttl),
            Some((host, what)) => {
                let why = format!("DNS: no answer for the MX host {host} of {domain} ({what})");
                Made::failed(why, false, Duration::ZERO)
            }
            None => {
                let why = format!("DNS: no MX host of {domain} has an address");
                Made::failed(why, true, ttl)
            }
        }
    }

    async fn through_itself(&self, domain: &str, ttl: Duration) -> Made {
        match self.resolver.addresses(domain).await {
            Answer::Found { records, ttl: own } => {
                let host = Host {
                    name: domain.to_owned(),
                    preference: 0,
                    addresses: self.cut(records, None),
                };
                self.mx_plan(SiteKey::named(domain), vec![host], ttl.min(own))
            }
            Answer::NoDomain { ttl } => {
                let why = format!("DNS: the domain {domain} does not exist (NXDOMAIN)");
                Made::failed(why, true, ttl)
            }
            Answer::NoData { ttl: own } => {
                let why = format!("DNS: {domain} has neither an MX nor an address");
                Made::failed(why, true, ttl.min(own))
            }
            Answer::Failed(trouble) => {
                let why = format!("DNS: no answer for the address of {domain} ({trouble})");
                Made::failed(why, false, Duration::ZERO)
            }
        }
    }

    fn mx_plan(&self, site: SiteKey, hosts: Vec<Host>, ttl: Duration) -> Made {
        Made {
            planned: Ok(Plan {
                site,
                hosts,
                tls: self.settings.tls,
                auth: None,
            }),
            ttl,
        }
    }

    fn cut(&self, mut addresses: Vec<SocketAddr>, port: Option<u16>) -> Vec<SocketAddr> {
        addresses.truncate(self.settings.most_addresses.max(1));
        if let Some(port) = port {
            addresses.iter_mut().for_each(|a| a.set_port(port));
        }
        addresses
    }
}

#[cfg(test)]
mod tests;
