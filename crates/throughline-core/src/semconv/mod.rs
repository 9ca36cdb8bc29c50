//! Names of the semantic conventions, each spelt once.
pub mod error;
pub mod http;
pub mod messaging;
pub mod own;
pub mod resource;
/// The schema that all names follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";
