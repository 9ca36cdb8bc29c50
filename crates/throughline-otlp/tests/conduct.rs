//! How the exporter behaves when it is hurried, cut small, left hanging or outrun.

use std::time::{Duration, Instant};

use throughline_core::{Metric, env::Environment};
use throughline_otlp::{Built, DropReason, Exporter, ExporterBuilder, Protocol, Signal};
use throughline_receiver::{Behaviour, Receiver, Refusal};

const LONG: Duration = Duration::from_secs(20);
/// A span with ids and a name, as a field of `ScopeSpans`.
const SPAN: [u8; 33] = [
    0x12, 31, // spans
    0x0a, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // trace_id
    0x12, 8, 2, 2, 2, 2, 2, 2, 2, 2, // span_id
    0x2a, 1, b'x', // name
];

fn start(builder: ExporterBuilder) -> Exporter {
    let Built { exporter, warnings, .. } = builder.build().expect("settings that can be used");
    assert!(warnings.is_empty(), "{warnings:?}");
    exporter
}

fn to(receiver: &Receiver, protocol: Protocol) -> ExporterBuilder {
    let endpoint = match protocol {
        Protocol::Grpc => receiver.grpc_endpoint(),
        _ => receiver.http_endpoint(),
    };
    throughline_otlp::builder("orders")
        .environment(Environment::default())
        .endpoint(&endpoint)
        .protocol(protocol)
        .metrics(Signal::Off)
        .schedule_delay(Duration::from_millis(10))
}

const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

fn push(exporter: &Exporter, spans: usize) {
    let sink = exporter.sink();
    for _ in 0..spans {
        sink.accept(&SPAN);
    }
}

/// Waits for what another thread does.
#[track_caller]
fn until(exporter: &Exporter, what: impl Fn(&Exporter) -> bool) {
    let deadline = Instant::now() + LONG;
    while !what(exporter) {
        assert!(Instant::now() < deadline, "{}", exporter.report());
        std::thread::yield_now();
    }
}

#[test]
fn no_request_holds_more_spans_than_was_set() {
    let receiver = Receiver::start_blocking().unwrap();
    let exporter = start(to(&receiver, Protocol::HttpProtobuf).batch_len(10).schedule_delay(LONG));
    push(&exporter, 95);
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!(report.exported(), 95, "{report}");
    let largest = receiver.requests().iter().map(|request| request.items).max();
    assert_eq!(largest, Some(10));
}

#[test]
fn threads_that_outrun_the_export_thread_neither_panic_nor_lose() {
    let receiver = Receiver::start_blocking().unwrap();
    let exporter = start(to(&receiver, Protocol::Grpc).batch_len(1).schedule_delay(Duration::from_nanos(1)));
    // What the wire does is not the point here: everything is refused at once, so that the queue is drained all the time.
    receiver.behave(Behaviour::Refuse(Refusal::permanent()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| push(&exporter, 2_000));
        }
    });
    exporter.shutdown_blocking(Duration::from_secs(1));
    let report = exporter.report();
    assert_eq!((report.accepted(), report.lost(), report.queued()), (16_000, 16_000, 0), "{report}");
}

#[test]
fn the_deadline_holds_for_metrics_too() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Hang);
    for protocol in BOTH {
        let exporter = start(to(&receiver, protocol).metrics(Signal::On));
        exporter.recorder().unwrap().record(Metric::MessagingSent, 1.0, &[]);
        push(&exporter, 3);
        let started = Instant::now();
        let report = exporter.shutdown_blocking(Duration::from_millis(300));
        let took = started.elapsed();
        assert!(took < Duration::from_secs(3), "{protocol}: {took:?}");
        assert_eq!((report.lost(), report.metrics_failed()), (3, 1), "{protocol}: {report}");
    }
}

#[tokio::test]
async fn the_deadline_holds_for_metrics_too_on_a_current_thread_runtime() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Hang);
    for protocol in BOTH {
        let exporter = start(to(&receiver, protocol).metrics(Signal::On));
        exporter.recorder().unwrap().record(Metric::MessagingSent, 1.0, &[]);
        push(&exporter, 3);
        let started = Instant::now();
        let report = exporter.shutdown(Duration::from_millis(300)).await;
        let took = started.elapsed();
        assert!(took < Duration::from_secs(3), "{protocol}: {took:?}");
        assert_eq!((report.lost(), report.metrics_failed()), (3, 1), "{protocol}: {report}");
    }
}

#[test]
fn a_hanging_collector_does_not_end_metrics_for_good() {
    let receiver = Receiver::start_blocking().unwrap();
    for protocol in BOTH {
        receiver.clear();
        receiver.behave(Behaviour::Hang);
        let builder = to(&receiver, protocol)
            .metrics(Signal::On)
            .metric_interval(Duration::from_millis(50))
            .timeout(Duration::from_millis(200));
        let exporter = start(builder);
        exporter.recorder().unwrap().record(Metric::MessagingSent, 1.0, &[]);
        until(&exporter, |exporter| exporter.report().metrics_failed() > 0);
        receiver.behave(Behaviour::Accept);
        until(&exporter, |exporter| exporter.report().metrics_exported() > 0);
    }
}

#[test]
fn a_shutdown_does_not_sit_out_the_backoff_of_a_collector_that_is_back() {
    let receiver = Receiver::start_blocking().unwrap();
    for protocol in BOTH {
        receiver.clear();
        receiver.stop_blocking();
        let exporter = start(to(&receiver, protocol));
        push(&exporter, 5);
        // By then a pause may be seconds long.
        until(&exporter, |exporter| exporter.report().retries() >= 6);
        receiver.restart().unwrap();
        let started = Instant::now();
        let report = exporter.shutdown_blocking(LONG);
        assert_eq!((report.exported(), report.lost()), (5, 0), "{report}");
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

#[test]
fn the_last_try_is_at_the_end_of_the_outage_budget() {
    let budget = Duration::from_secs(2);
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::Refuse(Refusal::retryable()));
    let exporter = start(to(&receiver, Protocol::Grpc).outage_budget(budget));
    push(&exporter, 1);
    until(&exporter, |exporter| exporter.report().dropped(DropReason::OutageBudget) == 1);
    let requests = receiver.requests();
    let first = requests.first().unwrap().arrived;
    let last = requests.last().unwrap().arrived;
    assert!(last.duration_since(first).unwrap() >= budget, "{:?}", last.duration_since(first));
}

#[test]
fn a_collector_that_closes_the_connection_gets_the_batch_again() {
    let receiver = Receiver::start_blocking().unwrap();
    for protocol in BOTH {
        receiver.clear();
        receiver.behave_next(2, Behaviour::Disconnect);
        let exporter = start(to(&receiver, protocol));
        push(&exporter, 4);
        let report = exporter.shutdown_blocking(LONG);
        assert_eq!((report.exported(), report.lost()), (4, 0), "{protocol}: {report}");
        assert_eq!(receiver.spans().len(), 4, "{protocol}");
    }
}

#[test]
fn statuses_are_retried_exactly_by_the_lists_of_the_specification() {
    let receiver = Receiver::start_blocking().unwrap();
    let run = |protocol, refusal| {
        receiver.behave_next(1, Behaviour::Refuse(refusal));
        let exporter = start(to(&receiver, protocol));
        push(&exporter, 1);
        exporter.shutdown_blocking(LONG).exported() == 1
    };
    for status in [400, 401, 403, 404, 408, 413, 429, 500, 501, 502, 503, 504, 505] {
        let retried = run(Protocol::HttpProtobuf, Refusal::status(status, 3));
        assert_eq!(retried, matches!(status, 429 | 502 | 503 | 504), "HTTP {status}");
    }
    for code in 1..=16 {
        let retried = run(Protocol::Grpc, Refusal::status(400, code));
        assert_eq!(retried, matches!(code, 1 | 4 | 10 | 11 | 14 | 15), "gRPC {code}");
    }
    let told_when = Refusal::status(429, 8).retry_after(Duration::from_secs(1));
    assert!(run(Protocol::Grpc, told_when), "RESOURCE_EXHAUSTED with RetryInfo");
}
