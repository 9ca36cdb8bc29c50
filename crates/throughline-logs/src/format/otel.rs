//! The names of OpenTelemetry's log data model.

use throughline_core::{
    PANIC_TARGET,
    semconv::{code, resource},
};
use tracing::Level;

use super::{
    Head, Preset, Tally, json,
    options::{FieldPlace, Options},
    shape::{KeyStyle, Members, Shape, What},
    tally,
};
use crate::{
    foreign::Written, key::Key, key_text, limits::Limits, severity, span_fields::Piece, value::Raw,
    value_form::Form,
};

/// `{"timestamp":…,"severity_text":…,"severity_number":…,"body":…,"trace_id":…,"span_id":…,"trace_flags":…,
/// "service.name":…,"correlation_id":…,"target":…,"attributes":{` then the fields.
#[derive(Debug)]
pub(crate) struct Otel {
    /// `,"service.name":"…"`
    service: Vec<u8>,
}

impl Otel {
    pub(crate) fn new(service: &str) -> Self {
        let mut text = Vec::new();
        json::string(&mut text, b",\"service.name\":\"", service);
        Self { service: text }
    }
}

const ATTRIBUTES: &[u8] = b",\"attributes\":{";

impl Preset for Otel {
    // Fields have an object of their own, in which nothing else has a name.
    const FIXED_KEYS: &'static [&'static str] = &[super::TRUNCATED, super::DROPPED, super::SUPPRESSED];
    const IS_JSON: bool = true;

    #[inline]
    fn open(&self, out: &mut Vec<u8>, head: &Head<'_>) {
        out.extend_from_slice(b"{\"timestamp\":\"");
        out.extend_from_slice(&head.time);
        // The lowest number of each range, as for any source with one level a range.
        out.extend_from_slice(match head.level {
            Level::TRACE => b"\",\"severity_text\":\"TRACE\",\"severity_number\":1".as_slice(),
            Level::DEBUG => b"\",\"severity_text\":\"DEBUG\",\"severity_number\":5",
            Level::INFO => b"\",\"severity_text\":\"INFO\",\"severity_number\":9",
            Level::WARN => b"\",\"severity_text\":\"WARN\",\"severity_number\":13",
            Level::ERROR if head.target == PANIC_TARGET => {
                b"\",\"severity_text\":\"FATAL\",\"severity_number\":21"
            }
            Level::ERROR => b"\",\"severity_text\":\"ERROR\",\"severity_number\":17",
        });
    }

    #[inline]
    fn message(&self, out: &mut Vec<u8>, value: Raw<'_>, limits: &Limits) -> Written {
        out.extend_from_slice(b",\"body\":");
        json::message(out, value, limits)
    }

    #[inline]
    fn rest(&self, out: &mut Vec<u8>, head: &Head<'_>) {
        if let Some(span) = head.span {
            json::ids(out, span);
        }
        out.extend_from_slice(&self.service);
        if let Some(id) = head.correlation_id {
            json::correlation_id(out, id);
        }
        json::string(out, b",\"target\":\"", head.target);
        out.extend_from_slice(ATTRIBUTES);
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
        if out.ends_with(ATTRIBUTES) {
            out.truncate(out.len() - ATTRIBUTES.len());
        } else {
            out.push(b'}');
        }
        out.extend_from_slice(b"}\n");
    }
}

/// The same with other names, with the place in the source, or with fields on the line itself.
pub(super) fn shape(options: &Options) -> Shape {
    Shape::new(&options.names, &[], &[(Form::Json, KeyStyle::Usual)], |line| {
        line.string("timestamp", What::Time)
            .string("severity_text", What::Severity(&severity::OTEL))
            .bare("severity_number", What::SeverityNumber)
            .string("body", What::Message)
            .string("trace_id", What::TraceId)
            .string("span_id", What::SpanId)
            .string("trace_flags", What::TraceFlags)
            .text(resource::SERVICE_NAME, &options.service.name)
            .string("correlation_id", What::CorrelationId)
            .string("target", What::Target);
        let fields = |members: &mut Members<'_>| {
            if options.has_source() {
                members.string(code::CODE_FILE_PATH, What::File).bare(code::CODE_LINE_NUMBER, What::Line);
            }
            members.fields(0);
        };
        match options.fields {
            FieldPlace::Grouped => {
                line.object("attributes", fields);
            }
            FieldPlace::Flat => fields(line.reserved("attributes")),
        }
    })
}
