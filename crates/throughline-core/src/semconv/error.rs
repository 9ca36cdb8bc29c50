//! Names of errors and exceptions.

super::names! {
    /// `error.type`: what kind of failure; present on failure only, and of few different values.
    ERROR_TYPE = "error.type",
    /// `exception.type`: the type of an exception.
    EXCEPTION_TYPE = "exception.type",
    /// `exception.message`: the message of an exception.
    EXCEPTION_MESSAGE = "exception.message",
    /// `exception.stacktrace`: the stack of an exception.
    EXCEPTION_STACKTRACE = "exception.stacktrace",
}

/// A value of [`ERROR_TYPE`] where nothing more is known.
pub const ERROR_TYPE_OTHER: &str = "_OTHER";

/// The name of the event that records an exception.
pub const EXCEPTION_EVENT: &str = "exception";
