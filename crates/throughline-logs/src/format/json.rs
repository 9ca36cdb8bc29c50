//! What the presets that write JSON have in common.

use throughline_core::{CorrelationId, SpanContext};

use crate::{
    escape, foreign,
    foreign::Written,
    limits::{Limits, NAME_BYTES_MAX},
    value::Raw,
};

/// The value of the message: a string, whatever type it was given with.
#[inline]
pub(super) fn message(out: &mut Vec<u8>, value: Raw<'_>, limits: &Limits) -> Written {
    out.push(b'"');
    let written = value.text::<true>(out, limits);
    out.push(b'"');
    written
}

/// `before` is everything up to the string's opening quote.
#[inline]
pub(super) fn string(out: &mut Vec<u8>, before: &[u8], text: &str) {
    out.extend_from_slice(before);
    escape::quoted(out, foreign::before(text, NAME_BYTES_MAX));
    out.push(b'"');
}

/// The ids of OpenTelemetry's rule for JSON logs: top level, lower-case hexadecimal.
#[inline]
pub(super) fn ids(out: &mut Vec<u8>, span: &SpanContext) {
    // One copy for all of them costs less than six small ones.
    let mut text = *b",\"trace_id\":\"00000000000000000000000000000000\",\"span_id\":\"0000000000000000\",\"trace_flags\":\"00\"";
    put(&mut text, 13, &span.trace_id().hex());
    put(&mut text, 58, &span.span_id().hex());
    put(&mut text, 91, &span.flags().hex());
    out.extend_from_slice(&text);
}

/// A correlation id has no character that would need an escape.
#[inline]
pub(super) fn correlation_id(out: &mut Vec<u8>, id: &CorrelationId) {
    out.extend_from_slice(b",\"correlation_id\":\"");
    out.extend_from_slice(id.as_str().as_bytes());
    out.push(b'"');
}

#[inline]
fn put(text: &mut [u8], at: usize, part: &[u8]) {
    if let Some(place) = text.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}
