//! Putting the layers of one subscriber together.

use throughline_core::{
    BaggageFields, ContextLayer, Filters, KnownMethods, Orphans, Pipeline, Propagator, semconv::resource,
};
use throughline_logs::{Format, JsonLayer, JsonLayerBuilder, LogCounters, NonBlocking, Output, WriterGuard};
#[cfg(feature = "opentelemetry")]
use throughline_otlp::sdk::{OpenTelemetry, SpanProcessor};
use throughline_otlp::{Built, LogLayer, Signal, SpanLayer};
use tracing::Dispatch;
#[cfg(not(feature = "opentelemetry"))]
use tracing_subscriber::layer::Identity;
use tracing_subscriber::{Layer, prelude::*, registry};

use crate::{InitError, Telemetry, builder::ChangeOfLines};

/// What has been decided.
pub(crate) struct Parts {
    pub(crate) built: Built,
    pub(crate) output: Option<Output>,
    pub(crate) format: Format,
    pub(crate) log_lines: Option<ChangeOfLines>,
    pub(crate) baggage_fields: BaggageFields,
    pub(crate) filters: Filters,
    pub(crate) propagator: Propagator,
    pub(crate) orphans: Option<Orphans>,
    pub(crate) known_methods: Option<KnownMethods>,
    #[cfg(feature = "opentelemetry")]
    pub(crate) opentelemetry: crate::opentelemetry::Choice,
}

/// A layer that writes lines, the thread behind it, and its counters.
struct Lines {
    layer: JsonLayer,
    guard: WriterGuard,
    counters: LogCounters,
}

impl Parts {
    /// Ids first, then lines, then spans and log records, all behind one filter for the whole subscriber: nobody else stands in it.
    pub(crate) fn assemble(self) -> Result<Telemetry, InitError> {
        let Self {
            built,
            output,
            format,
            log_lines,
            baggage_fields,
            filters,
            propagator,
            orphans,
            known_methods,
            ..
        } = self;
        let mut settings = described(&built)
            .format(format)
            .filters(filters.clone())
            .baggage(baggage_fields.clone())
            .redaction(built.redactor.clone());
        if let Some(change) = log_lines {
            settings = change(settings);
        }
        let lines = output.map(|output| lines(settings, &output)).transpose()?;
        let mut pipeline = Pipeline::builder().propagator(propagator).redaction(built.redactor.clone());
        if let Some(methods) = known_methods {
            pipeline = pipeline.known_methods(methods);
        }
        if let Some(orphans) = orphans {
            pipeline = pipeline.orphans(orphans);
        }
        pipeline = match built.traces {
            Signal::On => pipeline.sampler(built.sampler),
            Signal::Off => pipeline.pass_through(),
        };
        if let Some(recorder) = built.exporter.recorder() {
            pipeline = pipeline.recorder(recorder);
        }
        let pipeline = pipeline.build();
        let spans = match built.traces {
            Signal::Off => None,
            Signal::On => Some(
                SpanLayer::new(built.exporter.sink())
                    .limits(built.limits)
                    .events(built.events)
                    .baggage(baggage_fields.clone())
                    .filters(filters.clone())
                    .redaction(built.redactor.clone()),
            ),
        };
        let (layer, guard, counters) = match lines {
            Some(Lines { layer, guard, counters }) => (Some(layer), Some(guard), Some(counters)),
            None => (None, None, None),
        };
        let records = built.exporter.log_sink().filter(|_| built.events.is_log_record());
        let records = records.map(|sink| {
            LogLayer::new(sink)
                .limits(built.log_limits)
                .baggage(baggage_fields.clone())
                .filters(filters.clone())
                .redaction(built.redactor.clone())
        });
        #[cfg(feature = "opentelemetry")]
        let sdk = self.opentelemetry.sdk(&built.resource, || {
            let processor =
                SpanProcessor::of(&built.exporter).limits(built.limits).redaction(built.redactor.clone());
            OpenTelemetry::builder(processor)
                .pipeline(pipeline.clone())
                .events(built.events)
                .filters(filters.clone())
                .baggage(baggage_fields.clone())
        });
        #[cfg(feature = "opentelemetry")]
        let first = sdk
            .as_ref()
            .filter(|_| self.opentelemetry.is_layer() && spans.is_some())
            .map(OpenTelemetry::layers);
        #[cfg(not(feature = "opentelemetry"))]
        let first = None::<Identity>;
        let log_filter = filters.log_filter();
        let dispatch = match first {
            None => {
                let layers = ContextLayer::new(pipeline.clone()).and_then(layer).and_then(spans);
                Dispatch::new(registry().with(layers.and_then(records)).with(filters))
            }
            Some(first) => {
                Dispatch::new(registry().with(first.and_then(layer).and_then(records)).with(filters))
            }
        };
        Ok(Telemetry {
            dispatch,
            exporter: built.exporter,
            writer: guard,
            lines: counters,
            pipeline,
            log_filter,
            #[cfg(feature = "opentelemetry")]
            sdk,
        })
    }
}

/// Lines say about the service what its resource says.
fn described(built: &Built) -> JsonLayerBuilder {
    let known = |name: &str| built.resource.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let mut lines = JsonLayer::builder(&built.service);
    if let Some(version) = known(resource::SERVICE_VERSION) {
        lines = lines.service_version(version);
    }
    if let Some(environment) = known(resource::DEPLOYMENT_ENVIRONMENT_NAME) {
        lines = lines.service_environment(environment);
    }
    if let Some(instance) = known(resource::SERVICE_INSTANCE_ID) {
        lines = lines.service_instance(instance);
    }
    if let Some(host) = known(resource::HOST_NAME) {
        lines = lines.host(host);
    }
    lines
}

fn lines(settings: JsonLayerBuilder, output: &Output) -> Result<Lines, InitError> {
    let sink = output.open().map_err(|error| InitError::caused("the log output cannot be opened", error))?;
    let (writer, guard) = NonBlocking::builder()
        .spawn(sink)
        .map_err(|error| InitError::caused("the log thread cannot be started", error))?;
    let layer = settings.writer(writer).build();
    let counters = layer.counters();
    Ok(Lines { layer, guard, counters })
}
