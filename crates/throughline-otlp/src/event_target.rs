//! Where an event goes.

/// Whether an event becomes a part of its span or a record of its own.
///
/// An event inside a span is one thing: it goes one way, unless both are asked for. Its JSON line is written in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventTarget {
    /// Onto the span around it, which is what trace viewers show. An event outside of all spans is on its line alone.
    #[default]
    SpanEvent,
    /// Into an OTLP log record, which carries the ids of the span. What is used when log records are switched on.
    LogRecord,
    /// Both, at twice the cost.
    Both,
}

impl EventTarget {
    /// Whether events are kept on their span.
    #[must_use]
    pub const fn is_span_event(self) -> bool {
        matches!(self, Self::SpanEvent | Self::Both)
    }

    /// Whether events become log records.
    #[must_use]
    pub const fn is_log_record(self) -> bool {
        matches!(self, Self::LogRecord | Self::Both)
    }
}
