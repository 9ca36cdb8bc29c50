//! What is known of one export request.

use std::time::SystemTime;

/// One export request that arrived, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RequestInfo {
    /// How it was sent.
    pub protocol: Protocol,
    /// What it was meant to carry, which its path says.
    pub signal: Signal,
    /// The path, as it came.
    pub path: String,
    /// Every header in the order of arrival, names in lower case; values that aren't text are shown with replacement characters.
    pub headers: Vec<(String, String)>,
    /// How its body was compressed.
    pub compression: Compression,
    /// The length of its body before decompression, framing included; what was read of it if it was too large.
    pub wire_bytes: usize,
    /// How many spans, log records or metric points it carried; 0 if it couldn't be read.
    pub items: usize,
    /// When its body was complete.
    pub arrived: SystemTime,
    /// What became of it.
    pub outcome: Outcome,
}

impl RequestInfo {
    /// The first value of this header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// How a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with a protobuf body.
    HttpProtobuf,
    /// OTLP/HTTP with a JSON body.
    HttpJson,
    /// To an OTLP/HTTP path, but with a content type that OTLP doesn't have.
    HttpOther,
}

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Metrics.
    Metrics,
}

impl Signal {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    /// The path of OTLP/HTTP.
    pub(crate) fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
            Self::Metrics => "/v1/metrics",
        }
    }

    /// The path of OTLP/gRPC.
    pub(crate) fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        }
    }

    /// What a partial success counts, as its JSON form names it.
    pub(crate) fn rejected_key(self) -> &'static str {
        match self {
            Self::Traces => "rejectedSpans",
            Self::Logs => "rejectedLogRecords",
            Self::Metrics => "rejectedDataPoints",
        }
    }
}

/// How a request's body was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip.
    Gzip,
    /// By zstd; read with the feature `zstd`.
    Zstd,
    /// In a way that the receiver doesn't read.
    Other,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Not answered yet: it is being held.
    Pending,
    /// Not answered: its client went away first, or the receiver was stopped.
    Abandoned,
    /// Stored.
    Accepted,
    /// Stored but for the items that the receiver was told to reject.
    PartlyAccepted,
    /// Answered with an error, as the receiver was told.
    Refused,
    /// Its connection was cut, as the receiver was told.
    Disconnected,
    /// Answered with an error because it is malformed, too large or of an unknown type.
    Invalid,
}

/// What is known about a request before its content.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) protocol: Protocol,
    pub(crate) signal: Signal,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) compression: Compression,
    pub(crate) wire_bytes: usize,
}

impl Arrival {
    pub(crate) fn info(self, items: usize, outcome: Outcome) -> RequestInfo {
        RequestInfo {
            protocol: self.protocol,
            signal: self.signal,
            path: self.path,
            headers: self.headers,
            compression: self.compression,
            wire_bytes: self.wire_bytes,
            items,
            arrived: now(),
            outcome,
        }
    }
}

/// Headers as text.
pub(crate) fn headers_as_text(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this crate stands below the core, whose clock is the one to use elsewhere"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
