//! Attributes as OTLP bytes, each key once.

use throughline_core::Value;

use super::wire::{Wire, varint_len, varint_len_of};

/// The attributes of one span, event or link, encoded as they come.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// A bit for the length and the last letter of each key: most new keys are known to be new by it.
    seen: u64,
    dropped: u32,
}

/// Where an attribute stands in the buffer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    key: usize,
    key_len: usize,
    /// Keys of one length mostly differ here: most comparisons end with it.
    last: Option<u8>,
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
        if let Some(key_at) = self.set_short(field, key, value, caps) {
            return self.enter(start, key_at, key);
        }
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
        self.enter(start, key_at, key);
    }

    /// Encodes what most attributes are, a short text or a small number, where every length is one byte. Returns where
    /// the key stands, or `None` if this is not such an attribute.
    #[inline]
    fn set_short(&mut self, field: u32, key: &str, value: Value<'_>, caps: Caps) -> Option<usize> {
        let mut number = [0; 2];
        let (kind, text): (u8, &[u8]) = match value {
            Value::Str(text) if caps.chars.is_none_or(|chars| text.len() <= chars) => {
                (STRING, text.as_bytes())
            }
            Value::I64(value @ 0..0x4000) => (INT, short_varint(value, &mut number)),
            Value::Bool(value) => (BOOL, if value { &[1] } else { &[0] }),
            _ => return None,
        };
        let value_len = 1 + usize::from(kind == STRING) + text.len();
        let pair_len = 4 + key.len() + value_len;
        let (pair_len, value_len) = (one_byte(pair_len)?, one_byte(value_len)?);
        let (key_len, text_len) = (one_byte(key.len())?, one_byte(text.len())?);
        let tag = u8::try_from(field << 3 | 2).ok()?;
        self.bytes.reserve(usize::from(pair_len) + 2);
        self.bytes.extend_from_slice(&[tag, pair_len, 0x0a, key_len]);
        let key_at = self.bytes.len();
        self.bytes.extend_from_slice(key.as_bytes());
        if kind == STRING {
            self.bytes.extend_from_slice(&[0x12, value_len, STRING, text_len]);
        } else {
            self.bytes.extend_from_slice(&[0x12, value_len, kind]);
        }
        self.bytes.extend_from_slice(text);
        Some(key_at)
    }

    #[inline]
    fn enter(&mut self, start: usize, key_at: usize, key: &str) {
        let last = key.as_bytes().last().copied();
        self.seen |= trait_of(key);
        self.entries.push(Entry { start, end: self.bytes.len(), key: key_at, key_len: key.len(), last });
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much memory is held, used or not.
    pub(crate) const fn capacity(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.seen = 0;
        self.dropped = 0;
    }

    #[inline]
    fn find(&self, key: &str) -> Option<usize> {
        let last = key.as_bytes().last().copied();
        if self.seen & trait_of(key) == 0 {
            return None;
        }
        self.entries.iter().position(|entry| {
            entry.key_len == key.len()
                && entry.last == last
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

/// The tags of `AnyValue`: its field numbers, with the kind of what follows.
const STRING: u8 = 0x0a;
const BOOL: u8 = 0x10;
const INT: u8 = 0x18;

/// One of 64 bits, by the length and the last letter of a key.
#[inline]
fn trait_of(key: &str) -> u64 {
    let last = key.as_bytes().last().copied().unwrap_or_default();
    1 << ((key.len() as u64).wrapping_mul(7).wrapping_add(u64::from(last)) & 63)
}

/// A length that fits into one byte of a varint.
#[inline]
fn one_byte(len: usize) -> Option<u8> {
    u8::try_from(len).ok().filter(|len| *len < 0x80)
}

/// A number below 2^14 as a varint.
#[inline]
fn short_varint(value: i64, out: &mut [u8; 2]) -> &[u8] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seven bits at a time")]
    let (low, high) = ((value & 0x7f) as u8, (value >> 7) as u8);
    if high == 0 {
        *out = [low, 0];
        return out.split_at(1).0;
    }
    *out = [low | 0x80, high];
    out
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
