//! How bad an event is, in the numbers and words of OpenTelemetry.

use tracing::Level;

use crate::PANIC_TARGET;

/// The levels of `tracing`, and a panic above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// TRACE.
    Trace,
    /// DEBUG.
    Debug,
    /// INFO.
    Info,
    /// WARN.
    Warn,
    /// ERROR.
    Error,
    /// A panic: an ERROR with the target [`PANIC_TARGET`].
    Panic,
}

impl Severity {
    /// The severity of an event with this level and target.
    #[inline]
    #[must_use]
    pub fn of(level: Level, target: &str) -> Self {
        match level {
            Level::TRACE => Self::Trace,
            Level::DEBUG => Self::Debug,
            Level::INFO => Self::Info,
            Level::WARN => Self::Warn,
            Level::ERROR if target == PANIC_TARGET => Self::Panic,
            Level::ERROR => Self::Error,
        }
    }

    /// OpenTelemetry's severity number: the lowest of its range, as for any source with one level a range.
    ///
    /// ```
    /// use throughline_core::Severity;
    /// assert_eq!((Severity::Info.number(), Severity::Panic.number()), (9, 21));
    /// ```
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 * 4 + 1
    }

    /// OpenTelemetry's short name of the range.
    #[inline]
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Panic => "FATAL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_the_lowest_number_of_its_range() {
        for (level, target, number, text) in [
            (Level::TRACE, "a", 1, "TRACE"),
            (Level::DEBUG, "a", 5, "DEBUG"),
            (Level::INFO, PANIC_TARGET, 9, "INFO"),
            (Level::WARN, "a", 13, "WARN"),
            (Level::ERROR, "a", 17, "ERROR"),
            (Level::ERROR, PANIC_TARGET, 21, "FATAL"),
        ] {
            let severity = Severity::of(level, target);
            assert_eq!((severity.number(), severity.text()), (number, text));
        }
    }
}
