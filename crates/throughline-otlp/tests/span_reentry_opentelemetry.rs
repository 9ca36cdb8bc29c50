//! A `Debug` of the user's that traces, under the layer over the OpenTelemetry SDK.

#![cfg(feature = "opentelemetry")]

mod contract;

use contract::{Under, reentry};

#[test]
fn a_debug_that_traces_or_panics_neither_hangs_nor_mixes_anything_up() {
    reentry::a_debug_that_traces_or_panics_neither_hangs_nor_mixes_anything_up(Under::OpenTelemetry);
}
