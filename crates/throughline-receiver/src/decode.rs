//! Decoding without a server.

use std::sync::Arc;

use throughline_otlp_json::{TRACES_DATA, to_protobuf};

use crate::{Signal, Span, batch::Batch};

/// The spans of an OTLP `ExportTraceServiceRequest` in protobuf, without a server in between.
///
/// # Errors
/// Says what is wrong with the bytes.
pub fn decode_spans(request: &[u8]) -> Result<Vec<Arc<Span>>, String> {
    match Batch::decode(Signal::Traces, request, false)? {
        (Batch::Spans(spans), _) => Ok(spans),
        (Batch::Logs(_) | Batch::Metrics(_), _) => Ok(Vec::new()),
    }
}

/// The same in OTLP-JSON.
///
/// # Errors
/// Says what is wrong with the text.
pub fn decode_spans_json(request: &[u8]) -> Result<Vec<Arc<Span>>, String> {
    let protobuf = to_protobuf(request, &TRACES_DATA).map_err(|problem| problem.to_string())?;
    decode_spans(&protobuf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_span_and_nonsense_is_an_error() {
        assert!(decode_spans(&[]).unwrap().is_empty());
        assert!(decode_spans(&[0xff, 0xff]).is_err());
        assert!(decode_spans_json(b"{}").unwrap().is_empty());
        assert!(decode_spans_json(b"[").is_err());
    }
}
