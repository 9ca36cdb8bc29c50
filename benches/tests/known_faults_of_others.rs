//! The scenarios of `tests/tests/known_faults`, on the stock crates that the benches are measured against: what goes wrong
//! there. A test that fails here means that they have mended it, and that a promise of ours has become theirs, too.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};

use opentelemetry::{
    Context, Value,
    baggage::BaggageExt,
    propagation::{Injector, TextMapPropagator},
    trace::{SpanContext, Status, TraceContextExt, TracerProvider},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::{BaggagePropagator, TraceContextPropagator},
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, prelude::*};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

type Headers = axum::http::HeaderMap;

fn headers(pairs: &[(&'static str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn extracted(pairs: &[(&'static str, &str)]) -> SpanContext {
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(&headers(pairs)));
    context.span().span_context().clone()
}

/// What goes on to the next hop.
fn passed_on(propagator: &dyn TextMapPropagator, pairs: &[(&'static str, &str)]) -> Headers {
    let context = propagator.extract_with_context(&Context::new(), &HeaderExtractor(&headers(pairs)));
    let mut out = Headers::new();
    propagator.inject_context(&context, &mut HeaderInjector(&mut out));
    out
}

// ---- propagation ----

#[test]
fn a_malformed_traceparent_is_believed() {
    for bad in [
        "00-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    ] {
        assert!(extracted(&[("traceparent", bad)]).is_valid(), "{bad}");
    }
}

#[test]
fn the_random_bit_is_lost() {
    let out = passed_on(&TraceContextPropagator::new(), &[("traceparent", PARENT)]);
    assert!(out["traceparent"].to_str().unwrap().ends_with("-01"));
}

#[test]
fn all_lines_of_a_header_but_the_first_are_lost() {
    let pairs = [("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")];
    let out = passed_on(&TraceContextPropagator::new(), &pairs);
    assert_eq!(out["tracestate"], "a=1");
}

#[test]
fn a_key_of_level_2_costs_the_whole_tracestate_and_an_empty_one_is_written() {
    let pairs = [("traceparent", PARENT), ("tracestate", "a@b@c=1,other=2")];
    let out = passed_on(&TraceContextPropagator::new(), &pairs);
    assert_eq!(out["tracestate"], "");
}

#[test]
fn a_value_of_baggage_is_cut_at_its_second_equals_sign() {
    let context = BaggagePropagator::new().extract(&HeaderExtractor(&headers(&[("baggage", "k=a=b")])));
    assert_ne!(context.baggage().get("k").map(ToString::to_string).as_deref(), Some("a=b"));
}

// ---- spans ----

/// What was exported.
#[derive(Clone, Debug, Default)]
struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Exported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// The spans that `work` made through `tracing-opentelemetry` with its defaults.
fn spans(work: impl FnOnce()) -> Vec<SpanData> {
    let exported = Exported::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exported.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("others"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    let spans = exported.0.lock().unwrap();
    spans.clone()
}

fn attribute(span: &SpanData, key: &str) -> Option<Value> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.clone())
}

#[test]
fn a_late_name_is_ignored() {
    let spans = spans(|| {
        let span = tracing::info_span!("request", otel.name = Empty);
        span.in_scope(|| ());
        span.record("otel.name", "GET /orders/{id}");
    });
    assert_eq!(spans[0].name, "request");
}

#[test]
fn a_number_becomes_a_text() {
    let spans = spans(|| drop(tracing::info_span!("order", count = 5_u64)));
    assert_eq!(attribute(&spans[0], "count"), Some(Value::from("5")));
}

#[test]
fn an_error_line_fails_its_span() {
    let spans = spans(|| tracing::info_span!("order").in_scope(|| tracing::error!("tried again, went well")));
    assert!(matches!(spans[0].status, Status::Error { .. }));
}

#[test]
fn a_span_ends_at_its_last_exit() {
    let mut closed = SystemTime::UNIX_EPOCH;
    let spans = spans(|| {
        let span = tracing::info_span!("held");
        span.in_scope(|| ());
        let exited = now();
        while closed <= exited {
            closed = now();
        }
        drop(span);
    });
    assert!(spans[0].end_time < closed, "it was open until then");
}

#[expect(clippy::disallowed_methods, reason = "compared with what the SDK reads")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn a_span_carries_where_it_was_made_and_by_whom() {
    let spans = spans(|| drop(tracing::info_span!("order")));
    assert!(spans[0].attributes.len() >= 4, "{:?}", spans[0].attributes);
}

#[test]
fn a_log_filter_ends_propagation() {
    let provider = SdkTracerProvider::builder().with_simple_exporter(Exported::default()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("others"));
    let subscriber = tracing_subscriber::registry().with(EnvFilter::new("warn")).with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let parent =
            TraceContextPropagator::new().extract(&HeaderExtractor(&headers(&[("traceparent", PARENT)])));
        let span = tracing::info_span!("request");
        let _refused = span.set_parent(parent);
        let mut out = Headers::new();
        TraceContextPropagator::new()
            .inject_context(&span.context(), &mut HeaderInjector(&mut out) as &mut dyn Injector);
        assert!(out.is_empty(), "the next hop starts anew: {out:?}");
    });
}

// ---- log lines ----

/// Lines in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The one line that `work` wrote through `fmt().json()`.
fn line(work: impl FnOnce()) -> String {
    let lines = Lines::default();
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(lines.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_key_stands_twice_on_a_line() {
    let line = line(|| tracing::info!(level = 2, target = "mine", "accepted"));
    assert_eq!((line.matches("\"level\":").count(), line.matches("\"target\":").count()), (2, 2), "{line}");
}

#[test]
fn a_line_has_no_ids() {
    let line = line(|| tracing::info_span!("order").in_scope(|| tracing::info!("accepted")));
    assert!(!line.contains("trace_id") && !line.contains("span_id"), "{line}");
}

#[test]
fn span_fields_are_nested() {
    let line = line(|| tracing::info_span!("order", order_id = 7).in_scope(|| tracing::info!("accepted")));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line.get("order_id").is_none(), "{line}");
    assert_eq!(line["span"]["order_id"], 7);
}

// ---- export ----

#[test]
fn with_a_dead_collector_the_shutdown_is_well() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(format!("http://{nobody}"))
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("others"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..100).for_each(|_| drop(tracing::info_span!("order")));
    });
    assert!(provider.shutdown().is_ok(), "a hundred spans are lost, and all is well");
}
