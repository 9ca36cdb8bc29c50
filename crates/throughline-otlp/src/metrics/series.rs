//! The series that a thread has recorded before, found again without the SDK's look-up.
//!
//! The SDK hashes and compares all attributes, which have to be put into owned pairs first, for each measurement: five
//! times the cost of what it then records. A hop's series are few, so each thread keeps its own, bound to their instrument.

use std::cell::RefCell;

use throughline_core::{Metric, Value};

use super::recorder::Bound;

/// A metric of one recorder with one set of attributes.
#[derive(Clone, Copy)]
pub(super) struct Series<'a> {
    pub(super) recorder: u64,
    pub(super) metric: Metric,
    pub(super) attributes: &'a [(&'static str, Value<'a>)],
}

/// How many series a thread keeps; of two that want the same place, the later one gets it.
const PLACES_LOG2: u32 = 7;
/// Attributes with more text than this are not worth their memory.
const TEXT_LEN_MAX: usize = 512;

thread_local! {
    static KEPT: RefCell<Vec<Option<Kept>>> = const { RefCell::new(Vec::new()) };
}

/// Records `value` for `series`, which `bind` binds to its instrument where this thread has not kept it. Returns false,
/// and records nothing, where the series is not for keeping.
pub(super) fn record(series: &Series<'_>, value: f64, bind: impl FnOnce() -> Bound) -> bool {
    let Some(place) = series.place() else { return false };
    let recorded = KEPT.try_with(|kept| {
        let mut places = kept.try_borrow_mut().ok()?;
        if places.is_empty() {
            places.resize_with(1 << PLACES_LOG2, || None);
        }
        let place = places.get_mut(place)?;
        let kept = match place {
            Some(kept) if kept.is(series) => kept,
            _ => place.insert(Kept::new(series, bind())?),
        };
        kept.bound.record(value);
        Some(())
    });
    recorded.ok().flatten().is_some()
}

impl Series<'_> {
    /// Where the series is kept; `None` for one with a value that is not kept.
    fn place(&self) -> Option<usize> {
        let mut hash = Hash(self.recorder);
        hash.word(self.metric as u64);
        let mut text_len = 0;
        for (key, value) in self.attributes {
            // The same key has the same length; what tells series apart are the values.
            hash.word(key.len() as u64);
            match value {
                Value::Bool(value) => hash.word(u64::from(*value)),
                Value::I64(value) => hash.word(value.cast_unsigned()),
                Value::Str(text) => {
                    hash.text(text.as_bytes());
                    text_len += text.len();
                }
                _ => return None,
            }
        }
        (text_len <= TEXT_LEN_MAX).then(|| hash.place())
    }
}

/// A series with its instrument.
struct Kept {
    recorder: u64,
    metric: Metric,
    attributes: Box<[(&'static str, KeptValue)]>,
    bound: Bound,
}

enum KeptValue {
    Bool(bool),
    I64(i64),
    Str(Box<str>),
}

impl Kept {
    fn new(series: &Series<'_>, bound: Bound) -> Option<Self> {
        let own = |(key, value): &(&'static str, Value<'_>)| {
            let value = match value {
                Value::Bool(value) => KeptValue::Bool(*value),
                Value::I64(value) => KeptValue::I64(*value),
                Value::Str(text) => KeptValue::Str((*text).into()),
                _ => return None,
            };
            Some((*key, value))
        };
        let attributes = series.attributes.iter().map(own).collect::<Option<_>>()?;
        Some(Self { recorder: series.recorder, metric: series.metric, attributes, bound })
    }

    fn is(&self, series: &Series<'_>) -> bool {
        self.recorder == series.recorder
            && self.metric == series.metric
            && self.attributes.len() == series.attributes.len()
            && self
                .attributes
                .iter()
                .zip(series.attributes)
                .all(|((key, value), (other_key, other))| key == other_key && value.is(other))
    }
}

impl KeptValue {
    fn is(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Bool(value), Value::Bool(other)) => value == other,
            (Self::I64(value), Value::I64(other)) => value == other,
            (Self::Str(text), Value::Str(other)) => **text == **other,
            _ => false,
        }
    }
}

/// Enough to spread a handful of series; whoever makes two meet only makes them slower.
struct Hash(u64);

impl Hash {
    fn word(&mut self, word: u64) {
        // 2⁶⁴ divided by the golden ratio.
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn text(&mut self, text: &[u8]) {
        let (words, rest) = text.as_chunks::<8>();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        let rest = rest.iter().fold(text.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
        self.word(rest);
    }

    const fn place(self) -> usize {
        (self.0 >> (u64::BITS - PLACES_LOG2)) as usize
    }
}
