//! What the formats of vendors share.

use super::codec::Caller;
use crate::{Carrier, TraceFlags, octets};

/// The value of a field that may stand there once.
pub(super) enum Field<'a> {
    Absent,
    /// Without the white space around it.
    Value(&'a [u8]),
    Repeated,
}

pub(super) fn field<'a>(carrier: &'a dyn Carrier, name: &str) -> Field<'a> {
    let mut found = Field::Absent;
    carrier.get_all(name, &mut |value| {
        found = match found {
            Field::Absent => Field::Value(octets::trim(value)),
            Field::Value(_) | Field::Repeated => Field::Repeated,
        };
    });
    found
}

/// Reads a field that says everything, or makes no sense as a whole.
pub(super) fn caller_in(
    carrier: &dyn Carrier,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Option<Caller>,
) -> Caller {
    match field(carrier, name) {
        Field::Absent => Caller::Absent,
        Field::Value(value) => parse(value).unwrap_or(Caller::Invalid),
        Field::Repeated => Caller::Invalid,
    }
}

/// The flags of a trace whose id nobody has called random.
pub(super) const fn flags(sampled: bool) -> TraceFlags {
    TraceFlags::NONE.with_sampled(sampled)
}
