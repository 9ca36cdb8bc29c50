//! Telemetry of one test, and of nothing else.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value as Json;
use throughline_core::{
    AlwaysOn, Context, ContextLayer, Filters, Metric, Orphans, ParentBased, Pipeline, PropagationCounters,
    Recorder, Sampler, Value, redact::Redactor,
};
use throughline_logs::{JsonLayer, Memory};
#[cfg(feature = "opentelemetry")]
use throughline_otlp::sdk::{OpenTelemetry, SpanProcessor};
use throughline_otlp::{Envelope, SpanLayer, SpanLimits, SpanSink};
use throughline_receiver::{Span, TraceId, decode_spans};
use tracing::{Dispatch, instrument::WithSubscriber, subscriber::DefaultGuard};
use tracing_subscriber::{Layer, prelude::*, registry};

use crate::{SpanTree, TreeText};

/// Spans, log lines and measurements of one test.
///
/// The layers are the real ones; only the ends are in memory. Nothing is global, so tests run in parallel:
///
/// ```
/// use throughline_testing::Capture;
///
/// let capture = Capture::new("orders");
/// capture.run(|| {
///     let _order = tracing::info_span!("order").entered();
///     tracing::info!("accepted");
/// });
/// assert_eq!(capture.tree(), "orders: order (internal) #1");
/// assert_eq!(capture.lines()[0]["message"], "accepted");
/// ```
///
/// `tracing` finds its subscriber by thread. In an async test use the current-thread runtime, which `#[tokio::test]` is
/// by default, with [`install`](Self::install), or [`run_async`](Self::run_async) for one future.
#[derive(Clone)]
pub struct Capture {
    service: String,
    dispatch: Dispatch,
    pipeline: Pipeline,
    spans: Arc<Spans>,
    lines: Memory,
    measurements: Arc<Measurements>,
}

/// Settings of a [`Capture`]; ends with [`build`](Self::build).
#[must_use = "nothing is captured until `build` is called"]
pub struct CaptureBuilder {
    service: String,
    filters: Filters,
    sampler: Box<dyn Sampler>,
    limits: SpanLimits,
    redactor: Redactor,
    orphans: Option<Orphans>,
    layer: SpanLayerKind,
}

/// Which of the two span layers makes the spans.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SpanLayerKind {
    Native,
    #[cfg(feature = "opentelemetry")]
    OpenTelemetry,
}

impl CaptureBuilder {
    /// Which lines and spans there are; everything at INFO and above unless told otherwise.
    pub fn filters(mut self, filters: Filters) -> Self {
        self.filters = filters;
        self
    }

    /// Which traces are recorded.
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.sampler = Box::new(sampler);
        self
    }

    /// How much one span may hold.
    pub fn limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What is kept out of spans and lines; the default rules unless set.
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.redactor = redaction.into();
        self
    }

    /// Finds work that has left its trace.
    pub fn orphans(mut self, orphans: Orphans) -> Self {
        self.orphans = Some(orphans);
        self
    }

    /// Makes the spans with the layer over the OpenTelemetry SDK in place of the native one.
    ///
    /// Joins the contexts of both sides for the whole process (`throughline_otlp::sdk::join_contexts`).
    #[cfg(feature = "opentelemetry")]
    pub fn opentelemetry(mut self) -> Self {
        self.layer = SpanLayerKind::OpenTelemetry;
        self
    }

    /// The capture, not installed anywhere yet.
    #[must_use]
    pub fn build(self) -> Capture {
        let (spans, lines, measurements) =
            (Arc::<Spans>::default(), Memory::new(), Arc::<Measurements>::default());
        let recorder = Arc::clone(&measurements) as Arc<dyn Recorder>;
        let sampler = self.sampler;
        let mut pipeline = Pipeline::builder()
            .sampler(move |parent: Option<&_>, trace_id, name: &str| sampler.sample(parent, trace_id, name))
            .recorder(recorder)
            .redaction(self.redactor.clone());
        if let Some(orphans) = self.orphans {
            pipeline = pipeline.orphans(orphans);
        }
        let pipeline = pipeline.build();
        let json = JsonLayer::builder(&self.service)
            .filters(self.filters.clone())
            .redaction(self.redactor.clone())
            .writer(lines.clone())
            .build();
        let sink = Arc::clone(&spans) as Arc<dyn SpanSink>;
        let dispatch = match self.layer {
            SpanLayerKind::Native => {
                let spans = SpanLayer::new(sink)
                    .limits(self.limits)
                    .filters(self.filters.clone())
                    .redaction(self.redactor);
                let layers = ContextLayer::new(pipeline.clone()).and_then(json).and_then(spans);
                Dispatch::new(registry().with(layers.with_filter(self.filters)))
            }
            #[cfg(feature = "opentelemetry")]
            SpanLayerKind::OpenTelemetry => {
                let processor = SpanProcessor::new(sink).limits(self.limits).redaction(self.redactor);
                let sdk = OpenTelemetry::builder(processor)
                    .pipeline(pipeline.clone())
                    .filters(self.filters.clone())
                    .build();
                Dispatch::new(registry().with(sdk.layers().and_then(json)).with(self.filters))
            }
        };
        Capture { service: self.service, dispatch, pipeline, spans, lines, measurements }
    }
}

impl Capture {
    /// Captures what a service of this name does.
    #[must_use]
    pub fn new(service: &str) -> Self {
        Self::builder(service).build()
    }

    /// A capture with settings.
    pub fn builder(service: &str) -> CaptureBuilder {
        CaptureBuilder {
            service: service.to_owned(),
            filters: Filters::default(),
            sampler: Box::new(ParentBased::new(AlwaysOn)),
            limits: SpanLimits::default(),
            orphans: None,
            layer: SpanLayerKind::Native,
            redactor: Redactor::default(),
        }
    }

    /// Makes this the subscriber of the current thread until the guard is dropped.
    pub fn install(&self) -> DefaultGuard {
        tracing::dispatcher::set_default(&self.dispatch)
    }

    /// Runs a closure under this capture.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        tracing::dispatcher::with_default(&self.dispatch, work)
    }

    /// Runs a future under this capture, on whichever thread it is polled.
    pub fn run_async<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.with_subscriber(self.dispatch.clone())
    }

    /// The subscriber itself.
    #[must_use]
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// The finished spans, in the order in which they ended.
    ///
    /// # Panics
    /// If a span was encoded so that it cannot be decoded: a fault of ours that no test should hide.
    #[must_use]
    pub fn spans(&self) -> Vec<Arc<Span>> {
        let encoded = locked(&self.spans.0).clone();
        let request = Envelope::new([("service.name", Value::Str(&self.service))]).around(&encoded);
        decode_spans(&request).unwrap_or_else(|problem| panic!("a span was encoded wrongly: {problem}"))
    }

    /// The finished span of this name.
    ///
    /// # Panics
    /// If there is none, or more than one; the message lists what there is.
    #[must_use]
    pub fn span(&self, name: &str) -> Arc<Span> {
        let mut found: Vec<_> = self.spans().into_iter().filter(|span| span.name == name).collect();
        match (found.pop(), found.is_empty()) {
            (Some(span), true) => span,
            _ => panic!("not exactly one span {name:?} in\n{}", self.tree()),
        }
    }

    /// The finished spans as a tree in text; [`TreeText`] says how to read it.
    #[must_use]
    pub fn tree(&self) -> String {
        self.tree_with(&TreeText::new())
    }

    /// The same with attributes or events.
    #[must_use]
    pub fn tree_with(&self, text: &TreeText) -> String {
        text.write(&SpanTree::new(self.spans()))
    }

    /// The log lines, parsed.
    ///
    /// # Panics
    /// If a line is not one JSON object: a fault of ours that no test should hide.
    #[must_use]
    pub fn lines(&self) -> Vec<Json> {
        let parse = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not a JSON line ({error}): {line}"))
        };
        self.lines.lines().iter().map(parse).collect()
    }

    /// The log lines as they were written.
    pub(crate) fn raw_lines(&self) -> Vec<String> {
        self.lines.lines()
    }

    /// The log lines of one trace.
    #[must_use]
    pub fn lines_of(&self, trace: TraceId) -> Vec<Json> {
        let id = trace.to_string();
        self.lines().into_iter().filter(|line| line["trace_id"] == id.as_str()).collect()
    }

    /// The measurements that were recorded for a metric, in order.
    #[must_use]
    pub fn measurements(&self, metric: Metric) -> Vec<Measurement> {
        locked(&self.measurements.0).iter().filter(|one| one.metric == metric).cloned().collect()
    }

    /// The measurements of all metrics, in order.
    pub(crate) fn all_measurements(&self) -> Vec<Measurement> {
        locked(&self.measurements.0).clone()
    }

    /// The sum of all measurements of a metric: what an in-flight gauge shows.
    #[must_use]
    pub fn total(&self, metric: Metric) -> f64 {
        self.measurements(metric).iter().map(|one| one.value).sum()
    }

    /// What was refused of what came in.
    #[must_use]
    pub fn propagation(&self) -> PropagationCounters {
        self.pipeline.propagator().counters()
    }

    /// The headers that a request sent from `context` would carry.
    #[must_use]
    pub fn headers(&self, context: &Context) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        self.pipeline.propagator().inject(context, &mut headers);
        headers
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("service", &self.service).finish_non_exhaustive()
    }
}

impl fmt::Debug for CaptureBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureBuilder").field("service", &self.service).finish_non_exhaustive()
    }
}

/// One measurement of a metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Measurement {
    /// Which metric.
    pub metric: Metric,
    /// The value of a histogram, or what was added to a counter.
    pub value: f64,
    /// Its attributes, as text, in the order in which they were given.
    pub attributes: Vec<(&'static str, String)>,
}

impl Measurement {
    /// The attribute with this key.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| *own == key).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct Spans(Mutex<Vec<u8>>);

impl SpanSink for Spans {
    fn accept(&self, span: &[u8]) {
        locked(&self.0).extend_from_slice(span);
    }
}

#[derive(Debug, Default)]
struct Measurements(Mutex<Vec<Measurement>>);

impl Recorder for Measurements {
    fn record(&self, metric: Metric, value: f64, attributes: &[(&'static str, Value<'_>)]) {
        let text = |value: &Value<'_>| match value {
            Value::Str(text) => (*text).to_owned(),
            Value::I64(number) => number.to_string(),
            Value::F64(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            other => format!("{other:?}"),
        };
        let attributes = attributes.iter().map(|(key, value)| (*key, text(value))).collect();
        locked(&self.0).push(Measurement { metric, value, attributes });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
