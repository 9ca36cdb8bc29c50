//! What the front door promises: no request waits for telemetry, none fails because of it, and nothing is lost unsaid.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use axum::{Router, body::Body, extract::Request, routing::get};
use throughline::{
    Builder, Context, Telemetry,
    core::env::Environment,
    logs::Output,
    otlp::{DropReason, Protocol},
};
use throughline_receiver::{Behaviour, Receiver};
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;

const LONG: Duration = Duration::from_secs(20);
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn builder(variables: &[(&str, &str)]) -> Builder {
    let builder = throughline::builder("orders")
        .environment(Environment::from_pairs(variables.iter().copied()))
        .protocol(Protocol::Grpc)
        .without_logs();
    // The same tests are a second program.
    #[cfg(feature = "opentelemetry")]
    if env!("CARGO_CRATE_NAME") == "promises_opentelemetry" {
        return builder.span_layer(throughline::SpanLayerKind::OpenTelemetry);
    }
    builder
}

fn install(builder: Builder) -> (Telemetry, DefaultGuard) {
    let telemetry = builder.build().unwrap();
    let guard = tracing::dispatcher::set_default(&telemetry.dispatch());
    (telemetry, guard)
}

/// An app whose one route answers with the headers that a further request would carry.
fn app() -> Router {
    async fn order() -> String {
        tracing::info!("order accepted");
        let mut headers: Vec<(String, String)> = Vec::new();
        throughline::core::Propagator::default().inject(&Context::current(), &mut headers);
        headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    }
    Router::new().route("/orders/{id}", get(order)).layer(throughline::http::server())
}

fn request(headers: &[(&str, &str)]) -> Request {
    let builder = headers
        .iter()
        .fold(Request::get("/orders/17"), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Body::empty()).unwrap()
}

async fn answer(headers: &[(&str, &str)]) -> (u16, String) {
    let response = app().oneshot(request(headers)).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-b7ad6b7169203331-{flags}")
}

#[tokio::test]
async fn requests_are_answered_at_once_while_the_collector_hangs_and_the_queue_is_full() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Hang);
    let (telemetry, _guard) = install(
        builder(&[]).endpoint(&receiver.grpc_endpoint()).exporter(|exporter| exporter.queue_bytes_max(2_000)),
    );
    let started = Instant::now();
    for _ in 0..200 {
        assert_eq!(answer(&[]).await.0, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let report = telemetry.shutdown(Duration::from_millis(200)).await;
    assert!(report.export().dropped(DropReason::QueueFull) > 0, "{report}");
    assert_eq!(report.lost(), 200, "{report}");
}

#[tokio::test]
async fn a_shutdown_under_load_fails_no_request_and_counts_every_span() {
    let receiver = Receiver::start_blocking().unwrap();
    let (telemetry, _guard) = install(builder(&[]).endpoint(&receiver.grpc_endpoint()));
    let load = async {
        for _ in 0..300 {
            assert_eq!(answer(&[]).await.0, 200);
            tokio::task::yield_now().await;
        }
    };
    let (report, ()) = tokio::join!(telemetry.shutdown(LONG), load);
    let export = report.export();
    assert_eq!(export.exported() + report.lost(), export.accepted(), "{report}");
    assert_eq!(receiver.spans().len() as u64, export.exported());
}

#[tokio::test]
async fn a_bad_or_huge_header_costs_a_counter_and_no_request() {
    let receiver = Receiver::start_blocking().unwrap();
    let (telemetry, _guard) = install(builder(&[]).endpoint(&receiver.grpc_endpoint()));
    let huge = "x".repeat(1_000_000);
    let baggage = format!("a={huge}");
    for headers in [
        vec![
            ("traceparent", huge.as_str()),
            ("tracestate", &huge),
            ("baggage", &baggage),
            ("x-correlation-id", &huge),
        ],
        vec![("traceparent", "nonsense"), ("baggage", ";;;"), ("x-correlation-id", "a\"b")],
    ] {
        let (status, body) = answer(&headers).await;
        assert_eq!(status, 200);
        assert!(!body.contains(TRACE) && body.contains("x-correlation-id: 0"), "{body}");
    }
    let counted = *telemetry.report().propagation();
    assert_eq!((counted.traceparent_invalid, counted.correlation_replaced), (2, 2), "{counted:?}");
    assert!(counted.baggage_members_dropped >= 2, "{counted:?}");
}

#[tokio::test]
async fn without_spans_or_lines_the_callers_trace_goes_on_unchanged() {
    let receiver = Receiver::start_blocking().unwrap();
    for variables in [
        [("RUST_LOG", "off"), ("THROUGHLINE_SPANS", "off")],
        [("RUST_LOG", "error"), ("OTEL_SDK_DISABLED", "true")],
        [("RUST_LOG", "info"), ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        let (telemetry, _guard) = install(builder(&variables).endpoint(&receiver.grpc_endpoint()));
        let (_, body) = answer(&[
            ("traceparent", &traceparent("03")),
            ("tracestate", "v=1"),
            ("x-correlation-id", "c-1"),
        ])
        .await;
        assert_eq!(
            body,
            format!("traceparent: {}\ntracestate: v=1\nx-correlation-id: c-1\n", traceparent("03")),
            "{variables:?}"
        );
        let report = telemetry.shutdown(LONG).await;
        assert_eq!(report.export().accepted(), 0, "{variables:?}");
    }
    assert!(receiver.spans().is_empty());
}

#[tokio::test]
async fn the_environment_says_which_methods_are_known() {
    let receiver = Receiver::start_blocking().unwrap();
    let variables = [("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "POST, PROPFIND")];
    let (telemetry, _guard) = install(builder(&variables).endpoint(&receiver.grpc_endpoint()));
    answer(&[]).await;
    telemetry.shutdown(LONG).await;
    let [span] = receiver.spans().try_into().unwrap();
    assert_eq!(span.name, "HTTP /orders/{id}", "the list replaces that of the conventions, GET included");
}

#[tokio::test]
async fn lowering_the_log_level_does_not_touch_the_spans() {
    let receiver = Receiver::start_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let (telemetry, _guard) = install(
        builder(&[("RUST_LOG", "error")]).endpoint(&receiver.grpc_endpoint()).log_output(Output::file(&log)),
    );
    answer(&[("traceparent", &traceparent("01"))]).await;
    telemetry.shutdown(LONG).await;
    let [span] = receiver.spans().try_into().unwrap();
    assert_eq!((span.name.as_str(), span.trace_id.to_string().as_str()), ("GET /orders/{id}", TRACE));
    assert_eq!(span.events[0].name, "order accepted");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "");
}

#[tokio::test]
async fn a_log_line_carries_the_ids_of_its_request() {
    let receiver = Receiver::start_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let (telemetry, _guard) =
        install(builder(&[]).endpoint(&receiver.grpc_endpoint()).log_output(Output::file(&log)));
    answer(&[("traceparent", &traceparent("03")), ("x-correlation-id", "c-1")]).await;
    let report = telemetry.shutdown(LONG).await;
    assert_eq!(report.lost(), 0, "{report}");
    let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&log).unwrap()).unwrap();
    let [span] = receiver.spans().try_into().unwrap();
    for (key, expected) in [
        ("message", "order accepted"),
        ("level", "INFO"),
        ("service", "orders"),
        ("correlation_id", "c-1"),
        ("trace_id", TRACE),
        ("span_id", &span.span_id.to_string()),
        ("trace_flags", "03"),
    ] {
        assert_eq!(line[key], expected, "{key} of {line}");
    }
}

#[test]
fn a_bad_variable_is_a_warning_or_if_asked_an_error_that_names_it() {
    let bad = [("OTEL_BSP_SCHEDULE_DELAY", "soon")];
    let telemetry = builder(&bad).build().unwrap();
    drop(telemetry);
    let error = builder(&bad).strict_environment().build().unwrap_err().to_string();
    assert!(
        error.contains("OTEL_BSP_SCHEDULE_DELAY=\"soon\" is not a number of milliseconds; using 1000"),
        "{error}"
    );
    for (name, value) in [
        ("RUST_LOG", "a=b=c"),
        ("THROUGHLINE_SPANS", "[x]"),
        ("THROUGHLINE_LOG_FORMAT", "xml"),
        ("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET POST"),
    ] {
        let error = builder(&[(name, value)]).strict_environment().build().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}={value:?} is ")), "{error}");
    }
}

#[test]
fn an_output_that_cannot_be_opened_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = Output::file(folder.path().join("no/such/folder/log.jsonl"));
    let error = builder(&[]).log_output(output).build().unwrap_err();
    assert!(error.to_string().contains("log output"), "{error}");
}
