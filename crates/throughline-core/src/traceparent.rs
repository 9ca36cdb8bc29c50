//! The `traceparent` header of W3C Trace Context Level 2.
//!
//! ```text
//! 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03
//! ── ──────────────── trace id ────── ── parent id ─── ── flags
//! version
//! ```
//!
//! The text is judged byte by byte: an integer parser would let `+`, upper case and short fields through.

use std::{error, fmt};

use crate::{SpanContext, SpanId, TraceFlags, TraceId, id, octets};

/// The length of version 00, and of the part that every later version has in common with it (Level 2, section 3.2).
pub const TRACEPARENT_LEN: usize = 55;

/// Why a `traceparent` was refused. The trace then starts anew, and `tracestate` is dropped unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceparentError {
    /// Shorter than [`TRACEPARENT_LEN`].
    Short,
    /// Not two lower-case hexadecimal digits, or `ff`.
    Version,
    /// A field does not end in a dash.
    Dash,
    /// Not 32 lower-case hexadecimal digits, or all zero.
    TraceId,
    /// Not 16 lower-case hexadecimal digits, or all zero.
    ParentId,
    /// Not two lower-case hexadecimal digits.
    Flags,
    /// Something stands after the flags: anything in version 00, anything but a dash in a later version.
    Trailing,
    /// More than one `traceparent` came in.
    Repeated,
}

/// Reads the value of a `traceparent` header into the context of a remote span.
///
/// White space around the value is stripped. A version above 00 is read as far as 00 goes; what follows is ignored.
///
/// # Errors
///
/// The first rule that the value breaks, from left to right.
pub(crate) fn parse(value: &[u8]) -> Result<SpanContext, TraceparentError> {
    let (fields, rest) =
        octets::trim(value).split_first_chunk::<TRACEPARENT_LEN>().ok_or(TraceparentError::Short)?;
    let version = version(&fields[..2])?;
    if [fields[2], fields[35], fields[52]] != [b'-'; 3] {
        return Err(TraceparentError::Dash);
    }
    let trace_id = TraceId::from_hex(&fields[3..35]).ok_or(TraceparentError::TraceId)?;
    let parent_id = SpanId::from_hex(&fields[36..52]).ok_or(TraceparentError::ParentId)?;
    let flags = TraceFlags::from_hex(&fields[53..]).ok_or(TraceparentError::Flags)?;
    match (version, rest) {
        (_, []) | (1.., [b'-', ..]) => Ok(SpanContext::new(trace_id, parent_id, flags).remote(true)),
        _ => Err(TraceparentError::Trailing),
    }
}

fn version(digits: &[u8]) -> Result<u8, TraceparentError> {
    match id::decode(digits) {
        Some([version]) if version != FORBIDDEN_VERSION => Ok(version),
        _ => Err(TraceparentError::Version),
    }
}

const FORBIDDEN_VERSION: u8 = 0xff;

/// Writes the value of a `traceparent` header, always in version 00, without allocating.
#[must_use]
pub(crate) fn format(span: &SpanContext) -> [u8; TRACEPARENT_LEN] {
    let mut value = *b"00-00000000000000000000000000000000-0000000000000000-00";
    value[3..35].copy_from_slice(&span.trace_id().hex());
    value[36..52].copy_from_slice(&span.span_id().hex());
    value[53..].copy_from_slice(&span.flags().hex());
    value
}

impl fmt::Display for TraceparentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "traceparent is too short",
            Self::Version => "traceparent has an invalid version",
            Self::Dash => "traceparent lacks a dash between fields",
            Self::TraceId => "traceparent has an invalid trace id",
            Self::ParentId => "traceparent has an invalid parent id",
            Self::Flags => "traceparent has invalid flags",
            Self::Trailing => "traceparent goes on after its flags",
            Self::Repeated => "more than one traceparent",
        })
    }
}

impl error::Error for TraceparentError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    fn header(version: &str, trace: &str, parent: &str, flags: &str) -> String {
        format!("{version}-{trace}-{parent}-{flags}")
    }

    fn rewritten(value: &str) -> Result<String, TraceparentError> {
        parse(value.as_bytes()).map(|span| String::from_utf8(format(&span).to_vec()).unwrap())
    }

    #[test]
    fn what_is_accepted_and_how_it_is_passed_on() {
        let written = |flags| header("00", TRACE, PARENT, flags);
        let good = written("01");
        for (read, passed_on) in [
            (good.clone(), "01"),
            // Flags: known bits are kept, unknown ones dropped.
            (written("00"), "00"),
            (written("02"), "02"),
            (written("03"), "03"),
            (written("ff"), "03"),
            (written("fc"), "00"),
            // White space around the value.
            (format!(" {good}"), "01"),
            (format!("\t {good} \t"), "01"),
            // Later versions, with and without something after the flags.
            (header("01", TRACE, PARENT, "01"), "01"),
            (header("cc", TRACE, PARENT, "02"), "02"),
            (header("fe", TRACE, PARENT, "09"), "01"),
            (format!("{}-", header("01", TRACE, PARENT, "01")), "01"),
            (format!("{}-what-the-future-holds", header("cc", TRACE, PARENT, "01")), "01"),
        ] {
            assert_eq!(rewritten(&read), Ok(written(passed_on)), "{read:?}");
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        use TraceparentError::{Dash, Flags, ParentId, Short, TraceId, Trailing, Version};
        let good = header("00", TRACE, PARENT, "01");
        for (value, why) in [
            (String::new(), Short),
            (" ".repeat(60), Short),
            (good[..54].to_owned(), Short),
            (header("00", &TRACE[1..], PARENT, "01"), Short),
            (header("cc", TRACE, PARENT, "1"), Short),
            (header("0", TRACE, PARENT, "01-"), Version),
            (header("0x", TRACE, PARENT, "01"), Version),
            (header("+0", TRACE, PARENT, "01"), Version),
            (header("FE", TRACE, PARENT, "01"), Version),
            (header("ff", TRACE, PARENT, "01"), Version),
            (header("ff", TRACE, PARENT, "01-x"), Version),
            (good.replacen('-', "_", 1), Dash),
            (format!("00-{TRACE}_{PARENT}-01"), Dash),
            (format!("00-{TRACE}-{PARENT}_01"), Dash),
            (format!("cc-{TRACE}-{PARENT}.01-x"), Dash),
            (header("000", TRACE, PARENT, "1"), Dash),
            (header("00", &format!("{TRACE}0"), PARENT, "1"), Dash),
            (header("00", &TRACE[1..], &format!("{PARENT}0"), "01"), Dash),
            (header("00", &"0".repeat(32), PARENT, "01"), TraceId),
            (header("00", &TRACE.to_uppercase(), PARENT, "01"), TraceId),
            (header("00", &format!("+{}", &TRACE[1..]), PARENT, "01"), TraceId),
            (header("00", &format!("{}g", &TRACE[1..]), PARENT, "01"), TraceId),
            (header("00", TRACE, &"0".repeat(16), "01"), ParentId),
            (header("00", TRACE, &PARENT.to_uppercase(), "01"), ParentId),
            (header("00", TRACE, &format!(" {}", &PARENT[1..]), "01"), ParentId),
            (header("00", TRACE, PARENT, "0A"), Flags),
            (header("00", TRACE, PARENT, "+1"), Flags),
            (header("00", TRACE, PARENT, "0."), Flags),
            (header("00", TRACE, PARENT, "01-"), Trailing),
            (header("00", TRACE, PARENT, "01-extra"), Trailing),
            (header("00", TRACE, PARENT, "011"), Trailing),
            (format!("{good},{good}"), Trailing),
            (header("cc", TRACE, PARENT, "01.what"), Trailing),
            (header("01", TRACE, PARENT, "011"), Trailing),
        ] {
            assert_eq!(rewritten(&value), Err(why), "{value:?}");
        }
    }

    #[test]
    fn a_megabyte_is_refused_like_anything_else() {
        assert_eq!(parse(&vec![b'0'; 1 << 20]), Err(TraceparentError::Dash));
        assert_eq!(parse(&vec![b' '; 1 << 20]), Err(TraceparentError::Short));
    }

    #[test]
    fn what_is_read_is_remote_and_without_vendor_state() {
        let span = parse(header("00", TRACE, PARENT, "01").as_bytes()).unwrap();
        assert!(span.is_remote() && span.is_sampled() && span.tracestate().is_empty());
        assert_eq!((span.trace_id().to_string(), span.span_id().to_string()), (TRACE.into(), PARENT.into()));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(trace: [u8; 16], span: [u8; 8], flags: u8) {
            let (Some(trace), Some(span)) = (TraceId::from_bytes(trace), SpanId::from_bytes(span)) else {
                return Ok(());
            };
            let written = SpanContext::new(trace, span, TraceFlags::from_byte(flags)).remote(true);
            prop_assert_eq!(parse(&format(&written)), Ok(written));
        }

        #[test]
        fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _either = parse(&value);
        }

        #[test]
        fn one_wrong_byte_is_refused_or_is_another_digit(at in 0..TRACEPARENT_LEN, byte: u8) {
            let mut value = header("00", TRACE, PARENT, "01").into_bytes();
            value[at] = byte;
            if let Ok(span) = parse(&value) {
                prop_assert!(byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
                // All but the flags, of which unknown bits go, and the version, which becomes 00, is passed on as it was.
                prop_assert_eq!(&format(&span)[2..53], &value[2..53]);
            }
        }
    }
}
