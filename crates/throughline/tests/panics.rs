//! A panic is on a log line and on its span. Alone in its file, because a panic hook is the whole process's.

use std::{thread, time::Duration};

use throughline::{core::env::Environment, logs::Output};
use throughline_receiver::Receiver;

#[test]
fn a_panic_is_told_with_the_ids_of_the_work_that_panicked() {
    let receiver = Receiver::start_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.jsonl");
    let telemetry = throughline::builder("orders")
        .environment(Environment::default())
        .endpoint(&receiver.http_endpoint())
        .log_output(Output::file(&file))
        .record_panics()
        .install()
        .unwrap();
    let work = || tracing::info_span!("order").in_scope(|| panic!("out of umbrellas"));
    assert!(thread::spawn(work).join().is_err(), "the panic goes on");
    let report = telemetry.shutdown_blocking(Duration::from_secs(20));
    assert_eq!(report.lost(), 0, "{report}");

    let spans = receiver.spans();
    let [span] = &spans[..] else { panic!("one span: {spans:?}") };
    let [event] = &span.events[..] else { panic!("one event: {span:?}") };
    assert!(event.attributes.get("exception.message").is_some_and(|message| *message == *"out of umbrellas"));
    let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&line["message"], &line["level"]), (&"panicked".into(), &"ERROR".into()));
    assert_eq!(line["exception.message"], "out of umbrellas");
    assert_eq!(line["trace_id"], span.trace_id.to_string());
    assert!(line["code.file.path"].as_str().is_some_and(|path| path.ends_with("panics.rs")), "{line}");
}
