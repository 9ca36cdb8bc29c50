//! The default: one flat object, fixed keys first.

use throughline_core::semconv::code;
use tracing::Level;

use super::{
    Head, Preset, Tally, json,
    options::Options,
    shape::{KeyStyle, Shape, What},
    tally,
};
use crate::{
    foreign::Written, key::Key, key_text, limits::Limits, severity, span_fields::Piece, value::Raw,
    value_form::Form,
};

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
        super::SUPPRESSED,
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
    fn close(&self, out: &mut Vec<u8>, head: &Head<'_>, missing: Tally) {
        tally(self, out, head, missing);
        out.extend_from_slice(b"}\n");
    }
}

/// The same with other names, or with the place in the source.
pub(super) fn shape(options: &Options) -> Shape {
    Shape::new(&options.names, &[], &[(Form::Json, KeyStyle::Usual)], |line| {
        line.string("timestamp", What::Time)
            .string("level", What::Severity(&severity::LEVELS))
            .string("message", What::Message)
            .text("service", &options.service.name)
            .string("correlation_id", What::CorrelationId)
            .string("trace_id", What::TraceId)
            .string("span_id", What::SpanId)
            .string("trace_flags", What::TraceFlags)
            .string("target", What::Target);
        if options.has_source() {
            line.string(code::CODE_FILE_PATH, What::File).bare(code::CODE_LINE_NUMBER, What::Line);
        }
        line.fields(0);
    })
}
