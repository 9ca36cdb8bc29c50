//! The traffic of these tests, once for all of them, and what came of it.

use std::{
    collections::BTreeSet,
    fs,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde_json::Value;
use throughline::{
    core::env::Environment,
    logs::Output,
    otlp::{Detector, EventTarget, Signal},
};
use throughline_testing::collector::{LogRecord, Metric, Receiver, Span};
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::traffic;

const DEADLINE: Duration = Duration::from_secs(20);

/// What was exported and written.
pub(crate) struct Observed {
    pub(crate) spans: Vec<Arc<Span>>,
    pub(crate) metrics: Vec<Arc<Metric>>,
    pub(crate) logs: Vec<Arc<LogRecord>>,
    pub(crate) lines: Vec<Value>,
}

/// The same for every test of this program.
pub(crate) fn observed() -> &'static Observed {
    static OBSERVED: LazyLock<Observed> = LazyLock::new(observe);
    &OBSERVED
}

impl Observed {
    /// Every name on spans, their events and their links, and on the points of metrics.
    pub(crate) fn attribute_names(&self) -> BTreeSet<&str> {
        let lists = self.spans.iter().flat_map(|span| {
            let events = span.events.iter().map(|event| &event.attributes);
            let links = span.links.iter().map(|link| &link.attributes);
            [&span.attributes].into_iter().chain(events).chain(links)
        });
        let points = self.metrics.iter().flat_map(|metric| &metric.points).map(|point| &point.attributes);
        lists.chain(points).flat_map(|list| list.iter().map(|(name, _)| name)).collect()
    }
}

fn observe() -> Observed {
    let receiver = Receiver::start_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines.json");
    // Ours alone: the embedded broker and the HTTP libraries have spans, too.
    let ours = || {
        Targets::new()
            .with_target("throughline", LevelFilter::INFO)
            .with_target("conventions", LevelFilter::INFO)
    };
    let telemetry = throughline::builder("conventions")
        .environment(Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.http_endpoint().as_str()),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=tests,deployment.environment.name=test"),
        ]))
        .log_records(Signal::On)
        .exporter(|exporter| exporter.own_metrics(Signal::On).resource_detectors(Detector::ALL))
        .events(EventTarget::Both)
        .log_output(Output::file(&lines))
        .log_filter(ours())
        .span_filter(ours())
        .install()
        .unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(traffic::run());
    // What a panicking or cancelled task has left is dropped here.
    drop(runtime);
    let report = telemetry.shutdown_blocking(DEADLINE);
    assert_eq!(report.lost(), 0, "{report}");
    let spans = report.export().exported();
    receiver.wait_for_spans_blocking(spans, DEADLINE).unwrap();
    let lines = fs::read_to_string(lines).unwrap();
    Observed {
        spans: receiver.spans(),
        metrics: receiver.metrics(),
        logs: receiver.logs(),
        lines: lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    }
}
