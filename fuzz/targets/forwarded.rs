//! `forwarded`: whatever proxies claim, the request is answered, and what can't be read is counted.

#![no_main]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{HeaderValue, Request, Response};
use http_body_util::Empty;
use libfuzzer_sys::fuzz_target;
use throughline_http::server::TrustedProxies;
use tower_layer::Layer;
use tower_service::Service;

type Body = Empty<bytes::Bytes>;

// One line a header, each in turn.
fuzz_target!(|input: &[u8]| {
    let names = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
    let mut request = Request::new(Body::new());
    for (line, name) in input.split(|byte| *byte == b'\n').zip(names.into_iter().cycle()).take(16) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            request.headers_mut().append(name, value);
        }
    }
    request.extensions_mut().insert(SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 4711)));

    let proxies = TrustedProxies::new(["10.0.0.0/8", "fd00::/8"]).expect("two networks");
    let layer = throughline_http::server().trusted_proxies(proxies);
    let mut service = layer.layer(Answer);
    let answered = pin!(service.call(request)).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answered, Poll::Ready(Ok(response)) if response.status() == 200));
});

#[derive(Clone)]
struct Answer;

impl Service<Request<Body>> for Answer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Ok(Response::new(Body::new())))
    }
}
