//! The resolver that asks DNS, with the system's name servers or given ones.
//!
//! hickory-resolver asks, retries, follows CNAME records and checks answers; this file only
//! translates. Names are asked as they are: no search list, no hosts file, as for MX (RFC 5321
//! §5.1).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the lists of record types, codes and errors are open and not ours"
)]

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use crate::resolver::{Answer, Answering, MxRecord, Resolver, Trouble};

/// How DNS is asked.
#[derive(Debug, Clone)]
pub struct SystemSettings {
    /// The name servers with their ports; empty: those of the system (`/etc/resolv.conf`).
    pub name_servers: Vec<SocketAddr>,
    /// How long one question to one name server may take.
    pub timeout: Duration,
    /// How often a question is asked again.
    pub attempts: usize,
    /// The port at which SMTP servers listen.
    pub smtp_port: u16,
    /// Whether hosts are reached by IPv6 too. IPv4 addresses are tried first.
    pub ipv6: bool,
}

impl Default for SystemSettings {
    fn default() -> Self {
        Self {
            name_servers: Vec::new(),
            timeout: Duration::from_secs(5),
            attempts: 2,
            smtp_port: 25,
            ipv6: true,
        }
    }
}

/// A chain of more CNAME records than this is taken for a loop.
const LONGEST_CHAIN: usize = 16;

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
#[error(
    "setting up DNS: {why}: check /etc/resolv.conf, or name the name servers in the configuration"
)]
pub struct NoResolver {
    why: String,
}

/// Asks DNS.
pub struct SystemResolver {
    dns: TokioResolver,
    smtp_port: u16,
    ipv6: bool,
}

impl SystemResolver {
    /// A resolver with these settings. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system's settings cannot be read, or name no server.
    pub fn new(settings: &SystemSettings) -> Result<Self, NoResolver> {
        let failed = |why: &dyn std::fmt::Display| NoResolver {
            why: why.to_string(),
        };
        let (config, mut options) = if settings.name_servers.is_empty() {
            hickory_resolver::system_conf::read_system_conf().map_err(|e| failed(&e))?
        } else {
            let servers = settings.name_servers.iter().map(name_server).collect();
            (
                ResolverConfig::from_name_servers(servers),
                ResolverOpts::default(),
            )
        };
        if config.name_servers().is_empty() {
            return Err(failed(&"no name server is known"));
        }
        options.timeout = settings.timeout;
        options.attempts = settings.attempts;
        options.use_hosts_file = ResolveHosts::Never;
        // Answers are kept once, as plans: a second cache would only take memory.
        options.cache_size = 64;
        options.ip_strategy = if settings.ipv6 {
            LookupIpStrategy::Ipv4AndIpv6
        } else {
            LookupIpStrategy::Ipv4Only
        };
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        Ok(Self {
            dns: builder.build().map_err(|e| failed(&e))?,
            smtp_port: settings.smtp_port,
            ipv6: settings.ipv6,
        })
    }

    /// The TXT records of a name, the strings of each joined (RFC 7208 §3.3).
    pub async fn txt(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => {
                let bytes: Vec<u8> = txt.txt_data.concat();
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => None,
        })
        .await
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Answer<T> {
        let name = match Name::from_ascii(name) {
            Ok(mut name) => {
                name.set_fqdn(true);
                name
            }
            Err(why) => return Answer::Failed(Trouble::Local(format!("{name}: {why}"))),
        };
        match self.dns.lookup(name.clone(), kind).await {
            Ok(lookup) => found(&lookup, read),
            // RFC 2308 §2.2: a name server that knows that there is nothing sends its SOA.
            Err(error) if is_bare(&error) && self.is_loop(name).await => {
                Answer::Failed(Trouble::Loop)
            }
            Err(error) => failed(&error),
        }
    }

    /// Whether the CNAME records of a name lead back to one of them. A recursive name server says
    /// SERVFAIL then; one that is asked for its own zone sends the records and nothing else.
    async fn is_loop(&self, name: Name) -> bool {
        let mut chain = vec![name];
        while let Some(last) = chain.last().filter(|_| chain.len() <= LONGEST_CHAIN) {
            let Ok(lookup) = self.dns.lookup(last.clone(), RecordType::CNAME).await else {
                return false;
            };
            let next = lookup
                .answers()
                .iter()
                .find_map(|record| match &record.data {
                    RData::CNAME(target) if record.name == *last => Some(target.0.clone()),
                    _ => None,
                });
            match next {
                Some(next) if chain.contains(&next) => return true,
                Some(next) => chain.push(next),
                None => return false,
            }
        }
        true
    }
}

/// Whether the answer was empty: neither records nor the reason why there are none.
fn is_bare(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none))
        if none.response_code == ResponseCode::NoError && none.soa.is_none())
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn found<T>(lookup: &Lookup, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
    let ttl = lookup
        .valid_until()
        .saturating_duration_since(Instant::now());
    let records: Vec<T> = lookup
        .answers()
        .iter()
        .filter_map(|r| read(&r.data))
        .collect();
    if !records.is_empty() {
        return Answer::Found { records, ttl };
    }
    Answer::NoData { ttl }
}

fn failed<T>(error: &NetError) -> Answer<T> {
    match error {
        // The library gives a waiting question up either way, depending on which of its tasks ends first.
        NetError::Timeout | NetError::Message("receiver was canceled") => {
            Answer::Failed(Trouble::TimeOut)
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            let ttl = Duration::from_secs(u64::from(none.negative_ttl.unwrap_or(0)));
            match none.response_code {
                ResponseCode::NXDomain => Answer::NoDomain { ttl },
                ResponseCode::NoError => Answer::NoData { ttl },
                other => Answer::Failed(Trouble::Server(spelled(other))),
            }
        }
        NetError::Dns(DnsError::ResponseCode(code)) => {
            Answer::Failed(Trouble::Server(spelled(*code)))
        }
        other => Answer::Failed(Trouble::Local(other.to_string())),
    }
}

/// The code as administrators know it (RFC 1035 §4.1.1).
fn spelled(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => other.to_string(),
    }
}

/// The addresses of both families, IPv4 first. One family that fails does not spoil the other.
fn joined(v4: Answer<IpAddr>, v6: Answer<IpAddr>) -> Answer<IpAddr> {
    match (v4, v6) {
        (
            Answer::Found { mut records, ttl },
            Answer::Found {
                records: more,
                ttl: other,
            },
        ) => {
            records.extend(more);
            Answer::Found {
                records,
                ttl: ttl.min(other),
            }
        }
        (found @ Answer::Found { .. }, _) | (_, found @ Answer::Found { .. }) => found,
        (failed @ Answer::Failed(_), _) | (_, failed @ Answer::Failed(_)) => failed,
        (first, _) => first,
    }
}

impl Resolver for SystemResolver {
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, MxRecord> {
        Box::pin(self.ask(domain, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(MxRecord {
                preference: mx.preference,
                host: host_name(&mx.exchange),
            }),
            _ => None,
        }))
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, SocketAddr> {
        Box::pin(async move {
            let v4 = self.ask(host, RecordType::A, |data| match data {
                RData::A(a) => Some(IpAddr::V4(a.0)),
                _ => None,
            });
            let both = if self.ipv6 {
                let v6 = self.ask(host, RecordType::AAAA, |data| match data {
                    RData::AAAA(a) => Some(IpAddr::V6(a.0)),
                    _ => None,
                });
                let (v4, v6) = tokio::join!(v4, v6);
                joined(v4, v6)
            } else {
                v4.await
            };
            match both {
                Answer::Found { records, ttl } => Answer::Found {
                    records: records
                        .into_iter()
                        .map(|ip| SocketAddr::new(ip, self.smtp_port))
                        .collect(),
                    ttl,
                },
                Answer::NoDomain { ttl } => Answer::NoDomain { ttl },
                Answer::NoData { ttl } => Answer::NoData { ttl },
                Answer::Failed(trouble) => Answer::Failed(trouble),
            }
        })
    }
}

fn host_name(name: &Name) -> String {
    let text = name.to_ascii();
    text.trim_end_matches('.').to_ascii_lowercase()
}
