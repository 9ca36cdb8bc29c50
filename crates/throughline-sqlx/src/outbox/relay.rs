//! The relay: what takes events out of the table and hands them on.

use std::{fmt, future::Future, pin::pin, sync::Arc, time::Duration};

use sqlx::Pool;
use tokio::sync::{Notify, watch};

use super::{
    Backoff, Dialect, Outbox, OutboxError, RelayCounters, StoredEvent, counters::Counters, lease::LEASE_MAX,
    work::Worker,
};

/// How often the table is looked at where nobody rings, unless set.
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How many events are read at once, unless set.
pub const BATCH_MAX: u32 = 100;
/// How long one attempt may take, unless set.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a relay that has died is waited for, unless set.
pub const LEASE: Duration = Duration::from_secs(30);
/// The bound of the first wait between two attempts, unless set.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The longest wait between two attempts, unless set.
pub const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// How many attempts an event gets, unless set: with the default waits about half an hour.
pub const ATTEMPTS_MAX: u32 = 20;
/// How long relayed events are kept, unless set.
pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// How old an event may be for its trace to go on, unless set. What is older begins a trace of its own, which links to the
/// old one: by then, whoever assembled the old trace has put it away.
pub const TRACE_AGE_MAX: Duration = Duration::from_secs(3600);

/// What is kept in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Every event of the outbox: one that fails holds up all that were stored after it, until it is relayed or dead.
    #[default]
    OfAll,
    /// The events of each key: one that fails holds up its own key alone. Events without a key have no order.
    OfKeys,
}

/// What a relay does with an event that is dead.
pub(crate) type OnDead = Box<dyn Fn(&StoredEvent) + Send + Sync>;

/// The settings of a [`Relay`]; ends with [`build`](Self::build).
#[must_use = "nothing is relayed until `build` and `run` are called"]
pub struct RelayBuilder<DB: Dialect, F> {
    pool: Pool<DB>,
    outbox: Outbox<DB>,
    publish: F,
    settings: Settings,
}

pub(crate) struct Settings {
    pub(crate) poll_interval: Duration,
    pub(crate) batch_max: u32,
    pub(crate) publish_timeout: Duration,
    pub(crate) lease: Duration,
    pub(crate) attempts_max: u32,
    pub(crate) backoff: Backoff,
    pub(crate) order: Order,
    pub(crate) retention: Duration,
    pub(crate) trace_age_max: Duration,
    pub(crate) on_dead: Option<OnDead>,
}

impl<DB: Dialect, F> RelayBuilder<DB, F> {
    /// How often the table is looked at where nobody [wakes](Outbox::wake) the relay; [`POLL_INTERVAL`] unless set. Longer than
    /// the [`lease`](Self::lease), that is renewed in between.
    pub const fn poll_interval(mut self, interval: Duration) -> Self {
        self.settings.poll_interval = interval;
        self
    }

    /// How many events are read at once; [`BATCH_MAX`] unless set. They are in memory together.
    pub const fn batch_max(mut self, events: u32) -> Self {
        self.settings.batch_max = events;
        self
    }

    /// How long one attempt may take before it counts as failed; [`PUBLISH_TIMEOUT`] unless set. The closure's future is
    /// then dropped.
    pub const fn publish_timeout(mut self, timeout: Duration) -> Self {
        self.settings.publish_timeout = timeout;
        self
    }

    /// How long this relay is waited for when it is gone without a word; [`LEASE`] unless set. Longer than twice the
    /// [`publish_timeout`](Self::publish_timeout), so that no attempt outlives it.
    pub const fn lease(mut self, duration: Duration) -> Self {
        self.settings.lease = duration;
        self
    }

    /// How many attempts an event gets before it is dead; [`ATTEMPTS_MAX`] unless set.
    ///
    /// A broker that is away longer than these attempts take kills events one after the other. They are not lost:
    /// [`Replay::dead`](super::Replay::dead) brings them back.
    pub const fn attempts_max(mut self, attempts: u32) -> Self {
        self.settings.attempts_max = attempts;
        self
    }

    /// How long to wait between attempts; [`BACKOFF_FIRST`] to [`BACKOFF_MAX`] unless set.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// What is kept in order; [`Order::OfAll`] unless set. The same for all relays of a table.
    pub const fn order(mut self, order: Order) -> Self {
        self.settings.order = order;
        self
    }

    /// How long relayed events are kept; [`RETENTION`] unless set, [`Duration::MAX`] to keep them. Dead ones stay.
    ///
    /// They are deleted once a minute, [`DELETE_ROWS_MAX`](super::DELETE_ROWS_MAX) between two batches. Where that fails, events
    /// are relayed all the same.
    pub const fn retention(mut self, age: Duration) -> Self {
        self.settings.retention = age;
        self
    }

    /// How old an event may be for its trace to go on; [`TRACE_AGE_MAX`] unless set. Zero always begins a new trace.
    pub const fn trace_age_max(mut self, age: Duration) -> Self {
        self.settings.trace_age_max = age;
        self
    }

    /// Called with each event that is dead, after that was written down. It must not block.
    ///
    /// Where the database's answer was lost, it is called when that is found out; a relay that is killed before never calls it.
    /// [`OutboxState::dead`](super::OutboxState::dead) counts them all.
    pub fn dead(mut self, on_dead: impl Fn(&StoredEvent) + Send + Sync + 'static) -> Self {
        self.settings.on_dead = Some(Box::new(on_dead));
        self
    }

    /// The relay, which does nothing until it [runs](Relay::run).
    ///
    /// # Errors
    /// [`OutboxError::Setting`], when a limit is zero, or the lease isn't longer than twice the time limit of an
    /// attempt, or longer than [`LEASE_MAX`](super::LEASE_MAX).
    pub fn build(self) -> Result<Relay<DB, F>, OutboxError> {
        let Settings { batch_max, attempts_max, poll_interval, publish_timeout, lease, .. } = self.settings;
        if batch_max == 0 || attempts_max == 0 || poll_interval.is_zero() || publish_timeout.is_zero() {
            return Err(OutboxError::Setting("a limit of the relay is zero"));
        }
        if lease / 2 <= publish_timeout || lease > LEASE_MAX {
            return Err(OutboxError::Setting(
                "the lease is not longer than twice the publish timeout, or too long",
            ));
        }
        let counters = Arc::default();
        Ok(Relay {
            pool: self.pool,
            outbox: self.outbox,
            publish: self.publish,
            settings: self.settings,
            counters,
        })
    }
}

impl<DB: Dialect, F> fmt::Debug for RelayBuilder<DB, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayBuilder").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}

/// Hands the events of an outbox to a closure, each at least once and in order; see the [module](super).
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn example(pool: sqlx::SqlitePool, shutdown: impl Future<Output = ()> + Send + 'static)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use throughline_sqlx::outbox::{Outbox, Relay, StoredEvent};
/// # async fn send(_: &str, _: &[u8]) -> Result<(), std::io::Error> { Ok(()) }
///
/// let outbox = Outbox::<sqlx::Sqlite>::new();
/// let publish = async |event: &StoredEvent| send(event.topic(), event.payload()).await;
/// let relay = Relay::builder(pool, &outbox, publish).build()?;
/// let relaying = tokio::spawn(relay.run(shutdown));
/// // … at the end:
/// let counters = relaying.await?;
/// println!("{} relayed, {} dead", counters.relayed, counters.dead);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is relayed until `run` is called"]
pub struct Relay<DB: Dialect, F> {
    pub(crate) pool: Pool<DB>,
    pub(crate) outbox: Outbox<DB>,
    pub(crate) publish: F,
    pub(crate) settings: Settings,
    pub(crate) counters: Arc<Counters>,
}

impl<DB: Dialect, F> Relay<DB, F> {
    /// A relay of this outbox that hands each event to `publish`.
    ///
    /// The connections of `pool` must not read what isn't committed (MySQL's `READ UNCOMMITTED`).
    ///
    /// `publish` is called inside the event's `relay` span; what it opens, sends and logs belongs to the event's trace. It
    /// returns `Ok` only when the event is safe elsewhere: then it is never handed out again. The type of its error is on the
    /// span, in the row and in metrics, the message on the span alone: it must have no secrets.
    pub fn builder<E>(pool: Pool<DB>, outbox: &Outbox<DB>, publish: F) -> RelayBuilder<DB, F>
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        let settings = Settings {
            poll_interval: POLL_INTERVAL,
            batch_max: BATCH_MAX,
            publish_timeout: PUBLISH_TIMEOUT,
            lease: LEASE,
            attempts_max: ATTEMPTS_MAX,
            backoff: Backoff::new(BACKOFF_FIRST, BACKOFF_MAX),
            order: Order::default(),
            retention: RETENTION,
            trace_age_max: TRACE_AGE_MAX,
            on_dead: None,
        };
        RelayBuilder { pool, outbox: outbox.clone(), publish, settings }
    }

    /// To watch the relay and to wake it, while it runs and after.
    pub fn handle(&self) -> RelayHandle {
        RelayHandle { counters: Arc::clone(&self.counters), bell: Arc::clone(&self.outbox.bell) }
    }

    /// Relays until `shutdown` is ready; then it lets the attempt under way end, writes down how it ended, gives its lease
    /// back, so that the next relay need not wait for it, and returns what it has counted.
    ///
    /// It never fails. A database that is away is waited for, with growing pauses; so is another relay's lease. The end takes no
    /// longer than an attempt may, and a few seconds for the last statements.
    ///
    /// # Cancel safety
    /// When the future is dropped, so is the attempt under way, and its event will be relayed again, by whoever has the next
    /// lease: that may take as long as the lease lasts.
    pub async fn run<E>(self, shutdown: impl Future<Output = ()>) -> RelayCounters
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        let counters = Arc::clone(&self.counters);
        let (stop, stopping) = watch::channel(false);
        let mut work = pin!(Worker::new(self, stopping).work());
        tokio::select! {
            biased;
            () = shutdown => {
                stop.send_replace(true);
                work.await;
            }
            () = &mut work => {}
        }
        counters.read()
    }
}

impl<DB: Dialect, F> fmt::Debug for Relay<DB, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}

/// Watches a [`Relay`], and wakes it.
#[derive(Clone, Debug)]
pub struct RelayHandle {
    counters: Arc<Counters>,
    bell: Arc<Notify>,
}

impl RelayHandle {
    /// What it has counted so far.
    #[must_use]
    pub fn counters(&self) -> RelayCounters {
        self.counters.read()
    }

    /// Lets it look at the table at once, as [`Outbox::wake`] does.
    pub fn wake(&self) {
        self.bell.notify_one();
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{Sqlite, SqlitePool};

    use super::*;

    type Change = fn(&mut Settings);

    #[tokio::test]
    async fn settings_that_contradict_each_other_are_refused() {
        let problem = |change: Change| {
            let pool = SqlitePool::connect_lazy("sqlite::memory:").unwrap();
            let publish = async |_: &StoredEvent| Ok::<_, fmt::Error>(());
            let mut builder = Relay::builder(pool, &Outbox::<Sqlite>::new(), publish);
            change(&mut builder.settings);
            builder.build().err().map(|error| error.to_string())
        };
        let zero = Some("a limit of the relay is zero".to_owned());
        let lease = Some("the lease is not longer than twice the publish timeout, or too long".to_owned());
        let cases: [(Change, Option<String>); 8] = [
            (|_| (), None),
            (|settings| settings.batch_max = 0, zero.clone()),
            (|settings| settings.attempts_max = 0, zero.clone()),
            (|settings| settings.poll_interval = Duration::ZERO, zero.clone()),
            (|settings| settings.publish_timeout = Duration::ZERO, zero),
            (|settings| settings.lease = PUBLISH_TIMEOUT * 2, lease.clone()),
            (|settings| settings.lease = LEASE_MAX + Duration::from_secs(1), lease.clone()),
            (|settings| settings.publish_timeout = Duration::MAX, lease),
        ];
        for (place, (change, expected)) in cases.into_iter().enumerate() {
            assert_eq!(problem(change), expected, "case {place}");
        }
    }
}
