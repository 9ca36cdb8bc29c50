//! How full the outbox is, and how late.

use std::time::Duration;

use sqlx::Pool;

use super::{
    Dialect, Outbox, OutboxError,
    statements::{DEAD, RELAYED, WAITING},
    stored_event::between,
};

/// What is in an outbox at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxState {
    /// Events that wait to be relayed, for the first time or again.
    pub waiting: u64,
    /// Events that were relayed and are still kept.
    pub relayed: u64,
    /// Events that had no attempt left.
    pub dead: u64,
    /// How long the one has waited that has waited longest: how late the outbox is. `None` when nothing waits.
    pub oldest_waiting: Option<Duration>,
}

impl<DB: Dialect> Outbox<DB> {
    /// Counts the events, and says how late the outbox is. It counts in an index of the whole table (PostgreSQL may take the
    /// table itself, where it finds that cheaper), and reads the rows of what waits: a matter for every minute, not for every
    /// request.
    ///
    /// # Errors
    /// [`OutboxError::Database`].
    pub async fn state(&self, pool: &Pool<DB>) -> Result<OutboxState, OutboxError> {
        let mut connection = pool.acquire().await?;
        let rows = DB::fetch(&mut connection, &self.statements().state, &[]).await?;
        let mut state = OutboxState::default();
        for row in &rows {
            let count = DB::integer(row, 1).and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
            match DB::integer(row, 0) {
                Some(WAITING) => {
                    state.waiting = count;
                    state.oldest_waiting = since::<DB>(row);
                }
                Some(RELAYED) => state.relayed = count,
                Some(DEAD) => state.dead = count,
                _ => {}
            }
        }
        Ok(state)
    }
}

fn since<DB: Dialect>(row: &DB::Row) -> Option<Duration> {
    Some(between(DB::integer(row, 2)?, DB::integer(row, 3)?))
}
