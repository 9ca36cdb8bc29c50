//! Telling the caller which span served it.

use http::{HeaderMap, HeaderName, HeaderValue};
use throughline_core::{Context, TRACEPARENT_LEN};

static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

const BEFORE: &[u8] = b"trace;desc=";

/// Adds `trace;desc=00-{trace id}-{span id}-{flags}` (Trace Context Level 2, response header) to what is there already.
pub(super) fn add(headers: &mut HeaderMap, span: &Context) {
    let Some(span) = span.span() else { return };
    let mut value = [0; BEFORE.len() + TRACEPARENT_LEN];
    let (before, ids) = value.split_at_mut(BEFORE.len());
    before.copy_from_slice(BEFORE);
    ids.copy_from_slice(&span.traceparent());
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.append(&SERVER_TIMING, value);
    }
}
