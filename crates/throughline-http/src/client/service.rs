//! The client's service: open the span, inject, hand over, wrap.

use std::{
    panic::Location,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use throughline_core::{OrphanKind, expect_current};
use tower_service::Service;

use super::{Attempt, ResendCount, ResponseBody, ResponseFuture, Target, layer::Settings};
use crate::flight::InFlight;

/// A client whose requests are traced; see [the module](mod@crate::client).
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

    #[track_caller]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        expect_current(OrphanKind::Call, Location::caller(), || called(&request));
        let resends = request.extensions().get::<ResendCount>().copied().unwrap_or_default();
        let target = Target::of(request.uri(), request.headers());
        let method = request.method().clone();
        let mut attempt = Attempt::open(&self.settings, &method, target, request.headers_mut(), resends);
        // A panic in here drops the attempt, which notices.
        let future = attempt.flight().run(|| self.inner.call(request));
        ResponseFuture::new(future, attempt)
    }
}

/// What a request is called that left its trace.
fn called<B>(request: &Request<B>) -> String {
    format!("{} {}", request.method(), request.uri().host().unwrap_or_default())
}
