//! A `Debug` of the user's that traces, under the subscriber of the whole process.
//!
//! `tracing` ignores what is said inside a callback of a scoped subscriber, but not under the global one. So this is a
//! program of its own with a single test.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fmt,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use prost::Message;
use throughline_core::{ContextLayer, Pipeline, SpanExt};
use throughline_otlp::{Envelope, SpanLayer, SpanSink};
use tracing::{field::Empty, info, info_span};
use tracing_subscriber::{prelude::*, registry};

/// A deadlock would last longer.
const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Kept(Mutex<Vec<u8>>);

impl SpanSink for Kept {
    fn accept(&self, span: &[u8]) {
        self.0.lock().expect("no test panics inside").extend_from_slice(span);
    }
}

/// Uses every part of the span API on the current span while it is being formatted.
struct Echo;

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ec")?;
        info!(inner = true, "from inside");
        tracing::Span::current().set_attribute("inside", 1).record("late", "inside");
        info_span!("inside", text = "x").in_scope(|| info!("deeper"));
        f.write_str("ho")
    }
}

/// Gets as far as an event, then panics.
struct Breaks;

impl fmt::Debug for Breaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        info!("before the panic");
        panic!("on purpose")
    }
}

#[test]
fn a_debug_that_traces_or_panics_neither_hangs_nor_mixes_anything_up() {
    let kept = Arc::<Kept>::default();
    let layer = SpanLayer::new(Arc::clone(&kept) as Arc<dyn SpanSink>);
    registry().with(ContextLayer::new(Pipeline::builder().build())).with(layer).init();

    let (done, ended) = mpsc::channel();
    let work = thread::spawn(move || {
        let outer = info_span!("outer", late = Empty).entered();
        info!(before = 1, echo = ?Echo, after = 2, "event");
        drop(info_span!("born", before = 1, echo = ?Echo, after = 2));
        outer.record("late", tracing::field::debug(Echo));
        info!(before = 1, broken = ?Breaks, after = 2, "broken");
        drop(outer);
        done.send(()).unwrap();
    });
    ended.recv_timeout(DEADLINE).expect("the work ends: nothing waits for itself, nothing panics");
    work.join().unwrap();

    let spans = decode(&kept.0.lock().unwrap());
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["inside", "inside", "born", "inside", "outer"]);
    let outer = spans.last().unwrap();
    let events: Vec<_> = outer.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["from inside", "event", "from inside", "from inside", "before the panic", "broken"]);
    assert_eq!(pairs(&outer.events[0].attributes), r#"level="INFO" target="span_reentry" inner=true"#);
    assert_eq!(
        pairs(&outer.events[1].attributes),
        r#"level="INFO" target="span_reentry" before=1 echo="echo" after=2"#
    );
    let broken = pairs(&outer.events[5].attributes);
    assert!(broken.contains(r#"before=1 broken="half"#) && broken.ends_with("after=2"), "{broken}");
    assert_eq!(pairs(&spans[2].attributes), r#"before=1 echo="echo" after=2"#);
    assert_eq!(pairs(&outer.attributes), r#"inside=1 late="echo""#);
    assert!(
        spans.iter().filter(|span| span.name == "inside").all(|span| span.parent_span_id == outer.span_id)
    );
}

fn decode(spans: &[u8]) -> Vec<Span> {
    let request = Envelope::new([]).around(spans);
    let mut request = ExportTraceServiceRequest::decode(request.as_slice()).unwrap();
    request.resource_spans.pop().unwrap().scope_spans.pop().unwrap().spans
}

fn pairs(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    let pair = |key: &str, value: Option<&Any>| match value {
        Some(Any::StringValue(text)) => format!("{key}={text:?}"),
        Some(Any::BoolValue(value)) => format!("{key}={value}"),
        Some(Any::IntValue(value)) => format!("{key}={value}"),
        other => format!("{key}={other:?}"),
    };
    let all =
        attributes.iter().map(|one| pair(&one.key, one.value.as_ref().and_then(|any| any.value.as_ref())));
    all.collect::<Vec<_>>().join(" ")
}
