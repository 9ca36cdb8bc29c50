//! The character classes that the header formats share.

use std::borrow::Cow;

/// Strips the optional white space of HTTP (SP and HTAB) from both ends.
pub(crate) const fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A `token` of RFC 7230: what a header name or a baggage key is made of.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_octet(*byte))
}

const fn is_token_octet(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
}

/// Decodes the percent-encoded octet at the start of `bytes`, if there is one, and returns what follows it.
///
/// A `%` that is not followed by two hexadecimal digits stands for itself, as in every URL parser.
pub(crate) const fn percent_decoded(bytes: &[u8]) -> Option<(u8, &[u8])> {
    match bytes {
        [b'%', high, low, rest @ ..] => match (hex_digit(*high), hex_digit(*low)) {
            (Some(high), Some(low)) => Some((high << 4 | low, rest)),
            _ => Some((b'%', bytes.split_at(1).1)),
        },
        [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

/// The text with every octet percent-encoded that doesn't stand for itself.
pub(crate) fn percent_encoded(text: &str, stands_for_itself: impl Fn(u8) -> bool) -> Cow<'_, str> {
    if text.bytes().all(&stands_for_itself) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if stands_for_itself(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 0x0f].map(upper_hex_digit));
        }
    }
    Cow::Owned(encoded)
}

fn upper_hex_digit(nibble: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 })
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_space_and_tab_are_white_space() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\na\r"), b"\na\r");
    }

    #[test]
    fn a_token_is_what_rfc_7230_lists() {
        let listed: &[u8] = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for byte in 0..=u8::MAX {
            assert_eq!(is_token(&[byte]), listed.contains(&byte), "{byte:#x}");
        }
        assert!(!is_token(b""));
    }

    #[test]
    fn percent_needs_two_digits() {
        assert_eq!(percent_decoded(b"%4aX"), Some((b'J', &b"X"[..])));
        assert_eq!(percent_decoded(b"%4"), Some((b'%', &b"4"[..])));
        assert_eq!(percent_decoded(b"%4g"), Some((b'%', &b"4g"[..])));
        assert_eq!(percent_decoded(b""), None);
    }
}
