//! OTLP over gRPC.

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{ExportLogsServiceRequest, logs_service_client::LogsServiceClient},
        metrics::v1::{ExportMetricsServiceRequest, metrics_service_client::MetricsServiceClient},
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::any_value::Value,
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data, number_data_point,
    },
    trace::v1::{Status as SpanStatus, span},
};
use throughline_receiver::{
    AttributeValue, Compression, MetricKind, Outcome, PointValue, Protocol, Receiver, Signal, SpanKind,
    Status,
};
use tonic::{Code, codec::CompressionEncoding};

use crate::client::{TestResult, attribute, export_grpc, grpc, spans, text};

#[tokio::test]
async fn a_span_arrives_with_everything_that_was_sent() -> TestResult {
    let receiver = Receiver::start().await?;
    let mut request = spans(&["GET /orders"]);
    let sent = &mut request.resource_spans[0].scope_spans[0].spans[0];
    sent.parent_span_id = vec![9; 8];
    sent.flags = 0x301;
    sent.trace_state = "vendor=1".to_owned();
    sent.kind = 3;
    (sent.start_time_unix_nano, sent.end_time_unix_nano) = (1_000, 3_500);
    sent.attributes = vec![
        text("text", "x"),
        attribute("number", Value::IntValue(-7)),
        attribute("bytes", Value::BytesValue(vec![1, 2])),
    ];
    sent.dropped_attributes_count = 1;
    sent.events = vec![span::Event {
        time_unix_nano: 2_000,
        name: "retry".to_owned(),
        attributes: vec![attribute("attempt", Value::IntValue(2))],
        dropped_attributes_count: 4,
    }];
    sent.dropped_events_count = 2;
    sent.links =
        vec![span::Link { trace_id: vec![1; 16], span_id: vec![2; 8], flags: 0x100, ..Default::default() }];
    sent.dropped_links_count = 3;
    sent.status = Some(SpanStatus { code: 2, message: "timeout".to_owned() });

    export_grpc(&receiver, request).await?;

    let [span] = &receiver.spans()[..] else { panic!("one span") };
    assert_eq!(span.trace_id.to_string(), "ab".repeat(16));
    assert_eq!(span.span_id.to_string(), "01".repeat(8));
    assert_eq!(span.parent_span_id.map(|id| id.to_string()), Some("09".repeat(8)));
    assert_eq!((span.is_sampled(), span.parent_is_remote(), span.is_root()), (true, Some(true), false));
    assert_eq!(
        (span.tracestate.as_str(), span.name.as_str(), span.kind),
        ("vendor=1", "GET /orders", SpanKind::Client)
    );
    assert_eq!(span.duration().as_nanos(), 2_500);
    assert_eq!((span.service(), span.scope.name.as_str()), ("orders", "tests"));
    assert_eq!(span.attribute("text"), Some(&"x".into()));
    assert_eq!(span.attribute("number"), Some(&(-7).into()));
    assert_eq!(span.attribute("bytes"), Some(&AttributeValue::Bytes(vec![1, 2])));
    assert_eq!(
        (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
        (1, 2, 3)
    );
    assert_eq!((span.events[0].name.as_str(), span.events[0].time_unix_nanos), ("retry", 2_000));
    assert_eq!(span.events[0].attributes.get("attempt"), Some(&2.into()));
    assert_eq!((span.links[0].trace_id.to_bytes(), span.links[0].span_id.to_bytes()), ([1; 16], [2; 8]));
    assert_eq!(span.status, Status::Error { message: "timeout".to_owned() });
    Ok(())
}

#[tokio::test]
async fn log_records_and_metrics_arrive_too() -> TestResult {
    let receiver = Receiver::start().await?;
    let record = LogRecord {
        severity_number: 9,
        trace_id: vec![0xab; 16],
        event_name: "started".to_owned(),
        ..Default::default()
    };
    let logs = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs { log_records: vec![record], ..Default::default() }],
            ..Default::default()
        }],
    };
    LogsServiceClient::connect(receiver.grpc_endpoint()).await?.export(logs).await?;
    let point = NumberDataPoint { value: Some(number_data_point::Value::AsInt(0)), ..Default::default() };
    let metric = Metric {
        name: "queue".to_owned(),
        data: Some(Data::Gauge(Gauge { data_points: vec![point] })),
        ..Default::default()
    };
    let metrics = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            scope_metrics: vec![ScopeMetrics { metrics: vec![metric], ..Default::default() }],
            ..Default::default()
        }],
    };
    MetricsServiceClient::connect(receiver.grpc_endpoint()).await?.export(metrics).await?;

    let record = &receiver.logs()[0];
    assert_eq!((record.severity_number, record.event_name.as_str(), record.span_id), (9, "started", None));
    assert_eq!(receiver.trace(record.trace_id.unwrap()).logs.len(), 1);
    let metric = &receiver.metrics()[0];
    assert_eq!((metric.name.as_str(), metric.kind), ("queue", MetricKind::Gauge));
    assert_eq!(metric.points[0].value, PointValue::Int(0));
    let signals: Vec<_> = receiver.requests().iter().map(|request| (request.signal, request.items)).collect();
    assert_eq!(signals, [(Signal::Logs, 1), (Signal::Metrics, 1)]);
    Ok(())
}

#[tokio::test]
async fn a_request_is_described() -> TestResult {
    let receiver = Receiver::start().await?;
    let mut client = grpc(&receiver).await?.send_compressed(CompressionEncoding::Gzip);
    let mut request = tonic::Request::new(spans(&["a", "b"]));
    request.metadata_mut().insert("x-api-key", "secret".parse()?);
    client.export(request).await?;

    let request = &receiver.requests()[0];
    assert_eq!((request.protocol, request.compression), (Protocol::Grpc, Compression::Gzip));
    assert_eq!((request.items, request.outcome), (2, Outcome::Accepted));
    assert_eq!(request.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    assert_eq!(request.header("x-api-key"), Some("secret"));
    // gzip's head and tail alone are 18 bytes, the frame's head is 5.
    assert!(request.wire_bytes > 23, "{}", request.wire_bytes);
    assert_eq!(receiver.spans().len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_empty_request_is_a_success() -> TestResult {
    let receiver = Receiver::start().await?;
    let response = export_grpc(&receiver, ExportTraceServiceRequest::default()).await?;
    assert_eq!(response.into_inner().partial_success, None);
    assert_eq!((receiver.requests()[0].items, receiver.requests()[0].outcome), (0, Outcome::Accepted));
    Ok(())
}

#[tokio::test]
async fn too_large_is_resource_exhausted_before_and_after_decompression() -> TestResult {
    let receiver = Receiver::builder().request_bytes_max(1_000).start().await?;
    let large = spans(&["x".repeat(5_000).as_str()]);
    for client in [grpc(&receiver).await?, grpc(&receiver).await?.send_compressed(CompressionEncoding::Gzip)]
    {
        let status = { client }.export(large.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    }
    assert_eq!(receiver.spans().len(), 0);
    let outcomes: Vec<_> = receiver.requests().iter().map(|request| request.outcome).collect();
    assert_eq!(outcomes, [Outcome::Invalid, Outcome::Invalid]);
    Ok(())
}

#[tokio::test]
async fn ids_that_cannot_be_are_invalid_arguments() -> TestResult {
    let receiver = Receiver::start().await?;
    for trace_id in [vec![], vec![0; 16], vec![1; 15]] {
        let mut request = spans(&["a"]);
        request.resource_spans[0].scope_spans[0].spans[0].trace_id = trace_id.clone();
        let status = export_grpc(&receiver, request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{trace_id:?}");
        assert_eq!(status.message(), format!("invalid trace id of a span of {} bytes", trace_id.len()));
    }
    Ok(())
}

#[tokio::test]
async fn malformed_messages_are_answered_and_noted() -> TestResult {
    let receiver = Receiver::start().await?;
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let url = format!("{}{path}", receiver.grpc_endpoint());
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let post = |url: &str, content_type: &str, encoding: &str, body: &'static [u8]| {
        let request =
            http::Request::post(url).header("content-type", content_type).header("grpc-encoding", encoding);
        client.request(request.body(Full::new(Bytes::from_static(body))).unwrap())
    };
    // A frame of five bytes that aren't protobuf; a frame that says gzip and isn't.
    let cases: [(&str, &[u8], &str); 2] =
        [("identity", b"\0\0\0\0\x05\xff\xff\xff\xff\xff", "3"), ("gzip", b"\x01\0\0\0\x05hello", "13")];
    for (encoding, frame, code) in cases {
        let response = post(&url, "application/grpc", encoding, frame).await?;
        assert_eq!(response.headers()["grpc-status"], code, "{encoding}");
        assert_eq!(receiver.requests().last().unwrap().outcome, Outcome::Invalid);
    }
    assert_eq!(post(&url, "text/plain", "identity", b"hello").await?.status(), 415);
    let no_such_method = format!("{}/no.such/Method", receiver.grpc_endpoint());
    let response = post(&no_such_method, "application/grpc", "identity", b"").await?;
    assert_eq!(response.headers()["grpc-status"], "12");
    Ok(())
}
