//! Which lines are limited, and to what rate.

use tracing::Metadata;

/// How often lines that are alike may be written: a token bucket.
///
/// ```
/// use throughline_logs::LineRate;
/// // Two a second on average, and up to ten at once after a pause.
/// let rate = LineRate::per_second(2).burst(10);
/// # let _ = rate;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRate {
    /// How long it takes until there is room for one more line.
    pub(crate) interval_nanos: u64,
    pub(crate) burst: u32,
}

impl LineRate {
    /// So many lines a second, and as many at once; zero counts as one.
    #[must_use]
    pub const fn per_second(lines: u32) -> Self {
        Self::per(1_000_000_000, lines)
    }

    /// So many lines a minute, and as many at once; zero counts as one.
    #[must_use]
    pub const fn per_minute(lines: u32) -> Self {
        Self::per(60_000_000_000, lines)
    }

    /// How many lines may be written at once after a pause; zero counts as one.
    #[must_use]
    pub const fn burst(mut self, lines: u32) -> Self {
        self.burst = if lines == 0 { 1 } else { lines };
        self
    }

    const fn per(nanos: u64, lines: u32) -> Self {
        let lines = if lines == 0 { 1 } else { lines };
        Self { interval_nanos: nanos / lines as u64, burst: lines }
    }
}

/// Decides to what rate the lines of an event are limited; `None` leaves them alone.
///
/// Runs on the thread that logs, for each event: it must not block and must not log. A [`LineRate`] limits all alike, a
/// closure decides by level or target, and `()` limits nothing.
///
/// ```
/// use throughline_logs::{JsonLayer, LineRate};
/// use tracing::{Level, Metadata};
///
/// let all_alike = JsonLayer::builder("orders").rate_limit(LineRate::per_second(10));
/// let but_errors = JsonLayer::builder("orders")
///     .rate_limit(|event: &Metadata<'_>| (*event.level() > Level::ERROR).then_some(LineRate::per_second(10)));
/// # let _ = (all_alike, but_errors);
/// ```
pub trait RateLimit: Send + Sync + 'static {
    /// The rate of the lines of this event.
    fn rate(&self, event: &Metadata<'_>) -> Option<LineRate>;
}

impl RateLimit for LineRate {
    fn rate(&self, _: &Metadata<'_>) -> Option<LineRate> {
        Some(*self)
    }
}

impl<F: Fn(&Metadata<'_>) -> Option<LineRate> + Send + Sync + 'static> RateLimit for F {
    fn rate(&self, event: &Metadata<'_>) -> Option<LineRate> {
        self(event)
    }
}

/// Limits nothing.
impl RateLimit for () {
    fn rate(&self, _: &Metadata<'_>) -> Option<LineRate> {
        None
    }
}

/// Which lines are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateKey {
    /// Those of one place in the source.
    #[default]
    Callsite,
    /// Those of one place in the source that have the same message, too.
    Message,
}
