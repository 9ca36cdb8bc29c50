//! The future of a call, on either side: the head of the answer, and the span handed on to the body.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderName, HeaderValue, Response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::{ResponseBody, call::Call, status};
use crate::{
    flight::{End, InFlight},
    inside::Inside,
};

pin_project! {
    /// The answer to a traced call; see [the module](mod@crate::grpc).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it ends the span as `client_gone` on a server and as `cancelled` on a client.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Inside<F, Box<Call>>,
        answer: Option<(HeaderName, HeaderValue)>,
    }
}

impl<F> ResponseFuture<F> {
    /// `answer` is put into the metadata of the answer.
    pub(super) const fn new(future: F, call: Box<Call>, answer: Option<(HeaderName, HeaderValue)>) -> Self {
        Self { inner: Inside::new(future, call), answer }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Error: 'static>,
    E: 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (result, mut call) = ready!(this.inner.poll(cx));
        Poll::Ready(match result {
            Ok(mut response) => {
                call.answered(&response);
                if let Some((name, value)) = this.answer.take() {
                    response.headers_mut().insert(name, value);
                }
                Ok(response.map(|body| ResponseBody::new(body, call)))
            }
            Err(error) => {
                call.finish(End::Failed(status::kind(&error)));
                Err(error)
            }
        })
    }
}
