//! The answers of a driver, inside the span of their statement.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::stream::{Stream, StreamExt};
use tracing::Span;

use super::system::{Steps, System};

/// Polled and dropped inside the span, so that what the driver logs on the way, and at the end of a slow statement, belongs
/// to it.
pub(crate) struct Watched<'e, DB: System> {
    steps: Option<Steps<'e, DB>>,
    span: Span,
}

impl<'e, DB: System> Watched<'e, DB> {
    pub(crate) fn new(span: Span, begin: impl FnOnce() -> Steps<'e, DB>) -> Self {
        Self { steps: Some(span.in_scope(begin)), span }
    }
}

impl<'e, DB: System> Stream for Watched<'e, DB> {
    type Item = <Steps<'e, DB> as Stream>::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { steps, span } = &mut *self;
        let _span = span.enter();
        steps.as_mut().map_or(Poll::Ready(None), |steps| steps.poll_next_unpin(cx))
    }
}

impl<DB: System> Drop for Watched<'_, DB> {
    fn drop(&mut self) {
        let _span = self.span.enter();
        self.steps = None;
    }
}
