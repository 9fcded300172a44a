//! How many recipients to claim at a time.
//!
//! As long as every site has room, a quarter of what may be held. Once a site is nearly full, more
//! claims might bring more of the same: then only a few are claimed, at most once a second, and
//! more again as long as all of them found room elsewhere.

use std::time::{Duration, Instant};

/// Wait between claims that brought recipients for which there was no room.
const PAUSE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct Appetite {
    chunk: usize,
    per_site: usize,
    probe: usize,
    not_before: Option<Instant>,
}

impl Appetite {
    /// For this many held in all and waiting per site.
    pub(crate) fn new(held: usize, per_site: usize) -> Self {
        let chunk = (held / 4).max(1);
        Self {
            chunk,
            per_site,
            probe: (chunk / 4).max(1),
            not_before: None,
        }
    }

    /// How many to claim now, when `room` more may be held and `fullest` wait at one site.
    pub(crate) fn size(&mut self, room: usize, fullest: usize, now: Instant) -> usize {
        if fullest + self.chunk <= self.per_site {
            return if room < self.chunk { 0 } else { self.chunk };
        }
        if self.not_before.is_some_and(|moment| now < moment) {
            return 0;
        }
        // Until it is known where these go.
        self.not_before = Some(now + PAUSE);
        self.probe.min(room)
    }

    /// Claimed recipients have been handed to a site; `all` of them found room.
    pub(crate) fn fed(&mut self, all: bool, now: Instant) {
        if all {
            self.probe = (self.probe * 2).min(self.chunk);
            self.not_before = Some(now);
        } else {
            self.probe = (self.chunk / 4).max(1);
            self.not_before = Some(now + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_site_slows_claims_only_while_they_find_no_room() {
        let (mut appetite, now) = (Appetite::new(4_000, 3_000), Instant::now());
        assert_eq!(appetite.size(4_000, 0, now), 1_000);
        assert_eq!(appetite.size(999, 0, now), 0);
        assert_eq!(appetite.size(1_000, 2_001, now), 250);
        assert_eq!(appetite.size(1_000, 3_000, now), 0);
        appetite.fed(false, now);
        assert_eq!(appetite.size(1_000, 3_000, now), 0);
        let later = now + PAUSE;
        assert_eq!(appetite.size(1_000, 3_000, later), 250);
        appetite.fed(true, later);
        assert_eq!(appetite.size(1_000, 3_000, later), 500);
        appetite.fed(true, later);
        assert_eq!(appetite.size(1_000, 3_000, later), 1_000);
        appetite.fed(false, later);
        assert_eq!(
            appetite.size(1_000, 2_000, later),
            1_000,
            "the site has room again"
        );
    }
}
