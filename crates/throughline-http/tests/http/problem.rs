//! Error bodies with ids.

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use throughline_http::{Problem, server};
use tower::ServiceExt;

use crate::capture::Capture;

#[tokio::test]
async fn a_handlers_problem_names_its_trace() {
    let (capture, _guard) = Capture::start();
    let handler = async || {
        Err::<&str, _>(Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail("The warehouse is asleep."))
    };
    let app = Router::new().route("/", get(handler)).layer(server());
    let request = Request::get("/").header("x-correlation-id", "order-17").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["x-correlation-id"], "order-17");
    let body = response.into_body().collect().await.unwrap().to_bytes();

    let span = capture.span();
    let expected = serde_json::json!({
        "status": 503,
        "title": "Service Unavailable",
        "detail": "The warehouse is asleep.",
        "trace_id": span.trace,
        "correlation_id": "order-17",
    });
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), expected);
    assert_eq!(span.outcome(), "GET /: complete, 503, Error, 503");
}
