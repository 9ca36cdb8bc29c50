//! Spans, with their events and links.

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::trace::v1 as proto;

use super::{AttributeValue, Attributes, InvalidId, Resource, Scope, SpanId, TraceId};

/// The bit of `flags` that says whether [`IS_REMOTE`] means anything.
const HAS_IS_REMOTE: u32 = 0x100;
/// The bit of `flags` that says that the parent is in another process.
const IS_REMOTE: u32 = 0x200;
/// The sampled bit of the W3C trace flags, which are the low byte of `flags`.
const SAMPLED: u32 = 0x01;

/// A finished span as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span below which it hangs; `None` for the first span of a trace.
    pub parent_span_id: Option<SpanId>,
    /// W3C trace flags in the low byte, and above it whether the parent is remote.
    pub flags: u32,
    /// The W3C tracestate; empty if none was sent.
    pub tracestate: String,
    /// What was done.
    pub name: String,
    /// Which side of a call it is.
    pub kind: SpanKind,
    /// When it began, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end_unix_nanos: u64,
    /// What is known about it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// What happened during it.
    pub events: Vec<SpanEvent>,
    /// How many events the sender left out.
    pub dropped_events_count: u32,
    /// Which other spans it belongs with.
    pub links: Vec<SpanLink>,
    /// How many links the sender left out.
    pub dropped_links_count: u32,
    /// How it ended.
    pub status: Status,
    /// The process that it ran in.
    pub resource: Arc<Resource>,
    /// The library that made it.
    pub scope: Arc<Scope>,
}

impl Span {
    /// The name of the service that sent it; empty if it has none.
    #[must_use]
    pub fn service(&self) -> &str {
        self.resource.service()
    }

    /// The first value of this attribute.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&AttributeValue> {
        self.attributes.get(key)
    }

    /// From begin to end; zero if the end is before the begin.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_unix_nanos.saturating_sub(self.start_unix_nanos))
    }

    /// Whether it has no parent.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent_span_id.is_none()
    }

    /// Whether the sampled bit is set.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the parent is in another process; `None` if the sender doesn't say.
    #[must_use]
    pub fn parent_is_remote(&self) -> Option<bool> {
        (self.flags & HAS_IS_REMOTE != 0).then_some(self.flags & IS_REMOTE != 0)
    }

    fn from_proto(
        span: proto::Span,
        resource: &Arc<Resource>,
        scope: &Arc<Scope>,
    ) -> Result<Self, InvalidId> {
        Ok(Self {
            trace_id: TraceId::required(&span.trace_id, "trace id of a span")?,
            span_id: SpanId::required(&span.span_id, "span id of a span")?,
            parent_span_id: SpanId::optional(&span.parent_span_id, "parent span id")?,
            flags: span.flags,
            tracestate: span.trace_state,
            name: span.name,
            kind: SpanKind::from_proto(span.kind),
            start_unix_nanos: span.start_time_unix_nano,
            end_unix_nanos: span.end_time_unix_nano,
            attributes: Attributes::from_proto(span.attributes),
            dropped_attributes_count: span.dropped_attributes_count,
            events: span.events.into_iter().map(SpanEvent::from_proto).collect(),
            dropped_events_count: span.dropped_events_count,
            links: span.links.into_iter().map(SpanLink::from_proto).collect::<Result<_, _>>()?,
            dropped_links_count: span.dropped_links_count,
            status: Status::from_proto(span.status),
            resource: Arc::clone(resource),
            scope: Arc::clone(scope),
        })
    }
}

/// Which side of a call a span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanKind {
    /// None was sent, or one that OTLP doesn't define.
    #[default]
    Unspecified,
    /// Work inside one process.
    Internal,
    /// Serves a request.
    Server,
    /// Sends a request and waits for the answer.
    Client,
    /// Sends a message.
    Producer,
    /// Receives or processes a message.
    Consumer,
}

impl SpanKind {
    fn from_proto(kind: i32) -> Self {
        match kind {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }
}

/// How a span ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nothing was said.
    #[default]
    Unset,
    /// Somebody said expressly that all is well.
    Ok,
    /// It failed.
    Error {
        /// Why; may be empty.
        message: String,
    },
}

impl Status {
    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }

    fn from_proto(status: Option<proto::Status>) -> Self {
        match status {
            Some(status) if status.code == proto::status::StatusCode::Error as i32 => {
                Self::Error { message: status.message }
            }
            Some(status) if status.code == proto::status::StatusCode::Ok as i32 => Self::Ok,
            _ => Self::Unset,
        }
    }
}

/// Something that happened during a span.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SpanEvent {
    /// When, in nanoseconds since 1970.
    pub time_unix_nanos: u64,
    /// What.
    pub name: String,
    /// What is known about it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
}

impl SpanEvent {
    fn from_proto(event: proto::span::Event) -> Self {
        Self {
            time_unix_nanos: event.time_unix_nano,
            name: event.name,
            attributes: Attributes::from_proto(event.attributes),
            dropped_attributes_count: event.dropped_attributes_count,
        }
    }
}

/// Another span that a span belongs with, without being its child.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SpanLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// The other span's W3C tracestate; empty if none was sent.
    pub tracestate: String,
    /// The other span's flags, laid out as [`Span::flags`].
    pub flags: u32,
    /// What is known about the relation.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
}

impl SpanLink {
    fn from_proto(link: proto::span::Link) -> Result<Self, InvalidId> {
        Ok(Self {
            trace_id: TraceId::required(&link.trace_id, "trace id of a link")?,
            span_id: SpanId::required(&link.span_id, "span id of a link")?,
            tracestate: link.trace_state,
            flags: link.flags,
            attributes: Attributes::from_proto(link.attributes),
            dropped_attributes_count: link.dropped_attributes_count,
        })
    }
}

/// Every span of a request, with its resource and scope.
pub(crate) fn spans_from_proto(data: proto::TracesData) -> Result<Vec<Arc<Span>>, InvalidId> {
    let mut spans = Vec::new();
    for group in data.resource_spans {
        let resource = Resource::from_proto(group.resource, group.schema_url);
        for group in group.scope_spans {
            let scope = Scope::from_proto(group.scope, group.schema_url);
            for span in group.spans {
                spans.push(Arc::new(Span::from_proto(span, &resource, &scope)?));
            }
        }
    }
    Ok(spans)
}
