//! The log layer: one event, one OTLP log record.

use std::{cell::Cell, fmt, sync::Arc};

use throughline_core::{
    BaggageFields, Clock, Context, Filters, Severity, SpanData, Value, is_suppressed, redact::Redactor,
    semconv::own,
};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes as Fields, Id, Record},
};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

use crate::{
    encode::{
        attributes::{Attributes, Caps},
        log_record::{ATTRIBUTES, LogRecord},
    },
    limits::LogLimits,
    span_layer::{Owned, Visitor},
};

/// Takes log records: one call a record, on the request's thread. Must neither block nor fail.
pub trait LogSink: Send + Sync + 'static {
    /// `log` is one `log_records` field of an OTLP `ScopeLogs` message, with its tag and length.
    fn accept(&self, log: &[u8]);
}

/// Turns `tracing` events into OTLP log records.
///
/// A record has the time, the severity, the message as its body, the event's fields and those of its spans as typed
/// attributes (the innermost wins), `target` and `correlation.id`, and the ids of the span it belongs to, which need not
/// be sampled. An event that was given a name (`info!(name: "order.accepted", …)`) has it as its event name. Fields named
/// `otel.*` never reach a record, and neither do our own diagnostics.
///
/// Needs [`ContextLayer`](throughline_core::ContextLayer) below it.
pub struct LogLayer {
    sink: Arc<dyn LogSink>,
    limits: LogLimits,
    baggage: BaggageFields,
    filters: Option<Filters>,
    clock: Clock,
    redactor: Redactor,
}

impl LogLayer {
    /// A layer that hands its records to `sink`.
    pub fn new(sink: Arc<dyn LogSink>) -> Self {
        Self {
            sink,
            limits: LogLimits::default(),
            baggage: BaggageFields::default(),
            filters: None,
            clock: Clock::system(),
            redactor: Redactor::default(),
        }
    }

    /// How much one record may hold.
    #[must_use]
    pub fn limits(mut self, limits: LogLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Which members of the baggage become attributes; none unless set. A field of the same name beats them.
    #[must_use]
    pub fn baggage(mut self, fields: BaggageFields) -> Self {
        self.baggage = fields;
        self
    }

    /// Which events become records: those that become log lines. Without filters, all that reach this layer.
    #[must_use]
    pub fn filters(mut self, filters: Filters) -> Self {
        self.filters = Some(filters);
        self
    }

    /// Where times come from.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What is kept off the records: rules, or a [`Redactor`] that others have, too; the default rules unless set.
    ///
    /// Bodies and attributes go through it before they are encoded.
    #[must_use]
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.redactor = redaction.into();
        self
    }

    fn wants(&self, event: &Metadata<'_>) -> bool {
        !is_suppressed() && self.filters.as_ref().is_none_or(|filters| filters.is_log_record(event))
    }
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The fields of a span, encoded as attributes of the records below it.
#[derive(Default)]
struct LogFields(Attributes);

impl LogFields {
    fn set(&mut self, key: &'static str, value: Value<'_>, caps: Caps, redactor: &Redactor) {
        if is_data(key) {
            redactor.attribute_static(key, value, |value| self.0.set(ATTRIBUTES, key, value, caps));
        }
    }
}

/// Fields named `otel.*` steer span layers.
fn is_data(key: &str) -> bool {
    !key.starts_with("otel.")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, fields: &Fields<'_>, id: &Id, ctx: layer::Context<'_, S>) {
        let Some(span) = ctx.span(id).filter(|_| !is_suppressed()) else { return };
        // Values are formatted before the span's extensions are locked: a user's `Debug` may do anything, log included.
        let mut own = LogFields::default();
        fields
            .record(&mut Visitor::new(|key, value| own.set(key, value, self.limits.caps(), &self.redactor)));
        span.extensions_mut().replace(own);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: layer::Context<'_, S>) {
        let Some(span) = ctx.span(id).filter(|_| !is_suppressed()) else { return };
        let mut late = Vec::new();
        values.record(&mut Visitor::new(|key, value| late.push((key, Owned::from(value)))));
        if let Some(own) = span.extensions_mut().get_mut::<LogFields>() {
            for (key, value) in &late {
                own.set(key, value.as_value(), self.limits.caps(), &self.redactor);
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: layer::Context<'_, S>) {
        if !self.wants(event.metadata()) {
            return;
        }
        let caps = self.limits.caps();
        let mut notes = LogNotes::take();
        notes.write(event, caps, &self.redactor);
        let mut span = ctx.event_span(event);
        let context = match &span {
            _ if event.is_contextual() => Context::current(),
            None => Context::default(),
            Some(span) => {
                let extensions = span.extensions();
                extensions.get::<SpanData>().map(|data| data.context().clone()).unwrap_or_default()
            }
        };
        while let Some(inner) = span {
            if let Some(fields) = inner.extensions().get::<LogFields>() {
                notes.attributes.add_missing(&fields.0, caps);
            }
            span = inner.parent();
        }
        for (name, value) in self.baggage.of(context.baggage()) {
            self.redactor.attribute(name, value.into(), |value| {
                notes.attributes.set_missing(ATTRIBUTES, name, value, caps);
            });
        }
        let metadata = event.metadata();
        let LogNotes { body, attributes, encoded } = &mut *notes;
        let record = LogRecord {
            unix_nanos: self.clock.unix_nanos(),
            severity: Severity::of(*metadata.level(), metadata.target()),
            body,
            event_name: event_name(metadata),
            context: &context,
        };
        record.encode(attributes, encoded);
        self.sink.accept(encoded);
        notes.put_back();
    }
}

/// The name that an event was given; without one, `tracing` makes one up of the place in the source.
fn event_name(metadata: &Metadata<'static>) -> &'static str {
    let name = metadata.name();
    let is_made_up = name.starts_with("event ") || metadata.target() == BRIDGE_TARGET;
    if is_made_up { "" } else { name }
}

/// The bridge from the `log` crate has one target for all and the record's own place beside it.
pub(crate) const BRIDGE_TARGET: &str = "log";

thread_local! {
    static NOTES: Cell<Option<Box<LogNotes>>> = const { Cell::new(None) };
}

/// Notes that have grown beyond this are not kept for the next event.
const NOTES_BYTES_MAX: usize = 16 * 1024;

/// An event on its way into a record. Each thread keeps one for the next event; an event within an event gets its own.
#[derive(Debug, Default)]
struct LogNotes {
    body: String,
    attributes: Attributes,
    encoded: Vec<u8>,
}

impl LogNotes {
    fn take() -> Box<Self> {
        NOTES.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    fn put_back(mut self: Box<Self>) {
        if self.body.capacity() + self.attributes.capacity() + self.encoded.capacity() > NOTES_BYTES_MAX {
            return;
        }
        self.body.clear();
        self.attributes.clear();
        let _torn_down = NOTES.try_with(|kept| kept.set(Some(self)));
    }

    fn write(&mut self, event: &Event<'_>, caps: Caps, redactor: &Redactor) {
        let Self { body, attributes, .. } = self;
        let metadata = event.metadata();
        attributes.set(ATTRIBUTES, own::EVENT_TARGET, metadata.target().into(), caps);
        let bridged = metadata.target() == BRIDGE_TARGET;
        event.record(&mut Visitor::new(|key, value| match (key, value) {
            ("message", Value::Str(text)) => body.push_str(&redactor.named(key, text).unwrap_or_default()),
            ("log.target", target) if bridged => attributes.set(ATTRIBUTES, own::EVENT_TARGET, target, caps),
            ("log.module_path" | "log.file" | "log.line", _) if bridged => {}
            (key, value) if is_data(key) => {
                redactor.attribute_static(key, value, |value| attributes.set(ATTRIBUTES, key, value, caps));
            }
            _ => {}
        }));
    }
}
