//! Relaying again what was relayed, or is dead.

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::Pool;
use uuid::Uuid;

use super::{
    Dialect, Outbox, OutboxError,
    dialect::Argument,
    statements::{DEAD, RELAYED},
    stored_event::as_milliseconds,
};

/// Which events are to be relayed again.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is replayed until an outbox is given it"]
pub struct Replay(Which);

#[derive(Clone, Copy, Debug)]
enum Which {
    One(Uuid),
    Many { lowest_state: i64, from_ms: i64, until_ms: i64 },
}

impl Replay {
    /// Everything that is still in the table and doesn't wait.
    pub const fn all() -> Self {
        Self(Which::Many { lowest_state: RELAYED, from_ms: 0, until_ms: i64::MAX })
    }

    /// What had no attempt left.
    pub const fn dead() -> Self {
        Self(Which::Many { lowest_state: DEAD, from_ms: 0, until_ms: i64::MAX })
    }

    /// One event, by its message id.
    pub const fn event(id: Uuid) -> Self {
        Self(Which::One(id))
    }

    /// Only what was stored at this time or later, by the database's clock.
    pub fn from(self, time: SystemTime) -> Self {
        self.change(|from_ms, _| *from_ms = unix_ms(time))
    }

    /// Only what was stored before this time, by the database's clock.
    pub fn until(self, time: SystemTime) -> Self {
        self.change(|_, until_ms| *until_ms = unix_ms(time))
    }

    fn change(mut self, change: impl FnOnce(&mut i64, &mut i64)) -> Self {
        if let Which::Many { from_ms, until_ms, .. } = &mut self.0 {
            change(from_ms, until_ms);
        }
        self
    }
}

fn unix_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, as_milliseconds)
}

impl<DB: Dialect> Outbox<DB> {
    /// Makes events wait again that were relayed or are dead, and says how many they are.
    ///
    /// They keep their place, which is before everything that was stored later, their message id, correlation id and
    /// baggage, and get all their attempts anew. Consumers that must not do their work twice ask their
    /// [`Inbox`](crate::inbox::Inbox). The `relay` span says `throughline.outbox.replay`; it is a child of the `create` span
    /// while that is young ([`trace_age_max`](super::RelayBuilder::trace_age_max)), and else begins a trace that links to
    /// it.
    ///
    /// It is one statement: give it a range where that would be too many rows at once.
    ///
    /// # Errors
    /// [`OutboxError::Database`]; nothing has changed then.
    pub async fn replay(&self, pool: &Pool<DB>, replay: Replay) -> Result<u64, OutboxError> {
        let mut connection = pool.acquire().await?;
        let statements = self.statements();
        let replayed = match replay.0 {
            Which::One(id) => {
                let id = id.to_string();
                DB::execute(&mut connection, &statements.replay_one, &[Argument::Text(Some(&id))]).await?
            }
            Which::Many { lowest_state, from_ms, until_ms } => {
                let arguments = [lowest_state, from_ms, until_ms].map(Argument::Integer);
                DB::execute(&mut connection, &statements.replay, &arguments).await?
            }
        };
        self.wake();
        Ok(replayed)
    }
}
