//! From the SDK's finished spans to the queue.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{Context as SdkContext, KeyValue, trace as api};
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    trace::{self as sdk, Span},
};
use throughline_core::{
    Clock, Context, SpanRecord, Status,
    redact::Redactor,
    semconv,
    semconv::scope::{OTEL_SCOPE_NAME, OTEL_SCOPE_VERSION},
};

use super::{bridge, convert, handover};
use crate::{
    encode::{
        attributes::{Attributes, Caps},
        span::{
            FieldRecord, Identity, Kind, OtlpSpan,
            field::{EVENT_ATTRIBUTES, LINK_ATTRIBUTES},
        },
    },
    exporter::{Exporter, Flusher},
    limits::SpanLimits,
    span_layer::SpanSink,
};

/// How long [`force_flush`](sdk::SpanProcessor::force_flush) waits, which has no limit of its own.
pub const FORCE_FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// A span processor of the OpenTelemetry SDK, in place of its `BatchSpanProcessor`.
///
/// When a sampled span ends, it is encoded on the spot and put into the exporter's bounded queue: the thread that ends
/// it never waits, what does not fit is counted, and the [`Report`](crate::Report) of the exporter adds up. Export,
/// retries and the orderly end are the exporter's, which has to be kept until the end of the program; shutting the
/// provider down flushes, and ends nothing but this processor.
///
/// ```no_run
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use throughline_otlp::sdk::SpanProcessor;
///
/// let built = throughline_otlp::builder("orders").endpoint("http://127.0.0.1:4318").build()?;
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(SpanProcessor::of(&built.exporter).limits(built.limits))
///     .build();
/// # let _ = provider;
/// # Ok::<(), throughline_otlp::InitError>(())
/// ```
///
/// The resource is the exporter's, not the provider's. All spans stand under one scope; the name and version of the
/// tracer become the attributes `otel.scope.name` and `otel.scope.version`.
#[derive(Clone)]
pub struct SpanProcessor {
    sink: Arc<dyn SpanSink>,
    flusher: Option<Flusher>,
    limits: SpanLimits,
    redactor: Redactor,
    stopped: Arc<AtomicBool>,
}

impl SpanProcessor {
    /// Hands finished spans to the queue of this exporter.
    #[must_use]
    pub fn of(exporter: &Exporter) -> Self {
        Self { flusher: Some(exporter.flusher()), ..Self::new(exporter.sink()) }
    }

    /// Hands finished spans to a sink, which has nothing to flush.
    pub fn new(sink: Arc<dyn SpanSink>) -> Self {
        Self {
            sink,
            flusher: None,
            limits: SpanLimits::default(),
            redactor: Redactor::default(),
            stopped: Arc::default(),
        }
    }

    /// How much one span may hold. The SDK's own limits, which the provider has, apply before.
    #[must_use]
    pub fn limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What is kept off the spans: rules, or a [`Redactor`] that others have, too; the default rules unless set.
    ///
    /// It applies to what is exported: further processors of the provider see everything.
    #[must_use]
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.redactor = redaction.into();
        self
    }

    pub(super) const fn span_limits(&self) -> SpanLimits {
        self.limits
    }

    /// Counts a span of ours that the SDK would not take.
    pub(super) fn refuse(&self) {
        self.sink.refuse();
    }

    fn flush(&self, limit: Duration) -> OTelSdkResult {
        match &self.flusher {
            Some(flusher) if !flusher.flush_blocking(limit) => Err(OTelSdkError::Timeout(limit)),
            _ => Ok(()),
        }
    }

    /// Fills a record from what the SDK has kept.
    fn record(&self, span: &sdk::SpanData) -> Box<OtlpSpan> {
        let mut record = OtlpSpan::begin("", self.limits, &Clock::system(), &self.redactor);
        record.name(&span.name);
        record.starts_at(convert::nanos(span.start_time));
        record.kind(kind(&span.span_kind));
        for attribute in &span.attributes {
            convert::lend(&attribute.value, |value| record.attribute(attribute.key.as_str(), value));
        }
        let mut attributes = Attributes::default();
        for event in &span.events.events {
            attributes.clear();
            let caps = self.limits.event_caps();
            write(EVENT_ATTRIBUTES, &event.attributes, caps, &self.redactor, &mut attributes);
            attributes.lose(event.dropped_attributes_count);
            let name = self.redactor.named("message", &event.name).unwrap_or_default();
            record.push_event(&name, convert::nanos(event.timestamp), &attributes);
        }
        let mut lost_links = span.links.dropped_count;
        for link in &span.links.links {
            match convert::from_sdk(&link.span_context) {
                Some(context) => record.link_to(&context, |redactor, attributes| {
                    let caps = self.limits.link_caps();
                    write(LINK_ATTRIBUTES, &link.attributes, caps, redactor, attributes);
                    attributes.lose(link.dropped_attributes_count);
                }),
                None => lost_links = lost_links.saturating_add(1),
            }
        }
        record.lose(span.dropped_attributes_count, span.events.dropped_count, lost_links);
        match &span.status {
            api::Status::Unset => {}
            api::Status::Ok => record.status(Status::Ok),
            api::Status::Error { description } => record.status(Status::Error(description)),
        }
        record
    }
}

impl sdk::SpanProcessor for SpanProcessor {
    /// A span that is none of ours belongs to the request around it nevertheless.
    fn on_start(&self, span: &mut Span, around: &SdkContext) {
        if handover::is_being_born() {
            return;
        }
        let context = bridge::read(around);
        if let Some(id) = context.as_ref().and_then(Context::correlation_id) {
            let id = id.as_str().to_owned();
            api::Span::set_attribute(span, KeyValue::new(semconv::own::CORRELATION_ID, id));
        }
    }

    fn on_end(&self, span: sdk::SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.stopped.load(Ordering::Acquire) {
            return self.sink.refuse();
        }
        let mut record = self.record(&span);
        match handover::ended(&span.span_context) {
            Some(own) => {
                own.kind.into_iter().for_each(|kind| record.kind(kind));
                record.starts_at(own.start);
                record.finish_at(
                    own.end,
                    &Identity {
                        context: &own.context,
                        parent: own.parent,
                        parent_is_remote: own.parent_is_remote,
                    },
                );
            }
            None => finish_foreign(&mut record, &span),
        }
        self.sink.accept(record.encoded());
        record.recycle();
    }

    /// Waits for up to [`FORCE_FLUSH_TIMEOUT`] until everything that is queued now has been sent.
    fn force_flush(&self) -> OTelSdkResult {
        self.flush(FORCE_FLUSH_TIMEOUT)
    }

    /// Refuses and counts spans from now on, and waits for what is queued. The exporter goes on.
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        if self.stopped.swap(true, Ordering::AcqRel) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        self.flush(timeout)
    }
}

/// A span of the plain API's, with the ids that the SDK gave it.
fn finish_foreign(record: &mut OtlpSpan, span: &sdk::SpanData) {
    let scope = &span.instrumentation_scope;
    for (key, value) in [(OTEL_SCOPE_NAME, Some(scope.name())), (OTEL_SCOPE_VERSION, scope.version())] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            record.attribute(key, value.into());
        }
    }
    let Some(own) = convert::from_sdk(&span.span_context) else { return };
    let identity = Identity {
        context: &Context::default().with_span(own),
        parent: convert::span_id(span.parent_span_id),
        parent_is_remote: span.parent_span_is_remote,
    };
    record.finish_at(convert::nanos(span.end_time), &identity);
}

fn write(field: u32, pairs: &[KeyValue], caps: Caps, redactor: &Redactor, out: &mut Attributes) {
    for pair in pairs {
        let key = pair.key.as_str();
        convert::lend(&pair.value, |value| {
            redactor.attribute(key, value, |value| out.set(field, key, value, caps));
        });
    }
}

const fn kind(kind: &api::SpanKind) -> Kind {
    match kind {
        api::SpanKind::Internal => Kind::Internal,
        api::SpanKind::Server => Kind::Server,
        api::SpanKind::Client => Kind::Client,
        api::SpanKind::Producer => Kind::Producer,
        api::SpanKind::Consumer => Kind::Consumer,
    }
}

impl fmt::Debug for SpanProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanProcessor").field("limits", &self.limits).finish_non_exhaustive()
    }
}
