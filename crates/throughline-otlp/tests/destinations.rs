//! Where signals go beside a Collector, and what the exporter says of itself.
#![cfg(all(feature = "http", feature = "json"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use throughline_core::{Metric, env::Environment};
use throughline_otlp::{
    Built, Destination, Detector, Exporter, ExporterBuilder, MetricHistograms, MetricTemporality,
    OtlpSettings, Protocol, Signal,
};
use throughline_receiver::{Behaviour, MetricKind, PointValue, Receiver, Refusal, Temporality};

const LONG: Duration = Duration::from_secs(20);
/// A span with ids and a name, as a field of `ScopeSpans`.
const SPAN: [u8; 33] = [
    0x12, 31, // spans
    0x0a, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // trace_id
    0x12, 8, 2, 2, 2, 2, 2, 2, 2, 2, // span_id
    0x2a, 1, b'x', // name
];

fn builder() -> ExporterBuilder {
    throughline_otlp::builder("orders")
        .environment(Environment::default())
        .schedule_delay(Duration::from_millis(10))
}

fn start(builder: ExporterBuilder) -> Exporter {
    let Built { exporter, warnings, .. } = builder.build().unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    exporter
}

fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn files_get_a_line_of_otlp_json_a_batch_and_are_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let (spans, metrics) = (folder.path().join("spans.jsonl"), folder.path().join("metrics.jsonl"));
    for _ in 0..2 {
        let exporter = start(
            builder()
                .traces_to([Destination::File(spans.clone())])
                .metrics_to([Destination::File(metrics.clone())]),
        );
        exporter.sink().accept(&SPAN);
        exporter.recorder().unwrap().record(Metric::MessagingSent, 1.0, &[]);
        let report = exporter.shutdown_blocking(LONG);
        assert_eq!((report.exported(), report.metrics_exported()), (1, 1), "{report}");
    }
    for (file, inside) in
        [(&spans, r#""traceId":"01010101010101010101010101010101""#), (&metrics, r#""resourceMetrics":[{"#)]
    {
        let lines = lines(file);
        assert_eq!(lines.len(), 2);
        assert!(
            lines.iter().all(|line| line.starts_with('{') && line.ends_with('}') && line.contains(inside))
        );
    }
}

/// A device that is always full stands for a disk that is.
#[test]
fn a_full_disk_costs_the_copy_and_is_counted() {
    let full = Path::new("/dev/full");
    if std::fs::OpenOptions::new().append(true).open(full).is_ok_and(|mut file| file.write(b"x").is_ok()) {
        return;
    }
    let receiver = Receiver::start_blocking().unwrap();
    let builder = builder().endpoint(&receiver.http_endpoint()).metrics(Signal::Off);
    let exporter = start(builder.traces_to([Destination::Otlp, Destination::File(full.to_owned())]));
    exporter.sink().accept(&SPAN);
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!((report.exported(), report.lost(), report.copies_failed()), (1, 0, 1), "{report}");
    assert!(report.to_string().ends_with("; 1 copies failed"), "{report}");
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = builder().traces_to([Destination::File(folder.path().to_owned())]).build().unwrap_err();
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
}

#[test]
fn json_over_http_arrives_and_partial_success_is_read_from_json() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::PartialSuccess { rejected: 1, message: "too old".to_owned() });
    let builder = builder().endpoint(&receiver.http_endpoint()).protocol(Protocol::HttpJson);
    let exporter = start(builder.metrics(Signal::Off));
    exporter.sink().accept(&SPAN);
    exporter.sink().accept(&SPAN);
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!((report.exported(), report.rejected()), (1, 1), "{report}");
    let request = &receiver.requests()[0];
    assert_eq!(request.protocol, throughline_receiver::Protocol::HttpJson);
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[test]
fn each_signal_may_have_a_collector_of_its_own() {
    let (spans, metrics) = (Receiver::start_blocking().unwrap(), Receiver::start_blocking().unwrap());
    let url = format!("{}/v1/metrics", metrics.http_endpoint());
    let own = OtlpSettings::new().endpoint(&url).header("tenant", "m").protocol(Protocol::HttpJson);
    let builder = builder().endpoint(&spans.http_endpoint()).header("tenant", "s").metrics_otlp(own);
    let exporter = start(builder);
    exporter.sink().accept(&SPAN);
    exporter.recorder().unwrap().record(Metric::MessagingSent, 1.0, &[]);
    exporter.shutdown_blocking(LONG);
    let seen = |receiver: &Receiver| {
        let tenants = receiver.requests().iter().map(|r| r.header("tenant").map(str::to_owned)).collect();
        (receiver.spans().len(), receiver.metrics().len(), tenants)
    };
    let tenant: fn(&str) -> Vec<_> = |name| vec![Some(name.to_owned())];
    assert_eq!(seen(&spans), (1, 0, tenant("s")));
    assert_eq!(seen(&metrics), (0, 1, tenant("m")));
}

#[test]
fn delta_sums_are_sent_again_until_they_arrive_and_histograms_may_be_exponential() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave_next(1, Behaviour::Refuse(Refusal::retryable()));
    let exporter = start(
        builder()
            .endpoint(&receiver.http_endpoint())
            .metric_temporality(MetricTemporality::Delta)
            .metric_histograms(MetricHistograms::Exponential),
    );
    exporter.recorder().unwrap().record(Metric::HttpServerRequestDuration, 0.02, &[]);
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!((report.metrics_exported(), report.metrics_failed()), (1, 0), "{report}");
    let metrics = receiver.metrics();
    let (kind, temporality) = (metrics[0].kind, metrics[0].temporality);
    assert_eq!((kind, temporality), (MetricKind::ExponentialHistogram, Temporality::Delta));
}

#[test]
fn the_exporters_own_counters_are_metrics_that_balance() {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave_next(1, Behaviour::PartialSuccess { rejected: 1, message: String::new() });
    let builder = builder().endpoint(&receiver.http_endpoint()).queue_len_max(3);
    let exporter = start(builder.own_metrics(Signal::On));
    let sink = exporter.sink();
    // A full queue wakes the export thread, which makes room for more.
    let deadline = Instant::now() + LONG;
    while exporter.report().exported() == 0 {
        assert!(Instant::now() < deadline, "{}", exporter.report());
        sink.accept(&SPAN);
    }
    // At rest, so that all numbers are of one moment.
    while exporter.report().queued() + exporter.report().in_flight() > 0 {
        assert!(Instant::now() < deadline, "{}", exporter.report());
        std::thread::yield_now();
    }
    let report = exporter.shutdown_blocking(LONG);
    let metrics = receiver.metrics();
    let point = |name: &str, error: Option<&str>| {
        let metric = metrics.iter().rev().find(|metric| metric.name == format!("otel.sdk.{name}")).unwrap();
        let error = error.map(|error| error.into());
        let point = metric.points.iter().find(|point| point.attributes.get("error.type") == error.as_ref());
        point.map_or(0, |point| match point.value {
            PointValue::Int(count) => u64::try_from(count).unwrap(),
            ref other => panic!("{other:?}"),
        })
    };
    let full = point("processor.span.processed", Some("queue_full"));
    let processed = point("processor.span.processed", None);
    let waiting = point("processor.span.queue.size", None);
    let in_flight = point("exporter.span.inflight", None);
    let out = [None, Some("rejected")].map(|error| point("exporter.span.exported", error));
    assert_eq!(report.accepted(), processed + full + waiting, "{report}");
    assert_eq!(processed, out.iter().sum::<u64>() + in_flight, "{report}");
    assert_eq!(out[1], 1, "{report}");
}

#[test]
fn what_is_detected_is_on_everything_with_its_type() {
    let receiver = Receiver::start_blocking().unwrap();
    let builder = builder().endpoint(&receiver.http_endpoint()).resource_detectors(Detector::ALL);
    let exporter = start(builder.metrics(Signal::Off));
    exporter.sink().accept(&SPAN);
    exporter.shutdown_blocking(LONG);
    let spans = receiver.spans();
    let attribute = |name: &str| spans[0].resource.attributes.get(name);
    assert_eq!(attribute("process.pid"), Some(&i64::from(std::process::id()).into()));
    assert!(attribute("host.arch").is_some() && attribute("os.type").is_some());
}
