//! Routes: mail for some domains goes to a relay instead of their MX hosts.

use std::fmt;
use std::sync::Arc;

use crate::tls::TlsPolicy;

/// A text that must not show up in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps a text secret.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// User and password for AUTH (RFC 4954).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// Send them even where the stream is not encrypted. Off unless the operator says so.
    pub in_clear_text: bool,
}

/// A pattern of domains: `example.com`, `*.example` (any domain below), or `*` (every domain).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainMask(String);

/// Why a text is no domain mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no domain mask: write example.com, *.example.com or *")]
pub struct NotAMask {
    /// The text as it was written.
    pub text: String,
}

impl DomainMask {
    /// Reads a mask. A domain is written in A-label or Unicode form.
    ///
    /// # Errors
    /// When the text is neither a domain nor `*` with or without one.
    pub fn parse(text: &str) -> Result<Self, NotAMask> {
        let wrong = || NotAMask {
            text: text.to_owned(),
        };
        let (star, name) = match text.trim().strip_prefix('*') {
            Some("") => return Ok(Self("*".to_owned())),
            Some(rest) => ("*.", rest.strip_prefix('.').ok_or_else(wrong)?),
            None => ("", text.trim()),
        };
        // A mask may have a single label (`*.test`), which is no domain of its own.
        let key = match posthaste_core::address::domain_key(&format!("x.{name}")) {
            Ok(key) => key.strip_prefix("x.").unwrap_or(&key).to_owned(),
            Err(_) => return Err(wrong()),
        };
        Ok(Self(format!("{star}{key}")))
    }

    /// Whether a domain (A-label form, lower case) is meant. `*.example` does not mean `example`.
    #[must_use]
    pub fn matches(&self, domain: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(suffix) => domain.len() > suffix.len() && domain.ends_with(suffix),
            None => self.0 == domain,
        }
    }
}

/// One `[[route]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The domains it is for.
    pub domains: Vec<DomainMask>,
    /// The relay's host name or IP address.
    pub host: String,
    /// The relay's port.
    pub port: u16,
    /// How the stream to it is protected.
    pub tls: TlsPolicy,
    /// Who we are to it.
    pub auth: Option<Arc<Credentials>>,
}

/// Why a text is no `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no relay: write host:port, as in relay.example.com:587 or [::1]:25")]
pub struct NotARelay {
    /// The text as it was written.
    pub text: String,
}

/// Reads `host:port`; an IPv6 address stands in brackets. Without a port it is 25.
///
/// # Errors
/// When the host is empty or the port is no number above 0.
pub fn parse_relay(text: &str) -> Result<(String, u16), NotARelay> {
    let wrong = || NotARelay {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    let (host, port) = if let Some(rest) = trimmed.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
        match after {
            "" => (host, None),
            _ => (host, Some(after.strip_prefix(':').ok_or_else(wrong)?)),
        }
    } else {
        match trimmed.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (trimmed, None),
        }
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|&p| p > 0).ok_or_else(wrong)?,
        None => 25,
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || !host.chars().all(fits) {
        return Err(wrong());
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// The first route that is meant for a domain.
#[must_use]
pub fn first_match<'a>(routes: &'a [Route], domain: &str) -> Option<&'a Route> {
    routes
        .iter()
        .find(|route| route.domains.iter().any(|mask| mask.matches(domain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_the_domains_they_mean() {
        let rows = [
            ("example.com", "example.com", true),
            ("Example.COM", "example.com", true),
            ("example.com", "sub.example.com", false),
            ("*.example.com", "sub.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.test", "shop.test", true),
            ("*", "anything.example", true),
            ("*.bücher.example", "a.xn--bcher-kva.example", true),
        ];
        for (mask, domain, meant) in rows {
            let mask = DomainMask::parse(mask).expect(mask);
            assert_eq!(mask.matches(domain), meant, "{mask:?} {domain}");
        }
        for text in ["", "*x", "*.", "exa mple.com", "a..b", "**"] {
            assert!(DomainMask::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn relays_are_host_and_port() {
        let rows = [
            ("relay.example.com:587", Some(("relay.example.com", 587))),
            ("relay.example.com", Some(("relay.example.com", 25))),
            ("127.0.0.1:2525", Some(("127.0.0.1", 2525))),
            ("[::1]:2525", Some(("::1", 2525))),
            ("[::1]", Some(("::1", 25))),
            ("::1", None),
            ("", None),
            (":25", None),
            ("host:0", None),
            ("host:99999", None),
            ("ho st:25", None),
        ];
        for (text, expected) in rows {
            let got = parse_relay(text).ok();
            let got = got.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let secret = Secret::new("open sesame");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.reveal(), "open sesame");
    }
}
