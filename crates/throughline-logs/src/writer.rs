//! Where lines go.

mod blocking;
mod memory;
mod non_blocking;
mod output;
mod queue;
#[cfg(feature = "rolling")]
mod rolling;
mod sink;
mod stats;

use std::{sync::Arc, time::Duration};

#[cfg(feature = "rolling")]
pub use self::rolling::Rotation;
pub use self::{
    blocking::Blocking,
    memory::Memory,
    non_blocking::{NonBlocking, NonBlockingBuilder, SHUTDOWN_TIMEOUT, WriterGuard},
    output::Output,
    queue::QUEUE_BYTES_MAX,
    stats::WriterStats,
};

/// Takes finished lines.
///
/// Runs on the thread that logs. It must not panic, and must not log: what it cannot write, it counts.
pub trait Writer: Send + Sync + 'static {
    /// Takes one whole line, its `\n` included.
    fn write(&self, line: &[u8]);

    /// What has become of the lines so far.
    fn stats(&self) -> WriterStats;

    /// Waits until all lines taken so far have left, for `timeout` at most; says whether they have.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }
}

impl<W: Writer + ?Sized> Writer for Arc<W> {
    fn write(&self, line: &[u8]) {
        (**self).write(line);
    }

    fn stats(&self) -> WriterStats {
        (**self).stats()
    }

    fn flush(&self, timeout: Duration) -> bool {
        (**self).flush(timeout)
    }
}
