//! The way out: flush, loss, shutdown.

use std::time::{Duration, Instant};

use throughline::{
    Builder, Report, Telemetry,
    core::env::Environment,
    otlp::{DropReason, Protocol},
};
use throughline_testing::collector::{Behaviour, Receiver, Refusal};
use tracing::dispatcher;

const LONG: Duration = Duration::from_secs(20);

fn telemetry(endpoint: &str, protocol: Protocol, change: impl FnOnce(Builder) -> Builder) -> Telemetry {
    let builder = throughline::builder("orders")
        .environment(Environment::from_pairs([("OTEL_METRICS_EXPORTER", "none")]))
        .endpoint(endpoint)
        .protocol(protocol)
        .without_logs();
    change(builder).build().unwrap()
}

fn spans(telemetry: &Telemetry, count: usize) {
    dispatcher::with_default(&telemetry.dispatch(), || {
        for _ in 0..count {
            drop(tracing::info_span!("order"));
        }
    });
}

fn outcome(report: &Report) -> (u64, u64) {
    (report.export().exported(), report.lost())
}

const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

fn endpoint(receiver: &Receiver, protocol: Protocol) -> String {
    if protocol == Protocol::Grpc { receiver.grpc_endpoint() } else { receiver.http_endpoint() }
}

/// The gRPC exporter waits for the ambient runtime: on a current-thread one, 0 of 100 arrive, after 5 s.
#[test]
fn the_runtime_of_the_application_is_not_needed() {
    for protocol in BOTH {
        let receiver = Receiver::start_blocking().unwrap();
        let telemetry = telemetry(&endpoint(&receiver, protocol), protocol, |builder| builder);
        spans(&telemetry, 100);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let started = Instant::now();
        let report = runtime.block_on(telemetry.shutdown(LONG));
        assert_eq!(outcome(&report), (100, 0), "{report}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

/// The exporter, built outside a runtime, panics.
#[test]
fn it_works_from_a_plain_main() {
    for protocol in BOTH {
        let receiver = Receiver::start_blocking().unwrap();
        let telemetry = telemetry(&endpoint(&receiver, protocol), protocol, |builder| builder);
        spans(&telemetry, 100);
        assert_eq!(outcome(&telemetry.shutdown_blocking(LONG)), (100, 0));
    }
}

/// With a dead collector, `shutdown()` says `Ok(())`, and all is lost.
#[test]
fn a_shutdown_says_what_was_lost() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for protocol in BOTH {
        let telemetry = telemetry(&format!("http://{nobody}"), protocol, |builder| builder);
        spans(&telemetry, 100);
        let report = telemetry.shutdown_blocking(Duration::from_millis(300));
        assert_eq!(report.export().dropped(DropReason::ShutdownDeadline), 100, "{report}");
    }
}

/// Three retries in one second: a collector that is away for three loses data.
#[test]
fn an_outage_within_the_budget_loses_nothing() {
    for protocol in BOTH {
        let receiver = Receiver::start_blocking().unwrap();
        // More refusals than the stock exporter has tries.
        receiver.behave_next(6, Behaviour::Refuse(Refusal::retryable()));
        let telemetry = telemetry(&endpoint(&receiver, protocol), protocol, |builder| {
            builder.exporter(|exporter| exporter.schedule_delay(Duration::from_millis(1)))
        });
        spans(&telemetry, 100);
        receiver.wait_for_spans_blocking(100, LONG).unwrap();
        let report = telemetry.shutdown_blocking(LONG);
        assert_eq!(outcome(&report), (100, 0), "{report}");
        assert!(report.export().retries() >= 6, "{report}");
    }
}

/// The queue holds 2,048 spans: of a burst of 20,000, three quarters are lost.
#[test]
fn a_burst_loses_nothing() {
    for protocol in BOTH {
        let receiver = Receiver::start_blocking().unwrap();
        let telemetry = telemetry(&endpoint(&receiver, protocol), protocol, |builder| builder);
        spans(&telemetry, 20_000);
        assert_eq!(outcome(&telemetry.shutdown_blocking(LONG)), (20_000, 0));
    }
}

/// The number of dropped spans can't be read, and a partial success is only logged.
#[test]
fn the_balance_is_exact_at_any_time() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::PartialSuccess { rejected: 3, message: "no room".to_owned() });
    let telemetry = telemetry(&receiver.http_endpoint(), Protocol::HttpProtobuf, |builder| {
        builder.exporter(|exporter| exporter.queue_bytes_max(5_000))
    });
    spans(&telemetry, 500);
    let balanced = |report: &Report| {
        let export = report.export();
        let out = export.exported() + export.rejected() + export.queued() + export.in_flight();
        let dropped = [
            DropReason::QueueFull,
            DropReason::OutageBudget,
            DropReason::Refused,
            DropReason::ShutdownDeadline,
        ]
        .map(|reason| export.dropped(reason))
        .iter()
        .sum::<u64>();
        assert_eq!(out + dropped, export.accepted(), "{report}");
    };
    let report = telemetry.shutdown_blocking(LONG);
    balanced(&report);
    assert!(
        report.export().rejected() >= 3 && report.export().dropped(DropReason::QueueFull) > 0,
        "{report}"
    );
}

/// A collector that accepts connections and never answers blocks a request, or the end for as long as it likes.
#[test]
fn a_hanging_collector_costs_no_more_than_the_deadline() {
    for protocol in BOTH {
        let receiver = Receiver::start_blocking().unwrap();
        receiver.behave(Behaviour::Hang);
        let telemetry = telemetry(&endpoint(&receiver, protocol), protocol, |builder| builder);
        spans(&telemetry, 10);
        let started = Instant::now();
        let report = telemetry.shutdown_blocking(Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        assert_eq!(outcome(&report), (0, 10), "{report}");
    }
}

/// The guard is dropped while a global still holds the provider: 0 of 100 arrive.
#[test]
fn a_dropped_guard_flushes() {
    let receiver = Receiver::start_blocking().unwrap();
    let telemetry = telemetry(&receiver.http_endpoint(), Protocol::HttpProtobuf, |builder| builder);
    spans(&telemetry, 100);
    let somebody_else = telemetry.dispatch();
    drop(telemetry);
    assert_eq!(receiver.spans().len(), 100);
    drop(somebody_else);
}

/// Telemetry traces itself over tonic, hyper and reqwest: an endless loop with `RUST_LOG=trace`.
#[test]
fn the_exporters_own_traffic_is_never_exported() {
    for protocol in BOTH {
        let receiver = Receiver::start_blocking().unwrap();
        let telemetry = telemetry(&endpoint(&receiver, protocol), protocol, |builder| {
            let all = tracing_subscriber::filter::Targets::new().with_default(tracing::Level::TRACE);
            builder
                .span_filter(all.clone())
                .log_filter(all)
                .exporter(|exporter| exporter.schedule_delay(Duration::from_millis(1)))
        });
        spans(&telemetry, 1);
        receiver.wait_for_spans_blocking(1, LONG).unwrap();
        let report = telemetry.shutdown_blocking(LONG);
        assert_eq!((report.export().accepted(), receiver.spans().len()), (1, 1), "{report}");
    }
}

/// A body above a limit is discarded as a whole.
#[test]
fn large_batches_are_split() {
    let receiver = Receiver::start_blocking().unwrap();
    let telemetry = telemetry(&receiver.http_endpoint(), Protocol::HttpProtobuf, |builder| {
        builder.exporter(|exporter| exporter.batch_len(10_000))
    });
    let large = "x".repeat(100_000);
    dispatcher::with_default(&telemetry.dispatch(), || {
        for _ in 0..100 {
            drop(tracing::info_span!("order", large));
        }
    });
    assert_eq!(outcome(&telemetry.shutdown_blocking(LONG)), (100, 0));
    assert!(receiver.requests().len() > 1, "ten megabytes are more than one request");
}
