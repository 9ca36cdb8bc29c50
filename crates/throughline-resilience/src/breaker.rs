//! A circuit breaker: it stops asking a service that keeps failing, and tries again after a while.
//!
//! ```text
//!            5 failures in a row                60 s later
//! closed ───────────────────────► open ───────────────────────► half_open
//!    ▲                             ▲  one of 3 trials fails ───────┘ │
//!    └─────────────────────────────┼──── all trials succeed ─────────┘
//! ```
//!
//! ```
//! use throughline_resilience::breaker;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let http = service_fn(async |_: http::Request<()>| Ok::<_, std::io::Error>(http::Response::new(())));
//! let guarded = ServiceBuilder::new().layer(breaker::http("recommendations")).service(http);
//! let response = guarded.oneshot(http::Request::get("http://recommendations.internal/").body(())?).await?;
//! # assert!(response.status().is_success()); Ok(()) }
//! ```
//!
//! On the caller's span: `throughline.breaker.name`, `.state` as the call found it, both on the call's own span, too, and
//! `.rejected` where it was not let through. A transition is one log line and one event, on the span whose call caused it; so
//! is none of the calls. The state machine is the crate `tower-resilience-circuitbreaker`; what is ours is what it tells.
//!
//! A call that is out of time because its caller had less than [`FAIR_TIME`] for it is given up, and counts neither way.
//!
//! # Cancel safety
//! A call that is dropped counts neither as a success nor as a failure; a trial that is dropped makes room for another.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{Response, StatusCode};
use throughline_core::{
    CallDecision, CallFacts,
    semconv::own::{BREAKER_NAME, BREAKER_REJECTED, BREAKER_STATE, TIMEOUT_ELAPSED},
};
use tower_layer::Layer;
use tower_resilience_circuitbreaker::{
    CircuitBreaker, CircuitBreakerError, CircuitBreakerHandle, CircuitBreakerLayer, CircuitState,
    FailureClassifier,
};
use tower_service::Service;

pub use crate::short_time::FAIR_TIME;
use crate::{Refused, decision, short_time::ShortTime};

/// How many failures in a row open a breaker unless told otherwise.
pub const FAILURES: usize = 5;
/// How long it stays open.
pub const OPEN_FOR: Duration = Duration::from_secs(60);
/// How many calls are let through on trial after that.
pub const TRIALS: usize = 3;

/// A breaker around an HTTP service: errors and 5xx are failures.
///
/// `name` comes from code, never from a request: spans and metrics show it.
pub fn http(name: &'static str) -> BreakerLayer {
    builder(name).build()
}

/// A breaker with settings of its own.
pub fn builder(name: &'static str) -> BreakerBuilder {
    BreakerBuilder {
        name,
        failures: FAILURES,
        open_for: OPEN_FOR,
        trials: TRIALS,
        by_status: ByStatus(StatusCode::is_server_error as fn(&StatusCode) -> bool),
    }
}

/// Settings of a breaker; ends with [`build`](Self::build).
#[derive(Debug)]
#[must_use = "there is no breaker until `build` is called"]
pub struct BreakerBuilder {
    name: &'static str,
    failures: usize,
    open_for: Duration,
    trials: usize,
    by_status: ByStatus,
}

impl BreakerBuilder {
    /// How many failures in a row open it; at least one.
    pub fn failures(mut self, failures: usize) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// How long it stays open before it lets calls through on trial.
    pub fn open_for(mut self, open_for: Duration) -> Self {
        self.open_for = open_for;
        self
    }

    /// How many calls are let through on trial, all of which must succeed; at least one.
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = trials.max(1);
        self
    }

    /// Which answers are failures; an error always is.
    pub fn failure(mut self, is_failure: fn(&StatusCode) -> bool) -> Self {
        self.by_status = ByStatus(is_failure);
        self
    }

    /// The breaker, closed. All services that the layer is put onto share its state.
    pub fn build(self) -> BreakerLayer {
        let name = self.name;
        let builder = CircuitBreakerLayer::builder()
            .name("") // for events that nobody hears, each of which copies it
            .consecutive_failures(self.failures)
            .wait_duration_in_open(self.open_for)
            .permitted_calls_in_half_open(self.trials)
            .on_state_transition(move |from, to| tell_transition(name, from, to))
            .failure_classifier_type(self.by_status);
        let built = builder.build_with_handle();
        let (layer, handle) =
            built.unwrap_or_else(|_| unreachable!("the counts are at least one, and the rates are defaults"));
        BreakerLayer { name, facts: Arc::new(StateFacts::new(name)), layer, handle }
    }
}

/// The layer of one breaker; see [the module](mod@crate::breaker).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct BreakerLayer {
    name: &'static str,
    facts: Arc<StateFacts>,
    layer: CircuitBreakerLayer<ByStatus>,
    handle: CircuitBreakerHandle<ByStatus>,
}

impl BreakerLayer {
    /// The state right now: `closed`, `open` or `half_open`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        state_name(self.handle.state())
    }
}

impl<S: Clone> Layer<S> for BreakerLayer {
    type Service = Breaker<S>;

    fn layer(&self, inner: S) -> Breaker<S> {
        let (facts, handle) = (Arc::clone(&self.facts), self.handle.clone());
        Breaker { name: self.name, facts, inner: self.layer.layer_fn(inner), handle }
    }
}

impl fmt::Debug for BreakerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerLayer")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// A service behind a breaker; see [the module](mod@crate::breaker).
#[derive(Clone)]
pub struct Breaker<S> {
    name: &'static str,
    facts: Arc<StateFacts>,
    inner: CircuitBreaker<S, ByStatus>,
    handle: CircuitBreakerHandle<ByStatus>,
}

impl<S, Req, B> Service<Req> for Breaker<S>
where
    S: Service<Req, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
    Req: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BreakerError<S::Error>;
    type Future = ResponseFuture<Response<B>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| BreakerError::of(self.name, error))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let decision = CallDecision::new(self.facts.of(self.handle.state()));
        // What is below is called when the future is polled.
        let (name, future, short_time) = (self.name, self.inner.call(request), ShortTime::left());
        ResponseFuture { future: Some(future), name, decision, short_time }
    }
}

impl<S: fmt::Debug> fmt::Debug for Breaker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", &self.name).finish_non_exhaustive()
    }
}

type Inner<T, E> = Pin<Box<dyn Future<Output = Result<T, CircuitBreakerError<E>>> + Send>>;

/// The answer from behind a breaker.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<T, E> {
    /// None once it has been given up.
    future: Option<Inner<T, E>>,
    name: &'static str,
    decision: CallDecision,
    short_time: ShortTime,
}

impl<T, E> Future for ResponseFuture<T, E> {
    type Output = Result<T, BreakerError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, name, decision, short_time } = self.get_mut();
        if short_time.is_over() {
            *future = None;
        }
        let Some(future) = future else {
            decision::on_span(&[(TIMEOUT_ELAPSED, true.into())]);
            decision::count("breaker", name, "out_of_time");
            return Poll::Ready(Err(BreakerError::OutOfTime { name }));
        };
        let result = ready!(decision.within(|| future.as_mut().poll(cx)));
        let result = result.map_err(|error| BreakerError::of(name, error));
        if let Err(BreakerError::Open { name }) = &result {
            decision::on_span(&[(BREAKER_REJECTED, true.into())]);
            decision::count("breaker", name, "rejected");
        }
        Poll::Ready(result)
    }
}

impl<T, E> fmt::Debug for ResponseFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a call behind a breaker has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum BreakerError<E> {
    /// The breaker let it not through: nothing was sent, and [`Refused`] is its source, for a retry above.
    Open {
        /// Which breaker.
        name: &'static str,
    },
    /// The caller's time was up before the service could be judged by it.
    OutOfTime {
        /// Which breaker.
        name: &'static str,
    },
    /// The service failed.
    Inner(E),
}

impl<E> BreakerError<E> {
    fn of(name: &'static str, error: CircuitBreakerError<E>) -> Self {
        match error {
            CircuitBreakerError::OpenCircuit => Self::Open { name },
            CircuitBreakerError::Inner(error) => Self::Inner(error),
        }
    }
}

impl<E> fmt::Display for BreakerError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { name } => write!(f, "the breaker {name} is open"),
            Self::OutOfTime { name } => write!(f, "the caller's time was up, behind the breaker {name}"),
            Self::Inner(_) => f.write_str("the service behind the breaker failed"),
        }
    }
}

impl<E: Error + 'static> Error for BreakerError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Open { .. } => Some(&Refused),
            Self::OutOfTime { .. } => None,
            Self::Inner(error) => Some(error),
        }
    }
}

/// An error is a failure, and so is an answer with such a status.
#[derive(Clone, Copy, Debug)]
struct ByStatus(fn(&StatusCode) -> bool);

impl<B, E> FailureClassifier<Response<B>, E> for ByStatus {
    fn classify(&self, result: &Result<Response<B>, E>) -> bool {
        result.as_ref().map_or(true, |response| (self.0)(&response.status()))
    }
}

/// Runs within the call that caused it, hence on its span.
fn tell_transition(name: &'static str, from: CircuitState, to: CircuitState) {
    let (from, to) = (state_name(from), state_name(to));
    if to == "open" {
        tracing::warn!(target: "throughline::resilience", breaker = name, from, to, "breaker opened");
    } else {
        tracing::info!(target: "throughline::resilience", breaker = name, from, to, "breaker changed");
    }
    decision::count("breaker", name, to);
}

/// What a call is told in each state: always the same.
struct StateFacts {
    closed: CallFacts,
    open: CallFacts,
    half_open: CallFacts,
}

impl StateFacts {
    fn new(name: &'static str) -> Self {
        let facts =
            |state| CallFacts::kept([(BREAKER_NAME, name.into()), (BREAKER_STATE, state_name(state).into())]);
        Self {
            closed: facts(CircuitState::Closed),
            open: facts(CircuitState::Open),
            half_open: facts(CircuitState::HalfOpen),
        }
    }

    fn of(&self, state: CircuitState) -> CallFacts {
        let facts = match state {
            CircuitState::Closed => &self.closed,
            CircuitState::Open => &self.open,
            CircuitState::HalfOpen => &self.half_open,
        };
        facts.clone()
    }
}

const fn state_name(state: CircuitState) -> &'static str {
    match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
    }
}
