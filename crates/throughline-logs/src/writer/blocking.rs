//! Lines written where they are logged.

use std::{
    cell::Cell,
    fmt,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use throughline_core::suppress;

use super::{Writer, WriterStats, sink::Sink};

/// Writes each line at once, on the thread that logs it, one thread at a time.
///
/// Nothing is lost that the output takes, and a slow output slows the application down: for command-line tools and
/// tests. What the output itself logs while it writes is not written. Clones share the output.
#[derive(Clone)]
pub struct Blocking(Arc<Mutex<Inner>>);

struct Inner {
    sink: Sink,
    stats: WriterStats,
}

thread_local! {
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

impl Blocking {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static) -> Self {
        let sink = Sink::new(Box::new(out), 0);
        Self(Arc::new(Mutex::new(Inner { sink, stats: WriterStats::new() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer for Blocking {
    fn write(&self, line: &[u8]) {
        // An output that logs while it writes would wait for itself.
        if WRITES.replace(true) {
            return;
        }
        let _unheard = suppress();
        let mut inner = self.inner();
        match inner.sink.write(line) {
            Ok(()) => inner.stats.written += 1,
            Err(_) => {
                inner.stats.write_errors += 1;
                inner.stats.lost += 1;
                inner.stats.lost_bytes += line.len() as u64;
            }
        }
        drop(inner);
        WRITES.set(false);
    }

    fn stats(&self) -> WriterStats {
        self.inner().stats
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}
