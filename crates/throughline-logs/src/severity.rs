//! How bad an event is, in the words and numbers of each schema.

use throughline_core::PANIC_TARGET;
use tracing::Level;

/// The levels of `tracing`, and a panic above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    /// An ERROR with the target [`PANIC_TARGET`].
    Panic,
}

/// A word for each severity, in their order.
pub(crate) type Words = [&'static str; 6];

/// The level's own word; `tracing` has none above ERROR.
pub(crate) const LEVELS: Words = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "ERROR"];
/// OpenTelemetry's short names of the ranges.
pub(crate) const OTEL: Words = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

impl Severity {
    #[inline]
    pub(crate) fn of(level: Level, target: &str) -> Self {
        match level {
            Level::TRACE => Self::Trace,
            Level::DEBUG => Self::Debug,
            Level::INFO => Self::Info,
            Level::WARN => Self::Warn,
            Level::ERROR if target == PANIC_TARGET => Self::Panic,
            Level::ERROR => Self::Error,
        }
    }

    /// OpenTelemetry's number: the lowest of its range, as for any source with one level a range.
    #[inline]
    pub(crate) const fn number(self) -> u8 {
        self as u8 * 4 + 1
    }

    #[inline]
    pub(crate) fn word(self, words: &Words) -> &'static str {
        words.get(self as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_the_lowest_number_of_its_range() {
        for (level, target, number, word) in [
            (Level::TRACE, "a", 1, "TRACE"),
            (Level::DEBUG, "a", 5, "DEBUG"),
            (Level::INFO, PANIC_TARGET, 9, "INFO"),
            (Level::WARN, "a", 13, "WARN"),
            (Level::ERROR, "a", 17, "ERROR"),
            (Level::ERROR, PANIC_TARGET, 21, "FATAL"),
        ] {
            let severity = Severity::of(level, target);
            assert_eq!((severity.number(), severity.word(&OTEL)), (number, word));
        }
    }
}
