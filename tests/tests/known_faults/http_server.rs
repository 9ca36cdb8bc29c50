//! Requests that come in.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, routing::get};
use throughline::core::Metric;
use throughline_testing::Capture;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tower::ServiceExt;

use throughline::http::server::{SkipPaths, TrustedProxies};

use crate::scene::{PARENT, TRACE, app, outgoing, read, request, send};

fn outcome(capture: &Capture) -> String {
    let spans = capture.spans();
    let [span] = &spans[..] else { panic!("not one span:\n{}", capture.tree()) };
    let get = |key: &str| span.attribute(key).map_or("-".to_owned(), ToString::to_string);
    let failed = if matches!(span.status, throughline_testing::collector::Status::Error { .. }) {
        "error"
    } else {
        "unset"
    };
    format!("{}: {}, {failed}, {}", span.name, get("throughline.http.end"), get("error.type"))
}

/// A span ends at the response's headers: a stream of 300 ms is exported as 0 ms.
#[tokio::test]
async fn a_span_ends_with_the_last_byte_of_the_body() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (parts, stream) = mpsc::channel::<Result<&'static str, Infallible>>(1);
    let body = Arc::new(Mutex::new(Some(Body::from_stream(ReceiverStream::new(stream)))));
    let handler = async move || body.lock().unwrap().take().unwrap();
    let app = Router::new().route("/stream", get(handler)).layer(throughline::http::server());
    let response = send(app, request("/stream", &[])).await;
    assert_eq!(response.status(), 200);
    assert!(capture.spans().is_empty(), "the head is there, the body is not");
    parts.send(Ok("part")).await.unwrap();
    drop(parts);
    assert_eq!(read(response).await, "part");
    assert_eq!(outcome(&capture), "GET /stream: complete, unset, -");
}

/// A cancelled request is exported unmarked, and the gauge of active requests stays one too high for ever.
#[tokio::test]
async fn a_client_that_goes_away_is_on_the_span_and_off_the_gauge() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let app =
        Router::new().route("/slow", get(std::future::pending::<String>)).layer(throughline::http::server());
    let mut call = std::pin::pin!(app.oneshot(request("/slow", &[])));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
    assert!(!polled);
    assert!((capture.total(Metric::HttpServerActiveRequests) - 1.0).abs() < f64::EPSILON);
    call.set(app_that_never_ran().oneshot(request("/", &[])));
    assert_eq!(outcome(&capture), "GET /slow: client_gone, error, client_gone");
    assert!(capture.total(Metric::HttpServerActiveRequests).abs() < f64::EPSILON);
}

fn app_that_never_ran() -> Router {
    Router::new().route("/slow", get(std::future::pending::<String>)).layer(throughline::http::server())
}

/// A handler's panic is unmarked, or marked as cancelled.
#[tokio::test]
async fn a_panic_is_on_the_span_and_goes_on() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    async fn panics() -> String {
        panic!("as was asked for")
    }
    let app = Router::new().route("/", get(panics)).layer(throughline::http::server());
    let call = AssertUnwindSafe(app.oneshot(request("/", &[])));
    let joined = tokio::spawn(call.0).await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(outcome(&capture), "GET /: panic, error, panic");
}

/// A 500 is exported as Ok, which outranks Error (axum-otel).
#[tokio::test]
async fn a_500_is_an_error_and_a_success_is_unset() {
    for (path, expected) in
        [("/fail", "GET /fail: complete, error, 500"), ("/orders/1", "GET /orders/{id}: complete, unset, -")]
    {
        let capture = Capture::new("orders");
        let _guard = capture.install();
        read(send(app(), request(path, &[])).await).await;
        assert_eq!(outcome(&capture), expected);
    }
}

/// The raw method in span names and labels: a stranger fills them.
#[tokio::test]
async fn an_unknown_method_is_other() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let mut request = request("/orders/1", &[]);
    *request.method_mut() = "MADEUP".parse().unwrap();
    read(send(app(), request).await).await;
    let spans = capture.spans();
    assert_eq!(spans[0].name, "HTTP /orders/{id}");
    assert!(spans[0].attribute("http.request.method").is_some_and(|method| *method == *"_OTHER"));
    let [duration] = &capture.measurements(Metric::HttpServerRequestDuration)[..] else {
        panic!("one duration")
    };
    assert_eq!(duration.attribute("http.request.method"), Some("_OTHER"));
}

/// Around the router there is no route: an empty name, or the raw path in its place.
#[tokio::test]
async fn a_raw_path_is_never_a_name() {
    for path in ["/nowhere/17", "/orders/1/made-up"] {
        let capture = Capture::new("orders");
        let _guard = capture.install();
        read(send(app(), request(path, &[])).await).await;
        assert_eq!(capture.spans()[0].name, "GET");
        assert!(capture.spans()[0].attribute("http.route").is_none());
    }
}

/// Empty strings where nothing is known.
#[tokio::test]
async fn what_is_absent_has_no_attribute() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    read(send(app(), request("/orders/1?", &[])).await).await;
    for (key, value) in capture.spans()[0].attributes.iter() {
        assert_ne!(value.to_string(), "", "{key}");
    }
}

/// Old names: dashboards of the current conventions stay empty.
#[tokio::test]
async fn no_attribute_has_an_old_name() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    read(send(app(), request("/orders/1?a=b", &[("user-agent", "curl/8"), ("host", "shop.test")])).await)
        .await;
    for old in [
        "http.method",
        "http.status_code",
        "http.target",
        "http.url",
        "http.scheme",
        "http.user_agent",
        "net.peer.ip",
        "http.client_ip",
    ] {
        assert!(capture.spans()[0].attribute(old).is_none(), "{old}");
    }
}

/// Any request id is taken as it comes: log lines can be injected.
#[tokio::test]
async fn a_correlation_id_is_judged_before_it_is_believed() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let long = "x".repeat(129);
    for bad in ["a\"b", "a b", "a\\b", "", &long] {
        let response = send(app(), request("/orders/1", &[("x-correlation-id", bad)])).await;
        let answered = response.headers()["x-correlation-id"].to_str().unwrap().to_owned();
        assert_ne!(answered, bad);
        assert_eq!(answered.len(), 36, "a fresh one: {answered}");
        read(response).await;
    }
    let response = send(app(), request("/orders/1", &[("x-correlation-id", "order-17")])).await;
    assert_eq!(response.headers()["x-correlation-id"], "order-17");
    read(response).await;
    let spans = capture.spans();
    assert!(spans.iter().all(|span| span.attribute("correlation.id").is_some()), "it is on every span");
    assert_eq!(capture.propagation().correlation_replaced, 5);
}

/// The inner service is called outside the context: work before the first poll is orphaned.
#[tokio::test]
async fn the_inner_service_is_called_inside_the_span() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let inner = tower::service_fn(|_: axum::extract::Request| {
        tracing::info_span!("before the first poll").in_scope(|| ());
        std::future::ready(Ok::<_, Infallible>(axum::response::Response::new(Body::empty())))
    });
    let service = tower::ServiceBuilder::new().layer(throughline::http::server()).service(inner);
    read(service.oneshot(request("/", &[])).await.unwrap().map(Body::new)).await;
    let root = capture.span("GET").span_id;
    assert_eq!(capture.span("before the first poll").parent_span_id, Some(root));
}

/// The caller never learns what to quote to support.
#[tokio::test]
async fn the_caller_gets_the_correlation_id() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let response = send(app(), request("/orders/1", &[("traceparent", &parent)])).await;
    let id = response.headers()["x-correlation-id"].to_str().unwrap().to_owned();
    read(response).await;
    let span = capture.span("GET /orders/{id}");
    assert!(span.attribute("correlation.id").is_some_and(|own| *own == *id));
    assert_eq!(span.trace_id.to_string(), TRACE);
}

/// Health checks fill the backend.
#[tokio::test]
async fn health_checks_are_skipped_and_pass_their_context_on() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let layer = throughline::http::server().skip(SkipPaths::new().exact("/orders/1"));
    let app = Router::new().route("/orders/{id}", get(async || format!("{:?}", outgoing()))).layer(layer);
    let seen = read(send(app, request("/orders/1", &[("traceparent", PARENT)])).await).await;
    assert!(seen.contains(PARENT), "{seen}");
    assert!(capture.spans().is_empty() && capture.measurements(Metric::HttpServerRequestDuration).is_empty());
}

/// The left-most address of a chain is believed, which anybody can write.
#[tokio::test]
async fn a_clients_address_is_the_right_most_that_no_proxy_of_ours_has() {
    for (peer, expected) in [([10, 0, 0, 1], "203.0.113.9"), ([198, 51, 100, 1], "198.51.100.1")] {
        let capture = Capture::new("orders");
        let _guard = capture.install();
        let layer = throughline::http::server().trusted_proxies(TrustedProxies::new(["10.0.0.0/8"]).unwrap());
        let app = Router::new().route("/", get(async || "")).layer(layer);
        let mut request = request("/", &[("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.0.0.9")]);
        request.extensions_mut().insert(axum::extract::ConnectInfo(std::net::SocketAddr::from((peer, 4711))));
        read(send(app, request).await).await;
        assert!(
            capture.span("GET /").attribute("client.address").is_some_and(|address| *address == *expected)
        );
    }
}

/// No trust rule for what comes in: strangers choose our trace ids and fill our baggage.
#[tokio::test]
async fn a_public_edge_starts_a_new_trace_that_links_to_the_callers() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let app = Router::new()
        .route("/", get(async || format!("{:?}", outgoing())))
        .layer(throughline::http::server().public());
    let headers = [("traceparent", PARENT), ("baggage", "theirs=1"), ("x-correlation-id", "order-17")];
    let seen = read(send(app, request("/", &headers)).await).await;
    assert!(!seen.contains(TRACE) && !seen.contains("theirs") && seen.contains("order-17"), "{seen}");
    let span = capture.span("GET /");
    assert_eq!((span.is_root(), span.links.len()), (true, 1));
    assert_eq!(span.links[0].trace_id.to_string(), TRACE);
}

/// No event streams: an hour-long span that says nothing, or none.
#[tokio::test]
async fn an_event_stream_says_how_it_goes() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (events, stream) = mpsc::channel::<Result<&'static str, Infallible>>(3);
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        events.send(Ok(event)).await.unwrap();
    }
    drop(events);
    let body = Arc::new(Mutex::new(Some(Body::from_stream(ReceiverStream::new(stream)))));
    let handler =
        async move || ([("content-type", "text/event-stream")], body.lock().unwrap().take().unwrap());
    let app = Router::new().route("/events", get(handler)).layer(throughline::http::server());
    read(send(app, request("/events", &[])).await).await;
    let span = capture.span("GET /events");
    assert_eq!(span.events.len(), 1, "the first chunk is progress, the second and third are not yet");
    assert!(span.attribute("throughline.http.messages").is_some_and(|count| *count == 3_i64));
}

/// The trace id is not given to the caller: support cannot find a trace.
#[tokio::test]
async fn the_caller_gets_the_span_on_request() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let app = Router::new().route("/", get(async || "")).layer(throughline::http::server().server_timing());
    let response = send(app, request("/", &[])).await;
    let timing = response.headers()["server-timing"].to_str().unwrap().to_owned();
    read(response).await;
    let span = capture.span("GET /");
    assert_eq!(timing, format!("trace;desc=00-{}-{}-03", span.trace_id, span.span_id));
}
