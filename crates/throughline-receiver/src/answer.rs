//! The answer to a request that was taken: OTLP's own, or one that no client should trust.

use crate::{BadAnswer, Signal, export_response::ExportResponse};

/// What a client gets for a request that was stored.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Proper(ExportResponse),
    Bad(BadAnswer),
}

/// A message that breaks off: its first field says that 127 bytes follow, and three do.
const TRUNCATED_PROTOBUF: &[u8] = &[0x0a, 0x7f, 0x08, 0x01, 0x12];
/// JSON that breaks off.
const TRUNCATED_JSON: &[u8] = b"{\"partialSuccess\": {\"rejec";
/// What a proxy in between says, with a status that promises success.
const HTML: &[u8] = b"<!doctype html><title>Welcome</title><p>Please log in to this network.";

impl Answer {
    /// The web page that comes in place of an answer, if one does.
    pub(crate) fn html(&self) -> Option<&'static [u8]> {
        matches!(self, Self::Bad(BadAnswer::WrongContentType)).then_some(HTML)
    }

    pub(crate) fn to_protobuf(&self) -> Vec<u8> {
        match self {
            Self::Proper(response) => response.to_protobuf(),
            Self::Bad(BadAnswer::Truncated) => TRUNCATED_PROTOBUF.to_vec(),
            Self::Bad(BadAnswer::Huge(bytes)) => huge(*bytes).to_protobuf(),
            Self::Bad(BadAnswer::WrongContentType) => HTML.to_vec(),
        }
    }

    pub(crate) fn to_json(&self, signal: Signal) -> Vec<u8> {
        match self {
            Self::Proper(response) => response.to_json(signal).into_bytes(),
            Self::Bad(BadAnswer::Truncated) => TRUNCATED_JSON.to_vec(),
            Self::Bad(BadAnswer::Huge(bytes)) => huge(*bytes).to_json(signal).into_bytes(),
            Self::Bad(BadAnswer::WrongContentType) => HTML.to_vec(),
        }
    }
}

/// Well-formed, and that large: a warning of so many letters.
fn huge(bytes: usize) -> ExportResponse {
    ExportResponse::partial(0, "x".repeat(bytes))
}
