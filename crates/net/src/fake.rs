//! A resolver that answers from a table: for tests, and for the demonstration on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::resolver::{Answer, Answering, MxRecord, Resolver, Trouble};

/// A table of names. What is not in it does not exist.
#[derive(Debug, Clone)]
pub struct FakeResolver {
    mx: HashMap<String, Answer<MxRecord>>,
    hosts: HashMap<String, Answer<SocketAddr>>,
    ttl: Duration,
}

impl Default for FakeResolver {
    fn default() -> Self {
        Self::new(Duration::from_secs(300))
    }
}

impl FakeResolver {
    /// An empty table; each answer lives for `ttl`.
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        Self {
            mx: HashMap::new(),
            hosts: HashMap::new(),
            ttl,
        }
    }

    /// Adds an MX record to a domain.
    #[must_use]
    pub fn domain(mut self, domain: &str, preference: u16, host: &str) -> Self {
        let record = MxRecord {
            preference,
            host: host.to_ascii_lowercase(),
        };
        let ttl = self.ttl;
        match self
            .mx
            .entry(domain.to_ascii_lowercase())
            .or_insert(Answer::NoData { ttl })
        {
            Answer::Found { records, .. } => records.push(record),
            other @ (Answer::NoData { .. } | Answer::NoDomain { .. } | Answer::Failed(_)) => {
                *other = Answer::Found {
                    records: vec![record],
                    ttl,
                }
            }
        }
        self
    }

    /// Adds an address, with its port, to a host.
    #[must_use]
    pub fn host(mut self, host: &str, address: SocketAddr) -> Self {
        let ttl = self.ttl;
        match self
            .hosts
            .entry(host.to_ascii_lowercase())
            .or_insert(Answer::NoData { ttl })
        {
            Answer::Found { records, .. } => records.push(address),
            other @ (Answer::NoData { .. } | Answer::NoDomain { .. } | Answer::Failed(_)) => {
                *other = Answer::Found {
                    records: vec![address],
                    ttl,
                }
            }
        }
        self
    }

    /// A domain that exists and has no MX.
    #[must_use]
    pub fn without_mx(mut self, domain: &str) -> Self {
        let ttl = self.ttl;
        self.mx
            .insert(domain.to_ascii_lowercase(), Answer::NoData { ttl });
        self
    }

    /// A domain whose MX look-up fails.
    #[must_use]
    pub fn failing_domain(mut self, domain: &str, trouble: Trouble) -> Self {
        self.mx
            .insert(domain.to_ascii_lowercase(), Answer::Failed(trouble));
        self
    }

    /// A host whose address look-up fails.
    #[must_use]
    pub fn failing_host(mut self, host: &str, trouble: Trouble) -> Self {
        self.hosts
            .insert(host.to_ascii_lowercase(), Answer::Failed(trouble));
        self
    }
}

impl Resolver for FakeResolver {
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, MxRecord> {
        let answer = match self.mx.get(domain) {
            Some(answer) => answer.clone(),
            None if self.hosts.contains_key(domain) => Answer::NoData { ttl: self.ttl },
            None => Answer::NoDomain { ttl: self.ttl },
        };
        Box::pin(std::future::ready(answer))
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, SocketAddr> {
        let answer = match self.hosts.get(host) {
            Some(answer) => answer.clone(),
            None if self.mx.contains_key(host) => Answer::NoData { ttl: self.ttl },
            None => Answer::NoDomain { ttl: self.ttl },
        };
        Box::pin(std::future::ready(answer))
    }
}
