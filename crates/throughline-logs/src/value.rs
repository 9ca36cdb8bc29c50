//! One value of a field, with its type.

use std::{error::Error, fmt};

use crate::{
    escape, foreign,
    foreign::Written,
    limits::{ERROR_CHAIN_LEN_MAX, Limits},
};

/// A value as `tracing` hands it over.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Debug(&'a dyn fmt::Debug),
    Error(&'a (dyn Error + 'static)),
}

impl Raw<'_> {
    /// Appends the value as JSON.
    ///
    /// Numbers stay numbers as long as every parser can hold them in 64 bits; beyond, and where JSON has no number for
    /// a float, they become strings. Bytes become hexadecimal digits.
    #[inline]
    pub(crate) fn json(self, out: &mut Vec<u8>, limits: &Limits) -> Written {
        match self {
            Self::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Self::I64(value) => integer(out, value),
            Self::U64(value) => integer(out, value),
            Self::F64(value) if value.is_finite() => float(out, value),
            Self::I128(value) if i64::try_from(value).is_ok() || u64::try_from(value).is_ok() => {
                integer(out, value)
            }
            Self::U128(value) if u64::try_from(value).is_ok() => integer(out, value),
            as_string => {
                out.push(b'"');
                let written = as_string.text::<true>(out, limits);
                out.push(b'"');
                return written;
            }
        }
        Written::Whole
    }

    /// Appends the value as text, for the inside of a JSON string or for people.
    #[inline]
    pub(crate) fn text<const QUOTED: bool>(self, out: &mut Vec<u8>, limits: &Limits) -> Written {
        let max = limits.field_bytes();
        match self {
            Self::Str(value) => return foreign::text::<QUOTED>(out, value, max),
            Self::Debug(value) => return foreign::formatted::<QUOTED>(out, format_args!("{value:?}"), max),
            Self::Error(value) => return foreign::formatted::<QUOTED>(out, format_args!("{value}"), max),
            Self::Bytes(value) => return bytes(out, value, max),
            Self::I128(value) => integer(out, value),
            Self::U128(value) => integer(out, value),
            Self::F64(value) if value.is_nan() => out.extend_from_slice(b"NaN"),
            Self::F64(f64::INFINITY) => out.extend_from_slice(b"Infinity"),
            Self::F64(f64::NEG_INFINITY) => out.extend_from_slice(b"-Infinity"),
            Self::Bool(_) | Self::I64(_) | Self::U64(_) | Self::F64(_) => return self.json(out, limits),
        }
        Written::Whole
    }
}

/// Appends the causes of an error, outermost first, as a JSON array of their messages.
pub(crate) fn chain(out: &mut Vec<u8>, first: &(dyn Error + 'static), limits: &Limits) -> Written {
    let causes = std::iter::successors(Some(first), |error| foreign::source(*error));
    let mut all = Written::Whole;
    out.push(b'[');
    for (place, cause) in causes.take(ERROR_CHAIN_LEN_MAX).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let written = Raw::Error(cause).json(out, limits);
        if written != Written::Whole {
            all = written;
        }
    }
    out.push(b']');
    all
}

#[inline]
fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends the shortest number that reads back as `value`.
///
/// Most floats in logs are prices and durations with a few decimals. If `n / 1000` is exactly `value` and `n` has at most
/// fifteen digits, `n` thousandths are that shortest number: two different numbers of fifteen digits are never the same
/// float. It costs a fifth of the general way.
#[inline]
fn float(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    let thousandths = (size * 1_000.0 + 0.5) as u64;
    if thousandths >= SHORT_FLOAT_MAX || thousandths as f64 / 1_000.0 != size {
        return out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    integer(out, thousandths / 1_000);
    let rest = (thousandths % 1_000) as u16;
    let digit = |unit: u16| b'0' + (rest / unit % 10) as u8;
    match (digit(100), digit(10), digit(1)) {
        (tenths, b'0', b'0') => out.extend_from_slice(&[b'.', tenths]),
        (tenths, hundredths, b'0') => out.extend_from_slice(&[b'.', tenths, hundredths]),
        (tenths, hundredths, last) => out.extend_from_slice(&[b'.', tenths, hundredths, last]),
    }
}

/// Numbers of thousandths with at most fifteen digits.
const SHORT_FLOAT_MAX: u64 = 1_000_000_000_000_000;

fn bytes(out: &mut Vec<u8>, value: &[u8], max: usize) -> Written {
    value.iter().take(max / 2).for_each(|&byte| escape::hex(out, byte));
    if value.len() <= max / 2 { Written::Whole } else { foreign::text::<true>(out, "x", 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: Raw<'_>) -> String {
        let mut out = Vec::new();
        value.json(&mut out, &Limits::new(16, 1 << 20, 9));
        String::from_utf8(out).unwrap()
    }

    fn assert_shortest(value: f64) {
        let written = json(Raw::F64(value));
        assert_eq!(written, ryu::Buffer::new().format_finite(value));
        assert_eq!(written.parse::<f64>().unwrap().to_bits(), value.to_bits());
    }

    #[test]
    fn floats_are_the_same_the_short_and_the_general_way() {
        for whole in [0_u64, 1, 9, 10, 99, 4_294_967_296, 999_999_999_999, 1_000_000_000_000] {
            for thousandths in 0..1_000 {
                let value: f64 = format!("{whole}.{thousandths:03}").parse().unwrap();
                assert_shortest(value);
                assert_shortest(-value);
                assert_shortest(f64::from_bits(value.to_bits() + 1));
            }
        }
        for value in
            [0.0005, 0.1 + 0.2, 1e15, 1e16, 1e-7, f64::MAX, f64::MIN_POSITIVE, 9_007_199_254_740_993.0]
        {
            assert_shortest(value);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_float_is_the_shortest(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL, exponent in 0..12) {
            assert_shortest(value);
            assert_shortest((value % 1e6 * 10_f64.powi(exponent)).round() / 10_f64.powi(exponent));
        }
    }

    #[test]
    fn values_keep_their_types() {
        for (value, expected) in [
            (Raw::Bool(true), "true"),
            (Raw::Bool(false), "false"),
            (Raw::I64(i64::MIN), "-9223372036854775808"),
            (Raw::U64(u64::MAX), "18446744073709551615"),
            (Raw::I128(-1), "-1"),
            (Raw::I128(u64::MAX.into()), "18446744073709551615"),
            (Raw::I128(i128::from(u64::MAX) + 1), "\"18446744073709551616\""),
            (Raw::I128(i128::from(i64::MIN) - 1), "\"-9223372036854775809\""),
            (Raw::U128(7), "7"),
            (Raw::U128(u128::MAX), "\"340282366920938463463374607431768211455\""),
            (Raw::F64(12.5), "12.5"),
            (Raw::F64(-0.0), "-0.0"),
            (Raw::F64(1e300), "1e300"),
            (Raw::F64(f64::NAN), "\"NaN\""),
            (Raw::F64(f64::INFINITY), "\"Infinity\""),
            (Raw::F64(f64::NEG_INFINITY), "\"-Infinity\""),
            (Raw::Str("a\"b"), "\"a\\\"b\""),
            (Raw::Str("seventeen letters"), "\"seventeen letter…\""),
            (Raw::Bytes(&[0, 0xff, 0x1a]), "\"00ff1a\""),
            (Raw::Bytes(&[7; 9]), "\"0707070707070707…\""),
            (Raw::Debug(&Some("x")), "\"Some(\\\"x\\\")\""),
            (Raw::Error(&fmt::Error), "\"an error occurre…\""),
        ] {
            assert_eq!(json(value), expected);
        }
    }
}
