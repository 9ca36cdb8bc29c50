//! What identifies a span, here and in other processes.

use crate::{SpanId, TRACEPARENT_LEN, TraceFlags, TraceId, Tracestate, traceparent};

/// The ids, flags and vendor state of one span. Always valid: ids are never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    is_remote: bool,
    tracestate: Tracestate,
}

impl SpanContext {
    /// A span of this process, without vendor state.
    #[must_use]
    pub const fn new(trace_id: TraceId, span_id: SpanId, flags: TraceFlags) -> Self {
        Self { trace_id, span_id, flags, is_remote: false, tracestate: Tracestate::EMPTY }
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

    /// What tracing systems along the way have added.
    #[must_use]
    pub const fn tracestate(&self) -> &Tracestate {
        &self.tracestate
    }
}
