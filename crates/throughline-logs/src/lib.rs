//! One JSON object a line, with trace id, span id and correlation id in fixed places.
//!
//! ```
//! use throughline_core::{ContextLayer, Pipeline};
//! use throughline_logs::{JsonLayer, Memory};
//! use tracing_subscriber::prelude::*;
//!
//! let lines = Memory::new();
//! let subscriber = tracing_subscriber::registry()
//!     .with(ContextLayer::new(Pipeline::builder().build()))
//!     .with(JsonLayer::builder("orders").writer(lines.clone()).build());
//! tracing::subscriber::with_default(subscriber, || {
//!     let _order = tracing::info_span!("order", order_id = 7).entered();
//!     tracing::info!(total = 12.5, "order accepted");
//! });
//!
//! let line: serde_json::Value = serde_json::from_str(&lines.lines()[0])?;
//! assert_eq!(line["message"], "order accepted");
//! assert_eq!(line["service"], "orders");
//! assert_eq!(line["total"], 12.5);
//! assert_eq!(line["order_id"], 7);
//! assert_eq!(line["trace_id"].as_str().map(str::len), Some(32));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # A line
//!
//! ```json
//! {"timestamp":"2026-11-24T09:30:00.123456789Z","level":"INFO","message":"order accepted","service":"orders",
//!  "correlation_id":"ticket-4711","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331",
//!  "trace_flags":"03","target":"orders::api","total":12.5,"order_id":7}
//! ```
//!
//! (on one line, and always in this order). The fixed keys come first; those that have no value are left out. Then
//! come the event's own fields, then those of its spans from the innermost outwards. [`Format`] has the table of the
//! other presets (otel, ecs, gcp, datadog, otlp-json, console); names and case of keys can be changed in all that write
//! JSON. Each preset has its JSON Schema in the crate's folder `schemas/`.
//!
//! - **Every key once.** The event's field beats a span's, the inner span's beats the outer one's, and the first of two
//!   in one event beats the second. A field that is named like a fixed key becomes `fields.<key>`.
//! - **Values keep their types.** Integers beyond 64 bits and floats that JSON has no number for (`"NaN"`,
//!   `"Infinity"`, `"-Infinity"`) are strings; bytes are hexadecimal digits.
//! - **Errors keep their chain.** `error = &failure as &dyn Error` writes `"error":"its message"` and, where the error
//!   has causes, `"error.chain":["the cause","its cause"]`; likewise under any other name.
//! - **A late `record` counts.** It replaces the span's value for all lines that follow.
//! - Fields named `otel.*` address span layers and never reach a line.
//! - `Debug` and `Display` of the application may fail, panic, write without end or log: the line ends well, with a
//!   marker in the place of the value.
//!
//! # Limits
//!
//! | limit | default | beyond it |
//! |---|---|---|
//! | [`FIELD_BYTES_MAX`] | 16 KiB a value | cut, ends with `…`; the line says `"log.truncated":<values>` |
//! | [`LINE_BYTES_MAX`] | 256 KiB a line | fields left out; the line says `"log.dropped_fields":<fields>` |
//! | [`FIELDS_MAX`] | 128 fields a line | the same |
//! | [`ERROR_CHAIN_LEN_MAX`] | 16 causes | left out |
//! | [`RATE_BUCKETS_MAX`] | 4,096 kinds of lines that are limited | lines of further kinds are not limited |
//! | [`QUEUE_BYTES_MAX`] | 8 MiB between the application and the output | lines lost, and counted |
//!
//! # Repeated lines
//!
//! A [rate limit](JsonLayerBuilder::rate_limit), off unless set, leaves out lines that are like too many others: those of
//! one place in the source, or with the same message, too ([`RateKey`]). The next one that passes says how many were left
//! out, `"log.suppressed":<lines>`, and [`LogStats::suppressed`] counts all. Panics and diagnostics of throughline itself
//! always pass.
//!
//! # Features
//!
//! | feature | what it brings |
//! |---|---|
//! | `rolling` | `Output::rolling`, files that follow each other by day, by hour or by size |
//!
//! # Writers
//!
//! [`NonBlocking`] hands lines to a thread and never waits for the output; [`Blocking`] writes them where they are
//! logged; [`Memory`] keeps them for a test. None of them ever fails or panics a request: what does not reach the output
//! is counted, and [`LogCounters`] tells at any time.
//!
//! ```no_run
//! use throughline_logs::{JsonLayer, NonBlocking, Output};
//!
//! let (writer, guard) = NonBlocking::builder().spawn(Output::stdout().open()?)?;
//! let layer = JsonLayer::builder("orders").writer(writer).build();
//! let counters = layer.counters();
//! // … install the layer, serve …
//! drop(guard); // writes what is left
//! if counters.stats().lost() > 0 { /* say so */ }
//! # Ok::<(), std::io::Error>(())
//! ```

// The layer, in the order in which an event passes through.
mod builder;
mod layer;

mod from_log;
mod rate_limit;
mod throttle;

mod line;
mod scratch;

mod fields;
mod key;
mod key_text;
mod redacted;
mod span_fields;
mod value;

mod escape;
mod foreign;
mod format;
mod key_case;
mod key_names;
mod service;
mod severity;
mod time;
mod value_form;

// What lines go to, and what became of them.
mod counters;
mod limits;
mod writer;

pub use builder::JsonLayerBuilder;
pub use counters::{LogCounters, LogStats};
pub use format::{DatadogIds, FieldPlace, Format, SourceLocation, UnknownFormat};
pub use key_case::KeyCase;
pub use layer::JsonLayer;
pub use limits::{ERROR_CHAIN_LEN_MAX, FIELD_BYTES_MAX, FIELDS_MAX, LINE_BYTES_MAX, LINE_BYTES_MIN};
pub use rate_limit::{LineRate, RateKey, RateLimit};
pub use throttle::RATE_BUCKETS_MAX;
#[cfg(feature = "rolling")]
pub use writer::Rotation;
pub use writer::{
    Blocking, Memory, NonBlocking, NonBlockingBuilder, Output, QUEUE_BYTES_MAX, SHUTDOWN_TIMEOUT, Writer,
    WriterGuard, WriterStats,
};
