//! How long to wait between two attempts.

use std::time::Duration;

use crate::random;

/// Waits that grow, spread over their whole length (full jitter), so that many that failed together don't come back together.
///
/// The bound of the n-th wait is `first · 2ⁿ⁻¹`, and never more than `longest`; the wait is any share of its bound.
///
/// ```
/// use std::time::Duration;
/// use throughline_core::Backoff;
///
/// let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
/// assert_eq!(backoff.bound(3), Duration::from_millis(400));
/// assert!(backoff.wait(3) <= backoff.bound(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a backoff waits for nothing by itself"]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Waits of up to `first`, then twice that and so on, up to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The longest wait that can be.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The bound of the wait of this number, the first being 1.
    #[must_use]
    pub fn bound(&self, number: u32) -> Duration {
        let factor = 2_u32.saturating_pow(number.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// The wait of this number: another one each time that it is asked for.
    #[must_use]
    pub fn wait(&self, number: u32) -> Duration {
        self.bound(number).mul_f64(random::share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_longest() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let bounds = [1, 2, 3, 4, 5, 64, u32::MAX].map(|number| backoff.bound(number).as_secs());
        assert_eq!(bounds, [1, 2, 4, 8, 10, 10, 10]);
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let bounds: Vec<_> = (1..=6).map(|number| backoff.bound(number).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn a_wait_is_any_share_of_its_bound() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let waits: Vec<_> = (0..1_000).map(|_| backoff.wait(3)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(4)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(3)));
        let waits: Vec<_> = (0..200)
            .map(|_| Backoff::new(Duration::from_millis(100), Duration::from_secs(10)).wait(1))
            .collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(100)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_millis(30)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_millis(70)));
    }
}
