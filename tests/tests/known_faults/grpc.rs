//! Calls over gRPC.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use http_body_util::{BodyExt, StreamBody};
use throughline::http::grpc;
use throughline_testing::{Capture, collector::Span};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::scene::request;

const METHOD: &str = "/shop.v1.Stock/Watch";

/// The span of a call whose status is in the trailers, after a message.
async fn call(path: &str, status: &'static str) -> std::sync::Arc<Span> {
    let capture = Capture::new("stock");
    let _guard = capture.install();
    let handler = service_fn(async |_: Request| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(status));
        let frames = [
            http_body::Frame::data(bytes::Bytes::from_static(b"message")),
            http_body::Frame::trailers(trailers),
        ];
        let body = StreamBody::new(tokio_stream::iter(frames.map(Ok::<_, Infallible>)));
        Ok::<_, Infallible>(Response::new(Body::new(body)))
    });
    let service = ServiceBuilder::new().layer(grpc::server()).service(handler);
    let response = service.oneshot(request(path, &[])).await.unwrap();
    assert!(capture.spans().is_empty(), "the status is not known before the trailers");
    response.into_body().collect().await.unwrap();
    let spans = capture.spans();
    let [span] = &spans[..] else { panic!("not one span:\n{}", capture.tree()) };
    span.clone()
}

fn text(span: &Span, key: &str) -> String {
    span.attribute(key).map_or("-".to_owned(), ToString::to_string)
}

/// The status is read from the first headers, and OK assumed where it isn't there.
#[tokio::test]
async fn the_status_is_in_the_trailers() {
    let span = call(METHOD, "13").await;
    assert_eq!(
        (text(&span, "rpc.response.status_code"), text(&span, "error.type")),
        ("INTERNAL".into(), "INTERNAL".into())
    );
}

/// A status that isn't OK doesn't fail the span, or every one does.
#[tokio::test]
async fn a_server_fails_on_its_own_faults_only() {
    assert_eq!(text(&*call(METHOD, "5").await, "error.type"), "-");
    assert_eq!(text(&*call(METHOD, "2").await, "error.type"), "UNKNOWN");
}

/// The status code is a number as text.
#[tokio::test]
async fn a_status_has_its_name() {
    assert_eq!(text(&*call(METHOD, "4").await, "rpc.response.status_code"), "DEADLINE_EXCEEDED");
}

/// The whole URI is the name of the span.
#[tokio::test]
async fn a_method_that_does_not_exist_is_other() {
    assert_eq!(call(METHOD, "0").await.name, "shop.v1.Stock/Watch");
    let made_up = call("/shop.v1.Stock/MadeUp", "12").await;
    assert_eq!((made_up.name.as_str(), text(&made_up, "rpc.method")), ("grpc", "_OTHER".to_owned()));
}
