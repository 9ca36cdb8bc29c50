//! One line of a shape while it is put together: message and fields into buffers of their own, then all parts in order.

use std::collections::HashMap;

use throughline_core::SpanId;

use super::{
    DROPPED, Head, SUPPRESSED, TRUNCATED, Tally, json,
    shape::{Part, SLOTS_MAX, Shape, TallyKeys, What},
};
use crate::{
    escape,
    fields::FieldSink,
    foreign::{self, Written},
    key::{FixedKeys, Key, KeySet},
    key_text,
    limits::{Limits, NAME_BYTES_MAX},
    line::{LineSink, MESSAGE},
    scratch::Scratch,
    severity,
    span_fields::{Piece, SpanFields},
    value::{self, Raw},
};

/// A line of a shape.
pub(crate) struct ShapedLine<'a> {
    shape: &'a Shape,
    limits: &'a Limits,
    head: &'a Head<'a>,
    scratch: &'a mut Scratch,
    entry: Option<SpanId>,
    tally: Tally,
    fields: usize,
    /// How many bytes message and fields may take together.
    room: usize,
}

/// What a line of a shape needs beside the line itself.
#[derive(Debug, Default)]
pub(crate) struct ShapedScratch {
    message: Vec<u8>,
    value: Vec<u8>,
    key: Vec<u8>,
    slots: [SlotText; SLOTS_MAX],
    routed: HashMap<FieldOfShape, Routed>,
}

#[derive(Debug, Default)]
struct SlotText {
    text: Vec<u8>,
    keys: KeySet,
}

/// A field by the address of its name, which lives as long as the program, under a shape.
type FieldOfShape = (u32, usize, usize, IsChain);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum IsChain {
    No,
    Yes,
}

/// Where a field goes, and as what.
#[derive(Clone, Copy, Debug)]
struct Routed {
    slot: usize,
    key: Key,
}

/// How many fields' places a thread remembers before it starts anew.
const ROUTED_LEN_MAX: usize = 1024;
/// Buffers beyond this are not kept.
const KEPT_BYTES_MAX: usize = 64 * 1024;

impl ShapedScratch {
    pub(crate) fn shrink(&mut self) {
        for buffer in
            [&mut self.message, &mut self.value].into_iter().chain(self.slots.iter_mut().map(|s| &mut s.text))
        {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
    }
}

impl<'a> ShapedLine<'a> {
    pub(crate) fn open(
        shape: &'a Shape,
        limits: &'a Limits,
        head: &'a Head<'a>,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.line.clear();
        let shaped = &mut scratch.shaped;
        shaped.message.clear();
        if shaped.routed.len() > ROUTED_LEN_MAX {
            shaped.routed.clear();
        }
        for slot in &mut shaped.slots {
            slot.text.clear();
            slot.keys.reset(&FixedKeys::NONE);
        }
        let room = limits.fields_end().saturating_sub(shape.parts_len);
        Self { shape, limits, head, scratch, entry: None, tally: Tally::default(), fields: 0, room }
    }

    fn has_message(&self) -> bool {
        !self.scratch.shaped.message.is_empty()
    }

    /// Writes a field whose value stands in the scratch as JSON. Says whether it is on the line.
    fn place(&mut self, Routed { slot: place, key }: Routed, written: Written) -> bool {
        let shaped = &mut self.scratch.shaped;
        let (Some(slot), Some(rules)) = (shaped.slots.get_mut(place), self.shape.slots.get(place)) else {
            return false;
        };
        if slot.keys.admit(key, &FixedKeys::NONE).is_none() {
            return false;
        }
        shaped.key.clear();
        key.append(&mut shaped.key);
        let start = slot.text.len();
        rules.form.append(&mut slot.text, &shaped.key, &shaped.value);
        let len = slot.text.len() - start;
        if self.fields >= self.limits.fields() || len > self.room {
            slot.text.truncate(start);
            self.tally.dropped += 1;
            return false;
        }
        self.fields += 1;
        self.room -= len;
        self.tally.note(written);
        true
    }

    fn routed(&mut self, name: &'static str, chain: IsChain) -> Routed {
        let field = (self.shape.id, name.as_ptr().addr(), name.len(), chain);
        if let Some(known) = self.scratch.shaped.routed.get(&field) {
            return *known;
        }
        let routed = route(self.shape, name, chain);
        self.scratch.shaped.routed.insert(field, routed);
        routed
    }

    fn value(
        &mut self,
        name: &'static str,
        chain: IsChain,
        write: impl FnOnce(&mut Vec<u8>, &Limits) -> Written,
    ) -> bool {
        let routed = self.routed(name, chain);
        let value = &mut self.scratch.shaped.value;
        value.clear();
        let written = write(value, self.limits);
        self.place(routed, written)
    }

    fn piece(&mut self, piece: &Piece<'_>, name: &'static str, chain: IsChain) -> bool {
        let value = &mut self.scratch.shaped.value;
        value.clear();
        value.extend_from_slice(piece.value());
        let routed = self.routed(name, chain);
        self.place(routed, piece.written)
    }

    /// What is missing on the line, as fields of it, whatever the limits.
    fn write_tally(&mut self) {
        let missing = self.tally;
        let mut counts = vec![(TRUNCATED, missing.truncated), (SUPPRESSED, self.head.suppressed)];
        if self.shape.tally == TallyKeys::Fields {
            counts.push((DROPPED, missing.dropped));
        }
        (self.room, self.fields) = (usize::MAX, 0);
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let value = &mut self.scratch.shaped.value;
            value.clear();
            value.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
            self.place(fixed_route(self.shape, name), Written::Whole);
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text(text) => key_text::append_member(&mut self.scratch.line, text),
                Part::Told { before, what, after } => self.told(before, *what, after),
                Part::Group { before, parts, after } => {
                    let start = self.scratch.line.len();
                    key_text::append_member(&mut self.scratch.line, before);
                    let inside = self.scratch.line.len();
                    self.parts(parts);
                    if self.scratch.line.len() == inside {
                        self.scratch.line.truncate(start);
                    } else {
                        self.scratch.line.extend_from_slice(after);
                    }
                }
                Part::Fields(place) => {
                    let Scratch { line, shaped, .. } = &mut *self.scratch;
                    let text = shaped.slots.get(*place).map(|slot| slot.text.as_slice());
                    key_text::append_member(line, text.unwrap_or_default());
                }
            }
        }
    }

    fn told(&mut self, before: &[u8], what: What, after: &[u8]) {
        let start = self.scratch.line.len();
        key_text::append_member(&mut self.scratch.line, before);
        if self.tell(what).is_some() {
            self.scratch.line.extend_from_slice(after);
        } else {
            self.scratch.line.truncate(start);
        }
    }

    /// Appends a value; `None` where the line has none.
    fn tell(&mut self, what: What) -> Option<()> {
        let head = self.head;
        let Scratch { line, shaped, .. } = &mut *self.scratch;
        let mut digits = itoa::Buffer::new();
        match what {
            What::Time => line.extend_from_slice(&head.time),
            What::UnixNanos => line.extend_from_slice(digits.format(head.unix_nanos).as_bytes()),
            What::Severity(words) => {
                line.extend_from_slice(severity::word(words, head.severity()).as_bytes())
            }
            What::SeverityNumber => {
                line.extend_from_slice(digits.format(head.severity().number()).as_bytes())
            }
            What::Message => line.extend_from_slice(shaped.message.get(1..)?),
            What::Target => escape::quoted(line, foreign::before(head.target, NAME_BYTES_MAX)),
            What::CorrelationId => line.extend_from_slice(head.correlation_id?.as_str().as_bytes()),
            What::TraceId => line.extend_from_slice(&head.span?.trace_id().hex()),
            What::TraceIdLow => {
                let [.., a, b, c, d, e, f, g, h] = head.span?.trace_id().to_bytes();
                let low = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                line.extend_from_slice(digits.format(low).as_bytes());
            }
            What::SpanId => line.extend_from_slice(&head.span?.span_id().hex()),
            What::SpanIdDecimal => {
                let id = u64::from_be_bytes(head.span?.span_id().to_bytes());
                line.extend_from_slice(digits.format(id).as_bytes());
            }
            What::EntrySpanId => line.extend_from_slice(&self.entry?.hex()),
            What::TraceFlags => line.extend_from_slice(&head.span?.flags().hex()),
            What::TraceFlagsNumber => {
                line.extend_from_slice(digits.format(head.span?.flags().byte()).as_bytes());
            }
            What::Sampled => {
                line.extend_from_slice(if head.span?.is_sampled() { b"true" } else { b"false" });
            }
            What::File => escape::quoted(line, foreign::before(head.file?, NAME_BYTES_MAX)),
            What::Line => line.extend_from_slice(digits.format(head.line_number?).as_bytes()),
            What::DroppedFields => {
                let dropped = Some(self.tally.dropped).filter(|dropped| *dropped > 0)?;
                line.extend_from_slice(digits.format(dropped).as_bytes());
            }
        }
        Some(())
    }
}

/// The slot and the key of a field. The chain of an error goes where fields without a place of their own go.
fn route(shape: &Shape, name: &'static str, chain: IsChain) -> Routed {
    let own = shape.routes.iter().find(|(field, ..)| *field == name && chain == IsChain::No);
    let (place, name) = own.map_or((shape.last_slot(), name), |(_, place, key)| (*place, *key));
    let suffix = if chain == IsChain::Yes { ".chain" } else { "" };
    let key = Key::new(shape.spelt(place, &format!("{name}{suffix}")));
    let is_taken = shape.slots.get(place).is_some_and(|slot| slot.fixed.contains(key));
    let key = if is_taken { Key::new(shape.spelt(place, &format!("fields.{name}{suffix}"))) } else { key };
    Routed { slot: place, key }
}

/// The slot and the key of what the layer itself has to say among the fields.
fn fixed_route(shape: &Shape, name: &str) -> Routed {
    let place = shape.last_slot();
    Routed { slot: place, key: Key::new(shape.spelt(place, name)) }
}

impl FieldSink for ShapedLine<'_> {
    fn field(&mut self, name: &'static str, raw: Raw<'_>) {
        if name == MESSAGE {
            return self.message(raw);
        }
        if self.head.is_from_log && name.starts_with("log.") {
            return;
        }
        if self.value(name, IsChain::No, |out, limits| raw.json(out, limits))
            && let Raw::Error(error) = raw
            && let Some(first) = foreign::source(error)
        {
            self.value(name, IsChain::Yes, |out, limits| value::chain(out, first, limits));
        }
    }
}

impl LineSink for ShapedLine<'_> {
    const WANTS_ENTRY: bool = true;

    /// Keeps the message behind one byte that says that there is one.
    fn message(&mut self, value: Raw<'_>) {
        if self.has_message() {
            return;
        }
        let out = &mut self.scratch.shaped.message;
        let written = json::message(out, value, self.limits);
        out.pop();
        self.room = self.room.saturating_sub(out.len());
        self.tally.note(written);
    }

    fn span(&mut self, fields: &SpanFields) {
        self.tally.dropped += u64::from(fields.dropped());
        for (value, chain) in fields.pieces() {
            let Some(name) = value.key.plain_name() else { continue };
            if self.piece(&value, name, IsChain::No)
                && let Some(chain) = chain
            {
                self.piece(&chain, name, IsChain::Yes);
            }
        }
    }

    fn entry(&mut self, id: SpanId) {
        self.entry = Some(id);
    }

    fn close(mut self) -> Tally {
        self.write_tally();
        self.scratch.line.push(b'{');
        let shape = self.shape;
        self.parts(&shape.parts);
        self.scratch.line.extend_from_slice(b"}\n");
        self.scratch.shaped.shrink();
        self.tally
    }
}
