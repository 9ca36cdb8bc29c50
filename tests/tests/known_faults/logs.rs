//! Log lines.

use std::{error::Error, fmt, io};

use serde_json::{Value, json};
use throughline::logs::{JsonLayer, Memory, NonBlocking};
use throughline_testing::Capture;
use tracing_subscriber::prelude::*;

fn line(work: impl FnOnce()) -> Value {
    let capture = Capture::new("orders");
    capture.run(work);
    let mut lines = capture.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The text of one line, as it was written.
fn raw(work: impl FnOnce()) -> String {
    let lines = Memory::new();
    let layer = JsonLayer::builder("orders").writer(lines.clone()).build();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    lines.lines().remove(0)
}

/// No trace and no span id on a line (tokio-rs/tracing#1481, open since 2021).
#[test]
fn every_line_has_the_ids_of_its_work() {
    let capture = Capture::new("orders");
    capture.run(|| tracing::info_span!("order").in_scope(|| tracing::info!("accepted")));
    let (line, span) = (&capture.lines()[0], capture.span("order"));
    assert_eq!(line["trace_id"], span.trace_id.to_string());
    assert_eq!(line["span_id"], span.span_id.to_string());
    assert_eq!(line["trace_flags"], "03");
}

/// Two `level`, `timestamp`, `target` or `message` on a line: a parser keeps any of them.
#[test]
fn every_key_stands_once() {
    let line = raw(|| {
        let _outer = tracing::info_span!("outer", level = 1, id = "outer").entered();
        let _inner = tracing::info_span!("inner", id = "inner").entered();
        tracing::info!(level = 2, timestamp = 3, target = "mine", service = 4, id = "event", "accepted");
    });
    let parsed: Value = serde_json::from_str(&line).unwrap();
    for key in ["level", "timestamp", "target", "service", "message", "id"] {
        assert_eq!(line.matches(&format!("\"{key}\":")).count(), 1, "{key} in {line}");
    }
    assert_eq!(
        (&parsed["fields.level"], &parsed["id"], &parsed["level"]),
        (&json!(2), &json!("event"), &json!("INFO"))
    );
}

/// Span fields are nested and the keys fixed (tokio-rs/tracing#2670, #2671, #2129).
#[test]
fn span_fields_are_flat() {
    let line = line(|| tracing::info_span!("order", order_id = 7).in_scope(|| tracing::info!("accepted")));
    assert_eq!(line["order_id"], 7);
}

/// Span fields are stored as text and parsed again; a late `record` rewrites the text.
#[test]
fn a_late_record_replaces_the_value() {
    let line = line(|| {
        let span = tracing::info_span!("order", state = "new", total = tracing::field::Empty);
        span.record("state", "paid").record("total", 12.5);
        span.in_scope(|| tracing::info!("accepted"));
    });
    assert_eq!((&line["state"], &line["total"]), (&json!("paid"), &json!(12.5)));
}

/// The ids of the entered span in place of the event's own parent.
#[test]
fn an_explicit_parent_wins() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let meant = tracing::info_span!("meant", from = "meant");
        tracing::info_span!("entered", from = "entered").in_scope(|| tracing::info!(parent: &meant, "here"));
    });
    assert_eq!(capture.lines()[0]["from"], "meant");
    assert_eq!(capture.lines()[0]["span_id"], capture.span("meant").span_id.to_string());
}

/// A malformed field kills the process (tokio-rs/tracing#1776, #2258, #3327).
#[test]
fn no_field_breaks_a_line() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Debug")
        }
    }
    let line = line(|| {
        tracing::info!(panics = ?Panics, text = "a\"b\\c\n\u{0}\u{1b}[31m", nan = f64::NAN, big = u128::MAX, "still here");
    });
    assert_eq!(line["message"], "still here");
    assert_eq!(line["text"], "a\"b\\c\n\u{0}\u{1b}[31m");
}

/// No limit on the size of a field or a line.
#[test]
fn an_endless_field_is_cut_and_says_so() {
    let line = line(|| tracing::info!(huge = "x".repeat(1 << 20), "accepted"));
    assert!(line["huge"].as_str().unwrap().len() <= throughline::logs::FIELD_BYTES_MAX + 3);
    assert_eq!(line["log.truncated"], 1);
}

/// An error is flattened to one text.
#[test]
fn an_error_keeps_its_causes() {
    #[derive(Debug)]
    struct Outer(io::Error);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("order not stored")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let line = line(|| {
        let error = Outer(io::Error::other("disk full"));
        tracing::error!(error = &error as &dyn Error, "failed");
    });
    assert_eq!(line["error"], "order not stored");
    assert_eq!(line["error.chain"], json!(["disk full"]));
}

/// A writer that doesn't block loses lines without a counter that anybody can read.
#[test]
fn lost_lines_are_counted() {
    struct Stuck(std::sync::mpsc::Receiver<()>);
    impl io::Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _until_the_end = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (release, stuck) = std::sync::mpsc::channel();
    let (writer, guard) = NonBlocking::builder().bytes_max(10_000).spawn(Stuck(stuck)).unwrap();
    let layer = JsonLayer::builder("orders").writer(writer).build();
    let counters = layer.counters();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for _ in 0..1_000 {
            tracing::info!("accepted");
        }
    });
    assert!(counters.stats().lost() > 0);
    drop(release);
    drop(guard);
    assert_eq!(counters.stats().written() + counters.stats().lost(), 1_000);
}

/// A user's keys steer the exporter and stand on the line all the same.
#[test]
fn what_steers_spans_is_on_no_line() {
    let line = raw(|| {
        tracing::info_span!("order", otel.name = "POST /orders", otel.kind = "server")
            .in_scope(|| tracing::info!("accepted"));
    });
    assert!(!line.contains("otel."), "{line}");
}
