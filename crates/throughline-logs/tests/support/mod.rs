//! What the tests of lines share.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::{
    error::Error,
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use serde_json::Value;
use throughline_core::{
    Clock, Context, ContextLayer, CorrelationId, PANIC_TARGET, Pipeline, SpanContext, SpanId, TraceFlags,
    TraceId,
};
use throughline_logs::{JsonLayer, JsonLayerBuilder, LogCounters, Memory};
use tracing::{debug, error, field::Empty, info, info_span, trace, warn};
use tracing_subscriber::prelude::*;

/// 2026-11-24T09:30:00.123456789Z.
pub(crate) const TIME: u64 = 1_795_512_600_123_456_789;

/// The lines of `work` under a layer with these settings.
pub(crate) fn lines(
    set: impl FnOnce(JsonLayerBuilder) -> JsonLayerBuilder,
    work: impl FnOnce(),
) -> Vec<String> {
    counted(set, work).0
}

pub(crate) fn counted(
    set: impl FnOnce(JsonLayerBuilder) -> JsonLayerBuilder,
    work: impl FnOnce(),
) -> (Vec<String>, LogCounters) {
    let memory = Memory::new();
    let clock = Clock::fixed(Arc::new(AtomicU64::new(TIME)));
    let layer = set(JsonLayer::builder("orders").clock(clock).writer(memory.clone())).build();
    let counters = layer.counters();
    let subscriber =
        tracing_subscriber::registry().with(ContextLayer::new(Pipeline::builder().build())).with(layer);
    tracing::subscriber::with_default(subscriber, work);
    (memory.lines(), counters)
}

pub(crate) fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// What a caller sent: a sampled trace and a correlation id.
pub(crate) fn incoming() -> Context {
    let trace_id = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
    let span_id = SpanId::from_hex(b"b7ad6b7169203331").unwrap();
    let flags = TraceFlags::SAMPLED.with_random(true);
    Context::default()
        .with_span(SpanContext::new(trace_id, span_id, flags))
        .with_correlation_id(CorrelationId::parse(b"ticket-4711").unwrap())
}

pub(crate) fn order_accepted() {
    let _passed_through = incoming().enter();
    info!(target: "orders::api", total = 12.5, express = true, customer = "c-1", "order {} accepted", 7);
}

#[derive(Debug)]
pub(crate) struct Failure(pub(crate) &'static str, pub(crate) Option<Box<Self>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

/// Lines of every kind: each level, a panic, with and without message, ids, spans, errors, odd values and odd keys.
pub(crate) fn all_kinds() {
    order_accepted();
    trace!("trace");
    debug!("debug");
    info!("info");
    warn!("warn");
    error!("error");
    error!(target: PANIC_TARGET, "panicked");
    info!(only = "fields");
    info!("");
    let failure =
        Failure("not stored", Some(Box::new(Failure("no \"disk\"", Some(Box::new(Failure("worn", None)))))));
    error!(error = &failure as &dyn Error, other = &failure as &dyn Error, "failed");
    error!(exception.type = "Timeout", exception.message = "late", exception.stacktrace = "a\nb", "failed");
    info!(
        yes = true, minus = -1_i64, most = u64::MAX, huge = u128::MAX, float = 0.5, nan = f64::NAN, tiny = 1e-300,
        bytes = [1_u8, 255].as_slice(), debug = ?Some("x"), "values"
    );
    info!(
        level = 1,
        message2 = "x",
        service = "mine",
        labels = "mine",
        attributes = "mine",
        status = 7,
        "clashes"
    );
    info!(error = 5, error.type = 6, code.line.number = "none", "odd types");
    info!(
        a.b = 1,
        a_b = 2,
        time = "mine",
        severity = "mine",
        httpRequest = "mine",
        dd.env = "mine",
        "clashes"
    );
    info!(long = "123456789 123456789 123456789 123456789 123456789", text = "\u{1b}[31m\n\"\\", "odd \u{7}");
    let _passed_through = incoming().enter();
    let span =
        info_span!("request", http.request.method = "GET", url.path = "/", late = Empty, level = "span");
    let _entered = span.enter();
    info!("in a span");
    span.record("late", 201);
    let _inner =
        info_span!("inner", error = &failure as &dyn Error, message = "span's", b = 1, c = 2).entered();
    warn!(b = 3, "in two spans");
    info!(a1 = 1, a2 = 2, a3 = 3, a4 = 4, a5 = 5, a6 = 6, a7 = 7, a8 = 8, a9 = 9, a10 = 10, "many");
}
