//! What is recorded, or told, on request only.

use axum::{
    Router,
    body::Body,
    routing::{any, get, post},
};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use throughline_http::{client, server, server::TraceLayer};
use tower::{Layer, ServiceExt, service_fn};

use crate::capture::Capture;

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

const FIRST_BYTE: &str = "throughline.http.time_to_first_byte_ms";

async fn ask(layer: TraceLayer, request: Request<Body>) -> HeaderMap {
    let app = Router::new()
        .route("/", post(async |body: String| body.repeat(2)))
        .route("/timed", get(async || ([("server-timing", "db;dur=53")], "ok")))
        .route("/any", any(async || "ok"))
        .layer(layer);
    let response = app.oneshot(request).await.unwrap();
    let headers = response.headers().clone();
    response.into_body().collect().await.unwrap();
    headers
}

fn timed(flags: &str) -> Request<Body> {
    let caller = format!("{}{flags}", &CALLER[..53]);
    Request::get("/timed").header("traceparent", caller).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn sizes_and_first_byte_of_a_server() {
    let request = || Request::post("/").header("content-length", "4").body(Body::from("body")).unwrap();
    let (capture, _guard) = Capture::start();
    ask(server().body_sizes().time_to_first_byte(), request()).await;
    let span = capture.span();
    assert_eq!(span.get("http.request.body.size"), "4");
    assert_eq!(span.get("http.response.body.size"), "8");
    assert_ne!(span.get(FIRST_BYTE), "-");

    let (capture, _guard) = Capture::start();
    ask(server(), request()).await;
    for key in ["http.request.body.size", "http.response.body.size", FIRST_BYTE] {
        assert_eq!(capture.span().get(key), "-", "{key}");
    }
}

#[tokio::test]
async fn sizes_and_first_byte_of_a_client() {
    let peer = || {
        service_fn(async |_: Request<Body>| {
            Ok::<_, std::io::Error>(http::Response::new(Body::from("answer")))
        })
    };
    let request =
        || Request::post("http://a.test/").header("content-length", "4").body(Body::from("body")).unwrap();
    let (capture, _guard) = Capture::start();
    let layer = client().body_sizes().time_to_first_byte();
    layer.layer(peer()).oneshot(request()).await.unwrap().into_body().collect().await.unwrap();
    let span = capture.span();
    assert_eq!((span.get("http.request.body.size"), span.get("http.response.body.size")), ("4", "6"));
    assert_ne!(span.get(FIRST_BYTE), "-");

    let (capture, _guard) = Capture::start();
    client().layer(peer()).oneshot(request()).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!((capture.span().get("http.response.body.size"), capture.span().get(FIRST_BYTE)), ("-", "-"));
}

#[tokio::test]
async fn the_caller_is_told_the_span_beside_other_timings() {
    // The caller's flags are kept as far as they are known; the span is the server's own.
    for (flags, expected) in [("03", "03"), ("01", "01"), ("00", "00"), ("ff", "03")] {
        let (capture, _guard) = Capture::start();
        let headers = ask(server().server_timing(), timed(flags)).await;
        let span = capture.span();
        let timings: Vec<_> = headers.get_all("server-timing").iter().collect();
        let ours = format!("trace;desc=00-0af7651916cd43dd8448eb211c80319c-{}-{expected}", span.id);
        assert_eq!(timings, ["db;dur=53", &ours]);
    }
}

#[tokio::test]
async fn no_span_and_no_wish_no_timing() {
    let unasked = {
        let (_capture, _guard) = Capture::start();
        ask(server(), timed("03")).await
    };
    assert_eq!(unasked.get_all("server-timing").iter().count(), 1);
    let (_capture, _guard) = Capture::start_filtered();
    let headers = ask(server().server_timing(), timed("03")).await;
    assert_eq!(
        headers.get_all("server-timing").iter().count(),
        1,
        "a span that isn't there has no id to tell"
    );
}

#[tokio::test]
async fn a_head_is_complete_without_a_body_whatever_its_method_is_called() {
    let (capture, _guard) = Capture::start();
    let request = Request::head("/any").body(Body::empty()).unwrap();
    let app = Router::new().route("/any", any(async || "ok"));
    let layer = server().known_methods("GET".parse().unwrap());
    drop(app.layer(layer).oneshot(request).await.unwrap());
    assert_eq!(capture.span().outcome(), "HTTP /any: complete, 200, unset, -");
}

#[tokio::test]
async fn methods_of_ones_own() {
    let request = |method: &str| Request::builder().method(method).uri("/any").body(Body::empty()).unwrap();
    for (layer, in_pipeline, names) in [
        (server(), None, ["GET /any", "HTTP /any"]),
        (server(), Some("PROPFIND"), ["HTTP /any", "PROPFIND /any"]),
        (
            server().known_methods("GET,PROPFIND".parse().unwrap()),
            Some("POST"),
            ["GET /any", "PROPFIND /any"],
        ),
    ] {
        let (capture, _guard) = Capture::start_under(|pipeline| match in_pipeline {
            Some(list) => pipeline.known_methods(list.parse().unwrap()),
            None => pipeline,
        });
        for method in ["GET", "PROPFIND"] {
            ask(layer.clone(), request(method)).await;
        }
        let spans = capture.spans();
        assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), names);
        for (span, duration) in spans.iter().zip(capture.durations()) {
            let method = span.get("http.request.method");
            assert!(duration.contains(&format!("http.request.method={method} ")), "{duration}");
            assert_eq!(method == "_OTHER", span.get("http.request.method_original") != "-");
        }
    }
}
