//! HTTP between axum and reqwest: every status, unknown methods, redirects, failures of either side, what is recorded on request.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderName, Method, StatusCode},
    response::Redirect,
    routing::{any, get},
};
use throughline::{
    SpanExt,
    http::{
        client,
        reqwest::{Client, traced},
        server::{Session, Streaming, TrustedProxies},
    },
};
use tokio::net::TcpListener;

pub(crate) async fn run() {
    let address = serve(Streaming::Whole).await;
    let headers = || [HeaderName::from_static("content-type"), HeaderName::from_static("authorization")];
    let layer =
        client().body_sizes().time_to_first_byte().request_headers(headers()).response_headers(headers());
    let http = traced(reqwest::Client::builder()).unwrap().tracing(layer);
    let url = |path: &str| format!("http://user:pw@{address}{path}");
    for path in ["/orders/7?token=x&page=2", "/old", "/nowhere", "/failure", "/stream", "/session", "/panic"]
    {
        read(http.get(url(path)).header("x-forwarded-for", "203.0.113.9").bearer_auth("token")).await;
    }
    read(http.request(Method::from_bytes(b"BREW").unwrap(), url("/any")).body("water")).await;
    read(http.head(url("/orders/7"))).await;
    fail(&http, address).await;
    let handshakes = serve(Streaming::Handshake).await;
    read(http.get(format!("http://{handshakes}/stream"))).await;
}

async fn serve(streaming: Streaming) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app(streaming).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

async fn read(request: throughline::http::reqwest::RequestBuilder) {
    if let Ok(response) = request.send().await {
        drop(response.bytes().await);
    }
}

/// Nobody there, no answer in time, and a caller who loses interest.
async fn fail(http: &Client, address: SocketAddr) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    http.get(format!("http://{free}/")).send().await.unwrap_err();
    let slow = format!("http://{address}/slow");
    http.get(&slow).timeout(Duration::from_millis(20)).send().await.unwrap_err();
    tokio::time::timeout(Duration::from_millis(20), http.get(&slow).send()).await.unwrap_err();
}

fn app(streaming: Streaming) -> Router {
    let headers = [HeaderName::from_static("user-agent"), HeaderName::from_static("authorization")];
    let layer = throughline::http::server()
        .trusted_proxies(TrustedProxies::new(["127.0.0.0/8"]).unwrap())
        .request_headers(headers)
        .response_headers([HeaderName::from_static("content-type")])
        .body_sizes()
        .time_to_first_byte()
        .server_timing()
        .streaming(streaming);
    Router::new()
        .route("/orders/{id}", get(async || "an order"))
        .route("/old", get(async || Redirect::temporary("/orders/7")))
        .route("/any", any(async |body: Bytes| body))
        .route("/failure", get(failure))
        .route("/panic", get(panic))
        .route("/slow", get(std::future::pending::<()>))
        .route("/stream", get(stream))
        .route("/session", get(session))
        .layer(layer)
}

async fn failure() -> StatusCode {
    tracing::Span::current().record_error(&std::fmt::Error);
    tracing::error!("cannot be served");
    StatusCode::SERVICE_UNAVAILABLE
}

async fn panic() -> StatusCode {
    panic!("as was asked for")
}

/// What goes on behind a request that has been answered.
async fn session() -> StatusCode {
    let session = Session::new("chat");
    session.run(async |messages| messages.handle("chat message", async {}).await).await;
    StatusCode::OK
}

async fn stream() -> ([(&'static str, &'static str); 1], Body) {
    let chunks = ["data: 1\n\n", "data: 2\n\n"].map(Ok::<_, Infallible>);
    ([("content-type", "text/event-stream")], Body::from_stream(tokio_stream::iter(chunks)))
}
