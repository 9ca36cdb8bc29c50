//! The fields of OTLP, one table for both directions.

/// A message of OTLP: what it may contain.
#[derive(Debug)]
pub struct Message {
    pub(super) fields: &'static [Field],
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) tag: u32,
    /// In lowerCamelCase, as JSON has it.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
}

/// A field's type: how it is laid out in protobuf, and how OTLP wants it in JSON.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// An id: hexadecimal digits in JSON, where protobuf's own rule would be base64.
    Hex,
    /// Any other bytes: base64 in JSON.
    Base64,
    Bool,
    Double,
    Int64,
    Uint64,
    Fixed64,
    Sfixed64,
    /// Enums too: OTLP wants their numbers and forbids their names.
    Int32,
    Sint32,
    Uint32,
    Fixed32,
    Message(&'static Message),
}

impl Message {
    pub(super) fn field(&self, tag: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.tag == tag)
    }

    pub(super) fn field_named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

const fn one(tag: u32, name: &'static str, kind: Kind) -> Field {
    Field { tag, name, kind, repeated: false }
}

const fn many(tag: u32, name: &'static str, kind: Kind) -> Field {
    Field { tag, name, kind, repeated: true }
}

use Kind::{
    Base64, Bool, Double, Fixed32, Fixed64, Hex, Int32, Int64, Sfixed64, Sint32, Text, Uint32, Uint64,
};

/// Defines the messages in the order of OTLP's `.proto` files.
macro_rules! messages {
    ($($(#[$doc:meta])* $visibility:vis $name:ident { $($field:expr),* $(,)? })*) => {$(
        $(#[$doc])*
        $visibility static $name: Message = Message { fields: &[$($field),*] };
    )*};
}

messages! {
    ANY_VALUE {
        one(1, "stringValue", Text),
        one(2, "boolValue", Bool),
        one(3, "intValue", Int64),
        one(4, "doubleValue", Double),
        one(5, "arrayValue", Kind::Message(&ARRAY_VALUE)),
        one(6, "kvlistValue", Kind::Message(&KEY_VALUE_LIST)),
        one(7, "bytesValue", Base64),
    }
    ARRAY_VALUE { many(1, "values", Kind::Message(&ANY_VALUE)) }
    KEY_VALUE_LIST { many(1, "values", Kind::Message(&KEY_VALUE)) }
    KEY_VALUE {
        one(1, "key", Text),
        one(2, "value", Kind::Message(&ANY_VALUE)),
    }
    SCOPE {
        one(1, "name", Text),
        one(2, "version", Text),
        many(3, "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "droppedAttributesCount", Uint32),
    }
    ENTITY_REF {
        one(1, "schemaUrl", Text),
        one(2, "type", Text),
        many(3, "idKeys", Text),
        many(4, "descriptionKeys", Text),
    }
    RESOURCE {
        many(1, "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "droppedAttributesCount", Uint32),
        many(3, "entityRefs", Kind::Message(&ENTITY_REF)),
    }

    /// A request with spans.
    pub TRACES_DATA { many(1, "resourceSpans", Kind::Message(&RESOURCE_SPANS)) }
    RESOURCE_SPANS {
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scopeSpans", Kind::Message(&SCOPE_SPANS)),
        one(3, "schemaUrl", Text),
    }
    SCOPE_SPANS {
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "spans", Kind::Message(&SPAN)),
        one(3, "schemaUrl", Text),
    }
    SPAN {
        one(1, "traceId", Hex),
        one(2, "spanId", Hex),
        one(3, "traceState", Text),
        one(4, "parentSpanId", Hex),
        one(5, "name", Text),
        one(6, "kind", Int32),
        one(7, "startTimeUnixNano", Fixed64),
        one(8, "endTimeUnixNano", Fixed64),
        many(9, "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "droppedAttributesCount", Uint32),
        many(11, "events", Kind::Message(&SPAN_EVENT)),
        one(12, "droppedEventsCount", Uint32),
        many(13, "links", Kind::Message(&SPAN_LINK)),
        one(14, "droppedLinksCount", Uint32),
        one(15, "status", Kind::Message(&STATUS)),
        one(16, "flags", Fixed32),
    }
    SPAN_EVENT {
        one(1, "timeUnixNano", Fixed64),
        one(2, "name", Text),
        many(3, "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "droppedAttributesCount", Uint32),
    }
    SPAN_LINK {
        one(1, "traceId", Hex),
        one(2, "spanId", Hex),
        one(3, "traceState", Text),
        many(4, "attributes", Kind::Message(&KEY_VALUE)),
        one(5, "droppedAttributesCount", Uint32),
        one(6, "flags", Fixed32),
    }
    STATUS {
        one(2, "message", Text),
        one(3, "code", Int32),
    }

    /// The answer to a request with spans.
    pub TRACES_RESPONSE { one(1, "partialSuccess", Kind::Message(&TRACES_PARTLY)) }
    TRACES_PARTLY {
        one(1, "rejectedSpans", Int64),
        one(2, "errorMessage", Text),
    }

    /// A request with log records.
    pub LOGS_DATA { many(1, "resourceLogs", Kind::Message(&RESOURCE_LOGS)) }
    RESOURCE_LOGS {
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scopeLogs", Kind::Message(&SCOPE_LOGS)),
        one(3, "schemaUrl", Text),
    }
    SCOPE_LOGS {
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "logRecords", Kind::Message(&LOG_RECORD)),
        one(3, "schemaUrl", Text),
    }
    LOG_RECORD {
        one(1, "timeUnixNano", Fixed64),
        one(2, "severityNumber", Int32),
        one(3, "severityText", Text),
        one(5, "body", Kind::Message(&ANY_VALUE)),
        many(6, "attributes", Kind::Message(&KEY_VALUE)),
        one(7, "droppedAttributesCount", Uint32),
        one(8, "flags", Fixed32),
        one(9, "traceId", Hex),
        one(10, "spanId", Hex),
        one(11, "observedTimeUnixNano", Fixed64),
        one(12, "eventName", Text),
    }

    /// The answer to a request with log records.
    pub LOGS_RESPONSE { one(1, "partialSuccess", Kind::Message(&LOGS_PARTLY)) }
    LOGS_PARTLY {
        one(1, "rejectedLogRecords", Int64),
        one(2, "errorMessage", Text),
    }

    /// A request with metrics.
    pub METRICS_DATA { many(1, "resourceMetrics", Kind::Message(&RESOURCE_METRICS)) }
    RESOURCE_METRICS {
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scopeMetrics", Kind::Message(&SCOPE_METRICS)),
        one(3, "schemaUrl", Text),
    }
    SCOPE_METRICS {
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "metrics", Kind::Message(&METRIC)),
        one(3, "schemaUrl", Text),
    }
    METRIC {
        one(1, "name", Text),
        one(2, "description", Text),
        one(3, "unit", Text),
        one(5, "gauge", Kind::Message(&GAUGE)),
        one(7, "sum", Kind::Message(&SUM)),
        one(9, "histogram", Kind::Message(&HISTOGRAM)),
        one(10, "exponentialHistogram", Kind::Message(&EXPONENTIAL_HISTOGRAM)),
        one(11, "summary", Kind::Message(&SUMMARY)),
        many(12, "metadata", Kind::Message(&KEY_VALUE)),
    }

    /// The answer to a request with metrics.
    pub METRICS_RESPONSE { one(1, "partialSuccess", Kind::Message(&METRICS_PARTLY)) }
    METRICS_PARTLY {
        one(1, "rejectedDataPoints", Int64),
        one(2, "errorMessage", Text),
    }
    GAUGE { many(1, "dataPoints", Kind::Message(&NUMBER_POINT)) }
    SUM {
        many(1, "dataPoints", Kind::Message(&NUMBER_POINT)),
        one(2, "aggregationTemporality", Int32),
        one(3, "isMonotonic", Bool),
    }
    HISTOGRAM {
        many(1, "dataPoints", Kind::Message(&HISTOGRAM_POINT)),
        one(2, "aggregationTemporality", Int32),
    }
    EXPONENTIAL_HISTOGRAM {
        many(1, "dataPoints", Kind::Message(&EXPONENTIAL_POINT)),
        one(2, "aggregationTemporality", Int32),
    }
    SUMMARY { many(1, "dataPoints", Kind::Message(&SUMMARY_POINT)) }
    NUMBER_POINT {
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "asDouble", Double),
        many(5, "exemplars", Kind::Message(&EXEMPLAR)),
        one(6, "asInt", Sfixed64),
        many(7, "attributes", Kind::Message(&KEY_VALUE)),
        one(8, "flags", Uint32),
    }
    HISTOGRAM_POINT {
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        many(6, "bucketCounts", Fixed64),
        many(7, "explicitBounds", Double),
        many(8, "exemplars", Kind::Message(&EXEMPLAR)),
        many(9, "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "flags", Uint32),
        one(11, "min", Double),
        one(12, "max", Double),
    }
    EXPONENTIAL_POINT {
        many(1, "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        one(6, "scale", Sint32),
        one(7, "zeroCount", Fixed64),
        one(8, "positive", Kind::Message(&BUCKETS)),
        one(9, "negative", Kind::Message(&BUCKETS)),
        one(10, "flags", Uint32),
        many(11, "exemplars", Kind::Message(&EXEMPLAR)),
        one(12, "min", Double),
        one(13, "max", Double),
        one(14, "zeroThreshold", Double),
    }
    BUCKETS {
        one(1, "offset", Sint32),
        many(2, "bucketCounts", Uint64),
    }
    SUMMARY_POINT {
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        many(6, "quantileValues", Kind::Message(&QUANTILE)),
        many(7, "attributes", Kind::Message(&KEY_VALUE)),
        one(8, "flags", Uint32),
    }
    QUANTILE {
        one(1, "quantile", Double),
        one(2, "value", Double),
    }
    EXEMPLAR {
        one(2, "timeUnixNano", Fixed64),
        one(3, "asDouble", Double),
        one(4, "spanId", Hex),
        one(5, "traceId", Hex),
        one(6, "asInt", Sfixed64),
        many(7, "filteredAttributes", Kind::Message(&KEY_VALUE)),
    }
}
