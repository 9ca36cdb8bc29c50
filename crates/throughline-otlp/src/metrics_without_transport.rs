//! In place of the metrics where no transport is built in: there is nowhere to send them.

use std::{sync::Arc, time::Duration};

use opentelemetry_sdk::metrics::SdkMeterProvider;
use throughline_core::{Recorder, Value};
use tokio::runtime::Handle;

use crate::{queue::Queue, settings::Endpoint};

pub(crate) fn provider(
    endpoint: &Endpoint,
    _: Duration,
    _: &crate::resource::Resource,
    _: &Handle,
    _: &Arc<Queue>,
) -> Result<SdkMeterProvider, String> {
    Err(format!("the transport {} is not built in", endpoint.protocol))
}

pub(crate) fn recorder(_: &SdkMeterProvider) -> Arc<dyn Recorder> {
    Arc::new(|_, _: f64, _: &[(&'static str, Value<'_>)]| {})
}
