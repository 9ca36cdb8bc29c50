//! Ids that are shorter than ours.

use crate::{SpanId, TraceId};

/// A trace id of one to 32 digits: a short one is padded with zeros on its left.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    padded(digits).and_then(|digits: [u8; 32]| TraceId::from_hex(&digits))
}

/// A span id of one to 16 digits: a short one is padded with zeros on its left.
pub(super) fn span_id(digits: &[u8]) -> Option<SpanId> {
    padded(digits).and_then(|digits: [u8; 16]| SpanId::from_hex(&digits))
}

fn padded<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut padded = [b'0'; N];
    let start = N.checked_sub(digits.len()).filter(|_| !digits.is_empty())?;
    padded.get_mut(start..)?.copy_from_slice(digits);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_padded_and_everything_else_is_refused() {
        for (digits, padded) in [
            ("1", Some("0000000000000001")),
            ("b7ad6b7169203331", Some("b7ad6b7169203331")),
            ("", None),
            ("0", None),
            ("+1", None),
            ("B7", None),
            ("0b7ad6b7169203331", None),
        ] {
            assert_eq!(span_id(digits.as_bytes()).map(|id| id.to_string()).as_deref(), padded, "{digits:?}");
        }
        assert_eq!(trace_id(b"b7ad6b7169203331").unwrap().to_string(), "0000000000000000b7ad6b7169203331");
        assert_eq!(trace_id(&[b'1'; 33]), None);
    }
}
