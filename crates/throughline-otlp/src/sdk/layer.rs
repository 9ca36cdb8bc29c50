//! The second span layer: spans of the OpenTelemetry SDK, made by way of tracing-opentelemetry.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use opentelemetry::{Context as SdkContext, KeyValue, trace::TraceContextExt};
use opentelemetry_sdk::trace::SdkTracer;
use throughline_core::{
    BaggageFields, Clock, Filters, SpanData, SpanRecord, Value, is_suppressed, semconv::own,
};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    dispatcher::WeakDispatch,
    field::{Field, Value as FieldValue, ValueSet, Visit},
    span::{Attributes as Fields, Id, Record},
};
use tracing_opentelemetry::{OpenTelemetryLayer, get_otel_context};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{
    bridge, convert, handover,
    processor::SpanProcessor,
    record::{Born, SdkRecord},
};
use crate::{
    EventTarget,
    log_layer::BRIDGE_TARGET,
    span_layer::{Visitor, birth, record_late},
};

/// Turns `tracing` spans into spans of the OpenTelemetry SDK; part of [`OpenTelemetry::layers`](super::OpenTelemetry::layers).
///
/// tracing-opentelemetry keeps the SDK's span and gives it to its `OpenTelemetrySpanExt`. All else it is spared:
/// the span is built at once, under the ids that the core has fixed; fields and events are read by us and keep their
/// types; the span ends when it closes, and fails when somebody says so.
pub(super) struct SdkLayer<S> {
    engine: OpenTelemetryLayer<S, SdkTracer>,
    processor: SpanProcessor,
    events: EventTarget,
    baggage: BaggageFields,
    filters: Option<Filters>,
    clock: Clock,
    /// The subscriber that this layer is part of: what was begun can only be built by way of it.
    dispatch: OnceLock<WeakDispatch>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> SdkLayer<S> {
    pub(super) fn new(
        tracer: SdkTracer,
        processor: SpanProcessor,
        events: EventTarget,
        baggage: BaggageFields,
        filters: Option<Filters>,
        clock: Clock,
    ) -> Self {
        Self { engine: engine(tracer), processor, events, baggage, filters, clock, dispatch: OnceLock::new() }
    }

    fn wants(&self, event: &Metadata<'_>) -> bool {
        self.events.is_span_event()
            && !is_suppressed()
            && self.filters.as_ref().is_none_or(|filters| filters.is_span_event(event))
    }

    /// Builds the SDK's span under the ids that are fixed already. Nothing is locked meanwhile: the SDK's processors run
    /// code of their own.
    fn build(&self, fields: &Fields<'_>, id: &Id, data: &Born, ctx: Context<'_, S>) -> Option<SdkContext> {
        let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade)?;
        let own = data.context.span()?;
        let around = bridge::around(&data.context, data.above());
        handover::being_born(convert::to_sdk(own), || {
            let _around = around.attach();
            steered(fields, |fields| self.engine.on_new_span(fields, id, ctx));
            get_otel_context(id, &dispatch)
        })
        .filter(|built| convert::is_same(own, built.span().span_context()))
    }
}

/// tracing-opentelemetry, told to add nothing of its own.
pub(super) fn engine<S: Subscriber + for<'a> LookupSpan<'a>>(
    tracer: SdkTracer,
) -> OpenTelemetryLayer<S, SdkTracer> {
    OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(true)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SdkLayer<S> {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _first = self.dispatch.set(dispatch.downgrade());
    }

    fn on_new_span(&self, fields: &Fields<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let born = span.extensions().get::<SpanData>().filter(|data| data.is_sampled()).map(Born::of);
        let Some(born) = born else { return };
        let start = self.clock.unix_nanos();
        let built = self.build(fields, id, &born, ctx.clone());
        let travels = born.context.baggage().clone();
        let mut record = SdkRecord::new(built.clone(), born, start, self.clock.clone());
        fields.record(&mut Visitor::new(|key, value| birth(&mut record, key, value)));
        for (name, value) in self.baggage.of(&travels) {
            record.attribute(name, value.into());
        }
        if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
            if let Some(built) = built {
                data.accompany(Arc::new(built));
            }
            data.attach(Box::new(record));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        record_late::<SdkRecord, S>(id, values, &ctx);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if !self.wants(event.metadata()) {
            return;
        }
        let Some(span) = ctx.event_span(event) else { return };
        if !span.extensions().get::<SpanData>().is_some_and(SpanData::is_sampled) {
            return;
        }
        // Formatted before the span's data is locked: a user's `Debug` may do anything, log included.
        let (name, attributes) = read(event);
        let mut extensions = span.extensions_mut();
        if let Some(record) = extensions.get_mut::<SpanData>().and_then(SpanData::record_mut::<SdkRecord>) {
            record.add_event(name, attributes);
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, ctx: Context<'_, S>) {
        self.engine.on_follows_from(id, follows, ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(&id) else { return };
        let record = span.extensions_mut().get_mut::<SpanData>().and_then(SpanData::take::<SdkRecord>);
        let Some(record) = record else { return };
        let was_ended_before = record.was_ended();
        let is_taken = handover::ending(record.ending(), || self.engine.on_close(id, ctx.clone()));
        if !is_taken && !was_ended_before {
            // The provider was shut down in the meantime, or before.
            self.processor.refuse();
        }
    }
}

impl<S> fmt::Debug for SdkLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdkLayer").field("processor", &self.processor).finish_non_exhaustive()
    }
}

/// The name and the attributes of a span event.
fn read(event: &Event<'_>) -> (String, Vec<KeyValue>) {
    let metadata = event.metadata();
    let bridged = metadata.target() == BRIDGE_TARGET;
    let mut message = String::new();
    let mut attributes = vec![
        KeyValue::new(own::EVENT_LEVEL, metadata.level().as_str()),
        KeyValue::new(own::EVENT_TARGET, metadata.target()),
    ];
    event.record(&mut Visitor::new(|key, value| match (key, value) {
        ("message", Value::Str(text)) => message.push_str(text),
        ("log.target", target) if bridged => attributes.push(convert::pair(own::EVENT_TARGET, target)),
        ("log.module_path" | "log.file" | "log.line", _) if bridged => {}
        (key, value) => attributes.push(convert::pair(key, value)),
    }));
    if message.is_empty() {
        message.push_str(metadata.name());
    }
    (message, attributes)
}

/// Begins a span with name and kind alone, and with the current context as its parent: the SDK wants these at birth, and
/// everything else keeps its type only if we record it ourselves.
fn steered(fields: &Fields<'_>, begin: impl FnOnce(&Fields<'_>)) {
    let mut steering = Steering::default();
    fields.record(&mut steering);
    let declared = fields.metadata().fields();
    let name = declared.field(NAME).zip(steering.name);
    let kind = declared.field(KIND).zip(steering.kind);
    let given: Vec<_> = name.iter().chain(&kind).collect();
    let begin = |values: &ValueSet<'_>| begin(&Fields::new(fields.metadata(), values));
    match given.as_slice() {
        [(field, text)] => begin(&declared.value_set(&[(field, Some(text as &dyn FieldValue))])),
        [(name, text), (kind, word)] => begin(
            &declared
                .value_set(&[(name, Some(text as &dyn FieldValue)), (kind, Some(word as &dyn FieldValue))]),
        ),
        _ => begin(&declared.value_set::<[(&Field, Option<&dyn FieldValue>); 0]>(&[])),
    }
}

const NAME: &str = "otel.name";
const KIND: &str = "otel.kind";

/// Reads name and kind, and formats nothing else.
#[derive(Default)]
struct Steering {
    name: Option<String>,
    kind: Option<String>,
}

impl Visit for Steering {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            NAME => self.name = Some(format!("{value:?}")),
            KIND => self.kind = Some(format!("{value:?}")),
            _ => {}
        }
    }
}
