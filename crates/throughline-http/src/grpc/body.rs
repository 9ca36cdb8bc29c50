//! The messages of an answer, on either side: the trailers close the span.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{call::Call, status};
use crate::watched::Watched;

pin_project! {
    /// The body of the answer to a traced call, passed through as it is; see [the module](mod@crate::grpc).
    ///
    /// # Cancel safety
    /// Dropped before the trailers, it ends the span as `client_gone` on a server and as `cancelled` on a client.
    pub struct ResponseBody<B: Body> {
        #[pin]
        inner: Watched<B, Box<Call>>,
    }
}

impl<B: Body<Error: 'static>> ResponseBody<B> {
    pub(super) fn new(body: B, call: Box<Call>) -> Self {
        Self { inner: Watched::new(body, call, None, status::kind) }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Body> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
