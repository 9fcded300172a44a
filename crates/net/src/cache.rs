//! What was found out about a domain, kept for a while, in bounded memory.
//!
//! Time is a parameter: milliseconds of any clock that does not go back. Two generations keep the
//! bound without bookkeeping: new and used entries live in the young one; when that is full, it
//! becomes the old one, and what nobody asked for since then is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

/// A bounded table of values that expire.
#[derive(Debug)]
pub struct Cache<V> {
    young: HashMap<Arc<str>, Kept<V>>,
    old: HashMap<Arc<str>, Kept<V>>,
    generation: usize,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    until_ms: u64,
}

impl<V: Clone> Cache<V> {
    /// A cache of at most `capacity` entries (at least 2).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation: (capacity / 2).max(1),
        }
    }

    /// The value of a name, if it has not expired.
    pub fn get(&mut self, name: &str, now_ms: u64) -> Option<V> {
        if let Some(kept) = self.young.get(name) {
            return (kept.until_ms > now_ms).then(|| kept.value.clone());
        }
        let (name, kept) = self.old.remove_entry(name)?;
        if kept.until_ms <= now_ms {
            return None;
        }
        let value = kept.value.clone();
        self.insert(name, kept);
        Some(value)
    }

    /// Keeps a value until `until_ms`.
    pub fn keep(&mut self, name: &str, value: V, until_ms: u64) {
        self.old.remove(name);
        self.insert(Arc::from(name), Kept { value, until_ms });
    }

    fn insert(&mut self, name: Arc<str>, kept: Kept<V>) {
        if self.young.len() >= self.generation && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, kept);
    }

    /// How many entries it holds, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_lives_until_its_time() {
        let mut cache = Cache::new(10);
        cache.keep("example.com", 1, 1000);
        assert_eq!(cache.get("example.com", 999), Some(1));
        assert_eq!(cache.get("example.com", 1000), None);
        cache.keep("example.com", 2, 3000);
        assert_eq!(cache.get("example.com", 2999), Some(2));
    }

    #[test]
    fn what_is_asked_for_stays() {
        let mut cache = Cache::new(10);
        cache.keep("busy.example", 0, u64::MAX);
        for i in 1..1000 {
            cache.keep(&format!("d{i}.example"), i, u64::MAX);
            assert_eq!(cache.get("busy.example", 0), Some(0), "after {i}");
        }
        assert_eq!(cache.get("d1.example", 0), None);
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_never_answers_with_another_value(
            steps in prop::collection::vec((0..40u32, any::<bool>(), 0..100u64), 0..300), capacity in 2..20usize,
        ) {
            let mut cache = Cache::new(capacity);
            for (now, (n, keep, ttl)) in (0u64..).zip(steps) {
                let name = format!("d{n}.example");
                if keep {
                    cache.keep(&name, n, now + ttl);
                } else if let Some(got) = cache.get(&name, now) {
                    prop_assert_eq!(got, n);
                }
                prop_assert!(cache.len() <= capacity);
            }
        }
    }
}
