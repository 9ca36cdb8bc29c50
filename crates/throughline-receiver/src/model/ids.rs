//! Trace ids and span ids, as received.

use std::fmt;

use super::InvalidId;

/// A trace's id: 16 bytes, shown as 32 lower-case hexadecimal digits.
///
/// ```
/// use throughline_receiver::TraceId;
///
/// let id = TraceId::from_hex("5B8EFFF798038103D269B633813FC60C").ok_or("not an id")?;
/// assert_eq!(id.to_string(), "5b8efff798038103d269b633813fc60c");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// A span's id: 8 bytes, shown as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

/// Both ids have the same methods; only the length differs.
macro_rules! id {
    ($name:ident, $len:literal) => {
        impl $name {
            /// The id of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The id's bytes.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; $len] {
                self.0
            }

            /// Reads hexadecimal digits of either case; `None` unless there are exactly as many as the id has.
            #[must_use]
            pub fn from_hex(digits: &str) -> Option<Self> {
                let mut bytes = [0; $len];
                if digits.len() != 2 * bytes.len() {
                    return None;
                }
                for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
                    *byte = throughline_otlp_json::hex_byte(pair)?;
                }
                Some(Self(bytes))
            }

            /// An id that must be there: right length and not all zero.
            pub(super) fn required(bytes: &[u8], field: &'static str) -> Result<Self, InvalidId> {
                Self::optional(bytes, field)?.ok_or(InvalidId { field, len: bytes.len() })
            }

            /// An id that may be absent, which is written as no bytes or as zeros.
            pub(super) fn optional(bytes: &[u8], field: &'static str) -> Result<Option<Self>, InvalidId> {
                if bytes.is_empty() {
                    return Ok(None);
                }
                match <[u8; $len]>::try_from(bytes) {
                    Ok(id) => Ok((id != [0; $len]).then_some(Self(id))),
                    Err(_) => Err(InvalidId { field, len: bytes.len() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }
    };
}

id!(TraceId, 16);
id!(SpanId, 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways() {
        let id = SpanId::from_hex("EEE19b7ec3c1b174").unwrap();
        assert_eq!(id.to_bytes(), [0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74]);
        assert_eq!(id.to_string(), "eee19b7ec3c1b174");
        assert_eq!(format!("{id:?}"), "eee19b7ec3c1b174");
    }

    #[test]
    fn what_is_not_an_id() {
        for digits in [
            "",
            "eee19b7ec3c1b17",
            "eee19b7ec3c1b1745",
            "eee19b7ec3c1b17g",
            "0xe19b7ec3c1b174",
            "éee19b7ec3c1b17",
        ] {
            assert_eq!(SpanId::from_hex(digits), None, "{digits}");
        }
    }

    #[test]
    fn zero_is_absent_and_another_length_is_an_error() {
        assert_eq!(SpanId::optional(&[], "span id"), Ok(None));
        assert_eq!(SpanId::optional(&[0; 8], "span id"), Ok(None));
        assert_eq!(SpanId::optional(&[1; 8], "span id"), Ok(Some(SpanId([1; 8]))));
        assert!(SpanId::optional(&[1; 7], "span id").is_err());
        assert!(SpanId::required(&[0; 8], "span id").is_err());
        assert!(TraceId::required(&[], "trace id").is_err());
    }
}
