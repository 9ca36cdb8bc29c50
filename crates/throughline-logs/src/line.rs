//! One line while it is put together.

use throughline_core::SpanId;

use crate::{
    fields::FieldSink,
    foreign::{self, Written},
    format::{Head, Preset, Tally},
    key::{FixedKeys, Key},
    key_text,
    limits::Limits,
    scratch::Scratch,
    span_fields::{Piece, SpanFields},
    value::{self, Raw},
};

/// The name of the field that holds an event's message.
pub(crate) const MESSAGE: &str = "message";

/// What takes the parts of one line.
pub(crate) trait LineSink: FieldSink {
    /// Whether it wants to know the outermost span of this process.
    const WANTS_ENTRY: bool = false;

    /// Takes the message, unless there is one already.
    fn message(&mut self, value: Raw<'_>);
    /// Takes the ready fields of a span.
    fn span(&mut self, fields: &SpanFields);
    /// Takes the id of the outermost span of this process.
    fn entry(&mut self, _: SpanId) {}
    /// Ends the line.
    fn close(self) -> Tally;
}

/// A line of preset `P`: its head, then each field under a key that is free, then its end.
pub(crate) struct Line<'a, P> {
    preset: &'a P,
    fixed: &'a FixedKeys,
    limits: &'a Limits,
    head: &'a Head<'a>,
    scratch: &'a mut Scratch,
    tally: Tally,
    has_message: bool,
    has_rest: bool,
}

impl<'a, P: Preset> Line<'a, P> {
    /// Writes what stands before the message.
    #[inline]
    pub(crate) fn open(
        preset: &'a P,
        fixed: &'a FixedKeys,
        limits: &'a Limits,
        head: &'a Head<'a>,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.line.clear();
        scratch.keys.reset(fixed);
        preset.open(&mut scratch.line, head);
        let tally = Tally::default();
        Self { preset, fixed, limits, head, scratch, tally, has_message: false, has_rest: false }
    }

    /// Copies the whole text of a span in one go, which most spans allow: no key of theirs is like another on the line.
    #[inline]
    fn all_at_once(&mut self, fields: &SpanFields) -> bool {
        let Some(text) = fields.whole() else { return false };
        let has_room = self.scratch.line.len() + text.len() <= self.limits.fields_end()
            && self.scratch.keys.len() + fields.len() <= self.limits.fields();
        if !has_room || !self.scratch.keys.admit_all(fields.keys()) {
            return false;
        }
        key_text::append_member(&mut self.scratch.line, text);
        true
    }

    /// Writes what stands between the message and the fields, once.
    #[inline]
    fn rest(&mut self) {
        if !self.has_rest {
            self.has_rest = true;
            self.preset.rest(&mut self.scratch.line, self.head);
        }
    }

    #[inline]
    fn value(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>, &Limits) -> Written) -> bool {
        let Some(key) = self.admit(key) else { return false };
        let start = self.scratch.line.len();
        self.preset.key(&mut self.scratch.line, key, self.scratch.key_texts.get(key));
        let written = write(&mut self.scratch.line, self.limits);
        self.keep(start, written)
    }

    #[inline]
    fn piece(&mut self, piece: &Piece<'_>) -> bool {
        let Some(key) = self.admit(piece.key) else {
            return false;
        };
        let out = &mut self.scratch.line;
        let start = out.len();
        if key.is_renamed() {
            self.preset.key(out, key, self.scratch.key_texts.get(key));
            out.extend_from_slice(piece.value());
        } else {
            self.preset.ready(out, piece);
        }
        self.keep(start, piece.written)
    }

    #[inline]
    fn admit(&mut self, key: Key) -> Option<Key> {
        let key = self.scratch.keys.admit(key, self.fixed)?;
        if self.scratch.keys.len() > self.limits.fields() {
            self.tally.dropped += 1;
            return None;
        }
        Some(key)
    }

    /// Takes back a field with which the line would be too long.
    #[inline]
    fn keep(&mut self, start: usize, written: Written) -> bool {
        if self.scratch.line.len() > self.limits.fields_end() {
            self.scratch.line.truncate(start);
            self.tally.dropped += 1;
            return false;
        }
        self.tally.note(written);
        true
    }
}

impl<P: Preset> LineSink for Line<'_, P> {
    /// Writes the message, unless it stands on the line already or its place has passed.
    #[inline]
    fn message(&mut self, value: Raw<'_>) {
        if self.has_message || self.has_rest {
            return;
        }
        self.has_message = true;
        let written = self.preset.message(&mut self.scratch.line, value, self.limits);
        self.tally.note(written);
    }

    /// Copies the ready fields of a span.
    #[inline]
    fn span(&mut self, fields: &SpanFields) {
        self.rest();
        if P::IS_JSON && self.all_at_once(fields) {
            return;
        }
        self.tally.dropped += u64::from(fields.dropped());
        for (value, chain) in fields.pieces() {
            if self.piece(&value)
                && let Some(chain) = chain
            {
                self.piece(&chain);
            }
        }
    }

    /// Ends the line.
    #[inline]
    fn close(mut self) -> Tally {
        self.rest();
        self.preset.close(&mut self.scratch.line, self.head, self.tally);
        self.tally
    }
}

impl<P: Preset> FieldSink for Line<'_, P> {
    #[inline]
    fn field(&mut self, name: &'static str, raw: Raw<'_>) {
        if name == MESSAGE {
            return self.message(raw);
        }
        if self.head.is_from_log && name.starts_with("log.") {
            return;
        }
        self.rest();
        let key = Key::new(name);
        let is_kept = self.value(key, |out, limits| raw.json(out, limits));
        if is_kept
            && let Raw::Error(error) = raw
            && let Some(first) = foreign::source(error)
        {
            self.value(key.chain(), |out, limits| value::chain(out, first, limits));
        }
    }
}

/// Lets only the message through: for events that do not have it first.
pub(crate) struct MessageOnly<'a, L>(pub(crate) &'a mut L);

impl<L: LineSink> FieldSink for MessageOnly<'_, L> {
    fn field(&mut self, _: &'static str, raw: Raw<'_>) {
        self.0.message(raw);
    }

    fn wants(&self, name: &'static str) -> bool {
        name == MESSAGE
    }
}
