//! What a format must be able to do.

use crate::{
    Carrier, Context, SpanContext, baggage,
    counters::{Counter, Counters},
};

/// One way to write a context into fields and to read it back. Neither direction fails.
pub(super) trait Codec {
    /// The name in `OTEL_PROPAGATORS`.
    fn name(&self) -> &'static str;

    /// The fields that are written, as far as their names are known beforehand.
    fn fields(&self) -> &'static [&'static str];

    /// The fields of which at least one is there where somebody wrote this format.
    fn fields_read(&self) -> &'static [&'static str] {
        self.fields()
    }

    /// What the fields say of the caller; formats of baggage alone say nothing. The counters are for what is lost beside it.
    fn caller(&self, carrier: &dyn Carrier, counters: &Counters) -> Caller {
        let _unused = (carrier, counters);
        Caller::Absent
    }

    /// Where a caller that makes no sense is counted.
    fn invalid<'c>(&self, counters: &'c Counters) -> &'c Counter {
        &counters.vendor_format_invalid
    }

    /// How baggage is read, if this is a format of baggage.
    fn baggage(&self) -> Option<ReadBaggage> {
        None
    }

    /// Writes the context; fields that it has nothing for are removed.
    fn inject(&self, context: &Context, carrier: &mut dyn Carrier);
}

/// Reads the baggage that a carrier has.
pub(super) type ReadBaggage = fn(&dyn Carrier, &mut baggage::Reader<'_>);

/// What a format says of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Absent,
    /// Something is there and makes no sense.
    Invalid,
    /// Whether to sample, and no more.
    #[cfg(feature = "b3")]
    Decision {
        sampled: bool,
        debug: bool,
    },
    Span(SpanContext),
}

/// Sets a field, or removes it where there is nothing to say: a header without a value is never sent.
pub(crate) fn put(carrier: &mut dyn Carrier, name: &str, value: &str) {
    if value.is_empty() {
        carrier.remove(name);
    } else {
        carrier.set(name, value);
    }
}
