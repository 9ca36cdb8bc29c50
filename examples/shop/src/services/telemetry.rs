//! How a service of the shop sets up its telemetry: the one line that a service of yours needs, and a few settings.

use std::{error::Error, time::Duration};

use throughline::{Telemetry, logs::Output, otlp::Protocol};

use crate::arguments::{self, ServeArguments, TelemetrySwitch};

/// Spans leave sooner than by default: somebody is waiting for the picture.
const SCHEDULE_DELAY: Duration = Duration::from_millis(100);

/// Starts it, unless it is switched off.
pub(super) fn install(settings: &ServeArguments) -> Result<Option<Telemetry>, Box<dyn Error>> {
    if settings.telemetry == TelemetrySwitch::Off {
        return Ok(None);
    }
    let protocol = match settings.protocol {
        arguments::Protocol::Grpc => Protocol::Grpc,
        arguments::Protocol::HttpProtobuf => Protocol::HttpProtobuf,
    };
    let telemetry = throughline::builder(settings.service.name())
        .protocol(protocol)
        .resource("service.version", env!("CARGO_PKG_VERSION"))
        .resource("service.instance.id", &settings.name())
        .exporter(|exporter| exporter.schedule_delay(SCHEDULE_DELAY));
    let telemetry = match &settings.otlp {
        // The usual variables of the environment decide.
        None => telemetry,
        Some(url) => telemetry.endpoint(url),
    };
    let telemetry = match &settings.log_file {
        None => telemetry.without_logs(),
        Some(path) => telemetry.log_output(Output::file(path)),
    };
    Ok(Some(telemetry.install()?))
}
