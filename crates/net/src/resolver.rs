//! What can be asked about a name, and what the answer can be.
//!
//! The trait is implemented by [`crate::system`] (DNS) and [`crate::fake`] (a table). Answers tell
//! apart what must be told apart: a domain that does not exist is final, a time-out is not.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

/// A future that can be called through `dyn Resolver`.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MxRecord {
    /// Its preference: lower is tried first (RFC 5321 §5.1).
    pub preference: u16,
    /// Its host, lower case, without the final dot; empty for a null MX (RFC 7505 §3).
    pub host: String,
}

/// What a look-up brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// There are such records; never empty.
    Found {
        /// The records.
        records: Vec<T>,
        /// How long they may be kept.
        ttl: Duration,
    },
    /// The domain does not exist (NXDOMAIN).
    NoDomain {
        /// How long this may be kept; zero when the server did not say.
        ttl: Duration,
    },
    /// The domain exists and has no such records.
    NoData {
        /// How long this may be kept; zero when the server did not say.
        ttl: Duration,
    },
    /// There was no usable answer; another time there may be one.
    Failed(Trouble),
}

/// Why there was no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No name server answered in time.
    TimeOut,
    /// The name servers answered with an error: SERVFAIL, REFUSED and the like.
    Server(String),
    /// The name refers to itself by CNAME records.
    Loop,
    /// The question could not be asked.
    Local(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimeOut => f.write_str("time-out"),
            Self::Server(said) => write!(f, "the name server said {said}"),
            Self::Loop => f.write_str("its CNAME records form a loop"),
            Self::Local(what) => f.write_str(what),
        }
    }
}

/// Looks names up.
pub trait Resolver: Send + Sync {
    /// The MX records of a domain (A-label form, lower case, no final dot).
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, MxRecord>;

    /// The addresses of a host, with the port at which its SMTP server listens.
    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, SocketAddr>;
}
