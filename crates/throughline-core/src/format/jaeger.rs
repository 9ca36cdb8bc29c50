//! The format of Jaeger's own clients, which are no longer made.
//!
//! ```text
//! uber-trace-id: 80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:1    trace, span, parent (unused), flags
//! uberctx-tenant: blue                                                    baggage, one field a member
//! ```
//!
//! Its clients write ids without leading zeros, and some of them percent-encode the colons; both are read.

use super::{
    codec::{Caller, Codec, ReadBaggage, put},
    foreign::{caller_in, flags},
    padded::{span_id, trace_id},
};
use crate::{Carrier, Context, SpanContext, baggage, counters::Counters, id, octets};

const TRACE: &str = "uber-trace-id";
const BAGGAGE_PREFIX: &str = "uberctx-";

const SAMPLED: u8 = 0b01;
const DEBUG: u8 = 0b10;

pub(super) struct Jaeger;

impl Codec for Jaeger {
    fn name(&self) -> &'static str {
        "jaeger"
    }

    fn fields(&self) -> &'static [&'static str] {
        &[TRACE]
    }

    fn caller(&self, carrier: &dyn Carrier, _: &Counters) -> Caller {
        caller_in(carrier, TRACE, parse)
    }

    fn baggage(&self) -> Option<ReadBaggage> {
        Some(read_baggage)
    }

    fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        let value = context.span().map(format);
        let value = value.as_ref().and_then(|value| str::from_utf8(value).ok());
        put(carrier, TRACE, value.unwrap_or_default());
        inject_baggage(context, carrier);
    }
}

fn parse(value: &[u8]) -> Option<Caller> {
    let mut rest = value;
    let [trace, span, parent, last] = [0; 4].map(|_| {
        let (field, after) = split_colon(rest);
        rest = after.unwrap_or_default();
        (field, after.is_some())
    });
    let has_four_fields = trace.1 && span.1 && parent.1 && !last.1;
    // The parent may be zero, which says that there is none.
    let has_sound_parent = matches!(parent.0, [b'0', ..] if parent.0.iter().all(|digit| *digit == b'0'))
        || span_id(parent.0).is_some();
    if !has_four_fields || !has_sound_parent {
        return None;
    }
    let bits = flag_bits(last.0)?;
    let is_debug = bits & DEBUG != 0;
    let span = SpanContext::new(trace_id(trace.0)?, span_id(span.0)?, flags(is_debug || bits & SAMPLED != 0));
    Some(Caller::Span(span.remote(true).debug(is_debug)))
}

/// What stands before the first colon, and what after it, if there is one.
fn split_colon(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    for (place, _) in value.iter().enumerate() {
        let (field, rest) = value.split_at(place);
        if let [b':', after @ ..] | [b'%', b'3', b'a' | b'A', after @ ..] = rest {
            return (field, Some(after));
        }
    }
    (value, None)
}

/// One byte, in one or two digits.
fn flag_bits(digits: &[u8]) -> Option<u8> {
    let padded = match digits {
        [low] => [b'0', *low],
        [high, low] => [*high, *low],
        _ => return None,
    };
    id::decode(&padded).map(|[bits]| bits)
}

fn format(span: &SpanContext) -> [u8; 53] {
    let mut value = *b"00000000000000000000000000000000:0000000000000000:0:0";
    value[..32].copy_from_slice(&span.trace_id().hex());
    value[33..49].copy_from_slice(&span.span_id().hex());
    value[52] = match (span.is_debug(), span.is_sampled()) {
        (true, _) => b'3',
        (false, true) => b'1',
        (false, false) => b'0',
    };
    value
}

/// The key of a member, in lower case, as the names of fields have no case on most carriers.
fn baggage_key(name: &str) -> Option<String> {
    let (prefix, key) = name.split_at_checked(BAGGAGE_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(BAGGAGE_PREFIX).then(|| key.to_ascii_lowercase())
}

fn read_baggage(carrier: &dyn Carrier, reader: &mut baggage::Reader<'_>) {
    carrier.names(&mut |name| {
        let Some(key) = baggage_key(name) else { return };
        carrier.get_all(name, &mut |value| reader.read_member(&key, &decoded(octets::trim(value))));
    });
}

/// A plus is a space: Jaeger's client for Go encodes as HTML forms do, and no client leaves a plus as it is.
fn decoded(value: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(value.len().min(baggage::BAGGAGE_BYTES_MAX));
    let mut rest = value;
    while let Some((byte, after)) = octets::percent_decoded(rest) {
        bytes.push(if rest.first() == Some(&b'+') { b' ' } else { byte });
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn inject_baggage(context: &Context, carrier: &mut dyn Carrier) {
    let mut stale = Vec::new();
    carrier.names(&mut |name| {
        if baggage_key(name).is_some() {
            stale.push(name.to_ascii_lowercase());
        }
    });
    stale.iter().for_each(|name| carrier.remove(name));
    for (key, value, _) in context.baggage().iter() {
        let name = format!("{BAGGAGE_PREFIX}{}", key.to_ascii_lowercase());
        let value = octets::percent_encoded(value, is_unreserved);
        put(carrier, &name, &value);
    }
}

/// What every decoder leaves as it is (RFC 3986).
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::testing::{self, Fields, fields},
        *,
    };
    use crate::{EdgePolicy, Format, Propagator};

    const TRACE_ID: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SPAN_ID: &str = "e457b5a2e4d86bd1";

    fn passed_on(read: &[(&str, &str)]) -> (Fields, u64) {
        testing::passed_on(Format::Jaeger, read)
    }

    #[test]
    fn what_is_read_and_how_it_is_passed_on() {
        let full = |flags| format!("{TRACE_ID}:{SPAN_ID}:0:{flags}");
        for (value, written) in [
            (full("1"), full("1")),
            (full("0"), full("0")),
            (full("00"), full("0")),
            (full("01"), full("1")),
            // Debug is sampled; bits that nobody knows are dropped.
            (full("3"), full("3")),
            (full("2"), full("3")),
            (full("fd"), full("1")),
            (full("8"), full("0")),
            // A parent is never written.
            (format!("{TRACE_ID}:{SPAN_ID}:05e3ac9a4f6e3b90:1"), full("1")),
            (format!("{TRACE_ID}:{SPAN_ID}:0000000000000000:1"), full("1")),
            // Ids without their leading zeros.
            ("1:2:0:1".into(), format!("{:032x}:{:016x}:0:1", 1, 2)),
            (format!("{SPAN_ID}:{SPAN_ID}:0:1"), format!("{SPAN_ID:0>32}:{SPAN_ID}:0:1")),
            // Colons may be encoded.
            (full("1").replace(':', "%3A"), full("1")),
            (full("1").replace(':', "%3a"), full("1")),
            (format!(" {} ", full("1")), full("1")),
        ] {
            let read = [("Uber-Trace-Id", value.as_str())];
            assert_eq!(passed_on(&read), (fields(&[("uber-trace-id", &written)]), 0), "{value:?}");
        }
    }

    #[test]
    fn what_is_refused() {
        for value in [
            String::new(),
            TRACE_ID.into(),
            format!("{TRACE_ID}:{SPAN_ID}:0"),
            format!("{TRACE_ID}:{SPAN_ID}:0:"),
            format!("{TRACE_ID}:{SPAN_ID}:0:1:"),
            format!("{TRACE_ID}:{SPAN_ID}::1"),
            format!("{TRACE_ID}:{SPAN_ID}:x:1"),
            format!("{TRACE_ID}:{SPAN_ID}:0:001"),
            format!("{TRACE_ID}:{SPAN_ID}:0:+1"),
            format!("{TRACE_ID}:{SPAN_ID}:0:g"),
            format!("{TRACE_ID}0:{SPAN_ID}:0:1"),
            format!("{TRACE_ID}:{SPAN_ID}0:0:1"),
            format!("{}:{SPAN_ID}:0:1", TRACE_ID.to_uppercase()),
            format!("0:{SPAN_ID}:0:1"),
            format!("{TRACE_ID}:0:0:1"),
            format!(":{SPAN_ID}:0:1"),
            format!("{TRACE_ID}::0:1"),
            format!("+1:{SPAN_ID}:0:1"),
            format!("{TRACE_ID}-{SPAN_ID}-0-1"),
            ":".repeat(1 << 20),
        ] {
            let shown = &value[..value.len().min(80)];
            assert_eq!(passed_on(&[("uber-trace-id", &value)]), (Fields::new(), 1), "{shown:?}");
        }
        let twice = format!("{TRACE_ID}:{SPAN_ID}:0:1");
        assert_eq!(passed_on(&[("uber-trace-id", &twice), ("uber-trace-id", &twice)]), (Fields::new(), 1));
    }

    #[test]
    fn baggage_has_a_field_for_each_member() {
        let read = [
            ("Uberctx-Tenant", "blue"),
            ("uberctx-note", "a+b%20c%2Bd%25%c3%a9"),
            ("uberctx-list", "x,y;z"),
            ("uberctx-", "no key"),
            ("uberctx-a b", "no token"),
            ("uber", "else"),
        ];
        let written = [
            ("uberctx-tenant", "blue"),
            ("uberctx-note", "a%20b%20c%2Bd%25%C3%A9"),
            ("uberctx-list", "x%2Cy%3Bz"),
        ];
        assert_eq!(passed_on(&read), (fields(&written), 2));
    }

    #[test]
    fn baggage_of_w3c_comes_first_where_it_is_named_first() {
        let read = fields(&[("baggage", "a=1"), ("uberctx-b", "2")]);
        for (order, kept) in
            [([Format::Baggage, Format::Jaeger], "a"), ([Format::Jaeger, Format::Baggage], "b")]
        {
            let context = Propagator::default().formats(order).extract(&read, &EdgePolicy::trust());
            assert_eq!(context.baggage().iter().map(|(key, ..)| key).collect::<Vec<_>>(), [kept]);
        }
    }

    #[test]
    fn a_reused_carrier_loses_the_baggage_it_had() {
        let mut carrier = fields(&[("Uberctx-Stale", "1"), ("uber-trace-id", "stale")]);
        Propagator::default().formats([Format::Jaeger]).inject(&Context::default(), &mut carrier);
        assert_eq!(carrier, Fields::new());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(trace in 1u128.., span in 1u64.., flags in "0|1|3", value in ".{1,20}") {
            let id = format!("{trace:032x}:{span:016x}:0:{flags}");
            let (once, refused) = passed_on(&[("uber-trace-id", &id), ("uberctx-k", &value)]);
            prop_assert_eq!(refused, 0);
            prop_assert_eq!(&once[0].1, &id);
            let read: Vec<_> = once.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            prop_assert_eq!(passed_on(&read), (once.clone(), 0));
        }

        #[test]
        fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _either = parse(&value);
            let _text = decoded(&value);
        }
    }
}
