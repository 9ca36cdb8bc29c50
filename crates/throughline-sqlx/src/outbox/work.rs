//! The relay's loop: lease, batch, attempt, mark.

use std::{collections::HashSet, fmt, mem, time::Duration};

use throughline_core::{Metric, Pipeline, Value, semconv::error::ERROR_TYPE, semconv::own};
use tokio::sync::watch;

use super::{
    Backoff, Dialect, Order, Relay, StoredEvent,
    attempt::{Failure, attempt},
    cleaning::Cleaning,
    database::{execute, fetch},
    dialect::Argument,
    lease::{Held, Lease},
    resume::Resumed,
    statements::Statements,
    stored_event::{Found, as_milliseconds},
};

/// How long a database that is away is left alone.
const DATABASE_BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
/// What the row of something that is no event says.
const UNREADABLE: &str = "unreadable";

pub(crate) struct Worker<DB: Dialect, F> {
    relay: Relay<DB, F>,
    stopping: watch::Receiver<bool>,
    lease: Lease,
    /// An event that was handed on, which the database doesn't know yet.
    unmarked: Option<i64>,
    database_failures: u32,
    cleaning: Cleaning,
}

/// What comes after a turn.
#[derive(Clone, Copy, Debug)]
enum Next {
    Go,
    /// Wait, or until somebody rings.
    Rest(Duration),
    /// Wait, whoever rings.
    Sleep(Duration),
}

/// What became of an event.
enum Fate {
    Settled,
    /// It failed, and is due again in this time.
    Again(Duration),
}

impl<DB: Dialect, F> Worker<DB, F> {
    pub(crate) fn new(relay: Relay<DB, F>, stopping: watch::Receiver<bool>) -> Self {
        let lease = Lease::new(relay.settings.lease);
        Self { relay, stopping, lease, unmarked: None, database_failures: 0, cleaning: Cleaning::default() }
    }

    pub(crate) async fn work<E>(mut self)
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        while !self.is_stopping() {
            let next = match self.turn().await {
                Ok(next) => self.database_is_back(next),
                Err(error) => self.database_is_away(&error),
            };
            self.pause(next).await;
        }
        if let Err(error) = self.leave().await {
            self.database_is_away(&error);
        }
    }

    async fn leave(&mut self) -> Result<(), sqlx::Error> {
        self.mark().await?;
        let Relay { pool, outbox, .. } = &self.relay;
        self.lease.release(pool, &outbox.statements().lease_release).await
    }

    async fn turn<E>(&mut self) -> Result<Next, sqlx::Error>
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        if let Held::ByAnother(left) = self.hold().await? {
            // The other one hands it on again, and takes that down itself.
            self.unmarked = None;
            return Ok(Next::Sleep(left.min(self.relay.settings.lease / 3)));
        }
        self.mark().await?;
        let batch = self.batch().await?;
        self.relay.counters.polls.add(1);
        let full = batch.len() >= self.relay.settings.batch_max as usize;
        let next = self.relay_all(batch).await?;
        // Last, so that no event waits for it, and in every turn, for there may be no end of events.
        let more_to_clean = !self.is_stopping() && self.cleaning.turn(&self.relay).await;
        match next {
            Next::Rest(_) if full || more_to_clean => Ok(Next::Go),
            next => Ok(next),
        }
    }

    async fn hold(&mut self) -> Result<Held, sqlx::Error> {
        let Relay { pool, outbox, counters, .. } = &self.relay;
        self.lease.hold(pool, outbox.statements(), counters).await
    }

    async fn batch(&self) -> Result<Vec<Found>, sqlx::Error> {
        let settings = &self.relay.settings;
        let limit = Argument::Integer(i64::from(settings.batch_max));
        let longest_wait = Argument::Integer(as_milliseconds(settings.backoff.longest()));
        let (sql, arguments) = match settings.order {
            Order::OfAll => (&self.statements().next_of_all, &[limit][..]),
            Order::OfKeys => (&self.statements().next_of_keys, &[longest_wait, longest_wait, limit][..]),
        };
        let rows = fetch(&self.relay.pool, sql, arguments).await?;
        let pipeline = Pipeline::current();
        Ok(rows.iter().map(|row| Found::read::<DB>(row, pipeline.propagator())).collect())
    }

    async fn relay_all<E>(&mut self, batch: Vec<Found>) -> Result<Next, sqlx::Error>
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        let mut rest = self.relay.settings.poll_interval;
        let mut held_up = HashSet::new();
        for found in batch {
            let event = match found {
                Found::Event(event) => event,
                Found::Unreadable(position) => {
                    self.bury(position).await?;
                    continue;
                }
            };
            if event.key().is_some_and(|key| held_up.contains(key)) {
                continue;
            }
            // A wait that is longer than any can be was written when the clock was wrong.
            if !event.due_in.is_zero() && event.due_in <= self.relay.settings.backoff.longest() {
                return Ok(Next::Sleep(event.due_in.min(rest)));
            }
            if self.is_stopping() || self.hold().await? != Held::Yes {
                return Ok(Next::Go);
            }
            let Fate::Again(wait) = self.relay_one(&event).await? else {
                continue;
            };
            match (self.relay.settings.order, event.key()) {
                (Order::OfAll, _) => return Ok(Next::Sleep(wait.min(rest))),
                (Order::OfKeys, key) => held_up.extend(key.map(str::to_owned)),
            }
            rest = rest.min(wait);
        }
        Ok(Next::Rest(rest))
    }

    async fn relay_one<E>(&mut self, event: &StoredEvent) -> Result<Fate, sqlx::Error>
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        let settings = &self.relay.settings;
        let mut resumed = Resumed::open(event, settings.trace_age_max);
        let outcome = attempt(&self.relay.publish, event, &resumed, settings.publish_timeout).await;
        resumed.end(outcome.as_ref().copied());
        let Err(failure) = outcome else {
            self.relayed(event).await?;
            return Ok(Fate::Settled);
        };
        self.relay.counters.failed.add(1);
        if event.attempt() >= settings.attempts_max {
            self.dead(event, &failure, &resumed).await?;
            return Ok(Fate::Settled);
        }
        self.again(event, &failure, &resumed).await.map(Fate::Again)
    }

    async fn relayed(&mut self, event: &StoredEvent) -> Result<(), sqlx::Error> {
        self.relay.counters.relayed.add(1);
        count("relayed", None);
        Pipeline::current().record(Metric::OutboxQueueTime, event.queue_time().as_secs_f64(), &[]);
        self.unmarked = Some(event.position);
        let marked = self.mark().await;
        if marked.is_err() {
            self.relay.counters.unmarked.add(1);
        }
        marked
    }

    /// Writes down that an event was handed on. Until that has worked, no other is looked at: it would be this one again.
    async fn mark(&mut self) -> Result<(), sqlx::Error> {
        if let Some(position) = self.unmarked {
            let arguments = [Argument::Integer(position)];
            execute(&self.relay.pool, &self.statements().relayed, &arguments).await?;
            self.unmarked = None;
        }
        Ok(())
    }

    async fn again(
        &self,
        event: &StoredEvent,
        failure: &Failure,
        resumed: &Resumed,
    ) -> Result<Duration, sqlx::Error> {
        let wait = self.relay.settings.backoff.wait(event.attempt());
        let (attempt, wait_ms) = (event.attempt(), as_milliseconds(wait));
        let error = failure.kind();
        count("failed", Some(error));
        resumed.in_scope(|| {
            tracing::warn!(target: "throughline::outbox", attempt, wait_ms, error, "an event was not relayed");
        });
        let arguments = [
            Argument::Text(Some(error)),
            Argument::Integer(wait_ms),
            Argument::Integer(event.position),
            Argument::Integer(event.attempts()),
        ];
        execute(&self.relay.pool, &self.statements().failed, &arguments).await?;
        Ok(wait)
    }

    async fn dead(
        &self,
        event: &StoredEvent,
        failure: &Failure,
        resumed: &Resumed,
    ) -> Result<(), sqlx::Error> {
        let (attempts, error) = (event.attempt(), failure.kind());
        let arguments = [Argument::Text(Some(error)), Argument::Integer(event.position)];
        execute(&self.relay.pool, &self.statements().dead, &arguments).await?;
        self.relay.counters.dead.add(1);
        count("dead", Some(error));
        resumed.in_scope(|| {
            tracing::error!(target: "throughline::outbox", attempts, error, "an event is dead");
            self.tell(event);
        });
        Ok(())
    }

    /// Somebody else's code: what it does must not end the relay.
    fn tell(&self, event: &StoredEvent) {
        let Some(on_dead) = &self.relay.settings.on_dead else {
            return;
        };
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| on_dead(event)));
        self.relay.counters.callback_panics.add(u64::from(told.is_err()));
    }

    /// What can't be read now can't be read later, and must not hold up what can.
    async fn bury(&self, position: Option<i64>) -> Result<(), sqlx::Error> {
        if let Some(position) = position {
            let arguments = [Argument::Text(Some(UNREADABLE)), Argument::Integer(position)];
            execute(&self.relay.pool, &self.statements().dead, &arguments).await?;
        }
        self.relay.counters.unreadable.add(1);
        count("dead", Some(UNREADABLE));
        tracing::error!(target: "throughline::outbox", position, "a row is no event");
        Ok(())
    }

    fn database_is_back(&mut self, next: Next) -> Next {
        if mem::take(&mut self.database_failures) > 0 {
            tracing::info!(target: "throughline::outbox", "the outbox's database is back");
        }
        next
    }

    /// Said once, however often it is found out.
    fn database_is_away(&mut self, error: &sqlx::Error) -> Next {
        self.relay.counters.database_failures.add(1);
        self.database_failures = self.database_failures.saturating_add(1);
        if self.database_failures == 1 {
            let error: &dyn std::error::Error = error;
            tracing::warn!(target: "throughline::outbox", error, "the outbox's database is away");
        }
        Next::Sleep(DATABASE_BACKOFF.wait(self.database_failures))
    }

    async fn pause(&mut self, next: Next) {
        let bell = &self.relay.outbox.bell;
        let (wait, listens) = match next {
            Next::Go => return,
            Next::Rest(wait) => (wait, true),
            Next::Sleep(wait) => (wait, false),
        };
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
            () = bell.notified(), if listens => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    fn statements(&self) -> &Statements {
        self.relay.outbox.statements()
    }
}

/// Counts what became of an attempt, with few labels.
fn count(result: &'static str, error: Option<&'static str>) {
    let pipeline = Pipeline::current();
    let mut attributes: Vec<(&'static str, Value<'_>)> = vec![(own::OUTBOX_RESULT, result.into())];
    attributes.extend(error.map(|error| (ERROR_TYPE, error.into())));
    pipeline.record(Metric::OutboxRelays, 1.0, &attributes);
}
