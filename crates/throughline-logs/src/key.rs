//! The keys of one line, each of them once.

use crate::escape;

/// The key of a field: its name, and what keeps it apart from other keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    name: &'static str,
    is_renamed: bool,
    is_chain: bool,
    tag: Tag,
}

/// Before the name of a field that is named like a fixed key.
const RENAMED: &str = "fields.";
/// After the name of an error, for its causes.
const CHAIN: &str = ".chain";

impl Key {
    #[inline]
    pub(crate) const fn new(name: &'static str) -> Self {
        let tag = match name.as_bytes() {
            [] => Tag::new(0, 0, 0),
            [only] => Tag::new(1, *only, *only),
            [first, .., last] => Tag::new(name.len(), *first, *last),
        };
        Self { name, is_renamed: false, is_chain: false, tag }
    }

    /// The key of the causes of the error under this key.
    pub(crate) fn chain(self) -> Self {
        Self { is_chain: true, ..self }.tagged()
    }

    /// The key of a field that is named like a fixed key.
    fn renamed(self) -> Self {
        Self { is_renamed: true, ..self }.tagged()
    }

    /// The name, where the key is nothing else.
    #[inline]
    pub(crate) const fn plain_name(self) -> Option<&'static str> {
        if self.is_renamed || self.is_chain { None } else { Some(self.name) }
    }

    #[inline]
    pub(crate) const fn is_renamed(self) -> bool {
        self.is_renamed
    }

    #[inline]
    pub(crate) fn append(self, out: &mut Vec<u8>) {
        if self.is_renamed {
            out.extend_from_slice(RENAMED.as_bytes());
        }
        escape::quoted(out, self.name);
        if self.is_chain {
            out.extend_from_slice(CHAIN.as_bytes());
        }
    }

    pub(crate) fn is(self, other: Self) -> bool {
        self.tag == other.tag && self.len() == other.len() && self.bytes().eq(other.bytes())
    }

    fn tagged(self) -> Self {
        let ends = (self.bytes().next().unwrap_or_default(), self.bytes().next_back().unwrap_or_default());
        Self { tag: Tag::new(self.len(), ends.0, ends.1), ..self }
    }

    const fn prefix(self) -> &'static str {
        if self.is_renamed { RENAMED } else { "" }
    }

    const fn suffix(self) -> &'static str {
        if self.is_chain { CHAIN } else { "" }
    }

    const fn len(self) -> usize {
        self.prefix().len() + self.name.len() + self.suffix().len()
    }

    fn bytes(self) -> impl DoubleEndedIterator<Item = u8> {
        self.prefix().bytes().chain(self.name.bytes()).chain(self.suffix().bytes())
    }
}

/// Length, first and last byte of a key: the same for the same keys, and seldom for different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag(u32);

impl Tag {
    #[inline]
    const fn new(len: usize, first: u8, last: u8) -> Self {
        Self((len as u32) << 16 | (first as u32) << 8 | last as u32)
    }

    #[inline]
    const fn hash(self) -> u8 {
        (self.0.wrapping_mul(0x9e37_79b1) >> 24) as u8 // 2³² divided by the golden ratio
    }
}

/// The keys that a preset writes itself, which no field can take.
#[derive(Clone, Debug)]
pub(crate) struct FixedKeys {
    seen: Seen,
    keys: Vec<Key>,
}

impl FixedKeys {
    pub(crate) fn new(names: &[&'static str]) -> Self {
        let keys: Vec<_> = names.iter().map(|name| Key::new(name)).collect();
        let mut seen = Seen::default();
        for key in &keys {
            seen.insert(key.tag.hash());
        }
        Self { seen, keys }
    }

    /// No keys at all.
    pub(crate) const NONE: Self = Self { seen: Seen([0; 4]), keys: Vec::new() };

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.keys.iter().any(|other| other.is(key))
    }
}

/// The keys that stand on a line so far.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    seen: Seen,
    keys: Vec<Key>,
}

impl KeySet {
    /// Starts a line that has only the fixed keys.
    #[inline]
    pub(crate) fn reset(&mut self, fixed: &FixedKeys) {
        self.seen = fixed.seen;
        self.keys.clear();
    }

    /// How many fields stand on the line.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key under which a field can be written, or `None` if it stands on the line already.
    #[inline]
    pub(crate) fn admit(&mut self, key: Key, fixed: &FixedKeys) -> Option<Key> {
        if self.seen.insert(key.tag.hash()) {
            self.keys.push(key);
            return Some(key);
        }
        self.admit_similar(key, fixed)
    }

    /// Admits all of `keys`, or none of them if one might be on the line already or be named like a fixed key.
    #[inline]
    pub(crate) fn admit_all(&mut self, keys: impl Iterator<Item = Key>) -> bool {
        let before = self.keys.len();
        for key in keys {
            if !self.seen.insert(key.tag.hash()) {
                // What was marked stays marked: a mark without a key only leads the slow way.
                self.keys.truncate(before);
                return false;
            }
            self.keys.push(key);
        }
        true
    }

    /// The slow way: there is a key like this one, or even this one.
    fn admit_similar(&mut self, key: Key, fixed: &FixedKeys) -> Option<Key> {
        let key = if fixed.contains(key) { key.renamed() } else { key };
        self.seen.insert(key.tag.hash());
        if self.keys.iter().any(|other| other.is(key)) {
            return None;
        }
        self.keys.push(key);
        Some(key)
    }
}

/// One bit for each hash.
#[derive(Clone, Copy, Debug, Default)]
struct Seen([u64; 4]);

impl Seen {
    /// Whether `hash` was new.
    #[inline]
    fn insert(&mut self, hash: u8) -> bool {
        let Some(word) = self.0.get_mut(usize::from(hash >> 6)) else {
            return false;
        };
        let bit = 1 << (hash & 63);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: Key) -> String {
        let mut out = Vec::new();
        key.append(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_key_is_admitted_once() {
        let fixed = FixedKeys::new(&["level", "target"]);
        let mut keys = KeySet::default();
        keys.reset(&fixed);
        let mut admit = |key: Key| keys.admit(key, &fixed).map(shown);
        assert_eq!(admit(Key::new("order")).as_deref(), Some("order"));
        assert_eq!(admit(Key::new("order")), None);
        // The same length, first and last byte.
        assert_eq!(admit(Key::new("other")).as_deref(), Some("other"));
        assert_eq!(admit(Key::new("oooor")).as_deref(), Some("oooor"));
        assert_eq!(admit(Key::new("ooooo")).as_deref(), Some("ooooo"));
        assert_eq!(admit(Key::new("level")).as_deref(), Some("fields.level"));
        assert_eq!(admit(Key::new("level")), None);
        assert_eq!(admit(Key::new("fields.level")), None);
        assert_eq!(admit(Key::new("fields.target")).as_deref(), Some("fields.target"));
        assert_eq!(admit(Key::new("target")), None);
        assert_eq!(admit(Key::new("error").chain()).as_deref(), Some("error.chain"));
        assert_eq!(admit(Key::new("error.chain")), None);
        assert_eq!(admit(Key::new("")).as_deref(), Some(""));
    }

    #[test]
    fn a_set_is_used_again() {
        let fixed = FixedKeys::new(&[]);
        let mut keys = KeySet::default();
        for _ in 0..2 {
            keys.reset(&fixed);
            assert!(keys.admit(Key::new("a"), &fixed).is_some());
            assert_eq!(keys.len(), 1);
        }
    }
}
