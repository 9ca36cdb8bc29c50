//! Hexadecimal digits.

/// The byte that two hexadecimal digits of either case stand for; `None` for anything else.
#[must_use]
pub fn hex_byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}
