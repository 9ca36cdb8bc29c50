//! B3, the format of Zipkin, in its two forms.
//!
//! ```text
//! b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90    trace, span, state, parent
//! b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1                       the decision is left open
//! b3: 0                                                                       a decision alone
//!
//! x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7
//! x-b3-spanid: e457b5a2e4d86bd1
//! x-b3-sampled: 1                                                             or x-b3-flags: 1 for debug
//! ```
//!
//! Both forms are read, the single one first, whichever is written. The span that made the caller's span is no business
//! of ours: it is neither kept nor written.

use super::{
    codec::{Caller, Codec, put},
    foreign::{Field, caller_in, field, flags},
    padded::{span_id, trace_id},
};
use crate::{CallerSampled, Carrier, Context, SpanContext, counters::Counters, origin::Origin};

const B3: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
const PARENT: &str = "x-b3-parentspanid";

/// The form that is written.
pub(super) enum Form {
    Single,
    Multi,
}

impl Codec for Form {
    fn name(&self) -> &'static str {
        match self {
            Self::Single => "b3",
            Self::Multi => "b3multi",
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Single => &[B3],
            Self::Multi => &[TRACE_ID, SPAN_ID, SAMPLED, FLAGS],
        }
    }

    fn fields_read(&self) -> &'static [&'static str] {
        &[B3, TRACE_ID, SPAN_ID, SAMPLED, FLAGS, PARENT]
    }

    fn caller(&self, carrier: &dyn Carrier, _: &Counters) -> Caller {
        match caller_in(carrier, B3, parse_single) {
            Caller::Absent => multi(carrier),
            Caller::Invalid => match multi(carrier) {
                Caller::Absent => Caller::Invalid,
                valid_or_not => valid_or_not,
            },
            valid => valid,
        }
    }

    fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        let span = context.span();
        let said = span.or_else(|| context.origin().and_then(Origin::bare_decision));
        let state = said.map_or(State::Open, State::of);
        match self {
            Self::Single => inject_single(span, state, carrier),
            Self::Multi => inject_multi(span, state, carrier),
        }
    }
}

/// What B3 says of sampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Deny,
    Accept,
    Debug,
}

impl State {
    const fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"0" => Some(Self::Deny),
            b"1" => Some(Self::Accept),
            b"d" => Some(Self::Debug),
            _ => None,
        }
    }

    fn of(span: &SpanContext) -> Self {
        match (span.is_debug(), span.is_sampled(), span.is_deferred()) {
            (true, _, _) => Self::Debug,
            (false, true, _) => Self::Accept,
            (false, false, true) => Self::Open,
            (false, false, false) => Self::Deny,
        }
    }

    /// Debug is sampled: it stands in for the decision.
    const fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }

    fn caller(self) -> Caller {
        Caller::Decision { sampled: self.is_sampled(), debug: self == Self::Debug }
    }

    fn span(self, trace: &[u8], span: &[u8]) -> Option<Caller> {
        let is_long_or_short = matches!((trace.len(), span.len()), (16 | 32, 16));
        let ids = is_long_or_short.then(|| Some((trace_id(trace)?, span_id(span)?)));
        let (trace, span) = ids.flatten()?;
        let counts = if self == Self::Open { CallerSampled::DecideAnew } else { CallerSampled::Honour };
        let span = SpanContext::new(trace, span, flags(self.is_sampled())).remote(true);
        Some(Caller::Span(span.debug(self == Self::Debug).sampled_counts(counts)))
    }
}

fn parse_single(value: &[u8]) -> Option<Caller> {
    if let Some(state) = State::parse(value) {
        return Some(state.caller());
    }
    let mut parts = value.split(|byte| *byte == b'-');
    let (trace, span, state, parent, rest) =
        (parts.next()?, parts.next()?, parts.next(), parts.next(), parts.next());
    let has_sound_parent = parent.is_none_or(|parent| parent.len() == 16 && span_id(parent).is_some());
    if !has_sound_parent || rest.is_some() {
        return None;
    }
    state.map_or(Some(State::Open), State::parse)?.span(trace, span)
}

fn multi(carrier: &dyn Carrier) -> Caller {
    let fields = [TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(|name| field(carrier, name));
    let [trace, span, sampled, flags] = fields;
    let Some(state) = state_of(&sampled, &flags) else {
        return Caller::Invalid;
    };
    match (trace, span, state) {
        (Field::Absent, Field::Absent, State::Open) => Caller::Absent,
        (Field::Absent, Field::Absent, state) => state.caller(),
        (Field::Value(trace), Field::Value(span), state) => {
            state.span(trace, span).unwrap_or(Caller::Invalid)
        }
        _ => Caller::Invalid,
    }
}

fn state_of(sampled: &Field<'_>, flags: &Field<'_>) -> Option<State> {
    match (sampled, flags) {
        (_, Field::Value(b"1")) => Some(State::Debug),
        (Field::Repeated, _) | (_, Field::Repeated) => None,
        // Flags other than debug are reserved.
        (Field::Absent, _) => Some(State::Open),
        // Words are what old tracers send.
        (Field::Value(b"0" | b"false"), _) => Some(State::Deny),
        (Field::Value(b"1" | b"true"), _) => Some(State::Accept),
        (Field::Value(_), _) => None,
    }
}

fn inject_single(span: Option<&SpanContext>, state: State, carrier: &mut dyn Carrier) {
    let mut value = *b"00000000000000000000000000000000-0000000000000000-0";
    let letter = match state {
        State::Open | State::Deny => b'0',
        State::Accept => b'1',
        State::Debug => b'd',
    };
    value[50] = letter;
    let written = match (span, state) {
        (None, State::Open) => &[],
        (None, _) => &value[50..],
        (Some(span), state) => {
            value[..32].copy_from_slice(&span.trace_id().hex());
            value[33..49].copy_from_slice(&span.span_id().hex());
            if state == State::Open { &value[..49] } else { &value[..] }
        }
    };
    put(carrier, B3, text(written));
}

fn inject_multi(span: Option<&SpanContext>, state: State, carrier: &mut dyn Carrier) {
    let trace = span.map(|span| span.trace_id().hex());
    let id = span.map(|span| span.span_id().hex());
    put(carrier, TRACE_ID, text(trace.as_ref().map_or(&[], <[u8; 32]>::as_slice)));
    put(carrier, SPAN_ID, text(id.as_ref().map_or(&[], <[u8; 16]>::as_slice)));
    let (sampled, flags) = match state {
        State::Open => ("", ""),
        State::Deny => ("0", ""),
        State::Accept => ("1", ""),
        State::Debug => ("", "1"),
    };
    put(carrier, SAMPLED, sampled);
    put(carrier, FLAGS, flags);
}

fn text(digits: &[u8]) -> &str {
    str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::testing::{Fields, fields, passed_on},
        *,
    };
    use crate::{EdgePolicy, Format, PropagationCounters, Propagator};

    const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SHORT: &str = "64fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";
    const PARENT_ID: &str = "05e3ac9a4f6e3b90";

    fn propagator(form: Format) -> Propagator {
        Propagator::default().formats([form])
    }

    #[test]
    fn the_single_form_that_is_read_and_how_both_forms_pass_it_on() {
        let padded = format!("{SHORT:0>32}");
        for (value, single, sampled, flags) in [
            (format!("{TRACE}-{SPAN}-1"), format!("{TRACE}-{SPAN}-1"), "1", ""),
            (format!("{TRACE}-{SPAN}-0"), format!("{TRACE}-{SPAN}-0"), "0", ""),
            (format!("{TRACE}-{SPAN}-d"), format!("{TRACE}-{SPAN}-d"), "", "1"),
            (format!("{TRACE}-{SPAN}"), format!("{TRACE}-{SPAN}"), "", ""),
            // The caller's parent is never written.
            (format!("{TRACE}-{SPAN}-1-{PARENT_ID}"), format!("{TRACE}-{SPAN}-1"), "1", ""),
            (format!(" {TRACE}-{SPAN}-1\t"), format!("{TRACE}-{SPAN}-1"), "1", ""),
            // 64 bits become 128.
            (format!("{SHORT}-{SPAN}-1"), format!("{padded}-{SPAN}-1"), "1", ""),
        ] {
            let read = [("B3", value.as_str())];
            assert_eq!(passed_on(Format::B3, &read), (fields(&[("b3", &single)]), 0), "{value:?}");
            let mut multi = vec![("x-b3-traceid", &single[..32]), ("x-b3-spanid", SPAN)];
            multi.extend(
                [("x-b3-sampled", sampled), ("x-b3-flags", flags)].iter().filter(|(_, v)| !v.is_empty()),
            );
            assert_eq!(passed_on(Format::B3Multi, &read), (fields(&multi), 0), "{value:?}");
        }
    }

    #[test]
    fn a_decision_alone_passes_through_alone() {
        for (value, multi) in
            [("0", ("x-b3-sampled", "0")), ("1", ("x-b3-sampled", "1")), ("d", ("x-b3-flags", "1"))]
        {
            assert_eq!(passed_on(Format::B3, &[("b3", value)]), (fields(&[("b3", value)]), 0));
            assert_eq!(passed_on(Format::B3Multi, &[("b3", value)]), (fields(&[multi]), 0));
            assert_eq!(passed_on(Format::B3, &[multi]), (fields(&[("b3", value)]), 0));
        }
    }

    #[test]
    fn the_multi_form_that_is_read() {
        let ids = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN)];
        for (more, written) in [
            (&[][..], ""),
            (&[("X-B3-Sampled", "1")], "-1"),
            (&[("X-B3-Sampled", "0")], "-0"),
            (&[("X-B3-Sampled", "true")], "-1"),
            (&[("X-B3-Sampled", "false")], "-0"),
            (&[("X-B3-Flags", "1")], "-d"),
            // Debug stands in for the decision, and other flags are reserved.
            (&[("X-B3-Flags", "1"), ("X-B3-Sampled", "0")], "-d"),
            (&[("X-B3-Flags", "0"), ("X-B3-Sampled", "1")], "-1"),
            (&[("X-B3-ParentSpanId", PARENT_ID), ("X-B3-Sampled", "1")], "-1"),
        ] {
            let read = [&ids[..], more].concat();
            let expected = format!("{TRACE}-{SPAN}{written}");
            assert_eq!(passed_on(Format::B3, &read), (fields(&[("b3", &expected)]), 0), "{more:?}");
        }
    }

    #[test]
    fn the_single_form_comes_first_and_the_multi_form_steps_in() {
        let multi = [("x-b3-traceid", TRACE), ("x-b3-spanid", PARENT_ID), ("x-b3-sampled", "0")];
        for (single, written) in [
            (format!("{TRACE}-{SPAN}-1"), format!("{TRACE}-{SPAN}-1")),
            ("nonsense".into(), format!("{TRACE}-{PARENT_ID}-0")),
        ] {
            for form in [Format::B3, Format::B3Multi] {
                let read = [&[("b3", single.as_str())][..], &multi].concat();
                let context = propagator(form).extract(&fields(&read), &EdgePolicy::trust());
                let mut again = Fields::new();
                propagator(Format::B3).inject(&context, &mut again);
                assert_eq!(again[0].1, written, "{single:?}");
            }
        }
    }

    #[test]
    fn what_is_refused() {
        for value in [
            "".into(),
            "2".into(),
            "D".into(),
            "true".into(),
            TRACE.into(),
            format!("{TRACE}-"),
            format!("{}-{SPAN}-1", &TRACE[1..]),
            format!("{TRACE}0-{SPAN}-1"),
            format!("{}-{SPAN}-1", &SHORT[1..]),
            format!("{TRACE}-{}-1", &SPAN[1..]),
            format!("{TRACE}-{SPAN}0-1"),
            format!("{}-{SPAN}-1", TRACE.to_uppercase()),
            format!("{TRACE}-{}-1", SPAN.to_uppercase()),
            format!("{}-{SPAN}-1", "0".repeat(32)),
            format!("{TRACE}-{}-1", "0".repeat(16)),
            format!("+{}-{SPAN}-1", &TRACE[1..]),
            format!("{TRACE}-{SPAN}-"),
            format!("{TRACE}-{SPAN}-2"),
            format!("{TRACE}-{SPAN}-true"),
            format!("{TRACE}-{SPAN}-1-"),
            format!("{TRACE}-{SPAN}-1-{}", &PARENT_ID[1..]),
            format!("{TRACE}-{SPAN}-1-{PARENT_ID}-"),
            format!("{TRACE}_{SPAN}_1"),
            "x".repeat(1 << 20),
        ] {
            let shown = &value[..value.len().min(80)];
            assert_eq!(passed_on(Format::B3, &[("b3", &value)]), (Fields::new(), 1), "{shown:?}");
        }
        let (trace, span) = (("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN));
        for read in [
            &[trace][..],
            &[span],
            &[trace, trace, span],
            &[trace, ("x-b3-spanid", "")],
            &[trace, span, ("x-b3-sampled", "yes")],
            &[trace, span, ("x-b3-sampled", "d")],
            &[trace, span, ("x-b3-sampled", "1"), ("x-b3-sampled", "0")],
            &[("x-b3-sampled", "2")],
        ] {
            assert_eq!(passed_on(Format::B3Multi, read), (Fields::new(), 1), "{read:?}");
        }
        let twice = format!("{TRACE}-{SPAN}-1");
        assert_eq!(passed_on(Format::B3, &[("b3", &twice), ("b3", &twice)]), (Fields::new(), 1));
    }

    #[test]
    fn no_id_is_called_random_and_every_one_is_remote() {
        for trace in [TRACE, SHORT] {
            let read = fields(&[("b3", &format!("{trace}-{SPAN}-1"))]);
            let context = propagator(Format::B3).extract(&read, &EdgePolicy::trust());
            let span = context.span().unwrap();
            assert!(!span.flags().is_random() && span.flags().is_sampled() && span.is_remote());
        }
    }

    #[test]
    fn a_reused_carrier_keeps_nothing_of_the_span_before() {
        let stale = [
            ("X-B3-TraceId", TRACE),
            ("X-B3-SpanId", SPAN),
            ("X-B3-ParentSpanId", PARENT_ID),
            ("X-B3-Flags", "1"),
            ("x-b3-sampled", "1"),
        ];
        for form in [Format::B3, Format::B3Multi] {
            let mut carrier = [fields(&stale), fields(&[("b3", "0")])].concat();
            propagator(form).inject(&Context::default(), &mut carrier);
            assert_eq!(carrier, Fields::new());
        }
    }

    #[test]
    fn both_forms_are_written_where_both_are_asked_for() {
        let both = Propagator::default().formats([Format::B3, Format::B3Multi]);
        let value = format!("{TRACE}-{SPAN}-1");
        let mut written = Fields::new();
        both.inject(&both.extract(&fields(&[("b3", &value)]), &EdgePolicy::trust()), &mut written);
        written.retain(|(name, _)| name != "x-correlation-id");
        let multi = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "1")];
        assert_eq!(written, fields(&[&[("b3", value.as_str())][..], &multi].concat()));
    }

    #[test]
    fn absence_is_not_counted() {
        let propagator = propagator(Format::B3);
        propagator.extract(&Fields::new(), &EdgePolicy::trust());
        assert_eq!(propagator.counters(), PropagationCounters::default());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(trace in 1u128.., span in 1u64.., state in "0|1|d|") {
            let dash = if state.is_empty() { "" } else { "-" };
            let value = format!("{trace:032x}-{span:016x}{dash}{state}");
            for form in [Format::B3, Format::B3Multi] {
                let (written, refused) = passed_on(form, &[("b3", &value)]);
                prop_assert_eq!(refused, 0);
                let read: Vec<_> = written.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                prop_assert_eq!(passed_on(Format::B3, &read), (fields(&[("b3", &value)]), 0));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _either = parse_single(&value);
        }
    }
}
