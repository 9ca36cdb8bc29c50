//! Several formats at once.

use std::borrow::Cow;

use super::{Format, codec::Caller};
use crate::{
    Baggage, Carrier, Context, SpanContext, baggage, counters::Counters, edge::BaggageFilter, origin::Origin,
};

/// The formats of a propagator, each once, in the order in which they are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Formats {
    order: Cow<'static, [Format]>,
    /// Fields that are read and never written: left in a reused carrier, they would be believed by the next hop.
    only_read: Vec<&'static str>,
}

/// Whether `name` is a field of a format that is built in.
pub(crate) fn is_field(name: &str) -> bool {
    Format::BUILT.iter().any(|format| format.codec().fields_read().contains(&name))
}

impl Formats {
    /// `tracecontext,baggage`, as the OpenTelemetry specification has it.
    pub(crate) const DEFAULT: Self =
        Self { order: Cow::Borrowed(&[Format::TraceContext, Format::Baggage]), only_read: Vec::new() };

    /// Later duplicates go.
    pub(crate) fn new(formats: impl IntoIterator<Item = Format>) -> Self {
        let mut order: Vec<Format> = Vec::new();
        for format in formats {
            if !order.contains(&format) {
                order.push(format);
            }
        }
        let is_written = |field: &&str| order.iter().any(|format| format.codec().fields().contains(field));
        let read = order.iter().flat_map(|format| format.codec().fields_read()).copied();
        let only_read = read.filter(|field| !is_written(field)).collect();
        Self { order: order.into(), only_read }
    }

    /// The names in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.order.iter().map(|format| format.name())
    }

    /// The fields that are written.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.order.iter().flat_map(|format| format.codec().fields()).copied()
    }

    /// The fields that tell whether there is anything to read.
    pub(crate) fn fields_read(&self) -> impl Iterator<Item = &str> {
        self.order.iter().flat_map(|format| format.codec().fields_read()).copied()
    }

    /// What the first format says that has something valid to say.
    pub(crate) fn caller(&self, carrier: &dyn Carrier, counters: &Counters) -> Option<Said> {
        self.order.iter().find_map(|format| {
            let codec = format.codec();
            match codec.caller(carrier, counters) {
                Caller::Absent => None,
                Caller::Invalid => {
                    codec.invalid(counters).add(1);
                    None
                }
                #[cfg(feature = "b3")]
                Caller::Decision { sampled, debug } => Some(Said::Decision(Origin::decision(sampled, debug))),
                Caller::Span(span) => Some(Said::Span(span)),
            }
        })
    }

    /// The baggage of the first format that has any, as far as `filter` lets it in.
    pub(crate) fn baggage(
        &self,
        carrier: &dyn Carrier,
        filter: Option<&BaggageFilter>,
        counters: &Counters,
    ) -> Baggage {
        for read in self.order.iter().filter_map(|format| format.codec().baggage()) {
            let mut reader = baggage::Reader::new(filter);
            read(carrier, &mut reader);
            let (baggage, losses) = reader.finish();
            counters.baggage(losses);
            if !baggage.is_empty() {
                return baggage;
            }
        }
        Baggage::EMPTY
    }

    /// Writes every format.
    pub(crate) fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        for format in self.order.iter() {
            format.codec().inject(context, carrier);
        }
        self.only_read.iter().for_each(|field| carrier.remove(field));
    }
}

/// What is known of the caller.
pub(crate) enum Said {
    /// Whether to sample, and no more.
    #[cfg_attr(not(feature = "b3"), expect(dead_code, reason = "only B3 has decisions without ids"))]
    Decision(Origin),
    Span(SpanContext),
}
