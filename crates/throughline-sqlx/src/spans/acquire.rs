//! The wait for a connection of a pool.

use std::time::{Duration, Instant};

use sqlx::{Error, pool::PoolConnection};
use throughline_core::{Metric, Pipeline, semconv::db as attributes};

use super::{settings::Settings, system::System};

/// A connection of the pool, and how long it took.
///
/// Counts who waits, how long those waited who got one, and who gave up because the pool's own time limit was over.
pub(crate) async fn acquire<DB: System>(
    pool: &sqlx::Pool<DB>,
    settings: &Settings,
) -> (Result<PoolConnection<DB>, Error>, Duration) {
    let wait = Wait::begin(settings);
    let connection = pool.acquire().await;
    let waited = wait.since.elapsed();
    match &connection {
        Ok(_) => wait.record(Metric::DbClientConnectionWaitTime, waited.as_secs_f64()),
        Err(Error::PoolTimedOut) => wait.record(Metric::DbClientConnectionTimeouts, 1.0),
        Err(_) => {}
    }
    (connection, waited)
}

/// One who waits, until dropped.
struct Wait<'a> {
    pipeline: Pipeline,
    settings: &'a Settings,
    since: Instant,
}

impl<'a> Wait<'a> {
    fn begin(settings: &'a Settings) -> Self {
        let wait = Self { pipeline: Pipeline::current(), settings, since: Instant::now() };
        wait.record(Metric::DbClientConnectionPendingRequests, 1.0);
        wait
    }

    fn record(&self, metric: Metric, value: f64) {
        let name = self.settings.get().pool_name.as_str().into();
        self.pipeline.record(metric, value, &[(attributes::DB_CLIENT_CONNECTION_POOL_NAME, name)]);
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.record(Metric::DbClientConnectionPendingRequests, -1.0);
    }
}
