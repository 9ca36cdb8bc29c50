//! The gRPC example as a process: two services, one stream, one trace.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    net::TcpListener,
    process::{Command, Output},
};

use throughline_receiver::{Receiver, SpanKind};

#[test]
fn a_stream_and_the_call_within_are_one_trace() {
    let receiver = Receiver::start_blocking().unwrap();
    let output = run(&receiver.http_endpoint());

    let spans = receiver.spans();
    let line = |kind: SpanKind| match kind {
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        _ => "",
    };
    let mut parent = None;
    let mut tree = Vec::new();
    while let Some(span) = spans.iter().find(|span| span.parent_span_id == parent) {
        tree.push(format!("{} {}", span.name, line(span.kind)));
        parent = Some(span.span_id);
    }
    assert_eq!(
        tree,
        [
            "customer ",
            "shop.v1.Orders/Place client",
            "shop.v1.Orders/Place server",
            "shop.v1.Stock/Reserve client",
            "shop.v1.Stock/Reserve server",
        ]
    );
    assert_eq!(spans.len(), tree.len());
    for span in spans.iter().filter(|span| span.kind != SpanKind::Internal) {
        assert!(span.attribute("rpc.response.status_code").is_some_and(|code| *code == *"OK"), "{span:?}");
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let trace = spans.first().unwrap().trace_id.to_string();
    assert_eq!(lines.lines().filter(|line| line.contains(&trace)).count(), 3, "{lines}");
}

#[test]
fn without_a_collector_the_last_lines_say_what_was_lost() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&format!("http://{nobody}"));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lines.contains(r#""message":"spans lost""#), "{lines}");
    assert!(lines.contains("5 dropped (shutdown_deadline)") && lines.ends_with(" 0 lost\n"), "{lines}");
}

fn run(endpoint: &str) -> Output {
    // Cargo builds examples beside the tests that belong to them.
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples").join("grpc");
    let output = Command::new(program).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
