//! What has arrived, to be read and waited for.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use crate::{LogRecord, Metric, RequestInfo, Span, TraceId, WaitTimeout, limits::Limits, store::Store};

/// What a receiver has got: a handle to read it and to wait for more.
///
/// Cheap to clone, and readable after the receiver has stopped. Each method is a snapshot of its own; items are shared, not
/// copied.
#[derive(Clone, Debug)]
pub struct Received(Arc<Store>);

impl Received {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Store::new(limits)))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0
    }

    /// Every span that is kept, in the order of arrival.
    #[must_use]
    pub fn spans(&self) -> Vec<Arc<Span>> {
        self.0.shelves().spans.items.iter().cloned().collect()
    }

    /// Takes every span that is kept, in the order of arrival: a reader that calls this now and then can count what comes
    /// for hours, and little is ever held.
    ///
    /// Spans that were pushed out before are in [`dropped`](Self::dropped).
    ///
    /// ```
    /// use throughline_receiver::Receiver;
    ///
    /// let receiver = Receiver::start_blocking()?;
    /// let spans = receiver.received().take_spans();
    /// assert!(spans.is_empty());
    /// # Ok::<(), throughline_receiver::ReceiverError>(())
    /// ```
    #[must_use]
    pub fn take_spans(&self) -> Vec<Arc<Span>> {
        self.0.shelves().spans.take()
    }

    /// Every log record that is kept, in the order of arrival.
    #[must_use]
    pub fn logs(&self) -> Vec<Arc<LogRecord>> {
        self.0.shelves().logs.items.iter().cloned().collect()
    }

    /// Every metric that is kept, in the order of arrival: one entry for each time that it was exported.
    #[must_use]
    pub fn metrics(&self) -> Vec<Arc<Metric>> {
        self.0.shelves().metrics.items.iter().cloned().collect()
    }

    /// Every request that is remembered, whatever became of it, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestInfo> {
        self.0.shelves().requests.items.iter().cloned().collect()
    }

    /// The spans and log records of one trace, each in the order of arrival; empty if nothing of it is here.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Trace {
        let shelves = self.0.shelves();
        Trace {
            spans: shelves.spans.items.iter().filter(|span| span.trace_id == id).cloned().collect(),
            logs: shelves.logs.items.iter().filter(|record| record.trace_id == Some(id)).cloned().collect(),
        }
    }

    /// The traces of which there are spans, in the order in which their first span arrived.
    #[must_use]
    pub fn trace_ids(&self) -> Vec<TraceId> {
        let mut seen = HashSet::new();
        let shelves = self.0.shelves();
        shelves.spans.items.iter().map(|span| span.trace_id).filter(|id| seen.insert(*id)).collect()
    }

    /// How much is kept.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.shelves().counts()
    }

    /// How much was pushed out by what came later, because a limit was reached.
    #[must_use]
    pub fn dropped(&self) -> Counts {
        self.0.shelves().dropped()
    }

    /// Forgets everything, the count of what was pushed out too.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Waits until the condition holds. It is checked at once and whenever something arrives or a request is settled.
    ///
    /// # Errors
    ///
    /// [`WaitTimeout`] if it doesn't hold within that time; it says what has arrived.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    ///
    /// # Panics
    ///
    /// Without a tokio runtime that has its timer enabled.
    pub async fn wait_for(
        &self,
        mut condition: impl FnMut(&Self) -> bool,
        timeout: Duration,
    ) -> Result<(), WaitTimeout> {
        let waiting = self.0.wakeup.until(|| condition(self));
        tokio::time::timeout(timeout, waiting).await.map_err(|_| self.timeout(timeout))
    }

    /// The same without a runtime: blocks the thread.
    ///
    /// Not for a thread whose runtime the receiver lives on: nothing would arrive while it waits.
    ///
    /// # Errors
    ///
    /// [`WaitTimeout`] if the condition doesn't hold within that time.
    pub fn wait_for_blocking(
        &self,
        mut condition: impl FnMut(&Self) -> bool,
        timeout: Duration,
    ) -> Result<(), WaitTimeout> {
        let held = self.0.wakeup.until_blocking(timeout, || condition(self));
        if held { Ok(()) } else { Err(self.timeout(timeout)) }
    }

    /// Waits until at least so many spans are kept.
    ///
    /// # Errors
    ///
    /// As [`wait_for`](Self::wait_for).
    pub async fn wait_for_spans(&self, count: u64, timeout: Duration) -> Result<(), WaitTimeout> {
        self.wait_for(|received| received.counts().spans >= count, timeout).await
    }

    /// The same without a runtime: blocks the thread.
    ///
    /// # Errors
    ///
    /// As [`wait_for_blocking`](Self::wait_for_blocking).
    pub fn wait_for_spans_blocking(&self, count: u64, timeout: Duration) -> Result<(), WaitTimeout> {
        self.wait_for_blocking(|received| received.counts().spans >= count, timeout)
    }

    fn timeout(&self, waited: Duration) -> WaitTimeout {
        WaitTimeout { waited, counts: self.counts() }
    }
}

/// What belongs to one trace.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// Its spans, from whatever service.
    pub spans: Vec<Arc<Span>>,
    /// The log records that name it.
    pub logs: Vec<Arc<LogRecord>>,
}

/// Numbers of spans, log records, metric points and requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// How many spans.
    pub spans: u64,
    /// How many log records.
    pub logs: u64,
    /// How many metric points; a metric without any counts as one.
    pub metric_points: u64,
    /// How many requests.
    pub requests: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spans, logs, metric_points, requests } = self;
        write!(
            f,
            "{spans} spans, {logs} log records and {metric_points} metric points from {requests} requests"
        )
    }
}
