//! What throughline carries from hop to hop, and how.
//!
//! A request enters a process with a few headers. This crate reads them strictly ([`Propagator::extract`]), makes them
//! current ([`Context::enter`], [`with_remote`]), gives every `tracing` span below them its ids and its sampling
//! decision at birth ([`ContextLayer`]), and writes them onto whatever leaves the process ([`Propagator::inject`]).
//!
//! ```text
//! headers ──extract──► Context ──with_remote──► span ──enter──► Context::current() ──inject──► headers
//!                                                │
//!                                                └─ SpanExt: attributes, links, status, name
//! ```
//!
//! It knows no HTTP library, no message broker, no async runtime and no OpenTelemetry crate: the crates around it do.
//!
//! ```
//! use throughline_core::{Context, ContextLayer, EdgePolicy, Pipeline, Propagator, with_remote};
//! use tracing_subscriber::prelude::*;
//!
//! let subscriber = tracing_subscriber::registry().with(ContextLayer::new(Pipeline::builder().build()));
//! tracing::subscriber::with_default(subscriber, || {
//!     let headers = vec![(
//!         "traceparent".to_string(),
//!         "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03".to_string(),
//!     )];
//!     let incoming = Propagator::default().extract(&headers, &EdgePolicy::trust());
//!     let span = with_remote(&incoming, || tracing::info_span!("import"));
//!
//!     let mut outgoing: Vec<(String, String)> = Vec::new();
//!     span.in_scope(|| Propagator::default().inject(&Context::current(), &mut outgoing));
//!     let (name, value) = &outgoing[0];
//!     assert_eq!(name, "traceparent");
//!     assert!(value.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
//! });
//! ```
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `b3` | [`Format`]: B3 in one header and in several, as Zipkin has it |
//! | `jaeger` | [`Format`]: the headers of Jaeger's own clients |
//! | `xray` | [`Format`]: the header of AWS X-Ray |

// What travels.
mod baggage;
mod baggage_fields;
mod correlation;
mod id;
mod octets;
mod span_context;
mod traceparent;
mod tracestate;

// How it gets in and out.
mod carrier;
mod counters;
mod edge;
mod env_carrier;
mod format;
mod origin;
mod propagate;

// What is current, and the life of a span.
mod bridge;
mod call;
mod carry;
mod context;
mod current;
mod layer;
mod orphan;
mod pipeline;
mod random;
mod record;
mod sampler;
mod span;
mod span_data;
mod value;

// What every crate needs once.
mod backoff;
mod clock;
pub mod env;
mod error_chain;
mod filter;
mod known_methods;
mod log_filter;
mod recorder;
pub mod redact;
mod resend;
pub mod semconv;
mod severity;
pub mod sql;
mod suppress;

pub use backoff::Backoff;
pub use baggage::{BAGGAGE_BYTES_MAX, BAGGAGE_MEMBERS_MAX, BAGGAGE_READ_BYTES_MAX, Baggage, BaggageError};
pub use baggage_fields::BaggageFields;
pub use bridge::{Companion, ContextBridge, install_bridge};
pub use call::{CallDecision, CallFact, CallFacts, CallValue, describe_call, describe_call_on};
pub use carrier::Carrier;
pub use carry::{Carried, Carry, carry};
pub use clock::{Clock, now_unix_nanos};
pub use context::Context;
pub use correlation::{CORRELATION_ID_LEN_MAX, CorrelationId};
pub use counters::PropagationCounters;
pub use current::{ContextGuard, with_remote};
pub use edge::{CallerCorrelation, CallerSampled, EdgePolicy};
pub use env_carrier::EnvCarrier;
pub use error_chain::{ERROR_CHAIN_LEN_MAX, error_chain};
pub use filter::Filters;
pub use format::Format;
pub use id::{SpanId, TraceFlags, TraceId};
pub use known_methods::{
    KNOWN_METHOD_LEN_MAX, KNOWN_METHODS_MAX, KnownMethods, KnownMethodsError, STANDARD_METHODS,
};
pub use layer::ContextLayer;
pub use log_filter::{FILTER_BYTES_MAX, FilterError, LogFilterHandle, parse_filter};
pub use orphan::{ORPHAN_SITES_MAX, Orphan, OrphanKind, Orphans, expect_current};
pub use pipeline::{Pipeline, PipelineBuilder};
pub use propagate::{CORRELATION_HEADER, HeaderNameError, Propagator};
pub use record::{SpanRecord, Status};
pub use recorder::{DURATION_BUCKETS, Instrument, InstrumentKind, Metric, Recorder};
pub use resend::ResendCount;
pub use sampler::{AlwaysOff, AlwaysOn, ParentBased, Sampler, TraceIdRatio};
pub use severity::Severity;
pub use span::{SpanExt, edit_current_span};
pub use span_context::SpanContext;
pub use span_data::SpanData;
pub use suppress::{SuppressGuard, is_suppressed, suppress};
pub use traceparent::{TRACEPARENT_LEN, TraceparentError};
pub use tracestate::{
    TRACESTATE_LEN_MAX, TRACESTATE_LONG_MEMBER, TRACESTATE_MEMBERS_MAX, TRACESTATE_PART_LEN_MAX,
    TRACESTATE_READ_BYTES_MAX, Tracestate, TracestateError,
};
pub use value::Value;

/// The target of throughline's own diagnostics: logged, never exported, so that they cannot feed themselves.
pub const DIAGNOSTICS_TARGET: &str = "throughline::diagnostics";

/// The target of an ERROR that reports a panic: the only events above ERROR that there are.
pub const PANIC_TARGET: &str = "throughline::panic";
