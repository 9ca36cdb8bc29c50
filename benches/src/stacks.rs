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
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::HandAssembled => "hand-assembled",
            Self::Throughline => "throughline",
            Self::ThroughlineMetrics => "throughline-metrics",
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
        Stack::Throughline => ours::install(settings, routes, ours::Metrics::Off),
        Stack::ThroughlineMetrics => ours::install(settings, routes, ours::Metrics::On),
    }
}
