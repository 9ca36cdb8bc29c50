//! W3C Trace Context and W3C Baggage.

use super::codec::{Caller, Codec, ReadBaggage, put};
use crate::{
    Carrier, Context, SpanContext, TraceparentError,
    counters::{Counter, Counters},
    traceparent, tracestate,
};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

pub(super) struct TraceContext;

impl Codec for TraceContext {
    fn name(&self) -> &'static str {
        "tracecontext"
    }

    fn fields(&self) -> &'static [&'static str] {
        &[TRACEPARENT, TRACESTATE]
    }

    fn caller(&self, carrier: &dyn Carrier, counters: &Counters) -> Caller {
        let mut read = None;
        carrier.get_all(TRACEPARENT, &mut |value| {
            read = Some(match read {
                None => traceparent::parse(value),
                Some(_) => Err(TraceparentError::Repeated),
            });
        });
        match read {
            None => Caller::Absent,
            Some(Ok(span)) => Caller::Span(with_tracestate(span, carrier, counters)),
            Some(Err(_)) => Caller::Invalid,
        }
    }

    fn invalid<'c>(&self, counters: &'c Counters) -> &'c Counter {
        &counters.traceparent_invalid
    }

    fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        let span = context.span();
        let traceparent = span.map(traceparent::format);
        let traceparent = traceparent.as_ref().and_then(|value| str::from_utf8(value).ok());
        put(carrier, TRACEPARENT, traceparent.unwrap_or_default());
        put(carrier, TRACESTATE, span.map_or("", |span| span.tracestate().as_str()));
    }
}

fn with_tracestate(span: SpanContext, carrier: &dyn Carrier, counters: &Counters) -> SpanContext {
    let mut reader = tracestate::Reader::default();
    carrier.get_all(TRACESTATE, &mut |value| reader.read(value));
    match reader.finish() {
        Ok(tracestate) => span.with_tracestate(tracestate),
        Err(_) => {
            counters.tracestate_invalid.add(1);
            span
        }
    }
}

pub(super) struct Baggage;

impl Codec for Baggage {
    fn name(&self) -> &'static str {
        "baggage"
    }

    fn fields(&self) -> &'static [&'static str] {
        &[BAGGAGE]
    }

    fn baggage(&self) -> Option<ReadBaggage> {
        Some(|carrier, reader| carrier.get_all(BAGGAGE, &mut |value| reader.read(value)))
    }

    fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        put(carrier, BAGGAGE, context.baggage().wire());
    }
}
