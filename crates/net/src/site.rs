//! The site: the provider behind a set of MX hosts, by one name.
//!
//! Domains whose mail is taken by the same hosts share one site, so that they share its pace and
//! its connections. The key is decided from the host names alone:
//!
//! 1. several hosts: their longest common suffix of labels (`alt1.aspmx.l.google.com` and
//!    `aspmx.l.google.com` give `aspmx.l.google.com`);
//! 2. one host: its name without the first label (`example-com.mail.protection.outlook.com` gives
//!    `mail.protection.outlook.com`);
//! 3. such a suffix counts only if it can belong to one provider: at least two labels, and not a
//!    label of up to three letters under a country (`co.uk`, `com.br`). If it does not count, the
//!    key is the sorted host names, joined by commas;
//! 4. a domain without MX is its own site, and so is a relay (`host:port`).

use std::sync::Arc;

/// The name of a site. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteKey(Arc<str>);

impl SiteKey {
    /// A key that is given: a domain without MX, a relay.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Arc::from(name.to_ascii_lowercase()))
    }

    /// The key of a set of MX hosts; their order does not matter.
    #[must_use]
    pub fn of_hosts<S: AsRef<str>>(hosts: &[S]) -> Self {
        let mut names: Vec<String> = hosts
            .iter()
            .map(|h| h.as_ref().to_ascii_lowercase())
            .collect();
        names.sort_unstable();
        names.dedup();
        let suffix = match names.as_slice() {
            [] => String::new(),
            [one] => one
                .split_once('.')
                .map_or_else(String::new, |(_, rest)| rest.to_owned()),
            [first, others @ ..] => others
                .iter()
                .fold(first.clone(), |suffix, name| common_suffix(&suffix, name)),
        };
        if belongs_to_one(&suffix) {
            Self(Arc::from(suffix))
        } else {
            Self(Arc::from(names.join(",")))
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SiteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The labels that both names end in.
fn common_suffix(a: &str, b: &str) -> String {
    let mut labels: Vec<&str> = a
        .rsplit('.')
        .zip(b.rsplit('.'))
        .take_while(|(x, y)| x == y)
        .map(|(x, _)| x)
        .collect();
    labels.reverse();
    labels.join(".")
}

/// Rule 3 of the module's comment.
fn belongs_to_one(suffix: &str) -> bool {
    let mut labels = suffix.rsplit('.');
    let (Some(top), Some(second)) = (labels.next(), labels.next()) else {
        return false;
    };
    let below_a_country = top.len() == 2 && second.len() <= 3;
    labels.next().is_some() || !below_a_country
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_their_sites() {
        let rows: [(&[&str], &str); 9] = [
            (
                &["alt1.aspmx.l.google.com", "ASPMX.l.google.com"],
                "aspmx.l.google.com",
            ),
            (&["mx1.example.com", "mx2.example.com"], "example.com"),
            (&["mx.example.com"], "example.com"),
            (&["a-b.mail.protection.example"], "mail.protection.example"),
            (&["mx.example.co.uk"], "example.co.uk"),
            (&["shop.co.uk"], "shop.co.uk"),
            (&["b.co.uk", "a.co.uk"], "a.co.uk,b.co.uk"),
            (
                &["mx.example.net", "mx.example.org"],
                "mx.example.net,mx.example.org",
            ),
            (&["example.com"], "example.com"),
        ];
        for (hosts, key) in rows {
            assert_eq!(SiteKey::of_hosts(hosts).as_str(), key, "{hosts:?}");
            let mut reversed = hosts.to_vec();
            reversed.reverse();
            assert_eq!(SiteKey::of_hosts(&reversed).as_str(), key, "{hosts:?}");
        }
    }
}
