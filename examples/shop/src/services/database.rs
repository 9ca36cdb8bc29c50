//! The database of a service: SQLite or PostgreSQL behind one name, with an outbox and an inbox in it.
//!
//! A program that knows its database has no need of this: it holds a pool, an outbox and an inbox of that database, and
//! writes `sqlx::query(…).execute(&mut *transaction)`. The shop is told at its start which of two it is to use.

mod engine;
mod open;
mod row;
mod statement;
mod transaction;

use std::sync::Arc;

use sqlx::{Error, Postgres, Sqlite};
use throughline::sqlx::outbox::{OutboxError, OutboxState, Replay};

use super::{Failure, stop::Stop};
use engine::Engine;
pub(super) use row::Row;
pub(super) use statement::{Statement, sql, sql_of};
pub(super) use transaction::Transaction;

/// A database. Clones share its connections.
#[derive(Clone, Debug)]
pub(super) enum Database {
    Sqlite(Engine<Sqlite>),
    Postgres(Engine<Postgres>),
}

impl Database {
    /// Begins to write; see [`Transaction`].
    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        Ok(match self {
            // Two that read first and then both want to write would be a deadlock, which SQLite ends with an error for one.
            Self::Sqlite(engine) => {
                Transaction::Sqlite(engine.writer().begin_with("BEGIN IMMEDIATE").await?, engine.clone())
            }
            Self::Postgres(engine) => Transaction::Postgres(engine.writer().begin().await?, engine.clone()),
        })
    }

    /// Reads, outside any transaction.
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(engine) => {
                let rows = statement.query::<Sqlite>().fetch_all(engine.reader()).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(engine) => {
                let rows = statement.query::<Postgres>().fetch_all(engine.reader()).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Reads for the back door, which no trace shows.
    pub(super) async fn rows_untraced(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(engine) => {
                let rows = statement.query::<Sqlite>().fetch_all(engine.reader().inner()).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(engine) => {
                let rows = statement.query::<Postgres>().fetch_all(engine.reader().inner()).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The number that a statement of the back door counts.
    pub(super) async fn count(&self, text: &'static str) -> Result<i64, Error> {
        let rows = self.rows_untraced(sql(text)).await?;
        rows.first().ok_or(Error::RowNotFound)?.integer(0)
    }

    /// Tells the relay of this process that something was stored: after the commit.
    pub(super) fn wake(&self) {
        match self {
            Self::Sqlite(engine) => engine.outbox().wake(),
            Self::Postgres(engine) => engine.outbox().wake(),
        }
    }

    /// Makes all events that were relayed wait again; returns how many there are.
    pub(super) async fn replay(&self) -> Result<u64, OutboxError> {
        match self {
            Self::Sqlite(engine) => engine.outbox().replay(engine.relay_pool(), Replay::all()).await,
            Self::Postgres(engine) => engine.outbox().replay(engine.relay_pool(), Replay::all()).await,
        }
    }

    /// How full the outbox is.
    pub(super) async fn outbox_state(&self) -> Result<OutboxState, OutboxError> {
        match self {
            Self::Sqlite(engine) => engine.outbox().state(engine.reader().inner()).await,
            Self::Postgres(engine) => engine.outbox().state(engine.reader().inner()).await,
        }
    }

    /// Hands the events of the outbox to `publisher` until the service is to end; several processes may do so, one at a time
    /// does.
    pub(super) async fn relay(
        &self,
        publisher: &Arc<super::mqtt::EventPublisher>,
        stop: &Stop,
    ) -> Result<(), Failure> {
        match self {
            Self::Sqlite(engine) => engine.relay(publisher, stop).await,
            Self::Postgres(engine) => engine.relay(publisher, stop).await,
        }
    }
}
