//! The loads under way: one a key, and whoever comes meanwhile waits for it.
//!
//! A load is in the map as long as its turn lasts, and a turn ends by being dropped, too: by whoever stops waiting for the
//! read, or by a panic. Those that wait see it, and take the next turn. So the map has never more loads than there are calls.

use std::{
    any::Any,
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

use super::Read;

/// What those that wait are told: the error is of the type that the load which failed had.
pub(super) type Outcome<V> = Result<Read<V>, Arc<dyn Any + Send + Sync>>;

/// Which keys are being loaded. Clones share them.
pub(super) struct Loads<K, V> {
    under_way: Arc<Mutex<HashMap<Arc<K>, Theirs<V>>>>,
}

/// Who loads.
pub(super) enum Turn<'a, K: Hash + Eq, V> {
    /// Whoever asked.
    Ours(Ours<'a, K, V>),
    /// Another one already does.
    Theirs(Theirs<V>),
}

impl<K: Hash + Eq, V: Clone> Loads<K, V> {
    /// The turn to load `key`, or the load that is to be waited for.
    pub(super) fn turn(&self, key: &Arc<K>) -> Turn<'_, K, V> {
        match self.under_way().entry(Arc::clone(key)) {
            Entry::Occupied(theirs) => Turn::Theirs(theirs.get().clone()),
            Entry::Vacant(place) => {
                let (tell, outcome) = watch::channel(None);
                let forgotten = Forgotten::default();
                place.insert(Theirs { outcome, forgotten: forgotten.clone() });
                Turn::Ours(Ours { loads: self, key: Arc::clone(key), forgotten, tell })
            }
        }
    }

    /// Whoever asks for `key` from now on doesn't wait for a load that began before.
    pub(super) fn forget(&self, key: &K) {
        // Under the lock, so that a load which is forgotten knows that it is in the map no more.
        let mut under_way = self.under_way();
        if let Some(theirs) = under_way.remove(key) {
            theirs.forgotten.set();
        }
    }
}

impl<K, V> Loads<K, V> {
    fn under_way(&self) -> MutexGuard<'_, HashMap<Arc<K>, Theirs<V>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Clone for Loads<K, V> {
    fn clone(&self) -> Self {
        Self { under_way: Arc::clone(&self.under_way) }
    }
}

impl<K, V> Default for Loads<K, V> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

/// The turn to load a key; dropping it gives it away.
pub(super) struct Ours<'a, K: Hash + Eq, V> {
    loads: &'a Loads<K, V>,
    key: Arc<K>,
    forgotten: Forgotten,
    tell: watch::Sender<Option<Outcome<V>>>,
}

impl<K: Hash + Eq, V> Ours<'_, K, V> {
    pub(super) const fn key(&self) -> &Arc<K> {
        &self.key
    }

    /// Whether the key was forgotten since the turn began.
    pub(super) const fn forgotten(&self) -> &Forgotten {
        &self.forgotten
    }

    /// Ends the turn; those that wait are told this.
    pub(super) fn end(self, outcome: Outcome<V>) {
        self.tell.send_replace(Some(outcome));
    }
}

impl<K: Hash + Eq, V> Drop for Ours<'_, K, V> {
    /// Out of the map first. What those that wait are waiting for is dropped after it, so they find the place free.
    fn drop(&mut self) {
        let mut under_way = self.loads.under_way();
        // Where it was forgotten, the place may be another load's by now.
        if !self.forgotten.is_set() {
            under_way.remove(&self.key);
        }
    }
}

/// Another read's load.
#[derive(Clone)]
pub(super) struct Theirs<V> {
    outcome: watch::Receiver<Option<Outcome<V>>>,
    forgotten: Forgotten,
}

impl<V: Clone> Theirs<V> {
    /// Waits for it; `None` where it was dropped, or panicked.
    pub(super) async fn outcome(mut self) -> Option<Outcome<V>> {
        self.outcome.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// Whether a key was forgotten while it was loaded: what was loaded is too old then. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Forgotten(Arc<AtomicBool>);

impl Forgotten {
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::{Future, pending},
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use super::*;
    use crate::cache::{Cached, Freshness};

    /// How many loads are under way.
    fn count(cache: &Cached<u8, u8>) -> usize {
        cache.loads.under_way().len()
    }

    fn begin(future: Pin<&mut impl Future>) {
        assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn however_a_load_ends_the_map_is_empty_afterwards() {
        let cache = Cached::<u8, u8>::builder("numbers").build();
        {
            let mut loads = pin!(cache.get(7, pending::<Result<u8, Infallible>>));
            let mut waits = pin!(cache.get(7, pending::<Result<u8, Infallible>>));
            begin(loads.as_mut());
            begin(waits.as_mut());
            assert_eq!(count(&cache), 1, "whoever waits adds nothing");
        }
        assert_eq!(count(&cache), 0, "dropped");
        assert_eq!(cache.get(7, async || Err("down")).await, Err(Arc::new("down")));
        assert_eq!(count(&cache), 0, "failed");
        let panics = cache.clone();
        let panics =
            async move { panics.get(7, async || -> Result<u8, Infallible> { panic!("in a load") }).await };
        assert!(tokio::spawn(panics).await.unwrap_err().is_panic());
        assert_eq!(count(&cache), 0, "panicked");
        let loaded = cache.get(7, async || Ok::<_, Infallible>(1)).await;
        assert_eq!(loaded, Ok(Read::new(1, Freshness::Miss)));
        assert_eq!(count(&cache), 0, "loaded");
    }

    #[tokio::test]
    async fn a_load_that_was_forgotten_leaves_the_next_one_alone() {
        let cache = Cached::<u8, u8>::builder("numbers").build();
        let key = Arc::new(7);
        let Turn::Ours(forgotten) = cache.loads.turn(&key) else { panic!("nobody else loads") };
        cache.forget(&7).await;
        assert_eq!(count(&cache), 0);
        let Turn::Ours(next) = cache.loads.turn(&key) else { panic!("what was forgotten is waited for") };
        drop(forgotten);
        assert_eq!(count(&cache), 1);
        assert!(matches!(cache.loads.turn(&key), Turn::Theirs(_)), "two loads");
        next.end(Ok(Read::new(1, Freshness::Shared)));
        assert_eq!(count(&cache), 0);
    }

    #[test]
    fn who_waits_finds_the_place_free_when_a_turn_is_dropped() {
        let loads = Loads::<u8, u8>::default();
        let key = Arc::new(7);
        let Turn::Ours(ours) = loads.turn(&key) else { panic!("nobody else loads") };
        let Turn::Theirs(theirs) = loads.turn(&key) else { panic!("two loads") };
        let mut waits = pin!(theirs.outcome());
        begin(waits.as_mut());
        drop(ours);
        let told = waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(told, Poll::Ready(None)));
        assert!(matches!(loads.turn(&key), Turn::Ours(_)));
    }
}
