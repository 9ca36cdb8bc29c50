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
    CallDecision, CallFact, CallFacts,
    semconv::own::{BALANCE_HEALTHY, BALANCE_INSTANCE, BALANCE_STRATEGY, BALANCE_TOTAL},
};
use tower_resilience_outlier::OutlierDetector;
use tower_service::Service;

use super::{
    BalancerBuilder, Strategy,
    instance::{Instance, UnderWay},
};
use crate::{Refused, decision, short_time::ShortTime};

/// Hands each call to one of several instances; see [the module](mod@crate::balance). Clones share what is known of them.
pub struct Balancer<S> {
    pub(super) shared: Arc<Shared<S>>,
}

pub(super) struct Shared<S> {
    pub(super) name: &'static str,
    strategy: Strategy,
    pub(super) instances: Vec<Instance<S>>,
    /// What is told of the choice of each instance while all are healthy.
    among_all: Vec<CallFacts>,
    /// How many failures in a row eject one.
    failures: usize,
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
        failures: usize,
        outliers: OutlierDetector,
    ) -> Self {
        instances.iter().for_each(|instance| instance.register(failures, &outliers));
        let round = strategy.round(&instances);
        let among_all = |instance: &Instance<S>| {
            CallFacts::kept(facts(strategy, instance, instances.len(), instances.len()))
        };
        let among_all = instances.iter().map(among_all).collect();
        let turn = AtomicUsize::new(0);
        let shared = Shared { name, strategy, instances, among_all, failures, round, turn, outliers };
        Self { shared: Arc::new(shared) }
    }

    /// How many instances can be chosen now, and how many there are.
    #[must_use]
    pub fn health(&self) -> (usize, usize) {
        let total = self.shared.instances.len();
        match self.shared.health() {
            Health::All => (total, total),
            Health::Some { count, .. } => (count, total),
        }
    }
}

/// Which instances are healthy.
enum Health {
    /// Every one, as nearly always.
    All,
    Some {
        by_place: Vec<bool>,
        count: usize,
    },
}

impl<S> Shared<S> {
    fn health(&self) -> Health {
        let is_healthy = |instance: &Instance<S>| instance.is_healthy(&self.outliers);
        if self.instances.iter().all(is_healthy) {
            return Health::All;
        }
        let by_place: Vec<_> = self.instances.iter().map(is_healthy).collect();
        let count = by_place.iter().filter(|healthy| **healthy).count();
        Health::Some { by_place, count }
    }

    /// The place of the instance that is to have the call, and what is told of the choice.
    fn choose(&self) -> Option<Chosen<'_, S>> {
        let health = self.health();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let among = |may_have_it| self.strategy.choose(&self.instances, &self.round, turn, may_have_it);
        let well = match &health {
            Health::All => None,
            Health::Some { by_place, .. } => among(Some(by_place.as_slice())),
        };
        // Where nobody who has a turn is well, whoever has it now is better than nobody.
        let place = well.or_else(|| among(None))?;
        let instance = self.instances.get(place)?;
        let facts = match health {
            Health::All => self.among_all.get(place)?.clone(),
            Health::Some { count, .. } => facts(self.strategy, instance, count, self.instances.len()).into(),
        };
        Some(Chosen { place, instance, facts })
    }

    fn took_notice(&self, place: usize, failed: bool) {
        if let Some(instance) = self.instances.get(place) {
            instance.took_notice(failed, self.failures, &self.outliers);
        }
    }

    /// There is no call, hence only the caller can be told.
    fn found_nobody(&self) {
        let facts: [CallFact; 2] = [
            (BALANCE_STRATEGY, self.strategy.as_str().into()),
            (BALANCE_TOTAL, decision::number(self.instances.len())),
        ];
        decision::of_no_call(&facts.into());
        decision::count("balance", self.name, "no_instance");
    }
}

struct Chosen<'a, S> {
    place: usize,
    instance: &'a Instance<S>,
    facts: CallFacts,
}

/// What the spans are told of a choice.
fn facts<S>(strategy: Strategy, instance: &Instance<S>, healthy: usize, total: usize) -> [CallFact; 4] {
    [
        (BALANCE_STRATEGY, strategy.as_str().into()),
        (BALANCE_INSTANCE, Arc::clone(&instance.name).into()),
        (BALANCE_HEALTHY, decision::number(healthy)),
        (BALANCE_TOTAL, decision::number(total)),
    ]
}

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
            self.shared.found_nobody();
            return BalanceFuture { state: State::Nobody, call: None, shared };
        };
        let state = State::Waiting { service: instance.service.clone(), request: Some(request) };
        let (decision, short_time) = (CallDecision::new(facts), ShortTime::left());
        let call = Call { place, decision, short_time, _under_way: instance.begin() };
        BalanceFuture { state, call: Some(call), shared }
    }
}

/// A call to the chosen instance, until it has ended.
#[derive(Debug)]
struct Call {
    place: usize,
    decision: CallDecision,
    short_time: ShortTime,
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
        let Some(Call { decision, .. }) = this.call else {
            return Poll::Ready(Err(BalanceError::NoInstance { balancer: this.shared.name }));
        };
        let result = ready!(decision.within(|| this.state.poll(cx)));
        if let Some(call) = this.call.take() {
            let failed = result.as_ref().map_or(true, |response| response.status().is_server_error());
            if !(failed && call.short_time.is_over()) {
                this.shared.took_notice(call.place, failed);
            }
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
    /// There is no instance at all, or none with a weight: nothing was sent, and [`Refused`] is its source, for a retry above.
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
            Self::NoInstance { .. } => Some(&Refused),
            Self::Inner(error) => Some(error),
        }
    }
}
