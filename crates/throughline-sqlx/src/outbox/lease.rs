//! Who may relay: one at a time.

use std::{sync::Arc, time::Duration};

use sqlx::Pool;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Dialect,
    counters::Counters,
    database::{execute, fetch},
    dialect::Argument,
    statements::Statements,
    stored_event::{as_milliseconds, between},
};

/// The longest lease that there can be, in any relay: what is longer was written by a clock that has been put right since.
pub const LEASE_MAX: Duration = Duration::from_secs(3600);

/// This relay's claim to the one row that says who relays.
///
/// The row's end is told by the database's clock, for all alike. The holder itself counts from before it asked, by a clock that
/// nobody sets: it stops believing in its lease before anybody else does.
#[derive(Debug)]
pub(crate) struct Lease {
    holder: String,
    duration: Duration,
    ends: Option<Instant>,
}

/// What became of asking for the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    /// By another relay, for this long if it dies now.
    ByAnother(Duration),
}

impl Lease {
    pub(crate) fn new(duration: Duration) -> Self {
        Self { holder: Uuid::now_v7().to_string(), duration, ends: None }
    }

    /// Takes or renews the lease unless more than half of it is left.
    pub(crate) async fn hold<DB: Dialect>(
        &mut self,
        pool: &Pool<DB>,
        statements: &Statements,
        counters: &Counters,
    ) -> Result<Held, sqlx::Error> {
        let now = Instant::now();
        if self.ends.is_some_and(|ends| ends > now + self.duration / 2) {
            return Ok(Held::Yes);
        }
        if self.take(pool, &statements.lease_take).await? {
            self.ends = Some(now + self.duration);
            return Ok(Held::Yes);
        }
        if self.ends.take().is_some() {
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
        if self.ends.take().is_some() {
            execute(pool, sql, &[Argument::Text(Some(&self.holder))]).await?;
        }
        Ok(())
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
