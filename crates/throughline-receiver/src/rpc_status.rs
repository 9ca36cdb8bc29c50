//! `google.rpc.Status`, the body of every OTLP error, in its protobuf and JSON forms.

use std::time::Duration;

use prost::Message as _;

const RETRY_INFO_TYPE: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// An error as both protocols tell it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) http_status: u16,
    pub(crate) grpc_code: i32,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(400, INVALID_ARGUMENT, message)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, RESOURCE_EXHAUSTED, format!("the request is larger than {limit} bytes"))
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(415, INVALID_ARGUMENT, message)
    }

    pub(crate) fn new(http_status: u16, grpc_code: i32, message: impl Into<String>) -> Self {
        Self { http_status, grpc_code, message: message.into(), retry_after: None }
    }

    /// The protobuf form.
    pub(crate) fn to_protobuf(&self) -> Vec<u8> {
        let details = self.retry_info().map(|value| Any { type_url: RETRY_INFO_TYPE.to_owned(), value });
        Status { code: self.grpc_code, message: self.message.clone(), details: details.into_iter().collect() }
            .encode_to_vec()
    }

    /// The JSON form.
    pub(crate) fn to_json(&self) -> String {
        let details: Vec<_> = self
            .retry_after
            .iter()
            .map(|delay| serde_json::json!({"@type": RETRY_INFO_TYPE, "retryDelay": format!("{}s", delay.as_secs_f64())}))
            .collect();
        serde_json::json!({"code": self.grpc_code, "message": self.message, "details": details}).to_string()
    }

    fn retry_info(&self) -> Option<Vec<u8>> {
        let delay = self.retry_after?;
        let seconds = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
        let delay = ProtoDuration { seconds, nanos: delay.subsec_nanos().cast_signed() };
        Some(RetryInfo { retry_delay: Some(delay) }.encode_to_vec())
    }
}

/// gRPC's codes for what the receiver finds wrong itself.
pub(crate) const INVALID_ARGUMENT: i32 = 3;
pub(crate) const RESOURCE_EXHAUSTED: i32 = 8;

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
