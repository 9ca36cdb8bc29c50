//! The client's body: last byte in, and the span closes.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Attempt;
use crate::watched::Watched;

pin_project! {
    /// The body of the response to a traced request, passed through as it is; see [the module](mod@crate::client).
    ///
    /// # Cancel safety
    /// Dropped before its end, it ends the span as `cancelled`, which is no error.
    pub struct ResponseBody<B: Body> {
        #[pin]
        inner: Watched<B, Attempt>,
    }
}

impl<B: Body> ResponseBody<B> {
    /// `kind` names the errors of the body.
    pub(crate) fn new(body: B, attempt: Attempt, kind: fn(&B::Error) -> &'static str) -> Self {
        Self { inner: Watched::new(body, attempt, None, kind) }
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
