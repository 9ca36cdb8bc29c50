//! The fields of a span, serialised when they are recorded and copied onto each line below it.

use std::{cell::RefCell, mem, ops::Range};

use crate::{
    fields::FieldSink,
    foreign::{self, Written},
    key::Key,
    key_text::KeyTexts,
    limits::Limits,
    value::{self, Raw},
};

/// What the JSON layers keep of one span.
///
/// All of them share it, whatever their preset: a field is kept as JSON, `,"key":value`, with the places of its parts.
#[derive(Debug, Default)]
pub(crate) struct SpanFields {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// How many fields found no room.
    dropped: u32,
    /// The text is not simply all fields one after the other: there are replaced ones, chains or incomplete values.
    is_patched: bool,
}

/// One field: where it stands in the text.
#[derive(Clone, Debug)]
struct Entry {
    key: Key,
    value: Part,
    /// The causes of an error, under a key of their own.
    chain: Option<Part>,
}

/// The place of `,"key":value`.
#[derive(Clone, Debug)]
struct Part {
    whole: Range<usize>,
    value_len: usize,
    written: Written,
}

/// A ready piece of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) key: Key,
    /// `,"key":value`
    pub(crate) whole: &'a [u8],
    value_len: usize,
    pub(crate) written: Written,
}

impl<'a> Piece<'a> {
    pub(crate) fn value(&self) -> &'a [u8] {
        self.whole.get(self.whole.len() - self.value_len..).unwrap_or_default()
    }
}

/// What is reserved for the fields of a new span: enough for most, so that they are not moved while they grow.
const USUAL_BYTES: usize = 256;
const USUAL_FIELDS: usize = 8;

impl SpanFields {
    /// No fields yet, and room for the usual number: that of a span which has closed on this thread, if there is one.
    pub(crate) fn with_room() -> Self {
        let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        let (text, entries) =
            pooled.unwrap_or_else(|| (Vec::with_capacity(USUAL_BYTES), Vec::with_capacity(USUAL_FIELDS)));
        Self { text, entries, dropped: 0, is_patched: false }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped == 0
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.dropped = 0;
        self.is_patched = false;
    }

    /// All fields, ready to be copied, where they are complete and follow each other without gaps.
    #[inline]
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        (!self.is_patched).then_some(&self.text)
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.entries.iter().map(|entry| entry.key)
    }

    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// The fields in the order in which they were first recorded, each with the chain of its error.
    #[inline]
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (Piece<'_>, Option<Piece<'_>>)> {
        self.entries.iter().map(|entry| {
            let chain = entry.chain.as_ref().map(|chain| self.piece(entry.key.chain(), chain));
            (self.piece(entry.key, &entry.value), chain)
        })
    }

    #[inline]
    fn piece(&self, key: Key, part: &Part) -> Piece<'_> {
        let whole = self.text.get(part.whole.clone()).unwrap_or_default();
        Piece { key, whole, value_len: part.value_len, written: part.written }
    }

    /// Takes over fields that were recorded later; under the same key, the later value replaces the earlier one.
    pub(crate) fn merge(&mut self, later: &Self, limits: &Limits) {
        for (value, chain) in later.pieces() {
            let start = self.text.len();
            let entry = Entry {
                key: value.key,
                value: self.copy(&value),
                chain: chain.map(|chain| self.copy(&chain)),
            };
            self.keep(entry, start, limits);
        }
        self.dropped += later.dropped;
        self.is_patched |= later.dropped > 0;
        self.compact();
    }

    fn copy(&mut self, piece: &Piece<'_>) -> Part {
        let start = self.text.len();
        self.text.extend_from_slice(piece.whole);
        Part { whole: start..self.text.len(), value_len: piece.value_len, written: piece.written }
    }

    /// Enters what was written from `start` on, or takes it back where there is no room.
    fn keep(&mut self, entry: Entry, start: usize, limits: &Limits) {
        let known = self.entries.iter().position(|other| other.key.is(entry.key));
        let is_full = self.text.len() > limits.fields_end()
            || (known.is_none() && self.entries.len() >= limits.fields());
        self.is_patched |=
            is_full || known.is_some() || entry.chain.is_some() || entry.value.written != Written::Whole;
        if is_full {
            self.text.truncate(start);
            self.dropped += 1;
        } else if let Some(known) = known.and_then(|place| self.entries.get_mut(place)) {
            *known = entry;
        } else {
            self.entries.push(entry);
        }
    }

    /// Leaves out replaced values once they are more than half of the text.
    fn compact(&mut self) {
        let live: usize =
            self.pieces().map(|(value, chain)| value.whole.len() + chain.map_or(0, |c| c.whole.len())).sum();
        if self.text.len() <= 2 * live {
            return;
        }
        let mut compacted = Self::with_room();
        (compacted.dropped, compacted.is_patched) = (self.dropped, true);
        for (value, chain) in self.pieces() {
            let entry = Entry {
                key: value.key,
                value: compacted.copy(&value),
                chain: chain.map(|chain| compacted.copy(&chain)),
            };
            compacted.entries.push(entry);
        }
        *self = compacted;
    }
}

/// How many buffers a thread keeps for the next spans, and how large each may be.
const POOL_LEN_MAX: usize = 16;
const POOLED_BYTES_MAX: usize = 4 * 1024;
const POOLED_FIELDS_MAX: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<(Vec<u8>, Vec<Entry>)>> = const { RefCell::new(Vec::new()) };
}

impl Drop for SpanFields {
    /// Leaves the buffers to the next span of this thread.
    fn drop(&mut self) {
        let (bytes, fields) = (self.text.capacity(), self.entries.capacity());
        if !(USUAL_BYTES..=POOLED_BYTES_MAX).contains(&bytes)
            || !(USUAL_FIELDS..=POOLED_FIELDS_MAX).contains(&fields)
        {
            return;
        }
        self.clear();
        let buffers = (mem::take(&mut self.text), mem::take(&mut self.entries));
        let _torn_down = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOL_LEN_MAX {
                pool.push(buffers);
            }
        });
    }
}

/// Serialises fields into a [`SpanFields`].
pub(crate) struct SpanFieldsWriter<'a> {
    pub(crate) fields: &'a mut SpanFields,
    pub(crate) key_texts: &'a mut KeyTexts,
    pub(crate) limits: &'a Limits,
}

impl FieldSink for SpanFieldsWriter<'_> {
    fn field(&mut self, name: &'static str, raw: Raw<'_>) {
        let key = Key::new(name);
        let start = self.fields.text.len();
        let value = self.part(key, |out, limits| raw.json(out, limits));
        let source = if let Raw::Error(error) = raw { foreign::source(error) } else { None };
        let chain =
            source.map(|first| self.part(key.chain(), |out, limits| value::chain(out, first, limits)));
        self.fields.keep(Entry { key, value, chain }, start, self.limits);
    }
}

impl SpanFieldsWriter<'_> {
    fn part(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>, &Limits) -> Written) -> Part {
        let text = &mut self.fields.text;
        let start = text.len();
        text.extend_from_slice(self.key_texts.get(key));
        let value = text.len();
        let written = write(text, self.limits);
        Part { whole: start..text.len(), value_len: text.len() - value, written }
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error, fmt};

    use super::*;

    #[derive(Debug)]
    struct Outer(fmt::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("not stored")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn fields(values: &[(&'static str, Raw<'_>)], limits: &Limits) -> SpanFields {
        let (mut fields, mut key_texts) = (SpanFields::default(), KeyTexts::default());
        let mut writer = SpanFieldsWriter { fields: &mut fields, key_texts: &mut key_texts, limits };
        for (name, value) in values {
            writer.field(name, *value);
        }
        fields
    }

    fn shown(fields: &SpanFields) -> String {
        let pieces = fields.pieces().flat_map(|(value, chain)| [Some(value), chain]).flatten();
        let pieces: Vec<_> =
            pieces.map(|piece| str::from_utf8(piece.whole).unwrap().strip_prefix(',').unwrap()).collect();
        pieces.join(" ")
    }

    fn limits() -> Limits {
        Limits::new(100, 1 << 20, 3)
    }

    #[test]
    fn a_later_value_replaces_the_earlier_one_in_its_place() {
        let mut kept = fields(&[("a", Raw::I64(1)), ("b", Raw::Str("x"))], &limits());
        kept.merge(&fields(&[("a", Raw::Bool(true)), ("c", Raw::F64(0.5))], &limits()), &limits());
        assert_eq!(shown(&kept), r#""a":true "b":"x" "c":0.5"#);
        let again = fields(&[("a", Raw::I64(1)), ("a", Raw::I64(2))], &limits());
        assert_eq!(shown(&again), r#""a":2"#);
    }

    #[test]
    fn replaced_values_do_not_pile_up() {
        let mut kept = fields(&[("a", Raw::I64(0)), ("b", Raw::I64(0))], &limits());
        for value in 0..10_000 {
            kept.merge(&fields(&[("a", Raw::I64(value))], &limits()), &limits());
        }
        assert_eq!(shown(&kept), r#""a":9999 "b":0"#);
        assert!(kept.text.len() < 64, "{}", kept.text.len());
    }

    #[test]
    fn a_chain_goes_with_its_error() {
        let error = Outer(fmt::Error);
        let mut kept = fields(&[("error", Raw::Error(&error)), ("b", Raw::I64(1))], &limits());
        let expected = concat!(
            r#""error":"not stored" "#,
            r#""error.chain":["an error occurred when formatting an argument"] "b":1"#
        );
        assert_eq!(shown(&kept), expected);
        kept.merge(&fields(&[("error", Raw::Str("none"))], &limits()), &limits());
        assert_eq!(shown(&kept), r#""error":"none" "b":1"#);
    }

    #[test]
    fn fields_beyond_the_limit_are_counted() {
        let numbers = [("a", Raw::I64(1)), ("b", Raw::I64(2)), ("c", Raw::I64(3)), ("d", Raw::I64(4))];
        let kept = fields(&numbers, &limits());
        assert_eq!(shown(&kept), r#""a":1 "b":2 "c":3"#);
        assert_eq!(kept.dropped(), 1);
    }
}
