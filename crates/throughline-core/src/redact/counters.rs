//! How much was taken out.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a [`Redactor`](super::Redactor) has taken out so far.
///
/// Counted is each place that something was taken out of: a field that goes onto a log line and onto a span counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedactionCounters {
    /// Values that were replaced because of their name: fields, attributes, baggage members.
    pub by_name: u64,
    /// Values that were left out altogether.
    pub dropped: u64,
    /// Texts in which something was replaced because of its form.
    pub by_value: u64,
    /// URLs and queries in which credentials or parameters were replaced.
    pub urls: u64,
}

impl RedactionCounters {
    /// All of them together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.by_name + self.dropped + self.by_value + self.urls
    }
}

/// Written to only where something was taken out, which is seldom.
#[derive(Debug, Default)]
pub(super) struct Counts {
    by_name: AtomicU64,
    dropped: AtomicU64,
    by_value: AtomicU64,
    urls: AtomicU64,
}

impl Counts {
    pub(super) fn read(&self) -> RedactionCounters {
        RedactionCounters {
            by_name: self.by_name.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            by_value: self.by_value.load(Relaxed),
            urls: self.urls.load(Relaxed),
        }
    }

    pub(super) fn named(&self) {
        self.by_name.fetch_add(1, Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn value(&self) {
        self.by_value.fetch_add(1, Relaxed);
    }

    pub(super) fn url(&self) {
        self.urls.fetch_add(1, Relaxed);
    }
}
