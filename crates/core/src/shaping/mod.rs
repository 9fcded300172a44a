//! How many connections to a site, and when it needs rest.
//!
//! A [`Window`] is what one site task knows of its site's health. It begins with one connection,
//! grows by one with every window's worth of answers, shrinks by half when the site throttles, and
//! rests, longer each time, when the site cannot be talked to at all. Rules per provider (MX
//! rules) will set its limits; they do not change how it works.
//!
//! Example with the default limits: answers open 1, 2, 3 … 10 connections; a 421 leaves 5; three
//! failures in a row rest the site for 1, 2 and 4 minutes, and from the second on, all that wait
//! for it are deferred.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Limits of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most connections at a time.
    pub connections: u32,
    /// Most messages over one connection.
    pub messages_per_connection: u32,
    /// Rest after the first failure; doubled with each further one in a row.
    pub first_rest: Duration,
    /// Longest rest.
    pub longest_rest: Duration,
    /// From this failure in a row on, all that wait for the site are deferred.
    pub defer_after: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10,
            messages_per_connection: 500,
            first_rest: Duration::from_mins(1),
            longest_rest: Duration::from_mins(30),
            defer_after: 2,
        }
    }
}

/// What to do about a site in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Leave the site alone until then.
    pub rest_until: Timestamp,
    /// Defer all recipients that wait for it, instead of only giving them back.
    pub defer_waiting: bool,
}

/// The health of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    limits: Limits,
    allowed: u32,
    answers: u32,
    failures: u32,
    rest_until: Option<Timestamp>,
}

impl Window {
    /// A site of which nothing is known: one connection.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            allowed: 1,
            answers: 0,
            failures: 0,
            rest_until: None,
        }
    }

    /// How many connections may be open now; 0 while the site rests.
    #[must_use]
    pub fn connections(&self, now: Timestamp) -> u32 {
        if self.resting_until(now).is_some() {
            0
        } else {
            self.allowed.min(self.limits.connections)
        }
    }

    /// The end of the rest, while it lasts.
    #[must_use]
    pub fn resting_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.filter(|until| *until > now)
    }

    /// How many messages a connection may carry.
    #[must_use]
    pub const fn messages_per_connection(&self) -> u32 {
        self.limits.messages_per_connection
    }

    /// Whether the last thing known of the site is that it could not be talked to.
    #[must_use]
    pub const fn is_in_trouble(&self) -> bool {
        self.failures > 0
    }

    /// Whether a new window would do as well: nothing worth keeping is known.
    #[must_use]
    pub fn is_plain(&self, now: Timestamp) -> bool {
        self.failures == 0 && self.resting_until(now).is_none()
    }

    /// The site answered about a message, whatever it said.
    pub const fn on_answer(&mut self) {
        self.failures = 0;
        self.answers = self.answers.saturating_add(1);
        if self.answers >= self.allowed && self.allowed < self.limits.connections {
            self.allowed += 1;
            self.answers = 0;
        }
    }

    /// The site asks for less (421, or a greeting that sends us away) while it serves others of
    /// our connections.
    pub const fn on_throttled(&mut self) {
        self.allowed = if self.allowed > 1 {
            self.allowed / 2
        } else {
            1
        };
        self.answers = 0;
    }

    /// No host of the site could be talked to, and no other connection is open. It rests no longer
    /// than `at_most`: the shortest wait before a retry of those who wait for it.
    pub fn on_unreachable(&mut self, now: Timestamp, at_most: Duration) -> Trouble {
        self.allowed = 1;
        self.answers = 0;
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u32
            .checked_shl(self.failures.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let rest = self
            .limits
            .first_rest
            .checked_mul(doubled)
            .map_or(self.limits.longest_rest, |rest| {
                rest.min(self.limits.longest_rest)
            });
        let rest_until = now.plus(rest.min(at_most));
        self.rest_until = Some(rest_until);
        Trouble {
            rest_until,
            defer_waiting: self.failures >= self.limits.defer_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_open_connections_one_by_one() {
        let mut window = Window::new(Limits {
            connections: 3,
            ..Limits::default()
        });
        let mut seen = vec![window.connections(Timestamp(0))];
        for _ in 0..8 {
            window.on_answer();
            seen.push(window.connections(Timestamp(0)));
        }
        assert_eq!(seen, [1, 2, 2, 3, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn failures_rest_the_site_longer_each_time_and_defer_from_the_second() {
        let mut window = Window::new(Limits::default());
        let minutes: Vec<_> = (0..7)
            .map(|_| {
                let trouble = window.on_unreachable(Timestamp(0), Duration::MAX);
                (trouble.rest_until.0 / 60_000, trouble.defer_waiting)
            })
            .collect();
        let expected = [
            (1, false),
            (2, true),
            (4, true),
            (8, true),
            (16, true),
            (30, true),
            (30, true),
        ];
        assert_eq!(minutes, expected);
        assert_eq!(window.connections(Timestamp(0)), 0);
        assert_eq!(window.connections(Timestamp(30 * 60_000)), 1);
        window.on_answer();
        assert!(window.is_plain(Timestamp(30 * 60_000)));
    }

    #[test]
    fn a_rest_is_no_longer_than_the_shortest_wait_before_a_retry() {
        let mut window = Window::new(Limits::default());
        let trouble = window.on_unreachable(Timestamp(0), Duration::from_secs(2));
        assert_eq!(trouble.rest_until, Timestamp(2_000));
    }

    #[test]
    fn throttling_halves_the_window() {
        let mut window = Window::new(Limits::default());
        for _ in 0..100 {
            window.on_answer();
        }
        window.on_throttled();
        assert_eq!(window.connections(Timestamp(0)), 5);
    }

    proptest! {
        #[test]
        fn the_window_stays_within_its_limits(
            steps in prop::collection::vec((0..3u8, 0..10_000_000i64), 0..200),
            most in 1..50u32,
        ) {
            let mut window = Window::new(Limits { connections: most, ..Limits::default() });
            let mut now = Timestamp(0);
            for (what, gap) in steps {
                now = Timestamp(now.0 + gap);
                match what {
                    0 => window.on_answer(),
                    1 => window.on_throttled(),
                    _ => {
                        let trouble = window.on_unreachable(now, Duration::from_secs(5));
                        prop_assert!(trouble.rest_until > now);
                    }
                }
                prop_assert!(window.connections(now) <= most);
                if window.resting_until(now).is_none() {
                    prop_assert!(window.connections(now) >= 1);
                }
            }
        }
    }
}
