//! Whether there is telemetry.

use clap::ValueEnum;

/// Whether spans, metrics and log lines are made; what the services do is the same either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TelemetrySwitch {
    #[default]
    On,
    Off,
}
