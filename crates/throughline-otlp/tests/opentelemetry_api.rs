//! The plain OpenTelemetry API inside our spans, and our spans inside its: one trace, under either span layer.

#![cfg(feature = "opentelemetry")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod contract;

use std::{
    future::Future,
    sync::{Arc, Mutex},
    thread,
};

use contract::{Exemption, Kept, Settings, Under, contract};
use opentelemetry_proto::tonic::{common::v1::any_value::Value as Any, trace::v1::Span};
use throughline_core::{
    Carry, Context, EdgePolicy, Pipeline, Propagator, SpanContext, SpanExt, carry, with_remote,
};
use throughline_otlp::{
    SpanSink,
    sdk::{
        OpenTelemetry, SdkSampler, SpanProcessor,
        opentelemetry::{
            Context as SdkContext, KeyValue,
            context::FutureExt,
            trace::{
                Span as _, SpanKind, Status, TraceContextExt, TraceState, Tracer, TracerProvider,
                get_active_span,
            },
        },
        opentelemetry_sdk::{
            self,
            trace::{Sampler, SamplingDecision, SamplingResult, SdkTracer, ShouldSample},
        },
        tracing_opentelemetry::OpenTelemetrySpanExt,
    },
};
use tracing::{Dispatch, Instrument, dispatcher::with_default, info_span, instrument::WithSubscriber};
use tracing_subscriber::{prelude::*, registry};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

contract! {
    a_plain_span_inside_ours_is_its_child,
    our_span_inside_a_plain_one_is_its_child,
    the_innermost_scope_is_the_parent_on_both_sides,
    what_is_sent_from_inside_a_plain_span_names_it,
    an_empty_context_of_theirs_starts_a_trace,
    a_carried_thread_is_inside_the_plain_span,
    tasks_on_many_threads_keep_apart,
    a_context_of_theirs_takes_ours_along,
    a_plain_span_has_the_correlation_id_and_keeps_what_travels,
    what_is_not_sampled_is_not_on_either_side,
    what_is_suppressed_is_not_on_either_side,
}

/// One subscriber, one tracer of the plain API, and one place where the spans of both end up.
struct Setup {
    kept: Arc<Kept>,
    dispatch: Dispatch,
    tracer: SdkTracer,
}

fn setup(under: Under) -> Setup {
    setup_with(under, Pipeline::builder().build())
}

fn setup_with(under: Under, pipeline: Pipeline) -> Setup {
    let kept = Arc::<Kept>::default();
    let dispatch = under.dispatch(&kept, Settings { pipeline: pipeline.clone(), ..Settings::default() });
    let processor = SpanProcessor::new(Arc::clone(&kept) as Arc<dyn SpanSink>);
    let provider = OpenTelemetry::builder(processor).pipeline(pipeline).build().tracer_provider();
    Setup { kept, dispatch, tracer: provider.tracer("plain") }
}

impl Setup {
    fn run(&self, work: impl FnOnce(&SdkTracer)) -> Vec<Span> {
        with_default(&self.dispatch, || work(&self.tracer));
        self.kept.spans()
    }

    fn run_async<F: Future>(&self, work: impl FnOnce(SdkTracer) -> F) -> Vec<Span> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
        let work = with_default(&self.dispatch, || work(self.tracer.clone()));
        runtime.block_on(work.with_subscriber(self.dispatch.clone()));
        drop(runtime);
        self.kept.spans()
    }
}

/// Each span as `name < parent < … < root`, sorted; all of them in as many traces as said.
fn lines(spans: &[Span], traces: usize) -> Vec<String> {
    let ids: std::collections::BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    assert_eq!(ids.len(), traces, "{spans:#?}");
    let mut lines: Vec<_> = spans.iter().map(|span| line(spans, span)).collect();
    lines.sort();
    lines
}

fn line(spans: &[Span], span: &Span) -> String {
    match spans.iter().find(|one| one.span_id == span.parent_span_id) {
        Some(parent) => format!("{} < {}", span.name, line(spans, parent)),
        None if span.parent_span_id.is_empty() => span.name.clone(),
        None => format!("{} < ?", span.name),
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let pair = span.attributes.iter().find(|pair| pair.key == key)?;
    match pair.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

fn incoming(flags: &str, state: &str) -> Context {
    let headers = vec![
        ("traceparent".to_owned(), format!("00-{TRACE}-b7ad6b7169203331-{flags}")),
        ("tracestate".to_owned(), state.to_owned()),
        ("x-correlation-id".to_owned(), "c-1".to_owned()),
    ];
    Propagator::default().extract(&headers, &EdgePolicy::trust())
}

fn a_plain_span_inside_ours_is_its_child(under: Under) {
    let spans = setup(under).run(|tracer| {
        let _ours = info_span!("ours").entered();
        tracer.in_span("theirs", |_| get_active_span(|span| span.set_attribute(KeyValue::new("a", 1))));
        tracer.start("theirs, too").end();
    });
    assert_eq!(lines(&spans, 1), ["ours", "theirs < ours", "theirs, too < ours"]);
    assert_eq!(text(named(&spans, "theirs"), "otel.scope.name"), Some("plain"));
    let random = if under.is_exempt(Exemption::NoRandomFlagBelowARoot) { 0 } else { 2 };
    assert_eq!(named(&spans, "theirs").flags, 0x101 | random, "the parent is not remote");
}

fn our_span_inside_a_plain_one_is_its_child(under: Under) {
    let spans = setup(under).run(|tracer| {
        tracer.in_span("theirs", |_| {
            info_span!("ours").in_scope(|| drop(info_span!("ours, below")));
        });
    });
    assert_eq!(lines(&spans, 1), ["ours < theirs", "ours, below < ours < theirs", "theirs"]);
}

fn the_innermost_scope_is_the_parent_on_both_sides(under: Under) {
    let spans = setup(under).run(|tracer| {
        let first = info_span!("1").entered();
        tracer.in_span("2", |_| {
            let third = info_span!("3").entered();
            let fourth = SdkContext::current_with_span(tracer.start("4")).attach();
            drop(info_span!("5"));
            // Ours ends before the scope of theirs inside it: theirs is still the innermost.
            drop(third);
            drop(info_span!("6"));
            tracer.start("7").end();
            drop(fourth);
            drop(info_span!("8"));
            tracer.start("9").end();
        });
        drop(info_span!("10"));
        drop(first);
        drop(info_span!("11"));
        tracer.start("12").end();
    });
    assert_eq!(
        lines(&spans, 3),
        [
            "1",
            "10 < 1",
            "11",
            "12",
            "2 < 1",
            "3 < 2 < 1",
            "4 < 3 < 2 < 1",
            "5 < 4 < 3 < 2 < 1",
            "6 < 4 < 3 < 2 < 1",
            "7 < 4 < 3 < 2 < 1",
            "8 < 2 < 1",
            "9 < 2 < 1",
        ]
    );
}

fn what_is_sent_from_inside_a_plain_span_names_it(under: Under) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let spans = setup(under).run(|tracer| {
        let ours = with_remote(&incoming("03", "a@b@c=1"), || info_span!("ours")).entered();
        tracer.in_span("theirs", |_| Propagator::default().inject(&Context::current(), &mut headers));
        drop(ours);
    });
    let theirs: String = named(&spans, "theirs").span_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let header = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    assert_eq!(header("traceparent").unwrap(), format!("00-{TRACE}-{theirs}-03"));
    assert_eq!((header("tracestate"), header("x-correlation-id")), (Some("a@b@c=1"), Some("c-1")));
}

fn an_empty_context_of_theirs_starts_a_trace(under: Under) {
    let spans = setup(under).run(|tracer| {
        let _ours = info_span!("ours").entered();
        let _nothing = SdkContext::new().attach();
        assert!(Context::current().span().is_none());
        drop(info_span!("apart"));
        tracer.start("apart, too").end();
    });
    assert_eq!(lines(&spans, 3), ["apart", "apart, too", "ours"]);
}

fn a_carried_thread_is_inside_the_plain_span(under: Under) {
    let setup = setup(under);
    let dispatch = setup.dispatch.clone();
    let spans = setup.run(|tracer| {
        let _ours = info_span!("ours").entered();
        tracer.in_span("theirs", |_| {
            let below = tracer.clone();
            let work = carry(move || {
                drop(info_span!("ours, carried"));
                below.start("theirs, carried").end();
            });
            thread::spawn(move || with_default(&dispatch, work)).join().unwrap();
        });
    });
    assert_eq!(
        lines(&spans, 1),
        ["ours", "ours, carried < theirs < ours", "theirs < ours", "theirs, carried < theirs < ours"]
    );
}

fn tasks_on_many_threads_keep_apart(under: Under) {
    let spans = setup(under).run_async(|tracer| async move {
        let request = |number: usize| {
            let tracer = tracer.clone();
            let inner = async move {
                tokio::task::yield_now().await;
                let theirs = SdkContext::current_with_span(tracer.start(format!("theirs {number}")));
                async {
                    tokio::task::yield_now().await;
                    async { tokio::task::yield_now().await }.instrument(info_span!("below")).await;
                }
                .with_context(theirs)
                .await;
                tokio::spawn(
                    async move {
                        tokio::task::yield_now().await;
                        tracer.start("carried").end();
                    }
                    .carry()
                    .with_current_subscriber(),
                )
                .await
                .unwrap();
            };
            inner.instrument(info_span!("ours"))
        };
        let mut tasks = tokio::task::JoinSet::new();
        (0..20).for_each(|number| {
            tasks.spawn(request(number).with_current_subscriber());
        });
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
    let lines = lines(&spans, 20);
    assert_eq!(lines.len(), 80);
    for number in 0..20 {
        assert!(lines.contains(&format!("below < theirs {number} < ours")), "{lines:#?}");
    }
    assert_eq!(lines.iter().filter(|line| *line == "carried < ours").count(), 20, "{lines:#?}");
}

fn a_context_of_theirs_takes_ours_along(under: Under) {
    let setup = setup(under);
    let dispatch = setup.dispatch.clone();
    let mut own = None;
    let spans = setup.run(|_| {
        let ours = with_remote(&incoming("03", "v=1"), || info_span!("ours")).entered();
        own = SpanExt::context(&*ours).span().cloned();
        let theirs = SdkContext::current();
        let there = move || {
            let _theirs = theirs.attach();
            drop(info_span!("elsewhere"));
            Context::current()
        };
        let current = thread::spawn(move || with_default(&dispatch, there)).join().unwrap();
        assert_eq!(current.correlation_id().map(|id| id.as_str().to_owned()).as_deref(), Some("c-1"));
        assert_eq!(current.span(), own.as_ref());
    });
    assert_eq!(lines(&spans, 1), ["elsewhere < ours < ?", "ours < ?"]);
    assert_eq!(own.as_ref().map(SpanContext::is_remote), Some(false));
}

fn a_plain_span_has_the_correlation_id_and_keeps_what_travels(under: Under) {
    let spans = setup(under).run(|tracer| {
        let _ours = with_remote(&incoming("03", "a@b@c=1,v=2"), || info_span!("ours")).entered();
        tracer.in_span("theirs", |_| drop(info_span!("ours, below")));
    });
    assert_eq!(lines(&spans, 1), ["ours < ?", "ours, below < theirs < ours < ?", "theirs < ours < ?"]);
    for name in ["ours", "theirs", "ours, below"] {
        assert_eq!(text(named(&spans, name), "correlation.id"), Some("c-1"), "{name}");
        assert_eq!(named(&spans, name).flags & 0xff, 3, "{name}");
    }
    for name in ["ours", "ours, below"] {
        assert_eq!(named(&spans, name).trace_state, "a@b@c=1,v=2", "{name}");
    }
}

fn what_is_not_sampled_is_not_on_either_side(under: Under) {
    let never = Pipeline::builder().sampler(SdkSampler::new(Sampler::AlwaysOff)).build();
    let spans = setup_with(under, never).kept_after(|tracer| {
        info_span!("ours").in_scope(|| tracer.in_span("theirs", |_| drop(info_span!("below"))));
        tracer.in_span("a root of theirs", |_| drop(info_span!("below")));
    });
    assert!(spans.is_empty());

    let setup = setup(under);
    let spans = setup.kept_after(|tracer| {
        let _ours = with_remote(&incoming("00", "v=1"), || info_span!("ours")).entered();
        tracer.in_span("theirs", |_| drop(info_span!("below")));
    });
    assert!(spans.is_empty());
}

fn what_is_suppressed_is_not_on_either_side(under: Under) {
    let spans = setup(under).run(|tracer| {
        let _ours = info_span!("ours").entered();
        let suppressed = SdkContext::enter_telemetry_suppressed_scope();
        info_span!("nothing").in_scope(|| tracer.start("nothing").end());
        drop(suppressed);
        tracer.start("theirs").end();
    });
    assert_eq!(lines(&spans, 1), ["ours", "theirs < ours"]);
}

impl Setup {
    fn kept_after(self, work: impl FnOnce(&SdkTracer)) -> Arc<Kept> {
        with_default(&self.dispatch, || work(&self.tracer));
        self.kept
    }
}

#[test]
fn what_the_extension_of_tracing_opentelemetry_sets_arrives() {
    let spans = setup(Under::OpenTelemetry).run(|tracer| {
        let linked = tracer.start("linked");
        let span = info_span!("span");
        let current = OpenTelemetrySpanExt::context(&span);
        assert_eq!(
            current.span().span_context().span_id().to_bytes(),
            SpanExt::context(&span).span().unwrap().span_id().to_bytes()
        );
        OpenTelemetrySpanExt::set_attribute(&span, "text", "by extension");
        OpenTelemetrySpanExt::add_event(&span, "event", vec![KeyValue::new("number", 1)]);
        OpenTelemetrySpanExt::add_link(&span, linked.span_context().clone());
        OpenTelemetrySpanExt::set_status(&span, Status::error("by extension"));
        span.in_scope(|| get_active_span(|span| span.set_attribute(KeyValue::new("active", "yes"))));
        assert!(OpenTelemetrySpanExt::set_parent(&span, SdkContext::new()).is_err(), "fixed at birth");
    });
    let span = named(&spans, "span");
    assert_eq!((text(span, "text"), text(span, "active")), (Some("by extension"), Some("yes")));
    assert_eq!((span.events.len(), span.links.len()), (1, 1));
    assert_eq!(span.links[0].span_id, named(&spans, "linked").span_id);
    assert_eq!(span.status.as_ref().unwrap().message, "by extension");
}

/// Notes what it sees of each span at its start and at its end.
#[derive(Clone, Debug, Default)]
struct Watches(Arc<Mutex<Vec<String>>>);

impl opentelemetry_sdk::trace::SpanProcessor for Watches {
    fn on_start(&self, span: &mut opentelemetry_sdk::trace::Span, _: &SdkContext) {
        let data = span.exported_data().unwrap();
        self.0.lock().unwrap().push(format!("start {:?}", data.span_kind));
        span.set_attribute(KeyValue::new("watched", "yes"));
        // Whoever logs in here must not hang.
        tracing::info!("started");
    }

    fn on_end(&self, span: opentelemetry_sdk::trace::SpanData) {
        let keys: Vec<_> = span.attributes.iter().map(|pair| pair.key.as_str().to_owned()).collect();
        self.0.lock().unwrap().push(format!("end {} {}", span.name, keys.join(",")));
        tracing::info!("ended");
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: std::time::Duration) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}

#[test]
fn processors_of_the_sdk_see_our_spans() {
    let (kept, watches) = (Arc::<Kept>::default(), Watches::default());
    let processor = SpanProcessor::new(Arc::clone(&kept) as Arc<dyn SpanSink>);
    let otel = OpenTelemetry::builder(processor).processor(watches.clone()).build();
    with_default(&Dispatch::new(registry().with(otel.layers())), || {
        let span = info_span!("early", otel.kind = "server", number = 1).entered();
        span.set_name("late");
    });
    assert_eq!(*watches.0.lock().unwrap(), ["start Server", "end late watched,number"]);
    assert_eq!(text(&kept.spans()[0], "watched"), Some("yes"));
}

/// Counts how often it is asked, and says yes to one name.
#[derive(Clone, Debug)]
struct OnlyNamed(&'static str, Arc<Mutex<Vec<String>>>);

impl ShouldSample for OnlyNamed {
    fn should_sample(
        &self,
        _: Option<&SdkContext>,
        _: throughline_otlp::sdk::opentelemetry::trace::TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[throughline_otlp::sdk::opentelemetry::trace::Link],
    ) -> SamplingResult {
        self.1.lock().unwrap().push(name.to_owned());
        let decision =
            if name == self.0 { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::NONE }
    }
}

#[test]
fn a_sampler_of_the_sdk_decides_once_at_birth() {
    for under in [Under::Native, Under::OpenTelemetry] {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let sampler = SdkSampler::new(OnlyNamed("wanted", Arc::clone(&asked)));
        let setup = setup_with(under, Pipeline::builder().sampler(sampler).build());
        let spans = setup.run(|tracer| {
            for name in ["wanted", "unwanted"] {
                tracer.start(name).end();
            }
            info_span!("unwanted").in_scope(|| ());
            let wanted = info_span!("wanted");
            assert!(SpanExt::context(&wanted).span().unwrap().is_sampled());
        });
        assert_eq!(lines(&spans, 2), ["wanted", "wanted"]);
        assert_eq!(*asked.lock().unwrap(), ["wanted", "unwanted", "unwanted", "wanted"]);
    }
}

#[test]
fn a_link_by_follows_from_survives_that_its_span_was_built_first() {
    let spans = setup(Under::OpenTelemetry).run(|_| {
        let first = info_span!("first");
        info_span!("second").follows_from(&first);
    });
    assert_eq!(named(&spans, "second").links[0].span_id, named(&spans, "first").span_id);
}

#[test]
fn a_span_of_ours_that_the_api_ends_is_exported_once() {
    let spans = setup(Under::OpenTelemetry).run(|_| {
        let span = info_span!("span").entered();
        SdkContext::current().span().end();
        SpanExt::set_attribute(&*span, "late", 1);
    });
    assert_eq!(lines(&spans, 1), ["span"]);
}
