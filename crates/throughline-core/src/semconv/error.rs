//! Errors and exceptions.
/// The kind of failure.
pub const ERROR_TYPE: &str = "error.type";
/// A kind that is not known.
pub const ERROR_TYPE_OTHER: &str = "_OTHER";
/// The name of an exception's event.
pub const EXCEPTION_EVENT: &str = "exception";
/// The type of an exception.
pub const EXCEPTION_TYPE: &str = "exception.type";
/// The message of an exception.
pub const EXCEPTION_MESSAGE: &str = "exception.message";
