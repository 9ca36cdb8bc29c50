//! Taking what is current along to another task or thread.

use std::{
    future::Future,
    pin::Pin,
    task::{self, Poll},
};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::{Context, current};

/// Takes the current span and context along into a spawned future.
///
/// `tokio::spawn` starts with nothing current: log lines lose their ids, spans become roots, requests leave without
/// headers. Carried, the future runs as if it were inside the place that spawned it, on whichever thread it is polled.
///
/// ```
/// use throughline_core::Carry;
///
/// # async fn example() {
/// tokio::spawn(async { /* same trace, same correlation id */ }.carry());
///
/// let mut set = tokio::task::JoinSet::new();
/// set.spawn(async { /* here too */ }.carry());
/// # }
/// ```
///
/// The span stays open until the future is dropped. The future is dropped inside the span, too, so that what it logs
/// when it is cancelled keeps its ids.
pub trait Carry: Future + Sized {
    /// Wraps the future; what is current now will be current whenever it is polled.
    fn carry(self) -> Carried<Self> {
        Carried { future: Some(self), luggage: Luggage::pack() }
    }

    /// Wraps the future; `context` will be current whenever it is polled, in place of what is current now.
    ///
    /// With [`Context::root`] for background jobs, which belong to no request:
    ///
    /// ```
    /// use throughline_core::{Carry, Context};
    ///
    /// # async fn example() {
    /// tokio::spawn(async { /* a trace and a correlation id of its own */ }.carry_in(Context::root()));
    /// # }
    /// ```
    fn carry_in(self, context: Context) -> Carried<Self> {
        Carried { future: Some(self), luggage: Luggage { span: Span::none(), context: Some(context) } }
    }
}

impl<F: Future> Carry for F {}

/// Takes the current span and context along into a closure: for `spawn_blocking`, threads and thread pools.
///
/// ```
/// use throughline_core::carry;
///
/// let worker = std::thread::spawn(carry(|| { /* same trace, same correlation id */ }));
/// # worker.join().unwrap();
/// ```
pub fn carry<F, T>(work: F) -> impl FnOnce() -> T + use<F, T>
where
    F: FnOnce() -> T,
{
    let luggage = Luggage::pack();
    move || luggage.with(work)
}

/// What was current when somebody set out.
#[derive(Clone, Debug)]
struct Luggage {
    span: Span,
    /// Set where a context had been entered inside the span, or without any.
    context: Option<Context>,
}

impl Luggage {
    fn pack() -> Self {
        Self { span: Span::current(), context: current::entered_by_hand() }
    }

    fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        let _span = self.span.enter();
        let _context = self.context.as_ref().map(Context::enter);
        work()
    }
}

pin_project! {
    /// A future that runs inside the span and context it was made in; see [`Carry`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Carried<F> {
        #[pin]
        future: Option<F>,
        luggage: Luggage,
    }

    impl<F> PinnedDrop for Carried<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.luggage.with(|| this.future.set(None));
        }
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            return Poll::Pending;
        };
        this.luggage.with(|| future.poll(cx))
    }
}
