//! The server's future: the status, and the span handed on to the body.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{ResponseBody, exchange::Exchange};
use crate::{
    flight::{End, InFlight, kind_by_type},
    inside::Inside,
};

pin_project! {
    /// The response to a traced request; see [the module](mod@crate::server).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it ends the span as `client_gone`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Inside<F, Box<Exchange>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(future: F, exchange: Box<Exchange>) -> Self {
        Self { inner: Inside::new(future, exchange) }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (result, mut exchange) = ready!(self.project().inner.poll(cx));
        Poll::Ready(match result {
            Ok(mut response) => {
                exchange.respond(&mut response);
                Ok(response.map(|body| ResponseBody::new(body, exchange)))
            }
            Err(error) => {
                exchange.finish(End::Failed(kind_by_type(&error)));
                Err(error)
            }
        })
    }
}
