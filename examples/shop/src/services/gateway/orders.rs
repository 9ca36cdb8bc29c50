//! Placing an order with one of several instances, again if that may help: the idempotency key makes it safe.

use std::{
    net::SocketAddr,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, Method};
use throughline::resilience::{
    balance::{Balancer, Strategy},
    retry,
    timeout::{self, Limited},
};
use tokio::task::JoinHandle;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tracing::{Instrument, info_span};

use crate::{
    arguments::Balance,
    services::{
        Failure,
        client::{Answer, Http, Instance, send},
        order::{IDEMPOTENCY_KEY, OrderRequest},
    },
};

/// How often each instance is asked how it is.
const PROBE_PERIOD: Duration = Duration::from_millis(250);
/// How many failures in a row leave an instance out.
const FAILURES: usize = 3;
/// How much more than the others the first instance gets, where they are weighted.
const FIRST_WEIGHT: u32 = 2;

/// The instances of orders.
#[derive(Debug)]
pub(super) struct Orders {
    http: Http,
    strategy: Strategy,
    retry: retry::RetryLayer,
    instances: RwLock<Probed>,
}

/// A balancer, and the probe that asks its instances; the probe ends when this is dropped.
#[derive(Debug)]
struct Probed {
    balancer: Balancer<Limited<Instance>>,
    probing: JoinHandle<()>,
}

impl Orders {
    pub(super) fn new(http: &Http, balance: Balance, addresses: &[SocketAddr]) -> Self {
        let strategy = balance.strategy();
        let instances = RwLock::new(Probed::start(http, strategy, addresses));
        Self { http: http.clone(), strategy, retry: retry::layer("orders"), instances }
    }

    /// From now on these are asked.
    pub(super) fn change_instances(&self, addresses: &[SocketAddr]) {
        let new = Probed::start(&self.http, self.strategy, addresses);
        *self.instances.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// How many instances can be chosen now, and how many there are.
    pub(super) fn health(&self) -> (usize, usize) {
        self.balancer().health()
    }

    /// Places an order. Each attempt may go to another instance; without a key there is one attempt.
    pub(super) async fn place(&self, request: &OrderRequest, headers: &HeaderMap) -> Result<Answer, Failure> {
        let key = headers.get(IDEMPOTENCY_KEY).cloned();
        let key = key.map(|key| (HeaderName::from_static(IDEMPOTENCY_KEY), key));
        let call = send(Method::POST, "/orders", request, key)?;
        let client = ServiceBuilder::new().layer(self.retry.clone()).service(self.balancer());
        // A span of its own: what is decided about this call stands on it, and not between what is decided about others.
        Ok(client.oneshot(call).instrument(info_span!("place order")).await?)
    }

    fn balancer(&self) -> Balancer<Limited<Instance>> {
        self.instances.read().unwrap_or_else(PoisonError::into_inner).balancer.clone()
    }
}

impl Probed {
    fn start(http: &Http, strategy: Strategy, addresses: &[SocketAddr]) -> Self {
        let mut builder = Balancer::builder("orders").strategy(strategy).failures(FAILURES);
        for (place, instance) in Instance::all("orders", addresses, http).enumerate() {
            let weight = if place == 0 { FIRST_WEIGHT } else { 1 };
            // On each instance: one that hangs has failed, and the balancer is to know which.
            let limited = timeout::client().layer(instance.clone());
            builder = builder.weighted_instance(instance.name(), weight, limited);
        }
        let balancer = builder.build();
        let probe = http.probe();
        let asking = async move |_name: &str, instance: Limited<Instance>| {
            probe.is_well(instance.get_ref().address()).await
        };
        let probing = tokio::spawn(balancer.probe(PROBE_PERIOD, asking));
        Self { balancer, probing }
    }
}

impl Drop for Probed {
    fn drop(&mut self) {
        self.probing.abort();
    }
}
