//! One span, encoded as it lives.

mod record;

use std::cell::RefCell;

use throughline_core::{
    Clock, Context, SpanContext, SpanData, SpanId, SpanRecord, Status, redact::Redactor, semconv,
};

use record::{ERROR, UNSET};

use super::{
    attributes::{Attributes, Caps, truncated},
    wire::{Wire, varint_len},
};
use crate::limits::SpanLimits;

/// Field numbers of `opentelemetry.proto.trace.v1.Span`.
pub(crate) mod field {
    pub(in crate::encode) const ATTRIBUTES: u32 = 9;
    pub(crate) const EVENT_ATTRIBUTES: u32 = 3;
    pub(crate) const LINK_ATTRIBUTES: u32 = 4;
    pub(super) const EVENTS: u32 = 11;
    pub(super) const LINKS: u32 = 13;
}

/// Bits of OTLP's flags beside those of W3C: whether it is known that the parent is remote, and whether it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// What kind of hop a span is, by OTLP's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

impl Kind {
    /// The kind that `otel.kind` names, in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let kinds = [
            ("internal", Self::Internal),
            ("server", Self::Server),
            ("client", Self::Client),
            ("producer", Self::Producer),
            ("consumer", Self::Consumer),
        ];
        kinds.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, kind)| kind)
    }
}

/// A record that `tracing`'s own fields can steer, by the names that begin with `otel.`.
pub(crate) trait FieldRecord: SpanRecord {
    /// Says what kind of hop the span is.
    fn kind(&mut self, kind: Kind);
    /// Sets the status and leaves its description: the two may come in any order.
    fn status_code(&mut self, status: Status<'_>);
    /// Describes a failure. A description alone makes one; beside another status it is ignored.
    fn status_message(&mut self, message: &str);
}

/// The record of a sampled span. Buffers are reused, so that a span costs no allocation an attribute.
#[derive(Debug)]
pub(crate) struct OtlpSpan {
    limits: SpanLimits,
    clock: Clock,
    redactor: Redactor,
    start: u64,
    kind: Kind,
    name: String,
    status: u8,
    status_message: String,
    attributes: Attributes,
    events: Repeated,
    links: Repeated,
    /// Attributes of the event or link at hand.
    scratch: Attributes,
    /// The finished span.
    encoded: Vec<u8>,
}

/// Who a span is: what was fixed at its birth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    pub(crate) context: &'a Context,
    pub(crate) parent: Option<SpanId>,
    pub(crate) parent_is_remote: bool,
}

impl<'a> Identity<'a> {
    pub(crate) fn of(data: &'a SpanData) -> Self {
        Self {
            context: data.context(),
            parent: data.parent_span_id(),
            parent_is_remote: data.parent_is_remote(),
        }
    }
}

/// A repeated field and how many more there would have been.
#[derive(Debug, Default)]
struct Repeated {
    bytes: Vec<u8>,
    count: usize,
    dropped: u32,
}

impl Repeated {
    fn has_room(&mut self, max: usize) -> bool {
        let room = self.count < max;
        if room {
            self.count += 1;
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
        room
    }
}

thread_local! {
    #[expect(clippy::vec_box, reason = "a record is boxed while it is in use, and moves without being copied")]
    static POOL: RefCell<Vec<Box<OtlpSpan>>> = const { RefCell::new(Vec::new()) };
}

/// How many finished records a thread keeps for the next spans.
const POOL_LEN_MAX: usize = 16;
/// A record whose buffers have grown beyond this is not kept.
const POOLED_BYTES_MAX: usize = 16 * 1024;

impl OtlpSpan {
    /// A record of a span that begins now.
    pub(crate) fn begin(name: &str, limits: SpanLimits, clock: &Clock, redactor: &Redactor) -> Box<Self> {
        let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        let mut span = pooled.unwrap_or_else(|| Box::new(Self::empty(redactor.clone())));
        span.start = clock.unix_nanos();
        if !span.redactor.is(redactor) {
            span.redactor = redactor.clone();
        }
        span.clock = clock.clone();
        span.limits = limits;
        span.name.push_str(name);
        span
    }

    fn empty(redactor: Redactor) -> Self {
        Self {
            redactor,
            limits: SpanLimits::default(),
            clock: Clock::default(),
            start: 0,
            kind: Kind::default(),
            name: String::new(),
            status: UNSET,
            status_message: String::new(),
            attributes: Attributes::default(),
            events: Repeated::default(),
            links: Repeated::default(),
            scratch: Attributes::default(),
            encoded: Vec::new(),
        }
    }

    /// Gives the buffers back.
    pub(crate) fn recycle(mut self: Box<Self>) {
        if self.capacity() > POOLED_BYTES_MAX {
            return;
        }
        self.name.clear();
        self.encoded.clear();
        self.status = 0;
        self.status_message.clear();
        self.kind = Kind::default();
        self.attributes.clear();
        self.scratch.clear();
        for repeated in [&mut self.events, &mut self.links] {
            repeated.bytes.clear();
            repeated.count = 0;
            repeated.dropped = 0;
        }
        let _torn_down = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOL_LEN_MAX {
                pool.push(self);
            }
        });
    }

    /// What the buffers hold, used or not: one long value that was replaced since counts too.
    fn capacity(&self) -> usize {
        let bytes = [&self.events.bytes, &self.links.bytes, &self.encoded].map(Vec::capacity);
        let texts = [&self.name, &self.status_message].map(String::capacity);
        let attributes = [&self.attributes, &self.scratch].map(Attributes::capacity);
        bytes.into_iter().chain(texts).chain(attributes).sum()
    }

    fn describe(&mut self, failure: &str) {
        let shown = self.redactor.text(failure);
        self.status_message.clear();
        self.status_message.push_str(truncated(&shown, self.limits.value_chars));
    }

    /// Adds an event with the given attributes.
    pub(crate) fn push_event(&mut self, name: &str, time: u64, attributes: &Attributes) {
        if !self.events.has_room(self.limits.events) {
            return;
        }
        let optional = |count: u32| {
            if count == 0 { 0 } else { 1 + varint_len(count as usize) }
        };
        let len = 9
            + 1
            + varint_len(name.len())
            + name.len()
            + attributes.bytes().len()
            + optional(attributes.dropped());
        let out = &mut self.events.bytes;
        out.tag(field::EVENTS, 2);
        out.varint(len as u64);
        out.fixed64(1, time);
        out.bytes(2, name.as_bytes());
        out.extend_from_slice(attributes.bytes());
        dropped(out, 4, attributes.dropped());
    }

    /// Adds a link with the attributes that `write` sets, as fields of number [`field::LINK_ATTRIBUTES`].
    pub(crate) fn link_to(&mut self, context: &SpanContext, write: impl FnOnce(&Redactor, &mut Attributes)) {
        if !self.links.has_room(self.limits.links) {
            return;
        }
        let Self { redactor, scratch, .. } = self;
        scratch.clear();
        write(redactor, scratch);
        self.links.bytes.message(field::LINKS, |out| {
            out.bytes(1, &context.trace_id().to_bytes());
            out.bytes(2, &context.span_id().to_bytes());
            if !context.tracestate().is_empty() {
                out.bytes(3, context.tracestate().as_str().as_bytes());
            }
            out.extend_from_slice(scratch.bytes());
            dropped(out, 5, scratch.dropped());
            out.fixed32(6, flags(context, context.is_remote()));
        });
    }

    /// Began at another time than now.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn starts_at(&mut self, nanos: u64) {
        self.start = nanos;
    }

    /// Counts what somebody else dropped before.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn lose(&mut self, attributes: u32, events: u32, links: u32) {
        self.attributes.lose(attributes);
        self.events.dropped = self.events.dropped.saturating_add(events);
        self.links.dropped = self.links.dropped.saturating_add(links);
    }

    #[cfg(test)]
    pub(super) const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The finished span as a field of `ScopeSpans`.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Ends the span now and encodes it.
    pub(crate) fn finish(&mut self, identity: &Identity<'_>) {
        let end = self.clock.unix_nanos();
        self.finish_at(end, identity);
    }

    /// Ends the span at `end`, in nanoseconds since 1970, and encodes it.
    pub(crate) fn finish_at(&mut self, end: u64, identity: &Identity<'_>) {
        let Some(own) = identity.context.span() else { return };
        self.correlation(identity.context);
        let end = end.max(self.start);
        let len = self.len(own, identity);
        let mut encoded = std::mem::take(&mut self.encoded);
        let out = &mut encoded;
        out.reserve(len + 8);
        out.tag(2, 2);
        out.varint(len as u64);
        let starts = out.len();
        out.bytes(1, &own.trace_id().to_bytes());
        out.bytes(2, &own.span_id().to_bytes());
        if !own.tracestate().is_empty() {
            out.bytes(3, own.tracestate().as_str().as_bytes());
        }
        if let Some(parent) = identity.parent {
            out.bytes(4, &parent.to_bytes());
        }
        out.bytes(5, self.name.as_bytes());
        out.uint(6, self.kind as u64);
        out.fixed64(7, self.start);
        out.fixed64(8, end);
        out.extend_from_slice(self.attributes.bytes());
        dropped(out, 10, self.attributes.dropped());
        out.extend_from_slice(&self.events.bytes);
        dropped(out, 12, self.events.dropped);
        out.extend_from_slice(&self.links.bytes);
        dropped(out, 14, self.links.dropped);
        self.write_status(out);
        out.fixed32(16, flags(own, identity.parent_is_remote));
        debug_assert_eq!(out.len() - starts, len, "the length was promised before");
        self.encoded = encoded;
    }

    /// How long the span's message is, so that its length can stand before it.
    fn len(&self, own: &SpanContext, identity: &Identity<'_>) -> usize {
        let delimited = |len: usize| 1 + varint_len(len) + len;
        let optional = |len: usize| if len == 0 { 0 } else { delimited(len) };
        let count = |count: u32| {
            if count == 0 { 0 } else { 1 + varint_len(count as usize) }
        };
        let ids = delimited(16) + delimited(8) + if identity.parent.is_some() { delimited(8) } else { 0 };
        let status = optional(self.description().len()) + 2;
        ids + optional(own.tracestate().as_str().len())
            + delimited(self.name.len())
            + 2
            + 9
            + 9
            + self.attributes.bytes().len()
            + count(self.attributes.dropped())
            + self.events.bytes.len()
            + count(self.events.dropped)
            + self.links.bytes.len()
            + count(self.links.dropped)
            + if self.status > 0 { delimited(status) } else { 0 }
            + 2
            + 4
    }

    /// The correlation id is on every span, whatever the limit on attributes.
    fn correlation(&mut self, context: &Context) {
        if let Some(id) = context.correlation_id() {
            let caps = Caps { count: usize::MAX, chars: None };
            self.attributes.set(field::ATTRIBUTES, semconv::own::CORRELATION_ID, id.as_str().into(), caps);
        }
    }

    /// Only a failure is described.
    fn description(&self) -> &str {
        if self.status == ERROR { &self.status_message } else { "" }
    }

    fn write_status(&self, out: &mut Vec<u8>) {
        if self.status > 0 {
            out.message(15, |out| {
                if !self.description().is_empty() {
                    out.bytes(2, self.description().as_bytes());
                }
                out.uint(3, u64::from(self.status));
            });
        }
    }
}

fn dropped(out: &mut Vec<u8>, field: u32, count: u32) {
    if count > 0 {
        out.uint(field, u64::from(count));
    }
}

fn flags(span: &SpanContext, remote: bool) -> u32 {
    u32::from(span.flags().byte()) | HAS_IS_REMOTE | if remote { IS_REMOTE } else { 0 }
}
