//! Names of the semantic conventions, each spelt once.
pub mod error;
