//! Who may relay: one at a time.

use std::{sync::Arc, time::Duration};

use sqlx::Pool;
use throughline_core::Clock;
use uuid::Uuid;

use super::{
    Dialect,
    counters::Counters,
    database::{execute, fetch},
    dialect::Argument,
    since::Since,
    statements::Statements,
    stored_event::{as_milliseconds, between},
};

/// The longest lease that there can be, in any relay: what is longer was written by a clock that has been put right since.
pub const LEASE_MAX: Duration = Duration::from_secs(3600);

/// This relay's claim to the one row that says who relays.
///
/// The row's end is told by the database's clock, for all alike. The holder itself counts from before it asked, and so stops
/// believing in its lease before anybody else does, unless the machine stood still between its look at the clock and what it
/// does then.
#[derive(Debug)]
pub(crate) struct Lease {
    holder: String,
    duration: Duration,
    clock: Clock,
    since: Option<Since>,
}

/// What became of asking for the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    /// For the first time, or after its end: another relay may have had it in between.
    Anew,
    /// By another relay, for this long if it dies now.
    ByAnother(Duration),
}

impl Lease {
    pub(crate) fn new(duration: Duration) -> Self {
        Self { holder: Uuid::now_v7().to_string(), duration, clock: Clock::system(), since: None }
    }

    /// Takes or renews the lease unless more than half of it is left.
    pub(crate) async fn hold<DB: Dialect>(
        &mut self,
        pool: &Pool<DB>,
        statements: &Statements,
        counters: &Counters,
    ) -> Result<Held, sqlx::Error> {
        let asked = Since::now(&self.clock);
        if self.is_younger_than(self.duration / 2) {
            return Ok(Held::Yes);
        }
        if self.take(pool, &statements.lease_take).await? {
            let held = if self.is_younger_than(self.duration) { Held::Yes } else { Held::Anew };
            self.since = Some(asked);
            return Ok(held);
        }
        if self.since.take().is_some() {
            counters.leases_lost.add(1);
        }
        self.left(pool, statements).await.map(Held::ByAnother)
    }

    /// Gives it back, so that another relay need not wait.
    pub(crate) async fn release<DB: Dialect>(
        &mut self,
        pool: &Pool<DB>,
        sql: &Arc<str>,
    ) -> Result<(), sqlx::Error> {
        if self.since.take().is_some() {
            execute(pool, sql, &[Argument::Text(Some(&self.holder))]).await?;
        }
        Ok(())
    }

    fn is_younger_than(&self, time: Duration) -> bool {
        self.since.is_some_and(|since| since.elapsed(&self.clock) < time)
    }

    async fn take<DB: Dialect>(&self, pool: &Pool<DB>, sql: &Arc<str>) -> Result<bool, sqlx::Error> {
        let holder = Argument::Text(Some(&self.holder));
        let [duration, longest] =
            [self.duration, LEASE_MAX].map(|time| Argument::Integer(as_milliseconds(time)));
        let arguments = [holder, duration, holder, longest];
        Ok(execute(pool, sql, &arguments).await? > 0)
    }

    /// How long the other's lease lasts; puts the row back where somebody has taken it away.
    async fn left<DB: Dialect>(
        &self,
        pool: &Pool<DB>,
        statements: &Statements,
    ) -> Result<Duration, sqlx::Error> {
        let rows = fetch(pool, &statements.lease_left, &[]).await?;
        let times = |row: &DB::Row| Some((DB::integer(row, 1)?, DB::integer(row, 0)?));
        if let Some((now, ends)) = rows.first().and_then(times) {
            return Ok(between(now, ends));
        }
        execute(pool, &statements.lease_row, &[]).await?;
        Ok(Duration::ZERO)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use sqlx::{Sqlite, sqlite::SqlitePoolOptions};

    use super::*;
    use crate::outbox::Outbox;

    /// A machine that was suspended: the wall clock has gone on, the other one hasn't.
    #[tokio::test]
    async fn a_lease_that_was_over_is_had_anew() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        let outbox = Outbox::<Sqlite>::new();
        outbox.create_tables(&pool).await.unwrap();
        let (counters, unix_nanos) = (Counters::default(), Arc::new(AtomicU64::new(0)));
        let clock = Clock::fixed(Arc::clone(&unix_nanos));
        let mut lease = Lease { clock, ..Lease::new(LEASE_MAX) };
        for (gone_by, expected) in [
            (Duration::ZERO, Held::Anew),
            (LEASE_MAX / 3, Held::Yes),
            (LEASE_MAX / 3, Held::Yes),
            (LEASE_MAX, Held::Anew),
            (Duration::ZERO, Held::Yes),
        ] {
            unix_nanos.fetch_add(u64::try_from(gone_by.as_nanos()).unwrap(), Ordering::Relaxed);
            assert_eq!(lease.hold(&pool, outbox.statements(), &counters).await.unwrap(), expected);
        }
    }
}
