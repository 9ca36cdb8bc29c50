//! The presets that are tables: exact lines, clash rules, options, and what is the same in all of them.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper of it does")]

mod support;

use serde_json::{Value, json};
use support::{incoming, lines, order_accepted, parsed};
use throughline_core::PANIC_TARGET;
use throughline_logs::{DatadogIds, FieldPlace, Format, JsonLayerBuilder, KeyCase, SourceLocation};
use tracing::{error, info, info_span, trace, warn};

fn described(builder: JsonLayerBuilder) -> JsonLayerBuilder {
    builder
        .service_version("1.2.0")
        .service_environment("production")
        .service_instance("orders-1")
        .host("node-7")
}

#[test]
fn an_ecs_line() {
    let expected = concat!(
        r#"{"@timestamp":"2026-11-24T09:30:00.123456789Z","log.level":"INFO","message":"order 7 accepted","#,
        r#""ecs.version":"8.11.0","service.name":"orders","event.dataset":"orders","#,
        r#""trace.id":"0af7651916cd43dd8448eb211c80319c","span.id":"b7ad6b7169203331","log.logger":"orders::api","#,
        r#""labels":{"correlation_id":"ticket-4711","total":"12.5","express":"true","customer":"c-1"}}"#
    );
    assert_eq!(lines(|builder| builder.format(Format::Ecs), order_accepted), [expected]);
}

#[test]
fn a_gcp_line() {
    let expected = concat!(
        r#"{"severity":"INFO","time":"2026-11-24T09:30:00.123456789Z","message":"order 7 accepted","#,
        r#""logging.googleapis.com/trace":"projects/shop-1/traces/0af7651916cd43dd8448eb211c80319c","#,
        r#""logging.googleapis.com/spanId":"b7ad6b7169203331","logging.googleapis.com/trace_sampled":true,"#,
        r#""serviceContext":{"service":"orders","version":"1.2.0"},"logging.googleapis.com/labels":{"#,
        r#""correlation_id":"ticket-4711","logger":"orders::api","environment":"production","instance":"orders-1","#,
        r#""host":"node-7","total":"12.5","express":"true","customer":"c-1"}}"#
    );
    let written =
        lines(|builder| described(builder.format(Format::Gcp)).gcp_project("shop-1"), order_accepted);
    assert_eq!(written, [expected]);
}

#[test]
fn a_datadog_line() {
    let expected = concat!(
        r#"{"timestamp":"2026-11-24T09:30:00.123456789Z","status":"INFO","message":"order 7 accepted","#,
        r#""service":"orders","ddsource":"rust","ddtags":"env:production,version:1.2.0","host":"node-7","#,
        r#""correlation_id":"ticket-4711","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","#,
        r#""dd.service":"orders","dd.env":"production","dd.version":"1.2.0","#,
        r#""dd.trace_id":"0af7651916cd43dd8448eb211c80319c","dd.span_id":"13235353014750950193","#,
        r#""logger.name":"orders::api","total":12.5,"express":true,"customer":"c-1"}"#
    );
    assert_eq!(lines(|builder| described(builder.format(Format::Datadog)), order_accepted), [expected]);
    let decimal =
        lines(|builder| builder.format(Format::Datadog).datadog_ids(DatadogIds::Decimal), order_accepted);
    assert!(decimal[0].contains(r#""dd.trace_id":"9532127138774266268","#), "{decimal:?}");
}

#[test]
fn an_otlp_json_line() {
    let expected = concat!(
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}},"#,
        r#"{"key":"service.version","value":{"stringValue":"1.2.0"}},"#,
        r#"{"key":"service.instance.id","value":{"stringValue":"orders-1"}},"#,
        r#"{"key":"deployment.environment.name","value":{"stringValue":"production"}},"#,
        r#"{"key":"host.name","value":{"stringValue":"node-7"}}]},"#,
        r#""scopeLogs":[{"scope":{"name":"orders::api"},"logRecords":[{"timeUnixNano":"1795512600123456789","#,
        r#""observedTimeUnixNano":"1795512600123456789","severityNumber":9,"severityText":"INFO","#,
        r#""body":{"stringValue":"order 7 accepted"},"attributes":["#,
        r#"{"key":"correlation.id","value":{"stringValue":"ticket-4711"}},"#,
        r#"{"key":"total","value":{"doubleValue":12.5}},{"key":"express","value":{"boolValue":true}},"#,
        r#"{"key":"customer","value":{"stringValue":"c-1"}}],"flags":3,"#,
        r#""traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}],"#,
        r#""schemaUrl":"https://opentelemetry.io/schemas/1.44.0"}],"#,
        r#""schemaUrl":"https://opentelemetry.io/schemas/1.44.0"}]}"#
    );
    assert_eq!(lines(|builder| described(builder.format(Format::OtlpJson)), order_accepted), [expected]);
}

/// Everything that a line can have, with and without a message, ids, spans and errors.
fn all_kinds() {
    support::all_kinds();
}

#[test]
fn the_two_ways_to_write_plain_and_otel_agree_to_the_byte() {
    for format in [Format::Plain, Format::Otel] {
        let limits = |builder: JsonLayerBuilder| builder.format(format).field_bytes_max(40).fields_max(9);
        let by_hand = lines(limits, all_kinds);
        let by_table = lines(|builder| limits(builder).rename("no such key", "other"), all_kinds);
        assert!(by_hand.len() > 10);
        for (hand, table) in by_hand.iter().zip(&by_table) {
            assert_eq!(sorted(hand), sorted(table), "{hand}\n{table}");
        }
    }
    // Without ids of chance, to the byte.
    let table = lines(|builder| builder.rename("no such key", "other"), order_accepted);
    assert_eq!(table, lines(|builder| builder, order_accepted));
}

/// A line without ids of chance.
fn sorted(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    for key in ["trace_id", "span_id"] {
        line.as_object_mut().unwrap().remove(key);
    }
    line
}

#[test]
fn fields_of_the_conventions_go_where_each_schema_has_them() {
    let work = || {
        let _span = info_span!("request", http.request.method = "GET", url.path = "/orders").entered();
        error!(
            http.response.status_code = 503,
            exception.type = "Timeout",
            exception.message = "too late",
            exception.stacktrace = "at a\nat b",
            user_agent.original = "curl",
            "failed"
        );
    };
    let of = |format| parsed(&lines(|builder| builder.format(format), work)[0]);
    let ecs = of(Format::Ecs);
    for (key, value) in [
        ("http.request.method", json!("GET")),
        ("url.path", json!("/orders")),
        ("http.response.status_code", json!(503)),
        ("error.type", json!("Timeout")),
        ("error.message", json!("too late")),
        ("error.stack_trace", json!("at a\nat b")),
        ("user_agent.original", json!("curl")),
        ("transaction.id", ecs["span.id"].clone()),
    ] {
        assert_eq!(ecs[key], value, "{key}");
    }
    assert_eq!(ecs.get("labels"), None);
    let gcp = of(Format::Gcp);
    let request =
        json!({"requestMethod": "GET", "requestUrl": "/orders", "status": 503, "userAgent": "curl"});
    assert_eq!((&gcp["httpRequest"], &gcp["stack_trace"]), (&request, &json!("at a\nat b")));
    let datadog = of(Format::Datadog);
    for (key, value) in [
        ("http.method", json!("GET")),
        ("http.status_code", json!(503)),
        ("error.kind", json!("Timeout")),
        ("error.message", json!("too late")),
        ("error.stack", json!("at a\nat b")),
    ] {
        assert_eq!(datadog[key], value, "{key}");
    }
}

#[test]
fn the_entry_span_is_the_transaction() {
    let written = lines(
        |builder| builder.format(Format::Ecs),
        || {
            let _caller = incoming().enter();
            let _entry = info_span!("entry").entered();
            info!("in it");
            let _inner = info_span!("inner").entered();
            info!("below it");
        },
    );
    let (first, second) = (parsed(&written[0]), parsed(&written[1]));
    assert_eq!(first["transaction.id"], first["span.id"]);
    assert_eq!(second["transaction.id"], first["span.id"]);
    assert_ne!(second["span.id"], first["span.id"]);
}

#[test]
fn severities_are_those_of_each_schema() {
    for (format, pointer, expected) in [
        (Format::Plain, "/level", ["TRACE", "INFO", "WARN", "ERROR", "ERROR"]),
        (Format::Otel, "/severity_text", ["TRACE", "INFO", "WARN", "ERROR", "FATAL"]),
        (Format::Ecs, "/log.level", ["TRACE", "INFO", "WARN", "ERROR", "ERROR"]),
        (Format::Gcp, "/severity", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        (Format::Datadog, "/status", ["TRACE", "INFO", "WARN", "ERROR", "ERROR"]),
        (
            Format::OtlpJson,
            "/resourceLogs/0/scopeLogs/0/logRecords/0/severityText",
            ["TRACE", "INFO", "WARN", "ERROR", "FATAL"],
        ),
    ] {
        let written = lines(
            |builder| builder.format(format),
            || {
                trace!("a");
                info!("b");
                warn!("c");
                error!("d");
                error!(target: PANIC_TARGET, "e");
            },
        );
        let words: Vec<_> =
            written.iter().map(|line| parsed(line).pointer(pointer).unwrap().clone()).collect();
        assert_eq!(words, expected, "{format}");
    }
    let otel = lines(|builder| builder.format(Format::Otel), || error!(target: PANIC_TARGET, "e"));
    assert_eq!(parsed(&otel[0])["severity_number"], 21);
}

#[test]
fn keys_are_renamed_and_change_their_case_and_stay_unique() {
    let work = || {
        let _passed_through = incoming().enter();
        info!(order.id = 7, orderId = 8, severity = "user's", trace_id = "user's", "hello");
    };
    let camel = lines(|builder| builder.key_case(KeyCase::Camel).rename("level", "severity"), work);
    let expected = concat!(
        r#"{"timestamp":"2026-11-24T09:30:00.123456789Z","severity":"INFO","message":"hello","service":"orders","#,
        r#""correlationId":"ticket-4711","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","#,
        r#""traceFlags":"03","target":"presets","orderId":7,"fieldsSeverity":"user's","fieldsTraceId":"user's"}"#
    );
    assert_eq!(camel, [expected]);
    let snake = lines(
        |builder| builder.key_case(KeyCase::Snake).rename("order.id", "Order").rename("level", "target"),
        work,
    );
    let line = parsed(&snake[0]);
    assert_eq!((&line["Order"], &line["order_id"]), (&json!(7), &json!(8)));
    // The first key that wants a name gets it, and the other one keeps its own name wherever that is free.
    assert_eq!(snake[0].matches("\"target\":").count(), 1, "{snake:?}");
}

#[test]
fn labels_are_strings_under_keys_that_the_schema_allows() {
    let written = lines(
        |builder| builder.format(Format::Ecs),
        || info!(a.b = 1, a_b = 2, correlation_id = "mine", count = 3, "hello"),
    );
    // Without a correlation id of the request, its name is still not free.
    let labels = json!({"a_b": "1", "fields_correlation_id": "mine", "count": "3"});
    assert_eq!(parsed(&written[0])["labels"], labels);
}

#[test]
fn fields_may_stand_on_the_line_itself() {
    let work = || info!(total = 12.5, severity_text = "mine", "hello");
    let otel = lines(|builder| builder.format(Format::Otel).field_place(FieldPlace::Flat), work);
    assert!(
        otel[0].ends_with(r#""target":"presets","total":12.5,"fields.severity_text":"mine"}"#),
        "{otel:?}"
    );
    let gcp = lines(|builder| builder.format(Format::Gcp).field_place(FieldPlace::Flat), work);
    let labels =
        r#""logging.googleapis.com/labels":{"logger":"presets"},"total":12.5,"severity_text":"mine"}"#;
    assert!(gcp[0].ends_with(labels), "{gcp:?}");
}

#[test]
fn the_place_in_the_source_is_written_where_it_is_asked_for() {
    for (format, file, line) in [
        (Format::Plain, "/code.file.path", "/code.line.number"),
        (Format::Otel, "/attributes/code.file.path", "/attributes/code.line.number"),
        (Format::Ecs, "/log.origin.file.name", "/log.origin.file.line"),
        (
            Format::Gcp,
            "/logging.googleapis.com~1sourceLocation/file",
            "/logging.googleapis.com~1sourceLocation/line",
        ),
        (Format::Datadog, "/logger.file_name", "/logger.line"),
    ] {
        let here = line!() + 3;
        let written = lines(
            |builder| builder.format(format).source_location(SourceLocation::Written),
            || info!("hello"),
        );
        let parsed = parsed(&written[0]);
        assert!(parsed.pointer(file).unwrap().as_str().unwrap().ends_with("presets.rs"), "{written:?}");
        let number = parsed.pointer(line).unwrap().to_string();
        assert_eq!(number.trim_matches('"'), here.to_string(), "{format}");
    }
}

#[test]
fn limits_hold_in_every_preset_and_the_line_says_so() {
    for (format, pointer) in [
        (Format::Ecs, "/labels/log_dropped_fields"),
        (Format::Gcp, "/logging.googleapis.com~1labels/log.dropped_fields"),
        (Format::Datadog, "/log.dropped_fields"),
        (Format::OtlpJson, "/resourceLogs/0/scopeLogs/0/logRecords/0/droppedAttributesCount"),
    ] {
        let written = lines(
            |builder| builder.format(format).fields_max(2),
            || {
                let _span = info_span!("span", c = 3, d = 4).entered();
                info!(a = 1, b = 2, "hello");
            },
        );
        let dropped = parsed(&written[0]).pointer(pointer).unwrap().to_string();
        assert_eq!(dropped.trim_matches('"'), "2", "{format}: {written:?}");
    }
}
