//! The server layer: names, attributes, ends, propagation.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    task::{Context as TaskContext, Poll},
};

use axum::{Router, body::Body, extract::ConnectInfo, routing::get};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request::Parts};
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt, Full};
use throughline_core::{Context, EdgePolicy, Propagator};
use throughline_http::server::{Route, server};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::capture::Capture;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

/// A body that yields what it is told to: bytes, an error, a panic, or nothing for ever.
struct Script(Vec<Step>);

enum Step {
    Data(&'static str),
    Trailers,
    Fail,
    Panic,
    Hang,
}

impl HttpBody for Script {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        assert!(Context::current().span().is_some(), "a body is polled inside its span");
        match self.0.remove(0) {
            Step::Data(text) => Poll::Ready(Some(Ok(Frame::data(text.into())))),
            Step::Trailers => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
            Step::Fail => Poll::Ready(Some(Err(std::io::Error::other("token=secret")))),
            Step::Panic => panic!("body"),
            Step::Hang => Poll::Pending,
        }
    }
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn app() -> Router {
    Router::new()
        .route("/orders/{id}", get(async || "an order"))
        .route("/fail", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/missing", get(async || StatusCode::NOT_FOUND))
        .route("/nothing", get(async || StatusCode::NO_CONTENT))
        .layer(server())
}

async fn read(response: Response<impl HttpBody<Data = Bytes, Error: std::fmt::Debug>>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn requests_that_end_by_themselves() {
    for (method, path, outcome) in [
        ("GET", "/orders/17", "GET /orders/{id}: complete, 200, unset, -"),
        ("HEAD", "/orders/17", "HEAD /orders/{id}: complete, 200, unset, -"),
        ("GET", "/fail", "GET /fail: complete, 500, Error, 500"),
        ("GET", "/missing", "GET /missing: complete, 404, unset, -"),
        ("GET", "/nothing", "GET /nothing: complete, 204, unset, -"),
        ("GET", "/nowhere", "GET: complete, 404, unset, -"),
        ("BREW", "/nowhere", "HTTP: complete, 404, unset, -"),
    ] {
        let (capture, _guard) = Capture::start();
        let mut request = request(path);
        *request.method_mut() = method.parse().unwrap();
        read(app().oneshot(request).await.unwrap()).await;
        assert_eq!(capture.span().outcome(), outcome);
        assert_eq!(capture.active(), (0.0, 1.0), "{outcome}");
        assert_eq!(capture.durations().len(), 1, "{outcome}");
    }
}

#[tokio::test]
async fn attributes_by_the_conventions() {
    let (capture, _guard) = Capture::start();
    let mut request = Request::get("/orders/17?a=1&sig=secret")
        .header("host", "shop.test:8443")
        .header("user-agent", "curl/8")
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([192, 0, 2, 7], 4711))));
    read(app().oneshot(request).await.unwrap()).await;

    let span = capture.span();
    let expected = [
        ("client.address", "192.0.2.7"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/orders/{id}"),
        ("network.peer.address", "192.0.2.7"),
        ("network.peer.port", "4711"),
        ("network.protocol.version", "1.1"),
        ("otel.kind", "server"),
        ("server.address", "shop.test"),
        ("server.port", "8443"),
        ("throughline.http.end", "complete"),
        ("url.path", "/orders/17"),
        ("url.query", "a=1&sig=REDACTED"),
        ("url.scheme", "http"),
        ("user_agent.original", "curl/8"),
    ];
    assert_eq!(span.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!(
        capture.durations(),
        ["http.server.request.duration http.request.method=GET url.scheme=http http.route=/orders/{id} \
          http.response.status_code=200 network.protocol.version=1.1"]
    );
}

#[tokio::test]
async fn an_unknown_method_is_other_and_kept_apart() {
    let (capture, _guard) = Capture::start();
    let mut request = request("/orders/17");
    *request.method_mut() = "PROPFIND".parse().unwrap();
    read(app().oneshot(request).await.unwrap()).await;
    let span = capture.span();
    assert_eq!(span.name, "HTTP /orders/{id}");
    assert_eq!(span.get("http.request.method"), "_OTHER");
    assert_eq!(span.get("http.request.method_original"), "PROPFIND");
    assert!(!capture.durations()[0].contains("PROPFIND"));
}

#[tokio::test]
async fn around_the_router_there_is_no_route_and_never_the_path() {
    let (capture, _guard) = Capture::start();
    let app = Router::new().route("/orders/{id}", get(async || "an order"));
    read(server().layer(app).oneshot(request("/orders/17")).await.unwrap()).await;
    assert_eq!(capture.span().outcome(), "GET: complete, 200, unset, -");
    assert_eq!(capture.span().get("http.route"), "-");
}

#[tokio::test]
async fn another_frameworks_route_and_none_at_all() {
    for (layer, name) in [
        (
            server().route_name(|request: &Parts| request.extensions.get().map(|r: &&str| Route::from(*r))),
            "GET /x/{y}",
        ),
        (server().route_name(()), "GET"),
    ] {
        let (capture, _guard) = Capture::start();
        let mut request = request("/x/1");
        request.extensions_mut().insert("/x/{y}");
        let service = layer
            .layer(service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty()))));
        read(service.oneshot(request).await.unwrap()).await;
        assert_eq!(capture.span().name, name);
    }
}

/// Sends a request to a handler whose response has `steps` as its body, and reads the body as far as it goes.
async fn streamed(steps: Vec<Step>, frames: usize) -> Capture {
    let (capture, _guard) = Capture::start();
    let mut steps = Some(steps);
    let handler = service_fn(move |_: Request<Body>| {
        let body = Script(steps.take().unwrap());
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let response = server().layer(handler).oneshot(request("/")).await.unwrap();
    assert_eq!(capture.spans().len(), 0, "the span outlives the head");
    assert_eq!(capture.active(), (1.0, 1.0));
    let mut body = response.into_body();
    for _ in 0..frames {
        let frame = tokio::task::unconstrained(poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
            Poll::Pending => Poll::Ready(None),
            ready @ Poll::Ready(_) => ready,
        }));
        if frame.await.is_none() {
            break;
        }
    }
    if frames > 3 {
        assert_eq!(capture.spans().len(), 1, "the span doesn't wait for whoever keeps the body");
    }
    drop(body);
    capture
}

#[tokio::test]
async fn a_body_decides_how_the_request_ends() {
    for (steps, frames, outcome) in [
        (vec![Step::Data("one"), Step::Data("two")], 9, "GET: complete, 200, unset, -"),
        (vec![Step::Data("one"), Step::Trailers, Step::Hang], 2, "GET: complete, 200, unset, -"),
        (vec![Step::Data("one"), Step::Fail], 9, "GET: error, 200, Error, std::io::error::Error"),
        (vec![Step::Data("one"), Step::Hang], 2, "GET: client_gone, 200, Error, client_gone"),
        (vec![Step::Hang], 0, "GET: client_gone, 200, Error, client_gone"),
    ] {
        let capture = streamed(steps, frames).await;
        assert_eq!(capture.span().outcome(), outcome);
        assert_eq!(capture.active(), (0.0, 1.0), "{outcome}");
        assert_eq!(capture.durations().len(), 1, "{outcome}");
        assert!(!format!("{:?}", capture.span()).contains("secret"));
    }
}

#[tokio::test]
async fn as_many_bytes_as_announced_are_the_whole_body() {
    for (announced, outcome) in
        [("3", "GET: complete, 200, unset, -"), ("4", "GET: client_gone, 200, Error, client_gone")]
    {
        let (capture, _guard) = Capture::start();
        let handler = service_fn(async |_: Request<Body>| {
            let body = Script(vec![Step::Data("one"), Step::Hang]);
            Ok::<_, Infallible>(Response::builder().header("content-length", announced).body(body).unwrap())
        });
        let mut body = server().layer(handler).oneshot(request("/")).await.unwrap().into_body();
        assert!(body.frame().await.is_some());
        drop(body);
        assert_eq!(capture.span().outcome(), outcome);
    }
}

#[tokio::test]
async fn a_body_passes_through_as_it_is() {
    let (_capture, _guard) = Capture::start();
    let handler =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("four"))));
    let body = server().layer(handler).oneshot(request("/")).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(!body.is_end_stream());
    assert_eq!(body.collect().await.unwrap().to_bytes(), "four");
}

#[tokio::test]
async fn a_client_that_goes_before_the_head() {
    let (capture, _guard) = Capture::start();
    let app = Router::new().route("/slow", get(async || pending::<()>().await)).layer(server());
    {
        let mut response = pin!(app.oneshot(request("/slow")));
        assert!(poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx).is_pending())).await);
        assert_eq!(capture.active(), (1.0, 1.0));
    }
    assert_eq!(capture.span().outcome(), "GET /slow: client_gone, -, Error, client_gone");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn a_panic_is_recorded_and_goes_on() {
    let (capture, _guard) = Capture::start();
    let in_call = service_fn(|_: Request<Body>| -> std::future::Ready<Result<Response<Body>, Infallible>> {
        panic!("in call")
    });
    let mut service = server().layer(in_call);
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| drop(service.call(request("/")))));
    assert!(caught.is_err());
    assert_eq!(capture.span().outcome(), "GET: panic, -, Error, panic");

    let (capture, _guard) = Capture::start();
    let app = Router::new().route("/p", get(async || -> String { panic!("in the handler") })).layer(server());
    let task = tokio::spawn(app.oneshot(request("/p")));
    assert!(task.await.is_err_and(|error| error.is_panic()));
    assert_eq!(capture.span().outcome(), "GET /p: panic, -, Error, panic");
    assert_eq!(capture.active(), (0.0, 1.0));
    assert_eq!(capture.durations().len(), 1);

    let (capture, _guard) = Capture::start();
    let in_body =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Script(vec![Step::Panic]))));
    let body = server().layer(in_body).oneshot(request("/")).await.unwrap().into_body();
    assert!(tokio::spawn(body.collect()).await.is_err_and(|error| error.is_panic()));
    assert_eq!(capture.span().outcome(), "GET: panic, 200, Error, panic");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn a_service_that_fails() {
    let (capture, _guard) = Capture::start();
    let handler =
        service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(std::io::Error::other("secret")));
    assert!(server().layer(handler).oneshot(request("/")).await.is_err());
    assert_eq!(capture.span().outcome(), "GET: error, -, Error, std::io::error::Error");
    assert!(capture.durations()[0].ends_with("error.type=std::io::error::Error"));
}

/// Answers with the headers that a request sent from within the handler would carry.
fn echo() -> Router {
    let outgoing = async || {
        let mut headers: Vec<(String, String)> = Vec::new();
        Propagator::default().inject(&Context::current(), &mut headers);
        headers.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>()
    };
    Router::new().route("/", get(outgoing))
}

#[tokio::test]
async fn the_caller_is_the_parent_and_gets_its_correlation_id_back() {
    let (capture, _guard) = Capture::start();
    let mut request = request("/");
    for (name, value) in [
        ("traceparent", CALLER),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("baggage", "tenant=blue"),
        ("x-correlation-id", "order-17"),
    ] {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    let response = echo().layer(server()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["x-correlation-id"], "order-17");
    let outgoing = String::from_utf8(read(response).await.to_vec()).unwrap();

    let span = capture.span();
    assert_eq!((span.trace.as_str(), span.parent.as_deref()), (TRACE, Some("b7ad6b7169203331")));
    let expected = format!(
        "traceparent: 00-{TRACE}-{}-03\ntracestate: a=1,b=2\nbaggage: tenant=blue\nx-correlation-id: order-17\n",
        span.id
    );
    assert_eq!(outgoing, expected);
}

#[tokio::test]
async fn a_filtered_span_lets_the_callers_trace_through() {
    let (capture, _guard) = Capture::start_filtered();
    let mut request = request("/");
    request.headers_mut().insert("traceparent", HeaderValue::from_static(CALLER));
    request.headers_mut().insert("x-correlation-id", HeaderValue::from_static("order-17"));
    let response = echo().layer(server()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["x-correlation-id"], "order-17");
    let outgoing = read(response).await;
    assert_eq!(outgoing, format!("traceparent: {CALLER}\nx-correlation-id: order-17\n"));
    assert_eq!(capture.spans().len(), 0);
    assert_eq!(capture.active(), (0.0, 1.0), "metrics don't depend on the span filter");
}

#[tokio::test]
async fn headers_that_are_wrong_never_fail_a_request() {
    let huge: &'static str = "x".repeat(1 << 20).leak();
    for headers in [
        vec![("traceparent", CALLER.as_bytes()), ("traceparent", CALLER.as_bytes())],
        vec![("traceparent", b"00-zz"), ("tracestate", b"=")],
        vec![("traceparent", huge.as_bytes())],
        vec![
            ("x-correlation-id", huge.as_bytes()),
            ("baggage", huge.as_bytes()),
            ("user-agent", huge.as_bytes()),
        ],
        vec![
            ("x-correlation-id", "ä".as_bytes()),
            ("traceparent", b"\xff"),
            ("host", b"\xff"),
            ("user-agent", b"\xff"),
        ],
        vec![("x-correlation-id", b"a\"b"), ("host", b":::")],
    ] {
        let (capture, _guard) = Capture::start();
        let mut request = request("/orders/17");
        for (name, value) in headers {
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let response = app().oneshot(request).await.unwrap();
        let id = response.headers()["x-correlation-id"].to_str().unwrap().to_owned();
        assert_eq!(id.len(), 36, "a fresh one: {id}");
        read(response).await;
        let span = capture.span();
        assert_eq!(span.parent, None);
        assert!(span.attributes.values().all(|value| value.len() <= 2048), "{span:?}");
        assert_eq!(span.outcome(), "GET /orders/{id}: complete, 200, unset, -");
    }
}

#[tokio::test]
async fn a_stranger_is_ignored_when_told_to() {
    let (capture, _guard) = Capture::start();
    let mut request = request("/");
    request.headers_mut().insert("traceparent", HeaderValue::from_static(CALLER));
    request.headers_mut().insert("x-correlation-id", HeaderValue::from_static("order-17"));
    let response = echo().layer(server().edge(EdgePolicy::ignore())).oneshot(request).await.unwrap();
    assert_ne!(response.headers()["x-correlation-id"], "order-17");
    read(response).await;
    assert_ne!(capture.span().trace, TRACE);
    assert_eq!(capture.span().parent, None);
}

#[tokio::test]
async fn work_before_the_first_poll_is_inside() {
    let (capture, _guard) = Capture::start();
    let eager = service_fn(|_: Request<Body>| {
        drop(tracing::info_span!("before the first poll"));
        async {
            drop(tracing::info_span!("at a poll"));
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    read(ServiceBuilder::new().layer(server()).service(eager).oneshot(request("/")).await.unwrap()).await;
    let spans = capture.spans();
    assert_eq!(
        spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(),
        ["before the first poll", "at a poll", "GET"]
    );
    assert!(spans[..2].iter().all(|span| span.parent.as_deref() == Some(&spans[2].id)), "{spans:?}");
}

#[tokio::test]
async fn without_a_subscriber_of_ours_everything_still_goes_on() {
    let mut request = request("/");
    request.headers_mut().insert("traceparent", HeaderValue::from_static(CALLER));
    let response = echo().layer(server()).oneshot(request).await.unwrap();
    assert!(response.headers().contains_key("x-correlation-id"));
    assert!(String::from_utf8(read(response).await.to_vec()).unwrap().contains(CALLER));
}

#[tokio::test]
async fn a_tunnel_has_no_path() {
    let (capture, _guard) = Capture::start();
    let handler = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let connect = Request::connect("peer.test:443").body(Body::empty()).unwrap();
    read(server().layer(handler).oneshot(connect).await.unwrap()).await;
    let span = capture.span();
    assert_eq!(
        (span.get("url.path"), span.get("server.address"), span.get("server.port")),
        ("-", "peer.test", "443")
    );
}
