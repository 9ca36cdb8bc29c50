//! Which hosts are told what, and which are not.

use std::sync::{Arc, Mutex};

use axum::{Router, http::StatusCode, routing::any};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Full};
use throughline_core::{Baggage, Context, CorrelationId};
use throughline_http::{
    client,
    client::{Hosts, ResendCount, TraceLayer},
    reqwest::traced,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::{capture::Capture, serve::serve};

type Body = Full<Bytes>;

const OURS: [&str; 4] = ["traceparent", "tracestate", "baggage", "x-correlation-id"];

/// Those of our fields that are among `headers`.
fn told(headers: &HeaderMap) -> Vec<&'static str> {
    OURS.into_iter().filter(|name| headers.contains_key(*name)).collect()
}

/// What a request with headers of its own, sent from within a context, arrives with.
async fn send(layer: &TraceLayer, url: &str) -> HeaderMap {
    let context = Context::default()
        .with_correlation_id(CorrelationId::generate())
        .with_baggage(Baggage::default().insert("tenant", "blue").unwrap());
    let echo = service_fn(async |request: Request<Body>| {
        let mut response = Response::new(Body::default());
        *response.headers_mut() = request.headers().clone();
        Ok::<_, std::io::Error>(response)
    });
    let mut request = Request::get(url).body(Body::default()).unwrap();
    for name in OURS {
        request.headers_mut().insert(name, "set-by-hand".parse().unwrap());
    }
    let sent = {
        let _context = context.enter();
        tower::Service::call(&mut layer.layer(echo), request)
    };
    sent.await.unwrap().headers().clone()
}

#[tokio::test]
async fn a_host_is_told_everything_or_nothing() {
    let hosts = || Hosts::new(["users.internal", "*.shop.internal"]).unwrap();
    let everything = ["traceparent", "baggage", "x-correlation-id"];
    for (layer, url, is_told) in [
        (client(), "http://anyone.test/", true),
        (client().propagation(hosts()), "http://users.internal:8080/", true),
        (client().propagation(hosts()), "http://orders.shop.internal/", true),
        (client().propagation(hosts()), "http://partner.test/", false),
        (client().propagation(hosts()), "http://users.internal@partner.test/", false),
        (client().propagation(hosts()), "/no-host", false),
        (client().propagation(|host: &str| host.starts_with("10.")), "http://10.0.0.1/", true),
        (client().propagation(()), "http://users.internal/", false),
    ] {
        let (capture, _guard) = Capture::start();
        let headers = send(&layer, url).await;
        assert_eq!(told(&headers), if is_told { everything.to_vec() } else { vec![] }, "{url}");
        assert_eq!(layer.counters().hosts_not_told, u64::from(!is_told), "{url}");
        capture.span();
    }
}

#[tokio::test]
async fn a_redirect_to_a_stranger_takes_nothing_along() {
    let (capture, _guard) = Capture::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stranger = {
        let seen = Arc::clone(&seen);
        let end = async move |headers: HeaderMap| seen.lock().unwrap().push(headers);
        serve(Router::new().route("/end", any(end))).await
    };
    let away = format!("http://localhost:{}/end", stranger.port());
    let home = serve(Router::new().route(
        "/",
        any(async move |headers: HeaderMap| {
            assert_eq!(told(&headers), ["traceparent", "x-correlation-id"]);
            (StatusCode::FOUND, [(header::LOCATION, away)])
        }),
    ))
    .await;

    let layer = client().propagation(Hosts::new(["127.0.0.1"]).unwrap());
    let http = traced(reqwest::Client::builder().no_proxy()).unwrap().tracing(layer.clone());
    let context = Context::default().with_correlation_id(CorrelationId::generate());
    let sent = {
        let _context = context.enter();
        Box::pin(throughline_core::Carry::carry(
            http.get(format!("http://{home}/")).header("x-correlation-id", "by-hand").send(),
        ))
    };
    sent.await.unwrap().bytes().await.unwrap();
    assert_eq!(told(&seen.lock().unwrap()[0]), [""; 0]);
    assert_eq!(layer.counters().hosts_not_told, 1);
    assert_eq!(capture.tree(), "GET: complete, 302, unset, -\nGET: complete, 200, unset, -\n");
}

/// Sends again whatever failed, and says so.
#[derive(Clone)]
struct Again(u32);

impl<B: Clone, R> tower::retry::Policy<Request<B>, Response<R>, std::io::Error> for Again {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        request: &mut Request<B>,
        result: &mut Result<Response<R>, std::io::Error>,
    ) -> Option<Self::Future> {
        let failed = result.as_ref().map_or(true, |response| response.status().is_server_error());
        self.0 = self.0.checked_sub(u32::from(failed))?;
        let sent: ResendCount = request.extensions().get().copied().unwrap_or_default();
        request.extensions_mut().insert(sent.next());
        failed.then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn a_retry_layer_shows_its_attempts() {
    let (capture, _guard) = Capture::start();
    let answers = Arc::new(Mutex::new(vec![200, 503, 500]));
    let peer = service_fn(move |_: Request<Body>| {
        let status = answers.lock().unwrap().pop().unwrap();
        async move { Ok::<_, std::io::Error>(Response::builder().status(status).body(Body::default()).unwrap()) }
    });
    let service = tower::retry::Retry::new(Again(5), client().layer(peer));
    let request = Request::get("http://a.test/").body(Body::default()).unwrap();
    service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    let resends: Vec<String> = capture
        .spans()
        .iter()
        .map(|span| format!("{} resend {}", span.outcome(), span.get("http.request.resend_count")))
        .collect();
    assert_eq!(
        resends,
        [
            "GET: complete, 500, Error, 500 resend -",
            "GET: complete, 503, Error, 503 resend 1",
            "GET: complete, 200, unset, - resend 2",
        ]
    );
}
