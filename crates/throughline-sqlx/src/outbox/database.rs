//! The relay's own statements, each with a time limit.

use std::{future::Future, io, sync::Arc, time::Duration};

use sqlx::Pool;

use super::{Dialect, dialect::Argument};

/// How long the relay waits for a connection and the answer to one statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn execute<DB: Dialect>(
    pool: &Pool<DB>,
    sql: &Arc<str>,
    arguments: &[Argument<'_>],
) -> Result<u64, sqlx::Error> {
    in_time(async { DB::execute(&mut *pool.acquire().await?, sql, arguments).await }).await
}

pub(crate) async fn fetch<DB: Dialect>(
    pool: &Pool<DB>,
    sql: &Arc<str>,
    arguments: &[Argument<'_>],
) -> Result<Vec<DB::Row>, sqlx::Error> {
    in_time(async { DB::fetch(&mut *pool.acquire().await?, sql, arguments).await }).await
}

async fn in_time<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let answer = tokio::time::timeout(STATEMENT_TIMEOUT, statement).await;
    answer.unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
}
