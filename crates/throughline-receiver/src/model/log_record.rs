//! Log records.

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1 as proto;

use super::{AttributeValue, Attributes, InvalidId, Resource, Scope, SpanId, TraceId};

/// A log record as it was sent over OTLP.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LogRecord {
    /// The trace in which it was written.
    pub trace_id: Option<TraceId>,
    /// The span in which it was written.
    pub span_id: Option<SpanId>,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    /// When it happened, in nanoseconds since 1970; 0 if unknown.
    pub time_unix_nanos: u64,
    /// When the sender saw it, in nanoseconds since 1970.
    pub observed_unix_nanos: u64,
    /// 1 to 24, four numbers for each of trace, debug, info, warn, error and fatal; 0 if none was sent.
    pub severity_number: i32,
    /// The severity in the sender's own words.
    pub severity_text: String,
    /// What was logged: mostly text.
    pub body: AttributeValue,
    /// What is known about it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// The kind of event, if it is one of a named kind; else empty.
    pub event_name: String,
    /// The process that wrote it.
    pub resource: Arc<Resource>,
    /// The library that wrote it.
    pub scope: Arc<Scope>,
}

impl LogRecord {
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

    fn from_proto(
        record: proto::LogRecord,
        resource: &Arc<Resource>,
        scope: &Arc<Scope>,
    ) -> Result<Self, InvalidId> {
        Ok(Self {
            trace_id: TraceId::optional(&record.trace_id, "trace id of a log record")?,
            span_id: SpanId::optional(&record.span_id, "span id of a log record")?,
            flags: record.flags,
            time_unix_nanos: record.time_unix_nano,
            observed_unix_nanos: record.observed_time_unix_nano,
            severity_number: record.severity_number,
            severity_text: record.severity_text,
            body: AttributeValue::from_proto(record.body),
            attributes: Attributes::from_proto(record.attributes),
            dropped_attributes_count: record.dropped_attributes_count,
            event_name: record.event_name,
            resource: Arc::clone(resource),
            scope: Arc::clone(scope),
        })
    }
}

/// Every log record of a request, with its resource and scope.
pub(crate) fn logs_from_proto(data: proto::LogsData) -> Result<Vec<Arc<LogRecord>>, InvalidId> {
    let mut logs = Vec::new();
    for group in data.resource_logs {
        let resource = Resource::from_proto(group.resource, group.schema_url);
        for group in group.scope_logs {
            let scope = Scope::from_proto(group.scope, group.schema_url);
            for record in group.log_records {
                logs.push(Arc::new(LogRecord::from_proto(record, &resource, &scope)?));
            }
        }
    }
    Ok(logs)
}
