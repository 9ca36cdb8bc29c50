//! The exporter's own counters as metrics `otel.sdk.*`: read when metrics are collected, at no cost for requests.

use std::sync::Arc;

use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use throughline_core::semconv::{
    error::ERROR_TYPE,
    otel::{OTEL_COMPONENT_NAME, OTEL_COMPONENT_TYPE},
};

use crate::{
    plan::Way,
    queue::Queue,
    settings::Protocol,
    signal_kind::SignalKind,
    stats::{Counts, DropReason},
};

/// What a queue took was never handed on for one of these; everything else happened on the way out.
const BEFORE: [DropReason; 2] = [DropReason::QueueFull, DropReason::AlreadyShutdown];

/// Has the counters of a queue and of the way out behind it observed.
///
/// Two balances hold: accepted = processed + waiting, and processed without an error = exported + in flight.
pub(crate) fn observe(provider: &SdkMeterProvider, queue: &Arc<Queue>, ways: &[Way]) {
    let word = match queue.kind {
        SignalKind::Traces => "span",
        SignalKind::Logs => "log",
        SignalKind::Metrics => return,
    };
    let unit = match queue.kind {
        SignalKind::Logs => "{log_record}",
        SignalKind::Traces | SignalKind::Metrics => "{span}",
    };
    let own = Own { meter: provider.meter("throughline"), queue: Arc::clone(queue), unit };
    let processor = component(&format!("batching_{word}_processor"));
    let exporter = component(&exporter_type(word, ways));
    own.level(format!("otel.sdk.processor.{word}.queue.size"), &processor, Counts::queued);
    own.counter(format!("otel.sdk.processor.{word}.processed"), &processor, |counts| {
        let dropped = BEFORE.map(|reason| (Some(reason.as_str()), counts.dropped(reason)));
        let before: u64 = dropped.iter().map(|(_, count)| count).sum();
        let handed_on = counts.accepted().saturating_sub(before + counts.queued());
        dropped.into_iter().chain([(None, handed_on)]).collect()
    });
    own.level(format!("otel.sdk.exporter.{word}.inflight"), &exporter, Counts::in_flight);
    own.counter(format!("otel.sdk.exporter.{word}.exported"), &exporter, |counts| {
        let on_the_way = DropReason::ALL.into_iter().filter(|reason| !BEFORE.contains(reason));
        let dropped = on_the_way.map(|reason| (Some(reason.as_str()), counts.dropped(reason)));
        dropped.chain([(None, counts.exported()), (Some("rejected"), counts.rejected())]).collect()
    });
}

/// What the conventions call the exporter of the first way.
fn exporter_type(word: &str, ways: &[Way]) -> String {
    match ways.first() {
        Some(Way::Otlp(endpoint)) => match endpoint.protocol {
            Protocol::Grpc => format!("otlp_grpc_{word}_exporter"),
            Protocol::HttpProtobuf => format!("otlp_http_{word}_exporter"),
            Protocol::HttpJson => format!("otlp_http_json_{word}_exporter"),
        },
        Some(Way::Console | Way::File(_)) | None => format!("otlp_json_lines_{word}_exporter"),
    }
}

fn component(kind: &str) -> [KeyValue; 2] {
    let name = format!("{kind}/0");
    [KeyValue::new(OTEL_COMPONENT_TYPE, kind.to_owned()), KeyValue::new(OTEL_COMPONENT_NAME, name)]
}

struct Own {
    meter: Meter,
    queue: Arc<Queue>,
    unit: &'static str,
}

impl Own {
    fn level(&self, name: String, component: &[KeyValue; 2], read: fn(&Counts) -> u64) {
        let (queue, component) = (Arc::clone(&self.queue), component.clone());
        let gauge = self.meter.i64_observable_up_down_counter(name).with_unit(self.unit);
        gauge
            .with_callback(move |observer| {
                let count = read(&queue.stats.counts());
                observer.observe(i64::try_from(count).unwrap_or(i64::MAX), &component);
            })
            .build();
    }

    /// Counts what went well without `error.type`; what has never gone wrong is no series.
    fn counter(
        &self,
        name: String,
        component: &[KeyValue; 2],
        read: impl Fn(&Counts) -> Vec<(Option<&'static str>, u64)> + Send + Sync + 'static,
    ) {
        let (queue, component) = (Arc::clone(&self.queue), component.clone());
        let counter = self.meter.u64_observable_counter(name).with_unit(self.unit);
        counter
            .with_callback(move |observer| {
                for (error, count) in read(&queue.stats.counts()) {
                    let mut attributes = component.to_vec();
                    attributes.extend(error.map(|error| KeyValue::new(ERROR_TYPE, error)));
                    if error.is_none() || count > 0 {
                        observer.observe(count, &attributes);
                    }
                }
            })
            .build();
    }
}
