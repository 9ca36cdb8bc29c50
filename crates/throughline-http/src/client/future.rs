//! The client's future: the status or the kind of error, and the span handed on to the body.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{Attempt, ResponseBody};
use crate::{
    flight::{End, InFlight, kind_by_type},
    inside::Inside,
};

pin_project! {
    /// The response to a traced request; see [the module](mod@crate::client).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it ends the span as `cancelled`, which is no error.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Inside<F, Attempt>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(future: F, attempt: Attempt) -> Self {
        Self { inner: Inside::new(future, attempt) }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (result, mut attempt) = ready!(self.project().inner.poll(cx));
        Poll::Ready(match result {
            Ok(response) => {
                attempt.answered(response.status(), response.version(), response.headers());
                Ok(response.map(|body| ResponseBody::new(body, attempt, kind_by_type)))
            }
            Err(error) => {
                attempt.finish(End::Failed(kind_by_type(&error)));
                Err(error)
            }
        })
    }
}
