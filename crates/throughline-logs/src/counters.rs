//! What became of the lines: numbers that can be read at any time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::{Writer, WriterStats, format::Tally};

/// Reads the counters of a [`JsonLayer`](crate::JsonLayer) after the layer itself has gone into a subscriber.
#[derive(Clone)]
pub struct LogCounters(Arc<Inner>);

struct Inner {
    truncated: AtomicU64,
    dropped_fields: AtomicU64,
    format_failures: AtomicU64,
    suppressed: AtomicU64,
    writer: Arc<dyn Writer>,
}

impl LogCounters {
    pub(crate) fn new(writer: Arc<dyn Writer>) -> Self {
        let zero = AtomicU64::default;
        Self(Arc::new(Inner {
            truncated: zero(),
            dropped_fields: zero(),
            format_failures: zero(),
            suppressed: zero(),
            writer,
        }))
    }

    /// The numbers as they are now.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        LogStats {
            truncated: self.0.truncated.load(Relaxed),
            dropped_fields: self.0.dropped_fields.load(Relaxed),
            format_failures: self.0.format_failures.load(Relaxed),
            suppressed: self.0.suppressed.load(Relaxed),
            writer: self.0.writer.stats(),
        }
    }

    pub(crate) fn suppress(&self) {
        self.0.suppressed.fetch_add(1, Relaxed);
    }

    #[inline]
    pub(crate) fn add(&self, tally: Tally) {
        for (counter, count) in [
            (&self.0.truncated, tally.truncated),
            (&self.0.dropped_fields, tally.dropped),
            (&self.0.format_failures, tally.failed),
        ] {
            if count > 0 {
                counter.fetch_add(count, Relaxed);
            }
        }
    }
}

impl fmt::Debug for LogCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stats().fmt(f)
    }
}

/// What has become of the lines of one layer.
///
/// Lines are conserved: each one that was begun is written, lost or pending. What the writer counts includes the lines
/// of other layers that share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    truncated: u64,
    dropped_fields: u64,
    format_failures: u64,
    suppressed: u64,
    writer: WriterStats,
}

impl LogStats {
    /// Lines that reached the output.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.writer.written()
    }

    /// Lines that did not, and never will.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.writer.lost()
    }

    /// The bytes of the lost lines.
    #[must_use]
    pub const fn lost_bytes(&self) -> u64 {
        self.writer.lost_bytes()
    }

    /// Lines that wait for the output or are being written.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.writer.pending()
    }

    /// How often the output failed. The lines that it took with it are among the lost ones.
    #[must_use]
    pub const fn write_errors(&self) -> u64 {
        self.writer.write_errors()
    }

    /// Values that were cut at the limit, as each line says with `log.truncated`.
    #[must_use]
    pub const fn truncated(&self) -> u64 {
        self.truncated
    }

    /// Fields that were left out, as each line says with `log.dropped_fields`.
    #[must_use]
    pub const fn dropped_fields(&self) -> u64 {
        self.dropped_fields
    }

    /// Lines that were left out by the rate limit, as the next line like them says with `log.suppressed`. They were never
    /// begun, and so are not among the lost ones.
    #[must_use]
    pub const fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Values whose own formatting failed or panicked; a marker stands in their place.
    #[must_use]
    pub const fn format_failures(&self) -> u64 {
        self.format_failures
    }
}
