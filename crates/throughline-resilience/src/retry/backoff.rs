//! How long to wait before the next attempt.

use std::time::Duration;

use rand::RngExt;

/// Exponential backoff with full jitter: any time up to a bound that doubles, so that many clients don't come back at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(10) }
    }
}

impl Backoff {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause before the resend of this number, the first being 0.
    pub(crate) fn pause(&self, resend: u32) -> Duration {
        self.bound(resend).mul_f64(rand::rng().random_range(0.0..=1.0))
    }

    fn bound(&self, resend: u32) -> Duration {
        let factor = 2_u32.checked_pow(resend).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let bounds: Vec<_> = (0..6).map(|resend| backoff.bound(resend).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.bound(u32::MAX), Duration::from_secs(1));
    }

    #[test]
    fn a_pause_is_anything_up_to_the_bound() {
        let backoff = Backoff::default();
        let pauses: Vec<_> = (0..200).map(|_| backoff.pause(0)).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(100)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(30)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(70)));
    }
}
