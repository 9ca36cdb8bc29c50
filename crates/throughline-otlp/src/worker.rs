//! The export thread: batches, sends, retries within the outage budget, ends on time.

use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use throughline_core::DIAGNOSTICS_TARGET;
use tokio::{sync::watch, time::timeout_at};

use crate::{
    backoff::Backoff,
    encode::{request::Envelope, wire::split_field},
    queue::{Chunk, Queue},
    seldom::Seldom,
    stats::DropReason,
    transport::{Answer, Prepared, Transports},
};

/// Records are cut into batches here, so that large ones don't become one huge body: with what is around them, a request
/// stays below the 4 MiB that a gRPC server takes unless told otherwise.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024 - 64 * 1024;

/// What the guard asks of the worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Orders {
    /// Export everything that was queued when this number was raised.
    pub(crate) flush: u64,
    /// End, at this time at the latest.
    pub(crate) end: Option<Instant>,
}

/// What runs on the export thread, once for spans and once for log records.
pub(crate) struct Worker {
    pub(crate) queue: Arc<Queue>,
    pub(crate) envelope: Envelope,
    pub(crate) transports: Transports,
    pub(crate) delay: Duration,
    pub(crate) batch_len: usize,
    pub(crate) request_bytes_max: usize,
    pub(crate) outage_budget: Duration,
    pub(crate) orders: watch::Receiver<Orders>,
    pub(crate) flushed: watch::Sender<u64>,
    pub(crate) failing: bool,
    pub(crate) losses: Seldom,
    pub(crate) copy_losses: Seldom,
}

/// Records that are sent together: slices of what the queue held, not copies.
#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    bytes: usize,
    records: u64,
}

impl Worker {
    /// Runs until it is told to end.
    pub(crate) async fn run(mut self) {
        loop {
            self.wait().await;
            let orders = *self.orders.borrow_and_update();
            let mut batches = self.batches();
            while let Some(batch) = batches.pop_front() {
                self.export(batch).await;
            }
            self.flushed.send_replace(orders.flush);
            if orders.end.is_some() {
                return self.last_words();
            }
        }
    }

    /// Until there is a batch, the delay has passed, or somebody asks for something.
    async fn wait(&mut self) {
        if self.orders.has_changed().unwrap_or(true) {
            return;
        }
        tokio::select! {
            () = self.queue.wake.notified() => {}
            () = tokio::time::sleep(self.delay) => {}
            _ = self.orders.changed() => self.orders.mark_changed(),
        }
    }

    fn batches(&self) -> VecDeque<Batch> {
        let mut batches = VecDeque::new();
        let bytes_max = BATCH_BYTES_MAX.min(self.request_bytes_max);
        for chunk in self.queue.drain() {
            split(chunk, self.batch_len, bytes_max, &mut batches);
        }
        batches
    }

    async fn export(&mut self, batch: Batch) {
        let (bytes, records) = (batch.bytes, batch.records);
        self.queue.stats.start(records);
        let result = self.deliver(batch).await;
        self.queue.stats.end(records);
        self.queue.release(bytes);
        match result {
            Ok(rejected) => {
                let rejected = rejected.min(records);
                self.queue.stats.deliver(records - rejected, rejected);
            }
            Err((reason, why)) => {
                self.queue.stats.drop(reason, records);
                if let Some(records) = self.losses.add(records, Instant::now()) {
                    let kind = self.queue.kind.as_str();
                    tracing::warn!(target: DIAGNOSTICS_TARGET, records, reason = reason.as_str(), why, "{kind} lost");
                }
            }
        }
    }

    /// Sends a batch where it is to arrive, and copies of it elsewhere. The bodies are made once.
    async fn deliver(&mut self, batch: Batch) -> Result<u64, (DropReason, String)> {
        let body = self.envelope.pieces(batch.pieces);
        let len: usize = body.iter().map(Bytes::len).sum();
        if len > self.request_bytes_max {
            return Err((DropReason::TooLarge, format!("{len} bytes")));
        }
        let body = self.transports.prepare(&body).map_err(|why| (DropReason::Refused, why))?;
        let result = self.until_taken(&body).await;
        self.copy(&body).await;
        result
    }

    /// Sends a request until it is taken, refused for good, or out of time.
    async fn until_taken(&mut self, body: &Prepared) -> Result<u64, (DropReason, String)> {
        // A receiver of its own: what hurries this batch is still news to the loop in `run`.
        let mut hurry = self.orders.clone();
        let mut gives_up = None;
        let mut backoff = Backoff::new();
        loop {
            let Some(answer) = self.before_the_end(body).await else {
                return Err((DropReason::ShutdownDeadline, "no answer in time".to_owned()));
            };
            let (after, why) = match answer {
                Answer::Delivered { rejected, message } => {
                    self.recovered(rejected, &message);
                    return Ok(rejected);
                }
                Answer::Never { why } => return Err((DropReason::Refused, why)),
                Answer::Later { after, why } => (after, why),
            };
            self.failed(&why);
            let now = Instant::now();
            let gives_up = *gives_up.get_or_insert(now + self.outage_budget);
            let left = gives_up.saturating_duration_since(now);
            if left.is_zero() || after.is_some_and(|after| after > left) {
                return Err((DropReason::OutageBudget, why));
            }
            // The last try is at the end of the budget, however long the backoff has become.
            let pause = backoff.next(after).min(left);
            let hurry = after.is_none().then_some(&mut hurry);
            if !self.pause(pause, hurry).await {
                return Err((DropReason::ShutdownDeadline, why));
            }
            self.queue.stats.retry();
        }
    }

    /// Sends once; `None` when the end comes first.
    async fn before_the_end(&mut self, body: &Prepared) -> Option<Answer> {
        let Self { transports, orders, .. } = self;
        tokio::select! {
            answer = transports.send(body) => Some(answer),
            () = end(orders) => None,
        }
    }

    /// Sends the copies, once: they are for reading along, not for keeping.
    async fn copy(&mut self, body: &Prepared) {
        let Self { transports, orders, .. } = self;
        let problems = tokio::select! {
            // Where there are no copies, none is lost, however late it is.
            biased;
            problems = transports.copy(body) => problems,
            () = end(orders) => vec!["no time left".to_owned()],
        };
        self.queue.stats.copies(problems.len());
        let Some(why) = problems.first() else { return };
        if let Some(batches) = self.copy_losses.add(problems.len() as u64, Instant::now()) {
            let kind = self.queue.kind.as_str();
            tracing::warn!(target: DIAGNOSTICS_TARGET, batches, why, "copies of {kind} lost");
        }
    }

    /// What was not said because it had been said shortly before.
    fn last_words(&mut self) {
        if let Some(records) = self.losses.rest() {
            let kind = self.queue.kind.as_str();
            tracing::warn!(target: DIAGNOSTICS_TARGET, records, "more {kind} lost");
        }
    }

    /// Waits; false when the end comes first. A flush or a shutdown cuts short a pause that the Collector did not ask for.
    async fn pause(&mut self, pause: Duration, hurry: Option<&mut watch::Receiver<Orders>>) -> bool {
        let hurried = async {
            if let Some(orders) = hurry
                && orders.changed().await.is_ok()
            {
                return;
            }
            std::future::pending().await
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = hurried => true,
            () = end(&mut self.orders) => false,
        }
    }

    /// Says once that the Collector cannot be reached, and once that it can again.
    fn failed(&mut self, why: &str) {
        if !mem::replace(&mut self.failing, true) {
            let kind = self.queue.kind.as_str();
            tracing::warn!(target: DIAGNOSTICS_TARGET, why, "export fails; {kind} are kept and sent again");
        }
    }

    fn recovered(&mut self, rejected: u64, message: &str) {
        if mem::take(&mut self.failing) {
            tracing::info!(target: DIAGNOSTICS_TARGET, "export of {} works again", self.queue.kind.as_str());
        }
        if rejected > 0 || !message.is_empty() {
            tracing::warn!(target: DIAGNOSTICS_TARGET, rejected, message, "the collector took only a part");
        }
    }
}

/// Until the deadline of the shutdown, once there is one.
async fn end(orders: &mut watch::Receiver<Orders>) {
    let mut orders = orders.clone();
    let end = match orders.wait_for(|orders| orders.end.is_some()).await {
        Ok(orders) => orders.end,
        // The guard is gone without a word: nobody waits any more.
        Err(_) => return,
    };
    if let Some(end) = end {
        let _elapsed = timeout_at(end.into(), std::future::pending::<()>()).await;
    }
}

/// Cuts a chunk at record boundaries, by number and by size; a batch that has room takes what comes.
fn split(chunk: Chunk, batch_len: usize, bytes_max: usize, batches: &mut VecDeque<Batch>) {
    let bytes = Bytes::from(chunk.bytes);
    let (mut start, mut end) = (0, 0);
    let mut open = batches.pop_back().unwrap_or_default();
    while let Some(len) = bytes.get(end..).and_then(record_len) {
        let is_full = open.records >= batch_len as u64 || open.bytes + len > bytes_max;
        if is_full && open.records > 0 {
            open.take(bytes.slice(start..end));
            batches.push_back(mem::take(&mut open));
            start = end;
        }
        end += len;
        open.bytes += len;
        open.records += 1;
    }
    open.take(bytes.slice(start..end));
    if open.records > 0 {
        batches.push_back(open);
    }
}

impl Batch {
    fn take(&mut self, records: Bytes) {
        if !records.is_empty() {
            self.pieces.push(records);
        }
    }
}

/// The length of the record at the front, with its tag and length.
fn record_len(bytes: &[u8]) -> Option<usize> {
    split_field(bytes).map(|(_, after)| bytes.len() - after.len())
}
