//! How long to wait between two attempts.

use std::time::Duration;

use rand::RngExt;

/// The first wait after a failure, doubled each time, and the longest.
const FIRST: Duration = Duration::from_millis(100);
const MAX: Duration = Duration::from_secs(5);

/// A wait that grows.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(FIRST)
    }

    /// The next wait: what the Collector asked for, or any share of what has grown so far, so that many senders do not
    /// come back at once.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let spread: u32 = rand::rng().random_range(1..=100);
        let wait = asked.unwrap_or(self.0 * spread / 100);
        self.0 = (self.0.max(asked.unwrap_or_default()) * 2).min(MAX);
        wait
    }
}
