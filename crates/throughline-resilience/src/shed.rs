//! No at once to what can't be done in time: load shedding.
//!
//! A service that takes on more than it can do is late with all of it: whoever waits gives up, and the work was for nobody.
//! [`layer`] is a layer around a service that works on so many requests at once; those beyond are answered with 503 and
//! `Retry-After` before anything is done for them. None waits for its turn: a queue makes all that come after late, too.
//!
//! ```
//! use http::{Request, Response, header::RETRY_AFTER};
//! use throughline_resilience::shed;
//! use tower::{Service, ServiceBuilder, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), std::io::Error> {
//! let handler = service_fn(async |_: Request<()>| Ok::<_, std::io::Error>(Response::new(())));
//! let mut orders = ServiceBuilder::new().layer(shed::layer("orders", 1)).service(handler);
//!
//! let first = orders.call(Request::new(()));
//! let beyond = orders.call(Request::new(())).await?;
//! assert_eq!(beyond.status(), 503);
//! assert_eq!(beyond.headers()[RETRY_AFTER], "1");
//! assert!(first.await?.status().is_success());
//! # Ok(()) }
//! ```
//!
//! A limit that fits is what the service does in a second times the seconds that its callers wait, and then less: those that are
//! let in are to be answered in time. Callers with a retry of this crate honour the `Retry-After`; gRPC's take the answer for
//! `UNAVAILABLE`. A place is taken until the head of the answer is there, or whoever waits has gone.
//!
//! A balancer takes a refusal for a failure, as any 503: in front of an instance with a limit, it should leave out at more of
//! them in a row than a short rush brings.
//!
//! On the server's span: `throughline.shed`, with the name of the limit. While requests are refused, a log line says so at most
//! every 10 s; all of them are counted.
//!
//! Of our own: `load_shed` of `tower` over its `concurrency_limit` refuses with an error, which is no answer, and tells nobody.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{HeaderValue, Request, Response, StatusCode, header::RETRY_AFTER};
use pin_project_lite::pin_project;
use throughline_core::semconv::own::SHED;
use tower_layer::Layer;
use tower_service::Service;

use crate::decision;

/// After how many seconds those that are refused may come again.
pub const RETRY_AFTER_SECS: u64 = 1;

/// How much time there is between two log lines at least.
const LINE_PERIOD: Duration = Duration::from_secs(10);

/// Lets `limit` requests at once into the services that it is put onto, all of them together.
///
/// `name` is what is limited, on spans and in metrics. It comes from code, never from a request.
pub fn layer(name: &'static str, limit: usize) -> ShedLayer {
    ShedLayer { gate: Arc::new(Gate { name, limit, under_way: AtomicUsize::new(0), told: Mutex::new(None) }) }
}

/// The layer of one limit; see [the module](mod@crate::shed). Clones share it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct ShedLayer {
    gate: Arc<Gate>,
}

impl ShedLayer {
    /// How many requests are worked on now.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.gate.under_way.load(Ordering::Relaxed)
    }
}

impl<S> Layer<S> for ShedLayer {
    type Service = Shed<S>;

    fn layer(&self, inner: S) -> Shed<S> {
        Shed { inner, gate: Arc::clone(&self.gate) }
    }
}

/// A service that refuses what is too much.
#[derive(Clone, Debug)]
pub struct Shed<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S, Q, B> Service<Request<Q>> for Shed<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
    B: Default,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ShedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let place = self.gate.enter();
        if place.is_none() {
            self.gate.refuse();
        }
        ShedFuture { future: place.is_some().then(|| self.inner.call(request)), _place: place }
    }
}

pin_project! {
    /// The answer of a service that refuses what is too much.
    ///
    /// # Cancel safety
    /// Dropped, it drops the work on the request, whose place is free from then on.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ShedFuture<F> {
        // None for a request that was refused.
        #[pin]
        future: Option<F>,
        _place: Option<Place>,
    }
}

impl<F, B, E> Future for ShedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Ready(Ok(refusal())),
        }
    }
}

fn refusal<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS));
    response
}

#[derive(Debug)]
struct Gate {
    name: &'static str,
    limit: usize,
    under_way: AtomicUsize,
    /// When a log line said last that requests are refused.
    told: Mutex<Option<Instant>>,
}

impl Gate {
    fn enter(self: &Arc<Self>) -> Option<Place> {
        let one_more = |under_way| (under_way < self.limit).then_some(under_way + 1);
        let entered = self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        entered.is_ok().then(|| Place { gate: Arc::clone(self) })
    }

    fn refuse(&self) {
        decision::on_span(&[(SHED, self.name.into())]);
        decision::count("shed", self.name, "rejected");
        if self.is_news() {
            tracing::warn!(target: "throughline::resilience", shed = self.name, limit = self.limit, "load shed");
        }
    }

    /// A line for each request would be more work than the request.
    fn is_news(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|told| told.elapsed() >= LINE_PERIOD);
        if is_news {
            *told = Some(Instant::now());
        }
        is_news
    }
}

/// One of the requests that are worked on.
#[derive(Debug)]
struct Place {
    gate: Arc<Gate>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
