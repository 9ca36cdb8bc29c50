//! Spans at the edges of what `tracing` allows, as a Collector decodes them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as Any,
    trace::v1::{Span, span::Event},
};
use prost::Message;
use throughline_core::{ContextLayer, Filters, Pipeline, SpanExt, Status, suppress};
use throughline_otlp::{Envelope, SpanLayer, SpanLimits, SpanSink};
use tracing::{Dispatch, dispatcher::with_default, field::Empty, info, info_span};
use tracing_subscriber::{prelude::*, registry};

#[derive(Default)]
struct Kept(Mutex<Vec<u8>>);

impl SpanSink for Kept {
    fn accept(&self, span: &[u8]) {
        self.0.lock().expect("no test panics inside").extend_from_slice(span);
    }
}

fn capture(work: impl FnOnce()) -> Vec<Span> {
    capture_with(|layer| layer, work)
}

fn capture_with(set: impl FnOnce(SpanLayer) -> SpanLayer, work: impl FnOnce()) -> Vec<Span> {
    let kept = Arc::<Kept>::default();
    let layer = set(SpanLayer::new(Arc::clone(&kept) as Arc<dyn SpanSink>));
    let context = ContextLayer::new(Pipeline::builder().build());
    with_default(&Dispatch::new(registry().with(context).with(layer)), work);
    let request = Envelope::new([]).around(&kept.0.lock().unwrap());
    let mut request = ExportTraceServiceRequest::decode(request.as_slice()).unwrap();
    request.resource_spans.pop().unwrap().scope_spans.pop().unwrap().spans
}

fn one(work: impl FnOnce()) -> Span {
    let mut spans = capture(work);
    assert_eq!(spans.len(), 1, "{spans:?}");
    spans.pop().unwrap()
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn event_names(span: &Span) -> Vec<&str> {
    span.events.iter().map(|event| event.name.as_str()).collect()
}

fn text<'a>(event: &'a Event, key: &str) -> Option<&'a str> {
    let pair = event.attributes.iter().find(|pair| pair.key == key)?;
    match pair.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

#[test]
fn a_span_may_name_its_parent_or_refuse_one() {
    let spans = capture(|| {
        let first = info_span!("first");
        let _second = info_span!("second").entered();
        drop(info_span!(parent: &first, "child of first"));
        drop(info_span!(parent: None, "root"));
    });
    let [child, root, second, first] = spans.as_slice() else { panic!("{:?}", names(&spans)) };
    assert_eq!((&child.parent_span_id, &child.trace_id), (&first.span_id, &first.trace_id));
    assert!(root.parent_span_id.is_empty(), "{root:?}");
    assert!([&first.trace_id, &second.trace_id].iter().all(|trace| **trace != root.trace_id));
}

#[test]
fn an_event_may_name_its_span_or_refuse_one() {
    let spans = capture(|| {
        let named = info_span!("named");
        let _current = info_span!("current").entered();
        info!(parent: &named, "elsewhere");
        info!(parent: None, "nowhere");
        info!("here");
    });
    let [current, named] = spans.as_slice() else { panic!("{:?}", names(&spans)) };
    assert_eq!((event_names(current), event_names(named)), (vec!["here"], vec!["elsewhere"]));
}

#[test]
fn an_event_without_a_message_has_the_name_of_its_call_site() {
    let span = one(|| info_span!("span").in_scope(|| info!(answer = 42)));
    let [event] = span.events.as_slice() else { panic!("{span:?}") };
    assert!(event.name.starts_with("event ") && event.name.contains("span_edges.rs"), "{}", event.name);
    assert_eq!(text(event, "level"), Some("INFO"));
}

#[test]
fn each_kind_is_known_in_any_case_and_may_come_late() {
    let kinds = [
        ("internal", 1),
        ("SERVER", 2),
        ("Client", 3),
        ("producer", 4),
        ("consumer", 5),
        ("no such kind", 1),
    ];
    for (kind, number) in kinds {
        let early = one(|| drop(info_span!("span", otel.kind = kind)));
        let late = one(|| {
            info_span!("span", otel.kind = Empty).record("otel.kind", tracing::field::display(kind));
        });
        assert_eq!((early.kind, late.kind), (number, number), "{kind}");
    }
}

#[test]
fn a_status_at_birth_is_one_set_later_is_another() {
    let ok = one(|| drop(info_span!("span", otel.status_code = "Ok")));
    let described =
        one(|| drop(info_span!("span", otel.status_code = "ERROR", otel.status_message = "late")));
    let failed = one(|| {
        info_span!("span", otel.status_code = Empty).record("otel.status_code", "error");
    });
    let taken_back = one(|| {
        info_span!("span").set_status(Status::Error("too early")).set_status(Status::Unset);
    });
    let code = |span: &Span| span.status.as_ref().map(|status| status.code);
    assert_eq!([&ok, &failed, &taken_back].map(code), [Some(1), Some(2), None]);
    let status = described.status.unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "late"));
}

#[test]
fn an_error_becomes_status_type_and_one_event() {
    let span = one(|| {
        let error = std::io::Error::other("disk full");
        info_span!("span").record_error(&error);
    });
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "disk full"));
    let [event] = span.events.as_slice() else { panic!("{span:?}") };
    assert_eq!((event.name.as_str(), text(event, "exception.message")), ("exception", Some("disk full")));
    assert!(text(event, "exception.type").is_some_and(|kind| kind.ends_with("Error")), "{event:?}");
}

#[test]
fn an_error_as_a_field_is_a_text() {
    let span = one(|| {
        let error = std::io::Error::other("disk full");
        info_span!("span").in_scope(|| info!(error = &error as &dyn std::error::Error, "trying again"));
    });
    assert_eq!(text(&span.events[0], "error"), Some("disk full"));
    assert!(span.status.is_none(), "{span:?}");
}

#[test]
fn filters_decide_which_events_are_kept() {
    let filters = Filters::new("trace".parse().unwrap(), "info,noisy=off".parse().unwrap());
    let spans = capture_with(
        |layer| layer.filters(filters),
        || {
            let _span = info_span!("span").entered();
            info!("kept");
            tracing::debug!("too detailed");
            info!(target: "noisy", "switched off");
        },
    );
    assert_eq!(event_names(&spans[0]), ["kept"]);
}

#[test]
fn a_suppressed_thread_leaves_neither_spans_nor_events() {
    let spans = capture(|| {
        let span = info_span!("span").entered();
        let guard = suppress();
        info_span!("not observed").in_scope(|| info!("neither"));
        info!("nor this");
        drop(guard);
        info!("observed");
        drop(span);
    });
    assert_eq!((names(&spans), event_names(&spans[0])), (vec!["span"], vec!["observed"]));
}

#[test]
fn an_event_beyond_the_limit_is_counted_not_kept() {
    let spans = capture_with(
        |layer| layer.limits(SpanLimits::default().events(0)),
        || info_span!("span").in_scope(|| (0..300).for_each(|_| info!("again"))),
    );
    assert_eq!((spans[0].events.len(), spans[0].dropped_events_count), (0, 300));
}

#[test]
fn buffers_of_an_earlier_span_leave_no_trace_in_a_later_one() {
    let spans = capture(|| {
        let full = info_span!("full", otel.kind = "server", a = 1).entered();
        info!("event");
        full.set_status(Status::Error("no")).add_link(&full.context().span().unwrap().clone(), &[]);
        drop(full);
        drop(info_span!("empty"));
    });
    let [full, empty] = spans.as_slice() else { panic!("{:?}", names(&spans)) };
    assert_eq!((full.kind, full.attributes.len(), full.events.len(), full.links.len()), (2, 1, 1, 1));
    let bare = Span {
        trace_id: empty.trace_id.clone(),
        span_id: empty.span_id.clone(),
        flags: empty.flags,
        start_time_unix_nano: empty.start_time_unix_nano,
        end_time_unix_nano: empty.end_time_unix_nano,
        name: "empty".to_owned(),
        kind: 1,
        ..Span::default()
    };
    assert_eq!(*empty, bare);
}
