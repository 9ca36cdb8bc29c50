//! Presets as tables: which parts a line has, in which order, and where fields go.
//!
//! Two presets are written by hand for speed, plain and otel. All others, and those two with other names or more parts,
//! are put together from a [`Shape`].

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{DROPPED, SUPPRESSED, TRUNCATED};
use crate::{
    escape,
    key::FixedKeys,
    key_names::{KeyNames, kept},
    severity::Words,
    value_form::Form,
};

/// Everything about the lines of one layer, worked out before the first of them.
pub(crate) struct Shape {
    /// Tells the shapes of a process apart.
    pub(super) id: u32,
    pub(super) parts: Vec<Part>,
    pub(super) slots: Vec<Slot>,
    /// Where fields go by their name; all others go to the last slot.
    pub(super) routes: &'static [Route],
    pub(super) names: KeyNames,
    /// What the parts take on a line at most, beside the message and the fields.
    pub(super) parts_len: usize,
    pub(super) tally: TallyKeys,
}

/// A field that has a place and a name of its own: its name, its slot, its key.
pub(crate) type Route = (&'static str, usize, &'static str);

/// How many slots a shape can have.
pub(crate) const SLOTS_MAX: usize = 3;

/// What a part of a line is.
pub(crate) enum Part {
    /// The same on every line.
    Text(Vec<u8>),
    /// What the line tells: between `before` and `after`, or nothing where there is no value.
    Told { before: Vec<u8>, what: What, after: &'static [u8] },
    /// An object or an array, left out where it would be empty.
    Group { before: Vec<u8>, parts: Vec<Self>, after: &'static [u8] },
    /// The fields of a slot.
    Fields(usize),
}

/// What can be told of every line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Time,
    UnixNanos,
    Severity(&'static Words),
    SeverityNumber,
    Message,
    Target,
    CorrelationId,
    TraceId,
    /// The lower half of a trace id, in decimal digits.
    TraceIdLow,
    SpanId,
    SpanIdDecimal,
    /// The id of the outermost span of this process.
    EntrySpanId,
    TraceFlags,
    TraceFlagsNumber,
    Sampled,
    File,
    Line,
    DroppedFields,
}

/// Where fields go: the form that they have there, and the keys that are taken.
pub(crate) struct Slot {
    pub(super) form: Form,
    pub(super) fixed: FixedKeys,
    pub(super) keys: KeyStyle,
}

/// How the keys of a slot are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStyle {
    /// As the layer's settings say.
    Usual,
    /// Without the characters that ECS replaces in the keys of its labels.
    Label,
}

impl KeyStyle {
    fn spelt(self, key: &str) -> &'static str {
        match self {
            Self::Usual => kept(key),
            Self::Label => kept(&key.replace(['.', '*', '\\'], "_")),
        }
    }
}

/// Whether the line says itself how many fields were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TallyKeys {
    Fields,
    /// The shape has a part for it.
    Part,
}

/// The longest target after escaping, ids, digits and names of a line: what parts take beside their own text.
const TOLD_BYTES_MAX: usize = 2 * 1024;

impl Shape {
    /// A shape whose fields go into slots of these forms.
    pub(super) fn new(
        names: &KeyNames,
        routes: &'static [Route],
        slots: &[(Form, KeyStyle)],
        parts: impl FnOnce(&mut Members<'_>),
    ) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut taken = vec![Vec::new(); slots.len()];
        let parts = Members::collect(names, Form::Json, &mut taken, parts);
        if let (Some(taken), Some((_, style))) = (taken.last_mut(), slots.last()) {
            taken.extend([TRUNCATED, DROPPED, SUPPRESSED].map(|key| style.spelt(&names.of(key))));
        }
        let slots = slots.iter().zip(taken);
        let slots = slots
            .map(|((form, keys), taken)| Slot { form: *form, fixed: FixedKeys::new(&taken), keys: *keys })
            .collect();
        Self {
            id: NEXT.fetch_add(1, Relaxed),
            parts_len: parts.iter().map(Part::len).sum::<usize>() + TOLD_BYTES_MAX,
            parts,
            slots,
            routes,
            names: names.clone(),
            tally: TallyKeys::Fields,
        }
    }
}

impl Shape {
    /// Where fields go that have no place of their own.
    pub(super) const fn last_slot(&self) -> usize {
        self.slots.len().saturating_sub(1)
    }

    /// How a key is spelt in a slot.
    pub(super) fn spelt(&self, slot: usize, key: &str) -> &'static str {
        let style = self.slots.get(slot).map_or(KeyStyle::Usual, |slot| slot.keys);
        style.spelt(&self.names.of(key))
    }

    /// Lets a part of the line say how many fields were left out, in place of a field.
    pub(super) fn tally_in_part(mut self) -> Self {
        self.tally = TallyKeys::Part;
        self
    }

    /// Gives fields these names, and leaves the other keys alone.
    pub(super) fn field_names(mut self, names: &KeyNames) -> Self {
        self.names = names.clone();
        self
    }
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Told { before, after, .. } => before.len() + after.len(),
            Self::Group { before, parts, after } => {
                before.len() + after.len() + parts.iter().map(Self::len).sum::<usize>()
            }
            Self::Fields(_) => 0,
        }
    }
}

/// The members of one object, or the elements of one array, in their order.
pub(crate) struct Members<'a> {
    names: &'a KeyNames,
    form: Form,
    parts: Vec<Part>,
    keys: Vec<&'static str>,
    /// The slots whose fields are members, too.
    slots: Vec<usize>,
    /// The keys that no field of a slot can have.
    taken: &'a mut Vec<Vec<&'static str>>,
}

impl<'a> Members<'a> {
    fn collect(
        names: &'a KeyNames,
        form: Form,
        taken: &'a mut Vec<Vec<&'static str>>,
        write: impl FnOnce(&mut Members<'_>),
    ) -> Vec<Part> {
        let mut members =
            Members { names, form, parts: Vec::new(), keys: Vec::new(), slots: Vec::new(), taken };
        write(&mut members);
        for slot in members.slots {
            if let Some(taken) = members.taken.get_mut(slot) {
                taken.clone_from(&members.keys);
            }
        }
        members.parts
    }
}

impl Members<'_> {
    /// A string.
    pub(super) fn string(&mut self, key: &str, what: What) -> &mut Self {
        self.told(key, b"\"", what, b"\"")
    }

    /// A number or a truth value.
    pub(super) fn bare(&mut self, key: &str, what: What) -> &mut Self {
        self.told(key, b"", what, b"")
    }

    /// An integer among OTLP's attributes, where it is a string of digits.
    pub(super) fn integer(&mut self, key: &str, what: What) -> &mut Self {
        let mut before = self.opened(key, b"intValue");
        before.push(b'"');
        self.parts.push(Part::Told { before, what, after: self.closed(b"\"") });
        self
    }

    /// A string with something before its value.
    pub(super) fn prefixed(&mut self, key: &str, prefix: &str, what: What) -> &mut Self {
        let mut before = vec![b'"'];
        escape::quoted(&mut before, prefix);
        self.told(key, &before, what, b"\"")
    }

    /// A string that is the same on every line.
    pub(super) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        let mut text = self.opened(key, b"stringValue");
        text.push(b'"');
        escape::quoted(&mut text, value);
        text.extend_from_slice(self.closed(b"\""));
        self.parts.push(Part::Text(text));
        self
    }

    /// The same, where there is a value.
    pub(super) fn optional(&mut self, key: &str, value: Option<&String>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    /// An object.
    pub(super) fn object(&mut self, key: &str, members: impl FnOnce(&mut Members<'_>)) -> &mut Self {
        self.group(key, b"{", Form::Json, members, b"}")
    }

    /// An array with one object in it.
    pub(super) fn array_of_one(&mut self, key: &str, members: impl FnOnce(&mut Members<'_>)) -> &mut Self {
        self.group(key, b"[{", Form::Json, members, b"}]")
    }

    /// OTLP's attributes.
    pub(super) fn attributes(&mut self, key: &str, members: impl FnOnce(&mut Members<'_>)) -> &mut Self {
        self.group(key, b"[", Form::KeyValue, members, b"]")
    }

    /// Keeps a key free that has a meaning in the schema, even if nothing is written under it.
    pub(super) fn reserved(&mut self, key: &'static str) -> &mut Self {
        self.keys.push(key);
        self
    }

    /// The fields of this slot; no key of the other members can be theirs.
    pub(super) fn fields(&mut self, slot: usize) -> &mut Self {
        self.slots.push(slot);
        self.parts.push(Part::Fields(slot));
        self
    }

    fn group(
        &mut self,
        key: &str,
        open: &[u8],
        form: Form,
        members: impl FnOnce(&mut Members<'_>),
        after: &'static [u8],
    ) -> &mut Self {
        let mut before = self.opened(key, b"");
        before.extend_from_slice(open);
        let parts = Members::collect(self.names, form, self.taken, members);
        self.parts.push(Part::Group { before, parts, after });
        self
    }

    fn told(&mut self, key: &str, before: &[u8], what: What, after: &'static [u8]) -> &mut Self {
        let mut text = self.opened(key, b"stringValue");
        text.extend_from_slice(before);
        self.parts.push(Part::Told { before: text, what, after: self.closed(after) });
        self
    }

    /// Whether a value is in quotes or not, OTLP's attributes end in two braces more.
    const fn closed(&self, after: &'static [u8]) -> &'static [u8] {
        match (self.form, after) {
            (Form::KeyValue, b"\"") => b"\"}}",
            (Form::KeyValue, _) => b"}}",
            _ => after,
        }
    }

    /// Everything up to the value, which is of this kind among OTLP's attributes.
    fn opened(&mut self, key: &str, kind: &[u8]) -> Vec<u8> {
        let key = self.key(key);
        let mut text = Vec::new();
        if self.form == Form::KeyValue {
            text.extend_from_slice(b",{\"key\":\"");
            escape::quoted(&mut text, key);
            text.extend_from_slice(b"\",\"value\":{\"");
            text.extend_from_slice(kind);
        } else {
            text.extend_from_slice(b",\"");
            escape::quoted(&mut text, key);
        }
        text.extend_from_slice(b"\":");
        text
    }

    /// The key as it is spelt here. Where another member has that name already, the key keeps its usual one; where that
    /// is taken, too, underscores follow it.
    fn key(&mut self, key: &str) -> &'static str {
        let mut name = self.names.of(key);
        if self.keys.contains(&name.as_str()) {
            key.clone_into(&mut name);
        }
        while self.keys.contains(&name.as_str()) {
            name.push('_');
        }
        let name = kept(&name);
        self.keys.push(name);
        name
    }
}
