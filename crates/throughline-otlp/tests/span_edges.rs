//! Spans at the edges of what `tracing` allows, as a Collector decodes them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod contract;

use std::sync::Arc;

use contract::{Exemption, Kept, Settings, Under, contract};
use opentelemetry_proto::tonic::{
    common::v1::any_value::Value as Any,
    trace::v1::{Span, span::Event},
};
use throughline_core::{Baggage, BaggageFields, Context, Filters, SpanExt, Status, Tracestate, suppress};
use throughline_otlp::SpanLimits;
use tracing::{dispatcher::with_default, field::Empty, info, info_span};

contract! {
    a_span_may_name_its_parent_or_refuse_one,
    an_event_may_name_its_span_or_refuse_one,
    an_event_without_a_message_has_the_name_of_its_call_site,
    each_kind_is_known_in_any_case_and_may_come_late,
    a_status_at_birth_is_one_set_later_is_another,
    an_error_becomes_status_type_and_one_event,
    an_error_as_a_field_is_a_text,
    filters_decide_which_events_are_kept,
    a_suppressed_thread_leaves_neither_spans_nor_events,
    an_event_beyond_the_limit_is_counted_not_kept,
    buffers_of_an_earlier_span_leave_no_trace_in_a_later_one,
    a_link_keeps_the_vendor_state_of_the_span_it_points_to,
    an_attribute_may_be_written_again_and_again,
    baggage_on_the_list_becomes_an_attribute,
}

fn capture(under: Under, work: impl FnOnce()) -> Vec<Span> {
    capture_with(under, Settings::default(), work)
}

fn capture_with(under: Under, settings: Settings, work: impl FnOnce()) -> Vec<Span> {
    let kept = Arc::<Kept>::default();
    with_default(&under.dispatch(&kept, settings), work);
    kept.spans()
}

fn one(under: Under, work: impl FnOnce()) -> Span {
    let mut spans = capture(under, work);
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

fn a_span_may_name_its_parent_or_refuse_one(under: Under) {
    let spans = capture(under, || {
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

fn an_event_may_name_its_span_or_refuse_one(under: Under) {
    let spans = capture(under, || {
        let named = info_span!("named");
        let _current = info_span!("current").entered();
        info!(parent: &named, "elsewhere");
        info!(parent: None, "nowhere");
        info!("here");
    });
    let [current, named] = spans.as_slice() else { panic!("{:?}", names(&spans)) };
    assert_eq!((event_names(current), event_names(named)), (vec!["here"], vec!["elsewhere"]));
}

fn an_event_without_a_message_has_the_name_of_its_call_site(under: Under) {
    let span = one(under, || info_span!("span").in_scope(|| info!(answer = 42)));
    let [event] = span.events.as_slice() else { panic!("{span:?}") };
    assert!(event.name.starts_with("event ") && event.name.contains("span_edges.rs"), "{}", event.name);
    assert_eq!(text(event, "level"), Some("INFO"));
}

fn each_kind_is_known_in_any_case_and_may_come_late(under: Under) {
    let kinds = [
        ("internal", 1),
        ("SERVER", 2),
        ("Client", 3),
        ("producer", 4),
        ("consumer", 5),
        ("no such kind", 1),
    ];
    for (kind, number) in kinds {
        let early = one(under, || drop(info_span!("span", otel.kind = kind)));
        let late = one(under, || {
            info_span!("span", otel.kind = Empty).record("otel.kind", tracing::field::display(kind));
        });
        assert_eq!((early.kind, late.kind), (number, number), "{kind}");
    }
}

fn a_status_at_birth_is_one_set_later_is_another(under: Under) {
    let ok = one(under, || drop(info_span!("span", otel.status_code = "Ok")));
    let described =
        one(under, || drop(info_span!("span", otel.status_code = "ERROR", otel.status_message = "late")));
    let failed = one(under, || {
        info_span!("span", otel.status_code = Empty).record("otel.status_code", "error");
    });
    let taken_back = one(under, || {
        info_span!("span").set_status(Status::Error("too early")).set_status(Status::Unset);
    });
    let code = |span: &Span| span.status.as_ref().map(|status| status.code);
    let back = if under.is_exempt(Exemption::StatusOnlyRises) { Some(2) } else { None };
    assert_eq!([&ok, &failed, &taken_back].map(code), [Some(1), Some(2), back]);
    let status = described.status.unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "late"));
}

fn an_error_becomes_status_type_and_one_event(under: Under) {
    let span = one(under, || {
        let error = std::io::Error::other("disk full");
        info_span!("span").record_error(&error);
    });
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "disk full"));
    let [event] = span.events.as_slice() else { panic!("{span:?}") };
    assert_eq!((event.name.as_str(), text(event, "exception.message")), ("exception", Some("disk full")));
    assert!(text(event, "exception.type").is_some_and(|kind| kind.ends_with("Error")), "{event:?}");
}

fn an_error_as_a_field_is_a_text(under: Under) {
    let span = one(under, || {
        let error = std::io::Error::other("disk full");
        info_span!("span").in_scope(|| info!(error = &error as &dyn std::error::Error, "trying again"));
    });
    assert_eq!(text(&span.events[0], "error"), Some("disk full"));
    assert!(span.status.is_none(), "{span:?}");
}

fn filters_decide_which_events_are_kept(under: Under) {
    let filters = Filters::new("trace".parse().unwrap(), "info,noisy=off".parse().unwrap());
    let spans = capture_with(under, Settings { filters: Some(filters), ..Settings::default() }, || {
        let _span = info_span!("span").entered();
        info!("kept");
        tracing::debug!("too detailed");
        info!(target: "noisy", "switched off");
    });
    assert_eq!(event_names(&spans[0]), ["kept"]);
}

fn a_suppressed_thread_leaves_neither_spans_nor_events(under: Under) {
    let spans = capture(under, || {
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

fn an_event_beyond_the_limit_is_counted_not_kept(under: Under) {
    let spans = capture_with(
        under,
        Settings { limits: SpanLimits::default().events(0), ..Settings::default() },
        || info_span!("span").in_scope(|| (0..300).for_each(|_| info!("again"))),
    );
    assert_eq!((spans[0].events.len(), spans[0].dropped_events_count), (0, 300));
}

fn buffers_of_an_earlier_span_leave_no_trace_in_a_later_one(under: Under) {
    let spans = capture(under, || {
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

fn a_link_keeps_the_vendor_state_of_the_span_it_points_to(under: Under) {
    let linked = |state: &str| {
        let span = one(under, || {
            let span = info_span!("span");
            let own = span.context().span().unwrap().clone();
            span.add_link(&own.with_tracestate(Tracestate::parse(state.as_bytes()).unwrap()), &[]);
        });
        span.links[0].trace_state.clone()
    };
    assert_eq!(linked("a@b=1,c=2"), "a@b=1,c=2");
    // A key that Level 2 of the recommendation allows and Level 1 did not.
    let second_level = if under.is_exempt(Exemption::LinkedStateMayBeLost) { "" } else { "a@b@c=1" };
    assert_eq!(linked("a@b@c=1"), second_level);
}

fn an_attribute_may_be_written_again_and_again(under: Under) {
    let written = |times: i64| {
        let span = one(under, || {
            let span = info_span!("span");
            (0..times).for_each(|number| _ = span.set_attribute("number", number));
        });
        assert_eq!(span.attributes.len(), 1);
        let Some(Any::IntValue(last)) = span.attributes[0].value.as_ref().unwrap().value else {
            panic!("{span:?}")
        };
        (last, span.dropped_attributes_count)
    };
    assert_eq!(written(1_000), (999, 0));
    let often = if under.is_exempt(Exemption::ManyWritesAreCapped) { (1_023, 976) } else { (1_999, 0) };
    assert_eq!(written(2_000), often);
}

fn baggage_on_the_list_becomes_an_attribute(under: Under) {
    let settings = Settings { baggage: BaggageFields::new(["tenant"]), ..Settings::default() };
    let spans = capture_with(under, settings, || {
        let baggage = Baggage::default().insert("tenant", "blue").unwrap().insert("other", "no").unwrap();
        let _around = Context::default().with_baggage(baggage).enter();
        drop(info_span!("span"));
    });
    let keys: Vec<_> = spans[0].attributes.iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(keys, ["baggage.tenant"]);
}
