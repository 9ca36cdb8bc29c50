//! Writes that are all there or none of them, events and what was heard of included.

use sqlx::{Error, Postgres, Sqlite};
use throughline::sqlx::{
    self as traced,
    outbox::{Event, OutboxError},
};

use super::{Row, Statement, engine::Engine};

/// A transaction. Dropped, it is rolled back.
pub(in crate::services) enum Transaction {
    Sqlite(traced::Transaction<'static, Sqlite>, Engine<Sqlite>),
    Postgres(traced::Transaction<'static, Postgres>, Engine<Postgres>),
}

impl Transaction {
    /// Writes; returns how many rows were written.
    pub(in crate::services) async fn execute(&mut self, statement: Statement) -> Result<u64, Error> {
        Ok(match self {
            Self::Sqlite(transaction, _) => {
                statement.query::<Sqlite>().execute(&mut **transaction).await?.rows_affected()
            }
            Self::Postgres(transaction, _) => {
                statement.query::<Postgres>().execute(&mut **transaction).await?.rows_affected()
            }
        })
    }

    /// Reads, or writes and reads what was written.
    pub(in crate::services) async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(transaction, _) => {
                let rows = statement.query::<Sqlite>().fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction, _) => {
                let rows = statement.query::<Postgres>().fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Stores an event: it is told to others if this is committed, and not otherwise.
    pub(in crate::services) async fn store(&mut self, event: Event) -> Result<(), OutboxError> {
        match self {
            Self::Sqlite(transaction, engine) => engine.outbox().store(transaction.inner_mut(), event).await,
            Self::Postgres(transaction, engine) => {
                engine.outbox().store(transaction.inner_mut(), event).await
            }
        }
        .map(|_| ())
    }

    /// Whether `consumer` has this message for the first time; it has had it if this is committed.
    pub(in crate::services) async fn first_time(
        &mut self,
        consumer: &str,
        message_id: &str,
    ) -> Result<bool, OutboxError> {
        match self {
            Self::Sqlite(transaction, engine) => {
                engine.inbox().first_time(transaction.inner_mut(), consumer, message_id).await
            }
            Self::Postgres(transaction, engine) => {
                engine.inbox().first_time(transaction.inner_mut(), consumer, message_id).await
            }
        }
    }

    pub(in crate::services) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(transaction, _) => transaction.commit().await,
            Self::Postgres(transaction, _) => transaction.commit().await,
        }
    }
}
