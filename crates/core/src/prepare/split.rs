//! Lays the kept recipients into parts: the slices that a sender leases at once.
//!
//! A domain that has many recipients gets parts of its own, so that a site in trouble holds up
//! nobody else; the first few recipients of every domain share mixed parts, so that ten thousand
//! small domains make no ten thousand parts. The target is read once and in order, so a domain is
//! known to be large only after it has had half a part's worth of recipients. Memory is bounded:
//! at most [`OPEN_PARTS`] domains have an open part, and at most [`COUNTED`] domains are counted.

use std::collections::HashMap;

/// Most domains that have an open part; the one that waited longest for a recipient gives way.
const OPEN_PARTS: usize = 1_024;
/// Most domains whose recipients are counted; past this, all counts are halved and empty ones go.
const COUNTED: usize = 65_536;

/// Recipients of a part: what the delivery says, or by the size of a message, where big messages
/// make big parts: size / 1024, from 8 to 256.
#[must_use]
pub fn batch_quantity(configured: u32, message_bytes: u64) -> u32 {
    if configured > 0 {
        return configured;
    }
    u32::try_from((message_bytes / 1024).clamp(8, 256)).unwrap_or(256)
}

/// Where one recipient goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// Number of the part within the delivery, from 0.
    pub part: u32,
    /// Whether all recipients of that part have this recipient's domain.
    pub of_one_domain: bool,
}

#[derive(Debug)]
struct OpenPart {
    number: u32,
    free: u32,
    last_used: u64,
}

/// Assigns part numbers, one recipient after the other.
#[derive(Debug)]
pub struct Splitter {
    quantity: u32,
    large_from: u32,
    next_number: u32,
    clock: u64,
    mixed: Option<OpenPart>,
    open: HashMap<String, OpenPart>,
    counts: HashMap<String, u32>,
}

impl Splitter {
    /// Parts of at most `quantity` recipients; 0 is taken for 1.
    #[must_use]
    pub fn new(quantity: u32) -> Self {
        Self {
            quantity: quantity.max(1),
            large_from: quantity / 2,
            next_number: 0,
            clock: 0,
            mixed: None,
            open: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// Parts begun so far.
    #[must_use]
    pub const fn parts(&self) -> u32 {
        self.next_number
    }

    /// The part of the next recipient, whose domain this is.
    pub fn assign(&mut self, domain: &str) -> Assigned {
        self.clock += 1;
        let of_one_domain = self.open.contains_key(domain) || self.count(domain) > self.large_from;
        let mut part = if of_one_domain {
            self.open.remove(domain)
        } else {
            self.mixed.take()
        }
        .unwrap_or_else(|| self.begin());
        part.free -= 1;
        part.last_used = self.clock;
        let number = part.number;
        if part.free > 0 {
            self.put_back(part, of_one_domain.then_some(domain));
        }
        Assigned {
            part: number,
            of_one_domain,
        }
    }

    fn begin(&mut self) -> OpenPart {
        let number = self.next_number;
        self.next_number += 1;
        OpenPart {
            number,
            free: self.quantity,
            last_used: 0,
        }
    }

    fn put_back(&mut self, part: OpenPart, domain: Option<&str>) {
        let Some(domain) = domain else {
            self.mixed = Some(part);
            return;
        };
        if self.open.len() >= OPEN_PARTS {
            let idle = self.open.iter().min_by_key(|(_, part)| part.last_used);
            if let Some(idle) = idle.map(|(domain, _)| domain.clone()) {
                self.open.remove(&idle);
            }
        }
        self.open.insert(domain.to_owned(), part);
    }

    /// Counts a recipient of this domain and says how many it has had.
    fn count(&mut self, domain: &str) -> u32 {
        if let Some(count) = self.counts.get_mut(domain) {
            *count = count.saturating_add(1);
            return *count;
        }
        if self.counts.len() >= COUNTED {
            self.counts.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
        self.counts.insert(domain.to_owned(), 1);
        1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_automatic_quantity_follows_the_size() {
        let rows = [
            (0, 500, 8),
            (0, 20 * 1024, 20),
            (0, 1_000_000, 256),
            (0, u64::MAX, 256),
            (500, 20, 500),
            (1, 1_000_000, 1),
        ];
        for (configured, size, expected) in rows {
            assert_eq!(
                batch_quantity(configured, size),
                expected,
                "{configured} {size}"
            );
        }
    }

    #[test]
    fn ten_thousand_small_domains_share_parts() {
        let mut splitter = Splitter::new(100);
        for n in 0..20_000 {
            let assigned = splitter.assign(&format!("d{}.example", n % 10_000));
            assert!(!assigned.of_one_domain);
        }
        assert_eq!(splitter.parts(), 200);
    }

    #[test]
    fn a_large_domain_gets_parts_of_its_own() {
        let mut splitter = Splitter::new(100);
        let own = (0..1_050)
            .filter(|_| splitter.assign("big.example").of_one_domain)
            .count();
        assert_eq!(own, 1_000);
        assert_eq!(splitter.parts(), 11);
    }

    #[test]
    fn memory_is_bounded_whatever_the_number_of_domains() {
        let mut splitter = Splitter::new(2);
        for round in 0..2 {
            for n in 0..70_000 {
                splitter.assign(&format!("d{}.example", (n * 7 + round) % 70_000));
            }
        }
        assert!(splitter.open.len() <= OPEN_PARTS);
        assert!(splitter.counts.len() <= COUNTED);
    }

    proptest! {
        #[test]
        fn no_part_is_too_large_and_own_parts_have_one_domain(
            quantity in 1..40u32,
            domains in prop::collection::vec(0..12u8, 0..600),
        ) {
            let mut splitter = Splitter::new(quantity);
            let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
            let mut inside: BTreeMap<u32, (bool, BTreeSet<u8>)> = BTreeMap::new();
            for &n in &domains {
                let to = splitter.assign(&format!("d{n}.example"));
                *sizes.entry(to.part).or_default() += 1;
                let part = inside.entry(to.part).or_insert((to.of_one_domain, BTreeSet::new()));
                prop_assert_eq!(part.0, to.of_one_domain);
                part.1.insert(n);
            }
            prop_assert_eq!(sizes.values().sum::<u32>() as usize, domains.len());
            prop_assert_eq!(sizes.len() as u32, splitter.parts());
            for size in sizes.values() {
                prop_assert!(*size <= quantity);
            }
            for (own, domains) in inside.values() {
                prop_assert!(!own || domains.len() == 1);
            }
        }
    }
}
