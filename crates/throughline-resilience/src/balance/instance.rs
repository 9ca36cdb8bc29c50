//! One of several that can do the same.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tower_resilience_outlier::OutlierDetector;

/// An instance, and what is known of it.
#[derive(Debug)]
pub(super) struct Instance<S> {
    pub(super) name: Arc<str>,
    pub(super) weight: u32,
    pub(super) service: S,
    under_way: Arc<AtomicUsize>,
    /// What the last probe said; well until one has said otherwise.
    probed_well: AtomicBool,
    /// Whether the outlier detector may hold anything against it. Nearly always not, and then the detector, which has one
    /// lock for all instances, isn't asked.
    suspected: AtomicBool,
}

impl<S> Instance<S> {
    pub(super) fn new(name: String, weight: u32, service: S) -> Self {
        Self {
            name: name.into(),
            weight,
            service,
            under_way: Arc::default(),
            probed_well: AtomicBool::new(true),
            suspected: AtomicBool::new(false),
        }
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

    /// Whether it is to get calls, by what its probes and its calls say.
    pub(super) fn is_healthy(&self, outliers: &OutlierDetector) -> bool {
        let is_ejected = || self.suspected.load(Ordering::Acquire) && outliers.is_ejected(&self.name);
        self.probed_well.load(Ordering::Relaxed) && !is_ejected()
    }

    /// Takes notice of the end of a call.
    ///
    /// A failure is noted down before the suspicion, and a success drops the suspicion before it is noted down: whatever the
    /// order of two calls that end at once, an instance with failures is never left without suspicion.
    pub(super) fn took_notice(&self, failed: bool, failures: usize, outliers: &OutlierDetector) {
        if failed {
            outliers.record_failure(&self.name);
            self.suspected.store(true, Ordering::Release);
        } else if self.suspected.load(Ordering::Acquire) {
            self.suspected.store(false, Ordering::Release);
            if outliers.is_ejected(&self.name) {
                // The answer to a call from before.
                self.suspected.store(true, Ordering::Release);
            } else {
                self.register(failures, outliers);
            }
        }
    }

    /// Nothing is held against it from now on, no earlier ejection either, by which the next one would be longer.
    pub(super) fn register(&self, failures: usize, outliers: &OutlierDetector) {
        outliers.register(&*self.name, failures);
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
