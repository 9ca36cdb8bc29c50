//! A span's ids, flags, parent and sampling decision, fixed when it is created.

use throughline_core::{
    AlwaysOff, CallDecision, Carry, Context, ContextLayer, CorrelationId, EdgePolicy, Filters, Pipeline,
    Propagator, SpanContext, SpanData, SpanExt, SpanId, SpanRecord, Status, TraceFlags, TraceId, Value,
    carry, describe_call, suppress, with_remote,
};
use tracing::{Subscriber, info_span, subscriber::with_default};
use tracing_subscriber::{filter::Targets, prelude::*, registry};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn subscriber() -> impl Subscriber + Send + Sync + for<'a> registry::LookupSpan<'a> {
    registry().with(ContextLayer::new(Pipeline::builder().build()))
}

/// What a caller that sends `flags` and the correlation id `c-1` looks like after extraction.
fn caller(flags: &str) -> Context {
    let headers = vec![
        ("traceparent".to_owned(), format!("00-{TRACE}-{CALLER}-{flags}")),
        ("tracestate".to_owned(), "vendor=1".to_owned()),
        ("x-correlation-id".to_owned(), "c-1".to_owned()),
    ];
    Propagator::default().extract(&headers, &EdgePolicy::trust())
}

fn inside(span: &tracing::Span) -> SpanContext {
    span.context().span().cloned().expect("the span has ids")
}

/// The headers that a request sent now would carry.
fn outgoing() -> Vec<(String, String)> {
    let mut headers = Vec::new();
    Propagator::default().inject(&Context::current(), &mut headers);
    headers
}

#[test]
fn a_span_without_a_parent_starts_a_random_trace() {
    with_default(subscriber(), || {
        let (one, two) = (inside(&info_span!("one")), inside(&info_span!("two")));
        assert_ne!(one.trace_id(), two.trace_id());
        assert_ne!(one.span_id(), two.span_id());
        assert_eq!(one.flags(), TraceFlags::SAMPLED.with_random(true));
        assert!(!one.is_remote());
    });
}

#[test]
fn a_remote_context_around_the_creation_is_the_parent() {
    with_default(subscriber(), || {
        for (flags, expected) in [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03")] {
            let span = with_remote(&caller(flags), || info_span!("server"));
            let ids = inside(&span);
            assert_eq!(ids.trace_id().to_string(), TRACE);
            assert_ne!(ids.span_id().to_string(), CALLER);
            assert_eq!(String::from_utf8(ids.flags().hex().to_vec()).unwrap(), expected, "flags {flags}");
            assert_eq!(ids.tracestate().as_str(), "vendor=1");
            assert_eq!(span.context().correlation_id().map(CorrelationId::as_str), Some("c-1"));
        }
    });
}

#[test]
fn the_scope_entered_last_is_the_parent() {
    with_default(subscriber(), || {
        let outer = info_span!("outer");
        let _outer = outer.enter();
        assert_eq!(inside(&info_span!("child")).trace_id(), inside(&outer).trace_id());

        let remote = with_remote(&caller("01"), || info_span!("remote inside a span"));
        assert_eq!(inside(&remote).trace_id().to_string(), TRACE);

        let _caller = caller("01").enter();
        let inner = info_span!("inner", of = "the caller");
        assert_eq!(inside(&inner).trace_id().to_string(), TRACE);
        let _inner = inner.enter();
        assert_eq!(Context::current().span().map(SpanContext::span_id), Some(inside(&inner).span_id()));
    });
}

#[test]
fn a_span_can_name_its_parent_or_refuse_one() {
    with_default(subscriber(), || {
        let elsewhere = with_remote(&caller("01"), || info_span!("elsewhere"));
        let _current = info_span!("current").entered();
        assert_eq!(inside(&info_span!(parent: &elsewhere, "named")).trace_id().to_string(), TRACE);
        let root = info_span!(parent: None, "root");
        assert_ne!(inside(&root).trace_id(), Context::current().span().unwrap().trace_id());
    });
}

#[test]
fn a_filtered_span_passes_the_incoming_context_on_unchanged() {
    let off = Targets::new();
    let layer = ContextLayer::new(Pipeline::builder().build()).with_filter(Filters::new(off.clone(), off));
    with_default(registry().with(layer), || {
        let incoming = caller("03");
        let span = with_remote(&incoming, || info_span!("server"));
        let _incoming = incoming.enter();
        let _span = span.enter();
        assert_eq!(
            outgoing(),
            [
                ("traceparent".to_owned(), format!("00-{TRACE}-{CALLER}-03")),
                ("tracestate".to_owned(), "vendor=1".to_owned()),
                ("x-correlation-id".to_owned(), "c-1".to_owned()),
            ]
        );
    });
}

#[test]
fn an_unsampled_span_has_ids_but_no_record() {
    let pipeline = Pipeline::builder().sampler(AlwaysOff).build();
    with_default(registry().with(ContextLayer::new(pipeline)), || {
        let span = info_span!("quiet");
        assert_eq!(inside(&span).flags(), TraceFlags::RANDOM);
        span.edit(|_| panic!("nothing is recorded"));
    });
}

#[test]
fn a_suppressed_thread_makes_no_ids() {
    with_default(subscriber(), || {
        let _suppressed = suppress();
        assert!(info_span!("own traffic").context().span().is_none());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_threads_and_closures_carry_what_is_current() {
    let _subscriber = tracing::subscriber::set_default(subscriber());
    let span = with_remote(&caller("01"), || info_span!("request"));
    let expected = inside(&span).span_id();
    let current = || Context::current().span().map(SpanContext::span_id);

    let (task, blocking, set, thread) = {
        let _entered = span.enter();
        let mut set = tokio::task::JoinSet::new();
        set.spawn(async move { current() }.carry());
        (
            tokio::spawn(async move { current() }.carry()),
            tokio::task::spawn_blocking(carry(current)),
            set,
            std::thread::spawn(carry(current)),
        )
    };
    assert_eq!(task.await.unwrap(), Some(expected));
    assert_eq!(blocking.await.unwrap(), Some(expected));
    assert_eq!(set.join_all().await, [Some(expected)]);
    assert_eq!(thread.join().unwrap(), Some(expected));
}

#[tokio::test]
async fn a_context_without_a_span_is_carried_too() {
    let incoming = caller("01");
    let task = {
        let _incoming = incoming.enter();
        tokio::spawn(async { outgoing() }.carry())
    };
    assert_eq!(task.await.unwrap()[0].1, format!("00-{TRACE}-{CALLER}-01"));
}

#[test]
fn a_cancelled_future_is_dropped_inside_its_span() {
    struct AtDrop(std::sync::mpsc::Sender<Option<TraceId>>);
    impl Drop for AtDrop {
        fn drop(&mut self) {
            self.0.send(Context::current().span().map(SpanContext::trace_id)).unwrap();
        }
    }
    with_default(subscriber(), || {
        let (sender, receiver) = std::sync::mpsc::channel();
        let at_drop = AtDrop(sender);
        let future = with_remote(&caller("01"), || info_span!("request")).in_scope(|| {
            async move {
                let _at_drop = at_drop;
                std::future::pending::<()>().await;
            }
            .carry()
        });
        drop(future);
        assert_eq!(receiver.recv().unwrap().map(|id| id.to_string()).as_deref(), Some(TRACE));
    });
}

/// Writes down what a span layer's record would hear.
#[derive(Default)]
struct Notes(Vec<String>);

impl SpanRecord for Notes {
    fn name(&mut self, name: &str) {
        self.0.push(format!("name {name}"));
    }
    fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.0.push(format!("{key} = {value:?}"));
    }
    fn link(&mut self, context: &SpanContext, attributes: &[(&str, Value<'_>)]) {
        self.0.push(format!("link {} {attributes:?}", context.span_id()));
    }
    fn status(&mut self, status: Status<'_>) {
        self.0.push(format!("{status:?}"));
    }
    fn event(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) {
        self.0.push(format!("event {name} {attributes:?}"));
    }
}

/// Attaches [`Notes`] to every span, and sends them off when the span closes.
struct NotesLayer(std::sync::mpsc::Sender<Vec<String>>);

impl<S: Subscriber + for<'a> registry::LookupSpan<'a>> tracing_subscriber::Layer<S> for NotesLayer {
    fn on_new_span(
        &self,
        _: &tracing::span::Attributes<'_>,
        id: &tracing::span::Id,
        ctx: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let span = ctx.span(id).expect("the span is open");
        let mut extensions = span.extensions_mut();
        extensions.get_mut::<SpanData>().expect("it has its data").attach(Box::<Notes>::default());
    }

    fn on_close(&self, id: tracing::span::Id, ctx: tracing_subscriber::layer::Context<'_, S>) {
        let span = ctx.span(&id).expect("the span is closing");
        let notes = span.extensions_mut().get_mut::<SpanData>().and_then(SpanData::take::<Notes>);
        self.0.send(notes.expect("notes were attached").0).expect("the test listens");
    }
}

#[test]
fn the_span_api_says_what_tracing_cannot() {
    let (sender, receiver) = std::sync::mpsc::channel();
    with_default(subscriber().with(NotesLayer(sender)), || {
        let span = info_span!("checkout");
        let other = SpanContext::new(
            TraceId::from_hex(TRACE.as_bytes()).unwrap(),
            SpanId::from_hex(CALLER.as_bytes()).unwrap(),
            TraceFlags::SAMPLED,
        );
        span.set_name("POST /checkout")
            .set_attribute("cart.skus", ["a", "b"].as_slice())
            .add_link(&other, &[("reason", "retry".into())])
            .record_error(&std::io::Error::other("no disk"));
    });
    assert_eq!(
        receiver.recv().unwrap(),
        [
            "name POST /checkout",
            r#"cart.skus = Strs(["a", "b"])"#,
            r#"link b7ad6b7169203331 [("reason", Str("retry"))]"#,
            r#"Error("no disk")"#,
            r#"error.type = Str("std::io::error::Error")"#,
            r#"event exception [("exception.type", Str("std::io::error::Error")), ("exception.message", Str("no disk"))]"#,
        ]
    );
}

#[test]
fn a_decision_on_a_call_is_told_once_to_the_span_that_it_was_made_in() {
    let (sender, receiver) = std::sync::mpsc::channel();
    with_default(subscriber().with(NotesLayer(sender)), || {
        let mut decisions = ["breaker", "balancer"].map(|key| CallDecision::new([(key, key.into())].into()));
        let dropped = CallDecision::new([("nobody", "hears of it".into())].into());
        let [outer, inner] = &mut decisions;
        info_span!("checkout").in_scope(|| {
            drop(dropped);
            outer.within(|| {
                info_span!("a layer's own").in_scope(|| {
                    inner.within(|| {
                        info_span!("the client's").edit(describe_call);
                    });
                });
            });
        });
        info_span!("somebody else's").in_scope(|| outer.within(|| inner.within(|| ())));
    });
    let told = r#"breaker = Str("breaker")"#;
    let told_inside = r#"balancer = Str("balancer")"#;
    let expected: [&[&str]; 4] = [&[told, told_inside], &[told_inside], &[told], &[]];
    for notes in expected {
        assert_eq!(receiver.recv().unwrap(), notes);
    }
}

#[test]
fn what_one_span_is_told_by_several_comes_from_the_outside_in() {
    let (sender, receiver) = std::sync::mpsc::channel();
    with_default(subscriber().with(NotesLayer(sender)), || {
        info_span!("checkout").in_scope(|| {
            let mut decisions = ["a", "b", "c"].map(|key| CallDecision::new([(key, key.into())].into()));
            let [outer, middle, inner] = &mut decisions;
            outer.within(|| middle.within(|| inner.within(|| ())));
        });
    });
    assert_eq!(receiver.recv().unwrap(), [r#"a = Str("a")"#, r#"b = Str("b")"#, r#"c = Str("c")"#]);
}

#[test]
fn a_call_that_is_made_in_one_span_and_waited_for_in_another_is_told_to_the_one_that_waits() {
    let (sender, receiver) = std::sync::mpsc::channel();
    with_default(subscriber().with(NotesLayer(sender)), || {
        let mut decision = CallDecision::new([("limit", "2 s".into())].into());
        info_span!("makes").in_scope(|| {
            decision.before(|| {
                info_span!("the client's").edit(describe_call);
            });
        });
        info_span!("waits").in_scope(|| decision.within(|| ()));
    });
    let told = r#"limit = Str("2 s")"#;
    let expected: [&[&str]; 3] = [&[told], &[], &[told]];
    for notes in expected {
        assert_eq!(receiver.recv().unwrap(), notes);
    }
}
