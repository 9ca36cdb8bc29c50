//! One log record.

use throughline_core::{Context, Severity, Value, semconv};

use super::{
    attributes::{Attributes, Caps, any_value},
    wire::{Wire, varint_len},
};

/// The field of attributes in `opentelemetry.proto.logs.v1.LogRecord`.
pub(crate) const ATTRIBUTES: u32 = 6;

/// What a log record tells beside its attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogRecord<'a> {
    pub(crate) unix_nanos: u64,
    pub(crate) severity: Severity,
    /// The message, or empty.
    pub(crate) body: &'a str,
    /// The kind of event, or empty.
    pub(crate) event_name: &'a str,
    pub(crate) context: &'a Context,
}

impl LogRecord<'_> {
    /// Writes the record with these attributes as a field of `ScopeLogs`, with its tag and length.
    ///
    /// The correlation id becomes one of the attributes, whatever the limit on them.
    pub(crate) fn encode(&self, attributes: &mut Attributes, out: &mut Vec<u8>) {
        if let Some(id) = self.context.correlation_id() {
            let caps = Caps { count: usize::MAX, chars: None };
            attributes.set(ATTRIBUTES, semconv::own::CORRELATION_ID, id.as_str().into(), caps);
        }
        out.clear();
        out.reserve(attributes.bytes().len() + self.body.len() + ROOM);
        out.tag(2, 2);
        out.varint(self.len(attributes) as u64);
        let starts = out.len();
        out.fixed64(1, self.unix_nanos);
        out.uint(2, self.severity.number().into());
        out.bytes(3, self.severity.text().as_bytes());
        if !self.body.is_empty() {
            out.tag(5, 2);
            out.varint(delimited(self.body.len()) as u64);
            any_value(out, Value::Str(self.body), None);
        }
        out.extend_from_slice(attributes.bytes());
        if attributes.dropped() > 0 {
            out.uint(7, attributes.dropped().into());
        }
        if let Some(span) = self.context.span() {
            out.fixed32(8, span.flags().byte().into());
            out.bytes(9, &span.trace_id().to_bytes());
            out.bytes(10, &span.span_id().to_bytes());
        }
        // It is seen where it happens.
        out.fixed64(11, self.unix_nanos);
        if !self.event_name.is_empty() {
            out.bytes(12, self.event_name.as_bytes());
        }
        debug_assert_eq!(out.len() - starts, self.len(attributes), "the length was promised before");
    }

    fn len(&self, attributes: &Attributes) -> usize {
        let optional = |text: &str, len: usize| if text.is_empty() { 0 } else { delimited(len) };
        let dropped = attributes.dropped() as usize;
        9 + 2
            + delimited(self.severity.text().len())
            + optional(self.body, delimited(self.body.len()))
            + attributes.bytes().len()
            + if dropped == 0 { 0 } else { 1 + varint_len(dropped) }
            + if self.context.span().is_some() { 5 + delimited(16) + delimited(8) } else { 0 }
            + 9
            + optional(self.event_name, self.event_name.len())
    }
}

/// What a record takes beside body and attributes.
const ROOM: usize = 128;

/// A field of this length with its tag and length.
const fn delimited(len: usize) -> usize {
    1 + varint_len(len) + len
}
