//! What a cache is told before there is one.

use std::{hash::Hash, sync::Arc, time::Duration};

use moka::future::Cache;

use super::{Cached, loads::Loads};

/// How many entries a cache holds unless told otherwise.
pub const ENTRIES_MAX: u64 = 10_000;

/// How long a value is fresh unless told otherwise.
const TTL: Duration = Duration::from_secs(60);

impl<K, V> Cached<K, V> {
    /// A cache of this name, which spans and metrics show.
    pub fn builder(name: &'static str) -> CachedBuilder {
        CachedBuilder { name, ttl: TTL, stale_for: Duration::ZERO, entries_max: ENTRIES_MAX }
    }
}

/// Settings of a [`Cached`]; ends with [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "there is no cache until `build` is called"]
pub struct CachedBuilder {
    name: &'static str,
    ttl: Duration,
    stale_for: Duration,
    entries_max: u64,
}

impl CachedBuilder {
    /// How long a value is fresh; a minute unless told otherwise.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How much longer it is good enough where it cannot be loaded anew; not at all unless told otherwise.
    pub fn stale_for(mut self, stale_for: Duration) -> Self {
        self.stale_for = stale_for;
        self
    }

    /// How many entries are kept.
    ///
    /// When there are as many, a new one has to earn its place: it comes in where its key was asked for more often of late
    /// than the one that nobody has read for longest, which goes. Else the new one isn't kept: whoever loaded it and whoever
    /// waited has it, and the next read loads again. (This is `moka`'s `TinyLFU`, which estimates the counts, and tidies up
    /// now and then: for a moment there may be a few more.)
    pub fn entries_max(mut self, entries_max: u64) -> Self {
        self.entries_max = entries_max;
        self
    }

    /// The cache, empty.
    #[must_use]
    pub fn build<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(
        self,
    ) -> Cached<K, V> {
        let entries: Cache<Arc<K>, _> =
            Cache::builder().max_capacity(self.entries_max).time_to_live(self.ttl + self.stale_for).build();
        Cached { name: self.name, ttl: self.ttl, entries, loads: Loads::default() }
    }
}
