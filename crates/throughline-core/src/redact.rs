//! Keeping secrets out of telemetry.
