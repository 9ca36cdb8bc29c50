//! One of several that can do the same.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// An instance, and what is known of it.
#[derive(Debug)]
pub(super) struct Instance<S> {
    pub(super) name: String,
    pub(super) weight: u32,
    pub(super) service: S,
    under_way: Arc<AtomicUsize>,
    /// What the last probe said; well until one has said otherwise.
    probed_well: AtomicBool,
}

impl<S> Instance<S> {
    pub(super) fn new(name: String, weight: u32, service: S) -> Self {
        Self { name, weight, service, under_way: Arc::default(), probed_well: AtomicBool::new(true) }
    }

    /// How many calls it has not answered yet.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Counts a call in, until the guard is dropped.
    pub(super) fn begin(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.under_way))
    }

    pub(super) fn probed_well(&self) -> bool {
        self.probed_well.load(Ordering::Relaxed)
    }

    /// Takes notice of a probe; true if that changed anything.
    pub(super) fn probed(&self, well: bool) -> bool {
        self.probed_well.swap(well, Ordering::Relaxed) != well
    }
}

/// A call that an instance has not answered yet.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
