//! What this process has leased and not yet settled: by part, by delivery, in all.
//!
//! A part is settled when the last of its leased recipients has been recorded or given back.

use std::collections::HashMap;

use posthaste_core::ids::{DeliveryId, PartId};
use posthaste_store::rows::ClaimedRecipient;

/// Counts of leased recipients.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    parts: HashMap<PartId, u32>,
    deliveries: HashMap<DeliveryId, u32>,
    total: usize,
}

impl Holdings {
    /// Takes leased recipients into account.
    pub(crate) fn take(&mut self, claimed: &[ClaimedRecipient]) {
        for recipient in claimed {
            *self.parts.entry(recipient.part).or_default() += 1;
            *self.deliveries.entry(recipient.delivery).or_default() += 1;
        }
        self.total += claimed.len();
    }

    /// One leased recipient has been recorded or given back; returns its part when it was the
    /// part's last.
    pub(crate) fn release(&mut self, part: PartId, delivery: DeliveryId) -> Option<PartId> {
        self.total = self.total.saturating_sub(1);
        count_down(&mut self.deliveries, &delivery);
        count_down(&mut self.parts, &part).then_some(part)
    }

    /// All leased recipients.
    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// Leased recipients of one delivery.
    pub(crate) fn of(&self, delivery: DeliveryId) -> u32 {
        self.deliveries.get(&delivery).copied().unwrap_or_default()
    }
}

/// Counts one down; returns whether it was the last.
fn count_down<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u32>, key: &K) -> bool {
    let Some(count) = counts.get_mut(key) else {
        return false;
    };
    *count = count.saturating_sub(1);
    let last = *count == 0;
    if last {
        counts.remove(key);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_core::ids::LogId;

    fn recipient(log: i64, part: i64, delivery: i64) -> ClaimedRecipient {
        ClaimedRecipient {
            log: LogId(log),
            delivery: DeliveryId(delivery),
            part: PartId(part),
            address: String::new(),
            key: String::new(),
            domain: String::new(),
            attributes: String::new(),
            attempts: 0,
            standing: None,
        }
    }

    #[test]
    fn a_part_is_settled_with_its_last_recipient() {
        let mut holdings = Holdings::default();
        holdings.take(&[recipient(1, 1, 9), recipient(2, 1, 9), recipient(3, 2, 9)]);
        assert_eq!((holdings.total(), holdings.of(DeliveryId(9))), (3, 3));
        assert_eq!(holdings.release(PartId(1), DeliveryId(9)), None);
        assert_eq!(holdings.release(PartId(2), DeliveryId(9)), Some(PartId(2)));
        assert_eq!(holdings.release(PartId(1), DeliveryId(9)), Some(PartId(1)));
        assert_eq!((holdings.total(), holdings.of(DeliveryId(9))), (0, 0));
        assert_eq!(holdings.release(PartId(1), DeliveryId(9)), None);
    }
}
