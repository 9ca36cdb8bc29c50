//! Lines written by a thread of their own.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use throughline_core::suppress;

use super::{
    QUEUE_BYTES_MAX, Writer, WriterStats,
    queue::{Chunk, Queue},
    sink::Sink,
};

/// How long the drop of a [`WriterGuard`] waits for the output, unless set.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How often, a millisecond apart, an output that is not ready is asked again.
const OUTPUT_PATIENCE: u32 = 1_000;
/// A buffer that has grown beyond this is not kept after a burst.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// Hands lines to a thread that writes them, many at a time. Clones share that thread.
///
/// A line that finds no room is lost and counted: logging never waits for the output. An output that fails is tried
/// again with the next lines; the first failure is reported on the standard error, and all are counted.
///
/// ```
/// use throughline_logs::{NonBlocking, Writer};
/// use std::time::Duration;
///
/// let (writer, guard) = NonBlocking::builder().spawn(std::io::sink())?;
/// writer.write(b"{}\n");
/// assert!(writer.flush(Duration::from_secs(5)));
/// assert_eq!(writer.stats().written(), 1);
/// drop(guard);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct NonBlocking {
    queue: Arc<Queue>,
}

impl NonBlocking {
    /// Starts from the defaults.
    pub const fn builder() -> NonBlockingBuilder {
        NonBlockingBuilder { bytes_max: QUEUE_BYTES_MAX, shutdown_timeout: SHUTDOWN_TIMEOUT }
    }
}

impl Writer for NonBlocking {
    #[inline]
    fn write(&self, line: &[u8]) {
        self.queue.push(line);
    }

    fn stats(&self) -> WriterStats {
        self.queue.stats()
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.queue.flush(timeout)
    }
}

/// Settings of a [`NonBlocking`] writer; ends with [`spawn`](Self::spawn).
#[must_use = "nothing is written until `spawn` is called"]
#[derive(Clone, Debug)]
pub struct NonBlockingBuilder {
    bytes_max: usize,
    shutdown_timeout: Duration,
}

impl NonBlockingBuilder {
    /// The most bytes of lines that wait for the output; [`QUEUE_BYTES_MAX`] unless set.
    pub const fn bytes_max(mut self, bytes: usize) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// How long the drop of the guard waits for the output; [`SHUTDOWN_TIMEOUT`] unless set.
    pub const fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn spawn(self, out: impl Write + Send + 'static) -> io::Result<(NonBlocking, WriterGuard)> {
        let queue = Arc::new(Queue::new(self.bytes_max));
        let sink = Sink::new(Box::new(out), OUTPUT_PATIENCE);
        let thread = thread::Builder::new().name("throughline-logs".into()).spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue, sink)
        })?;
        let guard =
            WriterGuard { queue: Arc::clone(&queue), thread: Some(thread), timeout: self.shutdown_timeout };
        Ok((NonBlocking { queue }, guard))
    }
}

/// Writes what is left when dropped, and ends the thread.
///
/// The drop waits for at most the shutdown timeout; what the output has not taken by then is lost and counted, and so is
/// every line that comes later.
#[must_use = "lines are written only while the guard lives"]
pub struct WriterGuard {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    timeout: Duration,
}

impl WriterGuard {
    /// Writes what is left within `timeout`, and ends the thread. Says whether the output took it in time.
    pub fn shutdown(mut self, timeout: Duration) -> bool {
        self.end(timeout)
    }

    fn end(&mut self, timeout: Duration) -> bool {
        let Some(thread) = self.thread.take() else {
            return true;
        };
        let has_ended = self.queue.close(timeout);
        if has_ended {
            // A panic of the output is caught and counted where it happens: there is nothing to pass on here.
            let _joined = thread.join();
        }
        has_ended
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        self.end(self.timeout);
    }
}

/// What the writing thread does all its life.
fn work(queue: &Queue, mut sink: Sink) {
    // What the output logs must not come back as a line.
    let _unheard = suppress();
    let _finished = Finished(queue);
    let mut spare = Chunk::default();
    while let Some(mut chunk) = queue.take(spare) {
        match sink.write(&chunk.bytes) {
            Ok(()) => queue.settle(0, 0, false),
            Err(failed) => {
                let lost = after_last_line(&chunk.bytes, failed.after);
                queue.settle(lines_in(lost), lost.len(), true);
            }
        }
        chunk.bytes.clear();
        chunk.bytes.shrink_to(KEPT_BYTES_MAX);
        spare = Chunk { bytes: chunk.bytes, lines: 0 };
    }
}

/// Tells the queue however the thread ends.
struct Finished<'a>(&'a Queue);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// The lines of `bytes` that are not whole within its first `done` bytes.
fn after_last_line(bytes: &[u8], done: usize) -> &[u8] {
    let (written, _) = bytes.split_at_checked(done).unwrap_or((bytes, &[]));
    let whole = written.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    bytes.get(whole..).unwrap_or_default()
}

fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

impl fmt::Debug for NonBlocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonBlocking").field("stats", &self.stats()).finish()
    }
}

impl fmt::Debug for WriterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterGuard").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
