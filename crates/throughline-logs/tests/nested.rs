//! An application that logs from inside its own `Debug`. Alone in its process: `tracing` itself keeps nested events away
//! from a subscriber that is set for one thread only.

use std::fmt;

use throughline_core::{ContextLayer, Pipeline};
use throughline_logs::{JsonLayer, Memory};
use tracing::{field::Empty, info, info_span};
use tracing_subscriber::prelude::*;

struct Talkative(&'static str);

impl fmt::Debug for Talkative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(inner = self.0, "nested");
        f.write_str("talkative")
    }
}

#[test]
fn nested_events_get_lines_of_their_own() {
    let lines = Memory::new();
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(Pipeline::builder().build()))
        .with(JsonLayer::builder("orders").writer(lines.clone()).build());
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let outer = info_span!("outer", kept = 1, late = Empty).entered();
    info!(value = ?Talkative("event"), after = 2, "outer {:?}", Talkative("message"));
    outer.record("late", tracing::field::debug(Talkative("record")));
    let _inner = info_span!("inner", born = ?Talkative("span")).entered();
    info!("last");

    let lines = lines.lines();
    let parsed: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let nested = ["message", "event", "record", "span"];
    let inner: Vec<_> = parsed.iter().filter_map(|line| line["inner"].as_str()).collect();
    assert!(nested.iter().all(|name| inner.contains(name)), "{lines:#?}");
    assert!(parsed.iter().all(|line| line["kept"] == 1), "{lines:#?}");
    let event = parsed.iter().find(|line| line["message"] == "outer talkative").unwrap();
    assert_eq!((&event["value"], &event["after"]), (&"talkative".into(), &2.into()));
    let last = parsed.last().unwrap();
    assert_eq!((&last["born"], &last["late"]), (&"talkative".into(), &"talkative".into()));
}
