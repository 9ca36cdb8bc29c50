//! Keeps what is recorded under one subscriber, so that tests run in parallel.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use throughline_core::{
    ContextLayer, Filters, Metric, Pipeline, PipelineBuilder, Recorder, SpanContext, SpanData, SpanRecord,
    Status, Value,
};
use tracing::{Subscriber, field::Visit, span, subscriber::DefaultGuard};
use tracing_subscriber::{Layer, filter::Targets, layer, prelude::*, registry, registry::LookupSpan};

/// What was recorded under the subscriber of one test.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    spans: Vec<Span>,
    durations: Vec<String>,
    active: f64,
    active_max: f64,
}

/// A span that has ended.
#[derive(Clone, Default)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) status: &'static str,
    /// The ids of the spans that it links to.
    pub(crate) links: Vec<String>,
    pub(crate) events: Vec<String>,
}

impl Capture {
    /// Records what this thread does until the guard is dropped.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        Self::start_with(Filters::default())
    }

    /// The same with every span and every log line filtered out.
    pub(crate) fn start_filtered() -> (Self, DefaultGuard) {
        let off = Targets::new();
        Self::start_with(Filters::new(off.clone(), off))
    }

    /// The same under a pipeline with further settings.
    pub(crate) fn start_under(
        change: impl FnOnce(PipelineBuilder) -> PipelineBuilder,
    ) -> (Self, DefaultGuard) {
        Self::start_in(Filters::default(), change)
    }

    /// The same but for the spans of one target.
    pub(crate) fn start_filtered_but(target: &str) -> (Self, DefaultGuard) {
        let spans = Targets::new().with_target(target, tracing::Level::INFO);
        Self::start_with(Filters::new(Targets::new(), spans))
    }

    fn start_with(filters: Filters) -> (Self, DefaultGuard) {
        Self::start_in(filters, |pipeline| pipeline)
    }

    fn start_in(
        filters: Filters,
        change: impl FnOnce(PipelineBuilder) -> PipelineBuilder,
    ) -> (Self, DefaultGuard) {
        let capture = Self::default();
        let pipeline = change(Pipeline::builder().recorder(Arc::new(capture.clone()))).build();
        let layers = ContextLayer::new(pipeline).and_then(CaptureLayer(capture.clone())).with_filter(filters);
        let guard = registry().with(layers).set_default();
        (capture, guard)
    }

    /// The spans that have ended, in that order.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.state().spans.clone()
    }

    /// The spans as a text: a line each, children below their parents, `~` before what a span links to.
    pub(crate) fn tree(&self) -> String {
        let mut spans = self.spans();
        // Those that link come after those that they link to, whoever ended first.
        spans.sort_by_key(|span| span.links.len());
        let known = |id: &str| spans.iter().any(|span| span.id == id);
        let mut text = String::new();
        for root in spans.iter().filter(|span| !span.parent.as_deref().is_some_and(known)) {
            root.draw(&spans, 0, &mut text);
        }
        text
    }

    /// The one span that has ended.
    pub(crate) fn span(&self) -> Span {
        let spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.into_iter().next().unwrap()
    }

    /// Waits for `count` spans to have ended.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Span> {
        self.wait_until(|capture| capture.spans().len() >= count).await;
        self.spans()
    }

    /// Waits for something to have been recorded.
    pub(crate) async fn wait_until(&self, is_there: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_there(self) {
            assert!(Instant::now() < deadline, "{:#?}", self.spans());
            tokio::task::yield_now().await;
        }
    }

    /// The attributes of each duration that was recorded.
    pub(crate) fn durations(&self) -> Vec<String> {
        self.state().durations.clone()
    }

    /// How many requests are under way, and how many were at most.
    pub(crate) fn active(&self) -> (f64, f64) {
        let state = self.state();
        (state.active, state.active_max)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Recorder for Capture {
    fn record(&self, metric: Metric, value: f64, attributes: &[(&'static str, Value<'_>)]) {
        let mut state = self.state();
        match metric {
            Metric::HttpServerActiveRequests | Metric::HttpClientActiveRequests => {
                state.active += value;
                state.active_max = state.active_max.max(state.active);
            }
            _ => {
                let labels: Vec<String> =
                    attributes.iter().map(|(key, value)| format!("{key}={}", text(*value))).collect();
                state.durations.push(format!("{} {}", metric.instrument().name, labels.join(" ")));
            }
        }
    }
}

impl Span {
    /// An attribute, or `-`.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("-", String::as_str)
    }

    fn draw(&self, all: &[Self], depth: usize, text: &mut String) {
        let links = self.links.iter().map(|link| {
            let linked = all.iter().find(|span| span.id == *link);
            format!(" ~ {}", linked.map_or("?", |span| &span.name))
        });
        let indent = "  ".repeat(depth);
        text.push_str(&format!("{indent}{}{}\n", self.outcome(), links.collect::<String>()));
        for event in &self.events {
            text.push_str(&format!("{indent}  · {event}\n"));
        }
        for child in all.iter().filter(|span| span.parent.as_ref() == Some(&self.id)) {
            child.draw(all, depth + 1, text);
        }
    }

    /// What most tests ask for: name, how it ended, code, status and kind of error.
    pub(crate) fn outcome(&self) -> String {
        let code = self.get("http.response.status_code");
        let end = self.get("throughline.http.end");
        format!("{}: {end}, {code}, {}, {}", self.name, self.status, self.get("error.type"))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:#?}", self.outcome(), self.attributes)
    }
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Str(text) => text.to_owned(),
        Value::I64(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::Strs(texts) => format!("[{}]", texts.join(" | ")),
        other => format!("{other:?}"),
    }
}

struct CaptureLayer(Capture);

#[derive(Default)]
struct Record(Span);

impl SpanRecord for Record {
    fn name(&mut self, name: &str) {
        name.clone_into(&mut self.0.name);
    }
    fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.0.attributes.insert(key.to_owned(), text(value));
    }
    fn link(&mut self, context: &SpanContext, _: &[(&str, Value<'_>)]) {
        self.0.links.push(context.span_id().to_string());
    }
    fn status(&mut self, status: Status<'_>) {
        self.0.status = match status {
            Status::Error(_) => "Error",
            _ => "unset",
        };
    }
    fn event(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) {
        let attributes = attributes.iter().map(|(key, value)| format!(" {key}={}", text(*value)));
        self.0.events.push(format!("{name}{}", attributes.collect::<String>()));
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.attributes.insert(field.name().to_owned(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "otel.name" {
            self.name(value);
        } else {
            self.attribute(field.name(), value.into());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for CaptureLayer {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: layer::Context<'_, S>) {
        let mut record = Record(Span { status: "unset", ..Span::default() });
        attributes.metadata().name().clone_into(&mut record.0.name);
        attributes.record(&mut record);
        let span = ctx.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        let data = extensions.get_mut::<SpanData>().unwrap();
        let ids = data.context().span().unwrap();
        record.0.trace = ids.trace_id().to_string();
        record.0.id = ids.span_id().to_string();
        record.0.parent = data.parent_span_id().map(|id| id.to_string());
        data.attach(Box::new(record));
    }

    fn on_close(&self, id: span::Id, ctx: layer::Context<'_, S>) {
        let span = ctx.span(&id).unwrap();
        let record = span.extensions_mut().get_mut::<SpanData>().unwrap().take::<Record>().unwrap();
        self.0.state().spans.push(record.0);
    }
}
