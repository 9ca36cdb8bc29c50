//! Metrics: the hops' measurements, through the OpenTelemetry SDK and its OTLP exporter.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{MetricExporter, RetryPolicy, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    metrics::{
        PeriodicReader, SdkMeterProvider, Temporality, data::ResourceMetrics, exporter::PushMetricExporter,
    },
};
use throughline_core::{Recorder, suppress};
use tokio::runtime::Handle;

use crate::{
    queue::Queue,
    settings::{Endpoint, Protocol},
};

mod recorder;
mod series;

use recorder::SdkRecorder;

/// What the hops record with.
pub(crate) fn recorder(provider: &SdkMeterProvider) -> Arc<dyn Recorder> {
    Arc::new(SdkRecorder::new(provider))
}

/// A provider whose reader exports on a thread of its own, with IO driven by the export thread.
pub(crate) fn provider(
    endpoint: &Endpoint,
    interval: Duration,
    resource: &crate::resource::Resource,
    runtime: &Handle,
    queue: &Arc<Queue>,
) -> Result<SdkMeterProvider, String> {
    let exporter = {
        let _runtime = runtime.enter();
        exporter(endpoint, runtime)?
    };
    let reader = PeriodicReader::builder(OnOurRuntime {
        exporter,
        runtime: runtime.clone(),
        queue: Arc::clone(queue),
    })
    .with_interval(interval)
    .build();
    let attributes = resource.iter().map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    let resource =
        Resource::builder_empty().with_schema_url(attributes, throughline_core::semconv::SCHEMA_URL).build();
    Ok(SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build())
}

/// The SDK's exporter, with one attempt an interval: measurements are cumulative, so that the next export makes up for a
/// failed one, and its own retries would need a runtime that a shutdown may have taken away.
fn exporter(endpoint: &Endpoint, runtime: &Handle) -> Result<MetricExporter, String> {
    match endpoint.protocol {
        #[cfg(feature = "grpc")]
        Protocol::Grpc => {
            use opentelemetry_otlp::WithTonicConfig;
            let mut metadata = tonic::metadata::MetadataMap::new();
            for (name, value) in &endpoint.headers {
                let key =
                    tonic::metadata::MetadataKey::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
                metadata.insert(
                    key,
                    value.parse().map_err(|_| format!("the value of header {name:?} is not ASCII"))?,
                );
            }
            MetricExporter::builder()
                .with_tonic()
                .with_endpoint(&endpoint.url)
                .with_timeout(endpoint.timeout)
                .with_metadata(metadata)
                .with_retry_policy(RetryPolicy::disabled())
                .build()
                .map_err(|error| error.to_string())
        }
        #[cfg(feature = "http")]
        Protocol::HttpProtobuf => {
            use opentelemetry_otlp::WithHttpConfig;
            MetricExporter::builder()
                .with_http()
                .with_http_client(http_client::HyperClient::new(runtime.clone(), endpoint.timeout))
                .with_endpoint(&endpoint.url)
                .with_timeout(endpoint.timeout)
                .with_headers(endpoint.headers.iter().cloned().collect())
                .with_retry_policy(RetryPolicy::disabled())
                .build()
                .map_err(|error| error.to_string())
        }
        #[cfg(not(all(feature = "grpc", feature = "http")))]
        other => Err(format!("the transport {other} is not built in for {runtime:?}")),
    }
}

/// The SDK's exporter, whose connections live on the export thread's runtime: the application's may be busy, of one
/// thread, or not there at all.
#[derive(Debug)]
struct OnOurRuntime {
    exporter: MetricExporter,
    runtime: Handle,
    queue: Arc<Queue>,
}

impl PushMetricExporter for OnOurRuntime {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let result = Inside { runtime: &self.runtime, future: Box::pin(self.exporter.export(metrics)) }.await;
        self.queue.stats.metrics(result.is_ok());
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Polls a future inside a runtime, unobserved.
struct Inside<'a, F> {
    runtime: &'a Handle,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Inside<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _runtime = self.runtime.enter();
        let _suppressed = suppress();
        self.future.as_mut().poll(cx)
    }
}

#[cfg(feature = "http")]
mod http_client {
    //! The SDK's HTTP exporter over the same client as ours.

    use std::time::Duration;

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Full, Limited};
    use hyper_util::client::legacy::{Client, connect::HttpConnector};
    use opentelemetry_http::{HttpClient, HttpError};
    use tokio::runtime::Handle;

    use crate::{settings::RESPONSE_BYTES_MAX, transport::http_client};

    #[derive(Debug)]
    pub(super) struct HyperClient {
        client: Client<HttpConnector, Full<Bytes>>,
        runtime: Handle,
        timeout: Duration,
    }

    impl HyperClient {
        pub(super) fn new(runtime: Handle, timeout: Duration) -> Self {
            Self { client: http_client(), runtime, timeout }
        }
    }

    #[async_trait::async_trait]
    impl HttpClient for HyperClient {
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let (client, request) = (self.client.clone(), request.map(Full::new));
            let timeout = self.timeout;
            let call = async move {
                let (parts, body) = client.request(request).await?.into_parts();
                let body = Limited::new(body, RESPONSE_BYTES_MAX).collect().await?.to_bytes();
                Ok::<_, HttpError>(Response::from_parts(parts, body))
            };
            // The SDK leaves the time limit to its client: without one, a single hang would end metrics for good.
            let answer = self.runtime.spawn(async move { tokio::time::timeout(timeout, call).await? });
            answer.await?
        }
    }
}
