//! Span contexts, values and times, between the OpenTelemetry API's types and ours.

use std::{
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use opentelemetry::{
    Array, Key, KeyValue, Value as SdkValue,
    trace::{self, TraceState},
};
use throughline_core::{SpanContext, SpanId, TraceFlags, TraceId, Tracestate, Value};

use crate::sdk_value::sdk_value;

/// The same span for the API. It refuses some keys of vendor state that W3C Trace Context Level 2 allows; then it sees none.
pub(super) fn to_sdk(span: &SpanContext) -> trace::SpanContext {
    let state = match span.tracestate().as_str() {
        "" => TraceState::NONE,
        state => TraceState::from_str(state).unwrap_or(TraceState::NONE),
    };
    trace::SpanContext::new(
        trace::TraceId::from(u128::from_be_bytes(span.trace_id().to_bytes())),
        trace::SpanId::from(u64::from_be_bytes(span.span_id().to_bytes())),
        trace::TraceFlags::new(span.flags().byte()),
        span.is_remote(),
        state,
    )
}

/// The same span for us; `None` where one of its ids is zero.
pub(super) fn from_sdk(span: &trace::SpanContext) -> Option<SpanContext> {
    let trace_id = TraceId::from_bytes(span.trace_id().to_bytes())?;
    let span_id = span_id(span.span_id())?;
    let byte = span.trace_flags().to_u8();
    let flags = TraceFlags::NONE
        .with_sampled(byte & TraceFlags::SAMPLED.byte() != 0)
        .with_random(byte & TraceFlags::RANDOM.byte() != 0);
    let state = match span.trace_state().header() {
        state if state.is_empty() => Tracestate::default(),
        state => Tracestate::parse(state.as_bytes()).unwrap_or_default(),
    };
    Some(SpanContext::new(trace_id, span_id, flags).with_tracestate(state).remote(span.is_remote()))
}

pub(super) fn span_id(id: trace::SpanId) -> Option<SpanId> {
    SpanId::from_bytes(id.to_bytes())
}

/// Whether both mean the same span.
pub(super) fn is_same(ours: &SpanContext, theirs: &trace::SpanContext) -> bool {
    ours.span_id().to_bytes() == theirs.span_id().to_bytes()
        && ours.trace_id().to_bytes() == theirs.trace_id().to_bytes()
}

pub(super) fn pair(key: &str, value: Value<'_>) -> KeyValue {
    KeyValue::new(Key::from(key.to_owned()), sdk_value(value))
}

pub(super) fn pairs(attributes: &[(&str, Value<'_>)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| pair(key, *value)).collect()
}

/// Lends a value of the API's as one of ours.
pub(super) fn lend<T>(value: &SdkValue, take: impl FnOnce(Value<'_>) -> T) -> T {
    match value {
        SdkValue::Bool(value) => take((*value).into()),
        SdkValue::I64(value) => take((*value).into()),
        SdkValue::F64(value) => take((*value).into()),
        SdkValue::String(text) => take(text.as_str().into()),
        SdkValue::Array(Array::Bool(values)) => take(values.as_slice().into()),
        SdkValue::Array(Array::I64(values)) => take(values.as_slice().into()),
        SdkValue::Array(Array::F64(values)) => take(values.as_slice().into()),
        SdkValue::Array(Array::String(texts)) => {
            let texts: Vec<&str> = texts.iter().map(opentelemetry::StringValue::as_str).collect();
            take(texts.as_slice().into())
        }
        other => take(other.as_str().as_ref().into()),
    }
}

/// A time as the API has it.
pub(super) fn time(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

/// A time in nanoseconds since 1970: 1970 for what was before, the year 2554 for what comes later.
pub(super) fn nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(flags: TraceFlags, state: &str) -> SpanContext {
        let trace = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
        let span = SpanId::from_hex(b"b7ad6b7169203331").unwrap();
        SpanContext::new(trace, span, flags).with_tracestate(Tracestate::parse(state.as_bytes()).unwrap())
    }

    #[test]
    fn ids_flags_and_state_come_back_as_they_went() {
        for flags in [TraceFlags::NONE, TraceFlags::SAMPLED, TraceFlags::SAMPLED.with_random(true)] {
            for (state, remote) in [("", false), ("v=1", true), ("a=1,b=2,c@d=3", false)] {
                let ours = span(flags, state).remote(remote);
                assert_eq!(from_sdk(&to_sdk(&ours)).as_ref(), Some(&ours), "{state:?}");
                assert!(is_same(&ours, &to_sdk(&ours)));
            }
        }
    }

    #[test]
    fn an_invalid_span_is_none() {
        assert_eq!(from_sdk(&trace::SpanContext::empty_context()), None);
    }

    #[test]
    fn every_type_that_the_api_has_keeps_its_type() {
        let values = [
            Value::Bool(true),
            Value::I64(-1),
            Value::F64(1.5),
            Value::Str("a"),
            Value::Bools(&[true, false]),
            Value::I64s(&[1, -1]),
            Value::F64s(&[0.5]),
            Value::Strs(&["a", ""]),
        ];
        for value in values {
            lend(&sdk_value(value), |back| assert_eq!(back, value));
        }
        lend(&sdk_value(Value::U64(5)), |back| assert_eq!(back, Value::I64(5)));
        lend(&sdk_value(Value::U64(u64::MAX)), |back| assert_eq!(back, Value::Str("18446744073709551615")));
        lend(&sdk_value(Value::Bytes(&[0, 255])), |back| assert_eq!(back, Value::Str("[0, 255]")));
    }

    #[test]
    fn times_outside_of_what_can_be_counted_are_the_nearest_ones() {
        assert_eq!(nanos(time(17)), 17);
        assert_eq!(nanos(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(nanos(UNIX_EPOCH + Duration::from_secs(40_000_000_000)), u64::MAX);
    }
}
