//! `metrics.yaml`: what the services measure, what the Collector counts from their spans, and who calls whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};
use tests::wait_until;

use crate::{
    by_hand::{send, span},
    jaeger,
    prometheus::{Page, Sample},
    shop::{ORDERS, sell},
    stack::{Collector, Stack, programs},
};

/// How long a span may take until the page counts it. Edges of which one side never comes take longest.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(60);

const CALLS: &str = "traces_span_metrics_calls_total";
const DURATIONS: &str = "traces_span_metrics_duration_seconds_count";
const REQUESTS: &str = "traces_service_graph_request_total";

/// Spans that each order has: service, kind, and what the name contains.
const SPANS: [(&str, &str, &str); 6] = [
    ("gateway", "SPAN_KIND_SERVER", "POST /orders"),
    ("gateway", "SPAN_KIND_CLIENT", "POST"),
    ("orders", "SPAN_KIND_SERVER", "POST /orders"),
    ("orders", "SPAN_KIND_PRODUCER", ""),
    ("users", "SPAN_KIND_SERVER", "GET /users/{id}"),
    ("fulfilment", "SPAN_KIND_CONSUMER", ""),
];

/// Hops that each order takes: the kind of the connection, who calls, and, where only one service can be meant, who is
/// called. The first comes from a customer, who sends no span.
const EDGES: [(&str, &str, Option<&str>); 5] = [
    ("virtual_node", "user", Some("gateway")),
    ("", "gateway", Some("orders")),
    ("", "orders", Some("users")),
    ("messaging_system", "orders", None),
    ("messaging_system", "fulfilment", None),
];

/// What the services measure themselves.
const OWN: [(&str, &str); 6] = [
    ("http_server_request_duration_seconds_count", "gateway"),
    ("http_server_request_duration_seconds_count", "orders"),
    ("http_server_request_duration_seconds_count", "users"),
    ("http_client_request_duration_seconds_count", "gateway"),
    ("messaging_client_sent_messages_total", "orders"),
    ("messaging_process_duration_seconds_count", "fulfilment"),
];

/// Metrics that are in the file, under their OpenTelemetry names.
const IN_FILE: [&str; 5] = [
    "http.server.request.duration",
    "messaging.client.sent.messages",
    "traces.span.metrics.calls",
    "traces.span.metrics.duration",
    "traces_service_graph_request_total",
];

/// With both files, so that the traces are in Jaeger, too.
#[test]
fn orders_are_counted() {
    let Some(stack) = Stack::start_with(&["metrics.yaml", "demo.yaml"], "orders_are_counted") else {
        return;
    };
    let orders = sell(&stack, &["--protocol", "grpc"], stack.collector.grpc_port);
    wait_until("the page for Prometheus", ARRIVAL_TIMEOUT, || {
        let page = Page::get(stack.collector.prometheus_port)?;
        let missing = missing(&page);
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:#?} of {page:#?}")) }
    });
    let traces: BTreeSet<&str> = orders.iter().map(|order| order.trace_id.as_str()).collect();
    check_file(&stack.collector.metrics_output(), &traces);
    let in_jaeger = jaeger::traces_of(stack.jaeger.query_port, "gateway");
    assert!(traces.iter().all(|trace| in_jaeger.contains(*trace)), "{traces:?} in {in_jaeger:?}");
}

/// What isn't counted as often as there were orders.
fn missing(page: &Page) -> Vec<String> {
    let spans = SPANS.iter().flat_map(|span| {
        let [calls, durations] = [CALLS, DURATIONS].map(|metric| of_span(page, metric, span));
        [(format!("calls of {span:?}"), calls), (format!("durations of {span:?}, of {calls}"), durations)]
    });
    let edges = EDGES.iter().map(|&(connection, client, server)| {
        let mut labels = vec![("connection_type", connection), ("client", client)];
        labels.extend(server.map(|server| ("server", server)));
        (format!("edge {labels:?}"), page.sum(REQUESTS, &labels))
    });
    let own = OWN.iter().map(|&(name, service)| {
        let count = page.sum(name, &[("job", service)]);
        (format!("{name} of {service}"), count)
    });
    let all = spans.chain(edges).chain(own);
    all.filter(|(_, count)| *count < ORDERS as f64).map(|(what, count)| format!("{what}: {count}")).collect()
}

fn of_span(page: &Page, metric: &str, &(service, kind, name): &(&str, &str, &str)) -> f64 {
    page.named(metric)
        .filter(|sample| sample.label("service_name") == service && sample.label("span_kind") == kind)
        .filter(|sample| sample.label("span_name").contains(name))
        .map(Sample::value)
        .sum()
}

/// Everything is in the file as well, and the spans' durations lead to traces.
fn check_file(file: &Path, traces: &BTreeSet<&str>) {
    wait_until("the file of metrics", ARRIVAL_TIMEOUT, || {
        let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
        let metrics = metrics_of(&text);
        let missing: Vec<_> = IN_FILE.iter().filter(|name| !metrics.contains_key(**name)).collect();
        let durations = metrics.get("traces.span.metrics.duration").into_iter().flatten();
        let examples: BTreeSet<&str> = durations.flat_map(exemplars).collect();
        if missing.is_empty() && traces.is_subset(&examples) {
            Ok(())
        } else {
            Err(format!("no {missing:?}, or one of {traces:?} is not among {examples:?}"))
        }
    });
}

/// Each line is an OTLP export request; the last may be half written.
fn metrics_of(text: &str) -> BTreeMap<String, Vec<Value>> {
    let mut metrics = BTreeMap::<_, Vec<_>>::new();
    for request in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        for resource in items(&request, "/resourceMetrics") {
            for metric in items(resource, "/scopeMetrics").flat_map(|scope| items(scope, "/metrics")) {
                let name = metric.pointer("/name").and_then(Value::as_str).unwrap_or_default();
                metrics.entry(name.to_owned()).or_default().push(metric.clone());
            }
        }
    }
    metrics
}

/// The traces that the points of a histogram name.
fn exemplars(metric: &Value) -> impl Iterator<Item = &str> {
    items(metric, "/histogram/dataPoints")
        .flat_map(|point| items(point, "/exemplars"))
        .filter_map(|exemplar| exemplar.pointer("/traceId").and_then(Value::as_str))
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

// --- What the graph can see ------------------------------------------------------------------------------------------

const CLIENT: u8 = 3;
const PRODUCER: u8 = 4;
const CONSUMER: u8 = 5;

/// As collector-config/README.md says it, its limits included.
#[test]
fn the_graph_has_one_consumer_a_message_and_the_far_ends_that_send_no_spans() {
    let test = "the_graph_has_one_consumer_a_message_and_the_far_ends_that_send_no_spans";
    let Some((collector, _)) = programs(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(&collector, &["metrics.yaml"], 1, folder.path());
    let created = Some("00000000000000b3");
    send(
        collector.http_port,
        &[
            with(
                span("gateway", "00000000000000b1", "GET", CLIENT, None, &[]),
                "server.address",
                "example.org",
            ),
            with(span("orders", "00000000000000b2", "INSERT", CLIENT, None, &[]), "db.namespace", "shop"),
            span("orders", "00000000000000b3", "send order.created", PRODUCER, None, &[]),
            span("fulfilment", "00000000000000b4", "process order.created", CONSUMER, created, &[]),
            span("analytics", "00000000000000b5", "process order.created", CONSUMER, created, &[]),
            with(
                span("orders", "00000000000000b6", "send audit", PRODUCER, None, &[]),
                "messaging.destination.name",
                "audit",
            ),
            span("archive", "00000000000000b7", "process batch", CONSUMER, None, &[(LINKED.0, LINKED.1)]),
        ],
    );
    let expected = BTreeSet::from(
        [
            ("gateway", "virtual_node", "example.org"), // another's server
            ("orders", "database", "shop"),
            ("orders", "messaging_system", "fulfilment"), // and not analytics, which came second
            ("orders", "virtual_node", "audit"),          // nobody has taken it yet
            ("user", "virtual_node", "archive"),          // a batch is linked, so it seems to begin here
        ]
        .map(|(client, connection, server)| [client, connection, server].map(str::to_owned)),
    );
    wait_until("the edges", ARRIVAL_TIMEOUT, || {
        let edges = edges(&Page::get(collector.prometheus_port)?);
        if edges == expected { Ok(()) } else { Err(format!("{edges:#?}")) }
    });
}

/// Some span of another trace.
const LINKED: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

fn with(mut span: Value, name: &str, value: &str) -> Value {
    let attributes = span.pointer_mut("/scopeSpans/0/spans/0/attributes").and_then(Value::as_array_mut);
    let attribute = json!({ "key": name, "value": { "stringValue": value } });
    attributes.expect("a span with attributes").push(attribute);
    span
}

/// Who calls, how, and who is called.
fn edges(page: &Page) -> BTreeSet<[String; 3]> {
    let labels = ["client", "connection_type", "server"];
    page.named(REQUESTS).map(|sample| labels.map(|label| sample.label(label).to_owned())).collect()
}
