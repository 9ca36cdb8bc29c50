//! Attributes and their values.

use std::fmt;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

/// Attributes in the order in which they were sent.
///
/// A key that was sent twice is here twice, so that a test can see the sender's mistake; [`get`](Self::get) finds the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(String, AttributeValue)>);

impl Attributes {
    /// The first value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&AttributeValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Every attribute, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many there are, repeated keys counted each time.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn from_proto(pairs: Vec<KeyValue>) -> Self {
        pairs.into_iter().map(|pair| (pair.key, AttributeValue::from_proto(pair.value))).collect()
    }
}

impl<K: Into<String>, V: Into<AttributeValue>> FromIterator<(K, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// The value of an attribute, or the body of a log record.
///
/// Compares with plain values: `span.attribute("http.response.status_code") == Some(&200.into())`, or
/// `*value == 200_i64`, `*value == "GET"`, `*value == true`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// No value was sent.
    #[default]
    Empty,
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A list.
    Array(Vec<Self>),
    /// Named values.
    Map(Attributes),
}

impl AttributeValue {
    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The number, if it is a whole one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The number, if it is a floating-point one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Double(number) = self { Some(*number) } else { None }
    }

    /// True or false, if it is either.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    pub(super) fn from_proto(value: Option<AnyValue>) -> Self {
        match value.and_then(|any| any.value) {
            // An index into a string table, which only the profiles signal has: there is nothing to look up here.
            None | Some(Value::StringValueStrindex(_)) => Self::Empty,
            Some(Value::StringValue(text)) => Self::String(text),
            Some(Value::BoolValue(truth)) => Self::Bool(truth),
            Some(Value::IntValue(number)) => Self::Int(number),
            Some(Value::DoubleValue(number)) => Self::Double(number),
            Some(Value::BytesValue(bytes)) => Self::Bytes(bytes),
            Some(Value::ArrayValue(list)) => {
                Self::Array(list.values.into_iter().map(|value| Self::from_proto(Some(value))).collect())
            }
            Some(Value::KvlistValue(map)) => Self::Map(Attributes::from_proto(map.values)),
        }
    }
}

/// For people and for tree texts: text bare, bytes as hexadecimal digits, lists in brackets, maps in braces.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::String(text) => f.write_str(text),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Array(values) => {
                f.write_str("[")?;
                separated(f, values, |f, value| write!(f, "{value}"))?;
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                separated(f, map.iter(), |f, (key, value)| write!(f, "{key}: {value}"))?;
                f.write_str("}")
            }
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}

/// Conversion from, and comparison with, the plain type of one variant.
macro_rules! plain {
    ($($plain:ty => $variant:ident),* $(,)?) => {$(
        impl From<$plain> for AttributeValue {
            fn from(value: $plain) -> Self {
                Self::$variant(value.into())
            }
        }

        impl PartialEq<$plain> for AttributeValue {
            fn eq(&self, other: &$plain) -> bool {
                matches!(self, Self::$variant(value) if value == other)
            }
        }
    )*};
}

plain!(&str => String, String => String, bool => Bool, i64 => Int, f64 => Double);

impl PartialEq<str> for AttributeValue {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl From<Vec<Self>> for AttributeValue {
    fn from(values: Vec<Self>) -> Self {
        Self::Array(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_equal_keys_is_found_and_both_are_kept() {
        let attributes: Attributes = [("k", 1_i64), ("k", 2)].into_iter().collect();
        assert_eq!(attributes.get("k"), Some(&AttributeValue::Int(1)));
        assert_eq!(attributes.len(), 2);
        assert_eq!(attributes.get("other"), None);
    }

    #[test]
    fn values_compare_with_plain_ones_of_their_own_type_only() {
        let (text, number) = (AttributeValue::from("200"), AttributeValue::from(200));
        assert!(text == "200" && text == *"200" && text != 200);
        assert!(number == 200 && number != "200" && number != 200.0);
    }

    #[test]
    fn shown_for_people() {
        let map: Attributes = [("a", AttributeValue::from(1)), ("b", "x".into())].into_iter().collect();
        let value = AttributeValue::Array(vec![
            true.into(),
            AttributeValue::Bytes(vec![0xab]),
            AttributeValue::Map(map),
        ]);
        assert_eq!(value.to_string(), "[true, ab, {a: 1, b: x}]");
    }
}
