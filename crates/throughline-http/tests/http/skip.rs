//! Requests that are skipped: no span, no metrics, the same context.

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, request::Parts};
use http_body_util::BodyExt;
use throughline_core::{Context, Propagator};
use throughline_http::server::{SkipPaths, TraceLayer, server};
use tower::ServiceExt;

use crate::capture::Capture;

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

/// Answers with the headers that a request sent from within the handler would carry.
fn app(layer: TraceLayer) -> Router {
    let outgoing = async || {
        tracing::info_span!("in the handler").in_scope(|| ());
        let mut headers: Vec<(String, String)> = Vec::new();
        Propagator::default().inject(&Context::current(), &mut headers);
        headers.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>()
    };
    Router::new().route("/{*path}", get(outgoing)).layer(layer)
}

async fn ask(layer: &TraceLayer, path: &str) -> (HeaderMap, String) {
    let request = Request::get(path)
        .header("traceparent", CALLER)
        .header("x-correlation-id", "order-17")
        .body(Body::empty())
        .unwrap();
    let response = app(layer.clone()).oneshot(request).await.unwrap();
    let headers = response.headers().clone();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_skipped_request_passes_its_context_on_and_leaves_no_trace() {
    let (capture, _guard) = Capture::start();
    let layer = server().skip(SkipPaths::new().exact("/healthz"));
    let (headers, outgoing) = ask(&layer, "/healthz").await;
    assert_eq!(outgoing, format!("traceparent: {CALLER}\nx-correlation-id: order-17\n"));
    assert_eq!(headers["x-correlation-id"], "order-17");
    assert_eq!(
        capture.tree(),
        "in the handler: -, -, unset, -\n",
        "what the handler opens is its own affair"
    );
    assert_eq!(capture.spans()[0].parent.as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(capture.active(), (0.0, 0.0));
    assert!(capture.durations().is_empty());
}

#[tokio::test]
async fn others_are_traced_as_ever() {
    for (layer, path, traced) in [
        (server().skip(SkipPaths::new().exact("/healthz")), "/orders", true),
        (server().skip(SkipPaths::new().prefix("/internal")), "/internal/ready", false),
        (server().skip(|request: &Parts| request.headers.contains_key("x-correlation-id")), "/orders", false),
        (server().skip(()), "/healthz", true),
        (server(), "/healthz", true),
    ] {
        let (capture, _guard) = Capture::start();
        ask(&layer, path).await;
        assert_eq!(capture.durations().len(), usize::from(traced), "{path}");
        assert_eq!(capture.tree().contains("GET /{*path}: complete, 200"), traced, "{path}");
    }
}
