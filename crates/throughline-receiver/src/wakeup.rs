//! Waking whoever waits for something to arrive.

use std::{
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// Wakes everybody who waits for something to become true: tasks and threads alike.
#[derive(Default)]
pub(crate) struct Wakeup {
    count: Mutex<u64>,
    threads: Condvar,
    tasks: Notify,
}

impl Wakeup {
    /// To be called after a change, without any lock that a check takes.
    pub(crate) fn wake(&self) {
        *self.count() += 1;
        self.threads.notify_all();
        self.tasks.notify_waiters();
    }

    /// Waits until the check holds; it runs once at the start and once after each wake-up.
    ///
    /// Cancel safe.
    pub(crate) async fn until(&self, mut check: impl FnMut() -> bool) {
        loop {
            // Registered before the check, so that no change between the two is missed.
            let mut notified = std::pin::pin!(self.tasks.notified());
            notified.as_mut().enable();
            if check() {
                return;
            }
            notified.await;
        }
    }

    /// The same for a thread, for at most that long: whether the check held.
    pub(crate) fn until_blocking(&self, timeout: Duration, mut check: impl FnMut() -> bool) -> bool {
        let begin = Instant::now();
        loop {
            let seen = *self.count();
            if check() {
                return true;
            }
            let left = timeout.saturating_sub(begin.elapsed());
            let waited = self.threads.wait_timeout_while(self.count(), left, |count| *count == seen);
            let (_count, result) = waited.unwrap_or_else(PoisonError::into_inner);
            if result.timed_out() {
                return false;
            }
        }
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Wakeup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeup").finish_non_exhaustive()
    }
}
