//! What happens to a recipient: decided by a hash of the address, so the same every time.

use serde::{Deserialize, Serialize};

/// What happens to mail for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is accepted.
    Accepted,
    /// Nobody has this address.
    UserUnknown,
    /// The account exists no longer, or is not used.
    AccountDisabled,
    /// The mailbox is full.
    MailboxFull,
    /// Deferred at the first attempts, then accepted.
    Greylisted,
    /// Refused because of the sender's reputation.
    SpamBlocked,
    /// Refused by a policy, such as authentication.
    PolicyRefused,
    /// Refused after the final dot because of the content.
    ContentRefused,
    /// Deferred at every attempt.
    Deferred,
    /// The connection is dropped in the middle of the content.
    DroppedInContent,
    /// The message is taken, and the connection is dropped instead of the reply.
    DroppedAfterDot,
    /// Accepted after a while.
    Slow,
    /// Refused with a text that no one has seen before.
    Novel,
}

/// How many addresses of 1,000 meet each fate; the rest is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Shares {
    /// Of 1,000.
    pub user_unknown: u16,
    /// Of 1,000.
    pub account_disabled: u16,
    /// Of 1,000.
    pub mailbox_full: u16,
    /// Of 1,000.
    pub greylisted: u16,
    /// Of 1,000.
    pub spam_blocked: u16,
    /// Of 1,000.
    pub policy_refused: u16,
    /// Of 1,000.
    pub content_refused: u16,
    /// Of 1,000.
    pub deferred: u16,
    /// Of 1,000.
    pub dropped_in_content: u16,
    /// Of 1,000.
    pub dropped_after_dot: u16,
    /// Of 1,000.
    pub slow: u16,
    /// Of 1,000.
    pub novel: u16,
}

impl Shares {
    /// Everything is accepted.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// All addresses meet this fate.
    #[must_use]
    pub fn all(fate: Fate) -> Self {
        let mut shares = Self::none();
        if let Some(share) = shares.of(fate) {
            *share = 1_000;
        }
        shares
    }

    fn of(&mut self, fate: Fate) -> Option<&mut u16> {
        match fate {
            Fate::Accepted => None,
            Fate::UserUnknown => Some(&mut self.user_unknown),
            Fate::AccountDisabled => Some(&mut self.account_disabled),
            Fate::MailboxFull => Some(&mut self.mailbox_full),
            Fate::Greylisted => Some(&mut self.greylisted),
            Fate::SpamBlocked => Some(&mut self.spam_blocked),
            Fate::PolicyRefused => Some(&mut self.policy_refused),
            Fate::ContentRefused => Some(&mut self.content_refused),
            Fate::Deferred => Some(&mut self.deferred),
            Fate::DroppedInContent => Some(&mut self.dropped_in_content),
            Fate::DroppedAfterDot => Some(&mut self.dropped_after_dot),
            Fate::Slow => Some(&mut self.slow),
            Fate::Novel => Some(&mut self.novel),
        }
    }

    /// The fates in the order in which they share the 1,000.
    const fn table(&self) -> [(Fate, u16); 12] {
        [
            (Fate::UserUnknown, self.user_unknown),
            (Fate::AccountDisabled, self.account_disabled),
            (Fate::MailboxFull, self.mailbox_full),
            (Fate::Greylisted, self.greylisted),
            (Fate::SpamBlocked, self.spam_blocked),
            (Fate::PolicyRefused, self.policy_refused),
            (Fate::ContentRefused, self.content_refused),
            (Fate::Deferred, self.deferred),
            (Fate::DroppedInContent, self.dropped_in_content),
            (Fate::DroppedAfterDot, self.dropped_after_dot),
            (Fate::Slow, self.slow),
            (Fate::Novel, self.novel),
        ]
    }

    /// The fate of an address (in lower case); the same for the same seed.
    #[must_use]
    pub fn fate(&self, seed: u64, address: &str) -> Fate {
        let mut lot = hash(seed, address) % 1_000;
        for (fate, share) in self.table() {
            match lot.checked_sub(u64::from(share)) {
                Some(rest) => lot = rest,
                None => return fate,
            }
        }
        Fate::Accepted
    }
}

/// FNV-1a, then mixed so that the low digits are good: the same on every machine, for ever.
pub(crate) fn hash(seed: u64, text: &str) -> u64 {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    mix(fnv)
}

/// The finalizer of SplitMix64.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_met_over_five_thousand_addresses() {
        let shares = Shares {
            user_unknown: 50,
            mailbox_full: 100,
            novel: 10,
            greylisted: 300,
            ..Shares::none()
        };
        let mut met = std::collections::HashMap::new();
        for n in 0..5_000 {
            let fate = shares.fate(7, &format!("reader{n}@mail.example"));
            *met.entry(fate).or_insert(0u32) += 1;
        }
        for (fate, expected, tolerance) in [
            (Fate::UserUnknown, 250, 60),
            (Fate::MailboxFull, 500, 90),
            (Fate::Novel, 50, 30),
            (Fate::Greylisted, 1_500, 140),
            (Fate::Accepted, 2_700, 150),
        ] {
            let count = met.get(&fate).copied().unwrap_or(0);
            assert!(count.abs_diff(expected) <= tolerance, "{fate:?}: {count}");
        }
        assert_eq!(met.values().sum::<u32>(), 5_000);
    }

    #[test]
    fn a_fate_depends_on_seed_and_address_only() {
        let shares = Shares::all(Fate::Novel);
        assert_eq!(shares.fate(1, "a@b.example"), Fate::Novel);
        assert_eq!(Shares::none().fate(1, "a@b.example"), Fate::Accepted);
        assert_eq!(hash(1, "a@b.example"), hash(1, "a@b.example"));
        assert_ne!(hash(1, "a@b.example"), hash(2, "a@b.example"));
    }
}
