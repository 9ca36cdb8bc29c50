//! Attributes as OTLP bytes, each key once.

use throughline_core::Value;

use super::wire::{Wire, varint_len, varint_len_of};

/// The attributes of one span, event or link, encoded as they come.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    dropped: u32,
}

/// Where an attribute stands in the buffer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    key: usize,
    key_len: usize,
}

/// How many attributes are kept, and how long a text may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) count: usize,
    pub(crate) chars: Option<usize>,
}

impl Attributes {
    /// Sets an attribute as field `field` of the message it will be part of; a later value replaces an earlier one.
    pub(crate) fn set(&mut self, field: u32, key: &str, value: Value<'_>, caps: Caps) {
        if let Some(place) = self.find(key) {
            self.remove(place);
        } else if self.entries.len() >= caps.count {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let start = self.bytes.len();
        // Arrays are rare and nested: they are encoded apart, so that every length is known before it is written.
        let array = is_array(value).then(|| encoded(value, caps.chars));
        let value = match value {
            Value::Str(text) => Value::Str(truncated(text, caps.chars)),
            other => other,
        };
        let value_len = array
            .as_ref()
            .map_or_else(|| content_len(value, caps.chars), Vec::len);
        let pair_len = 2 + varint_len(key.len()) + key.len() + varint_len(value_len) + value_len;
        self.bytes.reserve(pair_len + 1 + MAX_VARINT);
        self.bytes.tag(field, 2);
        self.bytes.varint(pair_len as u64);
        self.bytes.tag(1, 2);
        self.bytes.varint(key.len() as u64);
        let key_at = self.bytes.len();
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.tag(2, 2);
        self.bytes.varint(value_len as u64);
        match array {
            Some(array) => self.bytes.extend_from_slice(&array),
            None => any_value(&mut self.bytes, value, caps.chars),
        }
        self.entries.push(Entry {
            start,
            end: self.bytes.len(),
            key: key_at,
            key_len: key.len(),
        });
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.dropped = 0;
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| {
            entry.key_len == key.len()
                && self.bytes.get(entry.key..entry.key + entry.key_len) == Some(key.as_bytes())
        })
    }

    fn remove(&mut self, place: usize) {
        let gone = self.entries.remove(place);
        self.bytes.drain(gone.start..gone.end);
        let len = gone.end - gone.start;
        for entry in self.entries.iter_mut().skip(place) {
            entry.start -= len;
            entry.end -= len;
            entry.key -= len;
        }
    }
}

/// The longest varint, in bytes.
const MAX_VARINT: usize = 10;

const fn is_array(value: Value<'_>) -> bool {
    matches!(
        value,
        Value::Bools(_) | Value::I64s(_) | Value::F64s(_) | Value::Strs(_)
    )
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
        Value::Bytes(bytes) => out.bytes(
            7,
            bytes
                .get(..chars.unwrap_or(usize::MAX).min(bytes.len()))
                .unwrap_or(bytes),
        ),
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
    let end = chars
        .and_then(|chars| text.char_indices().nth(chars))
        .map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
