//! A body that is watched to its last frame.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::flight::{End, InFlight};

pin_project! {
    /// Passes a body through unchanged, polls it inside the span of its exchange, and ends the exchange with the last frame.
    ///
    /// The last frame is: the trailers, the one after which the body says that it has ended, or the absence of another one.
    /// A body that is dropped before that was still sent in full if it yielded as many bytes as it had announced, because
    /// then HTTP has no reason to poll it again.
    pub(crate) struct Watched<B: Body, X: InFlight> {
        #[pin]
        body: Option<B>,
        exchange: Option<X>,
        left: Option<u64>,
        kind: fn(&B::Error) -> &'static str,
    }

    impl<B: Body, X: InFlight> PinnedDrop for Watched<B, X> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(exchange) = this.exchange else { return };
            exchange.flight().within(|| this.body.set(None));
            if *this.left == Some(0) && !exchange.flight().panicked() {
                exchange.finish(End::Complete);
            }
        }
    }
}

impl<B: Body, X: InFlight> Watched<B, X> {
    /// Watches `body`, of which `announced` bytes will be sent if that is known; `kind` names its errors.
    pub(crate) fn new(
        body: B,
        mut exchange: X,
        announced: Option<u64>,
        kind: fn(&B::Error) -> &'static str,
    ) -> Self {
        let left = body.size_hint().exact().or(announced);
        let exchange = if body.is_end_stream() {
            exchange.finish(End::Complete);
            None
        } else {
            Some(exchange)
        };
        Self { body: Some(body), exchange, left, kind }
    }

    /// Passes `body` through after its exchange has ended.
    pub(crate) fn ended(body: B, mut exchange: X, kind: fn(&B::Error) -> &'static str) -> Self {
        exchange.finish(End::Complete);
        Self { body: Some(body), exchange: None, left: None, kind }
    }
}

impl<B: Body, X: InFlight> Body for Watched<B, X> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let Some(exchange) = this.exchange else {
            return body.poll_frame(cx);
        };

        let frame = ready!(exchange.flight().run(|| body.as_mut().poll_frame(cx)));
        let end = match &frame {
            None => Some(End::Complete),
            Some(Err(error)) => Some(End::Failed((this.kind)(error))),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let bytes = data.remaining() as u64;
                    exchange.passed(bytes);
                    *this.left = this.left.map(|left| left.saturating_sub(bytes));
                }
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.trailers(trailers);
                }
                (frame.is_trailers() || body.is_end_stream()).then_some(End::Complete)
            }
        };
        if let Some(end) = end {
            exchange.finish(end);
            // Dropped now, so that the span ends with the body and not with whoever keeps it.
            *this.exchange = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
