//! A `Debug` of the user's that traces, under the subscriber of the whole process.
//!
//! `tracing` ignores what is said inside a callback of a scoped subscriber, but not under the global one.

#![expect(clippy::indexing_slicing, reason = "helpers of tests are tests, too")]

use std::{
    fmt,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use throughline_core::SpanExt;
use tracing::{field::Empty, info, info_span};

use super::{Kept, Settings, Under};

/// A deadlock would last longer.
const DEADLINE: Duration = Duration::from_secs(20);

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

/// Installs the layer for the whole process: once a program.
pub(crate) fn a_debug_that_traces_or_panics_neither_hangs_nor_mixes_anything_up(under: Under) {
    let kept = Arc::<Kept>::default();
    tracing::dispatcher::set_global_default(under.dispatch(&kept, Settings::default())).unwrap();

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

    let spans = kept.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["inside", "inside", "born", "inside", "outer"]);
    let outer = spans.last().unwrap();
    let events: Vec<_> = outer.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["from inside", "event", "from inside", "from inside", "before the panic", "broken"]);
    let target = module_path!();
    assert_eq!(pairs(&outer.events[0].attributes), format!("level=\"INFO\" target={target:?} inner=true"));
    assert_eq!(
        pairs(&outer.events[1].attributes),
        format!("level=\"INFO\" target={target:?} before=1 echo=\"echo\" after=2")
    );
    let broken = pairs(&outer.events[5].attributes);
    assert!(broken.contains(r#"before=1 broken="half"#) && broken.ends_with("after=2"), "{broken}");
    assert_eq!(pairs(&spans[2].attributes), r#"before=1 echo="echo" after=2"#);
    assert_eq!(pairs(&outer.attributes), r#"inside=1 late="echo""#);
    assert!(
        spans.iter().filter(|span| span.name == "inside").all(|span| span.parent_span_id == outer.span_id)
    );
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
