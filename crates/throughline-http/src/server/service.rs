//! The server's service: extract, open the span, hand over, wrap.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, exchange::Exchange, layer::Settings};
use crate::flight::InFlight;

/// A service whose requests are traced; see [the module](mod@crate::server).
#[derive(Clone, Debug)]
pub struct Trace<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> Trace<S> {
    pub(super) const fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, ResB> Service<Request<B>> for Trace<S>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    ResB: Body,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        // Boxed once, so that it isn't copied each time that the future and then the body are handed on.
        let mut exchange = Box::new(Exchange::open(&self.settings, &mut head));
        let request = Request::from_parts(head, body);
        // A panic in here drops the exchange, which notices.
        let future = exchange.flight().run(|| self.inner.call(request));
        ResponseFuture::new(future, exchange)
    }
}
