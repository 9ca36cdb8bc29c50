//! OTLP-JSON, both ways, driven by one table of OTLP's messages.
//!
//! `opentelemetry-proto`'s own serde support is not used, because it deviates from the encoding that OTLP prescribes:
//! a NaN or an infinite double becomes `null`, an unknown field inside a value or a list without `values` is an
//! error, an absent message is written as `null`. JSON is instead turned into protobuf bytes and back: whatever is read goes
//! through the same decoder as a protobuf body, and whatever is written was understood by it before.

mod read;
mod schema;
mod write;

pub(crate) use read::to_protobuf;
pub(crate) use schema::{LOGS_DATA, METRICS_DATA, Message, TRACES_DATA};
pub(crate) use write::from_protobuf;

/// The byte that two hexadecimal digits of either case stand for.
pub(crate) fn hex_byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}
