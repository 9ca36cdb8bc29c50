//! The front door with the OpenTelemetry API and SDK beside our spans: HTTP hops, lines and spans of both are one story.

use std::time::Duration;

use axum::{Router, body::Body, extract::Request, routing::get};
use throughline::{
    Builder, SpanLayerKind,
    core::env::Environment,
    logs::Output,
    otlp::{
        Protocol,
        sdk::opentelemetry::trace::{Tracer, TracerProvider},
    },
};
use throughline_receiver::{Receiver, Span};
use tower::ServiceExt;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const LONG: Duration = Duration::from_secs(20);

fn builder(receiver: &Receiver) -> Builder {
    throughline::builder("orders")
        .environment(Environment::from_pairs::<&str, &str>([]))
        .protocol(Protocol::Grpc)
        .endpoint(&receiver.grpc_endpoint())
}

/// Both ways to have spans of the API beside ours.
fn kinds(receiver: &Receiver) -> [Builder; 2] {
    [builder(receiver).opentelemetry_api(), builder(receiver).span_layer(SpanLayerKind::OpenTelemetry)]
}

#[tokio::test]
async fn a_request_goes_through_spans_of_both_libraries_and_stays_one_story() {
    for number in 0..2 {
        let receiver = Receiver::start_blocking().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let [api, layer] = kinds(&receiver);
        let builder = if number == 0 { api } else { layer };
        let telemetry = builder.log_output(Output::file(file.path())).build().unwrap();
        let guard = tracing::dispatcher::set_default(&telemetry.dispatch());
        let tracer = telemetry.opentelemetry().unwrap().tracer_provider().tracer("pricing");
        let handler = move || async move {
            tracer.in_span("price", |_| {
                tracing::info_span!("discount").in_scope(|| tracing::info!("accepted"))
            });
            "an order"
        };
        let app = Router::new().route("/orders/{id}", get(handler)).layer(throughline::http::server());
        let request = Request::get("/orders/17")
            .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-03"))
            .header("tracestate", "a@b@c=1")
            .header("x-correlation-id", "c-1")
            .body(Body::empty())
            .unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.headers().get("x-correlation-id").unwrap(), "c-1");
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        drop(guard);
        let report = telemetry.shutdown(LONG).await;
        assert_eq!((report.export().exported(), report.lost()), (3, 0), "{report}");

        let spans = receiver.spans();
        let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let (server, price, discount) = (named("GET /orders/{id}"), named("price"), named("discount"));
        assert_eq!(server.parent_span_id.unwrap().to_string(), "b7ad6b7169203331");
        assert_eq!(price.parent_span_id, Some(server.span_id));
        assert_eq!(discount.parent_span_id, Some(price.span_id));
        let is_whole = |span: &Span| {
            span.trace_id.to_string() == TRACE
                && span.attribute("correlation.id").is_some_and(|id| *id == *"c-1")
        };
        assert!(spans.iter().all(|span| is_whole(span)), "{spans:#?}");
        assert!(server.tracestate == "a@b@c=1" && discount.tracestate == "a@b@c=1");
        let lines = std::fs::read_to_string(file.path()).unwrap();
        let line = lines.lines().find(|line| line.contains("accepted")).unwrap();
        assert!(line.contains(TRACE) && line.contains(&discount.span_id.to_string()), "{line}");
        assert!(line.contains("\"correlation_id\":\"c-1\""), "{line}");
    }
}

#[test]
fn nothing_is_set_up_where_nothing_was_asked_for() {
    let receiver = Receiver::start_blocking().unwrap();
    let telemetry = builder(&receiver).without_logs().build().unwrap();
    assert!(telemetry.opentelemetry().is_none());
}

#[test]
fn secrets_of_either_library_are_taken_out_before_export() {
    let receiver = Receiver::start_blocking().unwrap();
    for builder in kinds(&receiver) {
        let telemetry = builder.without_logs().build().unwrap();
        let tracer = telemetry.opentelemetry().unwrap().tracer_provider().tracer("pricing");
        tracing::dispatcher::with_default(&telemetry.dispatch(), || {
            let _ours = tracing::info_span!("ours", password = "hunter2").entered();
            tracing::info!(password = "hunter2", "an event");
            tracer.in_span("theirs", |context| {
                use throughline::otlp::sdk::opentelemetry::{KeyValue, trace::TraceContextExt};
                context.span().set_attribute(KeyValue::new("api_key", "hunter2"));
                context.span().add_event("event", vec![KeyValue::new("password", "hunter2")]);
            });
        });
        telemetry.shutdown_blocking(LONG);
    }
    let spans = receiver.spans();
    assert_eq!(spans.len(), 4);
    let shown = format!("{spans:?}");
    assert!(!shown.contains("hunter2") && shown.contains("REDACTED"), "{shown}");
}
