//! Where a request came from, behind proxies.

use std::net::SocketAddr;

use axum::{Router, body::Body, extract::ConnectInfo, routing::get};
use http::Request;
use http_body_util::BodyExt;
use throughline_http::server::{TrustedProxies, server};
use tower::ServiceExt;

use crate::{capture::Capture, serve::serve};

/// What the span says of both ends, and the metric of the scheme.
fn ends(capture: &Capture) -> String {
    let span = capture.span();
    let of = |key| span.get(key);
    let scheme = of("url.scheme");
    let says_the_same = format!("url.scheme={scheme} ");
    assert!(capture.durations().iter().all(|labels| labels.contains(&says_the_same)));
    format!(
        "{} by {} → {scheme} {}:{}",
        of("client.address"),
        of("network.peer.address"),
        of("server.address"),
        of("server.port")
    )
}

#[tokio::test]
async fn the_word_of_a_trusted_proxy_and_of_nobody_else() {
    let forwarded = [
        ("x-forwarded-for", "1.2.3.4, 192.0.2.7, 10.0.0.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.test"),
    ];
    for (peer, headers, expected, invalid) in [
        ("10.0.0.1", &forwarded[..], "192.0.2.7 by 10.0.0.1 → https shop.test:443", 0),
        ("203.0.113.9", &forwarded, "203.0.113.9 by 203.0.113.9 → http inner:8080", 0),
        ("10.0.0.1", &forwarded[..1], "192.0.2.7 by 10.0.0.1 → http inner:8080", 0),
        ("10.0.0.1", &[], "10.0.0.1 by 10.0.0.1 → http inner:8080", 0),
        (
            "10.0.0.1",
            &[("forwarded", "for=\"[2001:db8::1]:99\";proto=https;host=\"shop.test:8443\"")],
            "2001:db8::1 by 10.0.0.1 → https shop.test:8443",
            0,
        ),
        ("10.0.0.1", &[("forwarded", "for=<script>")], "10.0.0.1 by 10.0.0.1 → http inner:8080", 1),
        ("10.0.0.1", &[("x-forwarded-for", "\"")], "10.0.0.1 by 10.0.0.1 → http inner:8080", 1),
    ] {
        let (capture, _guard) = Capture::start();
        let layer = server().trusted_proxies(TrustedProxies::new(["10.0.0.0/8"]).unwrap());
        let app = Router::new().route("/", get(async || "ok")).layer(layer.clone());
        let mut request = Request::get("/").header("host", "inner:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        app.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(ends(&capture), expected, "{headers:?}");
        assert_eq!(layer.counters().forwarded_invalid, invalid, "{headers:?}");
    }
}

#[tokio::test]
async fn over_a_real_connection() {
    let (capture, _guard) = Capture::start();
    let layer = server().trusted_proxies(TrustedProxies::new(["127.0.0.1", "::1"]).unwrap());
    let address = serve(Router::new().route("/", get(async || "ok")).layer(layer)).await;
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = plain.get(format!("http://{address}/")).header("x-forwarded-for", "192.0.2.7");
    request.send().await.unwrap().bytes().await.unwrap();
    capture.wait(1).await;
    assert_eq!(ends(&capture), format!("192.0.2.7 by 127.0.0.1 → http 127.0.0.1:{}", address.port()));
}
