//! Headers on the span, and which of them never.

use axum::{Router, body::Body, routing::get};
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::BodyExt;
use throughline_http::{client, server};
use tower::{Layer, ServiceExt, service_fn};

use crate::capture::{Capture, Span};

const TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// The recorded headers, a line each.
fn headers_of(span: &Span) -> Vec<String> {
    let of_header = |(key, _): &(&String, &String)| key.contains(".header.");
    span.attributes.iter().filter(of_header).map(|(key, value)| format!("{key} = {value}")).collect()
}

fn request() -> Request<Body> {
    let secret = HeaderValue::from_static("Bearer hidden-in-authorization");
    let mut sensitive = HeaderValue::from_static("hidden-as-sensitive");
    sensitive.set_sensitive(true);
    Request::get("http://a.test/")
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT, "text/plain")
        .header(TENANT, "blue")
        .header(header::REFERER, "https://me:hidden-password@b.test/?token=hidden-token")
        .header(header::AUTHORIZATION, secret)
        .header(header::COOKIE, "session=hidden-in-cookie")
        .header("x-api-key", "hidden-key")
        .header("x-marked", sensitive)
        .header("x-unlisted", "unlisted")
        .body(Body::empty())
        .unwrap()
}

fn listed() -> [HeaderName; 8] {
    [
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::REFERER,
        header::AUTHORIZATION,
        header::COOKIE,
        TENANT,
        HeaderName::from_static("x-api-key"),
        HeaderName::from_static("x-marked"),
    ]
}

const EXPECTED: [&str; 8] = [
    "http.request.header.accept = [text/html | text/plain]",
    "http.request.header.authorization = [REDACTED]",
    "http.request.header.cookie = [REDACTED]",
    "http.request.header.referer = [https://REDACTED:REDACTED@b.test/?token=REDACTED]",
    "http.request.header.x-api-key = [REDACTED]",
    "http.request.header.x-marked = [REDACTED]",
    "http.request.header.x-tenant = [blue]",
    "http.response.header.set-cookie = [REDACTED | REDACTED]",
];

#[tokio::test]
async fn a_server_records_what_is_on_the_list() {
    let (capture, _guard) = Capture::start();
    let handler = async || {
        let cookies = [(header::SET_COOKIE, "a=hidden-1"), (header::SET_COOKIE, "b=hidden-2")];
        (axum::response::AppendHeaders(cookies), "ok")
    };
    let layer = server().request_headers(listed()).response_headers([header::SET_COOKIE, header::ETAG]);
    let app = Router::new().route("/", get(handler)).layer(layer);
    app.oneshot(request()).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(headers_of(&capture.span()), EXPECTED);
    assert!(!format!("{:?}", capture.span()).contains("hidden"));
}

#[tokio::test]
async fn so_does_a_client() {
    let (capture, _guard) = Capture::start();
    let peer = service_fn(async |_: Request<Body>| {
        let response = http::Response::builder()
            .header(header::SET_COOKIE, "a=hidden-1")
            .header(header::SET_COOKIE, "b=hidden-2");
        Ok::<_, std::io::Error>(response.body(Body::empty()).unwrap())
    });
    let layer = client().request_headers(listed()).response_headers([header::SET_COOKIE]);
    drop(layer.layer(peer).oneshot(request()).await.unwrap());
    assert_eq!(headers_of(&capture.span()), EXPECTED);
    assert!(!format!("{:?}", capture.span()).contains("hidden"));
}

#[tokio::test]
async fn nothing_is_recorded_unasked() {
    let (capture, _guard) = Capture::start();
    let app = Router::new().route("/", get(async || "ok")).layer(server());
    app.oneshot(request()).await.unwrap().into_body().collect().await.unwrap();
    assert!(headers_of(&capture.span()).is_empty());
}

#[tokio::test]
async fn what_is_too_much_is_cut_and_counted() {
    for (values, expected, cut) in [
        (vec!["a".repeat(1024); 8], (8, 1024), 0),
        (vec!["a".repeat(1025)], (1, 1024), 1),
        (vec!["a".to_owned(); 9], (8, 1), 1),
        (vec!["\u{e4}".repeat(2000)], (1, 1024), 1),
    ] {
        let (capture, _guard) = Capture::start();
        let layer = server().request_headers([TENANT]);
        let app = Router::new().route("/", get(async || "ok")).layer(layer.clone());
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        for value in values {
            request.headers_mut().append(TENANT, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        app.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
        let span = capture.span();
        let recorded: Vec<&str> =
            span.get("http.request.header.x-tenant").trim_matches(['[', ']']).split(" | ").collect();
        assert_eq!((recorded.len(), recorded[0].len()), expected);
        assert_eq!(layer.counters().headers_cut, cut);
    }
}
