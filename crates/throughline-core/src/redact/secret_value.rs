//! Secrets that can be told by their form.

use std::borrow::Cow;

use super::REDACTED;

/// Which secrets are looked for inside texts: bearer tokens, JSON web tokens, card numbers.
///
/// Off unless asked for, since every text is then read once more: [`Rules::values`](super::Rules::values).
///
/// ```
/// use throughline_core::redact::SecretValues;
/// let values = SecretValues::none().bearer();
/// assert_eq!(values.hidden("sent Authorization: Bearer abcdef123456"), "sent Authorization: Bearer REDACTED");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "nothing is looked for until rules have it"]
pub struct SecretValues {
    bearer: Look,
    jwt: Look,
    card_number: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    For,
    Away,
}

/// A shorter word after `Bearer` or `Basic` is a word.
const CREDENTIAL_LEN_MIN: usize = 8;
/// ISO/IEC 7812: how many digits a card number has.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

impl SecretValues {
    /// Looks for nothing.
    pub const fn none() -> Self {
        Self { bearer: Look::Away, jwt: Look::Away, card_number: Look::Away }
    }

    /// Looks for all that is known.
    pub const fn all() -> Self {
        Self::none().bearer().jwt().card_number()
    }

    /// Credentials after `Bearer` or `Basic`, in any case (RFC 6750, RFC 7617), of at least eight characters that are not
    /// all lower-case letters: `basic training` is prose.
    pub const fn bearer(mut self) -> Self {
        self.bearer = Look::For;
        self
    }

    /// JSON web tokens (RFC 7519): three parts with dots between them, of which the first is an object.
    pub const fn jwt(mut self) -> Self {
        self.jwt = Look::For;
        self
    }

    /// Card numbers: 13 to 19 digits, grouped or not, that begin with 2 to 6 and whose check digit is right.
    pub const fn card_number(mut self) -> Self {
        self.card_number = Look::For;
        self
    }

    /// The text without them; borrowed where there are none. One pass, whatever the text.
    #[must_use]
    pub fn hidden(self, text: &str) -> Cow<'_, str> {
        let (mut shown, mut copied) = (String::new(), 0);
        let (mut at, mut in_word) = (0, false);
        while at < text.len() {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            if let Some((keep, len)) = self.find(rest, in_word) {
                shown.push_str(text.get(copied..at + keep).unwrap_or_default());
                shown.push_str(REDACTED);
                at += keep + len;
                copied = at;
                in_word = false;
            } else {
                let len = next_part(rest);
                in_word = rest.get(len.wrapping_sub(1)) == Some(&b'-');
                at += len;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        shown.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(shown)
    }

    /// A secret at the beginning of `rest`: how many bytes before it are shown, and how long it is. In the middle of a
    /// word, behind a hyphen, there may be a number, but no token.
    fn find(self, rest: &[u8], in_word: bool) -> Option<(usize, usize)> {
        let wants = |look, find: fn(&[u8]) -> Option<(usize, usize)>| {
            if look == Look::For { find(rest) } else { None }
        };
        let token = || wants(self.bearer, bearer).or_else(|| wants(self.jwt, jwt));
        wants(self.card_number, card_number).or_else(|| if in_word { None } else { token() })
    }
}

/// To where a secret may begin next: over the word at hand or its part up to a hyphen, and what stands between.
fn next_part(rest: &[u8]) -> usize {
    let part = leading(rest, |byte| is_word(byte) && byte != b'-');
    let after = rest.get(part..).unwrap_or_default();
    part + leading(after, |byte| !is_word(byte) || byte == b'-')
}

fn bearer(rest: &[u8]) -> Option<(usize, usize)> {
    let word = leading(rest, is_word);
    let scheme = rest.get(..word)?;
    if !scheme.eq_ignore_ascii_case(b"bearer") && !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let after = rest.get(word..)?;
    let spaces = leading(after, |byte| byte == b' ');
    let len = leading(after.get(spaces..)?, is_token68);
    let is_prose = after.iter().skip(spaces).take(len).all(u8::is_ascii_lowercase);
    (spaces > 0 && len >= CREDENTIAL_LEN_MIN && !is_prose).then_some((word + spaces, len))
}

/// `eyJ` is the beginning of `{"` in base64.
fn jwt(rest: &[u8]) -> Option<(usize, usize)> {
    let header = leading(rest, is_word);
    if !rest.starts_with(b"eyJ") || rest.get(header) != Some(&b'.') {
        return None;
    }
    let payload = leading(rest.get(header + 1..)?, is_word);
    let dot = header + 1 + payload;
    if payload == 0 || rest.get(dot) != Some(&b'.') {
        return None;
    }
    Some((0, dot + 1 + leading(rest.get(dot + 1..)?, is_word)))
}

/// The longest run of groups of digits that is a card number: what follows one may be a date.
fn card_number(rest: &[u8]) -> Option<(usize, usize)> {
    if !matches!(rest.first(), Some(b'2'..=b'6')) {
        return None;
    }
    let (mut digits, mut count, mut len) = ([0; *CARD_DIGITS.end()], 0, 0);
    let mut found = None;
    while let Some(digit) = rest.get(len).filter(|byte| byte.is_ascii_digit()) {
        *digits.get_mut(count)? = digit - b'0';
        count += 1;
        len += 1;
        let next = rest.get(len);
        if next.is_some_and(u8::is_ascii_digit) {
            if count == digits.len() {
                break;
            }
            continue;
        }
        let is_apart = next.is_none_or(|byte| !byte.is_ascii_alphabetic() && *byte != b'_');
        if is_apart && CARD_DIGITS.contains(&count) && is_luhn(digits.get(..count)?) {
            found = Some((0, len));
        }
        let goes_on = matches!(next, Some(b' ' | b'-')) && count < digits.len();
        len += usize::from(goes_on);
    }
    found
}

/// The check of ISO/IEC 7812-1, annex B: every second digit from the right counts twice, and the sum ends with a zero.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let twice = u32::from(*digit) << (place % 2);
            twice / 10 + twice % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

fn leading(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(**byte)).count()
}

/// What base64url consists of, and everything beyond ASCII: a word ends where no number or token could go on.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | 0x80..)
}

/// RFC 9110, section 11.2.
const fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";

    #[test]
    fn secrets_are_known_by_their_form() {
        for (text, expected) in [
            ("Bearer abcdefg1", "Bearer REDACTED"),
            ("authorization: bearer  YWJjZGVmZ2g=, x", "authorization: bearer  REDACTED, x"),
            ("Basic bWU6cHdwdw==", "Basic REDACTED"),
            (JWT, "REDACTED"),
            (&format!("got {JWT}!"), "got REDACTED!"),
            (&format!("token={JWT}&a=1"), "token=REDACTED&a=1"),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "REDACTED"),
            ("4111111111111111", "REDACTED"),
            ("card 4111 1111 1111 1111 declined", "card REDACTED declined"),
            ("5555-5555-5555-4444.", "REDACTED."),
            ("4111111111111111 12/26", "REDACTED 12/26"),
            ("4111 1111 1111 1111 2026", "REDACTED 2026"),
            ("order-4-378282246310005", "order-4-REDACTED"),
            ("378282246310005 and 6011111111111117", "REDACTED and REDACTED"),
        ] {
            assert_eq!(SecretValues::all().hidden(text), expected);
        }
    }

    #[test]
    fn what_only_looks_alike_is_shown() {
        for text in [
            "",
            "the bearer of news",
            "Bearer",
            "Bearer short",
            "basic training",
            "forbearer abcdefghijkl",
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhbGciOiJIUzI1NiJ9.x",
            "4111111111111112",
            "1700000000000000000",
            "41111111111111114111111111111111",
            "4111111111111111a",
            "a4111111111111111",
            "0af7651916cd43dd8448eb211c80319c",
            "4 1 1 1",
            "\u{1f4b3} 4242",
        ] {
            assert_eq!(SecretValues::all().hidden(text), text);
            assert!(matches!(SecretValues::all().hidden(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn only_what_is_asked_for_is_looked_for() {
        let text = format!("Bearer abcdefg1 {JWT} 4111111111111111");
        let none = SecretValues::none();
        assert_eq!(none.hidden(&text), text);
        assert_eq!(none.bearer().hidden(&text), format!("Bearer REDACTED {JWT} 4111111111111111"));
        assert_eq!(none.jwt().hidden(&text), "Bearer abcdefg1 REDACTED 4111111111111111");
        assert_eq!(none.card_number().hidden(&text), format!("Bearer abcdefg1 {JWT} REDACTED"));
    }

    proptest! {
        #[test]
        fn a_secret_is_found_between_any_words(before in "([a-z\u{e9}.:,]{0,9} )?", after in "( [a-z\u{e9}.:,]{0,9})?") {
            for secret in [JWT, "4111 1111 1111 1111", "378282246310005"] {
                let shown = SecretValues::all().hidden(&format!("{before}{secret}{after}")).into_owned();
                prop_assert_eq!(shown, format!("{before}REDACTED{after}"));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let once = SecretValues::all().hidden(&text).into_owned();
            let twice = SecretValues::all().hidden(&once).into_owned();
            prop_assert_eq!(twice, once);
        }
    }
}
