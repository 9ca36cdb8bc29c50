//! Putting the SDK together over our ids and our queue.

use std::fmt;

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_sdk::{
    Resource,
    trace::{self as sdk, SdkTracerProvider, TracerProviderBuilder},
};
use throughline_core::{BaggageFields, Clock, ContextLayer, Filters, Pipeline};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use super::{
    bridge::join_contexts,
    handover::Ids,
    layer::{SdkLayer, engine},
    processor::SpanProcessor,
    sampler::Decided,
};
use crate::{EventTarget, limits::SpanLimits};

/// The SDK keeps every write of an attribute until the span ends: this many a span, event or link for each attribute that
/// the limits allow, and never fewer than [`ATTRIBUTE_WRITES_MIN`]. Further writes are counted as dropped.
pub const WRITES_PER_ATTRIBUTE: usize = 8;
/// How many writes of attributes the SDK keeps for each span, event or link, whatever the limits.
pub const ATTRIBUTE_WRITES_MIN: usize = 1_024;

/// The OpenTelemetry SDK over our ids, our sampling decision and our queue: a span layer and a tracer provider.
///
/// ```no_run
/// use throughline_core::Pipeline;
/// use throughline_otlp::sdk::{OpenTelemetry, SpanProcessor};
/// use tracing_subscriber::prelude::*;
///
/// let built = throughline_otlp::builder("orders").endpoint("http://127.0.0.1:4318").build()?;
/// let pipeline = Pipeline::builder().sampler(built.sampler).build();
/// let processor = SpanProcessor::of(&built.exporter).limits(built.limits);
/// let otel = OpenTelemetry::builder(processor).pipeline(pipeline).build();
/// tracing_subscriber::registry().with(otel.layers()).init();
/// otel.make_global();
/// # Ok::<(), throughline_otlp::InitError>(())
/// ```
///
/// Without [`layers`](Self::layers), the provider serves code on the plain API beside our native span layer.
#[derive(Clone)]
pub struct OpenTelemetry {
    provider: SdkTracerProvider,
    processor: SpanProcessor,
    pipeline: Pipeline,
    events: EventTarget,
    baggage: BaggageFields,
    filters: Option<Filters>,
    clock: Clock,
}

impl OpenTelemetry {
    /// Starts the set-up over this processor.
    pub fn builder(processor: SpanProcessor) -> OpenTelemetryBuilder {
        let limits = processor.span_limits();
        OpenTelemetryBuilder {
            provider: SdkTracerProvider::builder()
                .with_id_generator(Ids::default())
                .with_span_limits(sdk_limits(limits)),
            processor,
            pipeline: Pipeline::builder().build(),
            resource: Vec::new(),
            events: EventTarget::SpanEvent,
            baggage: BaggageFields::default(),
            filters: None,
            clock: Clock::system(),
        }
    }

    /// The provider, for a tracer of one's own; [`make_global`](Self::make_global) gives it to all.
    ///
    /// Shutting it down ends the recording of all spans that pass through the SDK; those of our layer are counted as
    /// dropped from then on. It need not be shut down: the exporter's guard ends export.
    #[must_use]
    pub fn tracer_provider(&self) -> SdkTracerProvider {
        self.provider.clone()
    }

    /// Makes the provider the one of `opentelemetry::global`, for the whole process.
    pub fn make_global(&self) {
        opentelemetry::global::set_tracer_provider(self.tracer_provider());
    }

    /// The layers of a subscriber: ids at birth ([`ContextLayer`]), and spans of the SDK in place of
    /// [`SpanLayer`](crate::SpanLayer)'s.
    ///
    /// They have to be the first that are added: behind a layer that formats values, a value that traces while it is
    /// being formatted would confuse `tracing-subscriber`'s per-layer filters, of which they use one.
    pub fn layers<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let tracer = self.provider.tracer(SCOPE);
        let spans = SdkLayer::new(
            tracer.clone(),
            self.processor.clone(),
            self.events,
            self.baggage.clone(),
            self.filters.clone(),
            self.clock.clone(),
        );
        // `OpenTelemetrySpanExt` looks for tracing-opentelemetry's layer among those of the subscriber, and ours keeps it
        // inside. The one that it finds hears of no span and no event.
        let found = engine(tracer).with_filter(filter_fn(|_| false));
        found.and_then(ContextLayer::new(self.pipeline.clone())).and_then(spans)
    }
}

/// The scope of the layer's spans.
const SCOPE: &str = "throughline";

/// Puts an [`OpenTelemetry`] together; ends with [`build`](Self::build).
#[must_use = "nothing is set up until `build` is called"]
pub struct OpenTelemetryBuilder {
    provider: TracerProviderBuilder,
    processor: SpanProcessor,
    pipeline: Pipeline,
    resource: Vec<KeyValue>,
    events: EventTarget,
    baggage: BaggageFields,
    filters: Option<Filters>,
    clock: Clock,
}

impl OpenTelemetryBuilder {
    /// What the hops share. Its sampler decides on spans of the plain API, too.
    pub fn pipeline(mut self, pipeline: Pipeline) -> Self {
        self.pipeline = pipeline;
        self
    }

    /// Where events go; with [`EventTarget::LogRecord`], spans keep none of those that `tracing` reports.
    pub fn events(mut self, target: EventTarget) -> Self {
        self.events = target;
        self
    }

    /// Members of our baggage that become attributes of each span of the layer; none unless told otherwise.
    pub fn baggage(mut self, fields: BaggageFields) -> Self {
        self.baggage = fields;
        self
    }

    /// Which events are kept on their span; without filters, all that reach the layer.
    pub fn filters(mut self, filters: Filters) -> Self {
        self.filters = Some(filters);
        self
    }

    /// Where the layer's times come from. The plain API has its own clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// An attribute of the resource that further processors and their exporters see; what we export has the exporter's.
    pub fn resource(mut self, key: &str, value: &str) -> Self {
        self.resource.push(KeyValue::new(key.to_owned(), value.to_owned()));
        self
    }

    /// A further span processor of the SDK's, which runs before ours. It may run on any thread, and must not block.
    pub fn processor(mut self, processor: impl sdk::SpanProcessor + 'static) -> Self {
        self.provider = self.provider.with_span_processor(processor);
        self
    }

    /// The finished set-up, with the contexts of both sides joined ([`join_contexts`]). Nothing of the API's globals is
    /// touched.
    #[must_use]
    pub fn build(self) -> OpenTelemetry {
        join_contexts();
        let provider = self
            .provider
            .with_sampler(Box::new(Decided(self.pipeline.clone())) as Box<dyn sdk::ShouldSample>)
            .with_resource(Resource::builder_empty().with_attributes(self.resource).build())
            .with_span_processor(self.processor.clone())
            .build();
        let Self { processor, pipeline, events, baggage, filters, clock, .. } = self;
        OpenTelemetry { provider, processor, pipeline, events, baggage, filters, clock }
    }
}

impl fmt::Debug for OpenTelemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTelemetry").field("processor", &self.processor).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenTelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTelemetryBuilder").field("processor", &self.processor).finish_non_exhaustive()
    }
}

/// Memory stays bounded while the span lives; which attributes are left out is decided when it is encoded, where a later
/// value replaces an earlier one.
fn sdk_limits(limits: SpanLimits) -> sdk::SpanLimits {
    let count = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    let writes = |limit: usize| count(limit.saturating_mul(WRITES_PER_ATTRIBUTE).max(ATTRIBUTE_WRITES_MIN));
    sdk::SpanLimits {
        max_events_per_span: count(limits.events),
        max_attributes_per_span: writes(limits.attributes),
        max_links_per_span: count(limits.links),
        max_attributes_per_event: writes(limits.event_attributes),
        max_attributes_per_link: writes(limits.link_attributes),
    }
}
