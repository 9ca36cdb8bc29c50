//! The hops' measurements, handed to the OpenTelemetry SDK.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::{
    KeyValue,
    metrics::{
        BoundCounter, BoundHistogram, BoundUpDownCounter, Counter, Histogram, MeterProvider, UpDownCounter,
    },
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use throughline_core::{InstrumentKind, Metric, Recorder, Value};

use super::series::{self, Series};
use crate::sdk_value::sdk_value;

/// One instrument for each [`Metric`].
enum Instrument {
    Histogram(Histogram<f64>),
    Counter(Counter<f64>),
    UpDownCounter(UpDownCounter<f64>),
}

/// An instrument with its attributes: recording looks nothing up and allocates nothing.
pub(super) enum Bound {
    Histogram(BoundHistogram<f64>),
    Counter(BoundCounter<f64>),
    UpDownCounter(BoundUpDownCounter<f64>),
}

impl Instrument {
    fn record(&self, value: f64, attributes: &[KeyValue]) {
        match self {
            Self::Histogram(histogram) => histogram.record(value, attributes),
            Self::Counter(counter) => counter.add(value, attributes),
            Self::UpDownCounter(counter) => counter.add(value, attributes),
        }
    }

    fn bind(&self, attributes: &[KeyValue]) -> Bound {
        match self {
            Self::Histogram(histogram) => Bound::Histogram(histogram.bind(attributes)),
            Self::Counter(counter) => Bound::Counter(counter.bind(attributes)),
            Self::UpDownCounter(counter) => Bound::UpDownCounter(counter.bind(attributes)),
        }
    }
}

impl Bound {
    pub(super) fn record(&self, value: f64) {
        match self {
            Self::Histogram(histogram) => histogram.record(value),
            Self::Counter(counter) => counter.add(value),
            Self::UpDownCounter(counter) => counter.add(value),
        }
    }
}

/// Records the hops' measurements with the OpenTelemetry SDK.
pub(super) struct SdkRecorder {
    instruments: [Instrument; Metric::ALL.len()],
    /// Tells the series of this recorder from those of others in the process.
    number: u64,
}

static NEXT_RECORDER: AtomicU64 = AtomicU64::new(0);

impl SdkRecorder {
    pub(super) fn new(provider: &SdkMeterProvider) -> Self {
        let meter = provider.meter("throughline");
        let instruments = Metric::ALL.map(|metric| {
            let declared = metric.instrument();
            match declared.kind {
                InstrumentKind::Histogram(bounds) => Instrument::Histogram(
                    meter
                        .f64_histogram(declared.name)
                        .with_unit(declared.unit)
                        .with_description(declared.description)
                        .with_boundaries(bounds.to_vec())
                        .build(),
                ),
                InstrumentKind::Counter => Instrument::Counter(
                    meter
                        .f64_counter(declared.name)
                        .with_unit(declared.unit)
                        .with_description(declared.description)
                        .build(),
                ),
                _ => Instrument::UpDownCounter(
                    meter
                        .f64_up_down_counter(declared.name)
                        .with_unit(declared.unit)
                        .with_description(declared.description)
                        .build(),
                ),
            }
        });
        Self { instruments, number: NEXT_RECORDER.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Recorder for SdkRecorder {
    fn record(&self, metric: Metric, value: f64, attributes: &[(&'static str, Value<'_>)]) {
        let Some(instrument) = self.instruments.get(metric as usize) else { return };
        let series = Series { recorder: self.number, metric, attributes };
        let is_recorded = series::record(&series, value, || instrument.bind(&sdk_attributes(attributes)));
        if !is_recorded {
            instrument.record(value, &sdk_attributes(attributes));
        }
    }
}

fn sdk_attributes(attributes: &[(&'static str, Value<'_>)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| KeyValue::new(*key, sdk_value(*value))).collect()
}
