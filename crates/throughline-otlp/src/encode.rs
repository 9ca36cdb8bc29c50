//! OTLP's protobuf, written directly: no message types in between, nothing encoded twice.

pub(crate) mod attributes;
pub(crate) mod facts;
pub(crate) mod log_record;
pub(crate) mod request;
pub(crate) mod span;
pub(crate) mod wire;
