//! Metrics: the hops' measurements, through the OpenTelemetry SDK, and out the same ways as spans.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    metrics::{
        Aggregation, Instrument, InstrumentKind, PeriodicReader, SdkMeterProvider, Stream, Temporality,
        data::ResourceMetrics, exporter::PushMetricExporter,
    },
};
use prost::Message;
use throughline_core::{DIAGNOSTICS_TARGET, Recorder};
use tokio::{
    runtime::Handle,
    sync::Mutex,
    time::{sleep, timeout_at},
};

use crate::{
    InitError,
    backoff::Backoff,
    plan::{MetricHistograms, MetricTemporality, MetricsPlan},
    queue::Queue,
    sdk_value::sdk_value,
    signal_kind::SignalKind,
    transport::{Answer, Transports},
};

mod own;
mod recorder;
mod series;

pub(crate) use own::observe;
use recorder::SdkRecorder;

/// What the hops record with.
pub(crate) fn recorder(provider: &SdkMeterProvider) -> Arc<dyn Recorder> {
    Arc::new(SdkRecorder::new(provider))
}

/// A provider whose reader collects on a thread of its own and exports on the export thread.
pub(crate) fn provider(
    plan: &MetricsPlan,
    resource: &crate::resource::Resource,
    runtime: &Handle,
    queue: &Arc<Queue>,
) -> Result<SdkMeterProvider, InitError> {
    let transports = {
        let _runtime = runtime.enter();
        Transports::new(SignalKind::Metrics, &plan.ways)?
    };
    let exporter = MetricExporter {
        transports: Arc::new(Mutex::new(transports)),
        runtime: runtime.clone(),
        queue: Arc::clone(queue),
        timeout: plan.timeout,
        temporality: plan.temporality,
    };
    let reader = PeriodicReader::builder(exporter).with_interval(plan.interval).build();
    let attributes = resource.values().map(|(key, value)| KeyValue::new(key.to_owned(), sdk_value(value)));
    let resource =
        Resource::builder_empty().with_schema_url(attributes, throughline_core::semconv::SCHEMA_URL).build();
    let mut provider = SdkMeterProvider::builder().with_reader(reader).with_resource(resource);
    if plan.histograms == MetricHistograms::Exponential {
        provider = provider.with_view(exponential);
    }
    Ok(provider.build())
}

/// Exponential buckets for every histogram, with the specification's size and scale.
fn exponential(instrument: &Instrument) -> Option<Stream> {
    let aggregation =
        Aggregation::Base2ExponentialHistogram { max_size: 160, max_scale: 20, record_min_max: true };
    let stream = Stream::builder().with_aggregation(aggregation);
    (instrument.kind() == InstrumentKind::Histogram).then(|| stream.build().ok()).flatten()
}

/// Encodes what the reader has collected, and sends it on the export thread's runtime: the application's may be busy, of
/// one thread, or not there at all.
#[derive(Debug)]
struct MetricExporter {
    transports: Arc<Mutex<Transports>>,
    runtime: Handle,
    queue: Arc<Queue>,
    timeout: Duration,
    temporality: MetricTemporality,
}

impl PushMetricExporter for MetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let request = Bytes::from(ExportMetricsServiceRequest::from(metrics).encode_to_vec());
        let sending = self.runtime.spawn(send(
            Arc::clone(&self.transports),
            Arc::clone(&self.queue),
            request,
            Instant::now() + self.timeout,
            self.temporality,
        ));
        // Without its runtime, at the end of the process, a task ends with an error.
        let result = sending.await.unwrap_or_else(|error| Err(error.to_string()));
        self.queue.stats.metrics(result.is_ok());
        result.map_err(OTelSdkError::InternalFailure)
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        self.temporality.into()
    }
}

/// Sends one export. Where sums are cumulative, the next export makes up for a failed one; otherwise it is tried again
/// until its time is up.
async fn send(
    transports: Arc<Mutex<Transports>>,
    queue: Arc<Queue>,
    request: Bytes,
    ends: Instant,
    temporality: MetricTemporality,
) -> Result<(), String> {
    let mut transports = transports.lock().await;
    let request = transports.prepare(&Arc::from([request]))?;
    let mut backoff = Backoff::new();
    let result = loop {
        let late = || Answer::Later { after: None, why: "no answer in time".to_owned() };
        let answer = timeout_at(ends.into(), transports.send(&request)).await.unwrap_or_else(|_| late());
        match answer {
            Answer::Delivered { rejected, message } => {
                if rejected > 0 || !message.is_empty() {
                    tracing::warn!(target: DIAGNOSTICS_TARGET, rejected, message, "the collector took only a part of the metrics");
                }
                break Ok(());
            }
            Answer::Never { why } => break Err(why),
            Answer::Later { after, why } => {
                let pause = backoff.next(after);
                let left = ends.saturating_duration_since(Instant::now());
                if temporality == MetricTemporality::Cumulative || pause >= left {
                    break Err(why);
                }
                sleep(pause).await;
            }
        }
    };
    queue.stats.copies(transports.copy(&request).await.len());
    result
}
