//! Names, routes and encrypted streams: how a domain becomes hosts, and a host becomes a stream.
//!
//! ```text
//! domain ─► route? ─► MX ─► addresses ─► Plan (site, hosts) ─► connect ─► Stream ─► TLS
//! ```
//!
//! [`resolver`] is the trait behind which names are looked up ([`system`] asks DNS, [`fake`] a
//! table); [`mx`] decides, without I/O, which hosts take a domain's mail; [`plan`] joins both with
//! the [`route`]s and keeps the answers ([`cache`]); [`connect`] and [`tls`] open streams. Nothing
//! here knows SMTP.

pub mod cache;
pub mod connect;
pub mod fake;
pub mod mx;
pub mod plan;
pub mod resolver;
pub mod route;
pub mod site;
pub mod system;
pub mod tls;
