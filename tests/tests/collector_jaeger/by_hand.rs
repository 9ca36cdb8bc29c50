//! Spans and log lines made by hand: what the files do with them, whatever our own crates send.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::{Value, json};
use tests::{http_get, http_post_json};

use crate::{
    jaeger::{self, Span},
    log_file,
    stack::{Collector, Stack, programs},
};

const TRACE_ID: &str = "5b8efff798038103d269b633813fc60c";
const OTHER_TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_SPAN_ID: &str = "b7ad6b7169203331";

#[test]
fn minimal_shows_a_span_in_the_terminal_and_counts_it() {
    let Some((collector, _)) = programs("minimal_shows_a_span_in_the_terminal_and_counts_it") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut collector = Collector::start(&collector, &["minimal.yaml"], 1, folder.path());
    send(collector.http_port, &[span("gateway", "00000000000000a1", "POST /orders", 2, None, &[])]);
    let metrics_port = collector.metrics_port;
    let shown = collector.server.wait_until("the span", Duration::from_secs(30), |log| {
        let metrics = http_get(metrics_port, "/metrics").map_err(|error| error.to_string())?.body;
        let counted = metrics
            .lines()
            .any(|line| line.starts_with("otelcol_receiver_accepted_spans") && line.ends_with(" 1"));
        if log.contains(TRACE_ID) && log.contains("POST /orders") && counted { Ok(()) } else { Err(metrics) }
    });
    assert_eq!(shown, Ok(()));
}

#[test]
fn spans_arrive_in_jaeger_with_kinds_parents_and_links() {
    let Some(stack) = Stack::start("spans_arrive_in_jaeger_with_kinds_parents_and_links") else {
        return;
    };
    send(
        stack.collector.http_port,
        &[
            span("gateway", "00000000000000a1", "POST /orders", 2, None, &[]),
            span("gateway", "00000000000000a2", "POST", 3, Some("00000000000000a1"), &[]),
            span("orders", "00000000000000a3", "send order.created", 4, Some("00000000000000a2"), &[]),
            span(
                "fulfilment",
                "00000000000000a4",
                "process order.created",
                5,
                Some("00000000000000a3"),
                &[(OTHER_TRACE_ID, OTHER_SPAN_ID)],
            ),
        ],
    );
    let spans = jaeger::trace(stack.jaeger.query_port, TRACE_ID, |spans| spans.len() == 4);
    let expected = BTreeSet::from([
        ("gateway", "client", "orders", "producer"),
        ("orders", "producer", "fulfilment", "consumer"),
    ]);
    assert_eq!(jaeger::edges(&spans), expected);
    let linked: Vec<&Span> = spans.iter().filter(|span| !span.links.is_empty()).collect();
    let [batch] = linked.as_slice() else { panic!("{linked:?}") };
    assert_eq!(batch.links, BTreeSet::from([(OTHER_TRACE_ID.to_owned(), OTHER_SPAN_ID.to_owned())]));
    assert!(spans.iter().all(|span| span.correlation_id.as_deref() == Some("c-1")), "{spans:#?}");
    let services = ["fulfilment", "gateway", "orders"].map(str::to_owned);
    assert_eq!(jaeger::services(stack.jaeger.query_port), BTreeSet::from(services));
    assert_eq!(jaeger::traces_of(stack.jaeger.query_port, "orders"), BTreeSet::from([TRACE_ID.to_owned()]));
}

/// Written by hand after the `plain` preset, so that a change of the preset shows as a difference here.
const LINES: &str = r#"{"timestamp":"2026-11-24T10:00:00.123456789Z","level":"INFO","message":"order accepted","service":"orders","correlation_id":"c-1","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"03","target":"shop::orders","order_id":9007199254740993,"total":1.5,"paid":true}
{"timestamp":"2026-11-24T10:00:00.000000001Z","level":"WARN","message":"no span here","service":"orders","target":"shop::orders"}
{"timestamp":"2026-11-24T10:00:00.000000002Z","level":"ERROR","message":"odd ids","trace_id":"zz","span_id":"","trace_flags":"1"}
thread 'main' panicked
"#;

#[test]
fn file_log_lifts_ids_time_and_level_from_log_lines() {
    let Some(stack) = Stack::start("file_log_lifts_ids_time_and_level_from_log_lines") else {
        return;
    };
    fs::create_dir_all(stack.logs()).unwrap();
    fs::write(stack.logs().join("orders.jsonl"), LINES).unwrap();
    let mut records = log_file::records(&stack.collector.log_output(), 4);
    records.sort_by_key(|record| record.text("/body/stringValue"));
    let found: Vec<(Option<&str>, Value)> =
        records.iter().map(|record| (record.service.as_deref(), record.lasting())).collect();
    let orders = Some("orders");
    let target = json!({ "key": "target", "value": { "stringValue": "shop::orders" } });
    let expected = [
        (
            orders,
            json!({
                "timeUnixNano": "1795514400000000001",
                "severityNumber": 13,
                "severityText": "WARN",
                "body": { "stringValue": "no span here" },
                "attributes": [target],
            }),
        ),
        (
            None,
            json!({
                "timeUnixNano": "1795514400000000002",
                "severityNumber": 17,
                "severityText": "ERROR",
                "body": { "stringValue": "odd ids" },
                "attributes": [],
            }),
        ),
        (
            orders,
            json!({
                "timeUnixNano": "1795514400123456789",
                "severityNumber": 9,
                "severityText": "INFO",
                "body": { "stringValue": "order accepted" },
                "attributes": [
                    { "key": "correlation_id", "value": { "stringValue": "c-1" } },
                    { "key": "order_id", "value": { "intValue": "9007199254740993" } },
                    { "key": "paid", "value": { "boolValue": true } },
                    target,
                    { "key": "total", "value": { "doubleValue": 1.5 } },
                ],
                "flags": 3,
                "traceId": OTHER_TRACE_ID,
                "spanId": OTHER_SPAN_ID,
            }),
        ),
        (None, json!({ "body": { "stringValue": "thread 'main' panicked" }, "attributes": [] })),
    ];
    assert_eq!(found, expected);
}

pub(crate) fn send(port: u16, spans: &[Value]) {
    let body = json!({ "resourceSpans": spans }).to_string();
    let answer = http_post_json(port, "/v1/traces", &body).expect("the Collector answers");
    assert_eq!(answer.status, 200, "{answer:?}");
}

pub(crate) fn span(
    service: &str,
    id: &str,
    name: &str,
    kind: u8,
    parent: Option<&str>,
    links: &[(&str, &str)],
) -> Value {
    let links: Vec<Value> =
        links.iter().map(|(trace, span)| json!({ "traceId": trace, "spanId": span })).collect();
    json!({
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] },
        "scopeSpans": [{ "spans": [{
            "traceId": TRACE_ID,
            "spanId": id,
            "parentSpanId": parent.unwrap_or_default(),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": "1795514400000000000",
            "endTimeUnixNano": "1795514400001000000",
            "attributes": [{ "key": "correlation.id", "value": { "stringValue": "c-1" } }],
            "links": links,
        }] }],
    })
}
