//! Attributes as OTLP bytes, each key once.

use std::ops::Range;

use throughline_core::Value;

use super::wire::{Wire, split_field, varint_len, varint_len_of};

/// The attributes of one span, event or link, encoded as they come.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    bytes: Vec<u8>,
    count: usize,
    /// A bit for the looks of each key: most new keys are known to be new by it.
    seen: u64,
    dropped: u32,
}

/// How many attributes are kept, and how long a text may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) count: usize,
    pub(crate) chars: Option<usize>,
}

impl Attributes {
    /// Sets an attribute as field `field` of the message it will be part of; a later value replaces an earlier one.
    #[inline]
    pub(crate) fn set(&mut self, field: u32, key: &str, value: Value<'_>, caps: Caps) {
        let looks = looks_of(key.as_bytes());
        if self.seen & looks != 0
            && let Some(place) = self.find(key)
        {
            self.bytes.drain(place);
        } else if self.count < caps.count {
            self.seen |= looks;
            self.count += 1;
        } else {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        if !self.put_short(field, key, value, caps) {
            self.put(field, key, value, caps);
        }
    }

    /// Encodes what most attributes are, a short text or a small number, where every length is one byte. Returns whether
    /// this is such an attribute.
    #[inline]
    fn put_short(&mut self, field: u32, key: &str, value: Value<'_>, caps: Caps) -> bool {
        let text_len = if let Value::Str(text) = value { text.len() } else { 0 };
        if key.len() + text_len > SHORT_LEN_MAX {
            return false;
        }
        let out = &mut self.bytes;
        let put_key = |out: &mut Vec<u8>, value_len| {
            let pair_len = 2 + key.len() + 2 + value_len;
            out.extend_from_slice(&[
                low_byte(field as usize) << 3 | 2,
                low_byte(pair_len),
                0x0a,
                low_byte(key.len()),
            ]);
            out.extend_from_slice(key.as_bytes());
        };
        match value {
            Value::Str(text) if caps.chars.is_none_or(|chars| text_len <= chars) => {
                put_key(out, 2 + text_len);
                out.extend_from_slice(&[0x12, low_byte(2 + text_len), STRING, low_byte(text_len)]);
                out.extend_from_slice(text.as_bytes());
            }
            Value::I64(number @ 0..0x80) => {
                put_key(out, 2);
                out.extend_from_slice(&[0x12, 2, INT, seven_bits(number)]);
            }
            Value::I64(number @ 0x80..0x4000) => {
                put_key(out, 3);
                out.extend_from_slice(&[0x12, 3, INT, seven_bits(number) | 0x80, seven_bits(number >> 7)]);
            }
            Value::Bool(value) => {
                put_key(out, 2);
                out.extend_from_slice(&[0x12, 2, BOOL, u8::from(value)]);
            }
            _ => return false,
        }
        true
    }

    /// Encodes an attribute of any type and length.
    #[inline(never)]
    fn put(&mut self, field: u32, key: &str, value: Value<'_>, caps: Caps) {
        // Arrays are rare and nested: they are encoded apart, so that every length is known before it is written.
        let array = is_array(value).then(|| encoded(value, caps.chars));
        let value = match value {
            Value::Str(text) => Value::Str(truncated(text, caps.chars)),
            other => other,
        };
        let value_len = array.as_ref().map_or_else(|| content_len(value, caps.chars), Vec::len);
        let pair_len = 2 + varint_len(key.len()) + key.len() + varint_len(value_len) + value_len;
        self.bytes.reserve(pair_len + 1 + MAX_VARINT);
        self.bytes.tag(field, 2);
        self.bytes.varint(pair_len as u64);
        self.bytes.bytes(1, key.as_bytes());
        self.bytes.tag(2, 2);
        self.bytes.varint(value_len as u64);
        match array {
            Some(array) => self.bytes.extend_from_slice(&array),
            None => any_value(&mut self.bytes, value, caps.chars),
        }
    }

    /// Sets an attribute, unless there is one with its key.
    pub(crate) fn set_missing(&mut self, field: u32, key: &str, value: Value<'_>, caps: Caps) {
        if self.seen & looks_of(key.as_bytes()) == 0 || self.find(key).is_none() {
            self.set(field, key, value, caps);
        }
    }

    /// Adds all of `block`, encoded for the same field before, if there is room for all and none of its `keys` is there yet.
    /// Returns whether it was so; if not, nothing has changed.
    pub(crate) fn append<'a>(
        &mut self,
        block: &Self,
        mut keys: impl Iterator<Item = &'a str>,
        caps: Caps,
    ) -> bool {
        let is_new = |key: &str| self.seen & looks_of(key.as_bytes()) == 0 || self.find(key).is_none();
        if self.count + block.count > caps.count || (self.seen & block.seen != 0 && !keys.all(is_new)) {
            return false;
        }
        self.bytes.extend_from_slice(&block.bytes);
        self.count += block.count;
        self.seen |= block.seen;
        true
    }

    /// Adds those of `other`, encoded for the same field, whose keys are not there yet.
    pub(crate) fn add_missing(&mut self, other: &Self, caps: Caps) {
        let mut rest = other.bytes.as_slice();
        while let Some((pair, after)) = split_field(rest) {
            let whole = rest.get(..rest.len() - after.len()).unwrap_or_default();
            rest = after;
            let Some((key, _)) = split_field(pair) else { return };
            let looks = looks_of(key);
            if self.seen & looks != 0 && str::from_utf8(key).is_ok_and(|key| self.find(key).is_some()) {
                continue;
            }
            if self.count >= caps.count {
                self.dropped = self.dropped.saturating_add(1);
                continue;
            }
            self.seen |= looks;
            self.count += 1;
            self.bytes.extend_from_slice(whole);
        }
        self.dropped = self.dropped.saturating_add(other.dropped);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much memory is held, used or not.
    pub(crate) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Counts attributes that somebody else dropped before.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn lose(&mut self, dropped: u32) {
        self.dropped = self.dropped.saturating_add(dropped);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
        self.seen = 0;
        self.dropped = 0;
    }

    /// Where the attribute with this key stands. Asked seldom, so that nothing is noted down for it beside the bytes.
    fn find(&self, key: &str) -> Option<Range<usize>> {
        let mut rest = self.bytes.as_slice();
        while let Some((pair, after)) = split_field(rest) {
            let (own, _) = split_field(pair)?;
            if own == key.as_bytes() {
                return Some(self.bytes.len() - rest.len()..self.bytes.len() - after.len());
            }
            rest = after;
        }
        None
    }
}

/// The tags of `AnyValue`: its field numbers, with the kind of what follows.
const STRING: u8 = 0x0a;
const BOOL: u8 = 0x10;
const INT: u8 = 0x18;

/// Up to this many bytes of key and text, every length within an attribute is below 2^7: beside a key stand up to seven
/// bytes that are not its own, those of a number of two bytes, within the outermost length.
const SHORT_LEN_MAX: usize = 0x7f - 7;

/// One of 64 bits, by the length and two letters of a key. The factors are some with which hardly two of the names that the
/// hops set on one span are alike.
#[inline]
fn looks_of(key: &[u8]) -> u64 {
    let [middle, last] =
        [key.get(key.len() / 2), key.last()].map(|letter| u64::from(letter.copied().unwrap_or_default()));
    1 << ((key.len() as u64 * 2 + middle * 56 + last * 29) & 63)
}

/// A number that is known to fit.
#[expect(clippy::cast_possible_truncation, reason = "whoever calls has looked")]
const fn low_byte(number: usize) -> u8 {
    number as u8
}

/// The lowest digit of a varint.
#[expect(clippy::cast_sign_loss, reason = "seven bits at a time")]
const fn seven_bits(number: i64) -> u8 {
    (number & 0x7f) as u8
}

/// The longest varint, in bytes.
const MAX_VARINT: usize = 10;

const fn is_array(value: Value<'_>) -> bool {
    matches!(value, Value::Bools(_) | Value::I64s(_) | Value::F64s(_) | Value::Strs(_))
}

fn encoded(value: Value<'_>, chars: Option<usize>) -> Vec<u8> {
    let mut out = Vec::new();
    any_value(&mut out, value, chars);
    out
}

/// How many bytes [`any_value`] writes for a value that is no array.
fn content_len(value: Value<'_>, chars: Option<usize>) -> usize {
    let delimited = |len: usize| 1 + varint_len(len) + len;
    match value {
        Value::Bool(_) => 2,
        Value::I64(value) => 1 + varint_len_of(value.cast_unsigned()),
        Value::U64(value) if i64::try_from(value).is_ok() => 1 + varint_len_of(value),
        Value::U64(value) => delimited(value.to_string().len()),
        Value::F64(_) => 9,
        Value::Str(text) => delimited(text.len()),
        Value::Bytes(bytes) => delimited(bytes.len().min(chars.unwrap_or(usize::MAX))),
        _ => 0,
    }
}

/// Writes the content of an `AnyValue`.
pub(crate) fn any_value(out: &mut Vec<u8>, value: Value<'_>, chars: Option<usize>) {
    match value {
        Value::Bool(value) => out.uint(2, u64::from(value)),
        Value::I64(value) => out.uint(3, value.cast_unsigned()),
        Value::U64(value) => match i64::try_from(value) {
            Ok(value) => out.uint(3, value.cast_unsigned()),
            Err(_) => out.bytes(1, value.to_string().as_bytes()),
        },
        Value::F64(value) => out.fixed64(4, value.to_bits()),
        Value::Str(text) => out.bytes(1, truncated(text, chars).as_bytes()),
        Value::Bytes(bytes) => {
            out.bytes(7, bytes.get(..chars.unwrap_or(usize::MAX).min(bytes.len())).unwrap_or(bytes))
        }
        Value::Bools(values) => array(out, values.iter().map(|value| Value::Bool(*value)), chars),
        Value::I64s(values) => array(out, values.iter().map(|value| Value::I64(*value)), chars),
        Value::F64s(values) => array(out, values.iter().map(|value| Value::F64(*value)), chars),
        Value::Strs(values) => array(out, values.iter().map(|value| Value::Str(value)), chars),
        _ => {}
    }
}

fn array<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = Value<'a>>, chars: Option<usize>) {
    out.message(5, |out| {
        for value in values {
            out.message(1, |out| any_value(out, value, chars));
        }
    });
}

/// The first `chars` characters.
pub(crate) fn truncated(text: &str, chars: Option<usize>) -> &str {
    let end = chars.and_then(|chars| text.char_indices().nth(chars)).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_as_long_as_it_says_around_every_length() {
        let caps = Caps { count: usize::MAX, chars: None };
        for len in 100..140 {
            for value in
                [Value::I64(1), Value::I64(0x80), Value::I64(0x3fff), Value::Bool(true), Value::Str("")]
            {
                let mut attributes = Attributes::default();
                let key = "k".repeat(len);
                attributes.set(9, &key, value, caps);
                let (pair, after) = split_field(attributes.bytes()).unwrap();
                let (own, value_field) = split_field(pair).unwrap();
                let (_, end) = split_field(value_field).unwrap();
                assert!(own == key.as_bytes() && after.is_empty() && end.is_empty(), "{len} {value:?}");
            }
        }
    }
}
