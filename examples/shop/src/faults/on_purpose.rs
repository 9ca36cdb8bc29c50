//! What a service is to fail at, changed while it runs.

use std::{
    fmt,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use serde::Deserialize;

use super::Rate;

/// The longest delay that can be asked for.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// What a service is to fail at. A fault that is counted comes before one by chance.
#[derive(Debug)]
pub(crate) struct Faults {
    fail_next: AtomicU32,
    fail_rate: AtomicU64,
    delay_next: AtomicU32,
    delay_ms: AtomicU32,
    publish_fail_next: AtomicU32,
}

/// What is to be different; what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    fail_next: Option<u32>,
    fail_rate: Option<Rate>,
    delay_next: Option<u32>,
    delay_ms: Option<u32>,
    publish_fail_next: Option<u32>,
}

impl Faults {
    /// Fails by chance only.
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            fail_next: AtomicU32::default(),
            fail_rate: AtomicU64::new(rate.to_bits()),
            delay_next: AtomicU32::default(),
            delay_ms: AtomicU32::default(),
            publish_fail_next: AtomicU32::default(),
        }
    }

    pub(crate) fn change(&self, change: &Change) {
        let counts = [
            (&self.fail_next, change.fail_next),
            (&self.delay_next, change.delay_next),
            (&self.delay_ms, change.delay_ms),
            (&self.publish_fail_next, change.publish_fail_next),
        ];
        for (count, new) in counts {
            if let Some(new) = new {
                count.store(new, Ordering::Relaxed);
            }
        }
        if let Some(rate) = change.fail_rate {
            self.fail_rate.store(rate.to_bits(), Ordering::Relaxed);
        }
    }

    /// Comes before a piece of work: may take its time, and may fail.
    pub(crate) async fn strike(&self) -> Result<(), OnPurpose> {
        if take_one(&self.delay_next) {
            let delay = Duration::from_millis(self.delay_ms.load(Ordering::Relaxed).into());
            tokio::time::sleep(delay.min(DELAY_MAX)).await;
        }
        let by_chance = || Rate::from_bits(self.fail_rate.load(Ordering::Relaxed)).strikes();
        if take_one(&self.fail_next) || by_chance() { Err(OnPurpose) } else { Ok(()) }
    }

    /// Comes before an event is published, and may fail.
    pub(crate) fn strike_publish(&self) -> Result<(), OnPurpose> {
        if take_one(&self.publish_fail_next) { Err(OnPurpose) } else { Ok(()) }
    }
}

/// Takes one of those that are left, if there is one: two that come at once never take the same.
fn take_one(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// The failure that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnPurpose;

impl fmt::Display for OnPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failing on purpose")
    }
}

impl std::error::Error for OnPurpose {}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(json: &str) -> Result<Change, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn counted_faults_strike_as_often_as_they_were_asked_for() {
        let faults = Faults::new(Rate::NEVER);
        assert_eq!(faults.strike().await, Ok(()));
        faults.change(&change(r#"{"fail_next": 2, "publish_fail_next": 1}"#).unwrap());
        let struck = [faults.strike().await, faults.strike().await, faults.strike().await];
        assert_eq!(struck, [Err(OnPurpose), Err(OnPurpose), Ok(())]);
        assert_eq!([faults.strike_publish(), faults.strike_publish()], [Err(OnPurpose), Ok(())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_is_taken_once() {
        let faults = Faults::new(Rate::NEVER);
        faults.change(&change(r#"{"delay_next": 1, "delay_ms": 3000}"#).unwrap());
        let begin = tokio::time::Instant::now();
        assert_eq!(faults.strike().await, Ok(()));
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
        assert_eq!(faults.strike().await, Ok(()));
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn what_is_absent_stays_as_it_is() {
        let faults = Faults::new("1".parse().unwrap());
        faults.change(&change(r#"{"delay_ms": 5}"#).unwrap());
        assert_eq!(faults.strike().await, Err(OnPurpose));
        faults.change(&change(r#"{"fail_rate": 0}"#).unwrap());
        assert_eq!(faults.strike().await, Ok(()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [r#"{"fail_next": -1}"#, r#"{"fail_rate": 2}"#, r#"{"fail": 1}"#, "[]"] {
            assert!(change(bad).is_err(), "{bad}");
        }
    }
}
