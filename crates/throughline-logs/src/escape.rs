//! Text that can stand in a JSON string, or on a terminal, without breaking out of it.

/// Appends `text` escaped for the inside of a JSON string.
///
/// Beyond what JSON asks for, DEL and the C1 control characters are escaped too, so that a line can be shown on a
/// terminal without steering it.
pub(crate) fn quoted(out: &mut Vec<u8>, text: &str) {
    append::<true>(out, text);
}

/// Appends `text` without its control characters, for people: quotes and backslashes stay as they are.
pub(crate) fn bare(out: &mut Vec<u8>, text: &str) {
    append::<false>(out, text);
}

fn append<const QUOTED: bool>(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, tail) = rest.split_at(plain_len::<QUOTED>(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = tail.split_first() else {
            return;
        };
        rest = escape(out, byte, after);
    }
}

/// How many bytes at the start of `bytes` need no escape.
#[inline]
fn plain_len<const QUOTED: bool>(bytes: &[u8]) -> usize {
    if is_plain::<QUOTED>(bytes) {
        return bytes.len();
    }
    let (blocks, rest) = bytes.as_chunks::<8>();
    for (place, block) in blocks.iter().enumerate() {
        if let Some(within) = first_special::<QUOTED>(*block) {
            return place * 8 + within;
        }
    }
    let special = rest.iter().position(|&byte| is_special::<QUOTED>(byte));
    special.map_or(bytes.len(), |within| bytes.len() - rest.len() + within)
}

/// Whether all bytes are ASCII and none needs an escape, as in nearly every text.
///
/// They are judged eight at a time; where that doesn't come out even, the last eight overlap those before.
#[inline]
fn is_plain<const QUOTED: bool>(bytes: &[u8]) -> bool {
    let is_plain = |block: &[u8; 8]| is_plain_block::<QUOTED>(*block);
    if let Some(last) = bytes.last_chunk() {
        return bytes.as_chunks().0.iter().all(is_plain) && is_plain(last);
    }
    match *bytes {
        [] => true,
        [a] => is_plain(&[a; 8]),
        [a, b] => is_plain(&[a, b, a, b, a, b, a, b]),
        [a, b, c] => is_plain(&[a, b, c, a, b, c, a, b]),
        [a, b, c, d, ..] => {
            let [e, f, g, h] = bytes.last_chunk().copied().unwrap_or([a, b, c, d]);
            is_plain(&[a, b, c, d, e, f, g, h])
        }
    }
}

/// Whether eight bytes are ASCII and need no escape. Each sum has the highest bit of a byte set, or in the case of DEL
/// clear, where the byte is plain; a byte beyond ASCII, which would carry into the next, has that bit itself.
#[inline]
const fn is_plain_block<const QUOTED: bool>(block: [u8; 8]) -> bool {
    let word = u64::from_le_bytes(block);
    let mut plain = word.wrapping_add(ONES * (0x80 - 0x20));
    if QUOTED {
        plain &= (word ^ (ONES * b'"' as u64)).wrapping_add(ONES * 0x7f);
        plain &= (word ^ (ONES * b'\\' as u64)).wrapping_add(ONES * 0x7f);
    }
    let is_del_or_beyond = word.wrapping_add(ONES) | word;
    (is_del_or_beyond | !plain) & HIGHS == 0
}

/// The first byte of the two that a C1 control character has in UTF-8, and those of the rest of Latin-1.
const LATIN_1_LEAD: u8 = 0xc2;

#[inline]
const fn is_special<const QUOTED: bool>(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || byte == LATIN_1_LEAD || (QUOTED && (byte == b'"' || byte == b'\\'))
}

/// Where the first byte stands that may need an escape.
///
/// All eight are judged at once. Each test marks the highest bit of the bytes that it finds; a borrow can mark a byte
/// wrongly only above one that is marked rightly, so the lowest mark is always true.
#[inline]
const fn first_special<const QUOTED: bool>(block: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(block);
    let mut marks = below(word, 0x20) | equal(word, 0x7f) | equal(word, LATIN_1_LEAD);
    if QUOTED {
        marks |= equal(word, b'"') | equal(word, b'\\');
    }
    if marks == 0 { None } else { Some(marks.trailing_zeros() as usize / 8) }
}

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);

/// Marks the bytes of `word` that are below `limit`, which is at most 0x80.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGHS
}

const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * byte as u64), 1)
}

/// Appends the character that begins with the special byte `byte`; returns what follows it.
#[cold]
fn escape<'a>(out: &mut Vec<u8>, byte: u8, after: &'a [u8]) -> &'a [u8] {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        LATIN_1_LEAD => {
            if let Some((&control @ 0x80..=0x9f, after)) = after.split_first() {
                unicode(out, control);
                return after;
            }
            out.push(byte);
        }
        control => unicode(out, control),
    }
    after
}

fn unicode(out: &mut Vec<u8>, character: u8) {
    out.extend_from_slice(b"\\u00");
    hex(out, character);
}

/// Appends two lower-case hexadecimal digits.
pub(crate) fn hex(out: &mut Vec<u8>, byte: u8) {
    let digit = |nibble: u8| {
        if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
    };
    out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(append: fn(&mut Vec<u8>, &str), text: &str) -> String {
        let mut out = Vec::new();
        append(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn special_characters_are_escaped_and_the_others_stay() {
        for (text, in_json, for_people) in [
            ("", "", ""),
            ("plain", "plain", "plain"),
            ("a \"b\" \\c", "a \\\"b\\\" \\\\c", "a \"b\" \\c"),
            ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree", "one\\ntwo\\r\\tthree"),
            ("\0\u{1b}[31m\u{7f}", "\\u0000\\u001b[31m\\u007f", "\\u0000\\u001b[31m\\u007f"),
            ("\u{80}\u{9b}\u{a0}°é", "\\u0080\\u009b\u{a0}°é", "\\u0080\\u009b\u{a0}°é"),
            ("\u{2028}日本🦀", "\u{2028}日本🦀", "\u{2028}日本🦀"),
            ("exactly sixteen!\n", "exactly sixteen!\\n", "exactly sixteen!\\n"),
        ] {
            assert_eq!(of(quoted, text), in_json);
            assert_eq!(of(bare, text), for_people);
        }
    }

    #[test]
    fn a_special_character_is_found_at_every_place() {
        for place in 0..40 {
            let text = format!("{}\"{}", "x".repeat(place), "y".repeat(40 - place));
            assert_eq!(of(quoted, &text), text.replace('"', "\\\""), "{place}");
        }
    }

    #[test]
    fn every_byte_is_judged_the_same_in_a_word_and_alone() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                for around in [b' ', b'x', 0x80, 0xff, 0x21] {
                    let mut block = [around; 8];
                    block[place] = byte;
                    let is_ascii = block.is_ascii();
                    assert_eq!(
                        is_plain_block::<true>(block),
                        is_ascii && !block.iter().any(|byte| is_special::<true>(*byte)),
                        "{byte:#x}"
                    );
                    assert_eq!(
                        is_plain_block::<false>(block),
                        is_ascii && !block.iter().any(|byte| is_special::<false>(*byte)),
                        "{byte:#x}"
                    );
                    assert_eq!(
                        first_special::<true>(block),
                        is_special::<true>(byte).then_some(place),
                        "{byte:#x}"
                    );
                    assert_eq!(
                        first_special::<false>(block),
                        is_special::<false>(byte).then_some(place),
                        "{byte:#x}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_json_parser_gives_the_text_back(text in "\\PC*|(?s:.)*") {
            let json = format!("\"{}\"", of(quoted, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            prop_assert!(!json.chars().any(char::is_control));
        }
    }
}
