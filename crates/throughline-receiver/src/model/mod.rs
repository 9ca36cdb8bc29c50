//! What arrived, decoded once: spans, log records and metrics as plain data.
//!
//! The types here are read, compared and printed; nothing in them knows how OTLP lays a message out. Each file also holds
//! the one conversion from the wire into its type.

mod attributes;
mod ids;
mod log_record;
mod metric;
mod point;
mod resource;
mod span;

pub use attributes::{AttributeValue, Attributes};
pub use ids::{SpanId, TraceId};
pub use log_record::LogRecord;
pub(crate) use log_record::logs_from_proto;
pub(crate) use metric::metrics_from_proto;
pub use metric::{Metric, MetricKind, Temporality};
pub use point::{Buckets, DataPoint, Exemplar, PointValue, Quantile};
pub use resource::{Resource, Scope};
pub(crate) use span::spans_from_proto;
pub use span::{Span, SpanEvent, SpanKind, SpanLink, Status};

/// An id on the wire that no receiver may take: wrong length, or all zero where one is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidId {
    pub(crate) field: &'static str,
    pub(crate) len: usize,
}

impl std::fmt::Display for InvalidId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid {} of {} bytes", self.field, self.len)
    }
}
