//! The stacks that are compared.

use std::{error::Error, fmt};

use axum::Router;
use clap::ValueEnum;

use crate::server::Settings;

mod hand_assembled;
mod ours;

/// A way to observe an axum service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stack {
    /// No telemetry at all: what everything is measured over.
    Bare,
    /// tower-http's trace and request-id layers, tracing-opentelemetry, JSON by `fmt`, the SDK's batches over gRPC.
    HandAssembled,
    /// throughline, its metrics off.
    Throughline,
    /// throughline with metrics.
    ThroughlineMetrics,
    /// throughline, its metrics off, asked by a caller that does not sample.
    ThroughlineUnsampled,
    /// The same, and the handler logs nothing.
    ThroughlineUnsampledSilent,
}

impl Stack {
    /// Whether each request's span is to arrive.
    pub(crate) const fn exports(self) -> bool {
        matches!(self, Self::HandAssembled | Self::Throughline | Self::ThroughlineMetrics)
    }

    /// Whether each request is to write a line.
    pub(crate) const fn logs(self) -> bool {
        !matches!(self, Self::Bare | Self::ThroughlineUnsampledSilent)
    }

    /// Whether the caller samples.
    pub(crate) const fn is_sampled(self) -> bool {
        !matches!(self, Self::ThroughlineUnsampled | Self::ThroughlineUnsampledSilent)
    }

    /// What is asked for.
    pub(crate) const fn path(self) -> &'static str {
        if matches!(self, Self::ThroughlineUnsampledSilent) { "/silent/17" } else { "/orders/17" }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::HandAssembled => "hand-assembled",
            Self::Throughline => "throughline",
            Self::ThroughlineMetrics => "throughline-metrics",
            Self::ThroughlineUnsampled => "throughline-unsampled",
            Self::ThroughlineUnsampledSilent => "throughline-unsampled-silent",
        })
    }
}

/// An application with its telemetry, and how to end that.
pub(crate) struct Installed {
    pub(crate) app: Router,
    pub(crate) shutdown: Box<dyn FnOnce()>,
}

pub(crate) fn install(settings: &Settings, routes: Router) -> Result<Installed, Box<dyn Error>> {
    match settings.stack {
        Stack::Bare => Ok(Installed { app: routes, shutdown: Box::new(|| ()) }),
        Stack::HandAssembled => hand_assembled::install(settings, routes),
        Stack::Throughline | Stack::ThroughlineUnsampled | Stack::ThroughlineUnsampledSilent => {
            ours::install(settings, routes, ours::Metrics::Off)
        }
        Stack::ThroughlineMetrics => ours::install(settings, routes, ours::Metrics::On),
    }
}
