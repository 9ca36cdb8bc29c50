//! Attributes as OTLP bytes, each key once.

use throughline_core::Value;

use super::wire::Wire;

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
        let mut key_at = 0;
        self.bytes.message(field, |out| {
            key_at = out.len() + 2;
            out.bytes(1, key.as_bytes());
            out.message(2, |out| any_value(out, value, caps.chars));
        });
        // A key of more than 127 bytes, or a long value, moves the key by the extra bytes of the lengths before it.
        let key_at = self
            .bytes
            .get(start..)
            .map_or(key_at, |own| start + key_offset(own));
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

/// Where the key's text begins in an encoded attribute: behind the tag and length of the pair, and those of the key.
fn key_offset(attribute: &[u8]) -> usize {
    let varint = |from: usize| {
        attribute
            .iter()
            .skip(from)
            .take_while(|byte| **byte >= 0x80)
            .count()
            + 1
    };
    let pair = 1 + varint(1);
    pair + 1 + varint(pair + 1)
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
