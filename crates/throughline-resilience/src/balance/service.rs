//! The balancer as a service: choose, hand over, take notice.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;
use throughline_core::{
    CallFact,
    semconv::own::{BALANCE_HEALTHY, BALANCE_INSTANCE, BALANCE_STRATEGY, BALANCE_TOTAL},
    within_call,
};
use tower_resilience_outlier::OutlierDetector;
use tower_service::Service;

use super::{
    BalancerBuilder, Strategy,
    instance::{Instance, UnderWay},
};
use crate::decision;

/// Hands each call to one of several instances; see [the module](mod@crate::balance). Clones share what is known of them.
pub struct Balancer<S> {
    pub(super) shared: Arc<Shared<S>>,
}

pub(super) struct Shared<S> {
    pub(super) name: &'static str,
    strategy: Strategy,
    pub(super) instances: Vec<Instance<S>>,
    round: Vec<usize>,
    turn: AtomicUsize,
    outliers: OutlierDetector,
}

impl<S> Balancer<S> {
    /// Starts a balancer; `name` comes from code, spans and metrics show it.
    pub fn builder(name: &'static str) -> BalancerBuilder<S> {
        BalancerBuilder::new(name)
    }

    pub(super) fn new(
        name: &'static str,
        strategy: Strategy,
        instances: Vec<Instance<S>>,
        outliers: OutlierDetector,
    ) -> Self {
        let round = strategy.round(&instances);
        let shared = Shared { name, strategy, instances, round, turn: AtomicUsize::new(0), outliers };
        Self { shared: Arc::new(shared) }
    }

    /// How many instances can be chosen now, and how many there are.
    #[must_use]
    pub fn health(&self) -> (usize, usize) {
        let healthy = self.shared.healthy();
        (healthy.iter().filter(|healthy| **healthy).count(), healthy.len())
    }
}

impl<S> Shared<S> {
    /// Which instances are healthy, by their places.
    fn healthy(&self) -> Vec<bool> {
        self.instances.iter().map(|instance| instance.is_healthy(&self.outliers)).collect()
    }

    /// The place of the instance that is to have the call, and what is told of the choice.
    fn choose(&self) -> Option<Chosen<'_, S>> {
        let healthy = self.healthy();
        let count = healthy.iter().filter(|healthy| **healthy).count();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let may = |place: usize| count == 0 || healthy.get(place).copied().unwrap_or_default();
        let place = self.strategy.choose(&self.instances, &self.round, turn, may)?;
        let instance = self.instances.get(place)?;
        let facts = self.facts(instance, count);
        decision::of_call(&facts);
        Some(Chosen { place, instance, facts })
    }

    fn facts(&self, instance: &Instance<S>, healthy: usize) -> Facts {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX).into();
        [
            (BALANCE_STRATEGY, self.strategy.as_str().into()),
            (BALANCE_INSTANCE, Arc::clone(&instance.name).into()),
            (BALANCE_HEALTHY, number(healthy)),
            (BALANCE_TOTAL, number(self.instances.len())),
        ]
    }

    fn took_notice(&self, place: usize, failed: bool) {
        if let Some(instance) = self.instances.get(place) {
            instance.took_notice(failed, &self.outliers);
        }
    }
}

struct Chosen<'a, S> {
    place: usize,
    instance: &'a Instance<S>,
    facts: Facts,
}

/// What the spans are told of a choice.
type Facts = [CallFact; 4];

impl<S> Clone for Balancer<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Balancer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balancer")
            .field("name", &self.shared.name)
            .field("strategy", &self.shared.strategy)
            .finish_non_exhaustive()
    }
}

impl<S, Req, B> Service<Req> for Balancer<S>
where
    S: Service<Req, Response = Response<B>> + Clone,
{
    type Response = Response<B>;
    type Error = BalanceError<S::Error>;
    type Future = BalanceFuture<S, Req>;

    /// Always: the chosen instance is waited for in the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        let Some(Chosen { place, instance, facts }) = self.shared.choose() else {
            return BalanceFuture { state: State::Nobody, call: None, shared };
        };
        let state = State::Waiting { service: instance.service.clone(), request: Some(request) };
        BalanceFuture { state, call: Some(Call { place, facts, _under_way: instance.begin() }), shared }
    }
}

/// A call to the chosen instance, until it has ended.
#[derive(Debug)]
struct Call {
    place: usize,
    facts: Facts,
    _under_way: UnderWay,
}

pin_project! {
    /// The answer of the chosen instance.
    ///
    /// # Cancel safety
    /// Dropped, it drops the call, which counts neither for nor against the instance.
    #[must_use = "futures do nothing unless polled"]
    pub struct BalanceFuture<S: Service<Req>, Req> {
        #[pin]
        state: State<S, Req>,
        call: Option<Call>,
        shared: Arc<Shared<S>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Req>, Req> {
        Nobody,
        Waiting { service: S, request: Option<Req> },
        Calling { #[pin] future: S::Future },
    }
}

impl<S, Req, B> Future for BalanceFuture<S, Req>
where
    S: Service<Req, Response = Response<B>>,
{
    type Output = Result<Response<B>, BalanceError<S::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(Call { facts, .. }) = this.call else {
            return Poll::Ready(Err(BalanceError::NoInstance { balancer: this.shared.name }));
        };
        let result = ready!(within_call(facts, || this.state.poll(cx)));
        if let Some(call) = this.call.take() {
            let failed = result.as_ref().map_or(true, |response| response.status().is_server_error());
            this.shared.took_notice(call.place, failed);
        }
        Poll::Ready(result.map_err(BalanceError::Inner))
    }
}

impl<S: Service<Req>, Req> State<S, Req> {
    /// Waits until the instance is ready, then hands it the request, then waits for the answer.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        loop {
            let future = match self.as_mut().project() {
                StateProjection::Nobody => return Poll::Pending,
                StateProjection::Calling { future } => return future.poll(cx),
                StateProjection::Waiting { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    let Some(request) = request.take() else { return Poll::Pending };
                    service.call(request)
                }
            };
            self.set(Self::Calling { future });
        }
    }
}

impl<S: Service<Req>, Req> fmt::Debug for BalanceFuture<S, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalanceFuture").field("call", &self.call).finish_non_exhaustive()
    }
}

/// Why a balanced call has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum BalanceError<E> {
    /// There is no instance at all, or none with a weight.
    NoInstance {
        /// Which balancer.
        balancer: &'static str,
    },
    /// The chosen instance failed.
    Inner(E),
}

impl<E> fmt::Display for BalanceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInstance { balancer } => write!(f, "the balancer {balancer} has no instance"),
            Self::Inner(_) => f.write_str("the chosen instance failed"),
        }
    }
}

impl<E: Error + 'static> Error for BalanceError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoInstance { .. } => None,
            Self::Inner(error) => Some(error),
        }
    }
}
