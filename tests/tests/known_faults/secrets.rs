//! What must not be told.

use throughline::{Baggage, EdgePolicy, core::Propagator};
use throughline_testing::{Capture, no_secrets};

use crate::scene::{app, get_header, headers, read, request, send};

const SECRET: &str = "s3cret-of-ada";

/// Every header is exported, `authorization` and `cookie` in clear text (tower-otel).
#[tokio::test]
async fn no_header_is_recorded_unasked() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let headers =
        [("authorization", SECRET), ("cookie", SECRET), ("x-api-key", SECRET), ("x-anything", SECRET)];
    read(send(app(), request("/orders/1", &headers)).await).await;
    no_secrets(&capture, [SECRET]);
}

/// The query is exported raw, or with a list that is case-sensitive.
#[tokio::test]
async fn secrets_in_a_query_are_redacted_in_any_case() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    for name in
        ["token", "Token", "access_token", "accessToken", "api_key", "X-Amz-Signature", "sig", "password"]
    {
        read(send(app(), request(&format!("/orders/1?a=1&{name}={SECRET}"), &[])).await).await;
    }
    no_secrets(&capture, [SECRET]);
}

/// A stranger's baggage goes on to everybody.
#[test]
fn a_stranger_can_be_left_at_the_door() {
    let incoming = headers(&[("baggage", &format!("tenant={SECRET}")), ("x-correlation-id", "theirs")]);
    let context = Propagator::default().extract(&incoming, &EdgePolicy::ignore());
    let mut out = Vec::new();
    Propagator::default().inject(&context, &mut out);
    assert_eq!(get_header(&out, "baggage"), None);
    assert_ne!(get_header(&out, "x-correlation-id"), Some("theirs"));
}

/// The text of an error, or its `Debug`, is user data.
#[tokio::test]
async fn an_error_on_the_way_is_named_by_its_type() {
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    let capture = Capture::new("orders");
    let _guard = capture.install();
    let broken = service_fn(async |_: axum::extract::Request| {
        Err::<axum::response::Response, _>(std::io::Error::other(format!("token={SECRET}")))
    });
    let client = ServiceBuilder::new().layer(throughline::http::client()).service(broken);
    client.oneshot(request("http://users.test/", &[])).await.unwrap_err();
    assert!(
        capture.span("GET").attribute("error.type").is_some_and(|kind| *kind == *"std::io::error::Error")
    );
    no_secrets(&capture, [SECRET]);
}

/// Baggage is text on the wire, not fields of telemetry.
#[test]
fn baggage_is_on_no_line_and_no_span_unasked() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let baggage = Baggage::default().insert("tenant", SECRET).unwrap();
        let _incoming = throughline::Context::default().with_baggage(baggage).enter();
        tracing::info_span!("order").in_scope(|| tracing::info!("accepted"));
    });
    assert_eq!(capture.lines().len(), 1);
    no_secrets(&capture, [SECRET]);
}
