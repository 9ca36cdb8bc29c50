//! The keys of an application as JSON, remembered.
//!
//! Field names live as long as the program and are few: what a key looks like is worked out once a thread, and found
//! again by the address of its name.

use crate::key::Key;

/// How many keys a thread remembers; of two that want the same place, the later one gets it.
const PLACES_LOG2: u32 = 7;
/// A longer key is not worth its memory.
const NAME_LEN_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct KeyTexts {
    places: Vec<Place>,
    /// For keys that are not remembered.
    other: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    name: &'static str,
    text: Vec<u8>,
}

impl Default for KeyTexts {
    fn default() -> Self {
        Self { places: vec![Place::default(); 1 << PLACES_LOG2], other: Vec::new() }
    }
}

impl KeyTexts {
    /// `,"key":`
    #[inline]
    pub(crate) fn get(&mut self, key: Key) -> &[u8] {
        let Some(name) = key.plain_name().filter(|name| name.len() <= NAME_LEN_MAX) else {
            write(&mut self.other, key);
            return &self.other;
        };
        let Some(place) = self.places.get_mut(place_of(name)) else { return &[] };
        // The same address and length are the same text: it lives, unchanged, as long as the program.
        if !std::ptr::eq(place.name, name) || place.text.is_empty() {
            place.name = name;
            write(&mut place.text, key);
        }
        &place.text
    }
}

#[inline]
fn place_of(name: &'static str) -> usize {
    // 2⁶⁴ divided by the golden ratio: neighbours in memory end up far from each other.
    let spread = (name.as_ptr().addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (u64::BITS - PLACES_LOG2)) as usize
}

fn write(text: &mut Vec<u8>, key: Key) {
    text.clear();
    append_key(text, key);
}

/// Appends a member of an object or an array, without the comma where it is the first.
#[inline]
pub(crate) fn append_member(out: &mut Vec<u8>, member: &[u8]) {
    let is_first = matches!(out.last(), Some(b'{' | b'['));
    out.extend_from_slice(member.get(usize::from(is_first)..).unwrap_or_default());
}

/// Appends `,"key":`.
pub(crate) fn append_key(out: &mut Vec<u8>, key: Key) {
    out.extend_from_slice(b",\"");
    key.append(out);
    out.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_share_a_place_do_not_mix() {
        let mut texts = KeyTexts::default();
        // All beginnings and endings of one text: many share an address or a place.
        let all: &'static str =
            "abcdefghijklmnopqrstuvwxyz0123456789\"abcdefghijklmnopqrstuvwxyz0123456789abcdefgh";
        for _ in 0..2 {
            for start in 0..all.len() {
                for end in start..all.len() {
                    let name = &all[start..end];
                    let expected = format!(",\"{}\":", name.replace('"', "\\\""));
                    assert_eq!(str::from_utf8(texts.get(Key::new(name))).unwrap(), expected);
                    let chain = Key::new(name).chain();
                    assert!(texts.get(chain).ends_with(b".chain\":"));
                }
            }
        }
    }
}
