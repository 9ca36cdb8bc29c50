//! OTLP-JSON: the official examples, and what is written for the tap.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::common::v1::{ArrayValue, any_value::Value as Any};
use serde_json::{Value, json};
use throughline_receiver::{MetricKind, OtlpJsonFile, PointValue, Receiver, Temporality};

use crate::client::{JSON, TestResult, attribute, export_grpc, post, spans, text};

const TRACE: &str = include_str!("data/trace.json");
const LOGS: &str = include_str!("data/logs.json");
const METRICS: &str = include_str!("data/metrics.json");
const EVENTS: &str = include_str!("data/events.json");

type Lines = Arc<Mutex<Vec<String>>>;

async fn tapped() -> Result<(Receiver, Lines), throughline_receiver::ReceiverError> {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    let receiver =
        Receiver::builder().tap(move |line: &str| sink.lock().unwrap().push(line.to_owned())).start().await?;
    Ok((receiver, lines))
}

/// What the official examples are, except that our ids are lower case and that zeros need not be written.
fn normal(example: &str) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    match value {
                        Value::String(id) if key.ends_with("Id") => *id = id.to_lowercase(),
                        // JSON has one kind of number: 5 and 5.0 are the same double.
                        Value::Number(number)
                            if matches!(
                                key.as_str(),
                                "asDouble" | "sum" | "min" | "max" | "zeroThreshold"
                            ) =>
                        {
                            *value = json!(number.as_f64());
                        }
                        value => walk(value),
                    }
                }
                fields.retain(|key, value| {
                    !(matches!(key.as_str(), "scale" | "zeroThreshold") && value.as_f64() == Some(0.0))
                });
            }
            Value::Array(values) => {
                for value in values {
                    if value.is_i64() {
                        *value = json!(value.as_f64());
                    }
                    walk(value);
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::from_str(example).unwrap();
    walk(&mut value);
    value
}

#[tokio::test]
async fn the_official_examples_come_out_as_they_went_in() -> TestResult {
    let (receiver, lines) = tapped().await?;
    let examples =
        [("/v1/traces", TRACE), ("/v1/logs", LOGS), ("/v1/metrics", METRICS), ("/v1/logs", EVENTS)];
    for (path, example) in examples {
        assert_eq!(post(&receiver, path, JSON, example).send().await?.status(), 200, "{path}");
        let line = lines.lock().unwrap().pop().unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Value>(&line)?, normal(example), "{path}");
        // And in again.
        assert_eq!(post(&receiver, path, JSON, line.clone()).send().await?.status(), 200, "{path}");
        assert_eq!(lines.lock().unwrap().pop().unwrap(), line);
    }
    Ok(())
}

#[tokio::test]
async fn the_official_examples_are_understood() -> TestResult {
    let receiver = Receiver::start().await?;
    post(&receiver, "/v1/traces", JSON, TRACE).send().await?;
    post(&receiver, "/v1/logs", JSON, LOGS).send().await?;
    post(&receiver, "/v1/metrics", JSON, METRICS).send().await?;

    let span = &receiver.spans()[0];
    assert_eq!((span.service(), span.name.as_str()), ("my.service", "I'm a server span"));
    assert_eq!(span.parent_span_id.unwrap().to_string(), "eee19b7ec3c1b173");
    let record = &receiver.logs()[0];
    assert_eq!((record.trace_id, record.span_id), (Some(span.trace_id), Some(span.span_id)));
    assert_eq!(record.attribute("double.attribute"), Some(&637.704.into()));
    assert_eq!(record.attribute("array.attribute").unwrap().to_string(), "[many, values]");
    assert_eq!(record.attribute("map.attribute").unwrap().to_string(), "{some.map.key: some value}");
    let metrics = receiver.metrics();
    let kinds: Vec<_> =
        metrics.iter().map(|metric| (metric.kind, metric.temporality, metric.monotonic)).collect();
    assert_eq!(
        kinds,
        [
            (MetricKind::Sum, Temporality::Delta, true),
            (MetricKind::Gauge, Temporality::Unspecified, false),
            (MetricKind::Histogram, Temporality::Delta, false),
            (MetricKind::ExponentialHistogram, Temporality::Delta, false),
        ]
    );
    let PointValue::Histogram { count, sum, min, max, bounds, buckets } = &metrics[2].points[0].value else {
        panic!("a histogram")
    };
    assert_eq!((*count, *sum, *min, *max), (2, Some(2.0), Some(0.0), Some(2.0)));
    assert_eq!((bounds.as_slice(), buckets.as_slice()), (&[1.0][..], &[1, 1][..]));
    let PointValue::ExponentialHistogram { zero_count, positive, .. } = &metrics[3].points[0].value else {
        panic!("an exponential histogram")
    };
    assert_eq!((*zero_count, positive.offset, positive.counts.as_slice()), (1, 1, &[0, 2][..]));
    Ok(())
}

#[tokio::test]
async fn what_the_official_examples_lack_goes_both_ways() -> TestResult {
    let (receiver, lines) = tapped().await?;
    let body = json!({"resourceMetrics": [{
        "resource": {"entityRefs": [{"schemaUrl": "s", "type": "service", "idKeys": ["a", "b"], "descriptionKeys": ["c"]}]},
        "scopeMetrics": [{"schemaUrl": "u", "metrics": [
            {"name": "summary", "metadata": [{"key": "k", "value": {"boolValue": false}}], "summary": {"dataPoints": [
                {"count": "18446744073709551615", "sum": 1.5, "quantileValues": [{"quantile": 0.5, "value": 0.1}], "flags": 1}
            ]}},
            {"name": "exemplars", "sum": {"dataPoints": [{"asInt": "-5", "exemplars": [{
                "timeUnixNano": "7", "asDouble": 0.3, "spanId": "01".repeat(8), "traceId": "ab".repeat(16),
                "filteredAttributes": [{"key": "k", "value": {"stringValue": "v"}}]
            }]}]}},
            {"name": "odd", "exponentialHistogram": {"dataPoints": [{
                "count": "3", "scale": -2_147_483_648_i64, "zeroThreshold": 0.25, "max": "NaN",
                "negative": {"offset": -1, "bucketCounts": ["3", "18446744073709551615"]}
            }]}},
            {"name": "bounds", "histogram": {"dataPoints": [{"explicitBounds": [0.1, "Infinity"], "bucketCounts": ["0", "1"]}]}},
        ]}],
    }]});
    let response = post(&receiver, "/v1/metrics", JSON, body.to_string()).send().await?;
    assert_eq!(response.text().await?, "{}");
    assert_eq!(serde_json::from_str::<Value>(&lines.lock().unwrap()[0])?, body);
    let metrics = receiver.metrics();
    let PointValue::Summary { count, quantiles, .. } = &metrics[0].points[0].value else {
        panic!("a summary")
    };
    assert_eq!((*count, quantiles[0].value), (u64::MAX, 0.1));
    let exemplar = &metrics[1].points[0].exemplars[0];
    assert_eq!(
        (exemplar.value.clone(), exemplar.trace_id.unwrap().to_bytes()),
        (PointValue::Double(0.3), [0xab; 16])
    );
    let PointValue::ExponentialHistogram { scale, negative, .. } = &metrics[2].points[0].value else {
        panic!("an exponential histogram")
    };
    assert_eq!((*scale, negative.offset, negative.counts.as_slice()), (i32::MIN, -1, &[3, u64::MAX][..]));
    Ok(())
}

#[tokio::test]
async fn what_other_senders_write_is_read() -> TestResult {
    let (receiver, lines) = tapped().await?;
    // Numbers where strings are usual, null for absent, unknown fields anywhere, url-safe base64 without padding.
    let body = json!({"unknown": [1], "resourceSpans": [{"resource": null, "scopeSpans": [{"spans": [{
        "traceId": "AB".repeat(16), "spanId": "01".repeat(8), "parentSpanId": "", "name": "n", "flags": 257,
        "startTimeUnixNano": 1_544_712_660_000_000_000_u64, "endTimeUnixNano": "1544712661000000000",
        "status": {}, "newField": {"deep": true},
        "attributes": [
            {"key": "int", "value": {"intValue": 5, "newField": 1}},
            {"key": "least", "value": {"intValue": "-9223372036854775808"}},
            {"key": "bytes", "value": {"bytesValue": "_-8"}},
            {"key": "empty", "value": {}},
            {"key": "none"},
            {"key": "array", "value": {"arrayValue": {}}},
            {"key": "not a number", "value": {"doubleValue": "NaN"}},
            {"key": "much", "value": {"doubleValue": "-Infinity"}},
        ],
    }]}]}]});
    let response = post(&receiver, "/v1/traces", JSON, body.to_string()).send().await?;
    assert_eq!(response.text().await?, "{}");
    let span = &receiver.spans()[0];
    assert_eq!((span.parent_span_id, span.parent_is_remote()), (None, Some(false)));
    assert_eq!(span.duration().as_secs(), 1);
    let shown: Vec<_> = span.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        shown,
        [
            "int=5",
            "least=-9223372036854775808",
            "bytes=ffef",
            "empty=",
            "none=",
            "array=[]",
            "not a number=NaN",
            "much=-inf"
        ]
    );
    assert_eq!(
        serde_json::from_str::<Value>(&lines.lock().unwrap()[0])?,
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": "ab".repeat(16), "spanId": "01".repeat(8), "name": "n", "flags": 257,
            "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "status": {},
            "attributes": [
                {"key": "int", "value": {"intValue": "5"}},
                {"key": "least", "value": {"intValue": "-9223372036854775808"}},
                {"key": "bytes", "value": {"bytesValue": "/+8="}},
                {"key": "empty", "value": {}},
                {"key": "none"},
                {"key": "array", "value": {"arrayValue": {}}},
                {"key": "not a number", "value": {"doubleValue": "NaN"}},
                {"key": "much", "value": {"doubleValue": "-Infinity"}},
            ],
        }]}]}]})
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_otlp_json_is_refused_with_its_place() -> TestResult {
    let receiver = Receiver::start().await?;
    let cases = [
        (r#""traceId": "xyz""#, "traceId: expected hexadecimal digits"),
        (r#""kind": "SPAN_KIND_SERVER""#, "kind: expected a whole number of 32 bits"),
        (
            r#""startTimeUnixNano": "-1""#,
            "startTimeUnixNano: expected a whole number of 64 bits without sign",
        ),
        (r#""name": 5"#, "name: expected a string"),
        (r#""status": []"#, "status: expected an object"),
        (
            r#""attributes": [{}, {"key": "k", "value": {"boolValue": 1}}]"#,
            "attributes[1].value.boolValue: expected true or false",
        ),
        (
            r#""attributes": [{"key": "k", "value": {"doubleValue": "inf"}}]"#,
            "doubleValue: expected a number",
        ),
        (r#""attributes": [{"key": "k", "value": {"bytesValue": "?"}}]"#, "bytesValue: expected base64"),
    ];
    for (field, message) in cases {
        let body = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{{field}}}]}}]}}]}}"#);
        let response = post(&receiver, "/v1/traces", JSON, body).send().await?;
        assert_eq!(response.status(), 400, "{field}");
        let answer: Value = serde_json::from_slice(&response.bytes().await?)?;
        let place = format!("resourceSpans[0].scopeSpans[0].spans[0].{message}");
        let found = answer["message"].as_str().unwrap();
        assert!(
            found.starts_with("resourceSpans[0].scopeSpans[0].spans[0].") && found.contains(message),
            "{place}: {found}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn text_of_every_kind_survives() -> TestResult {
    let (receiver, lines) = tapped().await?;
    let odd = "line\nfeed \"quotes\" \\ \u{0} \u{2028} ü 😀";
    let mut request = spans(&[odd]);
    let list = vec![
        attribute("", Any::BoolValue(false)).value.unwrap(),
        attribute("", Any::DoubleValue(0.1)).value.unwrap(),
    ];
    request.resource_spans[0].scope_spans[0].spans[0].attributes =
        vec![text(odd, odd), attribute("list", Any::ArrayValue(ArrayValue { values: list }))];
    export_grpc(&receiver, request).await?;
    let line = lines.lock().unwrap()[0].clone();
    assert!(!line.contains('\n'));
    post(&receiver, "/v1/traces", JSON, line).send().await?;
    let [first, second] = &receiver.spans()[..] else { panic!("two spans") };
    assert_eq!(first, second);
    assert_eq!(second.name, odd);
    Ok(())
}

#[tokio::test]
async fn a_file_gets_a_line_a_request_signals_mixed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("telemetry.jsonl");
    let file = OtlpJsonFile::create(&path)?;
    let receiver = Receiver::builder().tap(file.clone()).start().await?;
    post(&receiver, "/v1/logs", JSON, LOGS).send().await?;
    export_grpc(&receiver, spans(&["a"])).await?;
    post(&receiver, "/v1/traces", JSON, "not JSON").send().await?;
    post(&receiver, "/v1/metrics", JSON, METRICS).send().await?;

    // Not closed yet: each line is there as soon as its request is answered.
    let text = std::fs::read_to_string(&path)?;
    let keys: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap().as_object().unwrap().keys().next().unwrap().clone()
        })
        .collect();
    assert_eq!(keys, ["resourceLogs", "resourceSpans", "resourceMetrics"]);
    assert!(text.ends_with("}\n"));
    assert_eq!((file.lines(), file.write_errors(), file.last_error()), (3, 0, None));
    Ok(())
}

#[test]
fn a_file_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(OtlpJsonFile::create(folder.path().join("no/such/folder.jsonl")).is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_loses_lines_and_nothing_else() -> TestResult {
    let file = OtlpJsonFile::create("/dev/full")?;
    let receiver = Receiver::builder().tap(file.clone()).start().await?;
    export_grpc(&receiver, spans(&["a"])).await?;
    assert_eq!(receiver.spans().len(), 1);
    assert_eq!((file.lines(), file.write_errors()), (0, 1));
    assert!(file.last_error().unwrap().contains("space"));
    Ok(())
}
