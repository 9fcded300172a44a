//! How many rows go into one write transaction of preparation and import.
//!
//! Outcomes go first: a slice holds the store for at most about 50 ms, and between two slices
//! there is a moment in which somebody else can write.

use std::time::{Duration, Instant};

/// Most rows of a slice.
const MOST: usize = 1_000;
/// Fewest rows of a slice.
const FEWEST: usize = 50;
/// A slice that took longer than this halves the next one.
const LONG: Duration = Duration::from_millis(40);
/// A slice that took less than this doubles the next one.
const SHORT: Duration = Duration::from_millis(15);
/// The moment between two slices.
const PAUSE: Duration = Duration::from_micros(500);

/// The size of the next slice, learned from how long the last one took.
#[derive(Debug)]
pub(crate) struct Slices {
    rows: usize,
}

impl Slices {
    pub(crate) const fn new() -> Self {
        Self { rows: 250 }
    }

    /// Rows that the next slice may have.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Runs one write, learns from it, and lets others have the store.
    pub(crate) fn run<T>(&mut self, write: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = write();
        self.learn(began.elapsed());
        std::thread::sleep(PAUSE);
        result
    }

    fn learn(&mut self, took: Duration) {
        if took > LONG {
            self.rows = (self.rows / 2).max(FEWEST);
        } else if took < SHORT {
            self.rows = (self.rows * 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_writes_make_small_slices_and_fast_ones_large() {
        let mut slices = Slices::new();
        let ms = Duration::from_millis;
        slices.learn(ms(45));
        assert_eq!(slices.rows(), 125);
        slices.learn(ms(30));
        assert_eq!(slices.rows(), 125);
        (0..9).for_each(|_| slices.learn(ms(500)));
        assert_eq!(slices.rows(), FEWEST);
        (0..9).for_each(|_| slices.learn(ms(1)));
        assert_eq!(slices.rows(), MOST);
    }
}
