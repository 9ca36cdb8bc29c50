//! Whether a call that ran out of time says anything of the service that it was made to.

use std::time::{Duration, Instant};

use throughline_core::Context;

/// A call that had less time than this, because its caller had, isn't held against a service that didn't answer it in time: a
/// caller in a hurry, or one that has spent its time elsewhere, must not take a service that is well from all others.
pub const FAIR_TIME: Duration = Duration::from_secs(1);

/// The caller's deadline, where it leaves a call less than [`FAIR_TIME`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortTime(Option<Instant>);

impl ShortTime {
    /// Of a call that begins now.
    pub(crate) fn left() -> Self {
        let deadline = Context::current_deadline();
        Self(deadline.filter(|deadline| deadline.saturating_duration_since(Instant::now()) < FAIR_TIME))
    }

    /// Whether it is over.
    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|deadline| deadline <= Instant::now())
    }
}
