//! An answer that is good enough where the right one can't be had: graceful degradation.
//!
//! ```
//! use http::{Request, Response};
//! use throughline_resilience::fallback;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), std::convert::Infallible> {
//! let broken = service_fn(async |_: Request<()>| Err::<Response<&str>, _>(std::io::Error::other("down")));
//! let bestsellers = fallback::layer("recommendations", |_cause| Response::new("umbrella"));
//!
//! let response = ServiceBuilder::new().layer(bestsellers).service(broken).oneshot(Request::new(())).await?;
//! assert_eq!(response.headers()[fallback::HEADER], "recommendations");
//! # Ok(()) }
//! ```
//!
//! The answer says so in `x-degraded`, and the caller's span in `throughline.degraded` and `.degraded.reason`: the type of the
//! error or the status, never a message. [`carry_over`] takes the header into the answer that a service gives itself.
//!
//! Of our own: the fallback of `tower-resilience` hands on what replaces an answer, but not that it was replaced, nor why.

use std::{
    any::type_name,
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use pin_project_lite::pin_project;
use throughline_core::semconv::own::{DEGRADED, DEGRADED_REASON};
use tower_layer::Layer;
use tower_service::Service;

use crate::decision;

/// The header of an answer that says what in it is not the real thing.
pub const HEADER: &str = "x-degraded";

/// Why there was no right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The service failed, or was not asked at all, with an error of this type, without its parameters.
    Error(&'static str),
    /// It answered with such a status.
    Status(StatusCode),
}

/// Answers with what `fallback` gives where the service below fails, or answers with 5xx.
///
/// `name` is what is missing, in the header, on the span and in metrics. It comes from code, of visible ASCII characters.
pub fn layer<F: Fn(Cause) -> Response<B>, B>(name: &'static str, fallback: F) -> FallbackLayer<F> {
    FallbackLayer { name, fallback: Arc::new(fallback) }
}

/// Takes what was degraded in `from`, an answer that this service got, into `to`, the one that it gives.
pub fn carry_over(from: &HeaderMap, to: &mut HeaderMap) {
    for value in from.get_all(HEADER) {
        to.append(HeaderName::from_static(HEADER), value.clone());
    }
}

/// The layer of one fallback; see [the module](mod@crate::fallback).
#[must_use = "a layer does nothing until it is added to a service"]
pub struct FallbackLayer<F> {
    name: &'static str,
    fallback: Arc<F>,
}

impl<F> Clone for FallbackLayer<F> {
    fn clone(&self) -> Self {
        Self { name: self.name, fallback: Arc::clone(&self.fallback) }
    }
}

impl<F> fmt::Debug for FallbackLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackLayer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<S, F> Layer<S> for FallbackLayer<F> {
    type Service = Fallback<S, F>;

    fn layer(&self, inner: S) -> Fallback<S, F> {
        Fallback { inner, settings: self.clone() }
    }
}

/// A service with a fallback, which therefore always answers.
#[derive(Debug)]
pub struct Fallback<S, F> {
    inner: S,
    settings: FallbackLayer<F>,
}

impl<S: Clone, F> Clone for Fallback<S, F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: self.settings.clone() }
    }
}

impl<S, F, Req, B> Service<Req> for Fallback<S, F>
where
    S: Service<Req, Response = Response<B>> + Clone,
    F: Fn(Cause) -> Response<B>,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = FallbackFuture<S, F, Req>;

    /// Always: a service that isn't ready is waited for in the call, so that its failure to become so has a fallback, too.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let state = State::Waiting { service: self.inner.clone(), request: Some(request) };
        FallbackFuture { state, settings: self.settings.clone() }
    }
}

pin_project! {
    /// The answer of a service with a fallback.
    ///
    /// # Cancel safety
    /// Dropped, it drops the call; nothing is degraded by that.
    #[must_use = "futures do nothing unless polled"]
    pub struct FallbackFuture<S: Service<Req>, F, Req> {
        #[pin]
        state: State<S, Req>,
        settings: FallbackLayer<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Req>, Req> {
        Waiting { service: S, request: Option<Req> },
        Calling { #[pin] future: S::Future },
    }
}

impl<S, F, Req, B> Future for FallbackFuture<S, F, Req>
where
    S: Service<Req, Response = Response<B>>,
    F: Fn(Cause) -> Response<B>,
{
    type Output = Result<Response<B>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let future = match this.state.as_mut().project() {
                StateProjection::Calling { future } => {
                    return Poll::Ready(Ok(match ready!(future.poll(cx)) {
                        Ok(response) if !response.status().is_server_error() => response,
                        Ok(response) => this.settings.degrade(Cause::Status(response.status())),
                        Err(_) => this.settings.degrade(Cause::Error(plain_name(type_name::<S::Error>()))),
                    }));
                }
                StateProjection::Waiting { service, request } => {
                    if ready!(service.poll_ready(cx)).is_err() {
                        return Poll::Ready(Ok(this
                            .settings
                            .degrade(Cause::Error(plain_name(type_name::<S::Error>())))));
                    }
                    let Some(request) = request.take() else { return Poll::Pending };
                    service.call(request)
                }
            };
            this.state.set(State::Calling { future });
        }
    }
}

impl<S: Service<Req>, F, Req> fmt::Debug for FallbackFuture<S, F, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackFuture").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

impl<F> FallbackLayer<F> {
    fn degrade<B>(&self, cause: Cause) -> Response<B>
    where
        F: Fn(Cause) -> Response<B>,
    {
        match &cause {
            Cause::Error(kind) => self.tell(kind),
            Cause::Status(status) => self.tell(status.as_str()),
        }
        let mut response = (self.fallback)(cause);
        if let Ok(name) = HeaderValue::from_str(self.name) {
            response.headers_mut().append(HeaderName::from_static(HEADER), name);
        }
        response
    }

    fn tell(&self, reason: &str) {
        decision::on_span(&[(DEGRADED, self.name.into()), (DEGRADED_REASON, reason.into())]);
        decision::count("fallback", self.name, "degraded");
        tracing::warn!(target: "throughline::resilience", degraded = self.name, reason, "answered by a fallback");
    }
}

/// Without type parameters, which can be a screen long: `throughline_resilience::timeout::TimeoutError`.
fn plain_name(full: &'static str) -> &'static str {
    full.split_once('<').map_or(full, |(path, _)| path)
}
