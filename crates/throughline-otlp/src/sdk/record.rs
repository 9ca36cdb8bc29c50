//! What is kept of a span of ours while the SDK's span lives.

use opentelemetry::{
    Context as SdkContext, KeyValue,
    trace::{self, TraceContextExt},
};
use throughline_core::{Clock, Context, SpanContext, SpanData, SpanId, SpanRecord, Status, Value};

use super::{convert, handover::Ending};
use crate::{
    encode::span::{FieldRecord, Kind},
    sdk_value::sdk_value,
};

/// What a span is from its birth on.
#[derive(Clone, Debug)]
pub(super) struct Born {
    pub(super) context: Context,
    parent: Option<SpanId>,
    parent_is_remote: bool,
}

impl Born {
    pub(super) fn of(data: &SpanData) -> Self {
        Self {
            context: data.context().clone(),
            parent: data.parent_span_id(),
            parent_is_remote: data.parent_is_remote(),
        }
    }

    /// The span above, as the SDK needs it: what is inherited comes from the span itself, which has it from its parent.
    pub(super) fn above(&self) -> Option<trace::SpanContext> {
        let own = self.context.span()?;
        let above = SpanContext::new(own.trace_id(), self.parent?, own.flags());
        let above = above.with_tracestate(own.tracestate().clone()).remote(self.parent_is_remote);
        Some(convert::to_sdk(&above))
    }
}

/// Writes to the SDK's span, and remembers what that cannot hold.
#[derive(Debug)]
pub(super) struct SdkRecord {
    /// The context around the SDK's span; `None` where the SDK did not make one.
    span: Option<SdkContext>,
    born: Born,
    start: u64,
    clock: Clock,
    kind: Option<Kind>,
    status: Option<Code>,
    description: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Ok,
    Error,
}

impl SdkRecord {
    pub(super) const fn new(span: Option<SdkContext>, born: Born, start: u64, clock: Clock) -> Self {
        Self { span, born, start, clock, kind: None, status: None, description: String::new() }
    }

    /// Whether somebody has ended the SDK's span already, by way of the plain API.
    pub(super) fn was_ended(&self) -> bool {
        self.span.as_ref().is_some_and(|span| !span.span().is_recording())
    }

    /// Adds an event that happened now.
    pub(super) fn add_event(&self, name: String, attributes: Vec<KeyValue>) {
        let now = convert::time(self.clock.unix_nanos());
        self.write(|span| span.add_event_with_timestamp(name, now, attributes));
    }

    /// What the processor is to know of the span, which ends now.
    pub(super) fn ending(self) -> Ending {
        Ending {
            context: self.born.context,
            parent: self.born.parent,
            parent_is_remote: self.born.parent_is_remote,
            kind: self.kind,
            start: self.start,
            end: self.clock.unix_nanos(),
        }
    }

    fn write(&self, change: impl FnOnce(&trace::SpanRef<'_>)) {
        if let Some(span) = &self.span {
            change(&span.span());
        }
    }

    fn write_status(&self) {
        let status = match self.status {
            None => return,
            Some(Code::Ok) => trace::Status::Ok,
            Some(Code::Error) => trace::Status::error(self.description.clone()),
        };
        self.write(|span| span.set_status(status));
    }
}

impl SpanRecord for SdkRecord {
    fn name(&mut self, name: &str) {
        self.write(|span| span.update_name(name.to_owned()));
    }

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.write(|span| span.set_attribute(convert::pair(key, value)));
    }

    fn attribute_static(&mut self, key: &'static str, value: Value<'_>) {
        self.write(|span| span.set_attribute(KeyValue::new(key, sdk_value(value))));
    }

    fn link(&mut self, context: &SpanContext, attributes: &[(&str, Value<'_>)]) {
        self.write(|span| span.add_link(convert::to_sdk(context), convert::pairs(attributes)));
    }

    fn status(&mut self, status: Status<'_>) {
        self.description.clear();
        if let Status::Error(description) = status {
            self.description.push_str(description);
        }
        self.status_code(status);
    }

    fn event(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) {
        self.add_event(name.to_owned(), convert::pairs(attributes));
    }
}

impl FieldRecord for SdkRecord {
    fn kind(&mut self, kind: Kind) {
        self.kind = Some(kind);
    }

    fn status_code(&mut self, status: Status<'_>) {
        self.status = match status {
            Status::Ok => Some(Code::Ok),
            Status::Error(_) => Some(Code::Error),
            _ => None,
        };
        self.write_status();
    }

    fn status_message(&mut self, message: &str) {
        self.status.get_or_insert(Code::Error);
        self.description.clear();
        self.description.push_str(message);
        self.write_status();
    }
}
