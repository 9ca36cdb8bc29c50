//! What identifies a span, here and in other processes.

use std::borrow::Cow;

use crate::{CallerSampled, SpanId, TRACEPARENT_LEN, TraceFlags, TraceId, Tracestate, traceparent};

/// The ids, flags and vendor state of one span. Always valid: ids are never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    is_remote: bool,
    is_debug: bool,
    /// How much *sampled* counts for where spans are made below this one.
    sampled_counts: CallerSampled,
    tracestate: Tracestate,
}

impl SpanContext {
    /// A span of this process, without vendor state.
    #[must_use]
    pub const fn new(trace_id: TraceId, span_id: SpanId, flags: TraceFlags) -> Self {
        Self {
            trace_id,
            span_id,
            flags,
            is_remote: false,
            is_debug: false,
            sampled_counts: CallerSampled::Honour,
            tracestate: Tracestate::EMPTY,
        }
    }

    /// The same span with this vendor state.
    #[must_use]
    pub fn with_tracestate(self, tracestate: Tracestate) -> Self {
        Self { tracestate, ..self }
    }

    /// Says whether the span lives in another process.
    #[must_use]
    pub fn remote(self, is_remote: bool) -> Self {
        Self { is_remote, ..self }
    }

    /// The trace that the span belongs to.
    #[must_use]
    pub const fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span itself.
    #[must_use]
    pub const fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// The flags that travel with the ids.
    #[must_use]
    pub const fn flags(&self) -> TraceFlags {
        self.flags
    }

    /// Whether the span is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// Whether the span lives in another process.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        self.is_remote
    }

    /// The span in the grammar of the `traceparent` header, version 00, unknown flags zero.
    #[must_use]
    pub fn traceparent(&self) -> [u8; TRACEPARENT_LEN] {
        traceparent::format(self)
    }

    /// Whether the trace is to be recorded whatever the ratio: the debug flag of B3 and Jaeger, which W3C doesn't have.
    #[must_use]
    pub const fn is_debug(&self) -> bool {
        self.is_debug
    }

    /// Whether *sampled* says nothing, so that whoever makes the next span decides: the caller left it open, or the
    /// edge doesn't follow it.
    #[must_use]
    pub const fn is_deferred(&self) -> bool {
        matches!(self.sampled_counts, CallerSampled::DecideAnew)
    }

    pub(crate) fn debug(self, is_debug: bool) -> Self {
        Self { is_debug, ..self }
    }

    /// The flags stay as they are: a span that is passed on unchanged keeps them.
    pub(crate) fn sampled_counts(self, sampled_counts: CallerSampled) -> Self {
        Self { sampled_counts, ..self }
    }

    /// What a sampler is shown of this span as a parent; nothing where it is to decide as for a new trace.
    pub(crate) fn for_sampler(&self) -> Option<Cow<'_, Self>> {
        match self.sampled_counts {
            CallerSampled::Honour => Some(Cow::Borrowed(self)),
            CallerSampled::DecideAnew => None,
            CallerSampled::Off => {
                let flags = self.flags.with_sampled(false);
                Some(Cow::Owned(Self { flags, ..self.clone() }))
            }
        }
    }

    /// Whether the debug flag holds for the spans below.
    pub(crate) const fn hands_debug_on(&self) -> bool {
        self.is_debug && matches!(self.sampled_counts, CallerSampled::Honour)
    }

    /// What tracing systems along the way have added.
    #[must_use]
    pub const fn tracestate(&self) -> &Tracestate {
        &self.tracestate
    }
}
