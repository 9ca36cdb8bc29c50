//! From `tracing` spans to OTLP: what a Collector decodes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod contract;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use contract::{Exemption, Kept, Settings, Under, contract};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, any_value::Value as Any},
    trace::v1::Span,
};
use throughline_core::{
    AlwaysOff, Clock, Context, EdgePolicy, Pipeline, Propagator, SpanContext, SpanExt, SpanId, Status,
    TraceFlags, TraceId, Tracestate, with_remote,
};
use throughline_otlp::{SpanLayer, SpanLimits, SpanSink};
use tracing::{Dispatch, dispatcher::with_default, info, info_span, span};
use tracing_subscriber::{prelude::*, registry};

contract! {
    every_type_keeps_its_type,
    a_key_stands_once_with_its_last_value,
    name_kind_and_status_can_come_late,
    a_span_lasts_from_creation_to_close_entered_or_not,
    events_are_kept_and_an_error_line_fails_nothing,
    parents_links_and_flags_say_what_is_remote,
    what_goes_beyond_a_limit_is_counted_on_the_span,
    an_unsampled_span_leaves_nothing,
    a_span_can_close_on_another_thread,
    a_debug_that_logs_or_panics_hurts_nobody,
}

struct Setup {
    kept: Arc<Kept>,
    now: Arc<AtomicU64>,
    dispatch: Dispatch,
}

fn setup(under: Under, limits: SpanLimits) -> Setup {
    setup_with(under, Settings { limits, ..Settings::default() })
}

fn setup_with(under: Under, settings: Settings) -> Setup {
    let (kept, now) = (Arc::<Kept>::default(), Arc::new(AtomicU64::new(1_000)));
    let clock = Clock::fixed(Arc::clone(&now));
    let dispatch = under.dispatch(&kept, Settings { clock, ..settings });
    Setup { kept, now, dispatch }
}

impl Setup {
    fn run(self, work: impl FnOnce(&AtomicU64)) -> Vec<Span> {
        with_default(&self.dispatch, || work(&self.now));
        self.kept.spans()
    }

    fn one(self, work: impl FnOnce(&AtomicU64)) -> Span {
        let spans = self.run(work);
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.into_iter().next().unwrap()
    }
}

fn value(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => format!("{text:?}"),
        Some(Any::BoolValue(value)) => value.to_string(),
        Some(Any::IntValue(value)) => value.to_string(),
        Some(Any::DoubleValue(value)) => format!("{value}f"),
        Some(Any::BytesValue(bytes)) => format!("b{bytes:?}"),
        Some(Any::ArrayValue(array)) => {
            format!(
                "[{}]",
                array.values.iter().map(|one| self::value(Some(one))).collect::<Vec<_>>().join(" ")
            )
        }
        other => format!("{other:?}"),
    }
}

fn attributes(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> Vec<String> {
    attributes.iter().map(|pair| format!("{}={}", pair.key, value(pair.value.as_ref()))).collect()
}

fn other() -> SpanContext {
    let trace = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
    let span = SpanId::from_hex(b"b7ad6b7169203331").unwrap();
    SpanContext::new(trace, span, TraceFlags::SAMPLED)
}

fn every_type_keeps_its_type(under: Under) {
    let span = setup(under, SpanLimits::default()).one(|_| {
        let span = info_span!(
            "types",
            text = "a\"b\n",
            truth = true,
            small = -7_i8,
            big = u64::MAX,
            huge = i128::MAX,
            float = 1.5,
            debug = ?Some(1),
            absent = tracing::field::Empty,
            late = tracing::field::Empty,
        );
        span.record("late", 3_u32);
        span.set_attribute("texts", ["a", "b"].as_slice())
            .set_attribute("numbers", [1_i64, -1].as_slice())
            .set_attribute("bytes", [0_u8, 255].as_slice())
            .set_attribute("long", &"x".repeat(300));
    });
    let mut expected: Vec<String> = [
        r#"text="a\"b\n""#,
        "truth=true",
        "small=-7",
        r#"big="18446744073709551615""#,
        r#"huge="170141183460469231731687303715884105727""#,
        "float=1.5f",
        r#"debug="Some(1)""#,
        "late=3",
        r#"texts=["a" "b"]"#,
        "numbers=[1 -1]",
        if under.is_exempt(Exemption::BytesAreText) { r#"bytes="[0, 255]""# } else { "bytes=b[0, 255]" },
    ]
    .map(str::to_owned)
    .to_vec();
    expected.push(format!("long={:?}", "x".repeat(300)));
    assert_eq!(attributes(&span.attributes), expected);
}

fn a_key_stands_once_with_its_last_value(under: Under) {
    let span = setup(under, SpanLimits::default().attributes(2)).one(|_| {
        let span = info_span!("keys", a = 1, b = 2);
        span.record("a", "longer than before");
        span.set_attribute("b", false).set_attribute("a", 3);
    });
    assert_eq!(attributes(&span.attributes), ["b=false", "a=3"]);
    assert_eq!(span.dropped_attributes_count, 0);
}

fn name_kind_and_status_can_come_late(under: Under) {
    let span = setup(under, SpanLimits::default()).one(|_| {
        let span = info_span!("early", otel.name = tracing::field::Empty, otel.kind = "SERVER");
        span.record("otel.name", "GET /late");
        span.set_status(Status::Error("out of stock"));
    });
    let status = span.status.unwrap();
    assert_eq!((span.name.as_str(), span.kind), ("GET /late", 2));
    assert_eq!((status.code, status.message.as_str()), (2, "out of stock"));
    assert!(span.attributes.is_empty(), "{:?}", span.attributes);
}

fn a_span_lasts_from_creation_to_close_entered_or_not(under: Under) {
    let span = setup(under, SpanLimits::default()).one(|now| {
        let span = info_span!("held");
        now.store(2_000, Ordering::Relaxed);
        span.in_scope(|| ());
        now.store(5_000, Ordering::Relaxed);
        drop(span);
    });
    assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (1_000, 5_000));
}

fn events_are_kept_and_an_error_line_fails_nothing(under: Under) {
    let span = setup(under, SpanLimits::default()).one(|now| {
        let _span = info_span!("work").entered();
        now.store(1_500, Ordering::Relaxed);
        tracing::error!(order.id = 17, reason = ?"late", "not found, trying elsewhere");
    });
    let [event] = span.events.as_slice() else { panic!("{:?}", span.events) };
    assert_eq!((event.name.as_str(), event.time_unix_nano), ("not found, trying elsewhere", 1_500));
    assert_eq!(
        attributes(&event.attributes),
        [r#"level="ERROR""#, r#"target="span_layer""#, "order.id=17", r#"reason="\"late\"""#]
    );
    assert!(span.status.is_none());
}

fn parents_links_and_flags_say_what_is_remote(under: Under) {
    let headers = vec![
        ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03".to_owned()),
        ("tracestate".to_owned(), "v=1".to_owned()),
        ("x-correlation-id".to_owned(), "c-1".to_owned()),
    ];
    let spans = setup(under, SpanLimits::default()).run(|_| {
        let incoming = Propagator::default().extract(&headers, &EdgePolicy::trust());
        let server = with_remote(&incoming, || info_span!("server"));
        let child = server.in_scope(|| info_span!("child"));
        let linked = other().remote(true).with_tracestate(Tracestate::parse(b"w=2").unwrap());
        child.add_link(&linked, &[("why", "batch".into())]);
    });
    let [child, server] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(server.parent_span_id, other().span_id().to_bytes());
    assert_eq!((server.flags, child.flags), (0x303, 0x103));
    assert_eq!((server.trace_state.as_str(), child.trace_state.as_str()), ("v=1", "v=1"));
    assert_eq!((&child.parent_span_id, &child.trace_id), (&server.span_id, &server.trace_id));
    assert_eq!(attributes(&child.attributes), [r#"correlation.id="c-1""#]);
    let [link] = child.links.as_slice() else { panic!("{:?}", child.links) };
    assert_eq!((link.flags, link.trace_state.as_str()), (0x301, "w=2"));
    assert_eq!(
        (&link.span_id, attributes(&link.attributes)),
        (&other().span_id().to_bytes().to_vec(), vec![r#"why="batch""#.to_owned()])
    );
}

fn what_goes_beyond_a_limit_is_counted_on_the_span(under: Under) {
    let limits = SpanLimits::default()
        .attributes(2)
        .events(1)
        .links(1)
        .event_attributes(3)
        .link_attributes(1)
        .value_chars(Some(3));
    let span = setup(under, limits).one(|_| {
        let span = info_span!("full", a = "äöüß", b = 1, c = 2, d = 3);
        span.in_scope(|| {
            info!(x = 1, y = 2, "one");
            info!("two");
        });
        span.add_link(&other(), &[("p", 1.into()), ("q", 2.into())]).add_link(&other(), &[]);
    });
    assert_eq!(attributes(&span.attributes), [r#"a="äöü""#, "b=1"]);
    assert_eq!(
        (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
        (2, 1, 1)
    );
    assert_eq!((span.events[0].attributes.len(), span.events[0].dropped_attributes_count), (3, 1));
    assert_eq!((span.links[0].attributes.len(), span.links[0].dropped_attributes_count), (1, 1));
}

fn an_unsampled_span_leaves_nothing(under: Under) {
    let pipeline = Pipeline::builder().sampler(AlwaysOff).build();
    let spans = setup_with(under, Settings { pipeline, ..Settings::default() }).run(|_| {
        let span = info_span!("quiet", a = 1);
        span.record("a", 2);
        span.in_scope(|| info!("nothing"));
        span.set_attribute("b", 1);
    });
    assert!(spans.is_empty(), "{spans:?}");
}

fn a_span_can_close_on_another_thread(under: Under) {
    let setup = setup(under, SpanLimits::default());
    let dispatch = setup.dispatch.clone();
    let span = setup.one(|_| {
        let span = info_span!("wandering");
        std::thread::spawn(move || with_default(&dispatch, || drop(span))).join().unwrap();
    });
    assert_eq!(span.name, "wandering");
}

fn a_debug_that_logs_or_panics_hurts_nobody(under: Under) {
    struct Logs;
    impl std::fmt::Debug for Logs {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!("from inside a Debug");
            tracing::Span::current().set_attribute("inner", 1);
            f.write_str("logs")
        }
    }
    struct Panics;
    impl std::fmt::Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no")
        }
    }
    let spans = setup(under, SpanLimits::default()).run(|_| {
        let span = info_span!("outer", late = tracing::field::Empty).entered();
        span.record("late", tracing::field::debug(Logs));
        let _inner = info_span!("inner", value = ?Logs, bad = ?Panics).entered();
        info!(value = ?Logs, bad = ?Panics, "event");
    });
    let [inner, outer] = spans.as_slice() else { panic!("{spans:?}") };
    assert!(attributes(&outer.attributes).contains(&r#"late="logs""#.to_owned()), "{outer:?}");
    let bad = attributes(&inner.attributes).into_iter().find(|one| one.starts_with("bad=")).unwrap();
    assert!(bad.contains("panicked"), "{bad}");
}

#[test]
fn without_the_context_layer_below_nothing_happens() {
    let kept = Arc::<Kept>::default();
    let layer = SpanLayer::new(Arc::clone(&kept) as Arc<dyn SpanSink>);
    with_default(&Dispatch::new(registry().with(layer)), || {
        span!(tracing::Level::INFO, "alone").in_scope(|| info!("nothing"));
        assert!(Context::current().span().is_none());
    });
    assert!(kept.is_empty());
}
