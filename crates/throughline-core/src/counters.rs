//! What propagation has refused.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::baggage::Losses;

/// The counters behind [`PropagationCounters`], shared by the clones of a propagator.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) traceparent_invalid: Counter,
    pub(crate) tracestate_invalid: Counter,
    pub(crate) vendor_format_invalid: Counter,
    pub(crate) baggage_members_dropped: Counter,
    pub(crate) baggage_members_refused: Counter,
    pub(crate) correlation_replaced: Counter,
    pub(crate) correlation_refused: Counter,
    pub(crate) traces_restarted: Counter,
    pub(crate) sampled_overruled: Counter,
    pub(crate) callers_ignored: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adding nothing, the usual case, doesn't touch what threads share.
    pub(crate) fn add(&self, by: usize) {
        if by > 0 {
            self.0.fetch_add(by as u64, Ordering::Relaxed);
        }
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn baggage(&self, losses: Losses) {
        self.baggage_members_dropped.add(losses.dropped);
        self.baggage_members_refused.add(losses.refused);
    }

    pub(crate) fn read(&self) -> PropagationCounters {
        PropagationCounters {
            traceparent_invalid: self.traceparent_invalid.read(),
            tracestate_invalid: self.tracestate_invalid.read(),
            vendor_format_invalid: self.vendor_format_invalid.read(),
            baggage_members_dropped: self.baggage_members_dropped.read(),
            baggage_members_refused: self.baggage_members_refused.read(),
            correlation_replaced: self.correlation_replaced.read(),
            correlation_refused: self.correlation_refused.read(),
            traces_restarted: self.traces_restarted.read(),
            sampled_overruled: self.sampled_overruled.read(),
            callers_ignored: self.callers_ignored.read(),
        }
    }
}

/// What a [`Propagator`](crate::Propagator) has refused so far: because it was malformed, or because an
/// [`EdgePolicy`](crate::EdgePolicy) asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropagationCounters {
    /// `traceparent` headers that were ignored, so that another format was asked or a trace started anew.
    pub traceparent_invalid: u64,
    /// `tracestate` lists that were dropped beside a valid `traceparent`.
    pub tracestate_invalid: u64,
    /// The same for the headers of B3, Jaeger and X-Ray as for `traceparent`.
    pub vendor_format_invalid: u64,
    /// Members of baggage that were dropped, malformed or above the limits that hold everywhere.
    pub baggage_members_dropped: u64,
    /// Members of baggage that an edge did not let in, by its allow-list or its own limits.
    pub baggage_members_refused: u64,
    /// Carriers whose correlation id was malformed, and was passed over for another or a fresh one.
    pub correlation_replaced: u64,
    /// Valid correlation ids that an edge replaced by a fresh one.
    pub correlation_refused: u64,
    /// Traces that an edge ended, so that a new one links to them.
    pub traces_restarted: u64,
    /// Decisions on sampling that came in and that an edge did not follow.
    pub sampled_overruled: u64,
    /// Carriers that had something to say and that an edge ignored whole.
    pub callers_ignored: u64,
}
