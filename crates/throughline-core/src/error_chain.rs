//! An error and what caused it, as one text.

use std::error::Error;

/// The error's message followed by those of its sources, innermost last, separated by colons.
///
/// At most [`ERROR_CHAIN_LEN_MAX`] sources: a chain may lead back to itself.
#[must_use]
pub fn error_chain<E: Error + ?Sized>(error: &E) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    for _ in 0..ERROR_CHAIN_LEN_MAX {
        let Some(cause) = source else { break };
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    chain
}

/// How many sources of an error are followed.
pub const ERROR_CHAIN_LEN_MAX: usize = 16;
