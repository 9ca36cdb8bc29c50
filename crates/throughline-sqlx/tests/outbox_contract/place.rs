//! A database in which the contract is kept.

use std::time::Duration;

use sqlx::{Pool, Transaction};
use throughline_sqlx::outbox::{Dialect, Event, Outbox};
use uuid::Uuid;

/// How long anything here may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// An empty database.
pub(crate) trait Place {
    type DB: Dialect;

    fn pool(&self) -> &Pool<Self::DB>;

    /// Runs a statement of the application.
    async fn execute(connection: &mut <Self::DB as sqlx::Database>::Connection, sql: String) -> u64;

    /// The numbers of the first column.
    async fn numbers(&self, sql: String) -> Vec<i64>;

    /// The texts of the first column.
    async fn texts(&self, sql: String) -> Vec<Option<String>>;

    async fn run(&self, sql: &str) -> u64 {
        let mut connection = self.pool().acquire().await.unwrap();
        Self::execute(&mut connection, sql.to_owned()).await
    }

    async fn number(&self, sql: &str) -> i64 {
        self.numbers(sql.to_owned()).await[0]
    }

    async fn text(&self, sql: &str) -> Option<String> {
        self.texts(sql.to_owned()).await.remove(0)
    }

    async fn begin(&self) -> Transaction<'_, Self::DB> {
        self.pool().begin().await.unwrap()
    }

    /// An outbox with tables of this name.
    async fn outbox(&self, table: &str) -> Outbox<Self::DB> {
        let outbox = Outbox::named(table).unwrap();
        outbox.create_tables(self.pool()).await.unwrap();
        outbox
    }

    /// Stores an event and commits.
    async fn stored(&self, outbox: &Outbox<Self::DB>, event: Event) -> Uuid {
        let mut transaction = self.begin().await;
        let id = outbox.store(&mut transaction, event).await.unwrap();
        transaction.commit().await.unwrap();
        id
    }
}

/// Implements [`Place`] for a database, whose types the compiler wants to know.
#[macro_export]
macro_rules! place {
    ($name:ident, $database:ty) => {
        struct $name(sqlx::Pool<$database>);

        impl outbox_contract::Place for $name {
            type DB = $database;

            fn pool(&self) -> &sqlx::Pool<$database> {
                &self.0
            }

            async fn execute(connection: &mut <$database as sqlx::Database>::Connection, sql: String) -> u64 {
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap().rows_affected()
            }

            async fn numbers(&self, sql: String) -> Vec<i64> {
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&self.0).await.unwrap()
            }

            async fn texts(&self, sql: String) -> Vec<Option<String>> {
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&self.0).await.unwrap()
            }
        }
    };
}
