//! Reads that are kept for a while.
//!
//! [`Cached`] keeps what a loader gave for a time to live. After that, the value is loaded anew; where that fails, the old one
//! is still good enough for as long again as [`stale_for`](CachedBuilder::stale_for) says, and is marked as stale.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use throughline_resilience::cache::{Cached, Freshness};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Arc<std::io::Error>> {
//! let orders = Cached::<u64, String>::builder("recent-orders").ttl(Duration::from_secs(3600)).build();
//! let load = async || Ok::<_, std::io::Error>("umbrella".to_owned());
//! assert_eq!(orders.get(7, load).await?.freshness(), Freshness::Miss);
//! assert_eq!(orders.get(7, load).await?.freshness(), Freshness::Hit);
//! # Ok(()) }
//! ```
//!
//! A key is loaded once at a time: who asks for it meanwhile waits, and is told what came of it, a failure as well. That is why
//! the error comes in an [`Arc`]. A hundred readers of a database that takes two seconds to fail have their answer after two
//! seconds, and it was asked once.
//!
//! On the caller's span: `throughline.cache.name` and `throughline.cache.result` (hit, miss, shared, stale; see [`Freshness`]).
//! The store is the crate `moka`, bounded by the number of entries; what is ours is the wait, the stale answer and what is told.

mod builder;
mod loads;
mod read;

use std::{
    fmt,
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use moka::future::Cache;
use throughline_core::semconv::own::{CACHE_NAME, CACHE_RESULT};

use crate::decision;
pub use builder::{CachedBuilder, ENTRIES_MAX};
use loads::{Forgotten, Loads, Ours, Turn};
pub use read::{Freshness, Read};

/// Values of type `V` by keys of type `K`; see [the module](mod@crate::cache). Clones share their entries.
pub struct Cached<K, V> {
    name: &'static str,
    ttl: Duration,
    entries: Cache<Arc<K>, Entry<V>>,
    loads: Loads<K, V>,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    loaded: Instant,
    /// Whether its key was forgotten while it was loaded.
    forgotten: Forgotten,
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Cached<K, V> {
    /// The value of `key`, from the cache, or else from `load`.
    ///
    /// One read of a key loads at a time; the others wait for it, and their own `load` isn't called. So `load` must not read
    /// its own key, which would wait for itself, and a read that was begun has to be polled on or dropped.
    ///
    /// # Errors
    /// What `load` failed with, where there is no value that is good enough. Those that waited get the same error, not one of
    /// their own, and no failure is kept: the next read loads again. Only readers of one key whose errors are of different
    /// types can't share one; then one of each type loads, one after the other.
    ///
    /// # Panics
    /// Where `load` does. To those that wait it is as though this read had been dropped.
    ///
    /// # Cancel safety
    /// Dropped while it loads, nothing is kept, and one of those that wait loads instead. Dropped while it waits, nothing
    /// happens.
    pub async fn get<E: Send + Sync + 'static>(
        &self,
        key: K,
        load: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<Read<V>, Arc<E>> {
        if let Some(read) = self.fresh(&key).await {
            return Ok(self.told(read));
        }
        let key = Arc::new(key);
        loop {
            match self.loads.turn(&key) {
                Turn::Ours(ours) => return self.load(ours, load).await,
                Turn::Theirs(theirs) => match theirs.outcome().await {
                    Some(Ok(read)) => return Ok(self.told(read)),
                    Some(Err(error)) => {
                        if let Ok(error) = error.downcast() {
                            self.tell(Freshness::Shared);
                            return Err(error);
                        }
                    }
                    None => {}
                },
            }
        }
    }

    /// Forgets `key`: somebody knows that it has changed.
    ///
    /// A load of it that is under way is too old as well: those that wait for it already get its value, it isn't kept, and who
    /// asks from now on loads anew, beside it.
    ///
    /// # Cancel safety
    /// Dropped before it ends, it may not have forgotten.
    pub async fn forget(&self, key: &K) {
        self.loads.forget(key);
        self.entries.invalidate(key).await;
    }

    async fn load<E: Send + Sync + 'static>(
        &self,
        ours: Ours<'_, K, V>,
        load: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<Read<V>, Arc<E>> {
        // The load before ours may have ended after we had looked.
        if let Some(read) = self.fresh(ours.key()).await {
            ours.end(Ok(read.clone()));
            return Ok(self.told(read));
        }
        match load().await {
            Ok(value) => {
                self.keep(&ours, value.clone()).await;
                ours.end(Ok(Read::new(value.clone(), Freshness::Shared)));
                Ok(self.told(Read::new(value, Freshness::Miss)))
            }
            // Looked up now, not before: it may have been forgotten, or become too old even for this.
            Err(error) => match self.kept(ours.key()).await {
                Some(read) => {
                    ours.end(Ok(read.clone()));
                    Ok(self.told(read))
                }
                None => {
                    let error = Arc::new(error);
                    ours.end(Err(Arc::<E>::clone(&error)));
                    self.tell(Freshness::Miss);
                    Err(error)
                }
            },
        }
    }

    async fn fresh(&self, key: &K) -> Option<Read<V>> {
        self.kept(key).await.filter(|read| read.freshness() == Freshness::Hit)
    }

    async fn kept(&self, key: &K) -> Option<Read<V>> {
        let Entry { value, loaded, forgotten } = self.entries.get(key).await?;
        if forgotten.is_set() {
            return None;
        }
        let freshness = if loaded.elapsed() < self.ttl { Freshness::Hit } else { Freshness::Stale };
        Some(Read::new(value, freshness))
    }

    /// Keeps it, before its turn ends: so a `forget` finds either the turn or the entry.
    async fn keep(&self, ours: &Ours<'_, K, V>, value: V) {
        // What was forgotten by now need not push anything out.
        if !ours.forgotten().is_set() {
            let entry = Entry { value, loaded: Instant::now(), forgotten: ours.forgotten().clone() };
            self.entries.insert(Arc::clone(ours.key()), entry).await;
        }
    }

    fn told(&self, read: Read<V>) -> Read<V> {
        self.tell(read.freshness());
        read
    }

    fn tell(&self, freshness: Freshness) {
        decision::on_span(&[(CACHE_NAME, self.name.into()), (CACHE_RESULT, freshness.as_str().into())]);
        decision::count("cache", self.name, freshness.as_str());
    }
}

impl<K, V> Clone for Cached<K, V> {
    fn clone(&self) -> Self {
        Self { name: self.name, ttl: self.ttl, entries: self.entries.clone(), loads: self.loads.clone() }
    }
}

impl<K, V> fmt::Debug for Cached<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("name", &self.name).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_value_that_is_kept_after_its_key_was_forgotten_is_none() {
        let cache = Cached::<u8, u8>::builder("numbers").build();
        let Turn::Ours(ours) = cache.loads.turn(&Arc::new(7)) else { panic!("nobody else loads") };
        let late = Entry { value: 1, loaded: Instant::now(), forgotten: ours.forgotten().clone() };
        cache.forget(&7).await;
        // As though the load had looked just before it was forgotten.
        cache.entries.insert(Arc::new(7), late).await;
        assert_eq!(cache.kept(&7).await, None);
    }

    #[tokio::test]
    async fn who_gets_a_turn_looks_once_more() {
        let cache = Cached::<u8, u8>::builder("numbers").build();
        let Turn::Ours(ours) = cache.loads.turn(&Arc::new(7)) else { panic!("nobody else loads") };
        let kept = Entry { value: 1, loaded: Instant::now(), forgotten: Forgotten::default() };
        cache.entries.insert(Arc::new(7), kept).await;
        let read = cache.load(ours, async || Err::<u8, _>("loaded twice")).await;
        assert_eq!(read, Ok(Read::new(1, Freshness::Hit)));
        let read = cache.get(7, async || Err::<u8, _>("loaded twice")).await;
        assert_eq!(read, Ok(Read::new(1, Freshness::Hit)));
    }
}
