//! The format of AWS X-Ray.
//!
//! ```text
//! x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
//!                         ─ ──────────── trace id ────────         ─── span id ───         1, 0, or ? for open
//!                         version
//! ```
//!
//! The parts may come in any order, and others are ignored. X-Ray's own ids begin with the time; it takes others, too.

use super::{
    codec::{Caller, Codec, put},
    foreign::{caller_in, flags},
};
use crate::{CallerSampled, Carrier, Context, SpanContext, SpanId, TraceId, counters::Counters, octets};

const TRACE: &str = "x-amzn-trace-id";

pub(super) struct XRay;

impl Codec for XRay {
    fn name(&self) -> &'static str {
        "xray"
    }

    fn fields(&self) -> &'static [&'static str] {
        &[TRACE]
    }

    fn caller(&self, carrier: &dyn Carrier, _: &Counters) -> Caller {
        caller_in(carrier, TRACE, parse)
    }

    fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        let value = context.span().map(format);
        let value = value.as_ref().and_then(|value| str::from_utf8(value).ok());
        put(carrier, TRACE, value.unwrap_or_default());
    }
}

fn parse(value: &[u8]) -> Option<Caller> {
    let (mut root, mut parent, mut sampled) = (None, None, None);
    for part in value.split(|byte| *byte == b';') {
        let (place, value) = match octets::trim(part) {
            [b'R', b'o', b'o', b't', b'=', value @ ..] => (&mut root, value),
            [b'P', b'a', b'r', b'e', b'n', b't', b'=', value @ ..] => (&mut parent, value),
            [b'S', b'a', b'm', b'p', b'l', b'e', b'd', b'=', value @ ..] => (&mut sampled, value),
            _ => continue,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    let (is_sampled, counts) = match sampled {
        Some(b"0") => (false, CallerSampled::Honour),
        Some(b"1") => (true, CallerSampled::Honour),
        Some(b"?") | None => (false, CallerSampled::DecideAnew),
        Some(_) => return None,
    };
    let span = SpanContext::new(root.and_then(trace_id)?, SpanId::from_hex(parent?)?, flags(is_sampled));
    Some(Caller::Span(span.remote(true).sampled_counts(counts)))
}

/// `1-`, eight digits, a dash, 24 digits.
fn trace_id(root: &[u8]) -> Option<TraceId> {
    let root: &[u8; 35] = root.try_into().ok()?;
    if root[0] != b'1' || root[1] != b'-' || root[10] != b'-' {
        return None;
    }
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&root[2..10]);
    digits[8..].copy_from_slice(&root[11..]);
    TraceId::from_hex(&digits)
}

fn format(span: &SpanContext) -> [u8; 74] {
    let mut value = *b"Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
    let trace = span.trace_id().hex();
    value[7..15].copy_from_slice(&trace[..8]);
    value[16..40].copy_from_slice(&trace[8..]);
    value[48..64].copy_from_slice(&span.span_id().hex());
    value[73] = match (span.is_sampled(), span.is_deferred()) {
        (true, _) => b'1',
        (false, true) => b'?',
        (false, false) => b'0',
    };
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::testing, *};
    use crate::Format;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
    const PARENT: &str = "53995c3f42cd8ad8";

    fn passed_on(values: &[&str]) -> (Option<String>, u64) {
        let read: Vec<_> = values.iter().map(|value| ("X-Amzn-Trace-Id", *value)).collect();
        let (written, refused) = testing::passed_on(Format::XRay, &read);
        let found = written.into_iter().find(|(name, _)| name == "x-amzn-trace-id");
        (found.map(|(_, value)| value), refused)
    }

    #[test]
    fn what_is_read_and_how_it_is_passed_on() {
        let whole = |sampled| format!("Root={ROOT};Parent={PARENT};Sampled={sampled}");
        for (value, written) in [
            (whole("1"), whole("1")),
            (whole("0"), whole("0")),
            (whole("?"), whole("?")),
            (format!("Root={ROOT};Parent={PARENT}"), whole("?")),
            // Any order, with white space, beside parts that somebody else reads.
            (format!("Sampled=1; Parent={PARENT} ; Root={ROOT}"), whole("1")),
            (format!("Self=1-67891234-0123;Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a:0;x"), whole("1")),
        ] {
            assert_eq!(passed_on(&[&value]), (Some(written), 0), "{value:?}");
        }
    }

    #[test]
    fn what_is_refused() {
        for value in [
            String::new(),
            "nonsense".into(),
            format!("Root={ROOT}"),
            format!("Root={ROOT};Sampled=1"),
            format!("Parent={PARENT};Sampled=1"),
            format!("Root={ROOT};Parent={PARENT};Sampled="),
            format!("Root={ROOT};Parent={PARENT};Sampled=2"),
            format!("Root={ROOT};Parent={PARENT};Sampled=true"),
            format!("Root={ROOT};Root={ROOT};Parent={PARENT}"),
            format!("Root={ROOT};Parent={PARENT};Parent={PARENT}"),
            format!("root={ROOT};parent={PARENT}"),
            format!("Root=2{};Parent={PARENT}", &ROOT[1..]),
            format!("Root={};Parent={PARENT}", ROOT.replace('-', "_")),
            format!("Root={};Parent={PARENT}", ROOT.to_uppercase()),
            format!("Root={ROOT}0;Parent={PARENT}"),
            format!("Root={};Parent={PARENT}", &ROOT[..34]),
            format!("Root=1-{}-{};Parent={PARENT}", "0".repeat(8), "0".repeat(24)),
            format!("Root={ROOT};Parent={}", "0".repeat(16)),
            format!("Root={ROOT};Parent={PARENT}0"),
            ";".repeat(1 << 20),
        ] {
            let shown = &value[..value.len().min(80)];
            assert_eq!(passed_on(&[&value]), (None, 1), "{shown:?}");
        }
        let twice = format!("Root={ROOT};Parent={PARENT};Sampled=1");
        assert_eq!(passed_on(&[&twice, &twice]), (None, 1));
        assert_eq!(passed_on(&[]), (None, 0));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(trace in 1u128.., span in 1u64.., sampled in "0|1|\\?") {
            let trace = format!("{trace:032x}");
            let value = format!("Root=1-{}-{};Parent={span:016x};Sampled={sampled}", &trace[..8], &trace[8..]);
            prop_assert_eq!(passed_on(&[&value]), (Some(value), 0));
        }

        #[test]
        fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _either = parse(&value);
        }
    }
}
