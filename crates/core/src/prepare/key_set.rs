//! A set of address keys that is small enough for millions of them.
//!
//! Only a 128-bit hash of each key is kept: about 36 MB for a million. The chance that two of a
//! million different keys collide is below one in 10^26. The set is split into shards, so that it
//! grows in small steps and never holds two copies of itself.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::siphash::hash128;

const SHARDS: u128 = 64;

/// Takes a part of a number that is a good hash already.
#[derive(Debug, Clone, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = (number >> 64) as u64;
    }
}

type Shard = HashSet<u128, BuildHasherDefault<AlreadyHashed>>;

/// A set of keys: says whether a key was put in before.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    shards: Vec<Shard>,
}

impl KeySet {
    /// An empty set; takes no memory until the first key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a key in; `false` when it was there already.
    pub fn insert(&mut self, key: &str) -> bool {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS as usize, Shard::default);
        }
        let hash = hash128(key.as_bytes());
        self.shards
            .get_mut((hash % SHARDS) as usize)
            .is_some_and(|shard| shard.insert(hash))
    }

    /// Whether a key was put in.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        if self.shards.is_empty() {
            return false;
        }
        let hash = hash128(key.as_bytes());
        self.shards
            .get((hash % SHARDS) as usize)
            .is_some_and(|shard| shard.contains(&hash))
    }

    /// How many keys were put in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(HashSet::len).sum()
    }

    /// Whether no key was put in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory it holds, in bytes (16 for each slot and one for its mark).
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        // `capacity` is what fits before the next growth: seven eighths of the slots.
        let slots: usize = self.shards.iter().map(|s| s.capacity() / 7 * 8).sum();
        slots * 17
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once() {
        let mut set = KeySet::new();
        assert!(!set.contains("a@example.com"));
        assert!(set.insert("a@example.com"));
        assert!(!set.insert("a@example.com"));
        assert!(set.insert("b@example.com"));
        assert!(set.contains("b@example.com"));
        assert!(!set.contains("c@example.com"));
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn a_million_keys_are_told_apart_within_40_megabytes() {
        let mut set = KeySet::new();
        for n in 0..1_000_000 {
            assert!(set.insert(&format!("user{n}@example.com")), "{n}");
        }
        assert_eq!(set.len(), 1_000_000);
        assert!(set.size_bytes() <= 40_000_000, "{}", set.size_bytes());
    }
}
