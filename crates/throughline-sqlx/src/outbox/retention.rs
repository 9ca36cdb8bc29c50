//! Keeping the table small.

use std::time::Duration;

use sqlx::Pool;

use super::{
    Dialect, Outbox, OutboxError,
    database::execute,
    dialect::Argument,
    statements::{DEAD, RELAYED, Statements},
    stored_event::as_milliseconds,
};

/// How many rows are deleted by one statement, so that none holds its locks for long.
pub const DELETE_ROWS_MAX: u32 = 1_000;

impl<DB: Dialect> Outbox<DB> {
    /// Deletes what was relayed longer ago than `age`, [`DELETE_ROWS_MAX`] rows a statement, and says how many there were.
    ///
    /// A relay does this by itself now and then ([`retention`](super::RelayBuilder::retention)). What waits and what is dead
    /// stays.
    ///
    /// # Errors
    /// [`OutboxError::Database`]; some may have been deleted.
    pub async fn delete_relayed_before(&self, pool: &Pool<DB>, age: Duration) -> Result<u64, OutboxError> {
        Ok(delete_settled(pool, self.statements(), RELAYED, age).await?)
    }

    /// Deletes what died longer ago than `age`, in the same way. Nobody does this by itself: what is dead was never told.
    ///
    /// # Errors
    /// [`OutboxError::Database`]; some may have been deleted.
    pub async fn delete_dead_before(&self, pool: &Pool<DB>, age: Duration) -> Result<u64, OutboxError> {
        Ok(delete_settled(pool, self.statements(), DEAD, age).await?)
    }
}

async fn delete_settled<DB: Dialect>(
    pool: &Pool<DB>,
    statements: &Statements,
    state: i64,
    age: Duration,
) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    loop {
        let rows = delete_some(pool, statements, state, age).await?;
        deleted += rows;
        if rows < u64::from(DELETE_ROWS_MAX) {
            return Ok(deleted);
        }
    }
}

/// Deletes the oldest, [`DELETE_ROWS_MAX`] at most.
pub(crate) async fn delete_some<DB: Dialect>(
    pool: &Pool<DB>,
    statements: &Statements,
    state: i64,
    age: Duration,
) -> Result<u64, sqlx::Error> {
    let arguments = [state, as_milliseconds(age), i64::from(DELETE_ROWS_MAX)].map(Argument::Integer);
    execute(pool, &statements.delete_settled, &arguments).await
}
