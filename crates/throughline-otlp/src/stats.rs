//! What became of every span and log record: counters that add up.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// Why a span or a log record was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue held as much as it may.
    QueueFull,
    /// It came after shutdown.
    AlreadyShutdown,
    /// The Collector could not be reached for longer than the outage budget.
    OutageBudget,
    /// The Collector refused the batch for good.
    Refused,
    /// Alone, it is larger than a request may be.
    TooLarge,
    /// The deadline of the shutdown passed.
    ShutdownDeadline,
}

impl DropReason {
    pub(crate) const ALL: [Self; 6] = [
        Self::QueueFull,
        Self::AlreadyShutdown,
        Self::OutageBudget,
        Self::Refused,
        Self::TooLarge,
        Self::ShutdownDeadline,
    ];

    /// The reason as a word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::AlreadyShutdown => "already_shutdown",
            Self::OutageBudget => "outage_budget",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::ShutdownDeadline => "shutdown_deadline",
        }
    }
}

/// The live counters of one signal.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    accepted: AtomicU64,
    exported: AtomicU64,
    rejected: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    in_flight: AtomicU64,
    retries: AtomicU64,
    metrics_exported: AtomicU64,
    metrics_failed: AtomicU64,
    copies_failed: AtomicU64,
}

impl Stats {
    pub(crate) fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn drop(&self, reason: DropReason, spans: u64) {
        if let Some(counter) = self.dropped.get(reason as usize) {
            counter.fetch_add(spans, Ordering::Relaxed);
        }
    }

    pub(crate) fn start(&self, spans: u64) {
        self.in_flight.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, spans: u64) {
        self.in_flight.fetch_sub(spans, Ordering::Relaxed);
    }

    pub(crate) fn deliver(&self, exported: u64, rejected: u64) {
        self.exported.fetch_add(exported, Ordering::Relaxed);
        self.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn metrics(&self, delivered: bool) {
        let counter = if delivered { &self.metrics_exported } else { &self.metrics_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Copies of a batch, for a second place, that did not get there.
    pub(crate) fn copies(&self, failed: usize) {
        self.copies_failed.fetch_add(failed as u64, Ordering::Relaxed);
    }

    /// How many copies did not get there.
    pub(crate) fn copies_failed(&self) -> u64 {
        self.copies_failed.load(Ordering::Relaxed)
    }

    /// The counters of records now, with what the queue holds.
    pub(crate) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let dropped = self.dropped.each_ref().map(read);
        let (exported, rejected, in_flight) =
            (read(&self.exported), read(&self.rejected), read(&self.in_flight));
        let accepted = read(&self.accepted);
        let gone = exported + rejected + in_flight + dropped.iter().sum::<u64>();
        Counts {
            accepted,
            exported,
            rejected,
            dropped,
            in_flight,
            queued: accepted.saturating_sub(gone),
            retries: read(&self.retries),
        }
    }

    /// All counters now, with those of log records, which have a queue of their own.
    pub(crate) fn report(&self, logs: Option<&Self>) -> Report {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Report {
            spans: self.counts(),
            logs: logs.map(Self::counts).unwrap_or_default(),
            copies_failed: self.copies_failed() + logs.map_or(0, Self::copies_failed),
            metrics_exported: read(&self.metrics_exported),
            metrics_failed: read(&self.metrics_failed),
        }
    }
}

/// What became of the records of one signal so far:
/// `accepted = exported + rejected + dropped by reason + queued + in flight`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    accepted: u64,
    exported: u64,
    rejected: u64,
    dropped: [u64; DropReason::ALL.len()],
    in_flight: u64,
    queued: u64,
    retries: u64,
}

impl Counts {
    /// Records that were finished and handed to the pipeline, dropped ones included.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Records that the Collector took.
    #[must_use]
    pub const fn exported(&self) -> u64 {
        self.exported
    }

    /// Records that the Collector answered it had rejected (partial success).
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Records dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or_default()
    }

    /// Records that wait.
    #[must_use]
    pub const fn queued(&self) -> u64 {
        self.queued
    }

    /// Records in a request that has not been answered.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Requests that were sent again.
    #[must_use]
    pub const fn retries(&self) -> u64 {
        self.retries
    }

    /// Records that did not arrive and will not.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.rejected + self.dropped.iter().sum::<u64>()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted, {} exported", self.accepted, self.exported)?;
        if self.rejected > 0 {
            write!(f, ", {} rejected", self.rejected)?;
        }
        for reason in DropReason::ALL {
            if self.dropped(reason) > 0 {
                write!(f, ", {} dropped ({})", self.dropped(reason), reason.as_str())?;
            }
        }
        if self.queued + self.in_flight > 0 {
            write!(f, ", {} queued, {} in flight", self.queued, self.in_flight)?;
        }
        Ok(())
    }
}

/// What became of everything so far. Its own numbers are those of spans; [`logs`](Self::logs) has those of log records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    spans: Counts,
    logs: Counts,
    metrics_exported: u64,
    metrics_failed: u64,
    copies_failed: u64,
}

impl Report {
    /// What became of log records; all zero where they are not exported.
    #[must_use]
    pub const fn logs(&self) -> &Counts {
        &self.logs
    }

    /// Spans that were finished and handed to the pipeline, dropped ones included.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.spans.accepted()
    }

    /// Spans that the Collector took.
    #[must_use]
    pub const fn exported(&self) -> u64 {
        self.spans.exported()
    }

    /// Spans that the Collector answered it had rejected (partial success).
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.spans.rejected()
    }

    /// Spans dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.spans.dropped(reason)
    }

    /// Spans that wait.
    #[must_use]
    pub const fn queued(&self) -> u64 {
        self.spans.queued()
    }

    /// Spans in a request that has not been answered.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.spans.in_flight()
    }

    /// Requests with spans that were sent again.
    #[must_use]
    pub const fn retries(&self) -> u64 {
        self.spans.retries()
    }

    /// Metric exports that the Collector took.
    #[must_use]
    pub const fn metrics_exported(&self) -> u64 {
        self.metrics_exported
    }

    /// Metric exports that failed.
    #[must_use]
    pub const fn metrics_failed(&self) -> u64 {
        self.metrics_failed
    }

    /// Batches that did not get to a second place, on the console or in a file.
    #[must_use]
    pub const fn copies_failed(&self) -> u64 {
        self.copies_failed
    }

    /// Spans and log records that did not arrive and will not.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.spans.lost() + self.logs.lost()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spans: {}", self.spans)?;
        if self.logs.accepted > 0 {
            write!(f, "; log records: {}", self.logs)?;
        }
        if self.metrics_failed > 0 {
            write!(f, "; {} metric exports failed", self.metrics_failed)?;
        }
        if self.copies_failed > 0 {
            write!(f, "; {} copies failed", self.copies_failed)?;
        }
        Ok(())
    }
}
