//! What is in force, once code, environment and defaults have been weighed.

mod batching;
mod endpoint;
mod limits;
mod metrics;
mod sampler;

use std::{fmt::Display, path::PathBuf, str::FromStr, time::Duration};

use throughline_core::{
    Sampler,
    env::{EnvWarning, Environment},
};

use crate::{
    EventTarget, InitError, Signal,
    destination::Destination,
    limits::{LogLimits, SpanLimits},
    otlp_settings::OtlpSettings,
    resource::Resource,
    settings::Endpoint,
    signal_kind::SignalKind,
};

pub(crate) use batching::{Batching, BatchingInCode};
pub(crate) use metrics::MetricsPlan;
pub use metrics::{METRIC_INTERVAL, METRIC_TIMEOUT, MetricHistograms, MetricTemporality};

/// Everything that is in force.
pub(crate) struct Plan {
    pub(crate) traces: Vec<Way>,
    pub(crate) metrics: MetricsPlan,
    pub(crate) own_metrics: Signal,
    pub(crate) logs: Vec<Way>,
    pub(crate) events: EventTarget,
    pub(crate) batching: Batching,
    pub(crate) log_batching: Batching,
    pub(crate) request_bytes_max: usize,
    pub(crate) limits: SpanLimits,
    pub(crate) log_limits: LogLimits,
    pub(crate) sampler: Box<dyn Sampler>,
    pub(crate) resource: Resource,
}

/// One way out for a signal.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Otlp(Box<Endpoint>),
    Console,
    File(PathBuf),
}

/// What was set in code for one signal, and for all.
pub(crate) struct InCode<'a> {
    pub(crate) all: &'a OtlpSettings,
    pub(crate) own: &'a OtlpSettings,
}

/// The environment and what was found wrong with it.
pub(crate) struct Variables<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) warnings: &'a mut Vec<EnvWarning>,
}

impl Variables<'_> {
    /// Where a signal goes: to `destinations`, or where the variable says.
    pub(crate) fn destinations(
        &mut self,
        name: &str,
        code: Option<&[Destination]>,
        unset: &[Destination],
    ) -> Vec<Destination> {
        if let Some(destinations) = code {
            return destinations.to_vec();
        }
        match self.environment.get(name).map(|value| (value, Destination::list(value))) {
            None => unset.to_vec(),
            Some((_, Ok(destinations))) => destinations,
            Some((value, Err(problem))) => {
                let used = if unset.is_empty() { "none" } else { "otlp" };
                EnvWarning::new(name, value, problem, used).note(self.warnings);
                unset.to_vec()
            }
        }
    }

    /// The ways to all destinations.
    pub(crate) fn ways(
        &mut self,
        kind: SignalKind,
        destinations: Vec<Destination>,
        code: &InCode<'_>,
    ) -> Result<Vec<Way>, InitError> {
        let ways = destinations.into_iter().map(|destination| {
            Ok(match destination {
                Destination::Otlp => Way::Otlp(Box::new(self.endpoint(kind, code)?)),
                Destination::Console => Way::Console,
                Destination::File(path) => Way::File(path),
            })
        });
        ways.collect()
    }

    pub(crate) fn millis(&mut self, name: &str, default: Duration) -> Duration {
        let millis = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.environment.read(name, millis, self.warnings, |value| {
            value.parse().map_err(|_| "not a number of milliseconds".to_owned())
        }))
    }

    /// A count that must not be zero.
    fn positive(&mut self, name: &str, default: usize) -> usize {
        self.environment.read(name, default, self.warnings, |value| match value.parse() {
            Ok(0) | Err(_) => Err("not a positive number".to_owned()),
            Ok(count) => Ok(count),
        })
    }

    fn count(&mut self, name: &str, default: usize) -> usize {
        self.environment
            .read(name, default, self.warnings, |value| value.parse().map_err(|_| "not a number".to_owned()))
    }

    pub(crate) fn parsed<T: FromStr<Err = String> + Display>(&mut self, name: &str, default: T) -> T {
        self.environment.read(name, default, self.warnings, str::parse)
    }
}
