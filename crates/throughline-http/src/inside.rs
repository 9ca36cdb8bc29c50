//! A future that runs inside its exchange.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::flight::InFlight;

pin_project! {
    /// Polls a future inside the span of an exchange, drops it there, and hands the exchange back with the result.
    ///
    /// Dropped before the future is ready, the exchange ends as cancelled, or as panicked if the future did.
    #[derive(Debug)]
    pub(crate) struct Inside<F, X: InFlight> {
        #[pin]
        future: Option<F>,
        exchange: Option<X>,
    }

    impl<F, X: InFlight> PinnedDrop for Inside<F, X> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange {
                exchange.flight().within(|| this.future.set(None));
            }
        }
    }
}

impl<F, X: InFlight> Inside<F, X> {
    pub(crate) const fn new(future: F, exchange: X) -> Self {
        Self { future: Some(future), exchange: Some(exchange) }
    }
}

impl<F: Future, X: InFlight> Future for Inside<F, X> {
    type Output = (F::Output, X);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(exchange) = this.exchange else {
            return Poll::Pending;
        };
        let polled = exchange.flight().run(|| {
            let polled = this.future.as_mut().as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx));
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        });
        let Poll::Ready(output) = polled else {
            return Poll::Pending;
        };
        match this.exchange.take() {
            Some(exchange) => Poll::Ready((output, exchange)),
            None => Poll::Pending,
        }
    }
}
