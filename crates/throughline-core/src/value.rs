//! What an attribute can hold.

/// The value of an attribute of a span, a link, an event or a metric: every type that OTLP knows, borrowed.
///
/// Values are written out at once by whoever receives them, so nothing here owns memory. A [`Value::U64`] above
/// `i64::MAX` has no counterpart in OTLP and is written as its decimal digits in a string.
///
/// ```
/// use throughline_core::Value;
/// assert_eq!(Value::from(42_u32), Value::I64(42));
/// assert_eq!(Value::from("cart"), Value::Str("cart"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer; one above `i64::MAX` becomes a string of digits.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A text.
    Str(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An array of truth values.
    Bools(&'a [bool]),
    /// An array of integers.
    I64s(&'a [i64]),
    /// An array of floating-point numbers.
    F64s(&'a [f64]),
    /// An array of texts.
    Strs(&'a [&'a str]),
}

macro_rules! value_from {
    ($($from:ty => $variant:ident $(as $cast:ty)?),+ $(,)?) => {
        $(impl<'a> From<$from> for Value<'a> {
            fn from(value: $from) -> Self {
                Self::$variant(value $(as $cast)?)
            }
        })+
    };
}

value_from! {
    bool => Bool,
    i8 => I64 as i64, i16 => I64 as i64, i32 => I64 as i64, i64 => I64,
    u8 => I64 as i64, u16 => I64 as i64, u32 => I64 as i64, u64 => U64, usize => U64 as u64,
    f32 => F64 as f64, f64 => F64,
    &'a str => Str, &'a [u8] => Bytes, &'a [bool] => Bools, &'a [i64] => I64s, &'a [f64] => F64s,
    &'a [&'a str] => Strs,
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Str(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers() {
        assert_eq!(Value::from(7_u8), Value::I64(7));
        assert_eq!(Value::from(-7_i16), Value::I64(-7));
        assert_eq!(Value::from(u64::MAX), Value::U64(u64::MAX));
    }
}
