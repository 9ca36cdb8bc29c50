//! The relay's loop: lease, batch, attempt, mark.

use std::{collections::HashSet, fmt, mem, time::Duration};

use throughline_core::{Metric, Pipeline};
use tokio::{sync::watch, time::Instant};

use super::{
    Backoff, Dialect, Order, Relay, StoredEvent,
    attempt::{Failure, attempt},
    cleaning::Cleaning,
    counters::count,
    database::{execute, fetch},
    death::{Death, tell_nameless},
    dialect::Argument,
    lease::{Held, Lease},
    resume::Resumed,
    statements::Statements,
    stored_event::{Found, as_milliseconds},
};

/// How long a database that is away is left alone.
const DATABASE_BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

pub(crate) struct Worker<DB: Dialect, F> {
    relay: Relay<DB, F>,
    stopping: watch::Receiver<bool>,
    lease: Lease,
    /// Until the database has this, nothing else is looked at.
    pending: Option<Pending>,
    database_failures: u32,
    cleaning: Cleaning,
}

/// What the database doesn't know yet, or hasn't said that it knows.
enum Pending {
    /// An event that was handed on: it would come again.
    Relayed(i64),
    /// It would be told too often, or never.
    Dead(Death),
}

/// What comes after a turn.
#[derive(Clone, Copy, Debug)]
enum Next {
    Go,
    /// Wait, or until somebody rings.
    Rest(Duration),
    /// Wait, whoever rings.
    Sleep(Duration),
    /// Wait without a lease to keep, whoever rings.
    Apart(Duration),
}

/// How a wait ended.
enum Waited {
    Whole,
    /// Somebody rang, or it is to stop.
    Part,
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
        Self { relay, stopping, lease, pending: None, database_failures: 0, cleaning: Cleaning::default() }
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
        self.settle().await?;
        let Relay { pool, outbox, .. } = &self.relay;
        self.lease.release(pool, &outbox.statements().lease_release).await
    }

    async fn turn<E>(&mut self) -> Result<Next, sqlx::Error>
    where
        F: AsyncFn(&StoredEvent) -> Result<(), E>,
        E: fmt::Display,
    {
        if let Held::ByAnother(left) = self.hold().await? {
            self.hand_over().await?;
            return Ok(Next::Apart(left.min(self.relay.settings.lease / 3)));
        }
        self.settle().await?;
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
        let asked = Instant::now();
        let rows = fetch(&self.relay.pool, sql, arguments).await?;
        let pipeline = Pipeline::current();
        Ok(rows.iter().map(|row| Found::read::<DB>(row, pipeline.propagator(), asked)).collect())
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
            // A lease that was had anew may have been another's in between, who has relayed what is in this batch.
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
        self.pending = Some(Pending::Relayed(event.position));
        let marked = self.settle().await;
        if marked.is_err() {
            self.relay.counters.unmarked.add(1);
        }
        marked
    }

    /// Writes down what is pending, and tells what can be told then.
    async fn settle(&mut self) -> Result<(), sqlx::Error> {
        let (pool, statements) = (&self.relay.pool, self.statements());
        match &self.pending {
            None => {}
            Some(Pending::Relayed(position)) => {
                execute(pool, &statements.relayed, &[Argument::Integer(*position)]).await?;
            }
            Some(Pending::Dead(death)) => {
                // The first try may have done it, although its answer was lost.
                let is_dead =
                    death.write(pool, statements).await? || death.is_written(pool, statements).await?;
                if is_dead {
                    death.tell(&self.relay);
                }
            }
        }
        self.pending = None;
        Ok(())
    }

    /// The other relay hands it on again, and takes that down itself. Only a death that was written is told by nobody else.
    async fn hand_over(&mut self) -> Result<(), sqlx::Error> {
        if let Some(Pending::Dead(death)) = &self.pending
            && death.is_written(&self.relay.pool, self.statements()).await?
        {
            death.tell(&self.relay);
        }
        self.pending = None;
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
        &mut self,
        event: &StoredEvent,
        failure: &Failure,
        resumed: &Resumed,
    ) -> Result<(), sqlx::Error> {
        let death = Death::of(event, failure.kind(), resumed.context().clone());
        if let Some(death) = self.written(death).await? {
            resumed.in_scope(|| death.tell(&self.relay));
        }
        Ok(())
    }

    /// What can't be read now can't be read later, and must not hold up what can.
    async fn bury(&mut self, position: Option<i64>) -> Result<(), sqlx::Error> {
        let Some(position) = position else {
            tell_nameless(&self.relay);
            return Ok(());
        };
        if let Some(death) = self.written(Death::of_row(position)).await? {
            death.tell(&self.relay);
        }
        Ok(())
    }

    /// The death, if it is one: whoever has had the lease meanwhile may have settled the row. Where the answer is lost, it is
    /// pending.
    async fn written(&mut self, death: Death) -> Result<Option<Death>, sqlx::Error> {
        match death.write(&self.relay.pool, self.statements()).await {
            Ok(is_dead) => Ok(is_dead.then_some(death)),
            Err(error) => {
                self.pending = Some(Pending::Dead(death));
                Err(error)
            }
        }
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
        Next::Apart(DATABASE_BACKOFF.wait(self.database_failures))
    }

    /// Waits, and keeps the lease meanwhile: a pause may be longer than it.
    async fn pause(&mut self, next: Next) {
        let (wait, listens) = match next {
            Next::Go => return,
            Next::Apart(wait) => {
                self.wait(wait, false).await;
                return;
            }
            Next::Rest(wait) => (wait, true),
            Next::Sleep(wait) => (wait, false),
        };
        let mut left = wait;
        loop {
            let part = left.min(self.relay.settings.lease / 3);
            left -= part;
            let Waited::Whole = self.wait(part, listens).await else { return };
            // Whatever else it is, the next turn finds it out, too, and deals with it.
            if left.is_zero() || !matches!(self.hold().await, Ok(Held::Yes)) {
                return;
            }
        }
    }

    async fn wait(&mut self, time: Duration, listens: bool) -> Waited {
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => Waited::Part,
            () = self.relay.outbox.bell.notified(), if listens => Waited::Part,
            () = tokio::time::sleep(time) => Waited::Whole,
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    fn statements(&self) -> &Statements {
        self.relay.outbox.statements()
    }
}
