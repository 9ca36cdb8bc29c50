//! From the OpenTelemetry SDK: its spans, samplers and plain API over our ids and our queue.
//!
//! # Code on the plain API, beside our spans
//!
//! With [`join_contexts`], both sides have one notion of what is current. A tracer of the API makes children of our spans,
//! our spans inside one of its spans are children of that, and what a client sends belongs to the innermost span of either
//! side. It works under either span layer, across tasks ([`Carry`](throughline_core::Carry), the API's `FutureExt`) and
//! threads. [`OpenTelemetry`] makes the tracer provider whose spans go into the exporter's queue.
//!
//! # The SDK's spans in place of ours
//!
//! [`OpenTelemetry::layers`] is the second span layer, for services that use tracing-opentelemetry's
//! `OpenTelemetrySpanExt`, processors of the SDK, or libraries built on them. It costs several times what the native layer
//! does, and promises the same, with these exemptions:
//!
#![doc = include_str!("sdk/exemptions.md")]
//!
//! What is exported of a span of ours is by the core: ids, flags, vendor state, parent, correlation id, begin and end. Code
//! that asks the SDK sees the same ids; where it cannot hold some vendor state or the random flag, it sees none.
//!
//! What tracing-opentelemetry is known for does not happen here: integers stay integers, name and kind may come late, an
//! event at level ERROR fails nothing, a span ends when it closes, events are capped and counted, and a parent that is
//! fixed at birth cannot be changed later (`set_parent` answers with an error).
//!
//! # Samplers and processors
//!
//! [`SdkSampler`] is a sampler of the SDK as one of ours, asked once when a span is born. [`SpanProcessor`] takes the
//! place of the SDK's `BatchSpanProcessor` in any program, with or without our layers.
//!
//! # Limits
//!
//! - A span of the plain API is exported under our scope; the tracer's name and version are the attributes
//!   `otel.scope.name` and `otel.scope.version`. A key of vendor state that the API refuses is missing on it.
//! - What the API calls baggage is not ours: each side hands on its own.
//! - A sampler of the SDK sees neither kind nor attributes; what it wants recorded but not sampled is dropped.
//! - Once the tracer provider is shut down, spans of our layer are counted as dropped; the SDK itself drops those of the
//!   plain API without a word.

mod bridge;
mod convert;
mod handover;
mod layer;
mod processor;
mod provider;
mod record;
mod sampler;

pub use bridge::join_contexts;
pub use processor::{FORCE_FLUSH_TIMEOUT, SpanProcessor};
pub use provider::{ATTRIBUTE_WRITES_MIN, OpenTelemetry, OpenTelemetryBuilder, WRITES_PER_ATTRIBUTE};
pub use sampler::SdkSampler;

/// The family of crates that this one is built with: another minor version in the same program has globals of its own.
pub use {opentelemetry, opentelemetry_sdk, tracing_opentelemetry};
