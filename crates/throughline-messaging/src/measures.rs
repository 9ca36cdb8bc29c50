//! The four messaging metrics.

use std::time::Duration;

use throughline_core::{
    Metric, Pipeline, Value,
    semconv::{error::ERROR_TYPE, http, messaging as names},
};

use crate::{
    Endpoint,
    operation::{Begin, Kind},
};

/// Where the measurements of one operation go, and with which labels.
///
/// The labels are a bounded set as long as destinations are, or have templates.
#[derive(Debug)]
pub(crate) struct Measures {
    pipeline: Pipeline,
    endpoint: Endpoint,
    kind: Kind,
    operation: &'static str,
    destination: Option<String>,
}

impl Measures {
    /// `None` where nobody wants to know. Counts what the operation delivers to the application.
    pub(crate) fn begin(pipeline: &Pipeline, endpoint: &Endpoint, begin: Begin<'_>) -> Option<Self> {
        if !pipeline.has_recorder() {
            return None;
        }
        let measures = Self {
            pipeline: pipeline.clone(),
            endpoint: endpoint.clone(),
            kind: begin.kind,
            operation: begin.operation,
            destination: begin.destination.map(str::to_owned),
        };
        measures.delivered(begin.delivers);
        Some(measures)
    }

    pub(crate) fn delivered(&self, messages: usize) {
        if messages > 0 {
            self.record(Metric::MessagingConsumed, as_f64(messages), None);
        }
    }

    pub(crate) fn ended(&self, elapsed: Duration, error_type: Option<&str>) {
        let duration = match self.kind {
            Kind::Process => Metric::MessagingProcessDuration,
            Kind::Send | Kind::Forward | Kind::Receive | Kind::Settle => Metric::MessagingOperationDuration,
        };
        self.record(duration, elapsed.as_secs_f64(), error_type);
        if matches!(self.kind, Kind::Send | Kind::Forward) {
            self.record(Metric::MessagingSent, 1.0, error_type);
        }
    }

    fn record(&self, metric: Metric, value: f64, error_type: Option<&str>) {
        let settings = self.endpoint.settings();
        let destination = self.destination.as_deref();
        let template = destination.and_then(|name| settings.template_of(name));
        let labels = [
            (names::MESSAGING_SYSTEM, Some(settings.system)),
            (names::MESSAGING_OPERATION_NAME, Some(self.operation)),
            (names::MESSAGING_OPERATION_TYPE, self.operation_type(metric)),
            (names::MESSAGING_DESTINATION_TEMPLATE, template),
            (names::MESSAGING_DESTINATION_NAME, destination.filter(|_| template.is_none())),
            (names::MESSAGING_CONSUMER_GROUP_NAME, self.group(metric)),
            (http::SERVER_ADDRESS, settings.server.as_ref().map(|(address, _)| address.as_str())),
            (ERROR_TYPE, error_type),
        ];
        let mut known: Vec<(&'static str, Value<'_>)> =
            labels.into_iter().filter_map(|(key, value)| Some((key, Value::Str(value?)))).collect();
        if let Some((_, port)) = settings.server {
            known.push((http::SERVER_PORT, port.into()));
        }
        self.pipeline.record(metric, value, &known);
    }

    /// Only the duration of operations is told apart by type.
    fn operation_type(&self, metric: Metric) -> Option<&'static str> {
        (metric == Metric::MessagingOperationDuration).then(|| self.kind.operation_type())
    }

    /// Producers have no group, and their counter no label for one.
    fn group(&self, metric: Metric) -> Option<&str> {
        let sends = metric == Metric::MessagingSent || matches!(self.kind, Kind::Send | Kind::Forward);
        self.endpoint.settings().group.as_deref().filter(|_| !sends)
    }
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
