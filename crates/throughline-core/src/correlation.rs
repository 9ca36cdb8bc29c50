//! The correlation id: the one that survives a retry, a restarted trace, a replayed message.

use std::{fmt, sync::Arc};

use crate::{clock, id, random};

/// The longest correlation id that is accepted.
///
/// Our own choice: room for two UUIDs and a prefix, and little enough to stand on every log line.
pub const CORRELATION_ID_LEN_MAX: usize = 128;

/// Names a request, an order, a conversation across every hop, beside the trace id.
///
/// One to [`CORRELATION_ID_LEN_MAX`] visible ASCII characters without `"` and `\`, so that it can stand in a header, a
/// JSON string or a log line as it is, and nothing can be injected through it. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrelationId(Arc<str>);

impl CorrelationId {
    /// Reads an id; `None` if it is empty, too long, or has a character that is not allowed.
    ///
    /// ```
    /// use throughline_core::CorrelationId;
    /// assert_eq!(CorrelationId::parse(b"order-1234").as_ref().map(CorrelationId::as_str), Some("order-1234"));
    /// assert_eq!(CorrelationId::parse(b"two\nlines"), None);
    /// ```
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let is_valid = (1..=CORRELATION_ID_LEN_MAX).contains(&bytes.len()) && bytes.iter().all(is_allowed);
        if !is_valid {
            return None;
        }
        str::from_utf8(bytes).ok().map(|text| Self(text.into()))
    }

    /// A new id: a UUID of version 7, which sorts by time.
    #[must_use]
    pub fn generate() -> Self {
        let millis = clock::now_unix_nanos() / 1_000_000;
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random::bytes()).into_uuid();
        let digits: [u8; 32] = id::encode(uuid.as_bytes());
        let mut text = *b"00000000-0000-0000-0000-000000000000";
        text[..8].copy_from_slice(&digits[..8]);
        text[9..13].copy_from_slice(&digits[8..12]);
        text[14..18].copy_from_slice(&digits[12..16]);
        text[19..23].copy_from_slice(&digits[16..20]);
        text[24..].copy_from_slice(&digits[20..]);
        Self(str::from_utf8(&text).unwrap_or_default().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_allowed(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_visible_ascii_without_quotes_and_backslash() {
        for byte in 0..=u8::MAX {
            let expected = (0x21..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\';
            assert_eq!(CorrelationId::parse(&[b'a', byte]).is_some(), expected, "{byte:#x}");
        }
    }

    #[test]
    fn an_id_has_one_to_128_characters() {
        for (len, accepted) in [(0, false), (1, true), (128, true), (129, false), (1 << 20, false)] {
            assert_eq!(CorrelationId::parse(&vec![b'x'; len]).is_some(), accepted, "{len}");
        }
    }

    #[test]
    fn a_new_id_is_a_version_7_uuid_of_now() {
        let before = clock::now_unix_nanos() / 1_000_000;
        let id = CorrelationId::generate();
        let after = clock::now_unix_nanos() / 1_000_000;
        let uuid = uuid::Uuid::parse_str(id.as_str()).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
        let millis = (uuid.as_u128() >> 80) as u64;
        assert!((before..=after).contains(&millis), "{millis} is not within {before}..={after}");
        assert_eq!(uuid.hyphenated().to_string(), id.as_str(), "36 characters, lower case");
        assert_ne!(CorrelationId::generate(), id);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_kept_as_it_is(text in "[!#-\\[\\]-~]{1,128}") {
            let id = CorrelationId::parse(text.as_bytes());
            prop_assert_eq!(id.as_ref().map(CorrelationId::as_str), Some(text.as_str()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(id) = CorrelationId::parse(&bytes) {
                prop_assert_eq!(id.as_str().as_bytes(), &bytes);
            }
        }
    }
}
