//! throughline, as its README says.

use std::{error::Error, time::Duration};

use axum::Router;
use throughline::{
    logs::Output,
    otlp::{Protocol, Signal},
};

use super::Installed;
use crate::server::Settings;

/// Whether metrics are recorded, too.
#[derive(Clone, Copy, Debug)]
pub(super) enum Metrics {
    On,
    Off,
}

pub(super) fn install(
    settings: &Settings,
    routes: Router,
    metrics: Metrics,
) -> Result<Installed, Box<dyn Error>> {
    let metrics = match metrics {
        Metrics::On => Signal::On,
        Metrics::Off => Signal::Off,
    };
    let telemetry = throughline::builder("bench")
        .endpoint(&settings.otlp)
        .protocol(Protocol::Grpc)
        .metrics(metrics)
        .log_output(Output::file(&settings.log_file))
        .install()?;
    let shutdown = move || {
        let report = telemetry.shutdown_blocking(Duration::from_secs(30));
        if report.lost() > 0 {
            eprintln!("{report}");
        }
    };
    Ok(Installed { app: routes.layer(throughline::http::server()), shutdown: Box::new(shutdown) })
}
