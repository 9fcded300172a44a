//! How recipients that are due again are put into parts: a domain with many gets parts of its own,
//! so that it can be passed over while its site is blocked; the others share mixed parts.

use std::collections::BTreeMap;

use posthaste_core::ids::LogId;

/// The most recipients of a part.
const MOST: usize = 256;
/// From this many on, a domain gets parts of its own.
const OWN_PART_FROM: usize = 16;

/// A recipient that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Its row.
    pub(super) log: LogId,
    /// Id of its domain.
    pub(super) domain: i64,
}

/// Parts with their domain (`None` when mixed) and members, none larger than 256, in the order of
/// rows within.
pub(super) fn split(due: Vec<Due>) -> Vec<(Option<i64>, Vec<LogId>)> {
    let mut by_domain: BTreeMap<i64, Vec<LogId>> = BTreeMap::new();
    for one in due {
        by_domain.entry(one.domain).or_default().push(one.log);
    }
    let mut parts = Vec::new();
    let mut mixed = Vec::new();
    for (domain, mut members) in by_domain {
        if members.len() < OWN_PART_FROM {
            mixed.append(&mut members);
        } else {
            push_chunks(&mut parts, Some(domain), members);
        }
    }
    push_chunks(&mut parts, None, mixed);
    parts
}

fn push_chunks(
    parts: &mut Vec<(Option<i64>, Vec<LogId>)>,
    domain: Option<i64>,
    mut members: Vec<LogId>,
) {
    members.sort_unstable();
    parts.extend(members.chunks(MOST).map(|chunk| (domain, chunk.to_vec())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn everyone_is_in_exactly_one_part_of_at_most_256(
            domains in prop::collection::vec(0..6i64, 0..900),
        ) {
            let due: Vec<Due> = (0..).zip(&domains)
                .map(|(id, &domain)| Due { log: LogId(id), domain: domain * domain / 4 })
                .collect();
            let parts = split(due.clone());
            let mut seen: Vec<LogId> = Vec::new();
            for (domain, members) in parts {
                prop_assert!((1..=MOST).contains(&members.len()));
                for log in members {
                    let own = due.iter().find(|one| one.log == log).map(|one| one.domain);
                    prop_assert!(domain.is_none() || domain == own);
                    seen.push(log);
                }
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, due.iter().map(|one| one.log).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_domain_with_many_gets_its_own_part_and_small_ones_share() {
        let due = |n: i64, domain| {
            (0..n).map(move |i| Due {
                log: LogId(domain * 1000 + i),
                domain,
            })
        };
        let parts = split(due(300, 1).chain(due(3, 2)).chain(due(4, 3)).collect());
        let shape: Vec<_> = parts.iter().map(|(d, m)| (*d, m.len())).collect();
        assert_eq!(shape, [(Some(1), 256), (Some(1), 44), (None, 7)]);
    }
}
