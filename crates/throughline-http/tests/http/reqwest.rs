//! The traced reqwest client: redirects, credentials, errors.

#[cfg(feature = "http2")]
use std::net::SocketAddr;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    routing::{any, get, post},
};
use throughline_http::{client::ResendCount, reqwest::traced, server};
use tower::ServiceExt;

use crate::{capture::Capture, serve::serve};

fn client() -> throughline_http::reqwest::Client {
    traced(reqwest::Client::builder().no_proxy()).unwrap()
}

fn redirect(status: u16, to: String) -> impl axum::response::IntoResponse {
    (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, to)])
}

#[tokio::test]
async fn client_and_server_are_one_trace_over_a_real_connection() {
    let (capture, _guard) = Capture::start();
    let app = Router::new().route("/orders/{id}", get(async || "an order")).layer(server());
    let address = serve(app).await;
    let url = format!("http://{address}/orders/17?sig=secret");
    let response = client().get(&url).header("x-correlation-id", "mine").send().await.unwrap();
    assert_eq!(response.url().as_str(), url);
    assert_eq!(response.remote_addr(), Some(address));
    assert_eq!(response.content_length(), Some(8));
    assert_eq!(response.text().await.unwrap(), "an order");

    let mut spans = capture.wait(2).await;
    spans.sort_by_key(|span| span.get("otel.kind").to_owned());
    let [sent, served] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(sent.outcome(), "GET: complete, 200, unset, -");
    assert_eq!(served.outcome(), "GET /orders/{id}: complete, 200, unset, -");
    assert_eq!((served.parent.as_deref(), &served.trace), (Some(sent.id.as_str()), &sent.trace));
    assert_eq!(sent.get("url.full"), format!("http://{address}/orders/17?sig=REDACTED"));
    assert_eq!(sent.get("server.address"), "127.0.0.1");
    assert_eq!(capture.active().0, 0.0);
}

#[tokio::test]
async fn each_redirect_is_an_attempt_of_its_own() {
    let (capture, _guard) = Capture::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let end = async move |headers: HeaderMap, body: String| {
        note.lock().unwrap().push((headers, body));
        "end"
    };
    let elsewhere = serve(Router::new().route("/end", any(end.clone()))).await;
    let app = Router::new()
        .route("/again", post(async || redirect(307, "/once-more".to_owned())))
        .route("/once-more", post(async move || redirect(302, format!("http://{elsewhere}/end"))));
    let here = serve(app).await;

    let response = client()
        .post(format!("http://{here}/again"))
        .bearer_auth("secret")
        .body("payload")
        .send()
        .await
        .unwrap();
    assert_eq!(response.url().path(), "/end");
    assert_eq!(response.text().await.unwrap(), "end");

    let spans = capture.spans();
    let lines: Vec<String> = spans
        .iter()
        .map(|span| format!("{} resend {}", span.outcome(), span.get("http.request.resend_count")))
        .collect();
    assert_eq!(
        lines,
        [
            "POST: complete, 307, unset, - resend -",
            "POST: complete, 302, unset, - resend 1",
            "GET: complete, 200, unset, - resend 2",
        ]
    );
    let (headers, body) = seen.lock().unwrap().pop().unwrap();
    assert_eq!(headers["traceparent"], format!("00-{}-{}-03", spans[2].trace, spans[2].id));
    assert!(!headers.contains_key(header::AUTHORIZATION), "credentials stay with their host");
    assert_eq!(body, "");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn default_credentials_stay_with_their_host_too() {
    let (_capture, _guard) = Capture::start();
    let echo = any(async |headers: HeaderMap| format!("{:?}", headers.get(header::AUTHORIZATION)));
    let elsewhere = serve(Router::new().route("/end", echo.clone())).await;
    let app = Router::new()
        .route("/end", echo)
        .route("/there", get(async move || redirect(302, format!("http://{elsewhere}/end"))));
    let here = serve(app).await;
    let mut defaults = HeaderMap::new();
    defaults.insert(header::AUTHORIZATION, "Bearer secret".parse().unwrap());
    let client = traced(reqwest::Client::builder().no_proxy().default_headers(defaults)).unwrap();

    let at_home = client.get(format!("http://{here}/end")).send().await.unwrap().text().await.unwrap();
    assert!(at_home.contains("Bearer secret"));
    let abroad = client.get(format!("http://{here}/there")).send().await.unwrap().text().await.unwrap();
    assert_eq!(abroad, "Some(\"\")");
}

#[tokio::test]
async fn too_many_redirects_are_reqwests_own_error() {
    let (capture, _guard) = Capture::start();
    let address = serve(Router::new().route("/loop", get(async || redirect(302, "/loop".to_owned())))).await;
    let url = format!("http://{address}/loop");

    let error = client().redirects_max(2).get(&url).send().await.unwrap_err();
    assert!(error.is_redirect(), "{error:?}");
    let outcomes: Vec<String> = capture.spans().iter().map(crate::capture::Span::outcome).collect();
    assert_eq!(
        outcomes,
        ["GET: complete, 302, unset, -", "GET: complete, 302, unset, -", "GET: error, 302, Error, redirect"]
    );

    let error = client().get(&url).send().await.unwrap_err();
    assert!(error.is_redirect());
    assert_eq!(capture.spans().len(), 3 + 11, "ten redirects are followed");

    let answer = client().redirects_max(0).get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 302);
}

#[tokio::test]
async fn transport_errors_have_short_kinds() {
    let (capture, _guard) = Capture::start();
    let unused = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let refused = client().get(format!("http://{unused}/?sig=secret")).send().await.unwrap_err();
    assert!(refused.is_connect());

    let silent = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
    let late = client().get(format!("http://{silent}/")).timeout(Duration::from_millis(20)).send().await;
    assert!(late.unwrap_err().is_timeout());

    let outcomes: Vec<String> = capture.spans().iter().map(crate::capture::Span::outcome).collect();
    assert_eq!(outcomes, ["GET: error, -, Error, connect", "GET: error, -, Error, timeout"]);
    assert!(!format!("{:?}{:?}", capture.spans(), capture.durations()).contains("secret"));
}

#[tokio::test]
async fn a_time_limit_covers_the_body_too() {
    let (capture, _guard) = Capture::start();
    let body = || Body::new(http_body_util::BodyExt::boxed(Endless));
    let address = serve(Router::new().route("/", get(async move || body()))).await;
    let response =
        client().get(format!("http://{address}/")).timeout(Duration::from_millis(500)).send().await.unwrap();
    assert!(response.bytes().await.unwrap_err().is_timeout());
    assert_eq!(capture.span().outcome(), "GET: error, 200, Error, timeout");
}

/// A body that says nothing and never ends.
struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_real_client_that_goes_away_is_noticed() {
    let (capture, _guard) = Capture::start();
    let app = Router::new().route("/", get(std::future::pending::<()>)).layer(server());
    let address = serve(app).await;
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = tokio::spawn(plain.get(format!("http://{address}/")).send());
    capture.wait_until(|capture| capture.active().0 > 0.0).await;
    sent.abort();
    let spans = capture.wait(1).await;
    assert_eq!(spans[0].outcome(), "GET /: client_gone, -, Error, client_gone");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn real_responses_of_every_kind_are_complete() {
    let (capture, _guard) = Capture::start();
    let app = Router::new()
        .route("/text", get(async || "text"))
        .route("/empty", get(async || StatusCode::NO_CONTENT))
        .route("/stream", get(async || Body::new(Chunks(3))))
        .layer(server());
    let address = serve(app).await;
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    for (method, path) in
        [("GET", "/text"), ("HEAD", "/text"), ("GET", "/empty"), ("GET", "/stream"), ("GET", "/none")]
    {
        let before = capture.spans().len();
        let request = plain.request(method.parse().unwrap(), format!("http://{address}{path}"));
        request.send().await.unwrap().bytes().await.unwrap();
        let spans = capture.wait(before + 1).await;
        assert_eq!(spans[before].get("throughline.http.end"), "complete", "{method} {path}");
    }
    assert_eq!(capture.active().0, 0.0);
}

/// A body of so many chunks, of a length that isn't known beforehand.
struct Chunks(usize);

impl http_body::Body for Chunks {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        let Some(left) = self.0.checked_sub(1) else {
            return std::task::Poll::Ready(None);
        };
        self.0 = left;
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data("chunk".into()))))
    }
}

#[tokio::test]
async fn it_is_a_tower_service_of_reqwests_requests() {
    let (capture, _guard) = Capture::start();
    let address = serve(Router::new().route("/", post(async |body: String| body))).await;
    let http = client();
    let request = http.post(format!("http://{address}/")).json(&["a"]).build().unwrap();
    let response = http.clone().oneshot(request).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "[\"a\"]");
    assert_eq!(capture.span().outcome(), "POST: complete, 200, unset, -");
}

#[tokio::test]
async fn a_mistake_in_the_request_comes_out_of_send() {
    let error = client().get("no address").header("not a name", "x").send().await.unwrap_err();
    assert!(error.is_builder());
}

#[tokio::test]
async fn a_request_that_was_sent_before_says_so() {
    let (capture, _guard) = Capture::start();
    let app = Router::new()
        .route("/", get(async || "ok"))
        .route("/there", get(async || redirect(302, "/".to_owned())));
    let address = serve(app).await;
    let url = format!("http://{address}/there");
    client().get(&url).resend_count(ResendCount(2)).send().await.unwrap().bytes().await.unwrap();

    let mut marked = http::Request::get(&url).body(reqwest::Body::default()).unwrap();
    marked.extensions_mut().insert(ResendCount(4));
    client().oneshot(marked).await.unwrap().bytes().await.unwrap();
    let counts: Vec<String> =
        capture.spans().iter().map(|span| span.get("http.request.resend_count").to_owned()).collect();
    assert_eq!(counts, ["2", "3", "4", "5"], "a redirect counts on");
}

#[tokio::test]
async fn a_body_that_cannot_be_sent_twice_ends_at_the_redirect() {
    let (capture, _guard) = Capture::start();
    let address = serve(Router::new().route("/", post(async || redirect(307, "/".to_owned())))).await;
    let stream = reqwest::Body::wrap(Chunks(3));
    let answer = client().post(format!("http://{address}/")).body(stream).send().await.unwrap();
    assert_eq!(answer.status(), 307);
    drop(answer.bytes().await);
    assert_eq!(capture.tree(), "POST: complete, 307, unset, -\n");
}

/// A peer that refuses the first `refused` streams unseen, and serves the next one.
#[cfg(feature = "http2")]
async fn refuses(refused: usize) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(connection).await.unwrap();
        let mut seen = 0;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            seen += 1;
            if seen <= refused {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                drop(respond.send_response(http::Response::new(()), true));
            }
        }
    });
    address
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_stream_refused_unseen_is_sent_again_and_each_attempt_is_a_span() {
    let client = || traced(reqwest::Client::builder().no_proxy().http2_prior_knowledge()).unwrap();
    let (capture, _guard) = Capture::start();
    let address = refuses(2).await;
    let answer = client().post(format!("http://{address}/")).body("body").send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().len(), 0);
    assert_eq!(
        capture.tree(),
        "POST: error, -, Error, refused_stream\n\
         POST: error, -, Error, refused_stream\n\
         POST: complete, 200, unset, -\n"
    );
    assert_eq!(capture.spans()[2].get("http.request.resend_count"), "2");
    assert_eq!(capture.spans()[2].get("network.protocol.version"), "2");

    let (capture, _guard) = Capture::start();
    let address = refuses(9).await;
    assert!(client().get(format!("http://{address}/")).send().await.is_err());
    assert_eq!(capture.tree(), "GET: error, -, Error, refused_stream\n".repeat(3), "it gives up");

    let (capture, _guard) = Capture::start();
    let address = refuses(1).await;
    let stream = reqwest::Body::wrap(Chunks(3));
    assert!(client().post(format!("http://{address}/")).body(stream).send().await.is_err());
    assert_eq!(capture.spans().len(), 1, "a stream is not sent twice");
}
