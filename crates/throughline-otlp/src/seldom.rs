//! Saying what happens often only now and then.

use std::time::{Duration, Instant};

/// How long the same news is kept back, and added up.
const QUIET: Duration = Duration::from_secs(10);

/// Adds up what there is to say, and says when to say it: at once, then after a pause.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    last: Option<Instant>,
    kept_back: u64,
}

impl Seldom {
    /// The sum of what has not been said yet, if now is a time to say it.
    pub(crate) fn add(&mut self, count: u64, now: Instant) -> Option<u64> {
        self.kept_back += count;
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.kept_back))
    }

    /// What is left to say at the end.
    pub(crate) fn rest(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.kept_back)).filter(|rest| *rest > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_next_are_added_up() {
        let mut seldom = Seldom::default();
        let start = Instant::now();
        assert_eq!(seldom.add(3, start), Some(3));
        assert_eq!(seldom.add(2, start + QUIET / 2), None);
        assert_eq!(seldom.add(1, start + QUIET), Some(3));
        assert_eq!(seldom.add(4, start + QUIET), None);
        assert_eq!((seldom.rest(), seldom.rest()), (Some(4), None));
    }
}
