//! How long ago something was, machines that were suspended included.

use std::time::Duration;

use throughline_core::Clock;
use tokio::time::Instant;

/// A moment by two clocks: one that nobody sets, but that stands still on Linux while the machine is suspended, and the wall
/// clock, which goes on then, but may be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    instant: Instant,
    unix_nanos: u64,
}

impl Since {
    pub(crate) fn now(clock: &Clock) -> Self {
        Self { instant: Instant::now(), unix_nanos: clock.unix_nanos() }
    }

    /// By the clock that says more: who believes that too much time has gone by only asks once too often.
    pub(crate) fn elapsed(&self, clock: &Clock) -> Duration {
        let by_wall_clock = Duration::from_nanos(clock.unix_nanos().saturating_sub(self.unix_nanos));
        self.instant.elapsed().max(by_wall_clock)
    }
}
