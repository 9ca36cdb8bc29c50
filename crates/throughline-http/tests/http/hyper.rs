//! HTTP/2, and hyper's own client, over real connections.

use std::{future::poll_fn, net::SocketAddr, pin::pin, task::Poll};

use axum::{
    Router,
    body::Body,
    http::StatusCode,
    routing::{get, post},
};
use futures_util::stream;
use http::{Request, Version};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use throughline_http::{
    client::{Trace, client},
    server,
};
use tower::{Layer, ServiceExt};

use crate::{
    capture::{Capture, Span},
    serve::serve,
};

fn app() -> Router {
    let endless = || Body::from_stream(stream::repeat_with(|| Ok::<_, axum::Error>("chunk")));
    Router::new()
        .route("/orders/{id}", get(async || "an order"))
        .route("/orders", post(async |body: String| body))
        .route("/nothing", get(async || StatusCode::NO_CONTENT))
        .route("/fail", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/silent", get(std::future::pending::<()>))
        .route("/endless", get(async move || endless()))
        .layer(server())
}

/// hyper's client over TCP in our layer: HTTP/1, or HTTP/2 without TLS.
fn hyper(version: Version) -> Trace<Client<HttpConnector, Body>> {
    let mut builder = Client::builder(TokioExecutor::new());
    client().layer(builder.http2_only(version == Version::HTTP_2).build_http())
}

fn request(address: SocketAddr, method: &str, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(format!("http://{address}{path}"));
    request.body(Body::from(if method == "POST" { "body" } else { "" })).unwrap()
}

/// The client's span and the server's, in this order.
fn both(capture: &Capture) -> [Span; 2] {
    let mut spans = capture.spans();
    spans.sort_by_key(|span| span.get("otel.kind").to_owned());
    spans.try_into().unwrap()
}

#[tokio::test]
async fn client_and_server_are_one_trace_in_either_version() {
    for (version, expected) in [(Version::HTTP_11, "1.1"), (Version::HTTP_2, "2")] {
        for (method, path, tree) in [
            (
                "GET",
                "/orders/17",
                "GET: complete, 200, unset, -\n  GET /orders/{id}: complete, 200, unset, -\n",
            ),
            (
                "HEAD",
                "/orders/17",
                "HEAD: complete, 200, unset, -\n  HEAD /orders/{id}: complete, 200, unset, -\n",
            ),
            ("POST", "/orders", "POST: complete, 200, unset, -\n  POST /orders: complete, 200, unset, -\n"),
            ("GET", "/nothing", "GET: complete, 204, unset, -\n  GET /nothing: complete, 204, unset, -\n"),
            ("GET", "/fail", "GET: complete, 500, Error, 500\n  GET /fail: complete, 500, Error, 500\n"),
        ] {
            let (capture, _guard) = Capture::start();
            let address = serve(app()).await;
            let response = hyper(version).oneshot(request(address, method, path)).await.unwrap();
            assert!(response.headers().contains_key("x-correlation-id"));
            response.into_body().collect().await.unwrap();
            capture.wait(2).await;
            assert_eq!(capture.tree(), tree);
            for span in both(&capture) {
                assert_eq!(span.get("network.protocol.version"), expected);
                assert_eq!(span.get("server.address"), "127.0.0.1");
                assert_eq!(span.get("server.port"), address.port().to_string());
            }
            assert!(capture.durations().iter().all(|labels| labels.contains(&format!("version={expected}"))));
            assert_eq!(capture.active().0, 0.0, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_caller_that_loses_interest_is_cancelled_here_and_gone_there() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (capture, _guard) = Capture::start();
        let address = serve(app()).await;
        {
            let mut sent = pin!(hyper(version).oneshot(request(address, "GET", "/silent")));
            // The client's own and the server's: it has arrived.
            while capture.active().0 < 2.0 {
                assert!(poll_fn(|cx| Poll::Ready(sent.as_mut().poll(cx).is_pending())).await);
                tokio::task::yield_now().await;
            }
        }
        capture.wait(2).await;
        assert_eq!(
            capture.tree(),
            "GET: cancelled, -, unset, -\n  GET /silent: client_gone, -, Error, client_gone\n",
            "{version:?}"
        );

        let (capture, _guard) = Capture::start();
        let address = serve(app()).await;
        let mut body = hyper(version).oneshot(request(address, "GET", "/endless")).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        capture.wait(2).await;
        assert_eq!(
            capture.tree(),
            "GET: cancelled, 200, unset, -\n  GET /endless: client_gone, 200, Error, client_gone\n",
            "{version:?}"
        );
        assert_eq!(capture.active().0, 0.0);
    }
}

#[tokio::test]
async fn an_error_of_hyper_is_named_by_its_type() {
    let (capture, _guard) = Capture::start();
    let unused = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    assert!(hyper(Version::HTTP_11).oneshot(request(unused, "GET", "/?sig=hidden")).await.is_err());
    assert_eq!(capture.tree(), "GET: error, -, Error, hyper_util::client::legacy::client::Error\n");
    assert!(!format!("{:?}", capture.spans()).contains("hidden"));
}
