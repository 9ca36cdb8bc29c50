//! How a service of the shop sets up its telemetry: the one line that a service of yours needs, and a few settings.

use std::{error::Error, time::Duration};

use throughline::{Telemetry, logs::Output, otlp::Protocol};

use crate::arguments::{self, ServeArguments};

/// Spans leave sooner than by default: somebody is waiting for the picture.
const SCHEDULE_DELAY: Duration = Duration::from_millis(100);

pub(super) fn install(settings: &ServeArguments) -> Result<Telemetry, Box<dyn Error>> {
    let protocol = match settings.protocol {
        arguments::Protocol::Grpc => Protocol::Grpc,
        arguments::Protocol::HttpProtobuf => Protocol::HttpProtobuf,
    };
    let telemetry = throughline::builder(settings.service.name())
        .endpoint(&settings.otlp)
        .protocol(protocol)
        .resource("service.version", env!("CARGO_PKG_VERSION"))
        .exporter(|exporter| exporter.schedule_delay(SCHEDULE_DELAY));
    let telemetry = match &settings.log_file {
        None => telemetry.without_logs(),
        Some(path) => telemetry.log_output(Output::file(path)),
    };
    Ok(telemetry.install()?)
}
