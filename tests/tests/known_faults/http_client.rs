//! Requests that go out.

use std::convert::Infallible;

use axum::{body::Body, extract::Request, http::StatusCode, response::Response};
use throughline::core::Metric;
use throughline_testing::{Capture, collector::AttributeValue};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::scene::{get_header, read, request};

/// A traced client whose server answers at once; the body holds the headers that it got.
fn client(
    status: StatusCode,
) -> impl Service<
    Request,
    Response = Response<impl http_body::Body<Data = bytes::Bytes, Error = axum::Error>>,
    Error = Infallible,
> {
    let server = service_fn(move |request: Request| async move {
        let mut response = Response::new(Body::from(format!("{:?}", request.headers())));
        *response.status_mut() = status;
        Ok::<_, Infallible>(response)
    });
    ServiceBuilder::new().layer(throughline::http::client()).service(server)
}

/// No client layer that works: injection is written by hand in every company.
#[tokio::test]
async fn one_layer_opens_a_span_and_tells_the_next_hop() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let response = client(StatusCode::OK).oneshot(request("http://users.test/users/1", &[])).await.unwrap();
    let seen = read(response.map(Body::new)).await;
    let span = capture.span("GET");
    assert!(seen.contains(&format!("00-{}-{}-", span.trace_id, span.span_id)), "{seen}");
}

/// Status code and port as strings: numeric filters fail (reqwest-tracing).
#[tokio::test]
async fn numbers_are_numbers() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let response = client(StatusCode::OK).oneshot(request("http://users.test:8080/", &[])).await.unwrap();
    read(response.map(Body::new)).await;
    let span = capture.span("GET");
    assert_eq!(span.attribute("http.response.status_code"), Some(&AttributeValue::Int(200)));
    assert_eq!(span.attribute("server.port"), Some(&AttributeValue::Int(8080)));
}

/// The full URL with user and password is recorded (tower-otel).
#[tokio::test]
async fn credentials_are_taken_out_of_the_url() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let url = "http://ada:s3cret@users.test/?sig=s3cret&page=2";
    let response = client(StatusCode::OK).oneshot(request(url, &[])).await.unwrap();
    read(response.map(Body::new)).await;
    let full = capture.span("GET").attribute("url.full").unwrap().to_string();
    assert_eq!(full, "http://REDACTED:REDACTED@users.test/?sig=REDACTED&page=2");
}

/// Retries can't be told apart.
#[tokio::test]
async fn each_attempt_is_a_span_with_its_number() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    for resends in 0..3 {
        let mut request = request("http://users.test/", &[]);
        request.extensions_mut().insert(throughline::http::client::ResendCount(resends));
        let response = client(StatusCode::BAD_GATEWAY).oneshot(request).await.unwrap();
        read(response.map(Body::new)).await;
    }
    let counts: Vec<_> = capture
        .spans()
        .iter()
        .map(|span| span.attribute("http.request.resend_count").and_then(AttributeValue::as_i64))
        .collect();
    assert_eq!(counts, [None, Some(1), Some(2)]);
}

/// The end of the body isn't recorded, and there are no metrics.
#[tokio::test]
async fn a_span_includes_the_body_and_is_measured() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let response = client(StatusCode::OK).oneshot(request("http://users.test/", &[])).await.unwrap();
    assert!(capture.spans().is_empty(), "the body is not read yet");
    read(response.map(Body::new)).await;
    assert_eq!(capture.spans().len(), 1);
    assert_eq!(capture.measurements(Metric::HttpClientRequestDuration).len(), 1);
}

/// A 4xx is a success for servers and a failure for whoever sent it.
#[tokio::test]
async fn a_client_holds_a_404_against_itself() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let response = client(StatusCode::NOT_FOUND).oneshot(request("http://users.test/", &[])).await.unwrap();
    read(response.map(Body::new)).await;
    assert!(capture.span("GET").attribute("error.type").is_some_and(|kind| *kind == *"404"));
}

/// `traceparent` only, the rest is left behind (fastrace).
#[tokio::test]
async fn every_field_goes_on() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let fields = [
        ("traceparent", crate::scene::PARENT),
        ("tracestate", "vendor=1"),
        ("baggage", "tenant=t1"),
        ("x-correlation-id", "c-1"),
    ];
    let out = capture.run(|| {
        let incoming = throughline::core::Propagator::default()
            .extract(&crate::scene::headers(&fields), &throughline::EdgePolicy::trust());
        let _incoming = incoming.enter();
        tracing::info_span!("hop").in_scope(crate::scene::outgoing)
    });
    for (name, value) in &fields[1..] {
        assert_eq!(get_header(&out, name), Some(*value));
    }
}

/// Ids and baggage leak to everybody who is called.
#[tokio::test]
async fn only_the_hosts_of_a_list_are_told() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let hosts = throughline::http::client::Hosts::new(["*.shop.test"]).unwrap();
    let server = service_fn(async |request: Request| {
        Ok::<_, Infallible>(Response::new(Body::from(format!("{:?}", request.headers()))))
    });
    let layer = throughline::http::client().propagation(hosts);
    let client = ServiceBuilder::new().layer(layer).service(server);
    for (url, told) in [("http://users.shop.test/", true), ("http://elsewhere.test/", false)] {
        let response = client.clone().oneshot(request(url, &[])).await.unwrap();
        assert_eq!(read(response.map(Body::new)).await.contains("traceparent"), told, "{url}");
    }
    assert_eq!(capture.spans().len(), 2, "both attempts have a span");
}
