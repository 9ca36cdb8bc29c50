//! The OpenTelemetry API and SDK beside our spans: what was asked for, and setting it up.

use throughline_otlp::sdk::{OpenTelemetry, OpenTelemetryBuilder};

use crate::Builder;

/// Which layer turns `tracing` spans into exported ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanLayerKind {
    /// Our own, which encodes a span as it lives.
    #[default]
    Native,
    /// tracing-opentelemetry and the OpenTelemetry SDK over our ids and our queue, for services that use
    /// `OpenTelemetrySpanExt` or processors of the SDK. It brings [`Builder::opentelemetry_api`] with it.
    /// [`throughline_otlp::sdk`] lists what it cannot carry.
    OpenTelemetry,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice {
    layer: SpanLayerKind,
    api: Api,
}

/// Whether the plain API and we know of each other's spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Api {
    #[default]
    Apart,
    Joined,
}

impl Builder {
    /// Which layer turns `tracing` spans into exported ones.
    pub fn span_layer(mut self, kind: SpanLayerKind) -> Self {
        self.opentelemetry.layer = kind;
        self
    }

    /// Makes one trace of our spans and those of code on the plain OpenTelemetry API, in both directions.
    ///
    /// The contexts of both are joined for the whole process; [`install`](Self::install) also sets the API's global tracer
    /// provider. Each time that a span is entered costs a few hundred nanoseconds more.
    ///
    /// ```no_run
    /// use throughline::otlp::sdk::opentelemetry::{global, trace::Tracer};
    ///
    /// let telemetry = throughline::builder("orders").opentelemetry_api().install()?;
    /// tracing::info_span!("ours").in_scope(|| {
    ///     global::tracer("theirs").in_span("theirs, below ours", |_| tracing::info_span!("ours, below theirs"));
    /// });
    /// # drop(telemetry);
    /// # Ok::<(), throughline::InitError>(())
    /// ```
    pub fn opentelemetry_api(mut self) -> Self {
        self.opentelemetry.api = Api::Joined;
        self
    }
}

impl Choice {
    /// The SDK as `prepare` has it, if anything was asked of it.
    pub(crate) fn sdk(
        self,
        resource: &[(String, String)],
        prepare: impl FnOnce() -> OpenTelemetryBuilder,
    ) -> Option<OpenTelemetry> {
        if self.layer == SpanLayerKind::Native && self.api == Api::Apart {
            return None;
        }
        Some(resource.iter().fold(prepare(), |sdk, (key, value)| sdk.resource(key, value)).build())
    }

    pub(crate) fn is_layer(self) -> bool {
        self.layer == SpanLayerKind::OpenTelemetry
    }
}
