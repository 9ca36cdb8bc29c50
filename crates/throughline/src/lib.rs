//! One trace, one correlation id and JSON log lines that carry both, across every hop of a service.
//!
//! ```text
//!  request ──► http::server() ──► your handler ──► http::client() ──► the next service
//!                   │                  │                 │
//!                   └──── spans ───────┼──── spans ──────┘──► OTLP ──► Collector
//!                                      └──── log lines ─────► stdout, one JSON object each
//! ```
//!
//! ```no_run
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let telemetry = throughline::init("orders")?;
//!     let app = Router::new()
//!         .route("/orders/{id}", get(async || "an order"))
//!         .layer(throughline::http::server());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     axum::serve(listener, app).with_graceful_shutdown(throughline::shutdown_signal()).await?;
//!     println!("{}", telemetry.shutdown(std::time::Duration::from_secs(5)).await);
//!     Ok(())
//! }
//! ```
//!
//! [`init`] reads the usual `OTEL_*` variables, `RUST_LOG` and a few of its own; [`builder`] has a setter for each.
//!
//! # Features
//!
//! | feature | on by default | what it brings |
//! |---|---|---|
//! | `axum` | yes | the route of axum's router on server spans; a route to change the log filter |
//! | `reqwest` | yes | `http::reqwest`, a traced client |
//! | `tonic` | no | `http::grpc`, tower layers for tonic's servers and channels |
//! | `http` | with any of these | `http`, tower layers for any HTTP service and client |
//! | `http2` | no | HTTP/2 for `http::reqwest`; refused streams are sent again |
//! | `logs` | yes | `logs`, JSON lines |
//! | `otlp` | yes | `otlp`, spans and metrics on their way to a Collector |
//! | `grpc`, `http-protobuf` | yes | the two transports of `otlp` |
//! | `otlp-json` | yes | OTLP-JSON over HTTP, on standard output, in a file |
//! | `tls-ring`, `tls-aws-lc` | no | `https` to the Collector, by rustls with this provider |
//! | `zstd` | no | compression by zstd, for a Collector that knows it |
//! | `opentelemetry` | no | one trace with code on the OpenTelemetry API; `otlp::sdk`, the SDK over our queue |
//! | `messaging` | with either | `messaging`, spans for brokers of your own |
//! | `channel`, `mqtt` | no | `messaging` over tokio channels, over MQTT 5 |
//! | `resilience` | no | `resilience`, the patterns that keep a system up, each decision on the span |
//! | `sqlx` with `sqlite`, `postgres`, `mysql` | no | `sqlx`, database spans and the outbox; needs Rust 1.94 |
//! | `rolling` | no | `logs::Output::rolling`, log files that follow each other |
//! | `b3`, `jaeger`, `xray` | no | formats of other tracing systems, to be named in `OTEL_PROPAGATORS` |
//! | `full` | no | all of these but TLS, zstd and sqlx, which build C or need a newer Rust |

/// The README's example is compiled as one of ours.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}

#[cfg(all(feature = "logs", feature = "otlp"))]
mod builder;
#[cfg(all(feature = "logs", feature = "otlp"))]
mod error;
#[cfg(feature = "axum")]
mod log_filter_route;
#[cfg(all(feature = "logs", feature = "opentelemetry"))]
mod opentelemetry;
#[cfg(all(feature = "logs", feature = "otlp"))]
mod panic_hook;
#[cfg(all(feature = "logs", feature = "otlp"))]
mod parts;
pub mod process;
#[cfg(all(feature = "logs", feature = "otlp"))]
mod telemetry;

#[cfg(all(feature = "logs", feature = "otlp"))]
pub use builder::{Builder, builder, init};
#[cfg(all(feature = "logs", feature = "otlp"))]
pub use error::InitError;
#[cfg(feature = "axum")]
pub use log_filter_route::log_filter_route;
#[cfg(all(feature = "logs", feature = "opentelemetry"))]
pub use opentelemetry::SpanLayerKind;
#[cfg(all(feature = "logs", feature = "otlp"))]
pub use telemetry::{Report, Telemetry};

/// Ids, headers, baggage, the current context and the span API.
pub use throughline_core as core;
/// HTTP hops.
#[cfg(feature = "http")]
pub use throughline_http as http;
/// JSON log lines.
#[cfg(feature = "logs")]
pub use throughline_logs as logs;
/// Message hops.
#[cfg(feature = "messaging")]
pub use throughline_messaging as messaging;
/// The way out.
#[cfg(feature = "otlp")]
pub use throughline_otlp as otlp;
/// Retry, breaker, time limit, fallback, balancing, shards and cached reads, each decision visible.
#[cfg(feature = "resilience")]
pub use throughline_resilience as resilience;
/// Database hops, and the outbox.
#[cfg(feature = "sqlx")]
pub use throughline_sqlx as sqlx;

pub use throughline_core::{
    Baggage, Carry, Context, CorrelationId, EdgePolicy, Orphans, SpanContext, SpanExt, Status, Value, carry,
};
#[cfg(feature = "otlp")]
pub use throughline_otlp::shutdown_signal;
