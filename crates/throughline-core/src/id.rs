//! Trace id, span id and trace flags.

use std::fmt;

/// The id of a trace: sixteen bytes, never all zero.
///
/// Shown, and written on the wire, as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// The id of a span: eight bytes, never all zero.
///
/// Shown, and written on the wire, as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

/// The flags of a trace that W3C Trace Context Level 2 knows: *sampled* and *random trace id*.
///
/// Other bits are dropped when a byte is read, so they are never passed on.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TraceFlags(u8);

impl TraceId {
    /// The id with these bytes; `None` if all of them are zero.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// Reads exactly 32 lower-case hexadecimal digits, not all of them zero.
    #[must_use]
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        decode(digits).and_then(Self::from_bytes)
    }

    /// The bytes, most significant first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The id as lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> [u8; 32] {
        encode(&self.0)
    }
}

impl SpanId {
    /// The id with these bytes; `None` if all of them are zero.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// Reads exactly 16 lower-case hexadecimal digits, not all of them zero.
    #[must_use]
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        decode(digits).and_then(Self::from_bytes)
    }

    /// The bytes, most significant first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// The id as lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> [u8; 16] {
        encode(&self.0)
    }
}

impl TraceFlags {
    /// No flag set.
    pub const NONE: Self = Self(0);
    /// The caller records this trace.
    pub const SAMPLED: Self = Self(0b01);
    /// The right-most seven bytes of the trace id are uniformly random.
    pub const RANDOM: Self = Self(0b10);

    const KNOWN: u8 = Self::SAMPLED.0 | Self::RANDOM.0;

    /// The known flags of `byte`.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte & Self::KNOWN)
    }

    /// Reads exactly two lower-case hexadecimal digits and keeps the known flags.
    #[must_use]
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        decode(digits).map(|[byte]| Self::from_byte(byte))
    }

    /// The flags as one byte, unknown bits zero.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// The flags as two lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> [u8; 2] {
        encode(&[self.0])
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED.0 != 0
    }

    /// Whether the trace id is random.
    #[must_use]
    pub const fn is_random(self) -> bool {
        self.0 & Self::RANDOM.0 != 0
    }

    /// These flags, with *sampled* set or cleared.
    #[must_use]
    pub const fn with_sampled(self, sampled: bool) -> Self {
        self.with(Self::SAMPLED, sampled)
    }

    /// These flags, with *random* set or cleared.
    #[must_use]
    pub const fn with_random(self, random: bool) -> Self {
        self.with(Self::RANDOM, random)
    }

    const fn with(self, flag: Self, set: bool) -> Self {
        if set { Self(self.0 | flag.0) } else { Self(self.0 & !flag.0) }
    }
}

/// Exactly `2 * N` lower-case hexadecimal digits as `N` bytes.
pub(crate) fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let (eights, rest) = digits.as_chunks::<8>();
    let mut bytes = [0; N];
    let (fours, last) = bytes.as_chunks_mut::<4>();
    for (four, eight) in fours.iter_mut().zip(eights) {
        *four = decode_word(u64::from_le_bytes(*eight))?;
    }
    for (byte, pair) in last.iter_mut().zip(rest.as_chunks::<2>().0) {
        let [high, low] = pair.map(nibble);
        *byte = high? << 4 | low?;
    }
    Some(bytes)
}

/// `N` bytes as `M` lower-case hexadecimal digits.
pub(crate) fn encode<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    const { assert!(M == 2 * N) };
    let mut digits = [0; M];
    let (fours, rest) = bytes.as_chunks::<4>();
    let (eights, last) = digits.as_chunks_mut::<8>();
    for (eight, four) in eights.iter_mut().zip(fours) {
        *eight = encode_word(u32::from_le_bytes(*four)).to_le_bytes();
    }
    for (pair, byte) in last.as_chunks_mut::<2>().0.iter_mut().zip(rest) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
    digits
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// The same number in each byte of a word.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Marks the highest bit of the bytes of `word` that are at least `least`. No byte may be above 0x7f: then none of the
/// sums goes over into the next byte.
const fn at_least(word: u64, least: u8) -> u64 {
    word + each(0x80 - least)
}

/// Eight digits, all at once.
fn decode_word(digits: u64) -> Option<[u8; 4]> {
    if digits & each(0x80) != 0 {
        return None;
    }
    let number = at_least(digits, b'0') & !at_least(digits, b'9' + 1);
    let letter = at_least(digits, b'a') & !at_least(digits, b'f' + 1);
    if (number | letter) & each(0x80) != each(0x80) {
        return None;
    }
    let nibbles = (digits & each(0x0f)) + ((letter >> 7) & each(1)) * 9;
    // Every other byte has the right pair of nibbles; these four then move together.
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let [first, second, _, _, third, fourth, _, _] = (pairs | pairs >> 8).to_le_bytes();
    Some([first, second, third, fourth])
}

/// Four bytes, all at once.
const fn encode_word(bytes: u32) -> u64 {
    let apart = bytes as u64;
    let apart = (apart | apart << 16) & 0x0000_ffff_0000_ffff;
    let apart = (apart | apart << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (apart >> 4 | apart << 8) & each(0x0f);
    let letters = (nibbles + each(6)) >> 4 & each(1);
    nibbles + each(b'0') + letters * (b'a' - b'0' - 10) as u64
}

fn show(digits: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.pad(str::from_utf8(digits).map_err(|_| fmt::Error)?)
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.hex(), f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.hex(), f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.hex(), f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.hex(), f)
    }
}

impl fmt::Display for TraceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.hex(), f)
    }
}

impl fmt::Debug for TraceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.hex(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_lower_case_hex() {
        let trace = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
        let span = SpanId::from_hex(b"b7ad6b7169203331").unwrap();
        assert_eq!(format!("{trace} {trace:?}"), ["0af7651916cd43dd8448eb211c80319c"; 2].join(" "));
        assert_eq!(format!("{span} {span:?}"), "b7ad6b7169203331 b7ad6b7169203331");
        assert_eq!(format!("{} {:?}", TraceFlags::SAMPLED, TraceFlags::NONE), "01 00");
        assert_eq!(trace.to_bytes()[..2], [0x0a, 0xf7]);
        assert_eq!(&trace.hex(), b"0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn every_byte_at_every_place_is_read_and_written_as_by_the_standard_library() {
        for place in 0..9 {
            for byte in 0..=u8::MAX {
                let mut digits = *b"0123456789abcdef01";
                digits[2 * place] = byte;
                let text = str::from_utf8(&digits[2 * place..2 * place + 2]);
                let is_lower = !byte.is_ascii_uppercase() && byte.is_ascii_alphanumeric();
                let expected =
                    text.ok().filter(|_| is_lower).and_then(|pair| u8::from_str_radix(pair, 16).ok());
                assert_eq!(decode::<9>(&digits).map(|bytes| bytes[place]), expected, "{byte:#x} at {place}");

                let mut bytes = [0x5a; 9];
                bytes[place] = byte;
                let written: [u8; 18] = encode(&bytes);
                let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(str::from_utf8(&written).unwrap(), expected);
            }
        }
    }

    #[test]
    fn only_exact_lower_case_non_zero_hex_is_an_id() {
        for rejected in [
            "",
            "b7ad6b716920333",
            "b7ad6b71692033311",
            "B7ad6b7169203331",
            "+7ad6b7169203331",
            "g7ad6b7169203331",
            "b7ad6b716920333 ",
            "0000000000000000",
            "b7ad6b71692033é",
        ] {
            assert_eq!(SpanId::from_hex(rejected.as_bytes()), None, "{rejected}");
        }
        assert_eq!(TraceId::from_hex(&[b'0'; 32]), None);
        assert_eq!(TraceId::from_bytes([0; 16]), None);
        assert_eq!(SpanId::from_bytes([0; 8]), None);
    }

    #[test]
    fn every_byte_is_a_digit_or_refused() {
        for byte in 0..=u8::MAX {
            let expected = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert_eq!(decode::<1>(&[byte, b'0']).is_some(), expected, "{byte:#x}");
            assert_eq!(decode::<1>(&[b'0', byte]).is_some(), expected, "{byte:#x}");
            assert_eq!(decode::<1>(&encode::<1, 2>(&[byte])), Some([byte]));
        }
    }

    #[test]
    fn flags_are_tested_by_bit_and_unknown_ones_dropped() {
        for (byte, sampled, random, kept) in
            [(0x00, false, false, 0), (0x01, true, false, 1), (0x02, false, true, 2), (0x03, true, true, 3)]
        {
            for unknown in [0x00, 0x04, 0x80, 0xfc] {
                let flags = TraceFlags::from_byte(byte | unknown);
                assert_eq!((flags.is_sampled(), flags.is_random(), flags.byte()), (sampled, random, kept));
            }
        }
    }

    #[test]
    fn one_flag_is_changed_without_the_other() {
        let both = TraceFlags::NONE.with_sampled(true).with_random(true);
        assert_eq!(both.byte(), 3);
        assert_eq!(both.with_sampled(false), TraceFlags::RANDOM);
        assert_eq!(both.with_random(false), TraceFlags::SAMPLED);
    }
}
