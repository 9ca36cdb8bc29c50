//! The native span layer: OTLP encoded as the span lives.

use std::{
    cell::Cell,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use throughline_core::{
    BaggageFields, Clock, Filters, SpanData, SpanRecord, Status, Value, is_suppressed, redact::Redactor,
    semconv::own,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes as Fields, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{
    EventTarget,
    encode::{
        attributes::{Attributes as EncodedAttributes, Caps},
        span::{FieldRecord, Identity, Kind, OtlpSpan, field::EVENT_ATTRIBUTES},
    },
    limits::SpanLimits,
};

/// Takes finished spans: one call a span, on the request's thread. Must neither block nor fail.
pub trait SpanSink: Send + Sync + 'static {
    /// `span` is one `spans` field of an OTLP `ScopeSpans` message, with its tag and length.
    fn accept(&self, span: &[u8]);

    /// A sampled span ended that nobody encoded, since whoever kept it for us was shut down before: counts it.
    fn refuse(&self) {}
}

/// Turns `tracing` spans into OTLP.
///
/// Needs [`ContextLayer`](throughline_core::ContextLayer) below it: a span without its data is left alone.
pub struct SpanLayer {
    sink: Arc<dyn SpanSink>,
    limits: SpanLimits,
    events: EventTarget,
    baggage: BaggageFields,
    filters: Option<Filters>,
    clock: Clock,
    redactor: Redactor,
}

impl SpanLayer {
    /// A layer that hands finished spans to `sink`.
    pub fn new(sink: Arc<dyn SpanSink>) -> Self {
        Self {
            sink,
            limits: SpanLimits::default(),
            events: EventTarget::SpanEvent,
            baggage: BaggageFields::default(),
            filters: None,
            clock: Clock::system(),
            redactor: Redactor::default(),
        }
    }

    /// How much one span may hold.
    #[must_use]
    pub fn limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Where events go; with [`EventTarget::LogRecord`], spans keep none of those that `tracing` reports.
    #[must_use]
    pub fn events(mut self, target: EventTarget) -> Self {
        self.events = target;
        self
    }

    /// Which members of the baggage that a span is born with become attributes of it; none unless set.
    #[must_use]
    pub fn baggage(mut self, fields: BaggageFields) -> Self {
        self.baggage = fields;
        self
    }

    /// Which events are kept on their span; without filters, all that reach this layer.
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

    /// What is kept off the spans: rules, or a [`Redactor`] that others have, too; the default rules unless set.
    ///
    /// Attributes, names, events, links and descriptions of failures go through it before they are encoded.
    #[must_use]
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.redactor = redaction.into();
        self
    }

    fn wants(&self, event: &Metadata<'_>) -> bool {
        self.events.is_span_event()
            && !is_suppressed()
            && self.filters.as_ref().is_none_or(|filters| filters.is_span_event(event))
    }
}

impl fmt::Debug for SpanLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanLayer").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    fn on_new_span(&self, fields: &Fields<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        if !span.extensions().get::<SpanData>().is_some_and(SpanData::is_sampled) {
            return;
        }
        // Values are formatted before the span's data is locked: a user's `Debug` may do anything, log included.
        let mut record = OtlpSpan::begin(fields.metadata().name(), self.limits, &self.clock, &self.redactor);
        fields.record(&mut Visitor::new(|key, value| birth(&mut *record, key, value)));
        if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
            for (name, value) in self.baggage.of(data.context().baggage()) {
                record.attribute(name, value.into());
            }
            data.attach(record);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        record_late::<OtlpSpan, S>(id, values, &ctx);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if !self.wants(event.metadata()) {
            return;
        }
        let Some(span) = ctx.event_span(event) else { return };
        if !span.extensions().get::<SpanData>().is_some_and(SpanData::is_sampled) {
            return;
        }
        // Encoded before the span is locked: a user's `Debug` may do anything, log included.
        let mut notes = EventNotes::take();
        notes.write(event, self.limits.event_caps(), &self.redactor);
        let now = self.clock.unix_nanos();
        let mut extensions = span.extensions_mut();
        if let Some(record) = extensions.get_mut::<SpanData>().and_then(SpanData::record_mut::<OtlpSpan>) {
            let name = if notes.message.is_empty() { event.metadata().name() } else { &notes.message };
            record.push_event(name, now, &notes.attributes);
        }
        drop(extensions);
        notes.put_back();
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(&id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(data) = extensions.get_mut::<SpanData>() else {
            return;
        };
        let Some(mut record) = data.take::<OtlpSpan>() else {
            return;
        };
        record.finish(&Identity::of(data));
        drop(extensions);
        self.sink.accept(record.encoded());
        record.recycle();
    }
}

/// Fields that get their values after the span's birth. These are formatted before the span's data is locked.
pub(crate) fn record_late<R, S>(id: &Id, values: &Record<'_>, ctx: &Context<'_, S>)
where
    R: FieldRecord,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = ctx.span(id) else { return };
    if !span.extensions().get::<SpanData>().is_some_and(SpanData::is_sampled) {
        return;
    }
    let mut late = Vec::new();
    values.record(&mut Visitor::new(|key, value| late.push((key, Owned::from(value)))));
    let mut extensions = span.extensions_mut();
    if let Some(record) = extensions.get_mut::<SpanData>().and_then(SpanData::record_mut::<R>) {
        for (key, value) in &late {
            birth(record, key, value.as_value());
        }
    }
}

thread_local! {
    static EVENT_NOTES: Cell<Option<Box<EventNotes>>> = const { Cell::new(None) };
}

/// Buffers that have grown beyond this are not kept for the next event.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// An event on its way to its span. Each thread keeps one for the next event; an event within an event gets its own.
#[derive(Debug, Default)]
struct EventNotes {
    message: String,
    attributes: EncodedAttributes,
}

impl EventNotes {
    fn take() -> Box<Self> {
        EVENT_NOTES.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    fn put_back(mut self: Box<Self>) {
        if self.message.capacity() + self.attributes.capacity() > KEPT_BYTES_MAX {
            return;
        }
        self.message.clear();
        self.attributes.clear();
        let _torn_down = EVENT_NOTES.try_with(|kept| kept.set(Some(self)));
    }

    fn write(&mut self, event: &Event<'_>, caps: Caps, redactor: &Redactor) {
        let Self { message, attributes } = self;
        let metadata = event.metadata();
        attributes.set(EVENT_ATTRIBUTES, own::EVENT_LEVEL, metadata.level().as_str().into(), caps);
        attributes.set(EVENT_ATTRIBUTES, own::EVENT_TARGET, metadata.target().into(), caps);
        let bridged = metadata.target() == "log";
        event.record(&mut Visitor::new(|key, value| match (key, value) {
            ("message", text @ Value::Str(_)) => redactor.attribute_static(key, text, |shown| {
                if let Value::Str(shown) = shown {
                    message.push_str(shown);
                }
            }),
            // The bridge from the `log` crate has one target for all and the record's own place beside it.
            ("log.target", target) if bridged => {
                attributes.set(EVENT_ATTRIBUTES, own::EVENT_TARGET, target, caps)
            }
            ("log.module_path" | "log.file" | "log.line", _) if bridged => {}
            (key, value) => {
                redactor
                    .attribute_static(key, value, |value| attributes.set(EVENT_ATTRIBUTES, key, value, caps));
            }
        }));
    }
}

/// A field of the span itself: `otel.*` steers, everything else is an attribute.
pub(crate) fn birth(record: &mut impl FieldRecord, key: &'static str, value: Value<'_>) {
    if !key.starts_with("otel.") {
        return record.attribute_static(key, value);
    }
    match (key, value) {
        ("otel.name", Value::Str(name)) => record.name(name),
        ("otel.kind", Value::Str(kind)) => Kind::parse(kind).into_iter().for_each(|kind| record.kind(kind)),
        ("otel.status_code", Value::Str(code)) if code.eq_ignore_ascii_case("error") => {
            record.status_code(Status::Error(""));
        }
        ("otel.status_code", Value::Str(code)) if code.eq_ignore_ascii_case("ok") => {
            record.status_code(Status::Ok);
        }
        ("otel.status_code", Value::Str(code)) if code.eq_ignore_ascii_case("unset") => {
            record.status_code(Status::Unset);
        }
        ("otel.status_message" | "otel.status_description", Value::Str(message)) => {
            record.status_message(message);
        }
        (key, value) => record.attribute_static(key, value),
    }
}

/// A value that outlives its visit.
pub(crate) enum Owned {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
}

impl From<Value<'_>> for Owned {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(value),
            Value::I64(value) => Self::I64(value),
            Value::U64(value) => Self::U64(value),
            Value::F64(value) => Self::F64(value),
            Value::Str(text) => Self::Str(text.to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
            other => Self::Str(format!("{other:?}")),
        }
    }
}

impl Owned {
    pub(crate) fn as_value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::I64(value) => Value::I64(*value),
            Self::U64(value) => Value::U64(*value),
            Self::F64(value) => Value::F64(*value),
            Self::Str(text) => Value::Str(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

/// Passes each field on as a [`Value`].
pub(crate) struct Visitor<F> {
    take: F,
}

thread_local! {
    /// Where values are formatted. Taken away while it is in use: a value may format others.
    static TEXT: Cell<String> = const { Cell::new(String::new()) };
}

impl<F: FnMut(&'static str, Value<'_>)> Visitor<F> {
    pub(crate) const fn new(take: F) -> Self {
        Self { take }
    }

    fn display(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = TEXT.try_with(Cell::take).unwrap_or_default();
        // A `Debug` that panics costs its own value, not the request.
        if catch_unwind(AssertUnwindSafe(|| text.write_fmt(value))).is_err() {
            text.push_str("<its Debug panicked>");
        }
        (self.take)(field.name(), Value::Str(&text));
        if text.capacity() <= KEPT_BYTES_MAX {
            text.clear();
            let _torn_down = TEXT.try_with(|kept| kept.set(text));
        }
    }
}

impl<F: FnMut(&'static str, Value<'_>)> Visit for Visitor<F> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.display(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        (self.take)(field.name(), Value::Str(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        (self.take)(field.name(), Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        (self.take)(field.name(), Value::U64(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        (self.take)(field.name(), Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        (self.take)(field.name(), Value::Bool(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.display(field, format_args!("{value}")),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.display(field, format_args!("{value}")),
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        (self.take)(field.name(), Value::Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.display(field, format_args!("{value}"));
    }
}
