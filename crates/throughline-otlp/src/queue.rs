//! Finished spans, or log records, on their way to the export thread: bounded, never blocking.

use std::{
    cell::Cell,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{
    log_layer::LogSink,
    signal_kind::SignalKind,
    span_layer::SpanSink,
    stats::{DropReason, Stats},
};

/// What the queue holds at most, in bytes: 60 s at 1,000 spans/s of 1 KiB, as the outage budget asks.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Threads that append to the same buffer meet at its lock; this many buffers keep them apart.
const SHARDS: usize = 8;

/// The queue: one short append on the request's thread, everything else on the export thread.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) kind: SignalKind,
    shards: [Mutex<Chunk>; SHARDS],
    bytes: AtomicUsize,
    records: AtomicUsize,
    bytes_max: usize,
    len_max: usize,
    wake_at: usize,
    closed: AtomicBool,
    pub(crate) wake: Notify,
    pub(crate) stats: Stats,
}

/// Encoded records, one after the other, each a field of `ScopeSpans` or `ScopeLogs` with its tag and length.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: usize,
}

impl Chunk {
    /// What is there; as much room as it took stays, up to a limit, since the next spans will want it again.
    fn take(&mut self) -> Self {
        let room = Vec::with_capacity(self.bytes.len().min(KEPT_ROOM_MAX));
        Self { bytes: std::mem::replace(&mut self.bytes, room), records: std::mem::take(&mut self.records) }
    }
}

/// The room that a buffer keeps, in bytes.
const KEPT_ROOM_MAX: usize = 256 * 1024;

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
}

static NEXT_SHARD: AtomicUsize = AtomicUsize::new(0);

impl Queue {
    pub(crate) fn new(kind: SignalKind, bytes_max: usize, len_max: usize, wake_at: usize) -> Arc<Self> {
        Arc::new(Self {
            kind,
            shards: Default::default(),
            bytes: AtomicUsize::new(0),
            records: AtomicUsize::new(0),
            bytes_max,
            len_max,
            // A queue that is full before a batch is must not wait for more.
            wake_at: wake_at.min(len_max),
            closed: AtomicBool::new(false),
            wake: Notify::new(),
            stats: Stats::default(),
        })
    }

    /// From now on, records are counted and dropped.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Takes everything that waits. The bytes stay accounted for until [`release`](Self::release).
    pub(crate) fn drain(&self) -> Vec<Chunk> {
        let chunks = self.shards.iter().map(|shard| locked(shard).take());
        let chunks: Vec<_> = chunks.filter(|chunk| chunk.records > 0).collect();
        let taken = chunks.iter().map(|chunk| chunk.records).sum();
        self.records.fetch_sub(taken, Ordering::Relaxed);
        chunks
    }

    /// Bytes that have left the process, or were given up.
    pub(crate) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn reserve(&self, len: usize) -> bool {
        let before = self.bytes.fetch_add(len, Ordering::Relaxed);
        let fits = before + len <= self.bytes_max;
        if !fits {
            self.bytes.fetch_sub(len, Ordering::Relaxed);
        }
        fits
    }
}

impl SpanSink for Queue {
    fn refuse(&self) {
        self.stats.accept();
        self.stats.drop(DropReason::AlreadyShutdown, 1);
    }

    fn accept(&self, span: &[u8]) {
        self.push(span);
    }
}

impl LogSink for Queue {
    fn accept(&self, log: &[u8]) {
        self.push(log);
    }
}

impl Queue {
    /// One short append, or one more on a counter.
    fn push(&self, record: &[u8]) {
        self.stats.accept();
        if self.closed.load(Ordering::Acquire) {
            return self.stats.drop(DropReason::AlreadyShutdown, 1);
        }
        if !self.reserve(record.len()) {
            return self.stats.drop(DropReason::QueueFull, 1);
        }
        let Some(shard) = self.shards.get(own_shard()) else { return };
        // Counted before it can be drained: what is taken away was always added first.
        let waiting = self.records.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if waiting > self.len_max {
            self.records.fetch_sub(1, Ordering::Relaxed);
            self.release(record.len());
            return self.stats.drop(DropReason::QueueFull, 1);
        }
        {
            let mut chunk = locked(shard);
            // Asked again under the lock: after the last drain nothing may be put in that nobody takes out.
            if self.closed.load(Ordering::Acquire) {
                drop(chunk);
                self.records.fetch_sub(1, Ordering::Relaxed);
                self.release(record.len());
                return self.stats.drop(DropReason::AlreadyShutdown, 1);
            }
            chunk.bytes.extend_from_slice(record);
            chunk.records += 1;
        }
        if waiting == self.wake_at {
            self.wake.notify_one();
        }
    }
}

/// The buffer of this thread, dealt out in turn.
fn own_shard() -> usize {
    let shard = SHARD.try_with(Cell::get).unwrap_or(0);
    if shard < SHARDS {
        return shard;
    }
    let dealt = NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS;
    let _torn_down = SHARD.try_with(|own| own.set(dealt));
    dealt
}

/// Nothing that runs under the lock can panic halfway, so a poisoned one is as good as any.
fn locked(shard: &Mutex<Chunk>) -> MutexGuard<'_, Chunk> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
