//! The server's body: last byte out, and the span closes.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{exchange::Exchange, streaming::Sending};
use crate::{flight::kind_by_type, watched::Watched};

pin_project! {
    /// The body of a traced response, passed through as it is; see [the module](mod@crate::server).
    ///
    /// # Cancel safety
    /// Dropped before its end, it ends the span as `client_gone`, unless as many bytes as announced have left.
    pub struct ResponseBody<B: Body> {
        #[pin]
        inner: Watched<B, Sending>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(body: B, exchange: Box<Exchange>) -> Self {
        let inner = if exchange.sends_a_body() {
            let announced = exchange.announced();
            Watched::new(body, exchange.sending(), announced, kind_by_type)
        } else {
            Watched::ended(body, Sending::Request(exchange), kind_by_type)
        };
        Self { inner }
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
