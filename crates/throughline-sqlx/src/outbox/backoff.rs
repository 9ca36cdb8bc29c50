//! How long to wait between two attempts.

use std::time::Duration;

use rand::RngExt;

/// Waits that grow, spread over their whole length (full jitter), so that many that failed together don't come back together.
///
/// The bound of the n-th wait is `first · 2ⁿ⁻¹`, and never more than `max`; the wait is any share of its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a backoff does nothing until a relay has it"]
pub struct Backoff {
    first: Duration,
    max: Duration,
}

/// The bound of the first wait, unless set.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The longest wait, unless set.
pub const BACKOFF_MAX: Duration = Duration::from_secs(300);

impl Backoff {
    /// Waits of up to `first`, then twice that and so on, up to `max`.
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max }
    }

    /// The bound of the wait after this many failures.
    pub(crate) fn bound(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.max)
    }

    /// The longest wait that can be.
    pub(crate) const fn max(&self) -> Duration {
        self.max
    }

    pub(crate) fn wait(&self, failures: u32) -> Duration {
        self.bound(failures).mul_f64(rand::rng().random_range(0.0..=1.0))
    }
}

/// [`BACKOFF_FIRST`] and [`BACKOFF_MAX`].
impl Default for Backoff {
    fn default() -> Self {
        Self::new(BACKOFF_FIRST, BACKOFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_longest() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let bounds = [1, 2, 3, 4, 5, 64, u32::MAX].map(|failures| backoff.bound(failures).as_secs());
        assert_eq!(bounds, [1, 2, 4, 8, 10, 10, 10]);
    }

    #[test]
    fn a_wait_is_any_share_of_its_bound() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let waits: Vec<_> = (0..1_000).map(|_| backoff.wait(3)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(4)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(3)));
    }
}
