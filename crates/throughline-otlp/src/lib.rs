//! The way out: finished spans and measurements on their way to an OpenTelemetry Collector.
//!
//! ```text
//! span closes ─► encode OTLP bytes ─► one short append to a sharded, bounded buffer (never blocks)
//!    ─► export thread with its own current-thread runtime ─► batch ─► gRPC | HTTP | stdout | file
//!    ─► retry within the outage budget ─► Report
//! ```
//!
//! 1. [`SpanLayer`] encodes a sampled span while it lives, and hands it over when it closes.
//! 2. The queue takes it, or counts it as `queue_full`. Nothing waits.
//! 3. The export thread sends what waits once a second, or as soon as a batch is full.
//! 4. What may pass is tried again for as long as the outage budget lasts; what may not is counted as `refused`.
//! 5. [`Exporter::shutdown`] sends the rest within its deadline, and returns a [`Report`] that adds up.
//!
//! Log records go the same way, from [`LogLayer`] on, through a queue of their own, once they are switched on
//! (`OTEL_LOGS_EXPORTER=otlp`). An event then becomes a log record in place of a span event; [`EventTarget`] has the choice.
//!
//! Every way in which a record can fail to arrive is a [`DropReason`] or `rejected`, and each has a counter.
//!
//! ```no_run
//! use std::time::Duration;
//! use throughline_core::{ContextLayer, Pipeline};
//! use throughline_otlp::SpanLayer;
//! use tracing_subscriber::prelude::*;
//!
//! let built = throughline_otlp::builder("orders").endpoint("http://127.0.0.1:4318").build()?;
//! let pipeline = Pipeline::builder().sampler(built.sampler).build();
//! tracing_subscriber::registry()
//!     .with(ContextLayer::new(pipeline))
//!     .with(SpanLayer::new(built.exporter.sink()).limits(built.limits))
//!     .init();
//! // …
//! println!("{}", built.exporter.shutdown_blocking(Duration::from_secs(5)));
//! # Ok::<(), throughline_otlp::InitError>(())
//! ```
//!
//! | feature | what it brings |
//! |---|---|
//! | `grpc` | OTLP over gRPC |
//! | `http` | OTLP over HTTP with protobuf bodies |
//! | `json` | OTLP-JSON: over HTTP (with `http`), on standard output, in a file |
//! | `tls-ring`, `tls-aws-lc` | `https`, by rustls with this provider; with both, aws-lc is taken |
//! | `zstd` | compression by zstd, for a Collector that knows it |
//! | `opentelemetry` | `sdk`: the way in from the OpenTelemetry API and SDK |

#![cfg_attr(
    not(all(feature = "grpc", feature = "http")),
    allow(
        dead_code,
        unused_imports,
        unused_variables,
        reason = "a transport that isn't built in leaves its parts unused"
    )
)]

mod backoff;
mod builder;
mod destination;
mod detector;
mod encode;
mod error;
mod event_target;
mod exporter;
mod features;
mod limits;
mod log_layer;
mod metrics;
mod otlp_settings;
mod plan;
mod queue;
mod resource;
#[cfg(feature = "opentelemetry")]
pub mod sdk;
mod sdk_value;
mod seldom;
mod settings;
mod signal_kind;
mod signals;
mod span_layer;
mod start;
mod stats;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
mod tls;
#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
#[path = "tls_without_provider.rs"]
mod tls;
mod transport;
mod worker;

pub use builder::{BoxedSampler, Built, ExporterBuilder, LOG_QUEUE_BYTES_MAX, Signal, builder};
pub use destination::Destination;
pub use detector::Detector;
pub use encode::request::Envelope;
pub use error::InitError;
pub use event_target::EventTarget;
pub use exporter::{DROP_TIMEOUT, Exporter};
pub use limits::{LogLimits, SpanLimits};
pub use log_layer::{LogLayer, LogSink};
pub use otlp_settings::OtlpSettings;
pub use plan::{METRIC_INTERVAL, METRIC_TIMEOUT, MetricHistograms, MetricTemporality};
pub use queue::QUEUE_BYTES_MAX;
pub use settings::{
    BATCH_LEN_MAX, Compression, GZIP_LEVEL, OUTAGE_BUDGET, Protocol, REQUEST_BYTES_MAX, REQUEST_TIMEOUT,
    RESPONSE_BYTES_MAX, SCHEDULE_DELAY,
};
pub use signals::shutdown_signal;
pub use span_layer::{SpanLayer, SpanSink};
pub use stats::{Counts, DropReason, Report};
