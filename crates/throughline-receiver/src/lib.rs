//! An OTLP server in the process: what an OpenTelemetry Collector would have got, decoded once, into plain data to read,
//! to wait for and to assert on. Tests, the viewer and the demo stand on it.
//!
//! ```text
//!  OTLP/gRPC  :port ─┐                                          ┌─► tap: one line of OTLP-JSON a request
//!                    ├─► size, gzip ─► decode ─► behaviour ─────┤
//!  OTLP/HTTP  :port ─┘   413, 415, 400           accept, refuse,└─► bounded store ─► spans(), logs(), metrics(),
//!   protobuf or JSON                             hang, slow …                         requests(), wait_for(…)
//! ```
//!
//! # A receiver in a test
//!
//! ```
//! use std::time::Duration;
//! use throughline_receiver::{Receiver, SpanKind};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let receiver = Receiver::start().await?;
//!
//! // Any OTLP exporter does; this is the shortest one.
//! let body = r#"{"resourceSpans": [{
//!     "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]},
//!     "scopeSpans": [{"spans": [{
//!         "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
//!         "name": "GET /orders/{id}", "kind": 2,
//!         "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
//!         "attributes": [{"key": "http.response.status_code", "value": {"intValue": "200"}}]
//!     }]}]
//! }]}"#;
//! let url = format!("{}/v1/traces", receiver.http_endpoint());
//! reqwest::Client::new().post(url).header("content-type", "application/json").body(body).send().await?;
//!
//! receiver.wait_for_spans(1, Duration::from_secs(5)).await?;
//! let span = &receiver.spans()[0];
//! assert_eq!((span.service(), span.name.as_str(), span.kind), ("orders", "GET /orders/{id}", SpanKind::Server));
//! assert_eq!(span.attribute("http.response.status_code"), Some(&200.into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A receiver that fails
//!
//! [`Receiver::behave`], [`Receiver::behave_next`] and [`Receiver::behave_in_turn`] make it refuse, hang, answer late, answer
//! nonsense, reject a part or cut the connection; [`Receiver::stop`] and [`Receiver::restart`] take the whole Collector away and bring it back.
//! [`Receiver::requests`] tells how each request came and what became of it.
//!
//! # Limits
//!
//! | limit | unless set | beyond it |
//! |---|---|---|
//! | [`SPANS_MAX`] | 100,000 spans | the oldest go, counted by [`Receiver::dropped`] |
//! | [`LOGS_MAX`] | 100,000 log records | the same |
//! | [`METRIC_POINTS_MAX`] | 100,000 points | the same, a whole metric at a time |
//! | [`REQUESTS_MAX`] | 10,000 requests | the same |
//! | [`REQUEST_BYTES_MAX`] | 64 MiB, before and after decompression | 413 or RESOURCE_EXHAUSTED |
//!
//! The feature `zstd` has it read that compression, too.
//!
//! # What it doesn't do
//!
//! It makes no telemetry of its own: its tasks run without a `tracing` subscriber. It has no TLS. It knows nothing of the other
//! throughline crates: its ids are types of its own.

mod answer;
mod batch;
mod behaviour;
mod builder;
mod decode;
mod error;
mod export_response;
mod grpc;
mod http;
mod intake;
mod limits;
mod model;
mod otlp_json_file;
mod received;
mod receiver;
mod request;
mod rpc_status;
mod server;
mod store;
mod tap;
mod wakeup;

pub use behaviour::{BadAnswer, Behaviour, Refusal};
pub use builder::{Listen, ReceiverBuilder};
pub use decode::{decode_spans, decode_spans_json};
pub use error::{ReceiverError, WaitTimeout};
pub use limits::{LOGS_MAX, METRIC_POINTS_MAX, REQUEST_BYTES_MAX, REQUESTS_MAX, SPANS_MAX};
pub use model::{
    AttributeValue, Attributes, Buckets, DataPoint, Exemplar, LogRecord, Metric, MetricKind, PointValue,
    Quantile, Resource, Scope, Span, SpanEvent, SpanId, SpanKind, SpanLink, Status, Temporality, TraceId,
};
pub use otlp_json_file::OtlpJsonFile;
pub use received::{Counts, Received, Trace};
pub use receiver::Receiver;
pub use request::{Compression, Outcome, Protocol, RequestInfo, Signal};
pub use tap::Tap;
