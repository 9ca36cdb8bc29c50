//! The exporter: set up once, flushed and ended by its guard.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use opentelemetry_sdk::metrics::SdkMeterProvider;
use throughline_core::{DIAGNOSTICS_TARGET, Recorder};
use tokio::sync::watch;

use crate::{log_layer::LogSink, queue::Queue, span_layer::SpanSink, stats::Report, worker::Orders};

/// How long a dropped guard waits for the last spans.
pub const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// The way out of one program: a queue for spans, another for log records, an export thread, and the counters of all.
///
/// Dropping it flushes for up to [`DROP_TIMEOUT`] and logs a report if something was lost.
pub struct Exporter {
    pub(crate) queue: Arc<Queue>,
    pub(crate) logs: Option<Arc<Queue>>,
    pub(crate) orders: watch::Sender<Orders>,
    /// How far each worker has come.
    pub(crate) flushed: Vec<watch::Receiver<u64>>,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) done: watch::Receiver<bool>,
    pub(crate) metrics: Option<SdkMeterProvider>,
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
}

impl Exporter {
    /// Where a span layer hands over its spans.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn SpanSink> {
        Arc::clone(&self.queue) as Arc<dyn SpanSink>
    }

    /// Where a log layer hands over its records, if they are exported.
    #[must_use]
    pub fn log_sink(&self) -> Option<Arc<dyn LogSink>> {
        self.logs.clone().map(|logs| logs as Arc<dyn LogSink>)
    }

    /// Where hops record their measurements, if metrics are on.
    #[must_use]
    pub fn recorder(&self) -> Option<Arc<dyn Recorder>> {
        self.recorder.clone()
    }

    /// What became of every span and log record so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.queue.stats.report(self.logs.as_ref().map(|logs| &logs.stats))
    }

    /// Sends everything that is queued now; false when that took longer than `limit`.
    pub async fn flush(&self, limit: Duration) -> bool {
        self.flusher().flush(limit).await
    }

    /// What others need to flush without the guard.
    pub(crate) fn flusher(&self) -> Flusher {
        Flusher { orders: self.orders.clone(), flushed: self.flushed.clone() }
    }

    /// Stops taking records, sends what is queued until `deadline`, and reports what did not arrive.
    ///
    /// Works on any runtime and does not block it. A second call reports the same.
    pub async fn shutdown(&self, deadline: Duration) -> Report {
        let end = self.begin_end(deadline);
        let (sender, mut metrics) = tokio::sync::oneshot::channel();
        self.end_metrics(deadline, move || {
            let _nobody_waits = sender.send(());
        });
        tokio::select! {
            _ = &mut metrics => {}
            () = elapsed(deadline) => {}
        }
        self.end_at(end);
        let mut done = self.done.clone();
        let ended = async {
            let _worker = done.wait_for(|done| *done).await;
            if !metrics.is_terminated() {
                let _failed_now = metrics.await;
            }
        };
        tokio::select! {
            () = ended => {}
            () = elapsed(end.saturating_duration_since(Instant::now()) + GRACE) => {}
        }
        self.report()
    }

    /// [`shutdown`](Self::shutdown) that blocks the calling thread.
    pub fn shutdown_blocking(&self, deadline: Duration) -> Report {
        let end = self.begin_end(deadline);
        let (sender, metrics) = std::sync::mpsc::channel();
        self.end_metrics(deadline, move || {
            let _nobody_waits = sender.send(());
        });
        let in_time = metrics.recv_timeout(deadline).is_ok();
        self.end_at(end);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread ends at the deadline at the latest.
            let _ended = thread.join();
        }
        if !in_time {
            // Without the export thread's runtime the last export fails now, and is counted.
            let _failed_now = metrics.recv_timeout(GRACE);
        }
        self.report()
    }

    /// Spans are refused from now on, and those that wait are on their way while the metrics end.
    fn begin_end(&self, deadline: Duration) -> Instant {
        for queue in [Some(&self.queue), self.logs.as_ref()].into_iter().flatten() {
            queue.close();
        }
        self.orders.send_modify(|orders| orders.flush += 1);
        Instant::now() + deadline
    }

    /// Collects and exports one last time, then calls `ended`. Failures are in the report; a second call does nothing.
    ///
    /// On a thread of its own: the SDK's reader waits five seconds for an answer, whatever the deadline.
    fn end_metrics(&self, deadline: Duration, ended: impl FnOnce() + Send + 'static) {
        let Some(metrics) = self.metrics.clone() else {
            return ended();
        };
        std::thread::spawn(move || {
            let _counted = metrics.shutdown_with_timeout(deadline);
            ended();
        });
    }

    /// The export thread outlives the metrics: their last export needs its runtime.
    fn end_at(&self, end: Instant) {
        self.orders.send_modify(|orders| {
            orders.end.get_or_insert(end);
        });
    }
}

/// Asks the export thread to send what waits.
#[derive(Clone, Debug)]
pub(crate) struct Flusher {
    orders: watch::Sender<Orders>,
    flushed: Vec<watch::Receiver<u64>>,
}

impl Flusher {
    async fn flush(&self, limit: Duration) -> bool {
        let mut ticket = 0;
        self.orders.send_modify(|orders| {
            orders.flush += 1;
            ticket = orders.flush;
        });
        let done = async {
            for mut flushed in self.flushed.clone() {
                if flushed.wait_for(|done| *done >= ticket).await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::select! {
            done = done => done,
            () = elapsed(limit) => false,
        }
    }

    /// The same, on a thread without a runtime or with any: nothing here needs one.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn flush_blocking(&self, limit: Duration) -> bool {
        let waker = Arc::new(Unpark(std::thread::current())).into();
        let mut context = std::task::Context::from_waker(&waker);
        let mut flush = std::pin::pin!(self.flush(limit));
        loop {
            match flush.as_mut().poll(&mut context) {
                std::task::Poll::Ready(flushed) => return flushed,
                std::task::Poll::Pending => std::thread::park(),
            }
        }
    }
}

/// Wakes a thread that is parked.
#[cfg(feature = "opentelemetry")]
struct Unpark(std::thread::Thread);

#[cfg(feature = "opentelemetry")]
impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What the export thread may need beyond the deadline to notice it.
const GRACE: Duration = Duration::from_millis(500);

/// A timer that needs no runtime: on a thread, since the application's runtime may have no timers. The thread ends as
/// soon as nobody waits any more.
async fn elapsed(limit: Duration) {
    let (rings, ring) = tokio::sync::oneshot::channel::<()>();
    let (_waiting, given_up) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _nothing_is_sent = given_up.recv_timeout(limit);
        drop(rings);
    });
    let _dropped = ring.await;
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let report = self.shutdown_blocking(DROP_TIMEOUT);
        if report.lost() > 0 {
            tracing::warn!(target: DIAGNOSTICS_TARGET, %report, "telemetry was lost");
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("report", &self.report()).finish_non_exhaustive()
    }
}
