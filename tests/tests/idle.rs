//! A service that does nothing, with every filter at trace, exports nothing but its metrics: the traffic of its own exporter
//! never comes back as spans, log records or lines.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::{
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use throughline::{
    core::{Metric, Pipeline, env::Environment},
    logs::Output,
    otlp::{EventTarget, Protocol},
};
use throughline_testing::collector::{Receiver, Signal};
use tracing_subscriber::filter::Targets;

/// As many exports as an idle hour has with the default interval of a minute: each of them runs through h2, hyper, tonic and
/// the rest, which log what they do.
const EXPORTS: usize = 60;
const DEADLINE: Duration = Duration::from_secs(60);

/// The variables that make this program the idle service, in place of the test of it.
const ENDPOINT: &str = "THROUGHLINE_TEST_IDLE_ENDPOINT";
const PROTOCOL: &str = "THROUGHLINE_TEST_IDLE_PROTOCOL";

/// The service is a process of its own, so that the receiver's side of the traffic is not in it.
#[test]
fn the_exporters_own_traffic_never_feeds_itself() {
    let environment = Environment::process();
    if let (Some(endpoint), Some(protocol)) = (environment.get(ENDPOINT), environment.get(PROTOCOL)) {
        return idle(endpoint, protocol.parse().unwrap());
    }
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let receiver = Receiver::start_blocking().unwrap();
        let endpoint =
            if protocol == Protocol::Grpc { receiver.grpc_endpoint() } else { receiver.http_endpoint() };
        let mut service = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_exporters_own_traffic_never_feeds_itself", "--nocapture"])
            .env(ENDPOINT, &endpoint)
            .env(PROTOCOL, protocol.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let metrics =
            || receiver.requests().iter().filter(|request| request.signal == Signal::Metrics).count();
        let deadline = Instant::now() + DEADLINE;
        while metrics() < EXPORTS {
            assert!(Instant::now() < deadline, "{protocol}: {} exports only", metrics());
            std::thread::yield_now();
        }
        // The end of its input is what it waits for.
        drop(service.stdin.take());
        assert!(service.wait().unwrap().success(), "{protocol}");
        let counts = receiver.counts();
        assert_eq!((receiver.spans().len(), receiver.logs().len()), (0, 0), "{protocol}: {counts:?}");
    }
}

fn idle(endpoint: &str, protocol: Protocol) {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("idle.jsonl");
    let everything = Targets::new().with_default(tracing::Level::TRACE);
    let telemetry = throughline::builder("idle")
        .environment(Environment::from_pairs([
            ("OTEL_METRIC_EXPORT_INTERVAL", "20"),
            ("OTEL_LOGS_EXPORTER", "otlp"),
        ]))
        .endpoint(endpoint)
        .protocol(protocol)
        .events(EventTarget::Both)
        .span_filter(everything.clone())
        .log_filter(everything)
        .log_output(Output::file(&lines))
        .install()
        .unwrap();
    Pipeline::current().record(Metric::MessagingSent, 1.0, &[]);
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).unwrap();
    let report = telemetry.shutdown_blocking(DEADLINE);
    assert_eq!((report.export().accepted(), report.lost()), (0, 0), "{report}");
    assert_eq!(std::fs::read_to_string(&lines).unwrap(), "", "the exporter's traffic is on no line");
}
