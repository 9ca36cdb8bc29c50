//! What a relay counts.

use std::sync::atomic::{AtomicU64, Ordering};

use throughline_core::{Metric, Pipeline, Value, semconv::error::ERROR_TYPE, semconv::own};

/// What a [`Relay`](super::Relay) has done and met since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayCounters {
    /// How often it has looked at the table with the lease in its hands.
    pub polls: u64,
    /// Events that were handed on.
    pub relayed: u64,
    /// Attempts that failed, were too slow, or panicked.
    pub failed: u64,
    /// Events that had no attempt left.
    pub dead: u64,
    /// Rows that are no events; they are dead, too.
    pub unreadable: u64,
    /// Events that were handed on while the database didn't take that down: if this relay dies before it does, they are
    /// handed on again.
    pub unmarked: u64,
    /// Statements that the database refused, or didn't answer in time.
    pub database_failures: u64,
    /// Leases that were found in other hands: this relay had stood still for longer than they last.
    pub leases_lost: u64,
    /// Relayed events that were deleted because of their age.
    pub deleted: u64,
    /// Times that old events could not be deleted; they are looked for again a minute later.
    pub cleaning_failures: u64,
    /// Closures for dead events that panicked.
    pub callback_panics: u64,
}

/// The counters behind [`RelayCounters`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) polls: Counter,
    pub(crate) relayed: Counter,
    pub(crate) failed: Counter,
    pub(crate) dead: Counter,
    pub(crate) unreadable: Counter,
    pub(crate) unmarked: Counter,
    pub(crate) database_failures: Counter,
    pub(crate) leases_lost: Counter,
    pub(crate) deleted: Counter,
    pub(crate) cleaning_failures: Counter,
    pub(crate) callback_panics: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn read(&self) -> RelayCounters {
        RelayCounters {
            polls: self.polls.read(),
            relayed: self.relayed.read(),
            failed: self.failed.read(),
            dead: self.dead.read(),
            unreadable: self.unreadable.read(),
            unmarked: self.unmarked.read(),
            database_failures: self.database_failures.read(),
            leases_lost: self.leases_lost.read(),
            deleted: self.deleted.read(),
            cleaning_failures: self.cleaning_failures.read(),
            callback_panics: self.callback_panics.read(),
        }
    }
}

/// Counts what became of an attempt, with few labels.
pub(crate) fn count(result: &'static str, error: Option<&'static str>) {
    let pipeline = Pipeline::current();
    let mut attributes: Vec<(&'static str, Value<'_>)> = vec![(own::OUTBOX_RESULT, result.into())];
    attributes.extend(error.map(|error| (ERROR_TYPE, error.into())));
    pipeline.record(Metric::OutboxRelays, 1.0, &attributes);
}
