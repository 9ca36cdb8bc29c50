//! The layer: one event, one line.

use std::{fmt, sync::Arc};

use throughline_core::{
    BaggageFields, Clock, Context, DIAGNOSTICS_TARGET, Filters, SpanContext, SpanData, is_suppressed,
    redact::Redactor,
};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer, layer,
    registry::{LookupSpan, SpanRef},
};

use crate::{
    JsonLayerBuilder, LogCounters, Writer,
    fields::Fields,
    format::{Console, Head, Otel, Plain, Preset, Shape, ShapedLine, Tally},
    from_log,
    key::FixedKeys,
    key_names::kept,
    limits::Limits,
    line::{Line, LineSink, MESSAGE, MessageOnly},
    scratch::{self, Scratch},
    span_fields::{SpanFields, SpanFieldsWriter},
    throttle::{Admission, Throttle},
    value::Raw,
};

/// Writes one JSON object a line for every event, with the ids of the work that it belongs to.
///
/// Ids and correlation id come from [`Context::current`], so they are there too where a request is passed through
/// without a span of its own; an event with `parent: &span` takes those of that span, one with `parent: None` has none.
/// The page of this [crate](crate) shows a line and names its limits.
///
/// Stands in the subscriber after [`ContextLayer`](throughline_core::ContextLayer), alone or behind a per-layer filter.
pub struct JsonLayer {
    pub(crate) preset: AnyPreset,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) filters: Option<Filters>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) baggage: ToldBaggage,
    pub(crate) writer: Arc<dyn Writer>,
    pub(crate) counters: LogCounters,
    pub(crate) redactor: Redactor,
}

/// The preset in use. A line is put together without a virtual call: the choice is made once, at its beginning.
pub(crate) enum AnyPreset {
    Plain(WithKeys<Plain>),
    Otel(WithKeys<Otel>),
    Console(WithKeys<Console>),
    Shaped(Shape),
}

pub(crate) struct WithKeys<P> {
    preset: P,
    fixed: FixedKeys,
}

impl<P: Preset> WithKeys<P> {
    pub(crate) fn new(preset: P) -> Self {
        Self { preset, fixed: FixedKeys::new(P::FIXED_KEYS) }
    }
}

impl JsonLayer {
    /// Starts a layer that writes lines of the service with this name.
    pub fn builder(service: impl Into<String>) -> JsonLayerBuilder {
        JsonLayerBuilder::new(service.into())
    }

    /// A handle on the counters, to be taken before the layer goes into a subscriber.
    #[must_use]
    pub fn counters(&self) -> LogCounters {
        self.counters.clone()
    }

    fn wants(&self, event: &Metadata<'_>) -> bool {
        let is_heard = !is_suppressed() || event.target() == DIAGNOSTICS_TARGET;
        is_heard && self.filters.as_ref().is_none_or(|filters| filters.is_log(event))
    }

    /// Whether the rate limit lets the event through, and how many like it were left out before.
    #[inline]
    fn admit(&self, event: &Event<'_>, target: &str) -> Option<u64> {
        let Some(throttle) = &self.throttle else { return Some(0) };
        match throttle.admit(event, target, self.clock.unix_nanos(), &self.limits) {
            Admission::Passes { suppressed } => Some(suppressed),
            Admission::Suppressed => None,
        }
    }

    fn put_together<S>(
        &self,
        event: &Event<'_>,
        target: &str,
        suppressed: u64,
        ctx: &layer::Context<'_, S>,
        scratch: &mut Scratch,
    ) -> Tally
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let span = ctx.event_span(event);
        let context = context_of(event, span.as_ref());
        let unix_nanos = self.clock.unix_nanos();
        let head = Head {
            time: scratch.time.format(unix_nanos),
            unix_nanos,
            level: *event.metadata().level(),
            target,
            file: event.metadata().file(),
            line_number: event.metadata().line(),
            span: context.span(),
            correlation_id: context.correlation_id(),
            is_from_log: from_log::is_from_log(event.metadata()),
            suppressed,
        };
        let (limits, redactor) = (&self.limits, &self.redactor);
        let told = self.baggage.of(&context);
        match &self.preset {
            AnyPreset::Plain(WithKeys { preset, fixed }) => {
                fill(Line::open(preset, fixed, limits, &head, scratch), event, span, told, redactor)
            }
            AnyPreset::Otel(WithKeys { preset, fixed }) => {
                fill(Line::open(preset, fixed, limits, &head, scratch), event, span, told, redactor)
            }
            AnyPreset::Console(WithKeys { preset, fixed }) => {
                fill(Line::open(preset, fixed, limits, &head, scratch), event, span, told, redactor)
            }
            AnyPreset::Shaped(shape) => {
                fill(ShapedLine::open(shape, limits, &head, scratch), event, span, told, redactor)
            }
        }
    }
}

/// The baggage that is told on lines, under names that live as long as the program.
#[derive(Debug, Default)]
pub(crate) struct ToldBaggage(Vec<(String, &'static str)>);

impl ToldBaggage {
    pub(crate) fn new(fields: &BaggageFields) -> Self {
        Self(fields.iter().map(|(key, name)| (key.to_owned(), kept(name))).collect())
    }

    #[inline]
    fn of<'a>(&'a self, context: &'a Context) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.0.iter().filter_map(|(key, name)| context.baggage().get(key).map(|value| (*name, value)))
    }
}

/// Writes the line: the event's fields first, then those of its spans, the innermost first, then the baggage.
fn fill<'a, 'b, S: LookupSpan<'a>, L: LineSink>(
    mut line: L,
    event: &Event<'_>,
    mut span: Option<SpanRef<'a, S>>,
    told: impl Iterator<Item = (&'static str, &'b str)>,
    redactor: &Redactor,
) -> Tally {
    if !has_message_first(event.metadata()) {
        event.record(&mut Fields { sink: &mut MessageOnly(&mut line), redactor });
    }
    event.record(&mut Fields { sink: &mut line, redactor });
    let mut entry = None;
    while let Some(inner) = span {
        let extensions = inner.extensions();
        if let Some(fields) = extensions.get::<SpanFields>() {
            line.span(fields);
        }
        if L::WANTS_ENTRY {
            let id =
                extensions.get::<SpanData>().and_then(|data| data.context().span()).map(SpanContext::span_id);
            entry = id.or(entry);
        }
        drop(extensions);
        span = inner.parent();
    }
    if let Some(entry) = entry {
        line.entry(entry);
    }
    for (name, value) in told {
        Fields { sink: &mut line, redactor }.judged(name, Raw::Str(value));
    }
    line.close()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: layer::Context<'_, S>) {
        if is_suppressed() || attributes.fields().is_empty() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        // Another layer like this one may have been here before.
        if span.extensions().get::<SpanFields>().is_some() {
            return;
        }
        // Formatting runs the application's code, which may log: never while the span's extensions are locked.
        let mut fields = SpanFields::with_room();
        scratch::with(|Scratch { key_texts, .. }| {
            let sink = &mut SpanFieldsWriter { fields: &mut fields, key_texts, limits: &self.limits };
            attributes.record(&mut Fields { sink, redactor: &self.redactor });
        });
        if !fields.is_empty() {
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: layer::Context<'_, S>) {
        if is_suppressed() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        scratch::with(|Scratch { late, key_texts, .. }| {
            late.clear();
            let sink = &mut SpanFieldsWriter { fields: late, key_texts, limits: &self.limits };
            values.record(&mut Fields { sink, redactor: &self.redactor });
            if late.is_empty() {
                return;
            }
            let mut extensions = span.extensions_mut();
            if extensions.get_mut::<SpanFields>().is_none() {
                extensions.insert(SpanFields::default());
            }
            if let Some(fields) = extensions.get_mut::<SpanFields>() {
                fields.merge(late, &self.limits);
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, ctx: layer::Context<'_, S>) {
        let logged = from_log::target(event);
        let target = logged.as_deref().unwrap_or_else(|| event.metadata().target());
        if !from_log::with_target(event.metadata(), target, |metadata| self.wants(metadata)) {
            return;
        }
        let Some(suppressed) = self.admit(event, target) else {
            return self.counters.suppress();
        };
        scratch::with(|scratch| {
            let tally = self.put_together(event, target, suppressed, &ctx, scratch);
            self.writer.write(&scratch.line);
            self.counters.add(tally);
        });
    }
}

/// What the event belongs to: what is current, or what its explicit parent carries.
fn context_of<'a, S: LookupSpan<'a>>(event: &Event<'_>, span: Option<&SpanRef<'a, S>>) -> Context {
    if event.is_contextual() {
        return Context::current();
    }
    let data = span.and_then(|span| span.extensions().get::<SpanData>().map(|data| data.context().clone()));
    data.unwrap_or_default()
}

/// Whether the message, if there is one, comes before every other field, as `tracing`'s macros have it.
fn has_message_first(metadata: &Metadata<'_>) -> bool {
    let first = metadata.fields().iter().next();
    first.is_none_or(|field| field.name() == MESSAGE) || metadata.fields().field(MESSAGE).is_none()
}

impl fmt::Debug for JsonLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLayer")
            .field("limits", &self.limits)
            .field("clock", &self.clock)
            .field("filters", &self.filters)
            .field("counters", &self.counters)
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}
