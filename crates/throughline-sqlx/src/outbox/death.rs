//! The end of what can't be relayed: written down first, told once it is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sqlx::Pool;
use throughline_core::Context;

use super::{
    Dialect, Relay, StoredEvent,
    counters::count,
    database::{execute, fetch},
    dialect::Argument,
    statements::{DEAD, Statements},
};

/// What the row of something that is no event says.
const UNREADABLE: &str = "unreadable";

/// A death that has still to be written down, or told.
#[derive(Debug)]
pub(crate) struct Death {
    position: i64,
    error: &'static str,
    victim: Victim,
}

#[derive(Debug)]
enum Victim {
    /// With the context of its last attempt, to which belongs what is said of it.
    Event(Box<StoredEvent>, Context),
    Row,
}

impl Death {
    pub(crate) fn of(event: &StoredEvent, error: &'static str, context: Context) -> Self {
        let victim = Victim::Event(Box::new(event.clone()), context);
        Self { position: event.position, error, victim }
    }

    pub(crate) const fn of_row(position: i64) -> Self {
        Self { position, error: UNREADABLE, victim: Victim::Row }
    }

    /// Says whether the row is dead because of this: where somebody else has settled it meanwhile, that stays.
    pub(crate) async fn write<DB: Dialect>(
        &self,
        pool: &Pool<DB>,
        statements: &Statements,
    ) -> Result<bool, sqlx::Error> {
        let arguments = [Argument::Text(Some(self.error)), Argument::Integer(self.position)];
        Ok(execute(pool, &statements.dead, &arguments).await? > 0)
    }

    /// Whether the row says so: what became of a statement whose answer was lost.
    pub(crate) async fn is_written<DB: Dialect>(
        &self,
        pool: &Pool<DB>,
        statements: &Statements,
    ) -> Result<bool, sqlx::Error> {
        let rows = fetch(pool, &statements.state_of, &[Argument::Integer(self.position)]).await?;
        Ok(rows.first().and_then(|row| DB::integer(row, 0)) == Some(DEAD))
    }

    pub(crate) fn tell<DB: Dialect, F>(&self, relay: &Relay<DB, F>) {
        count("dead", Some(self.error));
        match &self.victim {
            Victim::Event(event, context) => {
                let _context = context.enter();
                relay.counters.dead.add(1);
                let (attempts, error) = (event.attempt(), self.error);
                tracing::error!(target: "throughline::outbox", attempts, error, "an event is dead");
                call_back(relay, event);
            }
            Victim::Row => tell_unreadable(relay, Some(self.position)),
        }
    }
}

/// A row without even a position can't be found again to be written to: that is all that can be done.
pub(crate) fn tell_nameless<DB: Dialect, F>(relay: &Relay<DB, F>) {
    count("dead", Some(UNREADABLE));
    tell_unreadable(relay, None);
}

fn tell_unreadable<DB: Dialect, F>(relay: &Relay<DB, F>, position: Option<i64>) {
    relay.counters.unreadable.add(1);
    tracing::error!(target: "throughline::outbox", position, "a row is no event");
}

/// Somebody else's code: what it does must not end the relay.
fn call_back<DB: Dialect, F>(relay: &Relay<DB, F>, event: &StoredEvent) {
    if let Some(on_dead) = &relay.settings.on_dead {
        let told = catch_unwind(AssertUnwindSafe(|| on_dead(event)));
        relay.counters.callback_panics.add(u64::from(told.is_err()));
    }
}
