//! The answer to an export request, in either encoding.

use prost::Message as _;

use crate::Signal;

/// The answer to a request that was taken. OTLP's three responses differ only in what JSON calls the number.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

impl ExportResponse {
    /// Everything was taken.
    pub(crate) fn full() -> Self {
        Self { partial_success: None }
    }

    /// All but some was taken.
    pub(crate) fn partial(rejected: usize, error_message: String) -> Self {
        let rejected = i64::try_from(rejected).unwrap_or(i64::MAX);
        Self { partial_success: Some(PartialSuccess { rejected, error_message }) }
    }

    pub(crate) fn to_protobuf(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    pub(crate) fn to_json(&self, signal: Signal) -> String {
        match &self.partial_success {
            None => "{}".to_owned(),
            Some(partial) => serde_json::json!({"partialSuccess": {
                signal.rejected_key(): partial.rejected.to_string(),
                "errorMessage": partial.error_message,
            }})
            .to_string(),
        }
    }
}
