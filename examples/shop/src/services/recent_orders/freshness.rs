//! How late the read model may be.

use std::sync::atomic::{AtomicI64, Ordering};

/// No event was heard yet.
const NEVER: i64 = i64::MIN;

/// What is known of the events that are in the model.
#[derive(Debug)]
pub(super) struct Freshness {
    last_event_at: AtomicI64,
}

impl Freshness {
    /// The newest event of the model happened at this time, in milliseconds since the Unix epoch.
    pub(super) fn since(last_event_at: Option<i64>) -> Self {
        Self { last_event_at: AtomicI64::new(last_event_at.unwrap_or(NEVER)) }
    }

    /// An event is in the model by now. One that is older than others, because it was late, changes nothing.
    pub(super) fn heard(&self, at: i64) {
        self.last_event_at.fetch_max(at, Ordering::AcqRel);
    }

    /// The model is empty again.
    pub(super) fn reset(&self) {
        self.last_event_at.store(NEVER, Ordering::Release);
    }

    /// When the newest event of the model happened.
    pub(super) fn last_event_at(&self) -> Option<i64> {
        Some(self.last_event_at.load(Ordering::Acquire)).filter(|at| *at != NEVER)
    }

    /// How many milliseconds of what has happened may be missing: all since the newest event. It says nothing of whether
    /// something did happen, which only the orders service knows. `None` where there never was an event.
    ///
    /// The event's clock is another process's: one that is ahead makes it zero, not less.
    pub(super) fn lag(&self, now: i64) -> Option<i64> {
        self.last_event_at().map(|at| now.saturating_sub(at).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_the_time_since_the_newest_event() {
        let freshness = Freshness::since(None);
        assert_eq!((freshness.last_event_at(), freshness.lag(1_000)), (None, None));
        freshness.heard(400);
        assert_eq!(freshness.lag(1_000), Some(600));
        freshness.heard(300);
        assert_eq!(freshness.lag(1_000), Some(600), "an event that was late makes nothing older");
        assert_eq!(freshness.lag(100), Some(0), "another clock is ahead");
        freshness.reset();
        assert_eq!(freshness.lag(1_000), None);
        assert_eq!(Freshness::since(Some(7)).last_event_at(), Some(7));
    }
}
