//! Wall-clock time, read here and nowhere else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Nanoseconds since the Unix epoch; 0 for a clock set before it, the maximum after the year 2554.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
#[must_use]
pub fn now_unix_nanos() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Where a layer takes its time from: the system, or a test.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `unix_nanos` until somebody stores another time in the shared cell.
    #[must_use]
    pub const fn fixed(unix_nanos: Arc<AtomicU64>) -> Self {
        Self(Some(unix_nanos))
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub fn unix_nanos(&self) -> u64 {
        self.0.as_ref().map_or_else(now_unix_nanos, |fixed| fixed.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_until_it_is_moved() {
        let cell = Arc::new(AtomicU64::new(7));
        let clock = Clock::fixed(Arc::clone(&cell));
        assert_eq!(clock.unix_nanos(), 7);
        cell.store(9, Ordering::Relaxed);
        assert_eq!(clock.unix_nanos(), 9);
    }

    #[test]
    fn the_system_clock_is_past_2024() {
        assert!(Clock::system().unix_nanos() > 1_704_067_200_000_000_000);
    }
}
