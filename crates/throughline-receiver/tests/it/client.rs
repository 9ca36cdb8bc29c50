//! The clients that the tests send with.

use std::{error::Error, io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse, trace_service_client::TraceServiceClient,
    },
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;
use throughline_receiver::Receiver;
use tonic::{Response, Status, transport::Channel};

pub(crate) type TestResult = Result<(), Box<dyn Error + Send + Sync>>;

/// Long enough for a loaded machine; nothing waits that long unless it fails.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// A request with spans of these names, all of one trace, from a service named `orders`.
pub(crate) fn spans(names: &[&str]) -> ExportTraceServiceRequest {
    let span = |(index, name): (usize, &&str)| Span {
        trace_id: vec![0xab; 16],
        span_id: vec![u8::try_from(index + 1).unwrap(); 8],
        name: (*name).to_owned(),
        ..Span::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", "orders")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "tests".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: names.iter().enumerate().map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(crate) async fn grpc(
    receiver: &Receiver,
) -> Result<TraceServiceClient<Channel>, tonic::transport::Error> {
    TraceServiceClient::connect(receiver.grpc_endpoint()).await
}

/// One request over a connection of its own.
pub(crate) async fn export_grpc(
    receiver: &Receiver,
    request: ExportTraceServiceRequest,
) -> Result<Response<ExportTraceServiceResponse>, Status> {
    grpc(receiver).await.map_err(|error| Status::unavailable(error.to_string()))?.export(request).await
}

/// One POST to a path such as `/v1/traces`.
pub(crate) fn post(
    receiver: &Receiver,
    path: &str,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> reqwest::RequestBuilder {
    let url = format!("{}{path}", receiver.http_endpoint());
    reqwest::Client::new().post(url).header("content-type", content_type).body(body)
}

pub(crate) async fn export_http(
    receiver: &Receiver,
    request: &ExportTraceServiceRequest,
) -> reqwest::Result<reqwest::Response> {
    post(receiver, "/v1/traces", PROTOBUF, request.encode_to_vec()).send().await
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `google.rpc.Status`, as far as the tests look at it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}
