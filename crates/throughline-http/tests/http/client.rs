//! The client layer: attempts, their ends, and what goes onto the wire.

use std::{
    future::{pending, poll_fn},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use throughline_core::{Context, EdgePolicy, Propagator};
use throughline_http::client::{ResendCount, client};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::capture::Capture;

type Body = Full<Bytes>;

fn request(url: &str) -> Request<Body> {
    Request::get(url).body(Body::default()).unwrap()
}

/// Sends one request to a peer that answers with `status`; what it got is in the headers that come back.
async fn send(status: u16, request: Request<Body>) -> HeaderMap {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let peer = service_fn(|request: Request<Body>| {
        *seen.lock().unwrap() = request.headers().clone();
        async move {
            Ok::<_, std::io::Error>(Response::builder().status(status).body(Body::from("body")).unwrap())
        }
    });
    let response = client().layer(peer).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    seen.lock().unwrap().clone()
}

#[tokio::test]
async fn each_attempt_is_a_span_whose_ids_travel() {
    let (capture, _guard) = Capture::start();
    let mut again = request("http://user:secret@users.test:8081/users/7?a=1&sig=secret");
    again.headers_mut().insert("traceparent", HeaderValue::from_static("stale"));
    again.extensions_mut().insert(ResendCount(2));
    let headers = send(200, again).await;
    let span = capture.span();
    assert_eq!(span.outcome(), "GET: complete, 200, unset, -");
    assert_eq!(headers.get_all("traceparent").iter().count(), 1);
    assert_eq!(headers["traceparent"], format!("00-{}-{}-03", span.trace, span.id));
    let expected = [
        ("http.request.method", "GET"),
        ("http.request.resend_count", "2"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("otel.kind", "client"),
        ("server.address", "users.test"),
        ("server.port", "8081"),
        ("throughline.http.end", "complete"),
        ("url.full", "http://REDACTED:REDACTED@users.test:8081/users/7?a=1&sig=REDACTED"),
    ];
    assert_eq!(span.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!(
        capture.durations(),
        ["http.client.request.duration http.request.method=GET server.address=users.test server.port=8081 \
          http.response.status_code=200 network.protocol.version=1.1"]
    );
}

#[tokio::test]
async fn the_current_span_is_the_parent() {
    let (capture, _guard) = Capture::start();
    let outer = tracing::info_span!("outer");
    let sent = {
        let _outer = outer.enter();
        let peer =
            service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Body::default())));
        client().layer(peer).call(request("http://a.test/"))
    };
    drop(sent.await.unwrap());
    drop(outer);
    let [inner, outer] = &capture.spans()[..] else { panic!("{:?}", capture.spans()) };
    assert_eq!((inner.parent.as_deref(), &inner.trace), (Some(outer.id.as_str()), &outer.trace));
}

#[tokio::test]
async fn a_client_holds_every_failure_against_itself() {
    for (status, outcome) in [
        (200, "GET: complete, 200, unset, -"),
        (302, "GET: complete, 302, unset, -"),
        (404, "GET: complete, 404, Error, 404"),
        (503, "GET: complete, 503, Error, 503"),
    ] {
        let (capture, _guard) = Capture::start();
        send(status, request("http://a.test/")).await;
        assert_eq!(capture.span().outcome(), outcome);
        assert_eq!(capture.active(), (0.0, 1.0));
    }
}

#[tokio::test]
async fn a_broken_connection_is_an_error_without_its_message() {
    let (capture, _guard) = Capture::start();
    let broken =
        service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(std::io::Error::other("token=secret")));
    assert!(client().layer(broken).oneshot(request("http://a.test/")).await.is_err());
    assert_eq!(capture.span().outcome(), "GET: error, -, Error, std::io::error::Error");
    assert!(!format!("{:?}{:?}", capture.span(), capture.durations()).contains("secret"));
    assert_eq!(capture.active(), (0.0, 1.0));

    let (capture, _guard) = Capture::start();
    let boxed = service_fn(async |_: Request<Body>| Err::<Response<Body>, tower::BoxError>("secret".into()));
    assert!(client().layer(boxed).oneshot(request("http://a.test/")).await.is_err());
    assert_eq!(capture.span().outcome(), "GET: error, -, Error, _OTHER");
}

#[tokio::test]
async fn losing_interest_is_no_error() {
    let (capture, _guard) = Capture::start();
    let silent =
        service_fn(async |_: Request<Body>| pending::<Result<Response<Body>, std::io::Error>>().await);
    {
        let mut sent = pin!(client().layer(silent).oneshot(request("http://a.test/")));
        assert!(poll_fn(|cx| Poll::Ready(sent.as_mut().poll(cx).is_pending())).await);
        assert_eq!(capture.active(), (1.0, 1.0));
    }
    assert_eq!(capture.span().outcome(), "GET: cancelled, -, unset, -");
    assert_eq!(capture.active(), (0.0, 1.0));

    let (capture, _guard) = Capture::start();
    let peer =
        service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Body::from("unread"))));
    drop(client().layer(peer).oneshot(request("http://a.test/")).await);
    assert_eq!(capture.span().outcome(), "GET: cancelled, 200, unset, -");
}

#[tokio::test]
async fn a_client_that_panics() {
    let (capture, _guard) = Capture::start();
    let peer = service_fn(|_: Request<Body>| -> std::future::Ready<Result<Response<Body>, std::io::Error>> {
        panic!("in call")
    });
    let mut service = client().layer(peer);
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| drop(service.call(request("http://a.test/")))));
    assert!(caught.is_err());
    assert_eq!(capture.span().outcome(), "GET: panic, -, Error, panic");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn a_filtered_span_sends_the_current_context() {
    let (capture, _guard) = Capture::start_filtered();
    let caller = vec![
        ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03".to_owned()),
        ("x-correlation-id".to_owned(), "order-17".to_owned()),
    ];
    let incoming = Propagator::default().extract(&caller, &EdgePolicy::trust());
    let peer = service_fn(async |request: Request<Body>| {
        assert!(Context::current().span().is_some(), "current inside the client, too");
        Ok::<_, std::io::Error>(Response::new(Body::from(format!("{:?}", request.headers()))))
    });
    let sent = {
        let _incoming = incoming.enter();
        client().layer(peer).call(request("http://a.test/"))
    };
    let seen = sent.await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let seen = String::from_utf8(seen.to_vec()).unwrap();
    assert!(seen.contains(&caller[0].1) && seen.contains("order-17"), "{seen}");
    assert_eq!(capture.spans().len(), 0);
}

#[tokio::test]
async fn an_address_without_a_host_is_no_trouble() {
    let (capture, _guard) = Capture::start();
    send(200, request("/path")).await;
    assert_eq!(capture.span().get("server.address"), "-");
    assert_eq!(capture.span().get("url.full"), "-");
}

#[tokio::test]
async fn an_endless_address_is_cut() {
    let (capture, _guard) = Capture::start();
    send(200, request(&format!("http://a.test/?q={}", "x".repeat(10_000)))).await;
    assert_eq!(capture.span().get("url.full").len(), 2048);
}
