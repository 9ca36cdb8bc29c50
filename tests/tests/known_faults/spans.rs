//! Spans as they live.

use std::{fmt, time::Duration};

use throughline::{SpanExt, Value};
use throughline_testing::{
    Capture, TreeText,
    collector::{AttributeValue, Status},
};
use tracing::field::Empty;

/// `otel.name` and `otel.kind` that are recorded after the start are ignored.
#[test]
fn a_late_name_works() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let span = tracing::info_span!("request", otel.name = Empty, otel.kind = Empty);
        span.record("otel.name", "GET /orders/{id}").record("otel.kind", "server");
        tracing::info_span!("other").set_name("renamed");
    });
    assert_eq!(capture.tree(), "orders: GET /orders/{id} (server) #1\norders: renamed (internal) #2");
}

/// `u64`, `i128`, `u128` and `u16` become texts.
#[test]
fn a_number_stays_a_number() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let span =
            tracing::info_span!("order", a = 5_u64, b = 5_i128, c = 5_u128, d = 5_u16, e = 5_usize, f = 0.5);
        span.set_attribute("list", [1_i64, 2].as_slice());
    });
    let span = capture.span("order");
    for key in ["a", "b", "c", "d", "e"] {
        assert_eq!(span.attribute(key), Some(&AttributeValue::Int(5)), "{key}");
    }
    assert_eq!(span.attribute("f"), Some(&AttributeValue::Double(0.5)));
    assert!(matches!(span.attribute("list"), Some(AttributeValue::Array(list)) if list.len() == 2));
}

/// The `record` of an undeclared field is dropped by `tracing`, without a word.
#[test]
fn an_undeclared_attribute_can_be_set() {
    let capture = Capture::new("orders");
    capture.run(|| {
        tracing::info_span!("order").set_attribute("late", "value");
    });
    assert!(capture.span("order").attribute("late").is_some_and(|value| *value == *"value"));
}

/// Any ERROR event fails the span: handled errors look like failures.
#[test]
fn an_error_line_is_no_verdict_on_its_span() {
    let capture = Capture::new("orders");
    capture.run(|| tracing::info_span!("order").in_scope(|| tracing::error!("tried again, went well")));
    assert_eq!(capture.span("order").status, Status::Unset);
}

/// A span ends at its last exit: held open but not entered, it is too short.
#[test]
fn a_span_ends_when_it_is_closed() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let span = tracing::info_span!("held");
        span.in_scope(|| ());
        let later = tracing::info_span!("later");
        drop(later);
        drop(span);
    });
    let (held, later) = (capture.span("held"), capture.span("later"));
    assert!(held.end_unix_nanos >= later.end_unix_nanos, "it was open all the while");
    assert!(held.duration() < Duration::from_secs(10));
}

/// Every event is kept, without limit (tokio-rs/tracing#2500): memory grows with a long span.
#[test]
fn events_have_a_limit_and_a_count() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let _span = tracing::info_span!("long").entered();
        for step in 0..1_000 {
            tracing::info!(step, "step");
        }
    });
    let span = capture.span("long");
    assert_eq!((span.events.len(), span.dropped_events_count), (128, 872));
}

/// The layer holds its lock while a value is formatted, which logs: a deadlock (tracing-opentelemetry#250, #260).
#[test]
fn a_debug_that_traces_hangs_nobody() {
    struct Chatty;
    impl fmt::Debug for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info_span!("inside").in_scope(|| tracing::info!("formatting"));
            f.write_str("chatty")
        }
    }
    let capture = Capture::new("orders");
    capture.run(|| {
        let span = tracing::info_span!("order", value = ?Chatty, late = Empty);
        span.record("late", tracing::field::debug(Chatty));
        span.in_scope(|| tracing::info!(event = ?Chatty, "accepted"));
    });
    assert!(capture.span("order").attribute("late").is_some_and(|value| *value == *"chatty"));
}

/// Location, thread and busy times stand on every span: double the bytes.
#[test]
fn a_span_holds_what_was_put_there() {
    let capture = Capture::new("orders");
    capture.run(|| drop(tracing::info_span!("order", id = 7)));
    let span = capture.span("order");
    assert_eq!(span.attributes.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["id"]);
}

/// Unsampled spans cost nearly the same.
#[test]
fn an_unsampled_span_keeps_nothing_and_passes_its_ids_on() {
    let capture = Capture::builder("orders").sampler(throughline::core::AlwaysOff).build();
    capture.run(|| {
        tracing::info_span!("order", id = 7).in_scope(|| {
            let mut edits = 0;
            tracing::Span::current().edit(|_| edits += 1);
            assert_eq!(edits, 0, "nobody looks at a record");
            let headers = crate::scene::outgoing();
            assert!(crate::scene::get_header(&headers, "traceparent").unwrap().ends_with("-02"));
            tracing::info!("accepted");
        });
    });
    assert!(capture.spans().is_empty());
    assert_eq!(capture.lines()[0]["trace_flags"], "02");
}

/// No links and no arrays of attributes in `tracing`.
#[test]
fn a_link_can_have_attributes() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let first = tracing::info_span!("first").context();
        let second = tracing::info_span!("second");
        second.add_link(first.span().unwrap(), &[("reason", Value::Str("retry"))]);
    });
    let tree = capture.tree_with(&TreeText::new());
    assert_eq!(tree, "orders: first (internal) #1\norders: second (internal) #2 links #1");
    assert!(capture.span("second").links[0].attributes.get("reason").is_some());
}
