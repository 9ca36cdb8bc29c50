//! Putting a balancer together.

use std::{fmt, time::Duration};

use tower_resilience_outlier::OutlierDetector;

use super::{Balancer, Strategy, instance::Instance};
use crate::decision;

/// How many failures in a row eject an instance unless told otherwise.
pub const FAILURES: usize = 5;
/// How long an instance is ejected the first time.
pub const EJECTED_FOR: Duration = Duration::from_secs(10);
/// How long it is ejected at most.
pub const EJECTED_FOR_MAX: Duration = Duration::from_secs(60);
/// How many of all instances, in per cent, are ejected at most by their calls.
const EJECTED_PERCENT_MAX: usize = 50;

/// Instances and settings of a [`Balancer`]; ends with [`build`](Self::build).
#[must_use = "there is no balancer until `build` is called"]
pub struct BalancerBuilder<S> {
    name: &'static str,
    strategy: Strategy,
    failures: usize,
    ejected_for: Duration,
    instances: Vec<Instance<S>>,
}

impl<S> BalancerBuilder<S> {
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            strategy: Strategy::RoundRobin,
            failures: FAILURES,
            ejected_for: EJECTED_FOR,
            instances: Vec::new(),
        }
    }

    /// How an instance is chosen.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Adds an instance of weight 1. Its name is shown on spans; each needs one of its own.
    pub fn instance(self, name: impl Into<String>, service: S) -> Self {
        self.weighted_instance(name, 1, service)
    }

    /// Adds an instance of this weight; with weight 0, [`Strategy::Weighted`] never chooses it.
    pub fn weighted_instance(mut self, name: impl Into<String>, weight: u32, service: S) -> Self {
        self.instances.push(Instance::new(name.into(), weight, service));
        self
    }

    /// How many failures in a row eject an instance; at least one.
    pub fn failures(mut self, failures: usize) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// How long an instance is ejected the first time; each further time until it answers well it is twice as long, up to a
    /// minute.
    pub fn ejected_for(mut self, ejected_for: Duration) -> Self {
        self.ejected_for = ejected_for;
        self
    }

    /// The balancer, with all instances healthy.
    pub fn build(self) -> Balancer<S> {
        let name = self.name;
        let outliers = OutlierDetector::new()
            .name(name)
            .max_ejection_percent(EJECTED_PERCENT_MAX)
            .base_ejection_duration(self.ejected_for)
            .max_ejection_duration(EJECTED_FOR_MAX.max(self.ejected_for))
            .on_ejection(move |instance, _| tell(name, instance, "ejected"))
            .on_recovery(move |instance, _| tell(name, instance, "recovered"));
        Balancer::new(name, self.strategy, self.instances, self.failures, outliers)
    }
}

impl<S> fmt::Debug for BalancerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalancerBuilder")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}

/// One log line and one event a change.
pub(super) fn tell(balancer: &'static str, instance: &str, change: &'static str) {
    if matches!(change, "recovered" | "probed_well") {
        tracing::info!(target: "throughline::resilience", balancer, instance, change, "instance recovered");
    } else {
        tracing::warn!(target: "throughline::resilience", balancer, instance, change, "instance left out");
    }
    decision::count("balance", balancer, change);
}
