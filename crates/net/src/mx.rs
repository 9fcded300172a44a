//! Which hosts take a domain's mail: decided from the MX answer alone (RFC 5321 §5.1).
//!
//! Values in, values out: no look-up, no randomness (a seed is a parameter), no clock.

use crate::resolver::{Answer, MxRecord};

/// A host to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its name, lower case.
    pub host: String,
    /// Its preference: lower is tried first.
    pub preference: u16,
}

/// What the MX answer says about a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchanges {
    /// These hosts, by preference and name.
    Listed(Vec<Exchange>),
    /// No MX: the domain's own address takes its mail (RFC 5321 §5.1, implicit MX).
    Implicit,
    /// None of them can be used.
    None {
        /// Why, as a sentence for the evidence.
        why: String,
        /// Whether that is final.
        permanent: bool,
    },
}

/// Reads an MX answer. `own` are this program's own host names, in lower case; at most `most`
/// hosts are kept, the preferred ones.
#[must_use]
pub fn exchanges(
    domain: &str,
    answer: &Answer<MxRecord>,
    own: &[String],
    most: usize,
) -> Exchanges {
    match answer {
        Answer::Found { records, .. } => listed(domain, records, own, most),
        Answer::NoData { .. } => Exchanges::Implicit,
        Answer::NoDomain { .. } => Exchanges::None {
            why: format!("DNS: the domain {domain} does not exist (NXDOMAIN)"),
            permanent: true,
        },
        Answer::Failed(trouble) => Exchanges::None {
            why: format!("DNS: no answer for MX of {domain} ({trouble})"),
            permanent: false,
        },
    }
}

fn listed(domain: &str, records: &[MxRecord], own: &[String], most: usize) -> Exchanges {
    let mut hosts: Vec<Exchange> = records
        .iter()
        .filter(|r| !is_null(r))
        .map(|r| Exchange {
            host: r.host.trim_end_matches('.').to_ascii_lowercase(),
            preference: r.preference,
        })
        .collect();
    if hosts.is_empty() {
        return Exchanges::None {
            why: format!("DNS: {domain} accepts no mail (null MX, RFC 7505)"),
            permanent: true,
        };
    }
    hosts.sort_by(|a, b| (a.preference, &a.host).cmp(&(b.preference, &b.host)));
    let mut seen = std::collections::HashSet::new();
    hosts.retain(|h| seen.insert(h.host.clone()));
    // RFC 5321 §5.1: a host in the list drops itself and everything that is not preferred to it.
    if let Some(ours) = hosts.iter().find(|h| own.contains(&h.host)) {
        let ours = ours.preference;
        hosts.retain(|h| h.preference < ours);
    }
    if hosts.is_empty() {
        return Exchanges::None {
            why: format!(
                "DNS: the mail of {domain} would loop back to this host: it is the preferred MX"
            ),
            permanent: true,
        };
    }
    hosts.truncate(most.max(1));
    Exchanges::Listed(hosts)
}

/// RFC 7505 §3: a null MX has the root as its host. A null MX beside others is ignored.
fn is_null(record: &MxRecord) -> bool {
    record.host.is_empty() || record.host == "."
}

/// Puts items into the order of trying: by preference, and in an order among equals that depends
/// on `seed` only (RFC 5321 §5.1: equals are spread at random).
pub fn spread<T>(
    items: &mut [T],
    seed: u64,
    preference: impl Fn(&T) -> u16,
    name: impl Fn(&T) -> &str,
) {
    items.sort_by_cached_key(|item| (preference(item), mixed(seed, name(item))));
}

/// A number that depends on the seed and each byte of the name (FNV-1a, then a finaliser that
/// spreads nearby seeds).
pub(crate) fn mixed(seed: u64, name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::Trouble;
    use proptest::prelude::*;
    use std::time::Duration;

    const TTL: Duration = Duration::from_secs(60);

    fn found(records: &[(u16, &str)]) -> Answer<MxRecord> {
        Answer::Found {
            records: records
                .iter()
                .map(|&(preference, host)| MxRecord {
                    preference,
                    host: host.to_owned(),
                })
                .collect(),
            ttl: TTL,
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn answers_and_what_they_mean() {
        let list = |hosts: &[(u16, &str)]| {
            Exchanges::Listed(
                hosts
                    .iter()
                    .map(|&(preference, host)| Exchange {
                        host: host.to_owned(),
                        preference,
                    })
                    .collect(),
            )
        };
        let none = |why: &str, permanent| Exchanges::None {
            why: why.to_owned(),
            permanent,
        };
        let rows = [
            (
                "by preference, lower case, each once",
                found(&[
                    (20, "MX2.example.com."),
                    (10, "mx1.example.com"),
                    (30, "mx1.example.com"),
                ]),
                list(&[(10, "mx1.example.com"), (20, "mx2.example.com")]),
            ),
            ("no MX", Answer::NoData { ttl: TTL }, Exchanges::Implicit),
            (
                "null MX",
                found(&[(0, ".")]),
                none("DNS: example.com accepts no mail (null MX, RFC 7505)", true),
            ),
            (
                "a null MX beside others is ignored",
                found(&[(0, ""), (10, "mx1.example.com")]),
                list(&[(10, "mx1.example.com")]),
            ),
            (
                "no domain",
                Answer::NoDomain { ttl: TTL },
                none(
                    "DNS: the domain example.com does not exist (NXDOMAIN)",
                    true,
                ),
            ),
            (
                "time-out",
                Answer::Failed(Trouble::TimeOut),
                none("DNS: no answer for MX of example.com (time-out)", false),
            ),
            (
                "SERVFAIL",
                Answer::Failed(Trouble::Server("SERVFAIL".to_owned())),
                none(
                    "DNS: no answer for MX of example.com (the name server said SERVFAIL)",
                    false,
                ),
            ),
            (
                "our own host cuts the list",
                found(&[
                    (10, "mx1.example.com"),
                    (20, "us.example.net"),
                    (20, "mx2.example.com"),
                    (30, "mx3.example.com"),
                ]),
                list(&[(10, "mx1.example.com")]),
            ),
            (
                "our own host is the preferred one",
                found(&[(10, "us.example.net"), (20, "mx2.example.com")]),
                none(
                    "DNS: the mail of example.com would loop back to this host: it is the preferred MX",
                    true,
                ),
            ),
            (
                "at most three",
                found(&[
                    (1, "a.example"),
                    (2, "b.example"),
                    (3, "c.example"),
                    (4, "d.example"),
                ]),
                list(&[(1, "a.example"), (2, "b.example"), (3, "c.example")]),
            ),
        ];
        for (name, answer, expected) in rows {
            let got = exchanges("example.com", &answer, &["us.example.net".to_owned()], 3);
            assert_eq!(got, expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn preference_goes_before_the_seed_and_no_host_is_lost(
            preferences in prop::collection::vec(0..4u16, 0..12), seed: u64,
        ) {
            let hosts: Vec<(u16, String)> = preferences.iter().enumerate()
                .map(|(i, &p)| (p, format!("mx{i}.example.com"))).collect();
            let mut ordered = hosts.clone();
            spread(&mut ordered, seed, |h| h.0, |h| h.1.as_str());
            prop_assert!(ordered.windows(2).all(|w| w[0].0 <= w[1].0));
            let mut back = ordered.clone();
            back.sort();
            let mut all = hosts;
            all.sort();
            prop_assert_eq!(back, all);
        }
    }

    #[test]
    fn every_equal_host_comes_first_for_about_as_many_seeds() {
        let mut firsts = std::collections::BTreeMap::new();
        for seed in 0..3000 {
            let mut hosts = ["mx1.example.com", "mx2.example.com", "mx3.example.com"];
            spread(&mut hosts, seed, |_| 10, |h| h);
            *firsts.entry(hosts[0]).or_insert(0) += 1;
        }
        assert!(
            firsts.values().all(|&n| (900..=1100).contains(&n)),
            "{firsts:?}"
        );
    }
}
