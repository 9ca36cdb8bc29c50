//! The hand-over between the threads that log and the one that writes.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::WriterStats;

/// The most bytes of lines that wait for the output, those that are being written included.
pub const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// With this much to write the writing thread starts at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// With less it waits this long for more: waking it costs the thread that logs more than its line does.
const LINGER: Duration = Duration::from_millis(5);

/// Lines on their way from any thread to the one that writes.
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to do for the writing thread.
    work: Condvar,
    /// The writing thread has done something.
    progress: Condvar,
    bytes_max: usize,
}

struct State {
    lines: Chunk,
    /// What the writing thread has taken and not yet reported on.
    in_flight: (u64, usize),
    /// Lines that were ever taken in.
    accepted: u64,
    stats: WriterStats,
    /// The writing thread wants to be woken when this many bytes are waiting.
    wake_at: usize,
    /// Somebody waits for the lines to leave.
    is_urgent: bool,
    is_closed: bool,
    is_finished: bool,
}

/// Some whole lines.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
}

/// Nobody has to be woken.
const ASLEEP_NEVER: usize = usize::MAX;

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        let state = State {
            lines: Chunk { bytes: Vec::with_capacity(CHUNK_BYTES.min(bytes_max)), lines: 0 },
            in_flight: (0, 0),
            accepted: 0,
            stats: WriterStats::new(),
            wake_at: ASLEEP_NEVER,
            is_urgent: false,
            is_closed: false,
            is_finished: false,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), progress: Condvar::new(), bytes_max }
    }

    /// Takes a line in, or counts it as lost where there is no room. Never waits for the output.
    #[inline]
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.state();
        let waiting = state.lines.bytes.len() + state.in_flight.1;
        if state.is_closed || line.len() > self.bytes_max.saturating_sub(waiting) {
            state.stats.lost += 1;
            state.stats.lost_bytes += line.len() as u64;
            return;
        }
        state.lines.bytes.extend_from_slice(line);
        state.lines.lines += 1;
        state.accepted += 1;
        if state.lines.bytes.len() >= state.wake_at {
            state.wake_at = ASLEEP_NEVER;
            drop(state);
            self.work.notify_one();
        }
    }

    /// Waits for lines and takes all of them, leaving `spare` to be filled next. `None` after the last.
    pub(super) fn take(&self, spare: Chunk) -> Option<Chunk> {
        let mut state = self.state();
        while state.lines.bytes.is_empty() {
            if state.is_closed {
                return None;
            }
            state.wake_at = 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.wake_at = CHUNK_BYTES;
        let is_waiting =
            |state: &mut State| !state.is_urgent && !state.is_closed && state.lines.bytes.len() < CHUNK_BYTES;
        let (mut state, _) =
            self.work.wait_timeout_while(state, LINGER, is_waiting).unwrap_or_else(PoisonError::into_inner);
        state.wake_at = ASLEEP_NEVER;
        state.is_urgent = false;
        let chunk = mem::replace(&mut state.lines, spare);
        state.in_flight = (chunk.lines, chunk.bytes.len());
        Some(chunk)
    }

    /// Reports on the chunk that was taken last.
    pub(super) fn settle(&self, lost_lines: u64, lost_bytes: usize, has_failed: bool) {
        let mut state = self.state();
        let (lines, _) = mem::take(&mut state.in_flight);
        state.stats.written += lines.saturating_sub(lost_lines);
        state.stats.lost += lost_lines;
        state.stats.lost_bytes += lost_bytes as u64;
        state.stats.write_errors += u64::from(has_failed);
        drop(state);
        self.progress.notify_all();
    }

    /// Says that the writing thread is gone; what still waits is lost.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.is_finished = true;
        state.lose_waiting();
        drop(state);
        self.progress.notify_all();
    }

    /// Waits until every line taken in so far has left or is lost.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let mut state = self.state();
        let wanted = state.accepted;
        let deadline = Instant::now().checked_add(timeout);
        while state.settled() < wanted && !state.is_finished {
            state.is_urgent = true;
            self.work.notify_one();
            let left =
                deadline.map_or(timeout, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            state = self.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.settled() >= wanted
    }

    /// Takes nothing more in and waits for the writing thread to end; what is waiting after `timeout` is lost.
    ///
    /// Says whether the thread has ended.
    pub(super) fn close(&self, timeout: Duration) -> bool {
        let mut state = self.state();
        state.is_closed = true;
        self.work.notify_one();
        let (mut state, _) = self
            .progress
            .wait_timeout_while(state, timeout, |state| !state.is_finished)
            .unwrap_or_else(PoisonError::into_inner);
        state.lose_waiting();
        state.is_finished
    }

    pub(super) fn stats(&self) -> WriterStats {
        let state = self.state();
        WriterStats { pending: state.lines.lines + state.in_flight.0, ..state.stats }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lines that were taken in and have left or are lost.
    const fn settled(&self) -> u64 {
        self.accepted - self.lines.lines - self.in_flight.0
    }

    fn lose_waiting(&mut self) {
        let lines = mem::take(&mut self.lines);
        self.stats.lost += lines.lines;
        self.stats.lost_bytes += lines.bytes.len() as u64;
    }
}
