//! From a closed span to a Collector: what arrives, what is retried, what is lost, and what the report says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use throughline_core::{ContextLayer, Metric, Pipeline, Value, env::Environment};
use throughline_otlp::{
    Built, Compression, DropReason, Exporter, ExporterBuilder, Protocol, Report, Signal, SpanLayer,
};
use throughline_receiver::{Behaviour, Receiver, Refusal};
use tracing::{Dispatch, dispatcher, info_span};
use tracing_subscriber::{prelude::*, registry};

const LONG: Duration = Duration::from_secs(20);

/// An exporter without any environment, and a subscriber whose spans it takes.
fn pipeline(builder: ExporterBuilder) -> (Exporter, Dispatch) {
    let Built { exporter, sampler, limits, warnings, .. } = builder
        .environment(Environment::default())
        .schedule_delay(Duration::from_millis(20))
        .build()
        .unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let context = ContextLayer::new(Pipeline::builder().sampler(sampler).build());
    let spans = SpanLayer::new(exporter.sink()).limits(limits);
    (exporter, Dispatch::new(registry().with(context).with(spans)))
}

fn grpc(endpoint: &str) -> ExporterBuilder {
    throughline_otlp::builder("orders").endpoint(endpoint).protocol(Protocol::Grpc).metrics(Signal::Off)
}

fn http(endpoint: &str) -> ExporterBuilder {
    throughline_otlp::builder("orders")
        .endpoint(endpoint)
        .protocol(Protocol::HttpProtobuf)
        .metrics(Signal::Off)
}

fn make_spans(dispatch: &Dispatch, count: usize) {
    dispatcher::with_default(dispatch, || {
        for number in 0..count {
            let _span = info_span!("work", number).entered();
        }
    });
}

/// `accepted = exported + rejected + dropped + queued + in flight`.
fn assert_conserved(report: &Report, accepted: u64) {
    assert_eq!(report.accepted(), accepted, "{report}");
    assert_eq!(
        report.exported() + report.lost() + report.queued() + report.in_flight(),
        accepted,
        "{report}"
    );
}

/// A loopback address where nobody listens.
fn nowhere() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", free.local_addr().unwrap())
}

#[test]
fn from_plain_main_every_span_arrives_over_either_protocol() {
    let receiver = Receiver::start_blocking().unwrap();
    for builder in [
        grpc(&receiver.grpc_endpoint()),
        http(&receiver.http_endpoint()),
        grpc(&receiver.grpc_endpoint()).compression(Compression::Gzip),
        http(&receiver.http_endpoint()).compression(Compression::Gzip),
    ] {
        receiver.clear();
        let (exporter, dispatch) =
            pipeline(builder.header("api-key", "s3cret").resource("deployment", "test"));
        make_spans(&dispatch, 1_000);
        let report = exporter.shutdown_blocking(LONG);
        assert_conserved(&report, 1_000);
        assert_eq!((report.exported(), report.lost()), (1_000, 0), "{report}");

        let spans = receiver.spans();
        assert_eq!(spans.len(), 1_000);
        assert_eq!(spans[0].service(), "orders");
        assert!(spans[0].resource.attributes.get("deployment").is_some_and(|value| *value == *"test"));
        assert_eq!(spans[0].scope.name, "throughline");
        assert_eq!(spans[0].scope.schema_url, throughline_core::semconv::SCHEMA_URL);
        let request = &receiver.requests()[0];
        assert_eq!(request.header("api-key"), Some("s3cret"));
        assert!(request.header("user-agent").unwrap().contains("throughline/"), "{request:?}");
    }
}

#[tokio::test]
async fn on_a_current_thread_runtime_shutdown_neither_blocks_nor_loses() {
    let receiver = Receiver::start_blocking().unwrap();
    let (exporter, dispatch) = pipeline(grpc(&receiver.grpc_endpoint()));
    make_spans(&dispatch, 100);
    let ticks = tokio::spawn(async { tokio::task::yield_now().await });
    let report = exporter.shutdown(LONG).await;
    ticks.await.unwrap();
    assert_eq!((report.exported(), report.lost()), (100, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn with_one_worker_a_flush_inside_a_task_delivers() {
    let receiver = Receiver::start().await.unwrap();
    let (exporter, dispatch) = pipeline(grpc(&receiver.grpc_endpoint()));
    make_spans(&dispatch, 100);
    assert!(exporter.flush(LONG).await);
    assert_eq!(receiver.spans().len(), 100);
}

#[test]
fn a_collector_that_comes_back_in_time_gets_everything() {
    let receiver = Receiver::start_blocking().unwrap();
    for builder in [grpc(&receiver.grpc_endpoint()), http(&receiver.http_endpoint())] {
        receiver.clear();
        receiver.stop_blocking();
        let (exporter, dispatch) = pipeline(builder);
        make_spans(&dispatch, 50);
        let deadline = Instant::now() + LONG;
        while exporter.report().retries() == 0 {
            assert!(Instant::now() < deadline, "{}", exporter.report());
            std::thread::yield_now();
        }
        receiver.restart().unwrap();
        let report = exporter.shutdown_blocking(LONG);
        assert_conserved(&report, 50);
        assert_eq!((report.exported(), receiver.spans().len()), (50, 50), "{report}");
    }
}

#[test]
fn a_busy_collector_says_when_to_come_back() {
    let receiver = Receiver::start_blocking().unwrap();
    for builder in [grpc(&receiver.grpc_endpoint()), http(&receiver.http_endpoint())] {
        receiver.clear();
        let pause = Duration::from_secs(1);
        receiver.behave_next(1, Behaviour::Refuse(Refusal::retryable().retry_after(pause)));
        let (exporter, dispatch) = pipeline(builder);
        let started = Instant::now();
        make_spans(&dispatch, 5);
        let report = exporter.shutdown_blocking(LONG);
        assert_eq!((report.exported(), report.retries()), (5, 1), "{report}");
        assert!(started.elapsed() >= pause, "{:?}", started.elapsed());
    }
}

#[test]
fn what_is_refused_for_good_is_counted_and_not_sent_again() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Refuse(Refusal::permanent()));
    for builder in [grpc(&receiver.grpc_endpoint()), http(&receiver.http_endpoint())] {
        let (exporter, dispatch) = pipeline(builder);
        make_spans(&dispatch, 7);
        let report = exporter.shutdown_blocking(LONG);
        assert_conserved(&report, 7);
        assert_eq!((report.dropped(DropReason::Refused), report.retries()), (7, 0), "{report}");
    }
}

#[test]
fn partial_success_counts_what_was_rejected() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::PartialSuccess { rejected: 2, message: "too old".to_owned() });
    for builder in [grpc(&receiver.grpc_endpoint()), http(&receiver.http_endpoint())] {
        let (exporter, dispatch) = pipeline(builder);
        make_spans(&dispatch, 5);
        let report = exporter.shutdown_blocking(LONG);
        assert_conserved(&report, 5);
        assert_eq!((report.exported(), report.rejected(), report.retries()), (3, 2, 0), "{report}");
    }
}

#[test]
fn an_absent_collector_costs_no_more_than_the_deadline_and_is_told() {
    for builder in [grpc(&nowhere()), http(&nowhere())] {
        let (exporter, dispatch) = pipeline(builder);
        make_spans(&dispatch, 20);
        let started = Instant::now();
        let report = exporter.shutdown_blocking(Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_conserved(&report, 20);
        assert_eq!(report.dropped(DropReason::ShutdownDeadline), 20, "{report}");
        assert_eq!(report.copies_failed(), 0, "there is one destination: {report}");
        assert!(report.to_string().contains("20 dropped (shutdown_deadline)"), "{report}");
    }
}

#[test]
fn a_hanging_collector_costs_no_more_than_the_deadline_and_is_told() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Hang);
    for builder in [grpc(&receiver.grpc_endpoint()), http(&receiver.http_endpoint())] {
        let (exporter, dispatch) = pipeline(builder);
        make_spans(&dispatch, 20);
        let started = Instant::now();
        let report = exporter.shutdown_blocking(Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(report.lost(), 20, "{report}");
    }
}

#[test]
fn the_wrong_protocol_is_reported_and_hurts_nobody() {
    let receiver = Receiver::start_blocking().unwrap();
    for builder in [grpc(&receiver.http_endpoint()), http(&receiver.grpc_endpoint())] {
        let (exporter, dispatch) = pipeline(builder);
        make_spans(&dispatch, 3);
        let report = exporter.shutdown_blocking(Duration::from_millis(500));
        assert_conserved(&report, 3);
        assert_eq!(report.lost(), 3, "{report}");
    }
}

#[test]
fn beyond_the_outage_budget_spans_are_dropped_and_counted() {
    let (exporter, dispatch) = pipeline(grpc(&nowhere()).outage_budget(Duration::from_millis(200)));
    make_spans(&dispatch, 4);
    let deadline = Instant::now() + LONG;
    while exporter.report().dropped(DropReason::OutageBudget) < 4 {
        assert!(Instant::now() < deadline, "{}", exporter.report());
        std::thread::yield_now();
    }
}

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Hang);
    let (exporter, dispatch) = pipeline(grpc(&receiver.grpc_endpoint()).queue_bytes_max(10_000));
    make_spans(&dispatch, 1_000);
    let report = exporter.report();
    assert_conserved(&report, 1_000);
    assert!(report.dropped(DropReason::QueueFull) > 800, "{report}");

    receiver.behave(Behaviour::Accept);
    let report = exporter.shutdown_blocking(LONG);
    assert_conserved(&report, 1_000);
    assert_eq!(report.exported(), 1_000 - report.dropped(DropReason::QueueFull), "{report}");
    assert_eq!(receiver.spans().len() as u64, report.exported());
}

#[test]
fn a_burst_from_many_threads_loses_nothing() {
    let receiver = Receiver::start_blocking().unwrap();
    let (exporter, dispatch) = pipeline(grpc(&receiver.grpc_endpoint()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| make_spans(&dispatch, 5_000));
        }
    });
    let report = exporter.shutdown_blocking(LONG);
    assert_conserved(&report, 20_000);
    assert_eq!((report.exported(), report.lost()), (20_000, 0), "{report}");
}

#[test]
fn after_shutdown_spans_are_counted_and_a_second_shutdown_reports_the_same() {
    let receiver = Receiver::start_blocking().unwrap();
    let (exporter, dispatch) = pipeline(grpc(&receiver.grpc_endpoint()));
    make_spans(&dispatch, 2);
    let first = exporter.shutdown_blocking(LONG);
    assert_eq!(exporter.shutdown_blocking(LONG), first);
    make_spans(&dispatch, 3);
    assert_eq!(exporter.report().dropped(DropReason::AlreadyShutdown), 3);
}

#[test]
fn a_dropped_guard_flushes() {
    let receiver = Receiver::start_blocking().unwrap();
    let (exporter, dispatch) = pipeline(http(&receiver.http_endpoint()).schedule_delay(LONG));
    make_spans(&dispatch, 100);
    drop(exporter);
    assert_eq!(receiver.spans().len(), 100);
}

#[test]
fn metrics_go_out_through_the_sdk_over_either_protocol() {
    let receiver = Receiver::start_blocking().unwrap();
    for builder in [grpc(&receiver.grpc_endpoint()), http(&receiver.http_endpoint())] {
        receiver.clear();
        let (exporter, _dispatch) = pipeline(builder.metrics(Signal::On));
        let recorder = exporter.recorder().unwrap();
        let attributes =
            [("http.request.method", Value::Str("GET")), ("http.response.status_code", Value::I64(200))];
        recorder.record(Metric::HttpServerRequestDuration, 0.02, &attributes);
        recorder.record(Metric::HttpServerActiveRequests, 1.0, &attributes[..1]);
        let report = exporter.shutdown_blocking(LONG);
        assert_eq!((report.metrics_exported(), report.metrics_failed()), (1, 0), "{report}");

        let metrics = receiver.metrics();
        let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert!(names.contains(&"http.server.request.duration"), "{names:?}");
        assert!(names.contains(&"http.server.active_requests"), "{names:?}");
    }
}

#[test]
fn failed_metric_exports_are_counted() {
    let (exporter, _dispatch) = pipeline(http(&nowhere()).metrics(Signal::On));
    exporter.recorder().unwrap().record(Metric::MessagingSent, 1.0, &[]);
    let report = exporter.shutdown_blocking(Duration::from_secs(2));
    assert_eq!((report.metrics_exported(), report.metrics_failed()), (0, 1), "{report}");
}

#[test]
fn bad_values_in_code_are_errors_that_name_them() {
    for (builder, expected) in [
        (grpc("127.0.0.1:4317"), "endpoint = \"127.0.0.1:4317\": not"),
        (http("ftp://c:1"), "not of the form"),
        (http("http://c:1").batch_len(0), "batch_len"),
        (http("http://c:1").header("bad name", "x"), "bad name"),
    ] {
        let error = builder.environment(Environment::default()).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
