//! Names of the OpenTelemetry semantic conventions 1.44.0, each spelt once, and those of our own.
//!
//! Every file has its names as constants and all of them in `ALL`; a test checks that each is registered and not
//! deprecated.

pub mod code;
pub mod db;
pub mod error;
pub mod http;
pub mod messaging;
pub mod otel;
pub mod own;
pub mod resource;
pub mod rpc;
pub mod scope;

/// The schema that all names follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// Makes a constant of each name, and `ALL` of them.
macro_rules! names {
    ($($(#[$doc:meta])* $constant:ident = $name:literal,)*) => {
        $($(#[$doc])* pub const $constant: &str = $name;)*

        /// All names of this file.
        pub const ALL: &[&str] = &[$($constant),*];
    };
}
use names;
