//! The token buckets of lines that are alike, in bounded memory and without a lock.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use throughline_core::{DIAGNOSTICS_TARGET, PANIC_TARGET};
use tracing::{
    Event,
    field::{Field, Visit},
};

use crate::{LineRate, RateKey, RateLimit, limits::Limits, line::MESSAGE, value::Raw};

/// How many kinds of lines have a bucket at once. The lines of a kind that finds none are not limited.
pub const RATE_BUCKETS_MAX: usize = 4096;
/// In how many places a bucket may stand.
const PROBES: usize = 16;

pub(crate) struct Throttle {
    policy: Box<dyn RateLimit>,
    key: RateKey,
    buckets: Vec<Bucket>,
}

/// The bucket of one kind of lines.
///
/// It needs no timer: all it keeps is when it will be full again. A line moves that time on by one interval, and passes if
/// it was not further away than the burst allows.
#[derive(Default)]
struct Bucket {
    /// What the lines have in common; 0 where the place is free.
    kind: AtomicU64,
    full_at: AtomicU64,
    /// Lines that were left out since the last one that passed.
    suppressed: AtomicU64,
}

/// Whether a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is, and says how many like it were left out before.
    Passes {
        suppressed: u64,
    },
    Suppressed,
}

impl Throttle {
    pub(crate) fn new(policy: Box<dyn RateLimit>, key: RateKey) -> Self {
        let buckets = (0..RATE_BUCKETS_MAX).map(|_| Bucket::default()).collect();
        Self { policy, key, buckets }
    }

    /// Whether the line of `event`, whose true target is given, is written now.
    pub(crate) fn admit(&self, event: &Event<'_>, target: &str, now: u64, limits: &Limits) -> Admission {
        let passes = Admission::Passes { suppressed: 0 };
        // What must not be missed: what is lost elsewhere, and why the program ends.
        if target == DIAGNOSTICS_TARGET || target == PANIC_TARGET {
            return passes;
        }
        let Some(rate) = self.policy.rate(event.metadata()) else { return passes };
        match self.bucket(self.kind(event, target, limits), now) {
            Some(bucket) => bucket.admit(rate, now),
            None => passes,
        }
    }

    fn kind(&self, event: &Event<'_>, target: &str, limits: &Limits) -> u64 {
        let mut hasher = DefaultHasher::new();
        event.metadata().callsite().hash(&mut hasher);
        target.hash(&mut hasher);
        if self.key == RateKey::Message {
            let mut message = Message { text: Vec::new(), limits };
            event.record(&mut message);
            message.text.hash(&mut hasher);
        }
        hasher.finish().max(1)
    }

    /// The bucket of a kind: its own, a free one, or one that is full and so has nothing to remember.
    fn bucket(&self, kind: u64, now: u64) -> Option<&Bucket> {
        let len = self.buckets.len().max(1);
        let first = usize::try_from(kind % len as u64).unwrap_or_default();
        let places = || self.buckets.iter().cycle().skip(first).take(PROBES.min(len));
        let own = places().find(|bucket| match bucket.kind.compare_exchange(0, kind, Relaxed, Relaxed) {
            Ok(_) => true,
            Err(known) => known == kind,
        });
        own.or_else(|| places().find(|bucket| bucket.take_over(kind, now)))
    }
}

impl Bucket {
    fn admit(&self, rate: LineRate, now: u64) -> Admission {
        let room = rate.interval_nanos.saturating_mul(u64::from(rate.burst) - 1);
        let latest = now.saturating_add(room);
        let moved_on = self.full_at.fetch_update(Relaxed, Relaxed, |full_at| {
            // Further away than any line can have moved it: the clock was set back, or the rate has changed.
            let is_possible = full_at <= latest.saturating_add(rate.interval_nanos);
            let full_at = if is_possible { full_at.max(now) } else { now };
            (full_at <= latest).then(|| full_at.saturating_add(rate.interval_nanos))
        });
        if moved_on.is_ok() {
            return Admission::Passes { suppressed: self.suppressed.swap(0, Relaxed) };
        }
        self.suppressed.fetch_add(1, Relaxed);
        Admission::Suppressed
    }

    /// Gives the bucket to another kind if it is full. What was left out stays in the layer's counters.
    fn take_over(&self, kind: u64, now: u64) -> bool {
        let known = self.kind.load(Relaxed);
        let is_taken = self.full_at.load(Relaxed) <= now
            && self.kind.compare_exchange(known, kind, Relaxed, Relaxed).is_ok();
        if is_taken {
            self.suppressed.store(0, Relaxed);
        }
        is_taken
    }
}

/// The text of the message alone. It is compared, and written nowhere.
struct Message<'a> {
    text: Vec<u8>,
    limits: &'a Limits,
}

impl Message<'_> {
    fn take(&mut self, field: &Field, value: Raw<'_>) {
        if field.name() == MESSAGE {
            value.text::<false>(&mut self.text, self.limits);
        }
    }
}

impl Visit for Message<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, Raw::Str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, Raw::Debug(value));
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 1_000 * SECOND;

    fn passed(bucket: &Bucket, rate: LineRate, times: impl IntoIterator<Item = u64>) -> Vec<Option<u64>> {
        let admitted = times.into_iter().map(|time| bucket.admit(rate, START + time));
        admitted
            .map(|admission| match admission {
                Admission::Passes { suppressed } => Some(suppressed),
                Admission::Suppressed => None,
            })
            .collect()
    }

    #[test]
    fn a_burst_passes_and_then_one_an_interval() {
        let rate = LineRate::per_second(2).burst(3);
        let bucket = Bucket::default();
        let half = SECOND / 2;
        assert_eq!(
            passed(&bucket, rate, [0, 0, 0, 0, 0, half - 1, half, half, SECOND, 10 * SECOND, 10 * SECOND]),
            [Some(0), Some(0), Some(0), None, None, None, Some(3), None, Some(1), Some(0), Some(0)]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nobody() {
        let rate = LineRate::per_second(1);
        let bucket = Bucket::default();
        assert_eq!(passed(&bucket, rate, [100 * SECOND, 0, 0]), [Some(0), Some(0), None]);
    }

    #[test]
    fn memory_is_bounded_and_a_kind_without_a_bucket_is_not_limited() {
        let throttle = Throttle::new(Box::new(LineRate::per_second(1)), RateKey::Message);
        let kinds = 1..=2 * RATE_BUCKETS_MAX as u64;
        let busy = |kind| {
            let bucket = throttle.bucket(kind, START);
            bucket.map(|bucket| bucket.admit(LineRate::per_second(1), START))
        };
        let without: Vec<_> = kinds.clone().filter(|kind| busy(*kind).is_none()).collect();
        assert_eq!(without.len(), RATE_BUCKETS_MAX);
        assert_eq!(busy(1), Some(Admission::Suppressed), "the first ones keep theirs");
        // Once the buckets are full again, they are anybody's.
        for kind in kinds {
            assert!(throttle.bucket(kind, START + SECOND).is_some(), "{kind}");
        }
    }
}
