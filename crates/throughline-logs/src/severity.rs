//! The words for how bad an event is.

use throughline_core::Severity;

/// A word for each [`Severity`], in their order.
pub(crate) type Words = [&'static str; 6];

/// The level's own word; `tracing` has none above ERROR.
pub(crate) const LEVELS: Words = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "ERROR"];
/// OpenTelemetry's short names of the ranges.
pub(crate) const OTEL: Words = [
    Severity::Trace.text(),
    Severity::Debug.text(),
    Severity::Info.text(),
    Severity::Warn.text(),
    Severity::Error.text(),
    Severity::Panic.text(),
];

pub(crate) fn word(words: &Words, severity: Severity) -> &'static str {
    words.get(severity as usize).copied().unwrap_or_default()
}
