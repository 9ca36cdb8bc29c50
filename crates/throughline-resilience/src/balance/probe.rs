//! Asking instances how they are.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{Balancer, builder::tell, service::Shared};

impl<S: Clone> Balancer<S> {
    /// Asks every instance each `period`, one after the other, and leaves out those that `is_well` says no to, until it says
    /// yes again.
    ///
    /// Never ends by itself: spawn it, and abort it. Once it is dropped, and where `is_well` panics, nothing is held against any
    /// instance any more but its calls. A time limit of a probe belongs into `is_well`.
    ///
    /// ```no_run
    /// # fn example<S: Clone + Send + Sync + 'static>(orders: &throughline_resilience::balance::Balancer<S>) {
    /// use std::time::Duration;
    ///
    /// let probing = orders.probe(Duration::from_secs(5), async |name, _service| {
    ///     tracing::trace!(name, "asking");
    ///     true
    /// });
    /// # drop(probing);
    /// # }
    /// ```
    pub fn probe<F>(&self, period: Duration, is_well: F) -> impl Future<Output = ()> + use<S, F>
    where
        F: AsyncFn(&str, S) -> bool,
    {
        let probes = Probes(Arc::clone(&self.shared));
        async move {
            let Probes(shared) = &probes;
            let mut ticks = interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                for instance in &shared.instances {
                    let well = is_well(&instance.name, instance.service.clone()).await;
                    if instance.probed(well) {
                        tell(shared.name, &instance.name, if well { "probed_well" } else { "probed_ill" });
                    }
                }
            }
        }
    }
}

/// What the probes have said, as long as there are any.
struct Probes<S>(Arc<Shared<S>>);

impl<S> Drop for Probes<S> {
    fn drop(&mut self) {
        for instance in &self.0.instances {
            instance.probed(true);
        }
    }
}
