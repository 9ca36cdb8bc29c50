//! The default: one flat object, fixed keys first.

use tracing::Level;

use super::{Head, Preset, Tally, json, tally};
use crate::{foreign::Written, key::Key, key_text, limits::Limits, span_fields::Piece, value::Raw};

/// `{"timestamp":…,"level":…,"message":…,"service":…,"correlation_id":…,"trace_id":…,"span_id":…,"trace_flags":…,
/// "target":…,` then the fields.
#[derive(Debug)]
pub(crate) struct Plain {
    /// `,"service":"…"`
    service: Vec<u8>,
}

impl Plain {
    pub(crate) fn new(service: &str) -> Self {
        let mut text = Vec::new();
        json::string(&mut text, b",\"service\":\"", service);
        Self { service: text }
    }
}

impl Preset for Plain {
    const FIXED_KEYS: &'static [&'static str] = &[
        "timestamp",
        "level",
        "message",
        "service",
        "correlation_id",
        "trace_id",
        "span_id",
        "trace_flags",
        "target",
        super::TRUNCATED,
        super::DROPPED,
    ];
    const IS_JSON: bool = true;

    #[inline]
    fn open(&self, out: &mut Vec<u8>, head: &Head<'_>) {
        out.extend_from_slice(b"{\"timestamp\":\"");
        out.extend_from_slice(&head.time);
        out.extend_from_slice(match head.level {
            Level::TRACE => b"\",\"level\":\"TRACE\"".as_slice(),
            Level::DEBUG => b"\",\"level\":\"DEBUG\"",
            Level::INFO => b"\",\"level\":\"INFO\"",
            Level::WARN => b"\",\"level\":\"WARN\"",
            Level::ERROR => b"\",\"level\":\"ERROR\"",
        });
    }

    #[inline]
    fn message(&self, out: &mut Vec<u8>, value: Raw<'_>, limits: &Limits) -> Written {
        out.extend_from_slice(b",\"message\":");
        json::message(out, value, limits)
    }

    #[inline]
    fn rest(&self, out: &mut Vec<u8>, head: &Head<'_>) {
        out.extend_from_slice(&self.service);
        if let Some(id) = head.correlation_id {
            json::correlation_id(out, id);
        }
        if let Some(span) = head.span {
            json::ids(out, span);
        }
        json::string(out, b",\"target\":\"", head.target);
    }

    #[inline]
    fn key(&self, out: &mut Vec<u8>, _: Key, text: &[u8]) {
        key_text::append_member(out, text);
    }

    #[inline]
    fn ready(&self, out: &mut Vec<u8>, piece: &Piece<'_>) {
        key_text::append_member(out, piece.whole);
    }

    #[inline]
    fn close(&self, out: &mut Vec<u8>, _: &Head<'_>, missing: Tally) {
        tally(self, out, missing);
        out.extend_from_slice(b"}\n");
    }
}
