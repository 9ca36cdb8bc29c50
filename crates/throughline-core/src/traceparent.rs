//! The `traceparent` header.

use std::fmt;

use crate::{SpanContext, SpanId, TraceFlags, TraceId, id::decode as decode_hex};

/// Why a `traceparent` was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceparentError {
    /// Shorter than its version asks, or longer than version 00 allows.
    Length,
    /// A dash is missing or at the wrong place.
    Dash,
    /// The version is not two lower-case hex digits, or `ff`.
    Version,
    /// The trace id is not 32 lower-case hex digits, or all zero.
    TraceId,
    /// The parent id is not 16 lower-case hex digits, or all zero.
    ParentId,
    /// The flags are not two lower-case hex digits.
    Flags,
    /// There is more than one of it.
    Repeated,
}

impl fmt::Display for TraceparentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "wrong length",
            Self::Dash => "dash missing",
            Self::Version => "bad version",
            Self::TraceId => "bad trace id",
            Self::ParentId => "bad parent id",
            Self::Flags => "bad flags",
            Self::Repeated => "more than one traceparent",
        })
    }
}

impl std::error::Error for TraceparentError {}

/// The length of version 00, and of what is read of later ones.
const LEN: usize = 55;

/// Reads a `traceparent`; white space around it is not part of it.
pub(crate) fn parse(value: &[u8]) -> Result<SpanContext, TraceparentError> {
    use TraceparentError as E;
    let value = trim(value);
    let head = value.get(..LEN).ok_or(E::Length)?;
    let field = |from: usize, len: usize| head.get(from..from + len).unwrap_or_default();
    let dash = |at: usize| head.get(at) == Some(&b'-');
    if !(dash(2) && dash(35) && dash(52)) {
        return Err(E::Dash);
    }
    let [version] = decode_hex(field(0, 2)).ok_or(E::Version)?;
    match (version, value.get(LEN)) {
        (0xff, _) => return Err(E::Version),
        (0x00, Some(_)) => return Err(E::Length),
        (_, Some(next)) if *next != b'-' => return Err(E::Dash),
        _ => {}
    }
    let trace_id = TraceId::from_hex(field(3, 32)).ok_or(E::TraceId)?;
    let span_id = SpanId::from_hex(field(36, 16)).ok_or(E::ParentId)?;
    let [flags] = decode_hex(field(53, 2)).ok_or(E::Flags)?;
    Ok(SpanContext::new(trace_id, span_id, TraceFlags::from_byte(flags)).remote(true))
}

/// Writes version 00.
pub(crate) fn format(span: &SpanContext) -> [u8; LEN] {
    let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
    out[3..35].copy_from_slice(&span.trace_id().hex());
    out[36..52].copy_from_slice(&span.span_id().hex());
    out[53..55].copy_from_slice(&span.flags().hex());
    out
}

/// Without the spaces and tabs around it.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
