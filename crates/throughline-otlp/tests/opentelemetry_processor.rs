//! Our span processor in place of the SDK's own, over a real exporter and a real Collector.

#![cfg(all(feature = "opentelemetry", feature = "http"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use throughline_core::env::Environment;
use throughline_otlp::{
    Built, DropReason, Protocol,
    sdk::{
        OpenTelemetry, SpanProcessor,
        opentelemetry::{
            KeyValue, Value,
            trace::{Span as _, SpanKind, Status, Tracer, TracerProvider},
        },
        opentelemetry_sdk::trace::{SdkTracerProvider, SpanProcessor as _},
    },
};
use throughline_receiver::{Behaviour, Receiver};
use tracing::{Dispatch, dispatcher::with_default, info_span};
use tracing_subscriber::{prelude::*, registry};

const LONG: Duration = Duration::from_secs(20);

/// An exporter that sends nothing by itself.
fn exporter(receiver: &Receiver) -> Built {
    throughline_otlp::builder("orders")
        .environment(Environment::from_pairs::<&str, &str>([]))
        .endpoint(&receiver.http_endpoint())
        .protocol(Protocol::HttpProtobuf)
        .schedule_delay(Duration::from_secs(600))
        .build()
        .unwrap()
}

#[test]
fn a_program_without_tracing_exports_through_it() {
    let receiver = Receiver::start_blocking().unwrap();
    let built = exporter(&receiver);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(SpanProcessor::of(&built.exporter).limits(built.limits))
        .build();
    let tracer = provider.tracer("theirs");
    let mut span = tracer.span_builder("work").with_kind(SpanKind::Consumer).start(&tracer);
    span.set_attribute(KeyValue::new("numbers", Value::Array(vec![1_i64, 2].into())));
    span.set_status(Status::error("late"));
    span.end();
    assert!(receiver.spans().is_empty());

    assert!(provider.force_flush().is_ok());
    let spans = receiver.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!((spans[0].name.as_str(), spans[0].kind), ("work", throughline_receiver::SpanKind::Consumer));
    assert_eq!(built.exporter.shutdown_blocking(LONG).exported(), 1);
}

#[test]
fn a_flush_is_bounded_while_the_collector_hangs() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Hang);
    let built = exporter(&receiver);
    let processor = SpanProcessor::of(&built.exporter);
    let provider = SdkTracerProvider::builder().with_span_processor(processor.clone()).build();
    provider.tracer("theirs").start("work").end();
    let started = Instant::now();
    assert!(processor.shutdown_with_timeout(Duration::from_millis(200)).is_err());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    provider.tracer("theirs").start("too late").end();
    let report = built.exporter.shutdown_blocking(Duration::from_millis(200));
    assert_eq!((report.accepted(), report.lost()), (2, 2), "{report}");
    assert_eq!(report.dropped(DropReason::AlreadyShutdown), 1, "{report}");
}

#[test]
fn spans_of_ours_after_the_end_of_the_provider_are_counted() {
    let receiver = Receiver::start_blocking().unwrap();
    let built = exporter(&receiver);
    let otel = OpenTelemetry::builder(SpanProcessor::of(&built.exporter)).build();
    let dispatch = Dispatch::new(registry().with(otel.layers()));
    with_default(&dispatch, || {
        drop(info_span!("in time"));
        let open = info_span!("open");
        assert!(otel.tracer_provider().shutdown().is_ok());
        drop(info_span!("too late"));
        drop(open);
    });
    let report = built.exporter.shutdown_blocking(LONG);
    assert_eq!((report.accepted(), report.exported()), (3, 1), "{report}");
    assert_eq!(report.dropped(DropReason::AlreadyShutdown), 2, "{report}");
    assert_eq!(receiver.spans().iter().map(|span| span.name.clone()).collect::<Vec<_>>(), ["in time"]);
}
