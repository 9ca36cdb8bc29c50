//! What the layers left out, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a layer refused or left out so far; from `TraceLayer::counters` of either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests of trusted proxies whose `forwarded` or `x-forwarded-*` headers could not be read in full.
    pub forwarded_invalid: u64,
    /// Headers on the list to record of which not every value was recorded in full.
    pub headers_cut: u64,
    /// Attempts that went out without ids and baggage, because their host is not on the list.
    pub hosts_not_told: u64,
}

/// The counters of one layer, all services under it, and its clones.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) forwarded_invalid: AtomicU64,
    pub(crate) headers_cut: AtomicU64,
    pub(crate) hosts_not_told: AtomicU64,
}

impl Counts {
    pub(crate) fn read(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            forwarded_invalid: read(&self.forwarded_invalid),
            headers_cut: read(&self.headers_cut),
            hosts_not_told: read(&self.hosts_not_told),
        }
    }
}

/// Counts one more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
