//! OTLP between protobuf and JSON, both ways, driven by one table of OTLP's messages.
//!
//! JSON is turned into protobuf bytes and back: whatever is read goes through the same decoder as a protobuf body, and
//! whatever is written was protobuf before. `opentelemetry-proto`'s own serde support is not used, because it deviates from
//! the encoding that OTLP prescribes: a NaN or an infinite double becomes `null`, an unknown field inside a value or a list
//! without `values` is an error, an absent message is written as `null`.
//!
//! ```
//! use throughline_otlp_json::{TRACES_DATA, from_protobuf, to_protobuf};
//!
//! let json = r#"{"resourceSpans":[{"schemaUrl":"https://opentelemetry.io/schemas/1.44.0"}]}"#;
//! let protobuf = to_protobuf(json.as_bytes(), &TRACES_DATA)?;
//! assert_eq!(from_protobuf(&protobuf, &TRACES_DATA).as_deref(), Some(json));
//! # Ok::<(), throughline_otlp_json::ReadError>(())
//! ```
//!
//! Knows nothing of the other throughline crates, and of no transport.

mod hex;
mod read;
mod schema;
mod write;

pub use hex::hex_byte;
pub use read::{ReadError, to_protobuf};
pub use schema::{
    LOGS_DATA, LOGS_RESPONSE, METRICS_DATA, METRICS_RESPONSE, Message, TRACES_DATA, TRACES_RESPONSE,
};
pub use write::from_protobuf;
