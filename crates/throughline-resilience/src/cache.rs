//! Reads that are kept for a while.
//!
//! [`Cached`] keeps what a loader gave for a time to live. After that, the value is loaded anew; where that fails, the old one
//! is still good enough for as long again as [`stale_for`](CachedBuilder::stale_for) says, and is marked as stale.
//!
//! ```
//! use std::time::Duration;
//! use throughline_resilience::cache::{Cached, Freshness};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), std::io::Error> {
//! let orders = Cached::<u64, String>::builder("recent-orders").ttl(Duration::from_secs(3600)).build();
//! let load = async || Ok::<_, std::io::Error>("umbrella".to_owned());
//! assert_eq!(orders.get(7, load).await?.freshness(), Freshness::Miss);
//! assert_eq!(orders.get(7, load).await?.freshness(), Freshness::Hit);
//! # Ok(()) }
//! ```
//!
//! On the caller's span: `throughline.cache.name` and `throughline.cache.result` (hit, miss, stale). The store is the crate
//! `moka`, bounded by the number of entries; what is ours is the stale answer and what is told.

use std::{
    fmt,
    hash::Hash,
    time::{Duration, Instant},
};

use moka::future::Cache;
use throughline_core::semconv::own::{CACHE_NAME, CACHE_RESULT};

use crate::decision;

/// How many entries a cache holds unless told otherwise.
pub const ENTRIES_MAX: u64 = 10_000;

/// Values of type `V` by keys of type `K`; see [the module](mod@crate::cache). Clones share their entries.
pub struct Cached<K, V> {
    name: &'static str,
    ttl: Duration,
    entries: Cache<K, Entry<V>>,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    loaded: Instant,
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

    /// How many entries are kept; those that are used least make room.
    pub fn entries_max(mut self, entries_max: u64) -> Self {
        self.entries_max = entries_max;
        self
    }

    /// The cache, empty.
    #[must_use]
    pub fn build<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(
        self,
    ) -> Cached<K, V> {
        let entries =
            Cache::builder().max_capacity(self.entries_max).time_to_live(self.ttl + self.stale_for).build();
        Cached { name: self.name, ttl: self.ttl, entries }
    }
}

impl<K, V> Cached<K, V> {
    /// A cache of this name, which spans and metrics show.
    pub fn builder(name: &'static str) -> CachedBuilder {
        CachedBuilder {
            name,
            ttl: Duration::from_secs(60),
            stale_for: Duration::ZERO,
            entries_max: ENTRIES_MAX,
        }
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Cached<K, V> {
    /// The value of `key`, from the cache, or else from `load`.
    ///
    /// Two callers that miss at once both load.
    ///
    /// # Errors
    /// What `load` failed with, where there is no value that is good enough.
    ///
    /// # Cancel safety
    /// Dropped while it loads, nothing is kept.
    pub async fn get<E>(&self, key: K, load: impl AsyncFnOnce() -> Result<V, E>) -> Result<Read<V>, E> {
        let kept = self.entries.get(&key).await;
        if let Some(Entry { value, loaded }) = &kept
            && loaded.elapsed() < self.ttl
        {
            return Ok(self.read(value.clone(), Freshness::Hit));
        }
        match (load().await, kept) {
            (Ok(value), _) => {
                self.entries.insert(key, Entry { value: value.clone(), loaded: Instant::now() }).await;
                Ok(self.read(value, Freshness::Miss))
            }
            (Err(_), Some(Entry { value, .. })) => Ok(self.read(value, Freshness::Stale)),
            (Err(error), None) => {
                self.tell(Freshness::Miss);
                Err(error)
            }
        }
    }

    /// Forgets `key`: somebody knows that it has changed.
    pub async fn forget(&self, key: &K) {
        self.entries.invalidate(key).await;
    }

    fn read(&self, value: V, freshness: Freshness) -> Read<V> {
        self.tell(freshness);
        Read { value, freshness }
    }

    fn tell(&self, freshness: Freshness) {
        decision::on_span(&[(CACHE_NAME, self.name.into()), (CACHE_RESULT, freshness.as_str().into())]);
        decision::count("cache", self.name, freshness.as_str());
    }
}

impl<K, V> Clone for Cached<K, V> {
    fn clone(&self) -> Self {
        Self { name: self.name, ttl: self.ttl, entries: self.entries.clone() }
    }
}

impl<K, V> fmt::Debug for Cached<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("name", &self.name).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

/// A value, and how fresh it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<V> {
    value: V,
    freshness: Freshness,
}

impl<V> Read<V> {
    /// The value.
    pub fn into_inner(self) -> V {
        self.value
    }

    /// How fresh it is.
    pub const fn freshness(&self) -> Freshness {
        self.freshness
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// From the cache, within its time to live.
    Hit,
    /// Loaded just now.
    Miss,
    /// From the cache, too old, because it could not be loaded.
    Stale,
}

impl Freshness {
    /// As it stands on the span.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
        }
    }
}
