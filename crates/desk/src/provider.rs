//! Which provider a host belongs to, as far as its name tells.

use std::collections::BTreeMap;

use posthaste_store::rows::ToldBy;

/// Second labels under which names are registered in many countries, as in `example.co.uk`.
const SHARED: [&str; 8] = ["ac", "co", "com", "edu", "gov", "ne", "net", "org"];

/// The last two labels of a host name, three below a shared second label; an IP address as it is.
///
/// ```
/// use posthaste_desk::provider::provider_of;
/// assert_eq!(provider_of("mx1.mail.example.com"), "example.com");
/// assert_eq!(provider_of("mx.example.co.uk"), "example.co.uk");
/// assert_eq!(provider_of("192.0.2.1"), "192.0.2.1");
/// ```
#[must_use]
pub fn provider_of(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.parse::<std::net::IpAddr>().is_ok() {
        return host;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let shared = match labels.as_slice() {
        [_, .., second, top] => top.len() == 2 && SHARED.contains(second),
        _ => false,
    };
    let from = labels.len().saturating_sub(if shared { 3 } else { 2 });
    labels.get(from..).unwrap_or_default().join(".")
}

/// Addresses by provider, most first.
#[must_use]
pub fn by_provider<'a>(told: impl Iterator<Item = &'a ToldBy>) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for one in told {
        *sums.entry(provider_of(&one.host)).or_default() += one.addresses;
    }
    let mut sums: Vec<(String, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    sums
}

#[cfg(test)]
mod tests {
    use posthaste_core::ids::QualificationId;

    use super::*;

    #[test]
    fn hosts_of_one_provider_are_put_together() {
        let told = |host: &str, addresses| ToldBy {
            qualification: QualificationId(1),
            host: host.to_owned(),
            addresses,
        };
        let rows = [
            told("mx1.example.com", 2),
            told("MX2.EXAMPLE.com.", 3),
            told("mx.example.co.uk", 9),
            told("mx.example.co", 1),
            told("2001:db8::1", 1),
            told("localhost", 1),
        ];
        let sums = by_provider(rows.iter());
        let names: Vec<(&str, u64)> = sums.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(names[..2], [("example.co.uk", 9), ("example.com", 5)]);
        assert_eq!(names.len(), 5);
    }
}
