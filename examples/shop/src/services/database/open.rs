//! Opening a database, and making its tables.

use std::{error::Error, str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, Executor, Postgres, Sqlite,
    pool::PoolOptions,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    Database,
    engine::{Engine, Pools},
};
use crate::{arguments::DatabaseUrl, services::Failure};

/// How long a write waits for another process to release a SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many connections of a process read from a SQLite file. One writes: several would poll for their turn, where a pool hands
/// it over.
const SQLITE_READERS_MAX: u32 = 2;
/// How many connections there are to PostgreSQL.
const POSTGRES_CONNECTIONS_MAX: u32 = 4;

impl Database {
    /// The database called `name`: a SQLite file of that name, or a schema. The statements of `schema` make its tables,
    /// unless they are there; `{id}` stands for a number that the database gives.
    pub(in crate::services) async fn open(
        url: &DatabaseUrl,
        name: &str,
        schema: &[&str],
    ) -> Result<Self, Failure> {
        match url {
            DatabaseUrl::Folder(folder) => {
                std::fs::create_dir_all(folder)
                    .map_err(|error| format!("cannot make --database {}: {error}", folder.display()))?;
                let options = SqliteConnectOptions::new()
                    .filename(folder.join(format!("{name}.db")))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(BUSY_TIMEOUT);
                let pool = |connections| {
                    let pool = PoolOptions::<Sqlite>::new().max_connections(connections);
                    pool.acquire_timeout(ACQUIRE_TIMEOUT).connect_lazy_with(options.clone())
                };
                let pools =
                    Pools { writer: pool(1).into(), reader: pool(SQLITE_READERS_MAX).into(), relay: pool(1) };
                create(&pools.relay, schema, "INTEGER PRIMARY KEY AUTOINCREMENT").await?;
                Ok(Self::Sqlite(Engine::over(pools).await?))
            }
            DatabaseUrl::Postgres(url) => {
                let namespace = name.replace('-', "_");
                let options = PgConnectOptions::from_str(url)
                    .map_err(|_| "--database is no address of a PostgreSQL database")?
                    .options([("search_path", namespace.as_str())]);
                let pool = PoolOptions::<Postgres>::new()
                    .max_connections(POSTGRES_CONNECTIONS_MAX)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .connect_with(options)
                    .await
                    .map_err(|error| format!("no connection to the PostgreSQL database: {error}"))?;
                twice(async || {
                    pool.execute(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {namespace}"))).await
                })
                .await?;
                create(&pool, schema, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY").await?;
                let pools = Pools { writer: pool.clone().into(), reader: pool.clone().into(), relay: pool };
                Ok(Self::Postgres(Engine::over(pools).await?))
            }
        }
    }
}

async fn create<DB: sqlx::Database>(
    pool: &sqlx::Pool<DB>,
    schema: &[&str],
    id: &str,
) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    for statement in schema {
        let text = statement.replace("{id}", id);
        twice(async || pool.execute(AssertSqlSafe(text.clone())).await).await?;
    }
    Ok(())
}

/// PostgreSQL lets one of two that make the same thing at once fail, although both say IF NOT EXISTS; a second try finds it.
async fn twice<T, E: Error>(work: impl AsyncFn() -> Result<T, E>) -> Result<(), E> {
    if work().await.is_err() {
        work().await?;
    }
    Ok(())
}
