//! Names of our own.
/// `correlation.id`
pub const CORRELATION_ID: &str = "correlation.id";
/// `throughline.http.end`
pub const HTTP_END: &str = "throughline.http.end";
